//! What happens to an order at the moment it is placed: between two candles, at the close of the last one.
//!
//! Entry point: [`Turn::place`].
//! - A market order is filled at the last close, worse by the slippage, completely. One that closes a position which was
//!   entered inside the last candle gets its average entry if that is worse ([`FillNote::WorseAssumed`]).
//! - A protective (reduce-only) stop inside the candle in which the position was entered or a target filled is filled at
//!   its trigger ([`FillNote::SameCandle`]): the rest of that candle is assumed to have touched it.
//! - Any other stop whose trigger the last close has reached is filled at once like a market order.
//! - A limit order always waits for the next candle, at whose open it is filled if that is better than its price.

use super::turn::Turn;
use crate::candles::Candle;
use crate::order::{FillNote, Order, OrderKind, OrderSide, OrderState, OrderStatus};
use shared::money::{Price, Quantity};
use time::OffsetDateTime;

/// The most working orders of a pair: as many as Binance allows conditional orders on an account. A trade needs fewer
/// than ten; a client that loops is stopped here.
const MAX_WORKING: usize = 200;

impl Turn<'_> {
    /// Takes the order in, or says why not.
    pub(super) fn place(&mut self, order: &Order, placed_at: OffsetDateTime) -> Result<(), String> {
        let last = self.market.last.clone();
        let Some(price) = stated_price(order).or(last.as_ref().map(|candle| candle.close)) else {
            return Err(format!("no price of {} is known yet: no candle of it has ended", order.pair));
        };
        if let Some(objection) = self.filters.objection(order, price) {
            return Err(objection);
        }
        if order.reduce_only && self.market.holding.reducible_by(order.side).is_zero() {
            return Err(format!(
                "a reduce-only {:?} of {} has no position to reduce",
                order.side, order.pair
            ));
        }
        if self.market.working.len() >= MAX_WORKING {
            return Err(format!(
                "{} already has {MAX_WORKING} working orders: cancel some first",
                order.pair
            ));
        }
        let mut orders = std::mem::take(&mut self.market.working);
        let mut placed = OrderState {
            order: order.clone(),
            status: OrderStatus::Working,
            filled: Quantity::ZERO,
            placed_at,
            refusal: None,
        };
        if let Some(last) = &last
            && let Some((price, note)) = self.filled_at_once(&placed, last)
        {
            let terms = self.taking(&placed, price, note).map_err(|error| error.to_string())?;
            self.execute(&mut placed, placed_at, &terms).map_err(|error| error.to_string())?;
        }
        orders.push(placed);
        self.settle(orders);
        Ok(())
    }

    /// The price before slippage, and what to note, of an order that does not have to wait.
    fn filled_at_once(&self, state: &OrderState, last: &Candle) -> Option<(Price, Option<FillNote>)> {
        let (price, note) = match state.order.kind {
            OrderKind::Market => (last.close, None),
            OrderKind::Limit { .. } => return None,
            OrderKind::Stop { trigger } => self.triggered_at_once(state, trigger, last)?,
        };
        let worse = self.not_better_than_entry(state, price);
        Some(worse.map_or((price, note), |worse| (worse, Some(FillNote::WorseAssumed))))
    }

    fn triggered_at_once(
        &self,
        state: &OrderState,
        trigger: Price,
        last: &Candle,
    ) -> Option<(Price, Option<FillNote>)> {
        let in_range = last.low <= trigger && trigger <= last.high;
        let led_to_it = self.market.entered_inside || self.market.target_inside;
        if state.order.reduce_only && led_to_it && in_range {
            return Some((trigger, Some(FillNote::SameCandle)));
        }
        let reached = match state.order.side {
            OrderSide::Sell => last.close <= trigger,
            OrderSide::Buy => last.close >= trigger,
        };
        reached.then(|| (last.close, (last.close != trigger).then_some(FillNote::Gap)))
    }

    /// The average entry, if the position was entered inside the last candle and would be closed better than that: where
    /// in that candle the way led after the entry is not known.
    fn not_better_than_entry(&self, state: &OrderState, price: Price) -> Option<Price> {
        let applies = state.order.reduce_only && self.market.entered_inside;
        let entry = self.market.holding.average().filter(|_| applies)?;
        let is_worse = if state.order.side == OrderSide::Sell { entry < price } else { entry > price };
        is_worse.then_some(entry)
    }
}

fn stated_price(order: &Order) -> Option<Price> {
    match order.kind {
        OrderKind::Market => None,
        OrderKind::Limit { price } => Some(price),
        OrderKind::Stop { trigger } => Some(trigger),
    }
}
