//! The paper venue and its file: nothing is lost or doubled, however often it is opened again.

use std::path::PathBuf;

use exchange::candles::CandleList;
use exchange::{OrderKind, OrderSide, OrderStatus};
use futures_util::FutureExt;
use sqlx::Connection;
use tempfile::TempDir;
use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;

const MIDNIGHT: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);
const NEXT_DAY: OffsetDateTime = datetime!(2026-01-06 00:00 UTC);

fn settings() -> PaperSettings {
    toml::from_str(
        r#"
        currency = "USDT"
        start_balance = "10000"
        taker_fee = "0.1"
        maker_fee = "0.05"
        slippage = "0.02"
        participation = "10"
        pairs.BTCUSDT = { tick = "0.1", lot = "0.01", min_quantity = "0.01", min_notional = "5" }
        "#,
    )
    .unwrap()
}

fn btc() -> Pair {
    "BTCUSDT".parse().unwrap()
}

/// Candles of a quarter of an hour, each `open high low close`.
fn candles(ohlc: &[&str]) -> Vec<(Pair, Candle)> {
    (0i32..).zip(ohlc).map(|(n, ohlc)| (btc(), candle(n, ohlc))).collect()
}

fn candle(n: i32, ohlc: &str) -> Candle {
    let prices: Vec<_> = ohlc.split(' ').map(|text| text.parse().unwrap()).collect();
    let [open, high, low, close] = prices[..] else { panic!("{ohlc:?} is not open, high, low, close") };
    let opened_at = MIDNIGHT + Duration::minutes(15) * n;
    let volume = "1000".parse().unwrap();
    Candle { opened_at, closed_at: opened_at + Duration::minutes(15), open, high, low, close, volume }
}

fn order(leg: &str, side: OrderSide, kind: OrderKind, reduce_only: bool) -> Order {
    let id = ClientOrderId::derive("paper", Uuid::nil(), leg, 0);
    Order { id, pair: btc(), side, kind, quantity: "1".parse().unwrap(), reduce_only }
}

fn limit(at: &str) -> OrderKind {
    OrderKind::Limit { price: at.parse().unwrap() }
}

fn stop(at: &str) -> OrderKind {
    OrderKind::Stop { trigger: at.parse().unwrap() }
}

/// A folder with the venue's file, and the candles that it is to see.
struct Place {
    folder: TempDir,
    candles: Vec<(Pair, Candle)>,
}

impl Place {
    fn new(ohlc: &[&str]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), candles: candles(ohlc) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("paper.sqlite")
    }

    async fn opened(&self, settings: PaperSettings) -> anyhow::Result<Paper> {
        Paper::open(&self.file(), settings, Box::new(CandleList::new(self.candles.clone()))).await
    }

    async fn open(&self) -> Paper {
        self.opened(settings()).await.unwrap()
    }

    async fn error(&self, settings: PaperSettings) -> String {
        format!("{:#}", self.opened(settings).await.err().unwrap())
    }
}

#[derive(Clone)]
enum Act {
    Advance,
    Place(Order),
    Cancel(ClientOrderId),
}

async fn perform(paper: &mut Paper, act: &Act) {
    match act {
        Act::Advance => {
            paper.advance(NEXT_DAY).await.unwrap();
        }
        Act::Place(order) => {
            let now = paper.now().unwrap_or(MIDNIGHT);
            let placement = paper.place(order, now).await;
            assert!(matches!(placement, Placement::Accepted | Placement::Duplicate), "{placement:?}");
        }
        Act::Cancel(id) => {
            paper.cancel(*id).await;
        }
    }
}

const PRICES: [&str; 7] = [
    "100 101 99 100",
    "100 100 98 99",
    "99 99.5 94 96",
    "96 99 96 98",
    "98 111 98 110.5",
    "110.5 111 104 105",
    "105 106 80 85",
];

