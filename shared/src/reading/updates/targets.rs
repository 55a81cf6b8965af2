//! Targets in follow-ups: which were reached, and which are new.
//!
//! Entry points: [`Clause::targets`], [`Clause::new_targets`], [`add_targets`].
//! Invariant: a number behind the word "target" is its index only when it is small and whole; prices are never indices.

use super::super::pieces::{MAX_LIST, Piece, What};
use super::super::tokens::Unit;
use super::super::values::small_integer;
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, is_plain_number};
use crate::money::Price;
use crate::update::Action;

/// How far behind "new targets" their prices may begin, in pieces.
const MAX_AHEAD: usize = 10;

impl<'t> Clause<'_, 't> {
    /// "TP1 & TP2 hit", "first target smashed", "all targets done", "TP2 ✅".
    pub(super) fn targets(&self, actions: &mut Vec<Action>, pending: &mut Vec<u8>) {
        let Some(target) = self.place(Slot::Target) else {
            if self.has(Meaning::Hit) || self.ticked() {
                add_targets(actions, pending);
            }
            pending.clear();
            return;
        };
        let numbers = self.target_numbers();
        let hit = self.is_reached(target);
        let every = self.has(Meaning::All) && numbers.is_empty();
        pending.extend(numbers);
        if hit && every {
            actions.push(Action::TargetHit { targets: Vec::new() });
        } else if hit {
            add_targets(actions, pending);
        }
        if hit {
            pending.clear();
        }
    }

    /// A word of reaching, a tick, or an icon of joy right behind the target and its number.
    fn is_reached(&self, target: usize) -> bool {
        let joyful = |piece: &Piece<'_>| matches!(piece.what, What::Icon('🎯' | '💥' | '🎉' | '🥳' | '💯'));
        let filled = self.has(Meaning::Filled) && self.place(Slot::Entry).is_none();
        let called = |piece: &Piece<'_>| matches!(piece.what, What::Mark('!'));
        let glad =
            self.pieces.last().is_some_and(|last| joyful(last) || called(last) && self.is_only_target())
                && !self.has_price_behind(target);
        self.has(Meaning::Hit) || self.ticked() || filled || glad || self.arrives()
    }

    /// "WIF: second target!": the target with its number, and perhaps the symbol.
    fn is_only_target(&self) -> bool {
        let plain = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Ticker(_)
                    | What::Mark(_)
                    | What::Index(_)
                    | What::Term(Meaning::Label(Slot::Target) | Meaning::Nth(_) | Meaning::And, _)
            )
        };
        let numbered = |piece: &Piece<'_>| matches!(&piece.what, What::Number(number) if small_integer(number).is_some());
        self.pieces.iter().all(|piece| plain(piece) || numbered(piece)) && !self.target_numbers().is_empty()
    }

    /// "第一止盈到": a word that leads somewhere, and nothing behind it.
    fn arrives(&self) -> bool {
        let mut said =
            self.pieces.iter().rev().filter(|piece| !matches!(piece.what, What::Mark(_) | What::Icon(_)));
        said.next().is_some_and(|last| last.what.is(Meaning::To)) && !self.target_numbers().is_empty()
    }

    /// True for a price in the clause, or right behind it without a bracket.
    fn has_price_behind(&self, target: usize) -> bool {
        let own = self.pieces[target + 1..].iter().any(|piece| {
            matches!(&piece.what, What::Number(number) if is_plain_number(&piece.what) && small_integer(number).is_none())
        });
        let behind = &self.onwards[self.pieces.len()..];
        let next = behind.iter().find(|piece| !matches!(piece.what, What::Icon(_)));
        own || next
            .is_some_and(|piece| is_plain_number(&piece.what) && piece.line == self.pieces[target].line)
    }

    /// The numbers beside the word "target": glued to it, behind it, or as ordinals before it.
    fn target_numbers(&self) -> Vec<u8> {
        let all = self.has(Meaning::All);
        let mut found = Vec::new();
        for (at, piece) in self.pieces.iter().enumerate() {
            let What::Term(Meaning::Label(Slot::Target), index) = piece.what else { continue };
            let before = ordinals_before(&self.pieces[..at]);
            if let Some(index) = index {
                found.push(index);
                found.extend(self.joined_behind(at, index));
            } else if !before.is_empty() {
                found.extend(before);
            } else if !(all && at > 0 && matches!(self.pieces[at - 1].what, What::Term(Meaning::Count(_), _)))
            {
                found.extend(self.numbers_behind(at).0);
            }
        }
        found.retain(|number| (1..=MAX_LIST).contains(number));
        found
    }

    /// `TP1/2`, `tp1 & 2`, `TP1-3`: further numbers that are joined to a glued one without being prices.
    fn joined_behind(&self, label: usize, first: u8) -> Vec<u8> {
        let mut found = Vec::new();
        let mut last = first;
        for pair in self.pieces[label + 1..].chunks_exact(2) {
            let What::Number(number) = &pair[1].what else { break };
            let Some(next) = small_integer(number).filter(|next| *next > last && *next <= last + 9) else {
                break;
            };
            match pair[0].what {
                What::Mark('-') if pair[0].glued && pair[1].glued => found.extend(last + 1..=next),
                What::Mark('&' | '+' | '/' | ',') | What::Term(Meaning::And, _) => found.push(next),
                _ => break,
            }
            last = next;
        }
        found
    }

    /// `target 2`, `target 1 & 2`, `target ②`, `target two`; and how many pieces that takes.
    fn numbers_behind(&self, at: usize) -> (Vec<u8>, usize) {
        let mut found = Vec::new();
        let mut taken = 0;
        for (nth, piece) in self.pieces[at + 1..].iter().enumerate() {
            match &piece.what {
                What::Number(number) => match small_integer(number) {
                    Some(value) => found.push(value),
                    None => break,
                },
                What::Index(index) => found.push(*index),
                What::Term(Meaning::Nth(nth) | Meaning::Count(nth), _) => found.push(*nth),
                What::Mark('#' | '&' | '+' | '(' | ')' | '-' | ':' | '/' | ',')
                | What::Term(Meaning::And, _) => continue,
                _ => break,
            }
            taken = nth + 1;
        }
        (found, taken)
    }

    /// True when the clause gives targets new values.
    pub(super) fn changes_targets(&self) -> bool {
        let Some(target) = self.place(Slot::Target) else { return false };
        let told = [Meaning::New, Meaning::Changed, Meaning::More, Meaning::Move, Meaning::Now, Meaning::Add];
        let leads = |piece: &Piece<'_>| {
            piece.what.is(Meaning::To) || matches!(piece.what, What::Icon('→' | '➜' | '➡'))
        };
        let behind = &self.pieces[target + 1..];
        let led = behind.iter().position(leads);
        let plainly = led.is_some_and(|led| {
            let index = self.target_index(target).1;
            !behind[index.min(led)..led].iter().any(|piece| is_plain_number(&piece.what))
        });
        self.has_any(told) || plainly || self.tells_old_value()
    }

    /// "New targets 1.44 / 1.50", "TP2 raised to 438", "one more target, 0.0688".
    pub(super) fn new_targets(&self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let Some(target) = self.place(Slot::Target) else { return Ok(()) };
        if self.is_reached(target) || !self.changes_targets() || self.has(Meaning::StoppedOut) {
            return Ok(());
        }
        let (numbers, taken) = self.target_index(target);
        let mut prices = self.new_prices(&self.pieces[target + 1 + taken..])?;
        if prices.is_empty() {
            prices = self.prices_ahead()?;
        }
        let more = self.has_any([Meaning::More, Meaning::Add]);
        match (numbers.as_slice(), prices.as_slice()) {
            (_, []) => {}
            _ if more => actions.push(Action::AddTargets { prices }),
            ([target], [price]) => actions.push(Action::ReplaceTarget { target: *target, price: *price }),
            ([], _) => actions.push(Action::SetTargets { prices }),
            _ => return Err(Some("it is not clear which target is replaced")),
        }
        Ok(())
    }

    /// The number of the first target of the clause, and how many pieces behind its word that takes.
    fn target_index(&self, target: usize) -> (Vec<u8>, usize) {
        if let What::Term(_, Some(index)) = self.pieces[target].what {
            return (vec![index], 0);
        }
        let before = ordinals_before(&self.pieces[..target]);
        if !before.is_empty() {
            return (before, 0);
        }
        let (numbers, taken) = self.numbers_behind(target);
        let others = self.pieces[target + 1 + taken..].iter().any(|piece| is_plain_number(&piece.what));
        if others && numbers.len() == 1 { (numbers, taken) } else { (Vec::new(), 0) }
    }

    /// The prices that begin behind the clause, with nothing but "new" and the like between.
    pub(super) fn prices_ahead(&self) -> Result<Vec<Price>, Refusal> {
        let ahead = &self.onwards[self.pieces.len()..];
        let first = ahead.iter().take(MAX_AHEAD).position(|piece| is_plain_number(&piece.what));
        let Some(first) = first.filter(|first| ahead[..*first].iter().all(is_between)) else {
            return Ok(Vec::new());
        };
        let rest = &ahead[first..];
        let end = rest.iter().position(|piece| !is_plain_number(&piece.what) && !is_between(piece));
        self.numbers.prices(&rest[..end.unwrap_or(rest.len())])
    }
}

