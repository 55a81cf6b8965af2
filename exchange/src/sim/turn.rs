//! One change of the venue's state: made on copies and handed back whole, so that a failure leaves everything as it was.
//!
//! Entry points: [`Turn::execute`], which books one fill, and [`Turn::settle`], which sorts the orders that have ended
//! from those that work on. What is filled when is decided in `placing` and `matching`.
//! Invariant: a reduce-only order trades at most what is held, and ends when nothing is left for it to reduce.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::money::{Percent, Price, Quantity};
use time::OffsetDateTime;

use super::SimError;
use super::account::{Account, Holding, fee};
use super::settings::Settings;
use crate::candles::Candle;
use crate::order::{
    Fill, FillId, FillNote, Filters, OrderKind, OrderSide, OrderState, OrderStatus, Pair, Rounding,
};

/// What the venue knows of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Market {
    pub(super) pair: Pair,
    pub(super) holding: Holding,
    /// The candle applied last; its close is the market price.
    pub(super) last: Option<Candle>,
    /// True when a position was opened or enlarged inside the last candle, so that the rest of that candle may have come
    /// after it.
    pub(super) entered_inside: bool,
    /// True when a target was filled inside the last candle, likewise.
    pub(super) target_inside: bool,
    /// The working orders, oldest first.
    pub(super) working: Vec<OrderState>,
}

impl Market {
    pub(super) fn new(pair: Pair) -> Self {
        Self {
            pair,
            holding: Holding::default(),
            last: None,
            entered_inside: false,
            target_inside: false,
            working: Vec::new(),
        }
    }
}

/// A change in the making.
pub(super) struct Turn<'a> {
    pub(super) settings: &'a Settings,
    pub(super) filters: &'a Filters,
    pub(super) market: Market,
    pub(super) account: Account,
    pub(super) fills: Vec<Fill>,
    pub(super) ended: Vec<OrderState>,
}

/// On which terms a part of an order is filled.
pub(super) struct Terms {
    pub(super) price: Price,
    /// The most that can be filled.
    pub(super) at_most: Quantity,
    pub(super) fee: Percent,
    pub(super) note: Option<FillNote>,
}

impl Turn<'_> {
    /// The terms of a market order or a triggered stop: all of it, at a price worse than `price` by the slippage.
    pub(super) fn taking(
        &self,
        state: &OrderState,
        price: Price,
        note: Option<FillNote>,
    ) -> Result<Terms, SimError> {
        let price = self.slipped(price, state.order.side)?;
        Ok(Terms { price, at_most: state.order.quantity, fee: self.settings.taker_fee, note })
    }

    /// Fills the order, up to what is left of it, what the terms allow and what it may reduce; gives how much.
    pub(super) fn execute(
        &mut self,
        state: &mut OrderState,
        at: OffsetDateTime,
        terms: &Terms,
    ) -> Result<Quantity, SimError> {
        let order = &state.order;
        let mut quantity = left_of(state).min(terms.at_most);
        if order.reduce_only {
            quantity = quantity.min(self.market.holding.reducible_by(order.side));
        }
        if quantity.is_zero() {
            return Ok(quantity);
        }
        let value = terms.price.get() * quantity.get();
        let fee = fee(value, terms.fee)?;
        let realised = self.market.holding.trade(order.side, quantity, value)?;
        self.account.book(realised, fee)?;
        self.account.last_fill += 1;
        self.fills.push(Fill {
            id: FillId(self.account.last_fill),
            order: order.id,
            pair: order.pair.clone(),
            side: order.side,
            price: terms.price,
            quantity,
            fee,
            at,
            note: terms.note,
        });
        state.filled = sum(state.filled, quantity)?;
        if state.filled == state.order.quantity {
            state.status = OrderStatus::Filled;
        }
        Ok(quantity)
    }

    /// Sorts the orders after a change: those that have ended go, and with them the reduce-only ones that no longer have
    /// anything to reduce.
    pub(super) fn settle(&mut self, orders: Vec<OrderState>) {
        for mut state in orders {
            let nothing_to_reduce =
                state.order.reduce_only && self.market.holding.reducible_by(state.order.side).is_zero();
            if state.status == OrderStatus::Working && nothing_to_reduce {
                state.status = OrderStatus::Cancelled;
            }
            if state.status == OrderStatus::Working {
                self.market.working.push(state);
            } else {
                self.ended.push(state);
            }
        }
        if self.market.holding.is_flat() {
            (self.market.entered_inside, self.market.target_inside) = (false, false);
        }
    }

    /// The price made worse by the slippage and then by rounding to the tick; a sale gets one tick at least.
    fn slipped(&self, price: Price, side: OrderSide) -> Result<Price, SimError> {
        let share = self.settings.slippage.get() / Decimal::ONE_HUNDRED;
        let (factor, rounding) = match side {
            OrderSide::Buy => (Decimal::ONE + share, Rounding::Up),
            OrderSide::Sell => (Decimal::ONE - share, Rounding::Down),
        };
        let worse = price.get() * factor;
        if worse < self.filters.tick.get() {
            return Ok(self.filters.tick);
        }
        // Eighteen decimals are the most that a price has.
        let out_of_range = |_| SimError::OutOfRange { sum: worse };
        let worse = Price::new(worse.round_dp(18)).map_err(out_of_range)?;
        self.filters.round_price(worse, rounding).map_err(out_of_range)
    }
}

/// How much of the order is still to be filled.
pub(super) fn left_of(state: &OrderState) -> Quantity {
    Quantity::new(state.order.quantity.get() - state.filled.get()).unwrap_or(Quantity::ZERO)
}

/// The trigger of a stop; `None` for other kinds.
pub(super) fn trigger_of(state: &OrderState) -> Option<Price> {
    match state.order.kind {
        OrderKind::Stop { trigger } => Some(trigger),
        OrderKind::Market | OrderKind::Limit { .. } => None,
    }
}

fn sum(a: Quantity, b: Quantity) -> Result<Quantity, SimError> {
    let sum = a.get() + b.get();
    Quantity::new(sum).map_err(|_| SimError::OutOfRange { sum })
}
