//! Ids: the author's own number or id of a call, as in `SIGNAL ID: #1234`, `Trade #88`, `🆔 1842`.
//!
//! Entry points: [`labelled`] for a label with its id, [`numbered`] for a number sign before a whole number, [`heading`] for a word
//! and a whole number before a colon.
//! Invariants: an id holds a digit and no decimal point; a list number (`TP #2`, `Signal 1:`) is no id.

use super::pieces::{Piece, Pieces, What};
use super::seen::Sight;
use super::tokens::Unit;
use super::words::{Meaning, Slot};

/// The longest id: bots count to a few digits, or cut a hash short.
const MAX_ID: usize = 24;

/// How many marks may stand between a label and its id: `: #`.
const MAX_MARKS: usize = 3;

/// The id behind a label for ids.
pub(super) fn labelled<'p, 't>(pieces: &'p Pieces<'t>) -> Option<(&'t str, &'p Piece<'t>)> {
    if !pieces.has(Meaning::Label(Slot::Reference)) && !pieces.seen.has(Sight::Id) {
        return None;
    }
    let list = &pieces.list;
    let labels = list.iter().enumerate().filter(|(_, piece)| {
        piece.what.slot() == Some(Slot::Reference) || matches!(piece.what, What::Icon('🆔'))
    });
    labels.map(|(at, _)| at).find_map(|at| id_behind(pieces, at))
}

fn id_behind<'p, 't>(pieces: &'p Pieces<'t>, label: usize) -> Option<(&'t str, &'p Piece<'t>)> {
    let line = pieces.list[label].line;
    let mut behind =
        pieces.list[label + 1..].iter().take(MAX_MARKS + 1).take_while(|piece| piece.line == line);
    let mut signed = false;
    let value = behind.find(|piece| {
        signed |= matches!(piece.what, What::Mark('#' | ':'));
        !matches!(piece.what, What::Mark('#' | ':' | '=' | '-'))
    })?;
    let id = id_at(pieces, value)?;
    (signed || id.len() >= 2).then_some((id, value))
}

/// `Trade #88`, `#3391: cancelled`: a number sign before a whole number that counts neither levels nor one of few.
pub(super) fn numbered<'p, 't>(pieces: &'p Pieces<'t>) -> Option<(&'t str, &'p Piece<'t>)> {
    if !pieces.seen.has(Sight::Hash) {
        return None;
    }
    let levels = [Slot::Entry, Slot::Target, Slot::Stop].map(Meaning::Label);
    pieces.list.windows(2).enumerate().find_map(|(at, pair)| {
        let sign = matches!(pair[0].what, What::Mark('#')) && pair[1].glued;
        if !sign || !matches!(&pair[1].what, What::Number(_)) {
            return None;
        }
        let before = at.checked_sub(1).map(|before| &pieces.list[before].what);
        let counts_other = before.is_some_and(|what| {
            what.slot() == Some(Slot::Decoy) || levels.iter().any(|level| what.is(*level))
        });
        id_at(pieces, &pair[1]).filter(|id| id.len() >= 2 && !counts_other).map(|id| (id, &pair[1]))
    })
}

/// `Trade 118: TP3 done`: a whole number between the first word of the text and a colon.
pub(super) fn heading<'p, 't>(pieces: &'p Pieces<'t>) -> Option<(&'t str, &'p Piece<'t>)> {
    let first =
        pieces.list.iter().position(|piece| !matches!(piece.what, What::Icon(_) | What::Mark('*')))?;
    let [word, number, colon, ..] = &pieces.list[first..] else { return None };
    let names = matches!(
        word.what,
        What::Term(Meaning::Filler | Meaning::Trade | Meaning::Trades | Meaning::Label(Slot::Side), None)
    );
    let whole = matches!(number.what, What::Number(_)) && !number.glued;
    let id =
        if names && whole && matches!(colon.what, What::Mark(':')) { id_at(pieces, number) } else { None };
    id.filter(|id| id.len() >= 2).map(|id| (id, number))
}

/// The run of letters, digits and dashes that begins with a piece, if it can be an id.
fn id_at<'t>(pieces: &Pieces<'t>, piece: &Piece<'t>) -> Option<&'t str> {
    match &piece.what {
        What::Number(number) if number.unit == Unit::None && !number.text.contains(['.', ',']) => {}
        What::Unknown | What::Tangle | What::Ticker(_) => {}
        What::Number(number) if number.unit != Unit::Percent && number.unit != Unit::Times => {}
        _ => return None,
    }
    let rest = pieces.plain.get(piece.bytes.start..)?;
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let id = rest[..end].trim_end_matches(['-', '_']);
    let decimal = rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit());
    (id.bytes().any(|b| b.is_ascii_digit()) && id.len() <= MAX_ID && !decimal).then_some(id)
}