/// A trade with two entries, of which one is cancelled, a stop and a target; then a second one that is stopped.
fn acts() -> Vec<Act> {
    let buy = |leg, kind| Act::Place(order(leg, OrderSide::Buy, kind, false));
    let sell = |leg, kind| Act::Place(order(leg, OrderSide::Sell, kind, true));
    let second = order("entry-1", OrderSide::Buy, limit("90"), false).id;
    vec![
        Act::Advance,
        buy("entry-0", limit("95")),
        buy("entry-1", limit("90")),
        Act::Advance,
        Act::Advance,
        sell("stop", stop("90")),
        sell("target", limit("110")),
        Act::Advance,
        Act::Cancel(second),
        Act::Advance,
        Act::Advance,
        buy("entry-2", OrderKind::Market),
        sell("stop-2", stop("100")),
        Act::Advance,
        Act::Advance,
    ]
}

/// Everything that can be seen of a venue from outside.
async fn seen(paper: &mut Paper) -> (Vec<Fill>, Vec<Position>, Amount, Option<OffsetDateTime>) {
    let fills = paper.fills_after(None).await.unwrap();
    (fills, paper.positions().unwrap(), paper.balance().await.unwrap(), paper.now())
}

async fn undisturbed() -> Paper {
    let place = Place::new(&PRICES);
    let mut paper = place.open().await;
    for act in acts() {
        perform(&mut paper, &act).await;
    }
    paper
}

