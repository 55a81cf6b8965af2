//! Trading and market data, behind two traits: [`Exchange`] and [`Candles`].
//!
//! The paper exchange ([`sim`]) and every live venue implement the same [`Exchange`], so that what was tested on paper
//! is what trades. Read in this order: [`order`], this file, [`candles`], [`sim`].
//!
//! Invariant: an answer is either definite or [`Placement::Unsure`]. Whoever is unsure looks the order up by its client
//! order id and never sends it again blindly.
#![deny(clippy::float_arithmetic)]

pub mod candles;
pub mod order;
pub mod sim;

use std::future::Future;

use shared::money::{Amount, Price};
use time::OffsetDateTime;

pub use candles::{Candle, Candles, CandlesError};
pub use order::{
    ClientOrderId, Fill, FillId, FillNote, Filters, NotAPair, Order, OrderKind, OrderSide, OrderState,
    OrderStatus, Pair,
};

/// A place where orders are carried out.
pub trait Exchange: Send {
    /// Sends one order, once, at this time. Placing the same client order id twice never creates a second order.
    fn place(&mut self, order: &Order, now: OffsetDateTime) -> impl Future<Output = Placement> + Send;

    /// Asks for the cancellation of a working order.
    fn cancel(&mut self, id: ClientOrderId) -> impl Future<Output = Cancellation> + Send;

    /// What the venue knows of an order; `Ok(None)` when it never had one of that id.
    fn look_up(
        &mut self,
        id: ClientOrderId,
    ) -> impl Future<Output = Result<Option<OrderState>, ExchangeError>> + Send;

    /// The fills after the last one known, oldest first.
    fn fills_after(
        &mut self,
        last: Option<FillId>,
    ) -> impl Future<Output = Result<Vec<Fill>, ExchangeError>> + Send;

    /// The latest price and the rules of a pair; `Ok(None)` when the venue does not list it.
    fn quote(&mut self, pair: &Pair) -> impl Future<Output = Result<Option<Quote>, ExchangeError>> + Send;

    /// The cash balance in the account's currency: deposits, realised results and fees.
    fn balance(&mut self) -> impl Future<Output = Result<Amount, ExchangeError>> + Send;
}

/// The answer to [`Exchange::place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// The venue has the order.
    Accepted,
    /// The venue has said no, for good.
    Refused {
        /// The venue's words.
        reason: String,
    },
    /// The venue already had an order of this id: nothing new was created.
    Duplicate,
    /// Nobody knows whether the order exists: look it up.
    Unsure {
        /// What happened instead of an answer.
        reason: String,
    },
}

/// The answer to [`Exchange::cancel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// The order will not be filled any further.
    Cancelled,
    /// The order had already ended (or never existed): look it up to learn how.
    NotWorking,
    /// Nobody knows: look it up.
    Unsure {
        /// What happened instead of an answer.
        reason: String,
    },
}

/// The latest price of a pair, and the rules for its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The last traded price.
    pub price: Price,
    /// When it was traded.
    pub at: OffsetDateTime,
    /// The rules.
    pub filters: Filters,
}

/// A question to the venue that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("asking the exchange for {what} failed: {reason}")]
pub struct ExchangeError {
    /// What was asked for.
    pub what: String,
    /// What happened instead of an answer.
    pub reason: String,
}
