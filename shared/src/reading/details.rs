//! Details: leverage, margin mode, risk, size, timeframe, validity. Helpful, but never worth a refusal.
//!
//! Entry point: [`Details::of`]. Invariants: what cannot be read stays absent; a leverage is never raised: with several values
//! the range is kept as written.

mod leverage;

pub(super) use leverage::is_left_over as leverage_is_left_over;

use super::evidence::Field;
use super::fields::Opener;
use super::ids;
use super::marks::Mark;
use super::pieces::{Piece, What};
use super::seen::Sight;
use super::signals::Block;
use super::tokens::{Number, Unit};
use super::words::{Meaning, Named, Slot};
use crate::money::PercentRange;
use crate::signal::{LeverageRange, MarginMode, SignalDraft};

/// What a block says beside its levels.
#[derive(Debug, Default)]
pub(super) struct Details {
    leverage: Option<LeverageRange>,
    margin_mode: Option<MarginMode>,
    risk: Option<PercentRange>,
    size: Option<PercentRange>,
    timeframe: Option<String>,
    expiry: Option<String>,
    confidence: Option<String>,
    reference: Option<String>,
    /// Where these stand.
    pub(super) marks: Vec<Mark>,
}

impl Details {
    /// Reads the details of a block.
    pub(super) fn of(block: &Block<'_, '_>) -> Self {
        let mut details = Self::default();
        details.leverage = leverage::read(block, &mut details.marks);
        details.margin_mode = margin_mode(block, &mut details.marks);
        // Nearly every detail is a percentage, a span of time or the length of a candle.
        if block.pieces.seen.has(Sight::Percent) {
            let risk = percent_in(block, Slot::Risk).or_else(|| percent_before(block, Slot::Risk));
            details.risk = details.taken(Field::Risk, risk);
            details.size = details.taken(Field::Size, size(block));
            details.confidence = details.taken(Field::Confidence, percent_text(block, Slot::Confidence));
        }
        if block.pieces.seen.has(Sight::Span) || block.pieces.may_have_any(&[Meaning::Candle(Named::Day)]) {
            details.timeframe = details.taken(Field::Timeframe, timeframe(block));
            details.expiry = details.taken(Field::Expiry, span_in(block, Opener::Label(Slot::Expiry)));
        }
        let id = ids::labelled(block.pieces).or_else(|| ids::numbered(block.pieces));
        details.reference = details.taken(Field::Reference, id.map(|(id, piece)| (id.to_owned(), piece)));
        details
    }

