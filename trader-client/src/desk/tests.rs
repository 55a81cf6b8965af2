//! The desk against the simulator: killed at every call of the exchange, and against an exchange that is unsure.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use exchange::sim::{Settings as SimSettings, Sim};
use exchange::{
    Cancellation, Candle, ClientOrderId, ExchangeError, Fill, FillId, Filters, Order, OrderState, Pair,
    Placement, Quote,
};
use futures_util::StreamExt;
use shared::money::{Amount, Price};
use shared::post::{Provenance, Source};
use shared::signal::{
    Entry as SignalEntry, EntryLeg, Instrument, Side, Signal, SignalDraft, Stop, Target, TargetLevel,
};
use shared::update::{Action, Scope, SignalUpdate, StopMove};
use shared::wire::{Event, SignalRecord, UpdateRecord};
use sqlx::{Connection, Row};
use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::journal::Owner;

const START: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

/// When the exchange fails, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The process dies before the call.
    DieBefore(usize),
    /// The process dies after the call has taken effect.
    DieAfter(usize),
    /// The answer to every placement is lost; the order may have arrived or not.
    Unsure {
        arrives: bool,
    },
}

/// The simulator behind a line that can fail. Clones share it, as processes share a venue.
#[derive(Clone)]
struct Line {
    sim: Arc<Mutex<Sim>>,
    calls: Arc<Mutex<usize>>,
    sent: Arc<Mutex<Vec<ClientOrderId>>>,
    fault: Fault,
}

impl Line {
    fn new(fault: Fault) -> Self {
        let filters = Filters {
            tick: "0.1".parse().unwrap(),
            lot: "0.1".parse().unwrap(),
            min_quantity: "0.1".parse().unwrap(),
            min_notional: "1".parse().unwrap(),
        };
        let settings = SimSettings {
            currency: "USDT".parse().unwrap(),
            start_balance: "1500".parse().unwrap(),
            taker_fee: "0.05".parse().unwrap(),
            maker_fee: "0.02".parse().unwrap(),
            slippage: "0.02".parse().unwrap(),
            participation: "100".parse().unwrap(),
            pairs: [(pair(), filters)].into_iter().collect(),
        };
        let sim = Arc::new(Mutex::new(Sim::new(settings).unwrap()));
        Self { sim, calls: Arc::default(), sent: Arc::default(), fault }
    }

    fn sim(&self) -> MutexGuard<'_, Sim> {
        self.sim.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Does one call of the exchange, and dies before or after it if that is planned.
    fn call<T>(&self, act: impl FnOnce(&mut Sim) -> T) -> T {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        assert_ne!(self.fault, Fault::DieBefore(number), "killed");
        let result = act(&mut self.sim());
        assert_ne!(self.fault, Fault::DieAfter(number), "killed");
        result
    }
}

impl Exchange for Line {
    async fn place(&mut self, order: &Order, now: OffsetDateTime) -> Placement {
        self.sent.lock().unwrap().push(order.id);
        if let Fault::Unsure { arrives } = self.fault {
            if arrives {
                self.sim().place_order(order, now);
            }
            return Placement::Unsure { reason: "timeout".into() };
        }
        self.call(|sim| sim.place_order(order, now))
    }

    async fn cancel(&mut self, id: ClientOrderId) -> Cancellation {
        self.call(|sim| sim.cancel_order(id))
    }

    async fn look_up(&mut self, id: ClientOrderId) -> Result<Option<OrderState>, ExchangeError> {
        Ok(self.call(|sim| sim.order(id).cloned()))
    }

    async fn fills_after(&mut self, last: Option<FillId>) -> Result<Vec<Fill>, ExchangeError> {
        Ok(self.call(|sim| sim.fills_after_number(last).to_vec()))
    }

    async fn quote(&mut self, pair: &Pair) -> Result<Option<Quote>, ExchangeError> {
        self.call(|sim| sim.price(pair))
    }

    async fn balance(&mut self) -> Result<Amount, ExchangeError> {
        Ok(self.call(|sim| sim.cash()))
    }
}

