//! Running trades: texts that tell what became of a trade. They are perhaps updates, never new signals.
//!
//! Entry point: [`objection`]. Invariants: notes for later ("once the first target is hit") tell of nothing yet; ticks that
//! stand as bullets before all levels say nothing.

use super::super::fields::Opener;
use super::super::pieces::{Piece, What};
use super::super::seen::{Sight, ticks_off};
use super::super::signals::Block;
use super::super::values::{Item, is_price};
use super::super::words::{Meaning, Slot};
use super::{Objection, lines};

/// The objection that the text tells of a trade that is running or over.
pub(super) fn objection(block: &Block<'_, '_>) -> Option<Objection> {
    running(block).or_else(|| ticked(block))
}

/// Words that tell of a running trade. In a line with "once" or "after" they are notes for later.
fn running(block: &Block<'_, '_>) -> Option<Objection> {
    if !block.pieces.may_have_any(TELLING) {
        return None;
    }
    let told = lines(&block.pieces.list).enumerate().any(|(nth, line)| tells_of_trade(line, nth == 0));
    told.then_some(Objection::Running("it tells of a running trade"))
}

/// The words that may tell of a running trade.
const TELLING: &[Meaning] = &[
    Meaning::Hit,
    Meaning::Filled,
    Meaning::StoppedOut,
    Meaning::Cancel,
    Meaning::Again,
    Meaning::Add,
    Meaning::Closed,
    Meaning::Close,
    Meaning::New,
    Meaning::Changed,
];

fn tells_of_trade(line: &[Piece<'_>], is_first: bool) -> bool {
    if !line.iter().any(|piece| matches!(piece.what, What::Term(meaning, _) if TELLING.contains(&meaning))) {
        return false;
    }
    let has = |meaning: Meaning| line.iter().any(|piece| piece.what.is(meaning));
    // "If the first target is hit", "our previous call hit all targets": not this trade, or not yet.
    let later = [Meaning::Later, Meaning::Hedge, Meaning::Report].into_iter().any(has);
    let stops = line.iter().any(|piece| piece.what.slot() == Some(Slot::Stop))
        && [Meaning::CandleWord, Meaning::Below, Meaning::Above].into_iter().any(has);
    line.iter().enumerate().any(|(at, piece)| {
        let What::Term(meaning, _) = piece.what else { return false };
        match meaning {
            Meaning::Hit | Meaning::Filled | Meaning::StoppedOut | Meaning::Cancel | Meaning::Again => !later,
            // "Edit: added the stop" tells of the post.
            Meaning::Add => {
                let next = line[at + 1..].iter().find(|next| !next.what.is(Meaning::Filler));
                let level = next.and_then(|next| next.what.slot());
                !later && !matches!(level, Some(Slot::Stop | Slot::Target))
            }
            Meaning::Closed => !later && !stops,
            Meaning::Close => !later && is_closing(line),
            Meaning::New => {
                let next = line.get(at + 1).and_then(|next| next.what.slot());
                matches!(next, Some(Slot::Stop | Slot::Target))
            }
            Meaning::Changed => is_first,
            _ => false,
        }
    })
}

/// "Close" alone, or "exit": neither a list of targets, nor a stop's candle, nor advice for each target.
fn is_closing(line: &[Piece<'_>]) -> bool {
    !line.iter().any(|piece| {
        matches!(
            piece.what,
            What::Number(_)
                | What::Term(Meaning::CandleWord | Meaning::Candle(_), _)
                | What::Term(Meaning::Label(Slot::Stop | Slot::Target), _)
        )
    })
}

/// A tick behind a level says that it was reached. Ticks before all levels are only bullets.
fn ticked(block: &Block<'_, '_>) -> Option<Objection> {
    if !block.pieces.seen.has(Sight::Tick) {
        return None;
    }
    let list = &block.pieces.list;
    let is_level = |piece: &Piece<'_>| {
        is_price(&piece.what)
            || matches!(piece.what, What::Term(Meaning::Label(_) | Meaning::Side(_), _) | What::Ticker(_))
    };
    let (mut bulleted, mut plain) = (0_usize, 0_usize);
    for line in lines(list) {
        let tick = line.iter().position(|piece| matches!(piece.what, What::Icon(icon) if ticks_off(icon)));
        let target = line.iter().any(|piece| piece.what.slot() == Some(Slot::Target));
        match tick {
            Some(tick) if line[..tick].iter().any(is_level) => {
                return Some(Objection::Running("levels are ticked off"));
            }
            Some(_) if target => bulleted += 1,
            None if target && line.iter().any(|piece| is_price(&piece.what)) => plain += 1,
            _ => {}
        }
    }
    let some = bulleted > 0 && plain > 0 || ticked_in_list(block);
    some.then_some(Objection::Running("some of the targets are ticked off"))
}

/// Ticks before some values of a list, or before the entry alone, are no bullets.
fn ticked_in_list(block: &Block<'_, '_>) -> bool {
    let of = |slot| block.with(Opener::Label(slot)).flat_map(|(_, values)| &values.items);
    let plain = of(Slot::Target).any(|item| item.bullet.is_none());
    plain && of(Slot::Target).chain(of(Slot::Entry)).any(Item::has_tick_before)
}
