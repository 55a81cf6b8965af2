//! The account as the engine knows it: cash, results, prices last seen; and what others may read of the engine.

use std::collections::BTreeSet;

use exchange::{ClientOrderId, FillId, Pair};
use rust_decimal::Decimal;
use shared::money::{Amount, Price};
use shared::wire::Event;
use time::Date;

use super::{Engine, Note, Settings, SignalCard, Snapshot, Trade};
use crate::policy::{Market, pair_of};

impl Engine {
    /// The last event taken in.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// The last fill taken in.
    pub fn last_fill(&self) -> Option<FillId> {
        self.last_fill
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every signal, by its place in the log.
    pub fn signals(&self) -> Vec<&SignalCard> {
        let mut cards: Vec<&SignalCard> = self.signals.values().collect();
        cards.sort_by_key(|card| (card.seq, card.id));
        cards
    }

    /// Every trade, by the time of its decision.
    pub fn trades(&self) -> Vec<&Trade> {
        let mut trades: Vec<&Trade> = self.trades.values().collect();
        trades.sort_by_key(|trade| (trade.decided_at, trade.signal()));
        trades
    }

    /// Trades that are open or waiting.
    pub fn live_trades(&self) -> impl Iterator<Item = &Trade> {
        self.live.iter().filter_map(|signal| self.trades.get(signal))
    }

    /// Everything noted, oldest first.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The cash balance: as last told by the exchange, and changed by every fill since.
    pub fn balance(&self) -> Amount {
        self.balance
    }

    /// The last price seen of a pair.
    pub fn price(&self, pair: &Pair) -> Option<Price> {
        self.prices.get(pair).copied()
    }

    /// Cash plus what the open positions would gain at the last prices seen.
    pub fn equity(&self) -> Amount {
        let unrealised = self.total(|trade| {
            self.price(&trade.plan.pair).map_or(Decimal::ZERO, |price| trade.unrealised(price))
        });
        Amount::new(self.balance.get() + unrealised).unwrap_or(self.balance)
    }

    /// Results after fees of one UTC day.
    pub fn realised_on(&self, day: Date) -> Amount {
        self.days.get(&day).and_then(|sum| Amount::new(*sum).ok()).unwrap_or(Amount::ZERO)
    }

    /// True for an order of ours.
    pub fn knows(&self, id: ClientOrderId) -> bool {
        self.owners.contains_key(&id)
    }

    /// True for an exit of a position that is closed by now.
    pub fn is_moot(&self, id: ClientOrderId) -> bool {
        let trade = self.owners.get(&id).and_then(|signal| self.trades.get(signal));
        trade.is_some_and(|trade| {
            let is_exit = trade.orders.get(&id).is_some_and(|order| order.order.reduce_only);
            is_exit && trade.open().is_zero()
        })
    }

    /// The pairs whose markets an event's decision depends on: those in trade, and that of a signal that
    /// is new or has waited.
    pub fn pairs_for(&self, event: &Event) -> BTreeSet<Pair> {
        let mut pairs = BTreeSet::new();
        match event {
            Event::SignalPosted { signal } => {
                pairs.extend(pair_of(&signal.signal, &self.settings.rules.policy).ok());
            }
            Event::SignalWitnessed { signal_id, .. } => {
                let Some(signal) = self.waiting.get(signal_id) else { return pairs };
                pairs.extend(pair_of(&signal.signal, &self.settings.rules.policy).ok());
            }
            Event::SignalUpdated { .. } => {}
            _ => return pairs,
        }
        pairs.extend(self.live_trades().map(|trade| trade.plan.pair.clone()));
        pairs
    }

    pub(super) fn total(&self, value: impl Fn(&Trade) -> Decimal) -> Decimal {
        self.live_trades().map(value).sum()
    }

    pub(super) fn take_snapshot(&mut self, snapshot: &Snapshot) {
        self.balance = snapshot.balance.unwrap_or(self.balance);
        for (pair, market) in &snapshot.markets {
            if let Market::Quoted { price, .. } = market {
                self.prices.insert(pair.clone(), *price);
            }
        }
    }
}
