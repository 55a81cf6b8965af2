//! The desired-state pass: what every live trade should have at the exchange now, and what it takes to get there.
//!
//! Entry point: [`Engine::pursue`]. It depends on the state alone, not on what has just happened, so that it repairs what
//! an earlier message missed. Invariants: a new stop is accepted before the old one is cancelled; targets and closing
//! orders together never ask for more than is open; nothing is asked for twice while an answer is outstanding.

use exchange::{ClientOrderId, Order, OrderKind, OrderSide};
use rust_decimal::Decimal;
use shared::money::{Price, Quantity};
use time::OffsetDateTime;
use uuid::Uuid;

use super::trade::{Role, State, Trade, TradeOrder};
use super::{Command, Engine, MAX_TARGET_REFUSALS, Topic, ladder};
use crate::policy::{Approved, Exposure, TargetAt, Ticket, approve, moved_by, nearer_to_stop, rounded};

impl Engine {
    /// Brings every live trade nearer to what it should be.
    pub(super) fn pursue(&mut self, now: OffsetDateTime) -> Vec<Command> {
        let mut commands = Vec::new();
        for signal in self.live.clone() {
            let Some(trade) = self.trades.get_mut(&signal) else { continue };
            let mut pursuit =
                Pursuit { account: &self.account, trade, commands: Vec::new(), notes: Vec::new() };
            pursuit.protect(now);
            pursuit.end_entries(now);
            pursuit.close(now);
            pursuit.take_profit();
            let Pursuit { commands: wanted, notes, .. } = pursuit;
            for command in &wanted {
                self.owners.insert(command.order_id(), signal);
            }
            if !trade.is_live() {
                self.live.remove(&signal);
            }
            commands.extend(wanted);
            for note in notes {
                self.note(now, signal, note);
            }
        }
        commands
    }
}

/// One trade being brought nearer to what it should be.
struct Pursuit<'a> {
    account: &'a str,
    trade: &'a mut Trade,
    commands: Vec<Command>,
    notes: Vec<(Topic, String)>,
}

impl Pursuit<'_> {
    /// One working stop at the right price for exactly what is open; none, and no exits, when nothing is. While a stop is
    /// refused, an older one that covers more stays.
    fn protect(&mut self, now: OffsetDateTime) {
        let open = self.trade.open();
        if open.is_zero() {
            return self.cancel_where(|order| !matches!(order.role, Role::Entry(_)));
        }
        // The closing order protects what it closes, until it is refused.
        if self.trade.closing.is_some() && self.trade.close_refusals.count == 0 {
            return;
        }
        let stop = self.trade.stop;
        let fits = |order: &&TradeOrder| {
            order.role == Role::Stop
                && !order.cancel_asked
                && order.price() == Some(stop)
                && order.remaining() == open
        };
        let fitting = self.trade.active().find(fits).map(|order| (order.order.id, order.state));
        match fitting {
            Some((id, State::Working)) => {
                self.cancel_where(|order| order.role == Role::Stop && order.order.id != id);
            }
            Some(_) => {}
            None if !self.trade.stop_refusals.allow(now) => {}
            None => self.place(Role::Stop, OrderKind::Stop { trigger: stop }, open),
        }
    }

    /// Cancels entries that are no longer wanted.
    fn end_entries(&mut self, now: OffsetDateTime) {
        let is_entry = |order: &TradeOrder| matches!(order.role, Role::Entry(_));
        if !self.trade.active().any(is_entry) {
            return;
        }
        let known = self.trade.entries_ended.clone();
        let Some(reason) = known.clone().or_else(|| self.why_end_entries(now)) else { return };
        let before = self.commands.len();
        self.cancel_where(is_entry);
        if known.is_none() && self.commands.len() > before {
            self.notes.push((Topic::Handled, format!("unfilled entries cancelled: {reason}")));
            self.trade.entries_ended = Some(reason);
        }
    }

    fn why_end_entries(&self, now: OffsetDateTime) -> Option<String> {
        let trade = &self.trade;
        if let Some(reason) = &trade.closing {
            return Some(reason.clone());
        }
        let is_exit = |order: &TradeOrder| !matches!(order.role, Role::Entry(_)) && !order.filled.is_zero();
        if trade.orders.values().any(is_exit) {
            return Some("an exit was filled".to_owned());
        }
        (now >= trade.expires_at).then(|| "expired".to_owned())
    }

    /// Closes at the market what is to be closed.
    fn close(&mut self, now: OffsetDateTime) {
        let trade = &mut *self.trade;
        let open = trade.open();
        if trade.closing.is_some() {
            trade.to_close = open;
        }
        let pending: Decimal = trade
            .active()
            .filter(|order| order.role == Role::Close)
            .map(|order| order.remaining().get())
            .sum();
        let wanted = trade.to_close.min(open).get() - pending;
        if wanted <= Decimal::ZERO || trade.awaits_fills() || !trade.close_refusals.allow(now) {
            return;
        }
        if let Ok(quantity) = Quantity::new(wanted) {
            self.place(Role::Close, OrderKind::Market, quantity);
        }
    }

    /// One limit order per rung for its part of what is open.
    fn take_profit(&mut self) {
        let is_target = |order: &TradeOrder| matches!(order.role, Role::Target(_));
        if self.trade.closing.is_some() {
            return self.cancel_where(is_target);
        }
        let open = self.trade.open();
        if open.is_zero() || self.trade.awaits_fills() {
            return;
        }
        let weights = self.trade.unfilled_shares();
        let parts = ladder::split(open, &weights, &self.trade.plan.filters);
        for (target, quantity) in parts.into_iter().enumerate() {
            let price = self.trade.target_price(target);
            self.aim(target, price.filter(|_| !quantity.is_zero()).map(|price| (price, quantity)));
        }
    }

    /// Brings the order of one rung to a price and a quantity, or to an end.
    fn aim(&mut self, target: usize, wanted: Option<(Price, Quantity)>) {
        let role = Role::Target(target);
        let active = self.trade.active().find(|order| order.role == role);
        match (active.map(|order| (order.price(), order.remaining())), wanted) {
            (Some(has), Some((price, quantity))) if has == (Some(price), quantity) => {}
            (Some(_), _) => self.cancel_where(|order| order.role == role),
            (None, Some((price, quantity))) => {
                let is_refusal = |order: &&TradeOrder| order.role == role && order.state == State::Refused;
                if self.trade.orders.values().filter(is_refusal).count() < MAX_TARGET_REFUSALS {
                    self.place(role, OrderKind::Limit { price }, quantity);
                }
            }
            (None, None) => {}
        }
    }

    /// Asks once for the end of every working order that matches.
    fn cancel_where(&mut self, matches: impl Fn(&TradeOrder) -> bool) {
        for order in self.trade.orders.values_mut() {
            if order.state == State::Working && !order.cancel_asked && matches(order) {
                order.cancel_asked = true;
                self.commands.push(Command::Cancel { id: order.order.id });
            }
        }
    }

    /// Places an exit. An exit that the policy does not take for one is a defect, and said aloud.
    fn place(&mut self, role: Role, kind: OrderKind, quantity: Quantity) {
        let exposure =
            Exposure::Exit { open: self.trade.open(), closing: OrderSide::closing(self.trade.plan.side) };
        let order = self.trade.order(self.account, role, (kind, quantity));
        match approve(order, &exposure) {
            Ok(ticket) => {
                self.trade.remember(&ticket, role);
                self.commands.push(Command::Place { ticket });
            }
            Err(refusal) => self.notes.push((Topic::Alarm, refusal.to_string())),
        }
    }
}