#[tokio::test]
async fn a_venue_opened_again_after_every_act_is_the_same_as_an_undisturbed_one() {
    let place = Place::new(&PRICES);
    let mut reference = undisturbed().await;
    for act in acts() {
        perform(&mut place.open().await, &act).await;
    }
    let mut paper = place.open().await;
    assert_eq!(seen(&mut paper).await, seen(&mut reference).await);
    assert_eq!(paper.sim, reference.sim);
    assert_eq!(paper.fills_after(None).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_call_that_is_dropped_half_way_is_neither_lost_nor_doubled() {
    let place = Place::new(&PRICES);
    let mut reference = undisturbed().await;
    let mut paper = place.open().await;
    for act in acts() {
        let known = paper.now();
        // Polled once: the change is made in memory, and its commit is under way or not yet begun.
        let _ = perform(&mut paper, &act).now_or_never();
        // The caller cannot know, so it asks what became of it, or does it again.
        paper.balance().await.unwrap();
        let again = matches!(act, Act::Advance) && paper.now() != known;
        if !again {
            perform(&mut paper, &act).await;
        }
    }
    assert_eq!(seen(&mut paper).await, seen(&mut reference).await);
    assert_eq!(seen(&mut place.open().await).await, seen(&mut reference).await);
}

#[tokio::test]
async fn the_price_after_a_restart_is_that_of_the_last_candle_even_if_it_caused_nothing() {
    let place = Place::new(&PRICES);
    let mut paper = place.open().await;
    for _ in 0..3 {
        paper.advance(NEXT_DAY).await.unwrap();
    }
    let quote = paper.quote(&btc()).await.unwrap().unwrap();
    assert_eq!(quote.price.to_string(), "96");
    drop(paper);
    let mut paper = place.open().await;
    assert_eq!(paper.quote(&btc()).await.unwrap().unwrap(), quote);
    assert_eq!(paper.advance(NEXT_DAY).await.unwrap(), Some(MIDNIGHT + Duration::minutes(60)));
}

#[tokio::test]
async fn candles_are_applied_up_to_the_asked_time_and_no_further() {
    let place = Place::new(&PRICES);
    let mut paper = place.open().await;
    let half_past = MIDNIGHT + Duration::minutes(30);
    assert_eq!(paper.advance(half_past).await.unwrap(), Some(MIDNIGHT + Duration::minutes(15)));
    assert_eq!(paper.advance(half_past).await.unwrap(), Some(half_past));
    assert_eq!(paper.advance(half_past).await.unwrap(), None);
    assert_eq!(paper.now(), Some(half_past));
}

#[tokio::test]
async fn an_order_is_known_after_a_restart_and_its_id_stays_taken() {
    let place = Place::new(&PRICES);
    let entry = order("entry-0", OrderSide::Buy, limit("95"), false);
    let small =
        Order { quantity: "0.001".parse().unwrap(), ..order("x", OrderSide::Buy, limit("95"), false) };
    let mut paper = place.open().await;
    assert_eq!(paper.place(&entry, MIDNIGHT).await, Placement::Accepted);
    assert!(matches!(paper.place(&small, MIDNIGHT).await, Placement::Refused { .. }));
    drop(paper);
    let mut paper = place.open().await;
    for (order, status) in [(&entry, OrderStatus::Working), (&small, OrderStatus::Refused)] {
        assert_eq!(paper.look_up(order.id).await.unwrap().unwrap().status, status);
        assert_eq!(paper.place(order, MIDNIGHT).await, Placement::Duplicate);
    }
    let unknown = order("never placed", OrderSide::Buy, limit("95"), false).id;
    assert_eq!(paper.look_up(unknown).await.unwrap(), None);
}

#[tokio::test]
async fn settings_that_an_existing_account_cannot_take_over_are_named_with_what_to_do() {
    let place = Place::new(&PRICES);
    drop(place.open().await);
    let richer = PaperSettings { start_balance: "20000".parse().unwrap(), ..settings() };
    let error = place.error(richer).await;
    for words in ["paper.sqlite", "start_balance was 10000 and is now 20000", "choose another --data-dir"] {
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_venue_keeps_its_identity_and_every_file_has_its_own() {
    let (one, other) = (Place::new(&PRICES), Place::new(&PRICES));
    let identity = one.open().await.identity().to_owned();
    assert_eq!(one.open().await.identity(), identity);
    assert_ne!(other.open().await.identity(), identity);
}

#[tokio::test]
async fn a_pair_can_be_added_to_an_existing_account_and_then_has_to_stay() {
    let place = Place::new(&PRICES);
    drop(place.open().await);
    let mut more = settings();
    let filters = more.pairs[&btc()].clone();
    more.pairs.insert("ETHUSDT".parse().unwrap(), filters);
    drop(place.opened(more).await.unwrap());
    assert!(place.error(settings()).await.contains("pair ETHUSDT is no longer listed"));
}

#[tokio::test]
async fn candles_of_a_pair_that_is_not_listed_are_passed_over() {
    let mut place = Place::new(&PRICES[..1]);
    place.candles.insert(0, ("AAVEUSDT".parse().unwrap(), candle(0, "1 1 1 1")));
    let mut paper = place.open().await;
    assert_eq!(paper.advance(NEXT_DAY).await.unwrap(), Some(MIDNIGHT + Duration::minutes(15)));
    assert_eq!(paper.advance(NEXT_DAY).await.unwrap(), None);
}

#[tokio::test]
async fn a_change_by_another_process_makes_the_answer_unsure_and_is_then_seen() {
    let place = Place::new(&PRICES);
    let (mut first, mut second) = (place.open().await, place.open().await);
    let (a, b) =
        (order("a", OrderSide::Buy, limit("95"), false), order("b", OrderSide::Buy, limit("95"), false));
    assert_eq!(first.place(&a, MIDNIGHT).await, Placement::Accepted);
    let Placement::Unsure { reason } = second.place(&b, MIDNIGHT).await else { panic!("both were accepted") };
    assert!(reason.contains("another process"), "{reason}");
    assert_eq!(second.look_up(b.id).await.unwrap(), None);
    assert!(second.look_up(a.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_another_kind_is_left_alone() {
    let place = Place::new(&PRICES);
    let url = format!("sqlite://{}?mode=rwc", place.file().display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE journal (x)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert!(place.error(settings()).await.contains("database of another kind"));
}
