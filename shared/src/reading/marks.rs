//! Marks: which stretches of a cleaned text the fields of a reading came from, on their way to become evidence.
//!
//! Entry points: [`of_signal`], [`evidence`]. Invariant: marks never decide anything; they are taken when the reading stands.

use super::clean::Text;
use super::evidence::{Evidence, Field};
use super::levels::Levels;
use super::pieces::{Bytes, Piece, What};
use super::signals::Block;
use super::source::Source;
use super::tokens::Number;
use super::values::{Item, Level};
use super::words::Meaning;
use crate::signal::{Entry, Market, Signal, Stop};

/// A stretch of the cleaned text and the field that came from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The field.
    pub(super) field: Field,
    /// Where.
    pub(super) bytes: Bytes,
}

impl Mark {
    /// The mark of one piece.
    pub(super) fn of(field: Field, piece: &Piece<'_>) -> Self {
        Self { field, bytes: piece.bytes }
    }
}

/// The marks of a signal that was read from a block; `details` are those taken already.
pub(super) fn of_signal(
    block: &Block<'_, '_>,
    levels: &Levels<'_>,
    signal: &Signal,
    details: &[Mark],
) -> Vec<Mark> {
    let list = &block.pieces.list;
    let mut marks = Vec::with_capacity(MARKS_OF_CALL);
    for piece in list.iter().filter(|piece| may_tell(&piece.what)) {
        marks.extend(field_of_word(&piece.what, levels, signal).map(|field| Mark::of(field, piece)));
        if matches!(&piece.what, What::Ticker(mention) if mention.option.is_some()) {
            marks.push(Mark::of(Field::Option, piece));
        }
    }
    let levelled =
        [(Field::Entry, &levels.entry), (Field::Target, &levels.targets), (Field::Stop, &levels.stop)];
    for (field, items) in levelled {
        marks.extend(items.iter().flat_map(|item| of_item(list, field, item)));
    }
    if !levels.exits.is_empty() {
        let stop = signal.fields().stop.as_ref().and_then(Stop::price).map(|price| price.to_string());
        for exit in &levels.exits {
            let is_stop = matches!(exit.level, Level::Price(number) if stop.as_deref() == Some(number.text));
            marks.extend(of_item(list, if is_stop { Field::Stop } else { Field::Target }, exit));
        }
    }
    marks.extend_from_slice(details);
    marks
}

/// How many marks most calls have at most; there is room for more.
const MARKS_OF_CALL: usize = 16;

/// False for most pieces, which contribute nothing by themselves.
fn may_tell(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Ticker(_)
            | What::Term(
                Meaning::Side(_)
                    | Meaning::StopOrder(_)
                    | Meaning::Buy
                    | Meaning::OptionBuy
                    | Meaning::Bought
                    | Meaning::Sell
                    | Meaning::Venue(_)
                    | Meaning::Spot
                    | Meaning::Futures
                    | Meaning::Market
                    | Meaning::NoStop,
                _
            )
    )
}

/// What a phrase or a symbol contributes to the signal by itself.
fn field_of_word(what: &What<'_>, levels: &Levels<'_>, signal: &Signal) -> Option<Field> {
    let fields = signal.fields();
    let market = fields.instrument.market;
    let marks = |fits: bool, field: Field| fits.then_some(field);
    match what {
        What::Ticker(mention) => marks(mention.base == *signal.base(), Field::Symbol),
        What::Term(Meaning::Side(side) | Meaning::StopOrder(side), _) => {
            marks(*side == signal.side(), Field::Side)
        }
        What::Term(Meaning::Buy | Meaning::OptionBuy, _) => Some(Field::Side),
        What::Term(Meaning::Bought, _) => marks(fields.instrument.option.is_some(), Field::Side),
        What::Term(Meaning::Sell, _) => marks(!levels.sells_are_targets, Field::Side),
        What::Term(Meaning::Venue(venue), _) => {
            marks(fields.instrument.venue.as_deref() == Some(venue.as_str()), Field::Venue)
        }
        What::Term(Meaning::Spot, _) => marks(market == Some(Market::Spot), Field::Market),
        What::Term(Meaning::Futures, _) => marks(market == Some(Market::Perp), Field::Market),
        What::Term(Meaning::Market, _) => {
            let at_market = matches!(
                fields.entry,
                Entry::Market { implied: false, .. } | Entry::Ladder { first_market: true, .. }
            );
            marks(at_market, Field::Entry)
        }
        What::Term(Meaning::NoStop, _) => marks(fields.stop == Some(Stop::None), Field::Stop),
        _ => None,
    }
}

/// The marks of a level and its share.
pub(super) fn of_item(list: &[Piece<'_>], field: Field, item: &Item<'_>) -> impl Iterator<Item = Mark> {
    let level = match item.level {
        Level::Price(number) | Level::Percent(number) | Level::Multiple(number) => Some(number),
        Level::Runner => None,
    };
    let share = item.share.map(|(number, _)| number);
    level.into_iter().chain(share).filter_map(move |number| of_number(list, field, number))
}

/// The mark of a number, with its unit.
pub(super) fn of_number(list: &[Piece<'_>], field: Field, number: Number<'_>) -> Option<Mark> {
    let at = list.partition_point(|piece| piece.bytes.start < number.at);
    list.get(at).filter(|piece| piece.bytes.start == number.at).map(|piece| Mark::of(field, piece))
}

/// The evidence of signal or update number `of`: marks as places of the post, in order, each once.
pub(super) fn evidence(marks: &[Mark], of: usize, (source, text): (&Source<'_>, &Text)) -> Vec<Evidence> {
    let Ok(of) = u16::try_from(of) else { return Vec::new() };
    let mut evidence = Vec::with_capacity(marks.len());
    evidence.extend(marks.iter().filter_map(|mark| {
        let (first, last) = (text.place(mark.bytes.start)?, text.place(mark.bytes.end.checked_sub(1)?)?);
        let (part, start, end) = source.span(first, last)?;
        Some(Evidence { of, field: mark.field, part, start, end })
    }));
    evidence.sort_unstable_by_key(|e| (e.part, e.start, e.end, e.field));
    evidence.dedup();
    evidence
}
