//! How much to trade: from prices and shares to quantities that fit the limits and the exchange.
//!
//! Entry points: [`draft`], the prices of entries and stop; [`size`], their quantities; [`targets`]; [`shares`].
//! Invariants: the loss at the stop stays within the risk per trade; leverage only ever lowers a quantity; quantities
//! round down; entries round away from the market, a stop away from the entry, and the distance is measured after that.

use exchange::order::Rounding;
use exchange::{Filters, Order, OrderKind, OrderSide, Pair};
use rust_decimal::Decimal;
use shared::money::{Percent, Price, Quantity};
use shared::signal::{Entry, EntryLeg, Side, Signal, Stop, TargetLevel};

use super::plan::{AccountView, PlannedLeg, PlannedTarget, TargetAt};
use super::refusal::{Refusal, cents};
use super::rules::Rules;

/// Entries and stop on the exchange's price grid, before they have quantities.
pub(super) struct Draft {
    side: Side,
    legs: Vec<DraftLeg>,
    pub(super) stop: Price,
    filters: Filters,
}

struct DraftLeg {
    kind: OrderKind,
    price: Price,
    /// The part of the position, from 0 to 1.
    share: Decimal,
}

/// Puts a signal's entries and stop on the exchange's price grid.
pub(super) fn draft(signal: &Signal, price: Price, filters: &Filters) -> Result<Draft, Refusal> {
    let side = signal.side();
    let limit = |stated| Ok(limit_order(rounded(filters, stated, nearer_to_stop(side))?));
    let whole = |(kind, price)| vec![DraftLeg { kind, price, share: Decimal::ONE }];
    let legs = match &signal.fields().entry {
        Entry::Market { .. } => whole((OrderKind::Market, price)),
        Entry::Limit { price } => whole(limit(*price)?),
        Entry::Zone { low, high } => whole(limit(if side == Side::Long { *high } else { *low })?),
        Entry::Trigger { price, .. } => {
            let trigger = rounded(filters, *price, nearer_to_target(side))?;
            whole((OrderKind::Stop { trigger }, trigger))
        }
        Entry::Ladder { legs, first_market } => ladder(legs, first_market.then_some(price), limit)?,
    };
    let stop = rounded(filters, stop_price(signal, &legs)?, nearer_to_stop(side))?;
    for leg in &legs {
        let apart = if side == Side::Long { stop < leg.price } else { stop > leg.price };
        if !apart {
            return Err(Refusal::StopTooNear { entry: leg.price, stop });
        }
    }
    Ok(Draft { side, legs, stop, filters: filters.clone() })
}

fn limit_order(price: Price) -> (OrderKind, Price) {
    (OrderKind::Limit { price }, price)
}

/// One leg at the market (if asked), then one limit order per price. Legs without a share are left out.
fn ladder(
    legs: &[EntryLeg],
    market: Option<Price>,
    limit: impl Fn(Price) -> Result<(OrderKind, Price), Refusal>,
) -> Result<Vec<DraftLeg>, Refusal> {
    let stated = legs.iter().map(|leg| leg.share);
    let shares = shares(&market.map(|_| None).into_iter().chain(stated).collect::<Vec<_>>());
    let mut orders: Vec<(OrderKind, Price)> =
        market.map(|price| (OrderKind::Market, price)).into_iter().collect();
    for leg in legs {
        orders.push(limit(leg.price)?);
    }
    let legs = orders.into_iter().zip(shares);
    Ok(legs
        .filter(|(_, share)| !share.is_zero())
        .map(|((kind, price), share)| DraftLeg { kind, price, share })
        .collect())
}

/// Stated shares as parts of 1; those not stated share what is left equally. Sums above 100 % are scaled down to it.
pub(super) fn shares(stated: &[Option<Percent>]) -> Vec<Decimal> {
    let sum: Decimal = stated.iter().flatten().map(|share| share.get()).sum();
    let missing = Decimal::from(stated.iter().filter(|share| share.is_none()).count());
    let left = (Decimal::ONE_HUNDRED - sum).max(Decimal::ZERO);
    let each = left.checked_div(missing).unwrap_or(Decimal::ZERO);
    let whole = sum.max(Decimal::ONE_HUNDRED);
    stated.iter().map(|share| share.map_or(each, Percent::get) / whole).collect()
}

