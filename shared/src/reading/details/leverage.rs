//! Leverage: the multiples of a call, behind their label or anywhere else where they cannot be targets.
//!
//! Entry points: [`read`], [`is_left_over`]. Invariants: a leverage is never raised; a multiple in the sentence of the targets
//! may be one of them, and only a thought of its own behind them is a leverage.

use super::super::evidence::Field;
use super::super::fields::Opener;
use super::super::marks::Mark;
use super::super::pieces::{Piece, What};
use super::super::seen::Sight;
use super::super::signals::Block;
use super::super::tokens::Unit;
use super::super::values::is_price;
use super::super::words::{Meaning, Slot};
use super::pieces_of;
use crate::money::Leverage;
use crate::signal::LeverageRange;

/// Targets are read up to three times the entry.
const LEAST_FAR: u32 = 4;

fn is_multiple(piece: &Piece<'_>) -> bool {
    matches!(&piece.what, What::Number(number) if number.unit == Unit::Times)
}

/// The multiples behind a leverage label, else those anywhere outside decoys and lists of targets.
pub(super) fn read(block: &Block<'_, '_>, marks: &mut Vec<Mark>) -> Option<LeverageRange> {
    if !block.pieces.has(Meaning::Label(Slot::Leverage)) && !block.pieces.seen.has(Sight::Times) {
        return None;
    }
    let labelled: Vec<&Piece<'_>> = pieces_of(block, Opener::Label(Slot::Leverage)).collect();
    let found = multiples(&labelled, true);
    let (found, pieces) = if found.is_empty() {
        let decoys = [Slot::Decoy, Slot::Appendix].map(Opener::Label);
        let others = block.fields.iter().filter(|(field, _)| !decoys.contains(&field.opener));
        let several =
            pieces_of(block, Opener::Label(Slot::Target)).filter(|piece| is_multiple(piece)).count() > 1;
        let others = others.flat_map(|(field, _)| {
            let list = &block.pieces.list[field.range.clone()];
            match field.opener {
                Opener::Label(Slot::Target) if several => &[],
                Opener::Label(Slot::Target) => trailing(list),
                _ => list,
            }
        });
        let pieces: Vec<&Piece<'_>> = others.collect();
        (multiples(&pieces, false), pieces)
    } else {
        (found, labelled)
    };
    let max = found.iter().map(|(multiple, _)| *multiple).max()?;
    let min = found.iter().map(|(multiple, _)| *multiple).min()?;
    marks.extend(found.iter().map(|(_, piece)| Mark::of(Field::Leverage, piece)));
    let at_most = found.len() == 1
        && (pieces.iter().any(|piece| piece.what.is(Meaning::UpTo)) || max_label(block) || not_more(&pieces));
    Some(LeverageRange { min: Some(min).filter(|_| !at_most), max })
}

/// "Max leverage: 10x" names only the upper end.
fn max_label(block: &Block<'_, '_>) -> bool {
    block.with(Opener::Label(Slot::Leverage)).any(|(field, _)| {
        let label = field.range.start.checked_sub(2).and_then(|at| block.pieces.list.get(at));
        label.is_some_and(|piece| piece.what.is(Meaning::UpTo))
    })
}

/// Numbers with an `x`, and those joined to one by a dash (`4-6x`); behind a label also bare numbers.
fn multiples<'b, 't>(pieces: &[&'b Piece<'t>], bare: bool) -> Vec<(Leverage, &'b Piece<'t>)> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let What::Number(number) = &piece.what else { continue };
        let ranged = || {
            let dash = pieces
                .get(at + 1)
                .is_some_and(|next| matches!(next.what, What::Mark('-') | What::Term(Meaning::To, _)));
            let times = pieces
                .get(at + 2)
                .is_some_and(|next| matches!(&next.what, What::Number(n) if n.unit == Unit::Times));
            dash && times && pieces[at + 2].line == piece.line
        };
        let counts = match number.unit {
            Unit::Times => true,
            // A leverage with a fraction is written with an x; without one it is rather a price.
            Unit::None => bare && number.text.bytes().all(|b| b.is_ascii_digit()) || ranged(),
            _ => false,
        };
        if counts {
            found
                .extend(number.text.replace(',', ".").parse::<Leverage>().map(|multiple| (multiple, *piece)));
        }
    }
    found
}

