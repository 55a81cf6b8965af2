//! Plausibility: what a sound signal may still have wrong with it, because a number was misread or mistyped.
//!
//! Entry point: [`check`]. Stricter than [`Signal::new`](crate::signal::Signal::new), which only knows geometry.
//! Invariants: these rules refuse, they never choose a value.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use crate::money::Price;
use crate::signal::{Entry, Market, Side, SignalDraft, Stop, Symbol, TargetLevel};

/// A target further than three times the entry is a slip, unless the coin is bought to be kept.
const MAX_TARGET_RATIO: u32 = 3;
/// A stop that is more than one and a half times the entry away is a slip.
const MAX_STOP_RATIO: Decimal = Decimal::from_parts(15, 0, 0, false, 1);
/// Two prices whose ratio is this near to a power of ten differ by a slipped decimal point.
const SLIP_TOLERANCE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// Prices within this factor of one another cannot differ by a slip.
const LEAST_SLIP: Decimal = Decimal::from_parts(9, 0, 0, false, 0);
/// A loose number within this factor of the levels might be a level.
const NEARBY: Decimal = Decimal::from_parts(2, 0, 0, false, 0);

/// Prices in dollars that a coin has kept within for years, with a wide margin. They only refuse readings: `64.8` for a
/// bitcoin is shorthand or thousands with a point, and neither is guessed.
const BANDS: &[(&str, u32, u32)] = &[
    ("BTC", 3_000, 1_000_000),
    ("ETH", 100, 50_000),
    ("BNB", 20, 20_000),
    ("SOL", 5, 5_000),
    ("MKR", 200, 20_000),
    ("BCH", 50, 10_000),
    ("LTC", 15, 2_000),
    ("XMR", 20, 5_000),
    ("AAVE", 15, 5_000),
    ("TAO", 20, 10_000),
    ("YFI", 500, 200_000),
    ("ZEC", 8, 5_000),
    ("XRP", 0, 200),
    ("DOGE", 0, 50),
    ("ADA", 0, 100),
    ("TRX", 0, 50),
    ("XLM", 0, 50),
    ("HBAR", 0, 50),
    ("SHIB", 0, 1),
    ("PEPE", 0, 1),
    ("BONK", 0, 1),
    ("FLOKI", 0, 1),
    ("LUNC", 0, 1),
    ("BTT", 0, 1),
];

/// Refuses a draft with an implausible price, or with a number nearby that belongs to no label.
pub(super) fn check(draft: &SignalDraft, loose: &[Decimal]) -> Result<(), Doubt> {
    check_ladder(draft)?;
    match &draft.instrument.option {
        // A premium may lose all or win several times itself; what must fit is the strike.
        Some(terms) => check_band(draft, Some(Ends::of_one(terms.strike)), || std::iter::once(terms.strike))?,
        None => {
            let ends = Ends::of(levels(draft));
            if !ends.is_some_and(Ends::are_near) {
                check_ratios(draft)?;
            }
            check_band(draft, ends, || levels(draft))?;
            check_coin_quote(draft)?;
        }
    }
    check_loose(loose, draft)
}

/// Every price of a draft: entries, targets, stop.
fn levels(draft: &SignalDraft) -> impl Iterator<Item = Price> + '_ {
    let stop = draft.stop.as_ref().and_then(Stop::price);
    draft.entry.each_price().chain(targets(draft)).chain(stop)
}

fn targets(draft: &SignalDraft) -> impl Iterator<Item = Price> + '_ {
    draft.targets.iter().filter_map(|target| match target.at {
        TargetLevel::Price(price) => Some(price),
        _ => None,
    })
}

/// The lowest and the highest price of a draft, as [`Price::units`].
#[derive(Clone, Copy)]
struct Ends {
    low: u128,
    high: u128,
}

impl Ends {
    fn of_one(price: Price) -> Self {
        Self { low: price.units(), high: price.units() }
    }

    fn of(prices: impl Iterator<Item = Price>) -> Option<Self> {
        let join = |a: Self, b: Self| Self { low: a.low.min(b.low), high: a.high.max(b.high) };
        prices.map(Self::of_one).reduce(join)
    }

    /// True when no price is one and a half times another one, as in nearly all calls: then none is far from any, and
    /// none is another one with a slipped point.
    fn are_near(self) -> bool {
        self.high * 2 <= self.low * 3
    }
}

/// A ladder that climbs towards the profit while no target is named: its later legs may be the targets.
fn check_ladder(draft: &SignalDraft) -> Result<(), Doubt> {
    let Entry::Ladder { legs, .. } = &draft.entry else { return Ok(()) };
    let has_target = draft.targets.iter().any(|target| target.at != TargetLevel::Runner);
    let towards_profit = legs.windows(2).any(|pair| match draft.side {
        Side::Long => pair[1].price.units() > pair[0].price.units(),
        Side::Short => pair[1].price.units() < pair[0].price.units(),
    });
    if towards_profit && !has_target {
        return Err(Doubt::Unclear("no target is named, and some of the entries may be targets"));
    }
    Ok(())
}

