//! One signal in trade: its plan, its orders, and what has been filled.
//!
//! Entry point: [`Trade`]. Invariants: an order that has ended never works again; what is filled only grows; an order is
//! counted once, by its fills, whatever else is said about it.

use exchange::{ClientOrderId, Fill, Order, OrderKind};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use shared::money::{Price, Quantity};
use shared::signal::Side;
use time::{Duration, OffsetDateTime};

use crate::policy::Plan;

/// One signal in trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// The plan.
    pub plan: Plan,
    /// When it was decided.
    pub decided_at: OffsetDateTime,
    /// When its unfilled entries are given up.
    pub expires_at: OffsetDateTime,
    /// Where the stop should be now.
    pub stop: Price,
    /// Every order of this signal, in the order in which they were made: what is done to several is done in that order,
    /// whatever their ids are.
    pub orders: IndexMap<ClientOrderId, TradeOrder>,
    /// Why no further entry is wanted.
    pub entries_ended: Option<String>,
    /// Why the position is to be closed at the market.
    pub closing: Option<String>,
    /// How much is to be closed at the market.
    pub to_close: Quantity,
    /// Refusals of closing orders since the last fill.
    pub close_refusals: Refusals,
    /// Refusals of stops since one was accepted, or since the last fill.
    pub stop_refusals: Refusals,
    /// What has been filled.
    pub books: Books,
}

/// The pause after the first refusal in a row; it doubles up to [`LONGEST_PAUSE`]. A busy exchange answers again within
/// seconds, and every second may cost money.
const FIRST_PAUSE: Duration = Duration::seconds(1);
/// The longest pause: an exchange that says no for hours is not flooded.
const LONGEST_PAUSE: Duration = Duration::minutes(1);

/// Refusals in a row, and until when the next try waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many there were.
    pub count: u32,
    /// When it is tried again.
    pub again_at: Option<OffsetDateTime>,
}

impl Refusals {
    /// Counts one more.
    pub(super) fn add(&mut self, now: OffsetDateTime) {
        // Six doublings of a second are beyond the longest pause.
        let pause = (FIRST_PAUSE * 2i32.pow(self.count.min(6))).min(LONGEST_PAUSE);
        self.count = self.count.saturating_add(1);
        self.again_at = now.checked_add(pause);
    }

    /// True when the next try need not wait.
    pub(super) fn allow(&self, now: OffsetDateTime) -> bool {
        self.again_at.is_none_or(|again_at| now >= again_at)
    }
}

/// An order of a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeOrder {
    /// The order as sent.
    pub order: Order,
    /// What it is for.
    pub role: Role,
    /// Where it stands.
    pub state: State,
    /// How much of it has been filled, by its fills.
    pub filled: Quantity,
    /// How much of it has been filled, by the exchange's word.
    pub reported: Quantity,
    /// True when its cancellation has been asked for.
    pub cancel_asked: bool,
}

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// An entry, by its leg from 0.
    Entry(usize),
    /// The protective stop.
    Stop,
    /// A target, from 0.
    Target(usize),
    /// Closing at the market.
    Close,
}

impl Role {
    /// The leg's name, from which the order's id is derived.
    pub(super) fn leg(self) -> String {
        match self {
            Role::Entry(leg) => format!("entry-{leg}"),
            Role::Stop => "stop".to_owned(),
            Role::Target(target) => format!("target-{}", target + 1),
            Role::Close => "close".to_owned(),
        }
    }
}

/// Where an order stands, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Commanded; the exchange has not answered yet. Counts as if it worked.
    Sent,
    /// The exchange has it.
    Working,
    /// The exchange never took it. Terminal.
    Refused,
    /// Completely filled. Terminal.
    Filled,
    /// Ended before it was filled. Terminal.
    Cancelled,
}

/// What has been filled, at average cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// How much was ever entered.
    pub entered: Decimal,
    /// How much is open.
    pub open: Decimal,
    /// What the open part cost.
    pub cost: Decimal,
    /// Results so far, without fees.
    pub gross: Decimal,
    /// Fees so far.
    pub fees: Decimal,
    /// The time of the last fill.
    pub last_fill_at: Option<OffsetDateTime>,
}

impl TradeOrder {
    /// True until it has ended.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Sent | State::Working)
    }

    /// How much of it can still be filled.
    pub fn remaining(&self) -> Quantity {
        Quantity::new(self.order.quantity.get() - self.filled.get()).unwrap_or(Quantity::ZERO)
    }

    /// The price that it names.
    pub fn price(&self) -> Option<Price> {
        match self.order.kind {
            OrderKind::Market => None,
            OrderKind::Limit { price } => Some(price),
            OrderKind::Stop { trigger } => Some(trigger),
        }
    }
}