/// Marks and words that may stand among new prices.
fn is_between(piece: &Piece<'_>) -> bool {
    matches!(
        piece.what,
        What::Mark(_)
            | What::Icon(_)
            | What::Term(Meaning::Filler | Meaning::New | Meaning::Now | Meaning::And | Meaning::To, _)
    )
}

/// "First", "2nd", "1st, 2nd & 3rd", "both" right before the word "target".
fn ordinals_before(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut found = Vec::new();
    for piece in pieces.iter().rev() {
        match &piece.what {
            What::Term(Meaning::Nth(nth), _) => found.push(*nth),
            What::Number(number) if number.unit == Unit::Ordinal => found.extend(number.text.parse::<u8>()),
            What::Term(Meaning::Count(count), _) if found.is_empty() && *count > 1 => {
                return (1..=*count).collect();
            }
            What::Mark(',' | '&' | '+' | '/') | What::Term(Meaning::And, _) if !found.is_empty() => {}
            What::Term(Meaning::Filler, _) | What::Ticker(_) if found.is_empty() => {}
            _ => break,
        }
    }
    found.reverse();
    found
}

/// Adds reached targets to those that are known already.
pub(super) fn add_targets(actions: &mut Vec<Action>, numbers: &[u8]) {
    if numbers.is_empty() {
        return;
    }
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
