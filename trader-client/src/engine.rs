//! The engine: what to do about what has happened.
//!
//! Entry point: [`Engine::step`]. Deterministic: no clock, no I/O, no await, no randomness; the same inputs at the same
//! times give the same commands. Each step first takes the message in, then looks at every live trade afresh and asks
//! what is missing: cover for what is filled, targets, an end to what is no longer wanted (`pursuit`).
//! Invariants: a filled quantity is covered or being closed after the same step; no entry leg is ever sent twice; an
//! event that was taken in before changes nothing. A tick changes nothing unless it also commands or notes something.

mod account;
mod input;
mod ladder;
mod pursuit;
mod signals;
#[cfg(test)]
mod tests;
mod trade;
mod updates;
mod witnesses;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use exchange::{ClientOrderId, Fill, FillId, OrderStatus, Pair};
use rust_decimal::Decimal;
use shared::money::{Amount, Price, Quantity};
use shared::wire::{Event, EventRecord, SignalRecord};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use input::{Answer, Command, Handling, Input, Note, Settings, Snapshot, Topic};
pub use signals::{Decision, SignalCard};
pub use trade::{Books, Refusals, Role, State, Trade, TradeOrder};
pub use words::{grouped, money, signed_money};

/// Refusals of closing a part, after which the part stays open behind its stop. A whole position is never given up.
const MAX_PART_REFUSALS: u32 = 5;
/// Refusals of one target after which it is left to the stop.
const MAX_TARGET_REFUSALS: usize = 3;

/// The state of all signals, trades and orders of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    account: String,
    settings: Settings,
    cursor: i64,
    last_fill: Option<FillId>,
    balance: Amount,
    prices: BTreeMap<Pair, Price>,
    days: BTreeMap<Date, Decimal>,
    signals: BTreeMap<Uuid, SignalCard>,
    /// Signals that wait for more witnesses.
    waiting: BTreeMap<Uuid, SignalRecord>,
    trades: BTreeMap<Uuid, Trade>,
    live: BTreeSet<Uuid>,
    owners: BTreeMap<ClientOrderId, Uuid>,
    notes: Vec<Note>,
}

impl Engine {
    /// An engine that has seen nothing and, by the default settings, trades nothing.
    pub fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            settings: Settings::default(),
            cursor: 0,
            last_fill: None,
            balance: Amount::ZERO,
            prices: BTreeMap::new(),
            days: BTreeMap::new(),
            signals: BTreeMap::new(),
            waiting: BTreeMap::new(),
            trades: BTreeMap::new(),
            live: BTreeSet::new(),
            owners: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Takes one input in and says what is to be done about it.
    pub fn step(&mut self, now: OffsetDateTime, input: &Input) -> Vec<Command> {
        let mut commands = Vec::new();
        self.end_waits(now);
        match input {
            Input::Settings { settings } => self.settings = (**settings).clone(),
            Input::Event { record, snapshot } => commands = self.on_event(now, record, snapshot),
            Input::Placed { id, answer } => self.on_placed(now, *id, answer),
            Input::Cancelled { id, status, filled } => self.on_cancelled(*id, *status, *filled),
            Input::Filled { fills } => fills.iter().for_each(|fill| self.on_fill(now, fill)),
            Input::Tick => {}
        }
        commands.extend(self.pursue(now));
        commands
    }

    fn on_event(&mut self, now: OffsetDateTime, record: &EventRecord, snapshot: &Snapshot) -> Vec<Command> {
        if record.seq <= self.cursor {
            return Vec::new();
        }
        self.cursor = record.seq;
        self.take_snapshot(snapshot);
        match &record.event {
            Event::SignalPosted { signal } => return self.on_signal(now, signal, snapshot),
            Event::SignalRevised { signal } => self.on_revised(now, signal),
            Event::SignalUpdated { update } => self.on_update(now, update, snapshot),
            Event::SignalWithdrawn { signal_id, reason, .. } => self.on_withdrawn(now, *signal_id, reason),
            Event::SignalDisputed { signal_id, .. } => self.on_disputed(now, *signal_id),
            Event::SignalWitnessed { signal_id, witnesses, .. } => {
                return self.on_witnessed(now, (*signal_id, *witnesses), snapshot);
            }
            Event::UpdateWithdrawn { signal_id: Some(signal), reason, .. } => {
                let text = format!("a follow-up is withdrawn ({reason}): what was done about it stays done");
                self.on_late_word(now, *signal, &text);
            }
            Event::UpdateWithdrawn { .. }
            | Event::UpdateUnbound { .. }
            | Event::PostDisputed { .. }
            | Event::Unknown => {}
        }
        Vec::new()
    }

