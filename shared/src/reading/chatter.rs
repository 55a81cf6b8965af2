//! Chatter: why a text that holds trading words and levels is still nobody's instruction to trade.
//!
//! Entry point: [`objection`]. Invariants: an objection only ever prevents a signal, it never makes one; what governs
//! the side or the entry counts (`don't long`, `if it holds`), a remark in another line does not.

use super::fields::Opener;
use super::pieces::{Piece, What};
use super::signals::Block;
use super::tokens::{Number, Unit};
use super::values::is_tick;
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

/// The first objection against reading the block as a new signal.
pub(super) fn objection(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    if block.pieces.address {
        return Some(Objection::Doubt("an address stands in it: calls for single tokens are not read"));
    }
    for (meaning, objection) in ALWAYS {
        if list.iter().any(|piece| piece.what.is(*meaning)) {
            return Some(*objection);
        }
    }
    if list.iter().any(|piece| matches!(piece.what, What::Mark('?'))) {
        return Some(Objection::Noise("a question: nobody is told to trade"));
    }
    governed(block).or_else(|| running(block)).or_else(|| ticked(block))
}

/// Words that rule out a signal wherever they stand.
const ALWAYS: &[(Meaning, Objection)] = &[
    (Meaning::NotCrypto, Objection::Doubt("not a crypto market")),
    (Meaning::Unreal, Objection::Noise("an example, a test or a joke: nobody is told to trade")),
    (Meaning::Report, Objection::Noise("a report: nobody is told to trade")),
];

/// Negation and condition in the lines that name the side or hold the entry.
fn governed(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    let entry_lines: Vec<usize> = block
        .with(Opener::Label(Slot::Entry))
        .filter(|(_, values)| !values.items.is_empty())
        .filter_map(|(field, _)| list.get(field.range.start).map(|piece| piece.line))
        .collect();
    let names_side = |piece: &&Piece<'_>| {
        matches!(
            piece.what,
            What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder, _)
        )
    };
    let side_lines: Vec<usize> = list.iter().filter(names_side).map(|piece| piece.line).collect();
    let governing =
        |piece: &&Piece<'_>| side_lines.contains(&piece.line) || entry_lines.contains(&piece.line);
    list.iter().filter(governing).find_map(|piece| match piece.what {
        What::Term(Meaning::Negation, _) => Some(Objection::Noise("the trade is negated")),
        What::Term(Meaning::Hedge, _) => Some(Objection::Noise("the trade is only considered")),
        _ => None,
    })
}

/// Words that tell of a running trade. In a line with "once" or "after" they are notes for later.
fn running(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    let first_line = list.first().map_or(0, |piece| piece.line);
    let in_line = |line: usize, meaning: Meaning| list.iter().any(|p| p.line == line && p.what.is(meaning));
    let stop_line = |line: usize| {
        list.iter().any(|piece| piece.line == line && piece.what.slot() == Some(Slot::Stop))
            && (in_line(line, Meaning::CandleWord)
                || in_line(line, Meaning::Below)
                || in_line(line, Meaning::Above))
    };
    list.iter().find_map(|piece| {
        let What::Term(meaning, _) = piece.what else { return None };
        let tells = match meaning {
            Meaning::Hit | Meaning::Filled | Meaning::StoppedOut | Meaning::Cancel | Meaning::Again => {
                !in_line(piece.line, Meaning::Later)
            }
            Meaning::Closed => !in_line(piece.line, Meaning::Later) && !stop_line(piece.line),
            Meaning::Close => is_closing(block, piece),
            Meaning::New => renews_level(list, piece),
            Meaning::Changed => piece.line == first_line,
            _ => false,
        };
        tells.then_some(Objection::Running("it tells of a running trade"))
    })
}

/// "New stop", "new targets": the earlier ones are replaced.
fn renews_level(list: &[Piece<'_>], new: &Piece<'_>) -> bool {
    let at = list.iter().position(|piece| std::ptr::eq(piece, new));
    let next = at.and_then(|at| list.get(at + 1)).and_then(|piece| piece.what.slot());
    matches!(next, Some(Slot::Stop | Slot::Target))
}

/// "Close" alone, or "exit": neither a list of targets, nor a stop's candle, nor advice for each target.
fn is_closing(block: &Block<'_, '_>, close: &Piece<'_>) -> bool {
    let list = &block.pieces.list;
    let same_line = || list.iter().filter(|piece| piece.line == close.line);
    let explained = same_line().any(|piece| {
        matches!(
            piece.what,
            What::Number(_) | What::Term(Meaning::CandleWord | Meaning::Candle(_) | Meaning::Later, _)
        ) || matches!(piece.what, What::Term(Meaning::Label(Slot::Stop | Slot::Target), _))
    });
    !explained
}

/// A tick behind a level says that it was reached. Ticks before all levels are only bullets.
fn ticked(block: &Block<'_, '_>) -> Option<Objection> {
    let list = &block.pieces.list;
    let is_level = |piece: &Piece<'_>| {
        matches!(&piece.what, What::Number(Number { unit: Unit::None | Unit::Kilo, .. }))
            || matches!(piece.what, What::Term(Meaning::Label(_) | Meaning::Side(_), _) | What::Ticker(_))
    };
    let (mut bulleted, mut plain) = (0_usize, 0_usize);
    for line in list.chunk_by(|a, b| a.line == b.line) {
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
    (bulleted > 0 && plain > 0).then_some(Objection::Running("some of the targets are ticked off"))
}
