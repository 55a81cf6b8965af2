//! Scopes: which signal, or signals, the deeds of a follow-up are about.
//!
//! Entry point: [`sorted`]. A symbol holds for what follows it, up to the next symbol.
//! Invariants: what is said before the first of several symbols is nobody's; outcomes of many trades are a recap.

use super::super::evidence::Field;
use super::super::marks::Mark;
use super::super::pieces::{Pieces, What};
use super::super::symbols::Mention;
use super::Refusal;
use super::deeds::{Said, is_instruction};
use super::targets::add_targets;
use crate::signal::{Entry, Side};
use crate::update::{Action, StopMove};

/// What a text says about one symbol, or about the only call that it means.
#[derive(Debug, Default)]
pub(super) struct Share<'p> {
    /// The symbol.
    pub(super) mention: Option<&'p Mention>,
    /// The side named with it.
    pub(super) side: Option<Side>,
    /// What happened or is asked for.
    pub(super) actions: Vec<Action>,
    /// Where.
    pub(super) marks: Vec<Mark>,
}

/// How many symbols may share outcomes without an instruction before it is a recap.
const MAX_OUTCOMES: usize = 2;

/// Sorts what the clauses say by symbol: one share for at most one symbol, else one for each.
pub(super) fn sorted<'p>(told: &[Said<'p>]) -> Result<Vec<Share<'p>>, Refusal> {
    let first = told.iter().find_map(|said| said.names.first());
    let several =
        told.iter().flat_map(|said| &said.names).any(|name| first.is_some_and(|f| f.base != name.base));
    if !several {
        let mut share = Share { mention: first.copied(), ..Share::default() };
        told.iter().for_each(|said| share.take(said));
        return Ok(vec![share]);
    }
    let mut groups: Vec<Group<'_, 'p>> = Vec::new();
    for said in told {
        match groups.last_mut() {
            Some(group) if said.names.is_empty() || group.is_same(&said.names) => group.clauses.push(said),
            None if said.names.is_empty() && said.actions.is_empty() => {}
            None if said.names.is_empty() => return Err(Some(SEVERAL)),
            _ if said.names.len() > 1 && !said.together => return Err(Some(SEVERAL)),
            _ => groups.push(Group { names: &said.names, clauses: vec![said] }),
        }
    }
    chosen(&groups)
}

const SEVERAL: &str = "several symbols are named, and it is not clear which one is meant";

/// The clauses from one symbol, or one list of symbols, to the next.
struct Group<'s, 'p> {
    names: &'s [&'p Mention],
    clauses: Vec<&'s Said<'p>>,
}

impl<'p> Group<'_, 'p> {
    fn is_same(&self, names: &[&Mention]) -> bool {
        names.len() == self.names.len() && names.iter().zip(self.names).all(|(a, b)| a.base == b.base)
    }

    fn acts(&self) -> bool {
        self.clauses.iter().any(|said| !said.actions.is_empty())
    }

    fn shares(&self) -> impl Iterator<Item = Share<'p>> {
        self.names.iter().map(|name| {
            let mut share = Share { mention: Some(*name), ..Share::default() };
            self.clauses.iter().for_each(|said| share.take(said));
            share
        })
    }
}

/// Every symbol has its deeds; or one has, right beside it, and the others are only remarked on.
fn chosen<'p>(groups: &[Group<'_, 'p>]) -> Result<Vec<Share<'p>>, Refusal> {
    let acting: Vec<&Group<'_, 'p>> = groups.iter().filter(|group| group.acts()).collect();
    let mut shares: Vec<Share<'p>> = acting.iter().flat_map(|group| group.shares()).collect();
    let beside = |group: &Group<'_, '_>| {
        group.clauses.iter().all(|said| said.actions.is_empty() || !said.names.is_empty())
    };
    match acting.as_slice() {
        [] => Err(None),
        [only] if groups.len() > 1 && (only.names.len() > 1 || !beside(only)) => Err(Some(SEVERAL)),
        [_] => Ok(shares),
        _ if acting.len() < groups.len() => Err(Some(SEVERAL)),
        _ => {
            let instructs = shares.iter().any(|share| share.actions.iter().any(is_instruction));
            if !instructs && shares.len() > MAX_OUTCOMES {
                return Err(Some("outcomes of several trades: perhaps a recap"));
            }
            merge(&mut shares);
            Ok(shares)
        }
    }
}