fn pair() -> Pair {
    "BTCUSDT".parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn signal(number: u128, at: OffsetDateTime) -> Event {
    let target = |text: &str| Target { at: TargetLevel::Price(price(text)), share: None };
    let leg = |text: &str| EntryLeg { price: price(text), share: None };
    let draft = SignalDraft {
        targets: vec![target("105"), target("110"), target("120")],
        stop: Some(Stop::Price { price: price("95") }),
        ..SignalDraft::new(
            Instrument::of("BTC".parse().unwrap()),
            Side::Long,
            SignalEntry::Ladder { legs: vec![leg("99"), leg("98")], first_market: true },
        )
    };
    Event::SignalPosted {
        signal: Box::new(SignalRecord {
            id: Uuid::from_u128(number),
            channel_id: Uuid::from_u128(1),
            channel: "vip-calls".into(),
            source: Source::Discord,
            external_id: number.to_string(),
            post_id: Uuid::from_u128(2),
            ordinal: 0,
            author: "ann".into(),
            provenance: Provenance::Imported,
            posted_at: at,
            occurred_at: at,
            seen_at: at,
            received_at: at,
            reader_version: 1,
            reread: false,
            witnesses: 1,
            signal: Signal::new(draft).unwrap(),
        }),
    }
}

fn update(number: u128, at: OffsetDateTime, action: Action) -> Event {
    Event::SignalUpdated {
        update: Box::new(UpdateRecord {
            id: Uuid::from_u128(99),
            signal_id: Some(Uuid::from_u128(number)),
            channel_id: Uuid::from_u128(1),
            channel: "vip-calls".into(),
            external_id: "2".into(),
            post_id: Uuid::from_u128(3),
            posted_at: at,
            occurred_at: at,
            received_at: at,
            reread: false,
            update: SignalUpdate { scope: Scope::Last, actions: vec![action] },
        }),
    }
}

enum Step {
    Event(i64, OffsetDateTime, Event),
    Candle(Candle),
}

/// A ladder is entered, a target reached, the stop moved and a part closed; then the stop is hit. A second signal waits
/// and is cancelled.
fn story() -> Vec<Step> {
    let at = |minutes: i64| START + Duration::minutes(minutes);
    let candle = |number: i64, prices: &str| {
        let mut prices = prices.split(' ').map(price);
        let mut next = || prices.next().unwrap();
        let (open, high, low, close) = (next(), next(), next(), next());
        let (opened_at, closed_at) = (at(number - 1), at(number));
        Step::Candle(Candle { opened_at, closed_at, open, high, low, close, volume: "1000".parse().unwrap() })
    };
    let moved = Action::MoveStop { to: StopMove::BreakEven };
    let part = Action::PartClose { share: "50".parse().ok() };
    vec![
        candle(0, "101 101 101 101"),
        Step::Event(1, at(0), signal(1, at(0))),
        candle(1, "101 102 98.5 100"),
        candle(2, "100 106 100 106"),
        Step::Event(3, at(2), update(1, at(2), moved)),
        Step::Event(4, at(2), update(1, at(2), part)),
        Step::Event(5, at(2), Event::Unknown),
        candle(3, "106 107 99 99"),
        Step::Event(6, at(3), signal(2, at(3))),
        Step::Event(7, at(3), signal(3, at(3))),
        Step::Event(8, at(3), update(2, at(3), Action::Cancel)),
        Step::Event(9, at(3), update(2, at(3), Action::Close)),
        candle(4, "99 100 99 100"),
    ]
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.rules.policy.channels = vec!["vip-calls".into()];
    settings
}

async fn open(path: &Path, line: &Line) -> anyhow::Result<Desk<Line>> {
    let owner = Owner {
        account: "paper".into(),
        mode: "paper".into(),
        server: "http://127.0.0.1:1".into(),
        venue: "v".into(),
    };
    let journal = Journal::open(path, &owner).await?;
    let now = line.sim().now().unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut desk = Desk::open(journal, line.clone(), settings(), now).await?;
    desk.tick(now).await?;
    Ok(desk)
}

/// Plays the story from wherever journal and exchange stand.
async fn play(path: PathBuf, line: Line) -> anyhow::Result<Engine> {
    let mut desk = open(&path, &line).await?;
    for step in story() {
        match step {
            Step::Event(seq, at, event) => {
                desk.take_event(at, EventRecord { seq, at, event }).await?;
            }
            Step::Candle(candle) => {
                if line.sim().last_candle(&pair()).is_none_or(|last| last.closed_at < candle.closed_at) {
                    line.sim().apply_candle(&pair(), &candle).unwrap();
                    desk.tick(candle.closed_at).await?;
                }
            }
        }
    }
    Ok(desk.engine)
}

/// Every row of the journal, as text.
async fn rows(path: &Path) -> Vec<String> {
    let url = format!("sqlite://{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let mut rows = Vec::new();
    for query in [
        "SELECT concat_ws('|', number, at, kind, seq, answers, payload) FROM inputs ORDER BY number",
        "SELECT concat_ws('|', number, input, kind, order_id, payload) FROM commands ORDER BY number",
        "SELECT concat_ws('|', number, input, at, signal_id, topic, code, text) FROM notes ORDER BY number",
        "SELECT concat_ws('|', seq) FROM cursor",
    ] {
        let found = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.extend(found.iter().map(|row| row.get::<String, _>(0)));
    }
    rows
}

#[tokio::test]
async fn killed_at_every_call_of_the_exchange_the_journal_ends_up_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference.sqlite");
    let line = Line::new(Fault::None);
    let engine = play(path.clone(), line.clone()).await.unwrap();
    let reference = rows(&path).await;
    let calls = *line.calls.lock().unwrap();
    assert!(calls > 60, "the story is long enough: {calls} calls");
    assert_eq!(engine.balance(), line.sim().cash(), "our books and the exchange's agree");
    let faults = (1..=calls).flat_map(|number| [Fault::DieBefore(number), Fault::DieAfter(number)]);
    let (folder, engine, reference) = (folder.path(), &engine, &reference);
    let check = |fault: Fault| async move {
        let path = folder.join(format!("{fault:?}.sqlite"));
        let line = Line::new(fault);
        let process = tokio::task::LocalSet::new();
        let running = play(path.clone(), line.clone());
        let killed = process.run_until(async { tokio::task::spawn_local(running).await }).await;
        assert!(killed.is_err(), "{fault:?} did not kill");
        let line = Line { fault: Fault::None, ..line };
        let again = play(path.clone(), line.clone()).await.unwrap();
        assert_eq!(&again, engine, "{fault:?}");
        assert_eq!(&rows(&path).await, reference, "{fault:?}");
        let sent = line.sent.lock().unwrap().clone();
        let distinct: std::collections::BTreeSet<_> = sent.iter().collect();
        let repeats = sent.len() - distinct.len();
        assert!(repeats <= 1, "only the order of the kill may be sent again, under the same id");
    };
    // Side by side, because each of them mostly waits for the disk.
    futures_util::stream::iter(faults).for_each_concurrent(16, check).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_is_lost_is_looked_up_and_not_sent_again() {
    for arrives in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let line = Line::new(Fault::Unsure { arrives });
        let mut desk = open(&folder.path().join("journal.sqlite"), &line).await.unwrap();
        let Some(Step::Candle(candle)) = story().into_iter().next() else { panic!() };
        line.sim().apply_candle(&pair(), &candle).unwrap();
        let record = EventRecord { seq: 1, at: START, event: signal(1, START) };
        desk.take_event(START, record).await.unwrap();
        let sent = line.sent.lock().unwrap().clone();
        let distinct: std::collections::BTreeSet<_> = sent.iter().collect();
        assert_eq!(sent.len(), distinct.len(), "nothing was sent twice");
        let open = desk.engine().live_trades().count();
        assert_eq!(open, usize::from(arrives), "what never arrived is given up");
        if arrives {
            let trade = desk.engine().trades()[0];
            assert!(!trade.open().is_zero(), "the market leg was filled, and is protected");
            assert!(trade.active().any(|order| order.role == crate::engine::Role::Stop));
        }
    }
}

#[tokio::test]
async fn an_entry_that_a_crash_held_up_until_its_signal_was_too_old_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let line = Line::new(Fault::None);
    let Some(Step::Candle(candle)) = story().into_iter().next() else { panic!() };
    line.sim().apply_candle(&pair(), &candle).unwrap();
    {
        let mut desk = open(&path, &line).await.unwrap();
        let record = Box::new(EventRecord { seq: 1, at: START, event: signal(1, START) });
        let snapshot = Box::new(desk.venue.snapshot(&desk.engine.pairs_for(&record.event)).await);
        desk.now = START;
        desk.take(Input::Event { record, snapshot }, None).await.unwrap();
        assert_eq!(desk.queue.len(), 3, "journaled, and the process dies before anything is sent");
    }
    let owner = Owner {
        account: "paper".into(),
        mode: "paper".into(),
        server: "http://127.0.0.1:1".into(),
        venue: "v".into(),
    };
    let journal = Journal::open(&path, &owner).await.unwrap();
    let late = START + Duration::minutes(2);
    let desk = Desk::open(journal, line.clone(), settings(), late).await.unwrap();
    assert!(line.sent.lock().unwrap().is_empty());
    assert_eq!(desk.engine().live_trades().count(), 0);
    let note = desk.engine().notes().last().unwrap();
    assert_eq!(note.text, "entry 3 was refused: not sent: the signal had grown too old");
}