fn stop_price(signal: &Signal, legs: &[DraftLeg]) -> Result<Price, Refusal> {
    match &signal.fields().stop {
        Some(Stop::Price { price }) => Ok(*price),
        Some(Stop::Percent { percent }) => {
            let away = if signal.side() == Side::Long { -percent.get() } else { percent.get() };
            moved_by(average(legs)?, away).ok_or(Refusal::OutOfRange)
        }
        Some(Stop::OnClose { .. } | Stop::None) | None => Err(Refusal::NoStop),
    }
}

/// The price moved by a signed percentage.
pub(crate) fn moved_by(price: Price, percent: Decimal) -> Option<Price> {
    let factor = Decimal::ONE.checked_add(percent.checked_div(Decimal::ONE_HUNDRED)?)?;
    Price::new(price.get().checked_mul(factor)?.round_dp(MAX_DECIMALS)).ok()
}

/// As many decimals as a price may have.
const MAX_DECIMALS: u32 = 18;

fn average(legs: &[DraftLeg]) -> Result<Price, Refusal> {
    let sum: Decimal = legs.iter().map(|leg| leg.share * leg.price.get()).sum();
    let whole: Decimal = legs.iter().map(|leg| leg.share).sum();
    let average = sum.checked_div(whole).map(|average| average.round_dp(MAX_DECIMALS));
    average.and_then(|average| Price::new(average).ok()).ok_or(Refusal::OutOfRange)
}

/// The price of the first target, if it has one.
pub(super) fn first_target(signal: &Signal, draft: &Draft) -> Option<Price> {
    match signal.fields().targets.first()?.at {
        TargetLevel::Price(price) => Some(price),
        TargetLevel::Percent(percent) => {
            let away = if draft.side == Side::Long { percent.get() } else { -percent.get() };
            moved_by(average(&draft.legs).ok()?, away)
        }
        TargetLevel::RMultiple(_) | TargetLevel::Runner => None,
    }
}

/// The take-profit ladder: prices on the grid, shares that add up to 1. What nobody claims goes to the last rung.
pub(super) fn targets(signal: &Signal, filters: &Filters) -> Result<Vec<PlannedTarget>, Refusal> {
    let stated = &signal.fields().targets;
    let mut shares = shares(&stated.iter().map(|target| target.share).collect::<Vec<_>>());
    let sum: Decimal = shares.iter().sum();
    if let Some(last) = shares.last_mut() {
        *last += Decimal::ONE - sum;
    }
    let planned = stated.iter().zip(shares).map(|(target, share)| {
        let at = match target.at {
            TargetLevel::Price(price) => {
                TargetAt::Price(rounded(filters, price, nearer_to_stop(signal.side()))?)
            }
            TargetLevel::Percent(percent) => TargetAt::Percent(percent),
            TargetLevel::Runner => TargetAt::Runner,
            TargetLevel::RMultiple(_) => return Err(Refusal::RMultipleTarget),
        };
        Ok(PlannedTarget { at, share })
    });
    planned.collect()
}

