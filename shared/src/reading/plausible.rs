//! Plausibility: what a sound signal may still have wrong with it, because a number was misread or mistyped.
//!
//! Entry point: [`check`]. Stricter than [`Signal::new`](crate::signal::Signal::new), which only knows geometry.
//! Invariants: these rules refuse, they never choose a value.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use crate::signal::{Entry, Market, Side, SignalDraft, Symbol, TargetLevel};

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
    let entries: Vec<Decimal> = draft.entry.prices().iter().map(|price| price.get()).collect();
    let targets = draft.targets.iter().filter_map(|target| match target.at {
        TargetLevel::Price(price) => Some(price.get()),
        _ => None,
    });
    let targets: Vec<Decimal> = targets.collect();
    check_ladder(draft)?;
    let stop = draft.stop.as_ref().and_then(|stop| stop.price()).map(|price| price.get());
    let all: Vec<Decimal> = entries.iter().chain(&targets).copied().chain(stop).collect();
    match &draft.instrument.option {
        // A premium may lose all or win several times itself; what must fit is the strike.
        Some(terms) => check_band(draft, &[terms.strike.get()])?,
        None => {
            check_ratios(draft, (&entries, &targets, stop))?;
            check_band(draft, &all)?;
            check_coin_quote(draft, &all)?;
        }
    }
    check_loose(loose, &all)
}

/// A ladder that climbs towards the profit while no target is named: its later legs may be the targets.
fn check_ladder(draft: &SignalDraft) -> Result<(), Doubt> {
    let Entry::Ladder { legs, .. } = &draft.entry else { return Ok(()) };
    let has_target = draft.targets.iter().any(|target| target.at != TargetLevel::Runner);
    let towards_profit = legs.windows(2).any(|pair| match draft.side {
        Side::Long => pair[1].price > pair[0].price,
        Side::Short => pair[1].price < pair[0].price,
    });
    if towards_profit && !has_target {
        return Err(Doubt::Unclear("no target is named, and some of the entries may be targets"));
    }
    Ok(())
}

fn check_ratios(draft: &SignalDraft, levels: (&[Decimal], &[Decimal], Option<Decimal>)) -> Result<(), Doubt> {
    let (entries, targets, stop) = levels;
    let bases: Vec<Decimal> = if entries.is_empty() { stop.into_iter().collect() } else { entries.to_vec() };
    let spot = draft.instrument.market == Some(Market::Spot);
    for base in &bases {
        for target in targets {
            if !spot && !within(*base, *target, Decimal::from(MAX_TARGET_RATIO)) || is_slip(*base, *target) {
                return Err(far("target", *target, *base));
            }
        }
        if let Some(stop) = stop.filter(|stop| !within(*base, *stop, MAX_STOP_RATIO)) {
            return Err(far("stop", stop, *base));
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
    let (_, low, high) = BANDS.iter().find(|(name, _, _)| *name == base.as_str())?;
    Some(price >= Decimal::from(*low) && price <= Decimal::from(*high))
}

fn check_band(draft: &SignalDraft, prices: &[Decimal]) -> Result<(), Doubt> {
    let base = &draft.instrument.base;
    let dollars = draft.instrument.quote.as_ref().is_none_or(|quote| quote.as_str().contains("USD"));
    match prices.iter().find(|price| dollars && is_in_band(base, **price) == Some(false)) {
        Some(price) => {
            let price = price.normalize();
            Err(Doubt::Unsound(format!("{price} is no plausible price of {base}: the scale is not written")))
        }
        None => Ok(()),
    }
}

/// What a coin costs at most in bitcoin, and in other coins that serve as quotes; wrapped bitcoin is the dearest.
const MOST_BITCOIN: Decimal = Decimal::TWO;
const MOST_COINS: Decimal = Decimal::ONE_THOUSAND;

/// `FET/BTC 298`: nothing costs that many bitcoin; the unit is not written.
fn check_coin_quote(draft: &SignalDraft, prices: &[Decimal]) -> Result<(), Doubt> {
    let most = match draft.instrument.quote.as_ref().map(Symbol::as_str) {
        Some("BTC" | "XBT") => MOST_BITCOIN,
        Some("ETH" | "BNB" | "SOL") => MOST_COINS,
        _ => return Ok(()),
    };
    match prices.iter().find(|price| **price > most) {
        Some(price) => {
            let price = price.normalize();
            Err(Doubt::Unsound(format!("{price} is no plausible price in a coin: the scale is not written")))
        }
        None => Ok(()),
    }
}

/// True when two prices may be levels of one signal.
pub(super) fn within_reach(a: Decimal, b: Decimal) -> bool {
    within(a, b, NEARBY)
}

fn check_loose(loose: &[Decimal], levels: &[Decimal]) -> Result<(), Doubt> {
    let near = |number: &&Decimal| levels.iter().any(|level| within_reach(**number, *level));
    match loose.iter().find(near) {
        Some(number) => Err(Doubt::Stray(number.normalize())),
        None => Ok(()),
    }
}