/// A symbol that is named again later has all its deeds in one place.
fn merge(shares: &mut Vec<Share<'_>>) {
    let mut merged: Vec<Share<'_>> = Vec::with_capacity(shares.len());
    for share in shares.drain(..) {
        let base = share.mention.map(|mention| &mention.base);
        match merged.iter_mut().find(|known| known.mention.map(|mention| &mention.base) == base) {
            Some(known) => {
                known.actions.extend(share.actions);
                known.marks.extend(share.marks);
            }
            None => merged.push(share),
        }
    }
    *shares = merged;
}

impl<'p> Share<'p> {
    /// Adds what a clause says, each thing once.
    fn take(&mut self, said: &Said<'p>) {
        self.side = self.side.or(said.side);
        self.marks.extend(said.mark);
        for action in &said.actions {
            match action {
                Action::TargetHit { targets } if !targets.is_empty() => {
                    add_targets(&mut self.actions, targets)
                }
                Action::TargetHit { .. } => {
                    self.actions.retain(|known| !matches!(known, Action::TargetHit { .. }));
                    self.actions.push(action.clone());
                }
                Action::EntryFilled { .. }
                    if self.actions.iter().any(|known| matches!(known, Action::EntryFilled { .. })) => {}
                Action::Add { .. } | Action::Reenter { .. } if self.has_alike(action) => {}
                _ if self.actions.contains(action) => {}
                _ => self.actions.push(action.clone()),
            }
        }
    }

    /// True when the same is said already: "back in at market (re-entry)".
    fn has_alike(&self, action: &Action) -> bool {
        let implied = matches!(
            action,
            Action::Add { entry: Entry::Market { implied: true, .. }, stop: None }
                | Action::Reenter { entry: Entry::Market { implied: true, .. }, stop: None }
        );
        let alike = |known: &Action| std::mem::discriminant(known) == std::mem::discriminant(action);
        implied && self.actions.iter().any(alike)
    }

    /// Marks the symbol itself.
    pub(super) fn mark_names(&mut self, pieces: &Pieces<'_>) {
        let Some(meant) = self.mention else { return };
        let names = pieces
            .list
            .iter()
            .filter(|piece| matches!(&piece.what, What::Ticker(mention) if mention.base == meant.base));
        self.marks.extend(names.map(|piece| Mark::of(Field::Scope, piece)));
    }

    /// Settles what says the same twice; contradictions are refused.
    pub(super) fn settle(&mut self) -> Result<(), Refusal> {
        if self.actions.contains(&Action::StoppedAtBreakEven) {
            self.actions.retain(|action| !matches!(action, Action::StoppedOut | Action::Close));
        }
        if self.actions.contains(&Action::StoppedOut)
            || self.actions.contains(&Action::Cancel) && self.tells_of_end()
        {
            self.actions.retain(|action| *action != Action::Close);
        }
        self.drop_part_of_targets();
        self.drop_stop_of_entry();
        let count = |is: fn(&Action) -> bool| self.actions.iter().filter(|action| is(action)).count();
        let stops = count(|action| matches!(action, Action::MoveStop { .. } | Action::TrailStop { .. }));
        let lists = count(|action| matches!(action, Action::SetTargets { .. }));
        let entries = count(|action| {
            matches!(action, Action::Add { .. } | Action::Reenter { .. } | Action::SetEntry { .. })
        });
        let closes = self.actions.contains(&Action::Close) && self.actions.contains(&Action::Cancel);
        if stops > 1 || lists > 1 || entries > 1 || closes {
            return Err(Some("the actions contradict each other"));
        }
        Ok(())
    }

    /// "TP1 hit, partials taken": a part of unknown size beside a reached target is what that target took off.
    fn drop_part_of_targets(&mut self) {
        if self.actions.iter().any(|action| matches!(action, Action::TargetHit { .. })) {
            self.actions.retain(|action| !matches!(action, Action::PartClose { share: None, .. }));
        }
    }

    /// The stop of a further entry is told once, with the entry.
    fn drop_stop_of_entry(&mut self) {
        let stop = self.actions.iter().find_map(|action| match action {
            Action::Add { stop, .. } | Action::Reenter { stop, .. } => stop.as_ref()?.price(),
            _ => None,
        });
        let Some(price) = stop else { return };
        let told = Action::MoveStop { to: StopMove::Price { price } };
        self.actions.retain(|action| *action != told);
    }

    fn tells_of_end(&self) -> bool {
        self.actions.contains(&Action::StoppedAtBreakEven)
    }
}
