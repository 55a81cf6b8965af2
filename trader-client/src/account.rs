//! The account in numbers: what `run --once`, `status` and `positions` tell, to people and to scripts.
//!
//! Entry point: [`Account::of`]. Serialised it is the documented JSON object: amounts, prices and quantities are decimal
//! strings, times RFC 3339. Invariants: `seen = traded + waiting + refused`; every refusal is under exactly one reason; every trade
//! names its signal.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use shared::money::{Amount, Price};
use shared::signal::Side;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::{Decision, Engine, Role, Snapshot, Topic, Trade};
use crate::policy::Market;

/// An account at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The time of these numbers, by the engine's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The last event of the server's log that was taken in.
    pub cursor: i64,
    /// What became of the signals.
    pub signals: SignalCounts,
    /// How many executions there were.
    pub fills: usize,
    /// How many orders or stops the exchange refused.
    pub alarms: usize,
    /// Every signal that was traded, oldest first.
    pub trades: Vec<TradeReport>,
    /// Cash.
    pub balance: Amount,
    /// Cash and what open positions are worth.
    pub equity: Amount,
    /// All results so far, fees deducted.
    pub realised: Decimal,
    /// All fees so far.
    pub fees: Decimal,
}

/// What became of the signals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SignalCounts {
    /// All of them.
    pub seen: usize,
    /// Those whose entries were sent.
    pub traded: usize,
    /// Those that are fresh and wait for more witnesses.
    pub waiting: usize,
    /// Those that were refused.
    pub refused: usize,
    /// The refused ones by the code of their reason.
    pub refused_by_reason: BTreeMap<String, usize>,
}

/// One signal that was traded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeReport {
    /// The signal.
    pub signal_id: Uuid,
    /// The pair.
    pub pair: String,
    /// The direction.
    pub side: Side,
    /// Where it stands.
    pub state: TradeState,
    /// When it was decided.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
    /// When it was filled last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_fill_at: Option<OffsetDateTime>,
    /// How much was ever entered.
    pub entered: Decimal,
    /// How much is open.
    pub open: Decimal,
    /// The average price of the open part.
    pub average_entry: Option<Price>,
    /// The last price known.
    pub price: Option<Price>,
    /// Where the stop is.
    pub stop: Price,
    /// How many targets wait at the exchange.
    pub targets_waiting: usize,
    /// The result so far, fees deducted.
    pub realised: Decimal,
    /// What the open part would gain at the last price, before fees.
    pub unrealised: Option<Decimal>,
}

/// Where a trade stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeState {
    /// Its entries wait, and nothing is filled.
    Waiting,
    /// Something is open.
    Open,
    /// Something was filled, and nothing is open any more.
    Closed,
    /// Nothing was ever filled, and nothing waits any more.
    Unfilled,
}

impl TradeState {
    /// The state's name.
    pub fn as_str(self) -> &'static str {
        match self {
            TradeState::Waiting => "waiting",
            TradeState::Open => "open",
            TradeState::Closed => "closed",
            TradeState::Unfilled => "unfilled",
        }
    }

    fn of(trade: &Trade) -> Self {
        match (trade.open().is_zero(), trade.is_live(), trade.books.entered.is_zero()) {
            (false, ..) => TradeState::Open,
            (true, true, true) => TradeState::Waiting,
            (true, false, true) => TradeState::Unfilled,
            (true, _, false) => TradeState::Closed,
        }
    }
}

impl Account {
    /// The account as the engine knows it, at the last prices that it has seen.
    pub fn of(engine: &Engine, at: OffsetDateTime) -> Self {
        let notes = |topic| engine.notes().iter().filter(|note| note.topic == topic).count();
        let trades: Vec<TradeReport> =
            engine.trades().into_iter().map(|trade| report(trade, engine.price(&trade.plan.pair))).collect();
        Self {
            at,
            cursor: engine.cursor(),
            signals: count(engine),
            fills: notes(Topic::Filled),
            alarms: notes(Topic::Alarm),
            realised: trades.iter().map(|trade| trade.realised).sum(),
            fees: engine.trades().iter().map(|trade| trade.books.fees).sum(),
            trades,
            balance: engine.balance(),
            equity: engine.equity(),
        }
    }

    /// The same with the exchange's own balance and present prices.
    pub fn with_market(mut self, balance: Amount, snapshot: &Snapshot) -> Self {
        let price = |pair: &str| {
            snapshot.markets.iter().find(|(known, _)| known.to_string() == pair).and_then(|(_, market)| {
                match market {
                    Market::Quoted { price, .. } => Some(*price),
                    Market::Unlisted | Market::Unanswered { .. } => None,
                }
            })
        };
        let mut unrealised = Decimal::ZERO;
        for trade in &mut self.trades {
            if let (Some(price), Some(entry)) = (price(&trade.pair), trade.average_entry) {
                let rise = (price.get() - entry.get()) * trade.open;
                let gain = if trade.side == Side::Long { rise } else { -rise };
                (trade.price, trade.unrealised) = (Some(price), Some(gain.round_dp(8)));
            }
            unrealised += trade.unrealised.unwrap_or_default();
        }
        self.balance = balance;
        self.equity = Amount::new(balance.get() + unrealised).unwrap_or(balance);
        self
    }
}

fn count(engine: &Engine) -> SignalCounts {
    let mut counts = SignalCounts::default();
    for card in engine.signals() {
        counts.seen += 1;
        match &card.decision {
            Decision::Traded => counts.traded += 1,
            Decision::Waiting { .. } => counts.waiting += 1,
            Decision::Refused { code, .. } => {
                counts.refused += 1;
                *counts.refused_by_reason.entry(code.clone()).or_default() += 1;
            }
        }
    }
    counts
}

fn report(trade: &Trade, price: Option<Price>) -> TradeReport {
    let is_open = !trade.open().is_zero();
    TradeReport {
        signal_id: trade.signal(),
        pair: trade.plan.pair.to_string(),
        side: trade.plan.side,
        state: TradeState::of(trade),
        decided_at: trade.decided_at,
        last_fill_at: trade.books.last_fill_at,
        entered: trade.books.entered.normalize(),
        open: trade.books.open.normalize(),
        average_entry: trade.average_entry().filter(|_| is_open),
        price: price.filter(|_| is_open),
        stop: trade.stop,
        targets_waiting: trade.active().filter(|order| matches!(order.role, Role::Target(_))).count(),
        realised: trade.realised().round_dp(8).normalize(),
        unrealised: price.filter(|_| is_open).map(|price| trade.unrealised(price).round_dp(8).normalize()),
    }
}