impl Trade {
    /// An order for a role. The attempt is the number of earlier orders of the same role, so that no id is used twice.
    pub(super) fn order(&self, account: &str, role: Role, (kind, quantity): (OrderKind, Quantity)) -> Order {
        let earlier = self.orders.values().filter(|order| order.role == role).count();
        let attempt = u32::try_from(earlier).unwrap_or(u32::MAX);
        let is_entry = matches!(role, Role::Entry(_));
        let side = self.plan.side;
        Order {
            id: ClientOrderId::derive(account, self.plan.signal, &role.leg(), attempt),
            pair: self.plan.pair.clone(),
            side: if is_entry { OrderSide::opening(side) } else { OrderSide::closing(side) },
            kind,
            quantity,
            reduce_only: !is_entry,
        }
    }

    /// Keeps an approved order as sent.
    pub(super) fn remember(&mut self, ticket: &Approved<Ticket>, role: Role) {
        let order = ticket.get().order.clone();
        let remembered = TradeOrder {
            role,
            state: State::Sent,
            filled: Quantity::ZERO,
            reported: Quantity::ZERO,
            cancel_asked: false,
            order,
        };
        self.orders.insert(remembered.order.id, remembered);
    }

    /// For each rung, its share of everything entered less what it has closed already.
    fn unfilled_shares(&self) -> Vec<Decimal> {
        let share = |(target, planned): (usize, &crate::policy::PlannedTarget)| {
            let filled: Decimal = self
                .orders
                .values()
                .filter(|order| order.role == Role::Target(target))
                .map(|order| order.filled.get())
                .sum();
            (self.books.entered * planned.share - filled).max(Decimal::ZERO)
        };
        self.plan.targets.iter().enumerate().map(share).collect()
    }

    /// The price of a rung on the exchange's grid; none for a runner.
    pub(super) fn target_price(&self, target: usize) -> Option<Price> {
        let side = self.plan.side;
        match self.plan.targets.get(target)?.at {
            TargetAt::Price(price) => Some(price),
            TargetAt::Percent(percent) => {
                let is_long = side == shared::signal::Side::Long;
                let away = if is_long { percent.get() } else { -percent.get() };
                let exact = moved_by(self.average_entry()?, away)?;
                rounded(&self.plan.filters, exact, nearer_to_stop(side)).ok()
            }
            TargetAt::Runner => None,
        }
    }

    /// Moves the stop, never so that the risk grows. Both answers are words for people.
    pub(super) fn move_stop(&mut self, to: Price) -> Result<String, String> {
        let side = self.plan.side;
        let to =
            rounded(&self.plan.filters, to, nearer_to_stop(side)).map_err(|refusal| refusal.to_string())?;
        let from = self.stop;
        let raises_risk = if side == shared::signal::Side::Long { to < from } else { to > from };
        if raises_risk {
            return Err(format!("moving the stop from {from} to {to} would raise the risk"));
        }
        if to == from {
            return Err(format!("the stop is at {from} already"));
        }
        self.stop = to;
        Ok(format!("stop moved from {from} to {to}"))
    }
}

/// The signal of a trade, for those who hold only the trade.
impl Trade {
    /// The signal's id.
    pub fn signal(&self) -> Uuid {
        self.plan.signal
    }
}
