//! A signal, an entry and a stop in the words of the batch contract.
//!
//! Entry points: [`SignalForm`], [`EntryForm`], [`StopForm`]. Numbers are texts in normal form, as [`crate::money`] writes
//! them.

use serde::Serialize;

use crate::money::{Percent, PercentRange, Price};
use crate::signal::{
    Break, Entry, EntryLeg, LeverageRange, MarginMode, Market, OptionRight, OptionTerms, Side, Signal, Stop,
    Symbol, Target, TargetLevel,
};

/// A signal. Every key but `option` is always there.
#[derive(Serialize)]
pub(super) struct SignalForm<'r> {
    base: &'r Symbol,
    quote: Option<&'r Symbol>,
    venue: Option<&'r str>,
    market: Option<Market>,
    side: Side,
    entry: EntryForm,
    tps: Vec<TargetForm>,
    sl: Option<StopForm<'r>>,
    leverage: Option<LeverageRange>,
    margin_mode: Option<MarginMode>,
    risk_pct: Option<PercentRange>,
    size_pct: Option<PercentRange>,
    timeframe: Option<&'r str>,
    confidence: Option<&'r str>,
    expiry: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<OptionForm<'r>>,
}

/// The terms of an option.
#[derive(Serialize)]
struct OptionForm<'r> {
    #[serde(rename = "type")]
    right: OptionRight,
    strike: Price,
    expiry: &'r str,
}

/// An entry: always a list of prices, whatever its type.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum EntryForm {
    Market {
        prices: Vec<Price>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        implied: bool,
    },
    Limit {
        prices: [Price; 1],
    },
    Zone {
        prices: [Price; 2],
    },
    Ladder {
        prices: Vec<Price>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        alloc_pct: Vec<Option<Percent>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        first_market: bool,
    },
    Trigger {
        op: Break,
        prices: [Price; 1],
    },
}

/// A target: exactly one of the first four keys.
#[derive(Default, Serialize)]
struct TargetForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pct: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<Percent>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    alloc_pct: Option<Percent>,
}

/// A stop.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StopForm<'r> {
    Price { price: Price },
    Pct { pct: Percent },
    Conditional { price: Price, timeframe: &'r str, cond: &'static str },
    None,
}

impl<'r> From<&'r Signal> for SignalForm<'r> {
    fn from(signal: &'r Signal) -> Self {
        let fields = signal.fields();
        let instrument = &fields.instrument;
        Self {
            base: &instrument.base,
            quote: instrument.quote.as_ref(),
            venue: instrument.venue.as_deref(),
            market: instrument.market,
            side: fields.side,
            entry: EntryForm::from(&fields.entry),
            tps: fields.targets.iter().map(TargetForm::from).collect(),
            sl: fields.stop.as_ref().map(|stop| StopForm::of(stop, Some(fields.side))),
            leverage: fields.leverage,
            margin_mode: fields.margin_mode,
            risk_pct: fields.risk_pct,
            size_pct: fields.size_pct,
            timeframe: fields.timeframe.as_deref(),
            confidence: fields.confidence.as_deref(),
            expiry: fields.expiry.as_deref(),
            option: instrument.option.as_ref().map(OptionForm::from),
        }
    }
}

impl<'r> From<&'r OptionTerms> for OptionForm<'r> {
    fn from(terms: &'r OptionTerms) -> Self {
        Self { right: terms.right, strike: terms.strike, expiry: &terms.expiry }
    }
}

impl From<&Entry> for EntryForm {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Market { implied, .. } => Self::Market { prices: entry.prices(), implied: *implied },
            Entry::Limit { price } => Self::Limit { prices: [*price] },
            Entry::Zone { low, high } => Self::Zone { prices: [*low, *high] },
            Entry::Ladder { legs, first_market } => {
                Self::Ladder { prices: entry.prices(), alloc_pct: shares(legs), first_market: *first_market }
            }
            Entry::Trigger { direction, price } => Self::Trigger { op: *direction, prices: [*price] },
        }
    }
}

/// The shares in the order of the prices; nothing where none is stated.
fn shares(legs: &[EntryLeg]) -> Vec<Option<Percent>> {
    let stated = legs.iter().any(|leg| leg.share.is_some());
    if stated { legs.iter().map(|leg| leg.share).collect() } else { Vec::new() }
}

impl From<&Target> for TargetForm {
    fn from(target: &Target) -> Self {
        let form = Self { alloc_pct: target.share, ..Self::default() };
        match target.at {
            TargetLevel::Price(price) => Self { price: Some(price), ..form },
            TargetLevel::Percent(pct) => Self { pct: Some(pct), ..form },
            TargetLevel::RMultiple(r) => Self { r: Some(r), ..form },
            TargetLevel::Runner => Self { open: true, ..form },
        }
    }
}

impl<'r> StopForm<'r> {
    /// A stop of a trade in this direction: a long's waits for a close below. Where nothing says the direction, neither
    /// does the price, and a long is assumed.
    pub(super) fn of(stop: &'r Stop, side: Option<Side>) -> Self {
        match stop {
            Stop::Price { price } => Self::Price { price: *price },
            Stop::Percent { percent } => Self::Pct { pct: *percent },
            Stop::OnClose { price, timeframe } => {
                let cond = if side == Some(Side::Short) { "close_above" } else { "close_below" };
                Self::Conditional { price: *price, timeframe, cond }
            }
            Stop::None => Self::None,
        }
    }
}