#[tokio::test]
async fn changed_settings_are_journaled_once_and_decide_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let line = Line::new(Fault::None);
    drop(open(&path, &line).await.unwrap());
    drop(open(&path, &line).await.unwrap());
    assert_eq!(rows(&path).await.len(), 1);
    let owner = Owner {
        account: "paper".into(),
        mode: "paper".into(),
        server: "http://127.0.0.1:1".into(),
        venue: "v".into(),
    };
    for _ in 0..2 {
        let journal = Journal::open(&path, &owner).await.unwrap();
        let desk = Desk::open(journal, line.clone(), Settings::default(), START).await.unwrap();
        assert!(desk.engine().settings().rules.policy.channels.is_empty());
    }
    assert_eq!(rows(&path).await.len(), 2);
}

#[tokio::test]
async fn a_journal_of_another_account_or_server_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let owner = Owner {
        account: "a".into(),
        mode: "paper".into(),
        server: "http://127.0.0.1:1".into(),
        venue: "v".into(),
    };
    drop(Journal::open(&path, &owner).await.unwrap());
    let other = Owner { account: "b".into(), ..owner.clone() };
    let error = Journal::open(&path, &other).await.err().unwrap().to_string();
    assert!(error.contains("it belongs to account \"a\", and the config says \"b\""), "{error}");
    let other = Owner { server: "https://else".into(), ..owner };
    let error = Journal::open(&path, &other).await.err().unwrap().to_string();
    assert!(error.contains("server"), "{error}");
    let other = Owner {
        venue: "w".into(),
        server: "http://127.0.0.1:1".into(),
        account: "a".into(),
        mode: "paper".into(),
    };
    let error = Journal::open(&path, &other).await.err().unwrap().to_string();
    assert!(error.contains("choose another --data-dir to begin a new account"), "{error}");
}

