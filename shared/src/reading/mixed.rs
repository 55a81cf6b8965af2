//! Mixed posts: a follow-up and a new call in one text, as in "Cut CAKE here. Now BTC short 91.4k, SL 92.1k, TP 90k".
//!
//! Entry point: [`mixed`]. The text is cut once, between two thoughts; each part must stand by itself.
//! Invariants: the call has a stop and a target; the follow-up names its trade, and not the one of the call, unless
//! that is turned round. A card posted again with "closed" in front is therefore no new call.

use super::chatter::objection;
use super::marks::Mark;
use super::pieces::{Piece, Pieces, What};
use super::several;
use super::signals::{self, Accepted, Block};
use super::updates::{self, Context};
use super::words::Meaning;
use crate::signal::Signal;
use crate::update::{Scope, SignalUpdate};

/// A follow-up beside new calls.
pub(super) struct Mixed {
    /// The calls.
    pub(super) signals: Vec<Accepted>,
    /// The follow-ups, and where each stands.
    pub(super) updates: Vec<(SignalUpdate, Vec<Mark>)>,
}

/// The most places where a text is tried to be cut.
const MAX_CUTS: usize = 4;

/// Reads a text as a follow-up and calls, in either order.
pub(super) fn mixed(pieces: &Pieces<'_>, context: &Context<'_>) -> Option<Mixed> {
    let list = &pieces.list;
    let sided = |piece: &Piece<'_>| {
        matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _))
    };
    let starts = updates::starts(list);
    let ends = starts.iter().skip(1).copied().chain([list.len()]);
    let clauses = starts.iter().copied().zip(ends).skip(1);
    let calls = clauses.clone().filter(|(start, end)| list[*start..*end].iter().any(sided)).take(MAX_CUTS);
    for (cut, end) in calls {
        let announced = list[cut..end].iter().any(|piece| piece.what.is(Meaning::New));
        if let Some(found) = cut_at(pieces, cut, context).filter(|found| is_apart(found, announced)) {
            return Some(found);
        }
    }
    let lines = clauses.filter(|(start, _)| list[*start].line != list[*start - 1].line);
    let deeds = lines.filter(|(start, end)| updates::tells_in(&list[*start..*end])).take(MAX_CUTS);
    deeds.map(|(cut, _)| cut).find_map(|cut| {
        let (head, tail) = (part(pieces, 0, cut), part(pieces, cut, list.len()));
        both(&tail, &head, context).filter(|found| is_apart(found, false))
    })
}

fn cut_at(pieces: &Pieces<'_>, cut: usize, context: &Context<'_>) -> Option<Mixed> {
    both(&part(pieces, 0, cut), &part(pieces, cut, pieces.list.len()), context)
}

fn part<'t>(pieces: &Pieces<'t>, from: usize, to: usize) -> Pieces<'t> {
    pieces.with(pieces.list[from..to].to_vec())
}

fn both(told: &Pieces<'_>, called: &Pieces<'_>, context: &Context<'_>) -> Option<Mixed> {
    let block = Block::new(told);
    let call = Block::new(called);
    if block.labelled_levels() >= 2 || objection(&call).is_some() {
        return None;
    }
    let mut accepted = Vec::new();
    for outcome in several::signals(&call) {
        let signals::Outcome::Signal(signal) = outcome else { return None };
        accepted.push(*signal);
    }
    let whole = |signal: &Signal| signal.fields().stop.is_some() && !signal.fields().targets.is_empty();
    if accepted.is_empty() || !accepted.iter().all(|accepted| whole(&accepted.signal)) {
        return None;
    }
    match updates::updates(&block, context) {
        updates::Outcome::Updates(updates) => Some(Mixed { signals: accepted, updates }),
        _ => None,
    }
}

/// True when no follow-up can be about one of the new calls.
fn is_apart(found: &Mixed, announced: bool) -> bool {
    found.updates.iter().all(|(update, _)| match &update.scope {
        Scope::Symbol { base, side } => found.signals.iter().all(|accepted| {
            let turned = side.is_some_and(|side| side != accepted.signal.side());
            accepted.signal.base() != base || turned
        }),
        Scope::Reference { .. } => true,
        Scope::Reply { .. } | Scope::Last => announced,
        Scope::All { .. } => false,
    })
}