/// Gives the legs their quantities, within the risk per trade, the leverage and the day's loss.
pub(super) fn size(
    draft: &Draft,
    rules: &Rules,
    view: &AccountView,
    pair: &Pair,
) -> Result<Vec<PlannedLeg>, Refusal> {
    let equity = view.equity.get();
    let per_unit = |value: fn(&DraftLeg, Price) -> Decimal| -> Decimal {
        draft.legs.iter().map(|leg| leg.share * value(leg, draft.stop)).sum()
    };
    let risk_per_unit = per_unit(|leg, stop| (leg.price.get() - stop.get()).abs());
    let worth_per_unit = per_unit(|leg, _| leg.price.get());
    let by_risk = percent_of(equity, rules.risk.per_trade.0)?.checked_div(risk_per_unit);

    let notional_limit = equity.checked_mul(rules.risk.max_leverage.0).ok_or(Refusal::OutOfRange)?;
    let notional_left = notional_limit - view.open_notional.get();
    if notional_left <= Decimal::ZERO {
        let (notional, limit) = (cents(view.open_notional.get()), cents(notional_limit));
        return Err(Refusal::NoLeverageLeft { notional, limit });
    }
    let by_leverage = notional_left.checked_div(worth_per_unit);
    let (Some(by_risk), Some(by_leverage)) = (by_risk, by_leverage) else { return Err(Refusal::OutOfRange) };
    let legs = quantities(draft, by_risk.min(by_leverage), pair)?;
    check_day(&legs, draft.stop, rules, view)?;
    Ok(legs)
}

fn quantities(draft: &Draft, whole: Decimal, pair: &Pair) -> Result<Vec<PlannedLeg>, Refusal> {
    let mut legs = Vec::with_capacity(draft.legs.len());
    for leg in &draft.legs {
        let exact = (whole.min(MAX_QUANTITY) * leg.share).round_dp_with_strategy(MAX_DECIMALS, DOWN);
        let exact = Quantity::new(exact).map_err(|_| Refusal::OutOfRange)?;
        let quantity = draft.filters.round_quantity(exact);
        let order = Order {
            id: exchange::ClientOrderId::derive("", uuid::Uuid::nil(), "draft", 0),
            pair: pair.clone(),
            side: OrderSide::opening(draft.side),
            kind: leg.kind.clone(),
            quantity,
            reduce_only: false,
        };
        if let Some(objection) = draft.filters.objection(&order, leg.price) {
            return Err(Refusal::TooSmall { objection });
        }
        legs.push(PlannedLeg { kind: leg.kind.clone(), price: leg.price, quantity });
    }
    Ok(legs)
}

/// The largest quantity that there can be.
const MAX_QUANTITY: Decimal = Decimal::from_parts(276_447_232, 23_283, 0, false, 0); // 10^14
/// Towards zero: rounding never raises a risk.
const DOWN: rust_decimal::RoundingStrategy = rust_decimal::RoundingStrategy::ToZero;

/// Today's realised loss, the worst case of what is open, and this trade's risk must stay within the day's limit.
fn check_day(legs: &[PlannedLeg], stop: Price, rules: &Rules, view: &AccountView) -> Result<(), Refusal> {
    let risk: Decimal =
        legs.iter().map(|leg| (leg.price.get() - stop.get()).abs() * leg.quantity.get()).sum();
    let at_risk = risk + view.open_risk.get() - view.realised_today.get();
    let share = rules.risk.max_daily_loss;
    let limit = percent_of(view.equity.get(), share.0)?;
    if at_risk > limit {
        return Err(Refusal::DailyLoss { at_risk: cents(at_risk), limit: cents(limit), share });
    }
    Ok(())
}

/// A percentage of an amount.
pub(crate) fn percent_of(amount: Decimal, percent: Decimal) -> Result<Decimal, Refusal> {
    amount.checked_mul(percent).map(|product| product / Decimal::ONE_HUNDRED).ok_or(Refusal::OutOfRange)
}

pub(crate) fn rounded(filters: &Filters, price: Price, rounding: Rounding) -> Result<Price, Refusal> {
    filters.round_price(price, rounding).map_err(|_| Refusal::PriceUnfit { price, tick: filters.tick })
}

/// Down for a long: a better entry, a wider stop, a target that is reached sooner.
pub(crate) fn nearer_to_stop(side: Side) -> Rounding {
    if side == Side::Long { Rounding::Down } else { Rounding::Up }
}

/// Up for a long: a breakout is not entered before its level.
pub(crate) fn nearer_to_target(side: Side) -> Rounding {
    if side == Side::Long { Rounding::Up } else { Rounding::Down }
}
