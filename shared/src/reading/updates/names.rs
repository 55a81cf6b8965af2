//! Names: which symbols a follow-up means, where only their place and their capitals show it.
//!
//! Entry point: [`with_names`]. Most coins are in no list: "New targets for KAS" names one all the same.
//! Invariants: a text that names a symbol anyway is left alone; words of the vocabulary are no names, unless they are
//! tickers too and written in capitals among small letters.

use super::super::pieces::{Piece, Pieces, What};
use super::super::symbols::{self, Mention, Strength};
use super::super::words::{Lexicon, Meaning, Slot};

/// The pieces with the names found among them; none if there is nothing to find.
pub(super) fn with_names<'t>(pieces: &Pieces<'t>, words: Lexicon<'_>) -> Option<Pieces<'t>> {
    let mixed = pieces.plain.chars().any(char::is_lowercase);
    let mut list: Option<Vec<Piece<'t>>> = None;
    for at in 0..pieces.list.len() {
        let piece = &pieces.list[at];
        // Most words end here: no name in capitals begins with a small letter.
        if pieces.plain.as_bytes().get(piece.bytes.start).is_some_and(u8::is_ascii_lowercase) {
            continue;
        }
        if !is_candidate(&piece.what) || !stands_for_name(pieces, at, mixed) {
            continue;
        }
        // `SUI'de`: endings stand behind an apostrophe.
        let raw = pieces.raw(piece).split('\'').next().unwrap_or_default();
        let known = matches!(piece.what, What::Term(..));
        let Some(found) = symbols::in_capitals(words, raw, known).filter(|_| mixed || !known) else {
            continue;
        };
        let what = What::Ticker(Box::new(Mention { strength: Strength::Header, ..found }));
        list.get_or_insert_with(|| pieces.list.clone())[at] = Piece { what, ..piece.clone() };
    }
    list.map(|list| pieces.with(list))
}

fn is_candidate(what: &What<'_>) -> bool {
    matches!(what, What::Unknown | What::Term(..)) && what.slot() != Some(Slot::Reference)
}

/// Behind a preposition, a side or a verb, before a side or a label, or at the start of a line before a colon.
fn stands_for_name(pieces: &Pieces<'_>, at: usize, mixed: bool) -> bool {
    let list = &pieces.list;
    let line = list[at].line;
    let beside = |at: Option<usize>| at.and_then(|at| list.get(at)).filter(|piece| piece.line == line);
    let mut before = at;
    while before > 0 && is_decoration(&list[before - 1]) && list[before - 1].line == line {
        before -= 1;
    }
    let starts = before == 0 || list[before - 1].line != line || ends_thought(&list[before - 1].what);
    let previous = beside(at.checked_sub(1)).map(|piece| &piece.what);
    let next = beside(Some(at + 1)).map(|piece| &piece.what);
    let introduced = mixed && previous.is_some_and(introduces);
    let joined = mixed && matches!(previous, Some(What::Term(Meaning::And, _) | What::Mark(',' | '&' | '/')));
    let listed = joined && at > 1 && matches!(list[at - 2].what, What::Ticker(_));
    let heads = starts && next.is_none_or(follows);
    let first = starts && mixed && matches!(list[at].what, What::Unknown) && next.is_some();
    introduced || listed || heads || first && is_told_of(&list[at + 1..], line)
}

fn is_decoration(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Icon(_) | What::Mark('•' | '-' | '·' | '*' | '(' | '[' | '/'))
}

fn ends_thought(what: &What<'_>) -> bool {
    matches!(what, What::Mark('.' | '|' | ';' | '!' | ',') | What::Icon(_))
}

/// What may stand right before a name.
fn introduces(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Term(
            Meaning::Filler
                | Meaning::At
                | Meaning::From
                | Meaning::To
                | Meaning::Now
                | Meaning::Side(_)
                | Meaning::Positions(_)
                | Meaning::Move
                | Meaning::Trail
                | Meaning::New
                | Meaning::Hit
                | Meaning::Filled
                | Meaning::StoppedOut
                | Meaning::More
                | Meaning::All
                | Meaning::Quarter
                | Meaning::Count(_)
                | Meaning::Label(Slot::Stop | Slot::Target | Slot::Entry)
                | Meaning::Cancel
                | Meaning::Close
                | Meaning::Closed
                | Meaning::Out
                | Meaning::Add
                | Meaning::Again
                | Meaning::Partial
                | Meaning::Part
                | Meaning::Half
                | Meaning::Third
                | Meaning::Tenths(_)
                | Meaning::TwoThirds
                | Meaning::ThreeQuarters
                | Meaning::Changed
                | Meaning::Limit,
            _
        )
    )
}

/// What may stand right behind a name at the start of a line.
fn follows(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Mark(':' | '-' | '=' | '>' | ',')
            | What::Icon(_)
            | What::Term(
                Meaning::Side(_)
                    | Meaning::Positions(_)
                    | Meaning::Label(_)
                    | Meaning::StoppedOut
                    | Meaning::Closed
                    | Meaning::Close
                    | Meaning::Cancel
                    | Meaning::Hit
                    | Meaning::Filled
                    | Meaning::Limit
                    | Meaning::Again
                    | Meaning::Move
                    | Meaning::Trail,
                _
            )
    )
}

/// True when the line goes on about a stop, a target or an entry: "NMR got its stop taken".
fn is_told_of(rest: &[Piece<'_>], line: usize) -> bool {
    let mut rest = rest.iter().take_while(|piece| piece.line == line);
    rest.any(|piece| matches!(piece.what.slot(), Some(Slot::Stop | Slot::Target | Slot::Entry)))
}