/// True when a multiple stands among the targets and is none of them for sure: nobody knows whether it is the leverage.
pub(in super::super) fn is_left_over(block: &Block<'_, '_>) -> bool {
    block.pieces.seen.has(Sight::Times)
        && pieces_of(block, Opener::Label(Slot::Target)).any(is_multiple)
        && pieces_of(block, Opener::Label(Slot::Target)).any(|piece| is_price(&piece.what))
}

/// "TP 98000. 5x max", "tp 0.28, 0.29 10x cross": the multiple behind the last price and the words around it. Where it stands
/// in the sentence of the targets, it may be one of them if none is so far away.
fn trailing<'b, 't>(list: &'b [Piece<'t>]) -> &'b [Piece<'t>] {
    let Some(multiple) = list.iter().position(is_multiple) else { return &[] };
    let is_bound = |at: usize| {
        at > 0
            && (list[at].line != list[at - 1].line
                || matches!(list[at - 1].what, What::Mark('.' | ';' | '!' | '|')))
    };
    let ranged = matches!(list[..multiple], [.., _, ref least, Piece { what: What::Mark('-'), .. }] if is_price(&least.what));
    let last =
        list[..if ranged { multiple - 2 } else { multiple }].iter().rposition(|piece| is_price(&piece.what));
    let Some(start) = last.map(|price| price + 1) else { return &[] };
    let (line, behind) = (list[multiple].line, &list[multiple + 1..]);
    let ends = |at: &usize| list[*at].line == line && !is_bound(*at);
    let end = (multiple + 1..list.len()).find(|at| !ends(at)).unwrap_or(list.len());
    let around = &list[start..end];
    let plain = around.iter().enumerate().all(|(at, piece)| {
        let own = start + at == multiple || ranged && start + at + 2 == multiple;
        own || is_plain(piece)
    });
    let parted = (start..=multiple).any(is_bound);
    let moded =
        around.iter().any(|piece| matches!(piece.what, What::Term(Meaning::Cross | Meaning::Isolated, _)));
    let single = !behind.iter().any(is_multiple);
    if plain && single && !is_denied(around) && (parted || moded || is_far(&list[multiple])) {
        around
    } else {
        &[]
    }
}

fn is_plain(piece: &Piece<'_>) -> bool {
    match &piece.what {
        What::Mark(mark) => !matches!(mark, '(' | '[' | '='),
        What::Icon(_) => true,
        What::Number(number) => number.unit == Unit::Percent,
        What::Term(meaning, _) => matches!(
            meaning,
            Meaning::Filler
                | Meaning::UpTo
                | Meaning::More
                | Meaning::Negation
                | Meaning::Cross
                | Meaning::Isolated
                | Meaning::Label(Slot::Margin | Slot::Size | Slot::Risk)
        ),
        _ => false,
    }
}

/// True for so many times the entry that no target lies there.
fn is_far(multiple: &Piece<'_>) -> bool {
    matches!(&multiple.what, What::Number(number) if number.text.parse::<u32>().is_ok_and(|times| times >= LEAST_FAR))
}

/// "No 20x": a negation that is not "not more".
fn is_denied(pieces: &[Piece<'_>]) -> bool {
    pieces.iter().enumerate().any(|(at, piece)| {
        let more = pieces.get(at + 1).is_some_and(|next| next.what.is(Meaning::More));
        piece.what.is(Meaning::Negation) && !more
    })
}

/// "Use 2x, not more", "not more than 3x": only the upper end.
fn not_more(pieces: &[&Piece<'_>]) -> bool {
    pieces.windows(2).any(|pair| pair[0].what.is(Meaning::Negation) && pair[1].what.is(Meaning::More))
}
