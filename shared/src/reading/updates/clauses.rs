//! Clauses: what each clause of a follow-up says happened, or asks for.
//!
//! Entry point: [`read`]. Invariants: a negated clause says nothing; a condition makes the whole doubtful; a share
//! belongs to closing only when it stands in the same clause and is no profit.

use std::ops::Range;

use super::super::evidence::Field;
use super::super::marks::Mark;
use super::super::pieces::{Bytes, Piece, Pieces, What};
use super::super::tokens::Unit;
use super::super::values::is_tick;
use super::super::words::{Meaning, Slot};
use super::{Numbers, Refusal, is_told_filled, price};
use crate::money::Price;
use crate::signal::Side;
use crate::update::{Action, StopMove};

/// What all clauses together say.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What happened or is asked for.
    pub(super) actions: Vec<Action>,
    /// The clauses that say so.
    pub(super) marks: Vec<Mark>,
    /// Set when every open signal is meant, or every one of a side.
    pub(super) all: Option<Option<Side>>,
    /// True when a stop, a target or a trade is named.
    pub(super) has_object: bool,
}

/// The most unexplained words of a clause that still counts: beyond that it is prose about something.
const MAX_UNKNOWN: usize = 6;

/// Likewise where neither a symbol nor a reply says that a trade is meant.
const MAX_UNKNOWN_ALONE: usize = 1;

/// Likewise in a reply.
const MAX_UNKNOWN_IN_REPLY: usize = 2;

/// The most actions of one update.
const MAX_ACTIONS: usize = 16;

/// Reads all clauses of a text.
pub(super) fn read(pieces: &Pieces<'_>, numbers: &Numbers, reply: bool) -> Result<Told, Refusal> {
    let mut told = Told::default();
    let named = pieces.list.iter().any(|piece| matches!(piece.what, What::Ticker(_)));
    let mut pending: Vec<u8> = Vec::new();
    for range in clauses(&pieces.list) {
        let (line, clause) = (&pieces.list[range.start..], &pieces.list[range]);
        let clause = Clause { pieces: clause, onwards: line, numbers, reply, named };
        let before = told.actions.len();
        clause.read(&mut told, &mut pending)?;
        let acts = told.actions.len() > before;
        told.marks.extend(clause.mark().filter(|_| acts));
        if acts && clause.is_conditional() {
            return Err(Some("the update is conditional"));
        }
        if told.actions.len() > MAX_ACTIONS {
            return Err(Some("more actions than any update has"));
        }
        told.has_object |= acts && clause.names_object() && clause.unknown() <= MAX_UNKNOWN_ALONE;
    }
    Ok(told)
}

/// Cuts at line ends, and behind marks and icons that end a thought. A comma between numbers belongs to a list.
fn clauses(list: &[Piece<'_>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, piece) in list.iter().enumerate() {
        let next = list.get(at + 1);
        let number =
            |piece: Option<&Piece<'_>>| matches!(piece.map(|piece| &piece.what), Some(What::Number(_)));
        let in_list = at > 0 && number(list.get(at - 1)) && number(next);
        let ends = next.is_none_or(|next| next.line != piece.line)
            || match piece.what {
                What::Mark(',') => !in_list,
                What::Mark('.' | ';' | '|' | '!') => true,
                What::Icon(icon) => !matches!(icon, '→' | '←'),
                _ => false,
            };
        if ends {
            found.push(start..at + 1);
            start = at + 1;
        }
    }
    found
}

pub(super) struct Clause<'p, 't> {
    pub(super) pieces: &'p [Piece<'t>],
    /// The text from the clause's start on.
    pub(super) onwards: &'p [Piece<'t>],
    numbers: &'p Numbers,
    pub(super) reply: bool,
    pub(super) named: bool,
}