#[tokio::test]
async fn an_exchange_with_fewer_or_more_fills_than_the_journal_can_explain_is_not_traded_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let line = Line::new(Fault::None);
    play(path.clone(), line.clone()).await.unwrap();
    let error = open(&path, &Line::new(Fault::None)).await.err().unwrap().to_string();
    assert!(error.contains("does not know fill") && error.contains("--data-dir"), "{error}");
    let error = open(&folder.path().join("new.sqlite"), &line).await.err().unwrap().to_string();
    assert!(error.contains("the journal does not know the order of"), "{error}");
}

#[tokio::test]
async fn a_journal_that_replays_differently_or_is_damaged_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    for (damage, words) in [
        ("UPDATE commands SET payload = replace(payload, '105', '106')", "gives other commands"),
        ("DELETE FROM commands WHERE number = (SELECT max(number) FROM commands)", "gives other commands"),
        ("UPDATE inputs SET payload = '{' WHERE number = 2", "table inputs, row 2 is corrupt"),
        ("UPDATE cursor SET seq = seq - 1", "table cursor, row 1 is corrupt"),
    ] {
        let path = folder.path().join("damaged.sqlite");
        let line = Line::new(Fault::None);
        play(path.clone(), line.clone()).await.unwrap();
        let mut connection =
            sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(damage.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let error = open(&path, &line).await.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
