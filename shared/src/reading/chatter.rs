//! Chatter: why a text that holds trading words and levels is still nobody's instruction to trade.
//!
//! Entry points: [`objection`], and [`second_thoughts`] on what was accepted. What people's words say is judged in `talk`, quoted calls in `quotes`, running trades in
//! `running`; `text` knows which sentence holds the call. Invariants: an objection only ever prevents a signal, it
//! never makes one; a remark that neither governs the side nor introduces the call does not count.

mod around;
mod quotes;
mod running;
mod strangers;
mod talk;
mod text;

use super::fields::Opener;
use super::pieces::Piece;
use super::signals::Block;
use super::words::{Meaning, Slot};
use text::{Text, is_aside};

/// Why a text is not a new signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    /// Nothing to act on at all.
    Noise(&'static str),
    /// The trade is negated or only considered; what a text tells of a running trade stands all the same.
    Governed(&'static str),
    /// It tells of a trade that is running already: perhaps an update.
    Running(&'static str),
    /// It may be a signal, but not one to vouch for.
    Doubt(&'static str),
}

/// The first objection against reading the block as a new signal. Against a whole card it is a doubt, never more.
pub(super) fn objection(block: &Block<'_, '_>) -> Option<Objection> {
    match first_objection(block)? {
        Objection::Noise(reason) | Objection::Governed(reason) if is_card(block) => {
            Some(Objection::Doubt(reason))
        }
        objection => Some(objection),
    }
}

/// Why a text that reads as a signal is none to vouch for: too many words that nobody knows stand around it.
pub(super) fn second_thoughts(block: &Block<'_, '_>) -> Option<&'static str> {
    strangers::doubt(&Text::of(block), || is_card(block))
}

fn first_objection(block: &Block<'_, '_>) -> Option<Objection> {
    if block.pieces.address {
        return Some(Objection::Doubt(
            "a word as long as an address stands in it: calls for single tokens are not read",
        ));
    }
    let text = Text::of(block);
    talk::objection(&text)
        .or_else(|| quotes::objection(&text))
        .or_else(|| known(&text, NOT_NEW))
        .or_else(|| running::objection(block))
        .or_else(|| around::objection(&text))
}

/// Words that rule out a new signal wherever they stand.
const NOT_NEW: &[(Meaning, Objection)] = &[
    (Meaning::Label(Slot::Outcome), Objection::Running("it tells what a trade made")),
    (Meaning::Tracker, Objection::Running("it lists running trades")),
];

fn known(text: &Text<'_, '_>, words: &[(Meaning, Objection)]) -> Option<Objection> {
    let says = |meaning: Meaning| {
        let mut places = text.list.iter().enumerate().filter(|(_, piece)| piece.what.is(meaning));
        text.pieces.has(meaning) && places.any(|(at, _)| !is_aside(text.list, text.first_level, at))
    };
    words.iter().find(|(meaning, _)| says(*meaning)).map(|(_, objection)| *objection)
}

/// True for entry, targets and stop, each under its label in a line of its own.
fn is_card(block: &Block<'_, '_>) -> bool {
    let levels = [Slot::Entry, Slot::Target, Slot::Stop].map(Opener::Label);
    if block.labelled_levels() < levels.len() {
        return false;
    }
    let filled = block
        .fields
        .iter()
        .filter(|(field, values)| levels.contains(&field.opener) && !values.items.is_empty());
    let mut lines: Vec<usize> =
        filled.filter_map(|(field, _)| Some(block.pieces.list.get(field.range.start)?.line)).collect();
    // Fields stand in order, and so do their lines.
    lines.dedup();
    lines.len() >= levels.len()
}

fn lines<'p, 't>(list: &'p [Piece<'t>]) -> impl Iterator<Item = &'p [Piece<'t>]> {
    list.chunk_by(|a, b| a.line == b.line)
}
