//! Clauses: where one thought of a follow-up ends and the next one begins.
//!
//! Entry points: [`clauses`], [`Clause`]. A clause ends with its line, at marks and icons that end a thought, and
//! before a second deed: "TP1 hit and stop moved", "closed 60% and moved the stop".
//! Invariant: together the clauses are the whole text, in order.

use std::ops::Range;

use super::super::evidence::Field;
use super::super::marks::Mark;
use super::super::pieces::{Bytes, Piece, What, is_among};
use super::super::seen::{Seen, Sight, arrow};
use super::super::values::is_tick;
use super::super::words::{Meaning, Meant, Slot};
use super::Numbers;
use crate::signal::Side;

/// The most unexplained words of a clause that speaks of a trade, where no symbol stands in it.
const MAX_UNKNOWN_IN_REPLY: usize = 2;

/// One thought.
pub(super) struct Clause<'p, 't> {
    /// Its pieces.
    pub(super) pieces: &'p [Piece<'t>],
    /// What occurs in it.
    pub(super) holds: Holds,
    /// The text from the clause's start on.
    pub(super) onwards: &'p [Piece<'t>],
    /// What is known about its numbers.
    pub(super) numbers: Numbers<'p>,
    /// True when the post answers another one.
    pub(super) reply: bool,
    /// True when the text names a symbol, or the id of a call.
    pub(super) named: bool,
    /// True when an earlier clause says something.
    pub(super) after_deed: bool,
}

/// What occurs in a clause, noted once, so that most questions about it need no search.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holds {
    /// The meanings.
    meant: Meant,
    /// The kinds of pieces.
    pub(super) seen: Seen,
    /// True for a meaning, a tick or a percentage without which a clause says nothing.
    pub(super) may_say: bool,
}

impl Holds {
    /// False when surely none of these is there.
    pub(super) fn may_hold_any(&self, meanings: &[Meaning]) -> bool {
        self.meant.may_hold_any(meanings)
    }

    /// Looks at the pieces of a clause.
    pub(super) fn of(pieces: &[Piece<'_>]) -> Self {
        let mut holds = Self::default();
        for (at, piece) in pieces.iter().enumerate() {
            holds.seen.add(at, &piece.what);
            if let What::Term(meaning, _) = piece.what {
                holds.meant.add(meaning);
                holds.may_say |= may_say(meaning);
            }
        }
        holds.may_say |= holds.seen.has(Sight::Tick) || holds.seen.has(Sight::Percent);
        holds
    }
}

/// What every deed has at least one of, beside ticks and percentages.
fn may_say(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Label(Slot::Stop | Slot::Target | Slot::Entry)
            | Meaning::Limit
            | Meaning::Trail
            | Meaning::BreakEven
            | Meaning::StoppedOut
            | Meaning::Hit
            | Meaning::Filled
            | Meaning::Add
            | Meaning::Again
            | Meaning::Cancel
            | Meaning::Close
            | Meaning::Closed
            | Meaning::Out
            | Meaning::Part
            | Meaning::Partial
            | Meaning::Buy
            | Meaning::Sell
    )
}

