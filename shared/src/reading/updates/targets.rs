//! Targets in follow-ups: which were reached, and new ones.
//!
//! Entry points: [`Clause::targets`], [`Clause::new_targets`], [`add_targets`].

use super::super::pieces::{MAX_LIST, What};
use super::super::tokens::Unit;
use super::super::values::small_integer;
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, Told};
use crate::update::Action;

impl Clause<'_, '_> {
    /// "TP1 & TP2 hit", "first target smashed", "all targets done", "TP2 ✅".
    pub(super) fn targets(&self, told: &mut Told, pending: &mut Vec<u8>) {
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
    pub(super) fn target_numbers(&self) -> Vec<u8> {
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

    /// "New targets 1.44 / 1.50": the prices may stand in later clauses, so the whole line is looked at.
    pub(super) fn new_targets(&self, told: &mut Told) -> Result<(), Refusal> {
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