impl Trade {
    /// A trade without orders.
    pub(super) fn new(plan: Plan, decided_at: OffsetDateTime, expires_at: OffsetDateTime) -> Self {
        Self {
            stop: plan.stop,
            plan,
            decided_at,
            expires_at,
            orders: IndexMap::new(),
            entries_ended: None,
            closing: None,
            to_close: Quantity::ZERO,
            close_refusals: Refusals::default(),
            stop_refusals: Refusals::default(),
            books: Books::default(),
        }
    }

    /// How much is open.
    pub fn open(&self) -> Quantity {
        Quantity::new(self.books.open.max(Decimal::ZERO)).unwrap_or(Quantity::ZERO)
    }

    /// The average price of the open part.
    pub fn average_entry(&self) -> Option<Price> {
        let average = self.books.cost.checked_div(self.books.open)?;
        Price::new(average.round_dp(18)).ok()
    }

    /// Results after fees.
    pub fn realised(&self) -> Decimal {
        self.books.gross - self.books.fees
    }

    /// What the open part would gain at a price, before fees.
    pub fn unrealised(&self, price: Price) -> Decimal {
        let worth = price.get() * self.books.open;
        if self.plan.side == Side::Long { worth - self.books.cost } else { self.books.cost - worth }
    }

    /// Orders that can still be filled.
    pub fn active(&self) -> impl Iterator<Item = &TradeOrder> {
        self.orders.values().filter(|order| order.is_active())
    }

    /// True while something is open or may still be filled.
    pub fn is_live(&self) -> bool {
        !self.open().is_zero() || self.active().next().is_some() || self.awaits_fills()
    }

    /// True when the exchange has reported fills that have not arrived yet: quantities are about to change.
    pub(super) fn awaits_fills(&self) -> bool {
        self.orders.values().any(|order| order.reported > order.filled)
    }

    /// What is lost if the stop is hit now, waiting entries filled first.
    pub(super) fn worst_loss(&self) -> Decimal {
        let stop = self.stop;
        let open = -self.unrealised(stop);
        let waiting: Decimal = self
            .waiting_entries()
            .map(|(price, quantity)| (price.get() - stop.get()).abs() * quantity.get())
            .sum();
        open.max(Decimal::ZERO) + waiting
    }

    /// What the position and the waiting entries are worth at their entry prices.
    pub(super) fn notional(&self) -> Decimal {
        let waiting = self.waiting_entries().map(|(price, quantity)| price.get() * quantity.get());
        self.books.cost + waiting.sum::<Decimal>()
    }

    fn waiting_entries(&self) -> impl Iterator<Item = (Price, Quantity)> {
        self.active().filter_map(|order| match order.role {
            Role::Entry(leg) => self.plan.legs.get(leg).map(|leg| (leg.price, order.remaining())),
            _ => None,
        })
    }

    /// True when the price is at the level or beyond it in the direction of a loss.
    pub(super) fn is_at_or_beyond_stop(&self, price: Price, stop: Price) -> bool {
        if self.plan.side == Side::Long { price <= stop } else { price >= stop }
    }

    /// Counts an execution of one of this trade's orders. The result is what it realised, fees deducted.
    pub(super) fn count(&mut self, fill: &Fill) -> Decimal {
        let Some(order) = self.orders.get_mut(&fill.order) else { return Decimal::ZERO };
        order.filled = sum(order.filled, fill.quantity);
        order.reported = order.reported.max(order.filled);
        if order.filled >= order.order.quantity {
            order.state = State::Filled;
        }
        let role = order.role;
        // What was refused was for another quantity.
        self.close_refusals = Refusals::default();
        self.stop_refusals = Refusals::default();
        self.books.fees += fill.fee.get();
        self.books.last_fill_at = Some(fill.at);
        let (quantity, worth) = (fill.quantity.get(), fill.quantity.get() * fill.price.get());
        if let Role::Entry(_) = role {
            self.books.entered += quantity;
            self.books.open += quantity;
            self.books.cost += worth;
            return -fill.fee.get();
        }
        if role == Role::Close {
            let left = (self.to_close.get() - quantity).max(Decimal::ZERO);
            self.to_close = Quantity::new(left).unwrap_or(Quantity::ZERO);
        }
        let cost = self.books.take_out(quantity);
        let gross = if self.plan.side == Side::Long { worth - cost } else { cost - worth };
        self.books.gross += gross;
        gross - fill.fee.get()
    }
}

impl Books {
    /// Takes a quantity out at average cost; the last of it takes the rest, so that nothing is left by rounding.
    fn take_out(&mut self, quantity: Decimal) -> Decimal {
        let exact = self.cost.checked_mul(quantity).and_then(|product| product.checked_div(self.open));
        let part = || quantity.checked_div(self.open).map(|part| self.cost * part);
        let cost = if quantity >= self.open { self.cost } else { exact.or_else(part).unwrap_or(self.cost) };
        self.open -= quantity;
        self.cost -= cost;
        cost
    }
}

fn sum(one: Quantity, other: Quantity) -> Quantity {
    Quantity::new(one.get() + other.get()).unwrap_or(one)
}
