//! A bench for the engine: feeds it inputs, plays the exchange's answers, and keeps what it commanded.

use exchange::{ClientOrderId, Fill, FillId, Filters, OrderKind, OrderStatus, Pair};
use shared::money::{Amount, Price, Quantity};
use shared::post::{Provenance, Source};
use shared::signal::{Entry, Instrument, Side, Signal, SignalDraft, Stop, Target, TargetLevel};
use shared::update::{Action, Scope, SignalUpdate};
use shared::wire::{Event, EventRecord, SignalRecord, UpdateRecord};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::super::*;
use crate::policy::Market;

pub(super) const START: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

pub(super) fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub(super) fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

pub(super) fn target(text: &str, share: &str) -> Target {
    Target { at: TargetLevel::Price(price(text)), share: share.parse().ok() }
}

/// A long on BTC: limit 100, stop 95, targets 105, 110 and 120. Within the bench's limits it is 3 BTC.
pub(super) fn draft() -> SignalDraft {
    SignalDraft {
        targets: vec![target("105", ""), target("110", ""), target("120", "")],
        stop: Some(Stop::Price { price: price("95") }),
        ..SignalDraft::new(
            Instrument::of("BTC".parse().unwrap()),
            Side::Long,
            Entry::Limit { price: price("100") },
        )
    }
}

pub(super) fn record(number: u128, draft: SignalDraft, at: OffsetDateTime) -> SignalRecord {
    SignalRecord {
        id: Uuid::from_u128(number),
        channel_id: Uuid::from_u128(1),
        channel: "vip-calls".into(),
        source: Source::Discord,
        external_id: number.to_string(),
        post_id: Uuid::from_u128(2),
        ordinal: 0,
        author: "ann".into(),
        provenance: Provenance::Live,
        posted_at: at,
        occurred_at: at,
        seen_at: at,
        received_at: at,
        reader_version: 1,
        reread: false,
        witnesses: 1,
        signal: Signal::new(draft).unwrap(),
    }
}

/// The engine with the exchange and the server around it.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: OffsetDateTime,
    pub(super) market: Price,
    pub(super) inputs: Vec<(OffsetDateTime, Input)>,
    pub(super) commands: Vec<Command>,
    seq: i64,
    fills: u64,
}

impl Bench {
    /// 1,500 USDT, 1 % risk a trade, BTC at 101.
    pub(super) fn new() -> Self {
        let mut settings = Settings::default();
        settings.rules.policy.channels = vec!["*".into()];
        Self::with(settings)
    }

    pub(super) fn with(settings: Settings) -> Self {
        let mut bench = Self {
            engine: Engine::new("paper"),
            now: START,
            market: price("101"),
            inputs: Vec::new(),
            commands: Vec::new(),
            seq: 0,
            fills: 0,
        };
        bench.take(Input::Settings { settings: Box::new(settings) });
        bench
    }

    /// Gives the engine one input and keeps what it commands.
    pub(super) fn take(&mut self, input: Input) -> Vec<Command> {
        let commands = self.engine.step(self.now, &input);
        self.inputs.push((self.now, input));
        self.commands.extend(commands.clone());
        commands
    }

    /// Gives the engine one input, then accepts every order and confirms every cancellation that follows.
    pub(super) fn settle(&mut self, input: Input) -> Vec<Command> {
        let mut all = self.take(input);
        let mut next = 0;
        while next < all.len() {
            let answer = match &all[next] {
                Command::Place { ticket } => {
                    Input::Placed { id: ticket.get().order.id, answer: Answer::Accepted }
                }
                Command::Cancel { id } => self.cancelled(*id),
            };
            all.extend(self.take(answer));
            next += 1;
        }
        all
    }

    pub(super) fn cancelled(&self, id: ClientOrderId) -> Input {
        let filled = self.orders().find(|order| order.order.id == id).unwrap().filled;
        Input::Cancelled { id, status: OrderStatus::Cancelled, filled }
    }