    /// Keeps a value and marks where it stands.
    fn taken<T>(&mut self, field: Field, found: Option<(T, &Piece<'_>)>) -> Option<T> {
        let (value, piece) = found?;
        self.marks.push(Mark::of(field, piece));
        Some(value)
    }

    /// Fills in the details of a signal.
    pub(super) fn fill(&self, draft: &mut SignalDraft) {
        draft.leverage = self.leverage;
        draft.margin_mode = self.margin_mode;
        draft.risk_pct = self.risk;
        draft.size_pct = self.size;
        draft.timeframe.clone_from(&self.timeframe);
        draft.expiry.clone_from(&self.expiry);
        draft.confidence.clone_from(&self.confidence);
        draft.reference.clone_from(&self.reference);
    }
}

fn pieces_of<'b, 't>(block: &'b Block<'_, 't>, opener: Opener) -> impl Iterator<Item = &'b Piece<'t>> {
    block.with(opener).flat_map(|(field, _)| &block.pieces.list[field.range.clone()])
}

/// "Cross" and "isolated" only count beside a leverage, after its label, or alone in a field for it.
fn margin_mode(block: &Block<'_, '_>, marks: &mut Vec<Mark>) -> Option<MarginMode> {
    if !block.pieces.may_have_any(&[Meaning::Cross, Meaning::Isolated]) {
        return None;
    }
    let levered = |line: &&[Piece<'_>]| {
        line.iter().any(|piece| {
            let times = matches!(&piece.what, What::Number(number) if number.unit == Unit::Times);
            times || matches!(piece.what.slot(), Some(Slot::Leverage | Slot::Margin))
        })
    };
    let lines = block.pieces.list.chunk_by(|a, b| a.line == b.line).filter(levered);
    let modes = lines.flatten().filter_map(|piece| match piece.what {
        What::Term(Meaning::Cross, _) => Some((MarginMode::Cross, piece)),
        What::Term(Meaning::Isolated, _) => Some((MarginMode::Isolated, piece)),
        _ => None,
    });
    let modes: Vec<(MarginMode, &Piece<'_>)> = modes.collect();
    let (first, _) = *modes.first()?;
    if modes.iter().any(|(mode, _)| *mode != first) {
        return None;
    }
    marks.extend(modes.iter().map(|(_, piece)| Mark::of(Field::MarginMode, piece)));
    Some(first)
}

/// A piece of the block, with the value that was read from it.
type Read<'b, 't, T> = Option<(T, &'b Piece<'t>)>;

fn percent_in<'b, 't>(block: &'b Block<'_, 't>, slot: Slot) -> Read<'b, 't, PercentRange> {
    let pieces: Vec<&Piece<'_>> = pieces_of(block, Opener::Label(slot)).collect();
    percent_range(&pieces)
}

/// The first percentage; with another number before it and a dash or "to" between them, the range of both.
fn percent_range<'b, 't>(pieces: &[&'b Piece<'t>]) -> Read<'b, 't, PercentRange> {
    let number = |at: usize, units: &[Unit]| match pieces.get(at).map(|piece| &piece.what) {
        Some(What::Number(number)) if units.contains(&number.unit) => {
            let whole = if number.text.starts_with('.') { "0" } else { "" };
            Some(format!("{whole}{}", number.text.replace(',', ".")))
        }
        _ => None,
    };
    let (at, most) = (0..pieces.len()).find_map(|at| Some((at, number(at, &[Unit::Percent])?)))?;
    let joins = |at: usize| {
        pieces
            .get(at)
            .is_some_and(|piece| matches!(piece.what, What::Mark('-' | '~') | What::Term(Meaning::To, _)))
    };
    // "1% - 2%" begins with the lower end, "1-2%" ends with the percentage.
    let range = match (at.checked_sub(2), joins(at + 1)) {
        (Some(least), _) if joins(at - 1) => {
            number(least, &[Unit::None]).map(|least| format!("{least}-{most}"))
        }
        (_, true) => number(at + 2, &[Unit::Percent]).map(|upper| format!("{most}-{upper}")),
        _ => None,
    };
    Some((range.unwrap_or(most).parse().ok()?, pieces[at]))
}

/// "0.5% risk": the percentage right before the label.
fn percent_before<'b, 't>(block: &'b Block<'_, 't>, slot: Slot) -> Read<'b, 't, PercentRange> {
    if !block.pieces.has(Meaning::Label(slot)) {
        return None;
    }
    let pairs = block.pieces.list.windows(2).filter(|pair| pair[0].line == pair[1].line);
    pairs.into_iter().find_map(|pair| match pair[0].what {
        What::Number(number) if number.unit == Unit::Percent && pair[1].what.slot() == Some(slot) => {
            Some((number.text.replace(',', ".").parse().ok()?, &pair[0]))
        }
        _ => None,
    })
}

fn percent_text<'b, 't>(block: &'b Block<'_, 't>, slot: Slot) -> Read<'b, 't, String> {
    percents(block, slot).next().map(|(number, piece)| (format!("{}%", number.text), piece))
}

fn percents<'b, 't>(
    block: &'b Block<'_, 't>,
    slot: Slot,
) -> impl Iterator<Item = (Number<'t>, &'b Piece<'t>)> {
    pieces_of(block, Opener::Label(slot)).filter_map(|piece| match piece.what {
        What::Number(number) if number.unit == Unit::Percent => Some((number, piece)),
        _ => None,
    })
}

/// How many pieces may stand between a percentage and the capital that it is a part of: "4% of your portfolio".
const CAPITAL_DISTANCE: usize = 4;

/// Behind its label, else before the capital that it is a part of: "4% of your portfolio". What is risked is no size.
fn size<'b, 't>(block: &'b Block<'_, 't>) -> Read<'b, 't, PercentRange> {
    percent_in(block, Slot::Size).or_else(|| size_of_capital(block))
}

fn size_of_capital<'b, 't>(block: &'b Block<'_, 't>) -> Read<'b, 't, PercentRange> {
    let list = &block.pieces.list;
    if !block.pieces.has(Meaning::Capital) {
        return None;
    }
    let risked =
        |at: usize| block.with(Opener::Label(Slot::Risk)).any(|(field, _)| field.range.contains(&at));
    list.iter().enumerate().find_map(|(at, piece)| {
        let is_percent = matches!(&piece.what, What::Number(number) if number.unit == Unit::Percent);
        if !is_percent || risked(at) {
            return None;
        }
        let same_line = |next: &&Piece<'_>| next.line == piece.line;
        let mut next = list[at + 1..].iter().take(CAPITAL_DISTANCE).take_while(same_line);
        if !next.any(|next| next.what.is(Meaning::Capital)) {
            return None;
        }
        let near: Vec<&Piece<'_>> = list[at.saturating_sub(2)..=at].iter().filter(same_line).collect();
        percent_range(&near)
    })
}

/// Behind its label, else beside the symbol or alone in a line.
fn timeframe<'b, 't>(block: &'b Block<'_, 't>) -> Read<'b, 't, String> {
    span_in(block, Opener::Label(Slot::Timeframe)).or_else(|| span_in(block, Opener::Header))
}

fn span_in<'b, 't>(block: &'b Block<'_, 't>, opener: Opener) -> Read<'b, 't, String> {
    pieces_of(block, opener).find_map(|piece| match &piece.what {
        What::Number(number) => match number.unit {
            Unit::Span(letter) => Some((format!("{}{letter}", number.text), piece)),
            _ => None,
        },
        What::Term(Meaning::Candle(length), _) => Some((length.as_str().to_owned(), piece)),
        _ => None,
    })
}