    fn on_placed(&mut self, now: OffsetDateTime, id: ClientOrderId, answer: &Answer) {
        let Some((signal, trade)) = self.owner_of(id) else { return };
        let Some(order) = trade.orders.get_mut(&id) else { return };
        if order.state != State::Sent {
            return;
        }
        match answer {
            Answer::Accepted => {
                order.state = State::Working;
                if order.role == Role::Stop {
                    trade.stop_refusals = Refusals::default();
                }
            }
            Answer::Refused { reason } => {
                order.state = State::Refused;
                let role = order.role;
                let text = trade.on_refused(now, (id, role), reason);
                if let Some(text) = text {
                    self.note(now, signal, (Topic::Alarm, text));
                }
            }
        }
    }

    /// The exchange's word that an order was filled is not a fill: the fills end it. Any other end is final.
    fn on_cancelled(&mut self, id: ClientOrderId, status: OrderStatus, filled: Quantity) {
        let Some((_, trade)) = self.owner_of(id) else { return };
        let Some(order) = trade.orders.get_mut(&id) else { return };
        order.reported = order.reported.max(filled);
        if order.is_active() && matches!(status, OrderStatus::Cancelled | OrderStatus::Refused) {
            order.state = State::Cancelled;
        }
    }

    fn on_fill(&mut self, now: OffsetDateTime, fill: &Fill) {
        if self.last_fill >= Some(fill.id) {
            return;
        }
        self.last_fill = Some(fill.id);
        self.prices.insert(fill.pair.clone(), fill.price);
        let breakeven = self.settings.engine.breakeven_after_target;
        let Some((signal, trade)) = self.owner_of(fill.order) else {
            let text = format!("a fill of {} belongs to no order of ours: left alone", fill.quantity);
            self.notes.push(Note {
                at: now,
                signal: None,
                symbol: fill.pair.to_string(),
                side: None,
                topic: Topic::Alarm,
                code: None,
                text,
            });
            return;
        };
        let realised = trade.count(fill);
        let mut notes = vec![(Topic::Filled, trade.words_of(fill, realised))];
        notes.extend(trade.after_fill(fill, breakeven).map(|text| (Topic::Handled, text)));
        if trade.books.open < Decimal::ZERO {
            notes.push((Topic::Alarm, "more was closed than was open: check the account".to_owned()));
        }
        if trade.open().is_zero() {
            let result = signed_money(trade.realised());
            notes.push((Topic::Handled, format!("position closed, result {result} after fees")));
        }
        self.live.insert(signal);
        let day = self.days.entry(fill.at.to_utc().date()).or_default();
        *day += realised;
        self.balance = Amount::new(self.balance.get() + realised).unwrap_or(self.balance);
        for note in notes {
            self.note(now, signal, note);
        }
    }

    fn owner_of(&mut self, id: ClientOrderId) -> Option<(Uuid, &mut Trade)> {
        let signal = *self.owners.get(&id)?;
        self.trades.get_mut(&signal).map(|trade| (signal, trade))
    }

    /// Writes down something about a signal.
    fn note(&mut self, at: OffsetDateTime, signal: Uuid, (topic, text): (Topic, String)) {
        let trade = self.trades.get(&signal);
        let card = self.signals.get(&signal);
        let symbol = trade.map(|trade| trade.plan.pair.to_string());
        let symbol = symbol.or_else(|| card.map(|card| card.symbol.clone())).unwrap_or_default();
        let side = card.map(|card| card.side);
        self.notes.push(Note { at, signal: Some(signal), symbol, side, topic, code: None, text });
    }
}