fn check_ratios(draft: &SignalDraft) -> Result<(), Doubt> {
    let stop = draft.stop.as_ref().and_then(Stop::price).map(Price::get);
    let entries: Vec<Decimal> = draft.entry.each_price().map(Price::get).collect();
    let bases = if entries.is_empty() { stop.into_iter().collect() } else { entries };
    let spot = draft.instrument.market == Some(Market::Spot);
    for base in bases {
        for target in targets(draft).map(Price::get) {
            if !spot && !within(base, target, Decimal::from(MAX_TARGET_RATIO)) || is_slip(base, target) {
                return Err(far("target", target, base));
            }
        }
        if let Some(stop) = stop.filter(|stop| !within(base, *stop, MAX_STOP_RATIO)) {
            return Err(far("stop", stop, base));
        }
    }
    Ok(())
}

fn within(a: Decimal, b: Decimal, factor: Decimal) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    low.checked_mul(factor).is_none_or(|limit| high <= limit)
}

/// True when one price is about ten, a hundred… times the other.
fn is_slip(a: Decimal, b: Decimal) -> bool {
    // Nearly all prices of a call are far nearer to one another than a power of ten: no division for these.
    if within(a, b, LEAST_SLIP) {
        return false;
    }
    let (low, high) = (a.min(b), a.max(b));
    let Some(mut ratio) = high.checked_div(low) else { return true };
    while ratio > Decimal::from(20) {
        ratio /= Decimal::TEN;
    }
    (ratio / Decimal::TEN - Decimal::ONE).abs() <= SLIP_TOLERANCE
}

fn far(what: &'static str, value: Decimal, other: Decimal) -> Doubt {
    let (value, other) = (value.normalize(), other.normalize());
    Doubt::Unsound(format!("{what} {value} is implausibly far from {other}: looks like a slip of the pen"))
}

/// Whether a price in dollars is one that the coin can have; none for coins without a band.
pub(super) fn is_in_band(base: &Symbol, price: Decimal) -> Option<bool> {
    let (low, high) = band(base)?;
    Some(price >= Decimal::from(low) && price <= Decimal::from(high))
}

fn band(base: &Symbol) -> Option<(u32, u32)> {
    BANDS.iter().find(|(name, _, _)| *name == base.as_str()).map(|(_, low, high)| (*low, *high))
}

fn check_band<I: Iterator<Item = Price>>(
    draft: &SignalDraft,
    ends: Option<Ends>,
    prices: impl Fn() -> I,
) -> Result<(), Doubt> {
    let Some((low, high)) = band(&draft.instrument.base) else { return Ok(()) };
    let units = |dollars: u32| u128::from(dollars) * Price::ONE_IN_UNITS;
    let outside = |ends: Ends| ends.low < units(low) || ends.high > units(high);
    let in_dollars = || draft.instrument.quote.as_ref().is_none_or(|quote| quote.as_str().contains("USD"));
    if !ends.is_some_and(outside) || !in_dollars() {
        return Ok(());
    }
    match prices().find(|price| outside(Ends::of_one(*price))) {
        Some(price) => {
            let base = &draft.instrument.base;
            Err(Doubt::Unsound(format!("{price} is no plausible price of {base}: the scale is not written")))
        }
        None => Ok(()),
    }
}

/// What a coin costs at most in bitcoin, and in other coins that serve as quotes; wrapped bitcoin is the dearest.
const MOST_BITCOIN: u128 = 2 * Price::ONE_IN_UNITS;
const MOST_COINS: u128 = 1_000 * Price::ONE_IN_UNITS;

/// `FET/BTC 298`: nothing costs that many bitcoin; the unit is not written.
fn check_coin_quote(draft: &SignalDraft) -> Result<(), Doubt> {
    let most = match draft.instrument.quote.as_ref().map(Symbol::as_str) {
        Some("BTC" | "XBT") => MOST_BITCOIN,
        Some("ETH" | "BNB" | "SOL") => MOST_COINS,
        _ => return Ok(()),
    };
    match levels(draft).find(|price| price.units() > most) {
        Some(price) => {
            Err(Doubt::Unsound(format!("{price} is no plausible price in a coin: the scale is not written")))
        }
        None => Ok(()),
    }
}

/// True when two prices may be levels of one signal.
pub(super) fn within_reach(a: Decimal, b: Decimal) -> bool {
    within(a, b, NEARBY)
}

fn check_loose(loose: &[Decimal], draft: &SignalDraft) -> Result<(), Doubt> {
    let near = |number: &&Decimal| levels(draft).any(|level| within_reach(**number, level.get()));
    match loose.iter().find(near) {
        Some(number) => Err(Doubt::Stray(number.normalize())),
        None => Ok(()),
    }
}
