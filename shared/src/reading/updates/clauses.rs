//! Clauses: what each clause of a follow-up says happened, or asks for.
//!
//! Entry point: [`read`]. Invariants: a negated clause says nothing; a condition makes the whole doubtful; a share
//! belongs to closing only when it stands in the same clause and is no profit.

use std::ops::Range;

use rust_decimal::Decimal;

use super::super::pieces::{MAX_LIST, Piece, Pieces, What};
use super::super::tokens::{Number, Unit};
use super::super::values::{is_tick, small_integer};
use super::super::words::{Meaning, Slot};
use super::{Numbers, Refusal, price};
use crate::money::{Percent, Price};
use crate::signal::Side;
use crate::update::{Action, StopMove};

/// What all clauses together say.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What happened or is asked for.
    pub(super) actions: Vec<Action>,
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

struct Clause<'p, 't> {
    pieces: &'p [Piece<'t>],
    /// The text from the clause's start on.
    onwards: &'p [Piece<'t>],
    numbers: &'p Numbers,
    reply: bool,
    named: bool,
}

impl<'t> Clause<'_, 't> {
    fn has(&self, meaning: Meaning) -> bool {
        self.pieces.iter().any(|piece| piece.what.is(meaning))
    }

    fn place(&self, slot: Slot) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.what.slot() == Some(slot))
    }

    fn unknown(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece.what, What::Unknown)).count()
    }

    fn ticked(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.what, What::Icon(icon) if is_tick(icon)))
    }

    /// "If", or "once", "after" around something that is to be done. "Closed after the first target" is a report.
    fn is_conditional(&self) -> bool {
        let report = self.has(Meaning::StoppedOut)
            || self.has(Meaning::Closed) && !self.has(Meaning::Move) && self.place(Slot::Stop).is_none();
        self.has(Meaning::Hedge) || self.has(Meaning::Later) && !report
    }

    fn names_trade(&self) -> bool {
        let trade = |what: &What<'_>| {
            matches!(what, What::Term(Meaning::Trade | Meaning::All | Meaning::Positions(_), _))
        };
        self.pieces.iter().any(|piece| trade(&piece.what))
    }

    /// True when the clause speaks of a trade: by name, or because the text or the reply leaves nothing else.
    fn has_trade(&self) -> bool {
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
            && !self.target_numbers().is_empty()
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
        if self.is_filled() && !told.actions.contains(&Action::EntryFilled) {
            told.actions.push(Action::EntryFilled);
        }
        self.closing(told, !has_moved && !stopped)?;
        self.new_targets(told)
    }

    /// "TP1 & TP2 hit", "first target smashed", "all targets done", "TP2 ✅".
    fn targets(&self, told: &mut Told, pending: &mut Vec<u8>) {
        let numbers = self.target_numbers();
        let names_target = self.place(Slot::Target).is_some();
        let hit = self.has(Meaning::Hit) || self.ticked();
        let all = names_target && (self.has(Meaning::All)) && numbers.is_empty();
        pending.extend(numbers);
        if hit && all {
            told.actions.push(Action::TargetHit { targets: Vec::new() });
        } else if hit && !pending.is_empty() {
            add_targets(&mut told.actions, pending);
        }
        if hit || !names_target {
            pending.clear();
        }
    }

    /// The numbers beside the word "target": glued to it, behind it, or as ordinals before it.
    fn target_numbers(&self) -> Vec<u8> {
        let mut found = Vec::new();
        for (at, piece) in self.pieces.iter().enumerate() {
            let What::Term(Meaning::Label(Slot::Target), index) = piece.what else { continue };
            if let Some(index) = index {
                found.push(index);
                continue;
            }
            let before = at.checked_sub(1).map(|before| &self.pieces[before].what);
            match before {
                Some(What::Term(Meaning::Nth(nth), _)) => found.push(*nth),
                Some(What::Number(number)) if number.unit == Unit::Ordinal => {
                    found.extend(number.text.parse::<u8>())
                }
                _ => found.extend(self.numbers_behind(at)),
            }
        }
        found.retain(|number| (1..=MAX_LIST).contains(number));
        found
    }

    /// `target 2`, `target 1 & 2`, `target ②`, `hedef birinci`.
    fn numbers_behind(&self, at: usize) -> Vec<u8> {
        let mut found = Vec::new();
        for piece in &self.pieces[at + 1..] {
            match &piece.what {
                What::Number(number) => match small_integer(number) {
                    Some(value) => found.push(value),
                    None => break,
                },
                What::Index(index) => found.push(*index),
                What::Term(Meaning::Nth(nth), _) => found.push(*nth),
                What::Mark('#' | '&' | '+' | '(' | ')' | '-' | ':' | '/' | ',')
                | What::Term(Meaning::And, _) => {}
                _ => break,
            }
        }
        found
    }

    /// Where the stop goes, if the clause moves it.
    fn moved_stop(&self) -> Result<Option<StopMove>, Refusal> {
        let stop = self.place(Slot::Stop);
        let arrow = self.pieces.iter().any(|piece| matches!(piece.what, What::Icon('→' | '←')));
        let mover = self.has(Meaning::Move) || self.has(Meaning::New) || arrow;
        let to = self.has(Meaning::To);
        let Some(stop) = stop else {
            let moves = self.has(Meaning::Move) && self.has(Meaning::BreakEven);
            return Ok(moves.then_some(StopMove::BreakEven));
        };
        let behind = &self.pieces[stop + 1..];
        let reports = self.has(Meaning::Hit) || self.has(Meaning::StoppedOut) || self.has(Meaning::Closed);
        if reports && !self.has(Meaning::Move) {
            return Ok(None);
        }
        let to_entry = behind
            .iter()
            .any(|piece| piece.what.is(Meaning::BreakEven) || piece.what.slot() == Some(Slot::Entry));
        if to_entry {
            return Ok(Some(StopMove::BreakEven));
        }
        let target = behind.iter().find_map(|piece| match piece.what {
            What::Term(Meaning::Label(Slot::Target), Some(index)) => Some(index),
            _ => None,
        });
        if let Some(target) = target.filter(|_| mover || to) {
            return Ok(Some(StopMove::Target { target }));
        }
        if !mover && !to {
            return Ok(None);
        }
        self.stop_price(behind)
    }

    /// The new price of a stop: behind an arrow the later one, before "was" the earlier one.
    fn stop_price(&self, behind: &[Piece<'t>]) -> Result<Option<StopMove>, Refusal> {
        let leads = |piece: &Piece<'_>| matches!(piece.what, What::Icon('→') | What::Term(Meaning::To, _));
        let after = behind.iter().rposition(leads).map_or(0, |at| at + 1);
        let before =
            behind.iter().position(|piece| matches!(piece.what, What::Icon('←'))).unwrap_or(behind.len());
        let earlier = |piece: &Piece<'_>| piece.what.is(Meaning::Was) || piece.what.is(Meaning::From);
        let was = behind[after..].iter().position(earlier).map_or(behind.len(), |at| after + at);
        let prices = self.prices(behind.get(after..was.min(before)).unwrap_or_default())?;
        match prices.as_slice() {
            [] => Ok(None),
            [price] => Ok(Some(StopMove::Price { price: *price })),
            _ => Err(Some("several new stops are named")),
        }
    }

    fn prices(&self, pieces: &[Piece<'t>]) -> Result<Vec<Price>, Refusal> {
        let numbers = pieces.iter().filter_map(|piece| match piece.what {
            What::Number(number) if is_plain_number(&piece.what) => Some(number),
            _ => None,
        });
        numbers.map(|number| price(number, self.numbers)).collect()
    }

    fn is_stopped_out(&self) -> bool {
        let hit = self.has(Meaning::Hit);
        let stop = self.place(Slot::Stop).is_some();
        let crossed = self.pieces.iter().any(|piece| matches!(piece.what, What::Icon('❌' | '⛔')));
        let no_target = self.place(Slot::Target).is_none();
        self.has(Meaning::StoppedOut)
            || hit && stop && no_target
            || hit && no_target && self.has(Meaning::BreakEven)
            || crossed && stop && no_target && !self.pieces.iter().any(|piece| is_plain_number(&piece.what))
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

    /// Closing, part-closing and cancelling; only in part beside a stop that is moved.
    fn closing(&self, told: &mut Told, whole: bool) -> Result<(), Refusal> {
        let object = self.has_trade();
        let closes = self.has(Meaning::Closed) || self.is_asked_to_close();
        let share = self.share()?;
        let takes =
            closes || self.has(Meaning::Close) || self.has(Meaning::Part) || self.has(Meaning::Partial);
        let action = match share {
            _ if whole && self.has(Meaning::Cancel) && object => Action::Cancel,
            Some(share) if takes => Action::PartClose { share: Some(share) },
            None if whole && self.has(Meaning::Partial) && object => Action::PartClose { share: None },
            None if whole && closes && object && self.place(Slot::Target).is_none() => Action::Close,
            None if whole && self.has(Meaning::Out) && object && self.is_short() => Action::Close,
            _ => return Ok(()),
        };
        let mut sides = self.pieces.iter().filter_map(|piece| match piece.what {
            What::Term(Meaning::Positions(side), _) => Some(side),
            What::Term(Meaning::Side(side), _) => Some(side),
            _ => None,
        });
        let several =
            |piece: &Piece<'_>| matches!(piece.what, What::Term(Meaning::All | Meaning::Positions(_), _));
        if self.pieces.iter().any(several) {
            told.all = Some(sides.next());
        }
        if !told.actions.contains(&action) {
            told.actions.push(action);
        }
        Ok(())
    }

    /// "Close" is asked for when the clause begins with it, or ends with it behind the symbol. "BTC close to its high",
    /// "4h close above" and "that was close" ask for nothing.
    fn is_asked_to_close(&self) -> bool {
        let Some(at) = self.pieces.iter().position(|piece| piece.what.is(Meaning::Close)) else {
            return false;
        };
        let candle = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Term(Meaning::Candle(_) | Meaning::CandleWord | Meaning::Above | Meaning::Below, _)
            )
        };
        let before = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Mark(_)
                    | What::Icon(_)
                    | What::Ticker(_)
                    | What::Term(Meaning::Side(_) | Meaning::Part | Meaning::And, _)
            )
        };
        let next = self.pieces.get(at + 1).map(|piece| &piece.what);
        let share = self.pieces[..at]
            .iter()
            .any(|piece| matches!(&piece.what, What::Number(n) if n.unit == Unit::Percent));
        let starts = self.pieces[..at].iter().all(before) || share;
        let plain = at == 0 || !self.pieces[at..].iter().any(|p| is_plain_number(&p.what)) || share;
        starts
            && plain
            && !self.pieces.iter().any(candle)
            && !matches!(next, Some(What::Term(Meaning::To, _)))
    }

    /// "Out of this one": few words, or it is about something else.
    fn is_short(&self) -> bool {
        self.unknown() <= 2
            && (self.has(Meaning::Trade)
                || self.pieces.iter().any(|piece| matches!(piece.what, What::Ticker(_))))
    }

    /// The part to close: `40%`, half, a third, `1/3`. A signed percentage or one "of profit" is a result.
    fn share(&self) -> Result<Option<Percent>, Refusal> {
        for (at, piece) in self.pieces.iter().enumerate() {
            let share = match &piece.what {
                What::Number(number) if number.unit == Unit::Percent && !self.is_result(at) => {
                    Some(percent(*number)?)
                }
                What::Number(number) if number.text == "1" => self.fraction(at),
                What::Term(Meaning::Half, _) => percent_of(50, 1),
                What::Term(Meaning::Third, _) => percent_of(100, 3),
                What::Term(Meaning::Quarter, _) => percent_of(25, 1),
                _ => None,
            };
            if let Some(share) = share {
                return if share.get() <= Decimal::ONE_HUNDRED {
                    Ok(Some(share))
                } else {
                    Err(Some("more than all is closed"))
                };
            }
        }
        Ok(None)
    }

    fn is_result(&self, at: usize) -> bool {
        let signed =
            at > 0 && self.pieces[at].glued && matches!(self.pieces[at - 1].what, What::Mark('+' | '-'));
        let profit = self.pieces[at + 1..]
            .iter()
            .take(2)
            .any(|piece| piece.what.is(Meaning::OfProfit) || piece.what.slot() == Some(Slot::Decoy));
        let labelled = self.pieces[..at].iter().any(|piece| piece.what.slot() == Some(Slot::Decoy));
        signed || profit || labelled
    }

    /// `1/3` as a third.
    fn fraction(&self, at: usize) -> Option<Percent> {
        let slash = matches!(self.pieces.get(at + 1)?.what, What::Mark('/'));
        let What::Number(below) = &self.pieces.get(at + 2)?.what else { return None };
        let below = small_integer(below).filter(|below| slash && (2..=10).contains(below))?;
        percent_of(100, i64::from(below))
    }

    /// "New targets 1.44 / 1.50": the prices may stand in later clauses, so the whole line is looked at.
    fn new_targets(&self, told: &mut Told) -> Result<(), Refusal> {
        let Some(target) = self.place(Slot::Target) else { return Ok(()) };
        let new = self.pieces[..target]
            .iter()
            .any(|piece| piece.what.is(Meaning::New) || piece.what.is(Meaning::Changed));
        if !new {
            return Ok(());
        }
        let line = self.pieces[target].line;
        let end = self.onwards.iter().position(|piece| piece.line != line).unwrap_or(self.onwards.len());
        let behind = &self.onwards[target + 1..end];
        let prices = self.prices(behind)?;
        if !prices.is_empty() {
            told.actions.push(Action::SetTargets { prices });
        }
        Ok(())
    }
}

fn is_plain_number(what: &What<'_>) -> bool {
    matches!(what, What::Number(number) if matches!(number.unit, Unit::None | Unit::Kilo))
}

/// Adds reached targets to those that are known already.
pub(super) fn add_targets(actions: &mut Vec<Action>, numbers: &[u8]) {
    let known = actions.iter_mut().find_map(|action| match action {
        Action::TargetHit { targets } => Some(targets),
        _ => None,
    });
    match known {
        Some(targets) if targets.is_empty() => {}
        Some(targets) => {
            targets.extend(numbers);
            targets.sort_unstable();
            targets.dedup();
        }
        None => actions.push(Action::TargetHit { targets: numbers.to_vec() }),
    }
}

fn percent(number: Number<'_>) -> Result<Percent, Refusal> {
    number.text.replace(',', ".").parse().map_err(|_| Some("a percentage cannot be read"))
}

/// A fraction in per cent, with one decimal.
fn percent_of(part: i64, whole: i64) -> Option<Percent> {
    Percent::new((Decimal::from(part) / Decimal::from(whole)).round_dp(1)).ok()
}