impl<'t> Clause<'_, 't> {
    /// The whole clause, without the marks and icons at its ends.
    fn mark(&self) -> Option<Mark> {
        let said = |piece: &&Piece<'_>| !matches!(piece.what, What::Mark(_) | What::Icon(_));
        let first = self.pieces.iter().find(said)?;
        let last = self.pieces.iter().rev().find(said)?;
        let bytes = Bytes { start: first.bytes.start, end: last.bytes.end };
        Some(Mark { field: Field::Action, bytes })
    }

    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.pieces.iter().any(|piece| piece.what.is(meaning))
    }

    pub(super) fn place(&self, slot: Slot) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.what.slot() == Some(slot))
    }

    pub(super) fn unknown(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece.what, What::Unknown)).count()
    }

    pub(super) fn ticked(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.what, What::Icon(icon) if is_tick(icon)))
    }

    /// "If", "cancel below", or "once", "after" around something that is to be done. "Closed after the first target" is a report.
    fn is_conditional(&self) -> bool {
        let report = self.has(Meaning::StoppedOut)
            || self.has(Meaning::Closed) && !self.has(Meaning::Move) && self.place(Slot::Stop).is_none();
        let relation = self.has(Meaning::Above) || self.has(Meaning::Below) || self.has(Meaning::Break);
        let until = self.has(Meaning::Cancel) && relation;
        self.has(Meaning::Hedge) || until || self.has(Meaning::Later) && !report
    }

    pub(super) fn names_trade(&self) -> bool {
        let trade = |what: &What<'_>| {
            matches!(
                what,
                What::Term(Meaning::Trade | Meaning::Tracker | Meaning::All | Meaning::Positions(_), _)
            )
        };
        self.pieces.iter().any(|piece| trade(&piece.what))
    }

    /// True when the clause speaks of a trade: by name, or because the text or the reply leaves nothing else.
    pub(super) fn has_trade(&self) -> bool {
        let named_here = self.pieces.iter().any(|piece| matches!(piece.what, What::Ticker(_)));
        let unknown = self.unknown();
        named_here
            || self.names_trade()
            || self.named && unknown == 0
            || self.reply && unknown <= MAX_UNKNOWN_IN_REPLY
    }

    fn names_object(&self) -> bool {
        self.place(Slot::Stop).is_some()
            || self.place(Slot::Target).is_some()
            || self.place(Slot::Entry).is_some()
            || self.has(Meaning::BreakEven)
            || self.has(Meaning::StoppedOut)
            || self.names_trade()
    }

    fn read(&self, told: &mut Told, pending: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.has(Meaning::Negation) || self.unknown() > MAX_UNKNOWN {
            pending.clear();
            return Ok(());
        }
        let moved = self.moved_stop()?;
        let has_moved = moved.is_some();
        let stopped = !has_moved && self.is_stopped_out();
        let acts =
            has_moved || self.has(Meaning::Close) || self.has(Meaning::Part) || self.has(Meaning::Partial);
        let hit = self.has(Meaning::Hit) || self.ticked();
        if acts
            && !hit
            && !matches!(moved, Some(StopMove::Target { .. }))
            && self.place(Slot::Target).is_some()
        {
            return Err(Some("the update is conditional on a target"));
        }
        self.targets(told, pending);
        if let Some(to) = moved {
            told.actions.push(Action::MoveStop { to });
        }
        if stopped && !told.actions.contains(&Action::StoppedOut) {
            told.actions.push(Action::StoppedOut);
        }
        if self.is_filled() && !is_told_filled(&told.actions) {
            told.actions.push(Action::EntryFilled { entries: Vec::new(), price: None });
        }
        self.closing(told, !has_moved && !stopped)?;
        self.new_targets(told)
    }

    pub(super) fn prices(&self, pieces: &[Piece<'t>]) -> Result<Vec<Price>, Refusal> {
        let numbers = pieces.iter().filter_map(|piece| match piece.what {
            What::Number(number) if is_plain_number(&piece.what) => Some(number),
            _ => None,
        });
        numbers.map(|number| price(number, self.numbers)).collect()
    }

    fn is_filled(&self) -> bool {
        let entry = self.place(Slot::Entry).is_some();
        let object = entry && self.unknown() == 0 || self.has(Meaning::Limit) || self.has_trade();
        self.has(Meaning::Filled) && object
            || entry
                && self.has(Meaning::Hit)
                && self.place(Slot::Target).is_none()
                && !self.has(Meaning::Close)
    }
}

pub(super) fn is_plain_number(what: &What<'_>) -> bool {
    matches!(what, What::Number(number) if matches!(number.unit, Unit::None | Unit::Kilo))
}
