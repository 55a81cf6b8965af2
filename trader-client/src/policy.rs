//! The policy: whether a signal may be traded, how, and how much.
//!
//! Entry points: [`plan()`], from a signal to a [`Plan`] or a [`Refusal`]; [`approve`], from an order to an [`Approved`]
//! one. Both are functions of their inputs, time included. Invariants: only this file makes an [`Approved`], and an
//! exchange takes nothing else; rounding and caps only ever lower a risk; exits are never blocked by a limit.

mod plan;
mod refusal;
mod rules;
mod sizing;
#[cfg(test)]
mod tests;

use exchange::{Filters, Order, OrderKind, OrderSide};
use rust_decimal::Decimal;
use serde::Serialize;
use shared::money::{Amount, Price, Quantity};
use time::OffsetDateTime;

pub use plan::{AccountView, Market, Plan, PlannedLeg, PlannedTarget, Standing, TargetAt, pair_of, plan};
pub use refusal::{Age, Refusal};
pub use rules::{BadValue, Choice, Limits, Multiple, Rules, Share, Span};
pub(crate) use sizing::{moved_by, nearer_to_stop, percent_of, rounded};

/// Something that the policy has allowed. Its field is private: nobody else can make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// What was allowed.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// An order that may be sent until a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// The order.
    pub order: Order,
    /// After this it must not be sent any more: the signal has grown too old. Absent for exits, which never expire.
    #[serde(with = "time::serde::rfc3339::option")]
    pub valid_until: Option<OffsetDateTime>,
}

/// What an order is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// An order that opens or grows a position.
    Entry(EntryExposure),
    /// An order that shrinks one.
    Exit {
        /// How much is open.
        open: Quantity,
        /// The side that closes it.
        closing: OrderSide,
    },
}

/// What an entry is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryExposure {
    /// The price at which it is expected to be filled.
    pub price: Price,
    /// Where the position will be stopped out.
    pub stop: Price,
    /// The loss that the day's limit still allows.
    pub risk_left: Amount,
    /// The position value that the leverage limit still allows.
    pub notional_left: Amount,
    /// The exchange's rules.
    pub filters: Filters,
    /// When the signal will be too old.
    pub valid_until: OffsetDateTime,
}

/// Allows one order, or says why not. The last check before an order is journaled and sent.
pub fn approve(order: Order, exposure: &Exposure) -> Result<Approved<Ticket>, Refusal> {
    match exposure {
        Exposure::Exit { open, closing } => {
            let fits = order.reduce_only && order.side == *closing && !order.quantity.is_zero();
            if !fits || order.quantity > *open {
                return Err(Refusal::NotAnExit { quantity: order.quantity, open: *open });
            }
            Ok(Approved(Ticket { order, valid_until: None }))
        }
        Exposure::Entry(entry) => {
            check_entry(&order, entry)?;
            Ok(Approved(Ticket { order, valid_until: Some(entry.valid_until) }))
        }
    }
}

fn check_entry(order: &Order, entry: &EntryExposure) -> Result<(), Refusal> {
    let protected = match order.side {
        OrderSide::Buy => entry.stop < entry.price,
        OrderSide::Sell => entry.stop > entry.price,
    };
    if order.reduce_only || !protected {
        return Err(Refusal::StopTooNear { entry: entry.price, stop: entry.stop });
    }
    let market = if order.kind == OrderKind::Market { entry.price } else { stated(order, entry.price) };
    if let Some(objection) = entry.filters.objection(order, market) {
        return Err(Refusal::TooSmall { objection });
    }
    let quantity = order.quantity.get();
    let risk = (entry.price.get() - entry.stop.get()).abs() * quantity;
    if risk > entry.risk_left.get() {
        let (at_risk, limit) = (refusal::cents(risk), refusal::cents(entry.risk_left.get()));
        return Err(Refusal::RiskLeft { at_risk, limit });
    }
    let notional = entry.price.get() * quantity;
    if notional > entry.notional_left.get() {
        let limit = refusal::cents(entry.notional_left.get().max(Decimal::ZERO));
        return Err(Refusal::NoLeverageLeft { notional: refusal::cents(notional), limit });
    }
    Ok(())
}

/// The price that an order names, or the expected one.
fn stated(order: &Order, expected: Price) -> Price {
    match order.kind {
        OrderKind::Market => expected,
        OrderKind::Limit { price } => price,
        OrderKind::Stop { trigger } => trigger,
    }
}
