//! Chatter: why a text that holds trading words and levels is still nobody's instruction to trade.
//!
//! Entry point: [`objection`]. Invariants: an objection only ever prevents a signal, it never makes one; what governs
//! the side or the entry counts (`don't long`, `if it holds`), a remark in another line does not.

use std::collections::HashSet;

use super::fields::Opener;
use super::pieces::{Piece, What};
use super::signals::Block;
use super::tokens::{Number, Unit};
use super::values::{Item, is_tick};
use super::words::{Meaning, Slot};

/// Why a text is not a new signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    /// Nothing to act on at all.
    Noise(&'static str),
    /// It tells of a trade that is running already: perhaps an update.
    Running(&'static str),
    /// It may be a signal, but not one to vouch for.
    Doubt(&'static str),
}

/// The first objection against reading the block as a new signal. Against a whole card it is a doubt, never more.
pub(super) fn objection(block: &Block<'_, '_>) -> Option<Objection> {
    match first_objection(block)? {
        Objection::Noise(reason) if is_card(block) => Some(Objection::Doubt(reason)),
        objection => Some(objection),
    }
}

/// True for entry, targets and stop, each under its label in a line of its own.
fn is_card(block: &Block<'_, '_>) -> bool {
    let list = &block.pieces.list;
    let levels = [Slot::Entry, Slot::Target, Slot::Stop].map(Opener::Label);
    let filled = block
        .fields
        .iter()
        .filter(|(field, values)| levels.contains(&field.opener) && !values.items.is_empty());
    let lines: HashSet<usize> =
        filled.filter_map(|(field, _)| Some(list.get(field.range.start)?.line)).collect();
    block.labelled_levels() == levels.len() && lines.len() >= levels.len()
}

fn first_objection(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    if block.pieces.address {
        return Some(Objection::Doubt("an address stands in it: calls for single tokens are not read"));
    }
    let told = |words: &[(Meaning, Objection)]| {
        let found = words.iter().find(|(meaning, _)| list.iter().any(|piece| piece.what.is(*meaning)));
        found.map(|(_, objection)| *objection)
    };
    let asked = list.iter().any(|piece| matches!(piece.what, What::Mark('?')));
    let question = asked.then_some(Objection::Noise("a question: nobody is told to trade"));
    let levels = block.labelled_levels();
    let sold = (levels < 2 && list.iter().any(|piece| piece.what.is(Meaning::Advert)))
        .then_some(Objection::Noise("an advertisement"));
    told(NEVER)
        .or(sold)
        .or(question)
        .or_else(|| told(NOT_NEW))
        .or_else(|| governed(block))
        .or_else(|| running(block))
        .or_else(|| ticked(block))
}

/// Words that rule out a signal and an update wherever they stand.
const NEVER: &[(Meaning, Objection)] = &[
    (Meaning::NotCrypto, Objection::Doubt("not a crypto market")),
    (Meaning::Unreal, Objection::Noise("an example, a test or a joke: nobody is told to trade")),
    (Meaning::Report, Objection::Noise("a report: nobody is told to trade")),
    (Meaning::Satoshi, Objection::Doubt("prices in satoshi: not read yet")),
    (Meaning::Option, Objection::Doubt("an option: not read yet")),
];

/// Words that rule out a new signal wherever they stand.
const NOT_NEW: &[(Meaning, Objection)] = &[
    (Meaning::Label(Slot::Outcome), Objection::Running("it tells what a trade made")),
    (Meaning::Tracker, Objection::Running("it lists running trades")),
];

/// Negation and condition in the lines that name the side or hold the entry.
fn governed(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    let entries = block.with(Opener::Label(Slot::Entry)).filter(|(_, values)| !values.items.is_empty());
    let entry_lines: HashSet<usize> =
        entries.filter_map(|(field, _)| list.get(field.range.start).map(|piece| piece.line)).collect();
    let names_side = |piece: &Piece<'_>| {
        matches!(
            piece.what,
            What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_), _)
        )
    };
    let mut governing = lines(list).filter(|line| {
        line.iter().any(names_side) || line.first().is_some_and(|piece| entry_lines.contains(&piece.line))
    });
    governing.find_map(|line| line.iter().enumerate().find_map(|(at, piece)| governs(line, at, piece)))
}

/// "Stop if it closes below" is about the stop, not about the trade.
fn governs(line: &[Piece<'_>], at: usize, piece: &Piece<'_>) -> Option<Objection> {
    let of_stop = at.checked_sub(1).is_some_and(|before| line[before].what.slot() == Some(Slot::Stop));
    match piece.what {
        What::Term(Meaning::Negation, _) => Some(Objection::Noise("the trade is negated")),
        What::Term(Meaning::Hedge, _) if !of_stop => Some(Objection::Noise("the trade is only considered")),
        _ => None,
    }
}

fn lines<'p, 't>(list: &'p [Piece<'t>]) -> impl Iterator<Item = &'p [Piece<'t>]> {
    list.chunk_by(|a, b| a.line == b.line)
}

/// Words that tell of a running trade. In a line with "once" or "after" they are notes for later.
fn running(block: &Block<'_, '_>) -> Option<Objection> {
    let told = lines(&block.pieces.list).enumerate().any(|(nth, line)| tells_of_trade(line, nth == 0));
    told.then_some(Objection::Running("it tells of a running trade"))
}

fn tells_of_trade(line: &[Piece<'_>], is_first: bool) -> bool {
    let has = |meaning: Meaning| line.iter().any(|piece| piece.what.is(meaning));
    let later = has(Meaning::Later);
    let stops = line.iter().any(|piece| piece.what.slot() == Some(Slot::Stop))
        && [Meaning::CandleWord, Meaning::Below, Meaning::Above].into_iter().any(has);
    line.iter().enumerate().any(|(at, piece)| {
        let What::Term(meaning, _) = piece.what else { return false };
        match meaning {
            Meaning::Hit | Meaning::Filled | Meaning::StoppedOut | Meaning::Cancel | Meaning::Again => !later,
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
    let list = &block.pieces.list;
    let is_level = |piece: &Piece<'_>| {
        matches!(&piece.what, What::Number(Number { unit: Unit::None | Unit::Kilo, .. }))
            || matches!(piece.what, What::Term(Meaning::Label(_) | Meaning::Side(_), _) | What::Ticker(_))
    };
    let (mut bulleted, mut plain) = (0_usize, 0_usize);
    for line in lines(list) {
        let tick = line.iter().position(
            |piece| matches!(piece.what, What::Icon(icon) if is_tick(icon) || matches!(icon, '❌' | '✖')),
        );
        let target = line.iter().any(|piece| piece.what.slot() == Some(Slot::Target));
        match tick {
            Some(tick) if line[..tick].iter().any(is_level) => {
                return Some(Objection::Running("levels are ticked off"));
            }
            Some(_) if target => bulleted += 1,
            None if target && line.iter().any(is_level) => plain += 1,
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