/// Cuts a text.
pub(super) fn clauses(list: &[Piece<'_>]) -> Vec<Range<usize>> {
    let mut found = Vec::with_capacity(USUAL_CLAUSES);
    let mut start = 0;
    // Only what holds a deed, a stop or two symbols may be cut further.
    let (mut acts, mut names) = (false, 0);
    for (at, piece) in list.iter().enumerate() {
        match piece.what {
            What::Term(meaning, _) => acts |= meaning == Meaning::Label(Slot::Stop) || is_deed(meaning),
            What::Ticker(_) => names += 1,
            _ => {}
        }
        let next = list.get(at + 1);
        if next.is_none_or(|next| next.line != piece.line) || ends_thought(list, at) {
            if acts || names > 1 {
                cut_deeds(list, start..at + 1, &mut found);
            } else {
                found.push(start..at + 1);
            }
            (start, acts, names) = (at + 1, false, 0);
        }
    }
    found
}

/// Room for the clauses of most posts.
const USUAL_CLAUSES: usize = 8;

/// A comma between numbers belongs to a list; arrows join.
fn ends_thought(list: &[Piece<'_>], at: usize) -> bool {
    let number = |at: Option<usize>| {
        let piece = at.and_then(|at| list.get(at));
        piece.is_some_and(|piece| matches!(piece.what, What::Number(_) | What::Term(Meaning::Nth(_), _)))
    };
    let name = |at: Option<usize>| {
        at.and_then(|at| list.get(at)).is_some_and(|piece| matches!(piece.what, What::Ticker(_)))
    };
    match list[at].what {
        What::Mark(',') => {
            let (before, next) = (at.checked_sub(1), Some(at + 1));
            !(number(before) && number(next) || name(before) && name(next))
        }
        What::Mark('/') => matches!(list.get(at + 1), Some(Piece { what: What::Mark('/'), glued: true, .. })),
        What::Mark('.' | ';' | '|' | '!') => true,
        What::Icon('❌' | '⛔' | '🛑') if ends_in_outcome(list, at) => false,
        What::Icon(icon) => arrow(&What::Icon(icon)).is_none() && icon != '🆔',
        _ => false,
    }
}

/// `SL 5.18 ❌ hit`: a single word of outcome ends the line.
fn ends_in_outcome(list: &[Piece<'_>], at: usize) -> bool {
    let mut behind = list[at + 1..].iter().take_while(|piece| piece.line == list[at].line);
    let outcome = behind.next().is_some_and(|next| {
        matches!(next.what, What::Term(Meaning::Hit | Meaning::StoppedOut | Meaning::Filled, _))
    });
    outcome && behind.next().is_none()
}

/// Cuts between two deeds of one sentence.
fn cut_deeds(list: &[Piece<'_>], range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut ahead = Last::default();
    range.clone().for_each(|at| ahead.take(&list[at].what, at));
    let mut behind = Last::default();
    let (mut placed, mut next) = (Placed::default(), (0, false));
    let mut start = range.start;
    let mut done: Option<Meaning> = None;
    for at in range.clone() {
        let what = &list[at].what;
        let joins = matches!(what, What::Term(Meaning::And, _) | What::Mark('&' | '+' | '/' | ','));
        let may_part = joins && placed.priced;
        // What was found further on stands until it is passed.
        if may_part && next.0 <= at {
            next = Placed::first(list, at + 1..range.end);
        }
        let cut = match what {
            _ if may_part && next.1 => Some(at + 1),
            What::Term(Meaning::And, _) | What::Mark('&' | '+' | '/')
                if done.is_some() || behind.moves_stop(list, start) =>
            {
                let fraction = matches!(list.get(at + 1), Some(Piece { what: What::Number(_), .. }));
                (!(fraction && matches!(what, What::Mark('/'))) && ahead.begins_deed(at + 1))
                    .then_some(at + 1)
            }
            What::Term(Meaning::Move | Meaning::Trail | Meaning::Label(Slot::Stop), _)
                if done.is_some_and(|deed| {
                    is_outcome(deed) && (deed != Meaning::Hit || behind.target > start)
                }) && ahead.moves_stop(list, at) =>
            {
                Some(at)
            }
            _ => None,
        };
        if let Some(cut) = cut {
            found.push(start..cut);
            (start, done, placed) = (cut, None, Placed::default());
        }
        behind.take(what, at);
        placed.take(what);
        if let What::Term(meaning, _) = list[at].what
            && is_deed(meaning)
        {
            done = Some(meaning);
        }
    }
    found.push(start..range.end);
}

/// Where the last piece of each kind stands in what was looked at, so that a stretch up to there need not be searched.
/// Each number is the place behind that piece; 0 stands for none.
#[derive(Default)]
struct Last {
    stop: usize,
    target: usize,
    /// A deed other than reaching something, or "out".
    deed: usize,
    /// A place or a direction for a stop.
    direction: usize,
    break_even: usize,
    /// A new place for a target, or that it was reached.
    told: usize,
}

impl Last {
    /// Takes the piece at `at`, which stands behind all that was looked at.
    fn take(&mut self, what: &What<'_>, at: usize) {
        let behind = at + 1;
        if arrow(what).is_some() {
            self.direction = behind;
        }
        let What::Term(meaning, _) = *what else { return };
        match meaning {
            Meaning::Label(Slot::Stop) => self.stop = behind,
            Meaning::Label(Slot::Target) => self.target = behind,
            Meaning::To => (self.direction, self.told) = (behind, behind),
            Meaning::Move | Meaning::New | Meaning::UpTo => self.direction = behind,
            Meaning::BreakEven => (self.direction, self.break_even) = (behind, behind),
            Meaning::Now | Meaning::Hit => self.told = behind,
            _ => {}
        }
        if is_deed(meaning) && meaning != Meaning::Hit || meaning == Meaning::Out {
            self.deed = behind;
        }
    }

    /// True when a deed stands at `from` or behind it.
    fn begins_deed(&self, from: usize) -> bool {
        self.deed > from || self.stop > from || self.target > from && self.told > from
    }

    /// True for a stop, and a place or a direction for it, at `from` or behind it.
    fn moves_stop(&self, list: &[Piece<'_>], from: usize) -> bool {
        let moved_to_entry = self.break_even > from && list[from].what.is(Meaning::Move);
        self.stop > from && self.direction > from || moved_to_entry
    }
}

/// Symbols with a price behind each, as in "on HBAR to 0.2065": whether a stretch begins with one.
#[derive(Default)]
struct Placed {
    /// How many symbols were named.
    names: usize,
    /// True when a price stands behind the first one, before the next.
    priced: bool,
}

impl Placed {
    fn take(&mut self, what: &What<'_>) {
        self.names += usize::from(matches!(what, What::Ticker(_)));
        self.priced |= self.names == 1 && is_plain_number(what);
    }

    /// Where the first symbol of these pieces stands, and whether its price follows; none without a symbol.
    fn first(list: &[Piece<'_>], range: Range<usize>) -> (usize, bool) {
        let mut placed = Self::default();
        let mut first = range.end;
        for at in range {
            placed.take(&list[at].what);
            match placed.names {
                0 => {}
                1 => first = first.min(at),
                _ => break,
            }
        }
        (first, placed.priced)
    }
}

/// What is done, or was done.
fn is_deed(meaning: Meaning) -> bool {
    is_outcome(meaning)
        || matches!(
            meaning,
            Meaning::Move | Meaning::Trail | Meaning::Add | Meaning::Again | Meaning::Changed
        )
}

/// What is done with the position or its levels, the stop aside.
pub(super) fn is_outcome(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Hit
            | Meaning::Filled
            | Meaning::StoppedOut
            | Meaning::Close
            | Meaning::Closed
            | Meaning::Cancel
            | Meaning::Part
            | Meaning::Partial
            | Meaning::Half
            | Meaning::Third
            | Meaning::Quarter
            | Meaning::Tenths(_)
    )
}

impl<'t> Clause<'_, 't> {
    /// The whole clause, without the marks and icons at its ends.
    pub(super) fn mark(&self) -> Option<Mark> {
        let said = |piece: &&Piece<'_>| !matches!(piece.what, What::Mark(_) | What::Icon(_));
        let first = self.pieces.iter().find(said)?;
        let last = self.pieces.iter().rev().find(said)?;
        let bytes = Bytes { start: first.bytes.start, end: last.bytes.end };
        Some(Mark { field: Field::Action, bytes })
    }

    #[inline]
    pub(super) fn has(&self, meaning: Meaning) -> bool {
        let meant = self.holds.meant;
        meant.may_hold(meaning) && (meant.surely_holds(meaning) || is_among(self.pieces, meaning))
    }

    /// True when one of these is there; none of them is of a family.
    #[inline]
    pub(super) fn has_any<const N: usize>(&self, meanings: [Meaning; N]) -> bool {
        self.holds.meant.meets(Meant::of(meanings))
    }

    pub(super) fn at(&self, meaning: Meaning) -> Option<usize> {
        let list = if self.holds.meant.may_hold(meaning) { self.pieces } else { &[] };
        list.iter().position(|piece| piece.what.is(meaning))
    }

    pub(super) fn place(&self, slot: Slot) -> Option<usize> {
        self.at(Meaning::Label(slot))
    }

    pub(super) fn has_ticker(&self) -> bool {
        self.holds.seen.tickers > 0
    }

    pub(super) fn has_side(&self) -> bool {
        self.has_any([Meaning::Side(Side::Long), Meaning::Side(Side::Short)])
    }

    pub(super) fn unknown(&self) -> usize {
        let any = self.holds.seen.has(Sight::Unknown) || self.has(Meaning::Caller);
        if any { unknown(self.pieces) } else { 0 }
    }

    pub(super) fn has_arrow(&self) -> bool {
        self.holds.seen.has(Sight::Arrow)
    }

    pub(super) fn ticked(&self) -> bool {
        self.holds.seen.has(Sight::Tick)
            && self.pieces.iter().any(|piece| matches!(piece.what, What::Icon(icon) if is_tick(icon)))
    }

    /// The numbers that may be prices.
    pub(super) fn count_prices(&self) -> usize {
        self.holds.seen.prices
    }

    pub(super) fn names_trade(&self) -> bool {
        let positions = [Side::Long, Side::Short].map(Meaning::Positions);
        self.has_any([Meaning::Trade, Meaning::Trades, Meaning::Tracker, Meaning::All])
            || self.has_any(positions)
    }

    /// True when the clause speaks of a trade: by name, or because the text or the reply leaves nothing else.
    pub(super) fn has_trade(&self) -> bool {
        let unknown = self.unknown();
        self.has_ticker()
            || self.names_trade()
            || self.named && unknown == 0
            || self.reply && unknown <= MAX_UNKNOWN_IN_REPLY
    }
}

/// How many of these words nobody explained.
pub(super) fn unknown(pieces: &[Piece<'_>]) -> usize {
    let tells = |what: &What<'_>| matches!(what, What::Unknown | What::Term(Meaning::Caller, _));
    pieces.iter().filter(|piece| tells(&piece.what)).count()
}

pub(super) fn is_plain_number(what: &What<'_>) -> bool {
    matches!(what, What::Number(number) if number.unit.is_of_price())
}
