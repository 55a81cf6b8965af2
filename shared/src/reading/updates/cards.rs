//! Cards in follow-ups: levels that were posted before and are ticked now, and the second half of a split call.
//!
//! Entry points: [`ticked`], [`second_half`]. Invariant: ticks before all levels are only bullets.

use super::super::evidence::Field;
use super::super::fields::Opener;
use super::super::levels::Roles;
use super::super::marks::{self, Mark};
use super::super::openers::Openers;
use super::super::pieces::{Piece, What};
use super::super::seen::arrow;
use super::super::signals::Block;
use super::super::values::{Item, Level};
use super::super::words::{Meaning, Slot};
use super::{Numbers, Refusal, targets};
use crate::update::{Action, StopMove};

/// Ticks behind the levels of a card that is posted again, whatever words announce them.
pub(super) fn ticked(block: &Block<'_, '_>, actions: &mut Vec<Action>) -> Result<Vec<Mark>, Refusal> {
    let roles = Roles::of(block);
    let kinds = roles.filled(block);
    if kinds >= 3 && block.has_levels(Opener::Close) && actions.contains(&Action::Close) {
        return Err(Some("close may only announce the targets"));
    }
    let sided = super::side(block.pieces).is_some();
    let of = |openers: Openers| -> Vec<Item<'_>> {
        let counts = |opener: Opener| match opener {
            Opener::Label(_) => true,
            Opener::Header => kinds >= 2 && sided,
            _ => kinds >= 2,
        };
        let fields =
            block.fields.iter().filter(|(field, _)| openers.has(field.opener) && counts(field.opener));
        fields.flat_map(|(_, values)| values.items.iter().copied()).collect()
    };
    let (entries, targets) = (of(roles.entry), of(roles.targets));
    let known = actions.iter().any(|action| matches!(action, Action::TargetHit { .. }));
    let in_part = targets.iter().any(|item| item.bullet.is_none());
    let is_hit = |item: &Item<'_>| item.ticked || item.has_tick_before() && in_part;
    let hit = targets.iter().enumerate().filter(|(_, item)| is_hit(item) && !known);
    let numbers: Result<Vec<u8>, _> = hit.map(|(nth, _)| u8::try_from(nth + 1)).collect();
    let numbers = numbers.map_err(|_| Some("too many targets"))?;
    if entries.iter().any(is_hit) && !is_told_filled(actions) {
        actions.push(Action::EntryFilled { entries: Vec::new(), price: None });
    }
    targets::add_targets(actions, &numbers);
    let hit = entries.iter().chain(&targets).filter(|item| is_hit(item));
    Ok(hit.flat_map(|item| marks::of_item(&block.pieces.list, Field::Action, item)).collect())
}

/// True when the actions say already that an entry was filled.
fn is_told_filled(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::EntryFilled { .. }))
}

/// True for labels with their values, and nothing that judges them: "my target 160", "tp 150 is too far" complete no call.
pub(super) fn holds_levels_only(list: &[Piece<'_>]) -> bool {
    let said = |piece: &&Piece<'_>| !matches!(piece.what, What::Mark(_) | What::Icon(_) | What::Ticker(_));
    let labelled = list.iter().find(said).is_some_and(|first| {
        matches!(first.what.slot(), Some(Slot::Stop | Slot::Target | Slot::Entry | Slot::Leverage))
    });
    let judged = |piece: &Piece<'_>| match piece.what {
        What::Unknown => true,
        What::Term(meaning, _) => JUDGING.contains(&meaning),
        _ => false,
    };
    labelled && !list.iter().any(judged)
}

/// Words that say how somebody likes a level, or when it will be one.
const JUDGING: [Meaning; 8] = [
    Meaning::Negation,
    Meaning::Hedge,
    Meaning::Perhaps,
    Meaning::Musing,
    Meaning::Scenery,
    Meaning::Placeholder,
    Meaning::Later,
    Meaning::Others,
];

/// The stop and the targets that follow a bare entry in a reply.
pub(super) fn second_half(
    block: &Block<'_, '_>,
    numbers: Numbers<'_>,
) -> Result<(Vec<Action>, Vec<Mark>), Refusal> {
    let list = &block.pieces.list;
    let sided = list
        .iter()
        .any(|piece| matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _)));
    let (mut actions, mut marks) = (Vec::new(), Vec::new());
    if sided || block.has_levels(Opener::Label(Slot::Entry)) {
        return Ok((actions, marks));
    }
    for slot in [Slot::Target, Slot::Stop] {
        let is_arrow = |piece: &Piece<'_>| arrow(&piece.what).is_some();
        if block.with(Opener::Label(slot)).any(|(field, _)| list[field.range.clone()].iter().any(is_arrow)) {
            return Err(Some("an arrow between levels"));
        }
        let mut prices = Vec::new();
        for item in block.with(Opener::Label(slot)).flat_map(|(_, values)| &values.items) {
            let Level::Price(number) = item.level else { return Err(Some("a level that is no price")) };
            prices.push(numbers.price(number)?);
            marks.extend(marks::of_item(list, Field::Action, item));
        }
        match (slot, prices.as_slice()) {
            (_, []) => {}
            (Slot::Target, _) => actions.push(Action::SetTargets { prices }),
            (_, [price]) => actions.push(Action::MoveStop { to: StopMove::Price { price: *price } }),
            _ => return Err(Some("several stops are named")),
        }
    }
    Ok((actions, marks))
}