impl Trade {
    /// What follows from a refused order, in words. A stop that cannot stand means that the position is closed; an exit
    /// of a position that is gone already means nothing.
    fn on_refused(
        &mut self,
        now: OffsetDateTime,
        (id, role): (ClientOrderId, Role),
        reason: &str,
    ) -> Option<String> {
        if self.open().is_zero() && !matches!(role, Role::Entry(_)) {
            return None;
        }
        let text = match role {
            Role::Entry(leg) => format!("entry {} was refused: {reason}", leg + 1),
            Role::Target(target) => format!("target {} was refused: {reason}", target + 1),
            Role::Close => return self.on_refused_close(now, reason),
            Role::Stop => return self.on_refused_stop(now, id, reason),
        };
        Some(text)
    }

    /// Said aloud once, however often it is tried again.
    fn on_refused_close(&mut self, now: OffsetDateTime, reason: &str) -> Option<String> {
        self.close_refusals.add(now);
        if self.closing.is_none() && self.close_refusals.count >= MAX_PART_REFUSALS {
            self.to_close = Quantity::ZERO;
            self.close_refusals = Refusals::default();
            return Some(format!("closing a part was refused again and is given up: {reason}"));
        }
        let is_first = self.close_refusals.count == 1;
        is_first.then(|| format!("closing was refused, and is tried again with growing pauses: {reason}"))
    }

    fn on_refused_stop(&mut self, now: OffsetDateTime, id: ClientOrderId, reason: &str) -> Option<String> {
        self.stop_refusals.add(now);
        let is_first = self.stop_refusals.count == 1;
        let refused = self.orders.get(&id).and_then(TradeOrder::price);
        if let Some(standing) = self.standing_stop() {
            self.stop = standing;
            let is_moved = Some(standing) != refused;
            return (is_first || is_moved)
                .then(|| format!("the new stop was refused, the one at {standing} stays: {reason}"));
        }
        if self.closing.is_some() {
            return is_first
                .then(|| format!("the stop of a position that is to be closed was refused: {reason}"));
        }
        self.closing = Some("its stop was refused".to_owned());
        Some(format!("the stop was refused, so the position is closed: {reason}"))
    }

    /// The trigger of a working stop that covers everything open.
    fn standing_stop(&self) -> Option<Price> {
        let open = self.open();
        let covers = |order: &&TradeOrder| {
            order.role == Role::Stop && order.state == State::Working && !order.cancel_asked
        };
        self.orders.values().filter(covers).find(|order| order.remaining() >= open)?.price()
    }

    /// What a fill changes beside the books: a stop at break-even, or a position that is beyond its stop already.
    fn after_fill(&mut self, fill: &Fill, breakeven: Option<u8>) -> Option<String> {
        match self.orders.get(&fill.order)?.role {
            Role::Entry(_) if self.is_at_or_beyond_stop(fill.price, self.stop) => {
                let reason = format!("filled at {}, beyond the stop {}", fill.price, self.stop);
                self.closing.get_or_insert(reason.clone());
                Some(format!("{reason}: closed at once"))
            }
            Role::Target(target) if target + 1 >= usize::from(breakeven?) => {
                let moved = self.move_stop(self.average_entry()?).ok()?;
                Some(format!("{moved}: break-even after target {}", target + 1))
            }
            _ => None,
        }
    }

    /// A fill in words.
    fn words_of(&self, fill: &Fill, realised: Decimal) -> String {
        let role = self.orders.get(&fill.order).map(|order| order.role);
        let what = match role {
            Some(Role::Entry(_)) | None => "opened".to_owned(),
            Some(Role::Stop) => "stopped".to_owned(),
            Some(Role::Target(target)) => format!("target {}: closed", target + 1),
            Some(Role::Close) => "closed".to_owned(),
        };
        let mut text = format!("{what} {} @ {}", fill.quantity, grouped(fill.price.get()));
        if !matches!(role, Some(Role::Entry(_))) {
            text.push_str(&format!(", {} after fee", signed_money(realised)));
        }
        if let Some(note) = fill.note {
            text.push_str(&format!(" ({note})"));
        }
        text
    }
}
