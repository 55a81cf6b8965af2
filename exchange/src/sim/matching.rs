//! What one candle does to the working orders of its pair. Of what a candle leaves open, the worse is assumed.
//!
//! Entry point: [`Turn::apply`]. Stops are filled completely, limits up to their participation in the volume. A candle that
//! ran when an order was placed can only trigger a protective stop; one that had ended does nothing to it. The order:
//! 1. at the open: stops that it has jumped over (filled at the open, [`FillNote::Gap`]), limits that it is better than;
//! 2. entries: stops touched, limits that the price traded *through* (a touch alone does not fill: others stood before us);
//! 3. protective stops touched, the nearest to the open first; if a target was touched too: [`FillNote::StopAssumed`];
//! 4. targets (reduce-only limits) that the price traded through, unless a protective stop was filled in this candle.

use rust_decimal::Decimal;
use shared::money::{Percent, Price, Quantity};

use super::SimError;
use super::turn::{Terms, Turn, trigger_of};
use crate::candles::Candle;
use crate::order::{FillNote, OrderKind, OrderSide, OrderState, OrderStatus, Rounding};

/// An order that a candle reaches, in the order of the events above.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Touch {
    stage: Stage,
    /// How far the trigger is from the open: the nearer one is reached first.
    distance: Decimal,
    /// Its place among the working orders: the older one first.
    index: usize,
    /// The price that it is filled at, before slippage.
    price: Price,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Entry,
    ProtectiveStop,
    Target,
}

impl Turn<'_> {
    /// Applies the next candle to the working orders.
    pub(super) fn apply(&mut self, candle: &Candle) -> Result<(), SimError> {
        let mut orders = std::mem::take(&mut self.market.working);
        (self.market.entered_inside, self.market.target_inside) = (false, false);
        self.market.last = Some(candle.clone());
        let mut touches: Vec<Touch> =
            orders.iter().enumerate().filter_map(|(index, state)| touch(index, state, candle)).collect();
        touches.sort();
        let mut stopped = false;
        for touch in touches {
            if touch.stage == Stage::Target && stopped {
                continue;
            }
            let state = &orders[touch.index];
            let (is_stop, reduces) = (trigger_of(state).is_some(), state.order.reduce_only);
            let terms = if is_stop {
                let beside_target = orders.iter().any(|other| is_target_touched(other, state, candle));
                let note = match touch.stage {
                    Stage::Open => Some(FillNote::Gap),
                    _ => (reduces && beside_target).then_some(FillNote::StopAssumed),
                };
                self.taking(state, touch.price, note)?
            } else {
                self.traded_through(state, &touch, candle)?
            };
            let filled = !self.execute(&mut orders[touch.index], candle.closed_at, &terms)?.is_zero();
            stopped |= filled && reduces && is_stop;
            self.market.entered_inside |= filled && !reduces;
            self.market.target_inside |= filled && reduces && !is_stop;
        }
        self.settle(orders);
        Ok(())
    }

    /// The terms of a limit order: at its price, or at a better open, rounded to the tick against us.
    fn traded_through(&self, state: &OrderState, touch: &Touch, candle: &Candle) -> Result<Terms, SimError> {
        let at_most = self.filters.round_quantity(share_of(candle.volume, self.settings.participation)?);
        let rounding = if state.order.side == OrderSide::Buy { Rounding::Up } else { Rounding::Down };
        let out_of_range = |_| SimError::OutOfRange { sum: touch.price.get() };
        let price = self.filters.round_price(touch.price, rounding).map_err(out_of_range)?;
        let at_open = touch.stage == Stage::Open;
        let fee = if at_open { self.settings.taker_fee } else { self.settings.maker_fee };
        Ok(Terms { price, at_most, fee, note: None })
    }
}

/// When the candle reaches the order; `None` when it does not.
fn touch(index: usize, state: &OrderState, candle: &Candle) -> Option<Touch> {
    let line = line_of(state)?;
    let is_stop = trigger_of(state).is_some();
    let may_touch = if is_stop && state.order.reduce_only {
        candle.closed_at > state.placed_at
    } else {
        candle.opened_at >= state.placed_at
    };
    if !may_touch {
        return None;
    }
    // A buy stop and a sell limit are reached from below, the other two from above.
    let from_below = is_stop == (state.order.side == OrderSide::Buy);
    let reached = match (is_stop, from_below) {
        (true, true) => candle.high >= line,
        (true, false) => candle.low <= line,
        (false, true) => candle.high > line,
        (false, false) => candle.low < line,
    };
    let opens_beyond = if from_below { candle.open > line } else { candle.open < line };
    let stage = match (opens_beyond, state.order.reduce_only, is_stop) {
        (true, ..) => Stage::Open,
        (false, false, _) => Stage::Entry,
        (false, true, true) => Stage::ProtectiveStop,
        (false, true, false) => Stage::Target,
    };
    let distance = (candle.open.get() - line.get()).abs();
    let price = if opens_beyond { candle.open } else { line };
    reached.then_some(Touch { stage, distance, index, price })
}

/// The price that decides over the order: its limit or its trigger.
fn line_of(state: &OrderState) -> Option<Price> {
    match state.order.kind {
        OrderKind::Market => None,
        OrderKind::Limit { price } => Some(price),
        OrderKind::Stop { trigger } => Some(trigger),
    }
}

/// Whether `other` is a working target beside the protective stop `stop`, and the candle touches it.
fn is_target_touched(other: &OrderState, stop: &OrderState, candle: &Candle) -> bool {
    let OrderKind::Limit { price } = other.order.kind else { return false };
    let working = other.order.reduce_only && other.status == OrderStatus::Working;
    let touched = match other.order.side {
        OrderSide::Sell => candle.high >= price,
        OrderSide::Buy => candle.low <= price,
    };
    working && other.order.side == stop.order.side && touched
}

fn share_of(volume: Quantity, share: Percent) -> Result<Quantity, SimError> {
    // Eighteen decimals are the most that a quantity has.
    let part = (volume.get() * share.get() / Decimal::ONE_HUNDRED).round_dp(18);
    Quantity::new(part).map_err(|_| SimError::OutOfRange { sum: part })
}