    pub(super) fn event(&mut self, event: Event) -> Input {
        self.seq += 1;
        let pairs = ["BTC", "ETH", "SOL", "XRP", "BNB"]
            .map(|base| Pair { base: base.parse().unwrap(), quote: "USDT".parse().unwrap() });
        let filters = Filters {
            tick: price("0.1"),
            lot: quantity("0.1"),
            min_quantity: quantity("0.1"),
            min_notional: "1".parse().unwrap(),
        };
        let market = Market::Quoted { price: self.market, at: self.now, filters };
        let markets = pairs.into_iter().map(|pair| (pair, market.clone())).collect();
        let balance: Option<Amount> = "1500".parse().ok();
        Input::Event {
            record: Box::new(EventRecord { seq: self.seq, at: self.now, event }),
            snapshot: Box::new(Snapshot { balance, markets }),
        }
    }

    pub(super) fn signal(&mut self, number: u128, draft: SignalDraft) -> Vec<Command> {
        let signal = Box::new(record(number, draft, self.now));
        let input = self.event(Event::SignalPosted { signal });
        self.settle(input)
    }

    pub(super) fn update(&mut self, number: u128, actions: Vec<Action>) -> Vec<Command> {
        self.told(number, actions, false)
    }

    /// An update that was found by reading an old post again.
    pub(super) fn late_update(&mut self, number: u128, actions: Vec<Action>) -> Vec<Command> {
        self.told(number, actions, true)
    }

    fn told(&mut self, number: u128, actions: Vec<Action>, reread: bool) -> Vec<Command> {
        let update = Box::new(UpdateRecord {
            id: Uuid::from_u128(1000 + number),
            signal_id: Some(Uuid::from_u128(number)),
            channel_id: Uuid::from_u128(1),
            channel: "vip-calls".into(),
            external_id: "2".into(),
            post_id: Uuid::from_u128(3),
            posted_at: self.now,
            occurred_at: self.now,
            received_at: self.now,
            reread,
            update: SignalUpdate { scope: Scope::Last, actions },
        });
        let input = self.event(Event::SignalUpdated { update });
        self.settle(input)
    }

    pub(super) fn fill_input(&mut self, id: ClientOrderId, amount: &str, at: &str) -> Input {
        self.fills += 1;
        let order = self.orders().find(|order| order.order.id == id).unwrap().order.clone();
        Input::Filled {
            fills: vec![Fill {
                id: FillId(self.fills),
                order: id,
                pair: order.pair,
                side: order.side,
                price: price(at),
                quantity: quantity(amount),
                fee: Amount::ZERO,
                at: self.now,
                note: None,
            }],
        }
    }

    /// Fills a part of the only active order of a role.
    pub(super) fn fill(&mut self, role: Role, amount: &str, at: &str) -> Vec<Command> {
        let id = self.active(role).unwrap_or_else(|| panic!("no active {role:?}")).order.id;
        let input = self.fill_input(id, amount, at);
        self.settle(input)
    }

    pub(super) fn tick(&mut self, later: Duration) -> Vec<Command> {
        self.now += later;
        self.settle(Input::Tick)
    }

    pub(super) fn orders(&self) -> impl Iterator<Item = &TradeOrder> {
        self.engine.trades().into_iter().flat_map(|trade| trade.orders.values())
    }

    pub(super) fn active(&self, role: Role) -> Option<&TradeOrder> {
        self.orders().find(|order| order.role == role && order.is_active())
    }

    /// The working order of a role as `quantity @ price`.
    pub(super) fn working(&self, role: Role) -> String {
        match self.active(role) {
            None => "none".to_owned(),
            Some(order) => {
                let price = order.price().map_or("market".to_owned(), |price| price.to_string());
                format!("{} @ {price}", order.remaining())
            }
        }
    }

    pub(super) fn trade(&self) -> &Trade {
        self.engine.trades()[0]
    }

    pub(super) fn last_note(&self) -> (Topic, &str) {
        let note = self.engine.notes().last().unwrap();
        (note.topic, note.text.as_str())
    }
}

/// The orders among commands, as words: `market`, `limit 100`, `stop 95`, or `cancel`.
pub(super) fn words(commands: &[Command]) -> Vec<String> {
    let word = |command: &Command| match command {
        Command::Cancel { .. } => "cancel".to_owned(),
        Command::Place { ticket } => {
            let order = &ticket.get().order;
            match order.kind {
                OrderKind::Market => format!("market {}", order.quantity),
                OrderKind::Limit { price } => format!("limit {} @ {price}", order.quantity),
                OrderKind::Stop { trigger } => format!("stop {} @ {trigger}", order.quantity),
            }
        }
    };
    commands.iter().map(word).collect()
}
