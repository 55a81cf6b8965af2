//! Details: leverage, margin mode, risk, size, timeframe, validity. Helpful, but never worth a refusal.
//!
//! Entry point: [`fill`]. Invariants: what cannot be read stays absent; a leverage is never raised: with several values
//! the range is kept as written.

use super::fields::Opener;
use super::pieces::{Piece, What};
use super::signals::Block;
use super::tokens::{Number, Unit};
use super::words::{Meaning, Slot};
use crate::money::{Leverage, PercentRange};
use crate::signal::{LeverageRange, MarginMode, SignalDraft};

/// Fills in what the block says beside its levels.
pub(super) fn fill(draft: &mut SignalDraft, block: &Block<'_, '_>) {
    draft.leverage = leverage(block);
    draft.margin_mode = margin_mode(block);
    draft.risk_pct = percent_in(block, Slot::Risk);
    draft.size_pct = size(block);
    draft.timeframe = timeframe(block);
    draft.expiry = span_in(block, Slot::Expiry);
    draft.confidence = percent_text(block, Slot::Confidence);
}

fn pieces_of<'b, 't>(block: &'b Block<'_, 't>, opener: Opener) -> impl Iterator<Item = &'b Piece<'t>> {
    block.with(opener).flat_map(|(field, _)| &block.pieces.list[field.range.clone()])
}

/// The multiples behind a leverage label, else those anywhere outside decoys.
fn leverage(block: &Block<'_, '_>) -> Option<LeverageRange> {
    let labelled: Vec<&Piece<'_>> = pieces_of(block, Opener::Label(Slot::Leverage)).collect();
    let found = multiples(&labelled, true);
    let (found, pieces) = if found.is_empty() {
        let decoys = [Slot::Decoy, Slot::Appendix, Slot::Target, Slot::Stop].map(Opener::Label);
        let others = block.fields.iter().filter(|(field, _)| !decoys.contains(&field.opener));
        let pieces: Vec<&Piece<'_>> =
            others.flat_map(|(field, _)| &block.pieces.list[field.range.clone()]).collect();
        (multiples(&pieces, false), pieces)
    } else {
        (found, labelled)
    };
    let max = found.iter().copied().max()?;
    let min = found.iter().copied().min()?;
    let at_most =
        found.len() == 1 && (pieces.iter().any(|piece| piece.what.is(Meaning::UpTo)) || max_label(block));
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
fn multiples(pieces: &[&Piece<'_>], bare: bool) -> Vec<Leverage> {
    let mut found: Vec<Leverage> = Vec::new();
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
            found.extend(number.text.parse::<Leverage>());
        }
    }
    found
}

/// "Cross" and "isolated" only count beside a leverage, after its label, or alone in a field for it.
fn margin_mode(block: &Block<'_, '_>) -> Option<MarginMode> {
    let levered = |line: &&[Piece<'_>]| {
        line.iter().any(|piece| {
            let times = matches!(&piece.what, What::Number(number) if number.unit == Unit::Times);
            times || matches!(piece.what.slot(), Some(Slot::Leverage | Slot::Margin))
        })
    };
    let lines = block.pieces.list.chunk_by(|a, b| a.line == b.line).filter(levered);
    let mut modes = lines.flatten().filter_map(|piece| match piece.what {
        What::Term(Meaning::Cross, _) => Some(MarginMode::Cross),
        What::Term(Meaning::Isolated, _) => Some(MarginMode::Isolated),
        _ => None,
    });
    let first = modes.next()?;
    modes.all(|mode| mode == first).then_some(first)
}

fn percent_in(block: &Block<'_, '_>, slot: Slot) -> Option<PercentRange> {
    percents(block, slot).next()?.text.replace(',', ".").parse().ok()
}

fn percent_text(block: &Block<'_, '_>, slot: Slot) -> Option<String> {
    percents(block, slot).next().map(|number| format!("{}%", number.text))
}

fn percents<'b>(block: &'b Block<'_, '_>, slot: Slot) -> impl Iterator<Item = Number<'b>> {
    pieces_of(block, Opener::Label(slot)).filter_map(|piece| match piece.what {
        What::Number(number) if number.unit == Unit::Percent => Some(number),
        _ => None,
    })
}

/// How many pieces may stand between a percentage and the capital that it is a part of: "4% of your portfolio".
const CAPITAL_DISTANCE: usize = 4;

fn size(block: &Block<'_, '_>) -> Option<PercentRange> {
    let list = &block.pieces.list;
    let found = list.iter().enumerate().find_map(|(at, piece)| {
        let What::Number(number) = piece.what else { return None };
        let next = list[at + 1..].iter().take(CAPITAL_DISTANCE).take_while(|next| next.line == piece.line);
        let capital = next.into_iter().any(|next| next.what.is(Meaning::Capital));
        (number.unit == Unit::Percent && capital).then_some(number)
    });
    found.and_then(|number| number.text.replace(',', ".").parse().ok())
}

/// Behind its label, else beside the symbol or alone in a line.
fn timeframe(block: &Block<'_, '_>) -> Option<String> {
    span_in(block, Slot::Timeframe).or_else(|| span_in_opener(block, Opener::Header))
}

fn span_in(block: &Block<'_, '_>, slot: Slot) -> Option<String> {
    span_in_opener(block, Opener::Label(slot))
}

fn span_in_opener(block: &Block<'_, '_>, opener: Opener) -> Option<String> {
    pieces_of(block, opener).find_map(|piece| match &piece.what {
        What::Number(number) => match number.unit {
            Unit::Span(letter) => Some(format!("{}{letter}", number.text)),
            _ => None,
        },
        What::Term(Meaning::Candle(length), _) => Some((*length).to_owned()),
        _ => None,
    })
}
