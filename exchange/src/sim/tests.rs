//! Each rule of the paper exchange, as one sentence. See [`settings`] for the fees.

mod hindsight;

use shared::money::{Price, Quantity};
use shared::signal::Side;
use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::order::{FillNote, OrderKind, OrderSide};

/// No slippage, fees of 0.1 % (taker) and 0.05 % (maker), a tenth of a candle's volume.
pub(super) fn settings() -> Settings {
    toml::from_str(
        r#"
        currency = "USDT"
        start_balance = "10000"
        taker_fee = "0.1"
        maker_fee = "0.05"
        slippage = "0"
        participation = "10"
        pairs.BTCUSDT = { tick = "0.1", lot = "0.01", min_quantity = "0.01", min_notional = "5" }
        pairs.ETHUSDT = { tick = "0.01", lot = "0.1", min_quantity = "0.1", min_notional = "5" }
        "#,
    )
    .unwrap()
}

pub(super) fn btc() -> Pair {
    "BTCUSDT".parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// So many minutes after the begin of the first candle.
fn start(minutes: i64) -> OffsetDateTime {
    datetime!(2026-01-05 00:00 UTC) + Duration::minutes(minutes)
}

/// The n-th quarter of an hour: open, high, low, close; volume 1000.
fn candle(n: i32, ohlc: &str) -> Candle {
    let opened_at = datetime!(2026-01-05 00:00 UTC) + Duration::minutes(15) * n;
    let prices: Vec<Price> = ohlc.split(' ').map(price).collect();
    let [open, high, low, close] = prices[..] else { panic!("{ohlc:?} is not open, high, low, close") };
    let volume = "1000".parse().unwrap();
    Candle { opened_at, closed_at: opened_at + Duration::minutes(15), open, high, low, close, volume }
}

pub(super) fn id(name: &str) -> ClientOrderId {
    ClientOrderId::derive("paper", Uuid::nil(), name, 0)
}

fn market() -> OrderKind {
    OrderKind::Market
}

fn limit(at: &str) -> OrderKind {
    OrderKind::Limit { price: price(at) }
}

fn stop(at: &str) -> OrderKind {
    OrderKind::Stop { trigger: price(at) }
}

fn order(name: &str, side: OrderSide, kind: OrderKind, quantity: &str) -> Order {
    let quantity = quantity.parse().unwrap();
    Order { id: id(name), pair: btc(), side, kind, quantity, reduce_only: false }
}

fn buy(name: &str, kind: OrderKind, quantity: &str) -> Order {
    order(name, OrderSide::Buy, kind, quantity)
}

fn closing(name: &str, side: OrderSide, kind: OrderKind, quantity: &str) -> Order {
    Order { reduce_only: true, ..order(name, side, kind, quantity) }
}

fn sell_to_close(name: &str, kind: OrderKind, quantity: &str) -> Order {
    closing(name, OrderSide::Sell, kind, quantity)
}

/// A venue whose last price is 100.
fn venue() -> Sim {
    let mut sim = Sim::new(settings()).unwrap();
    sim.apply_candle(&btc(), &candle(0, "100 100 100 100")).unwrap();
    sim
}

fn place(sim: &mut Sim, order: &Order) {
    let now = sim.now().unwrap();
    assert_eq!(sim.place_order(order, now), Placement::Accepted, "{order:?}");
}

/// A venue at 100 with a long position of this quantity, bought there at the market.
fn venue_long(quantity: &str) -> Sim {
    let mut sim = venue();
    place(&mut sim, &buy("entry", market(), quantity));
    sim
}

fn refusal(sim: &mut Sim, order: &Order) -> String {
    match sim.place_order(order, sim.now().unwrap()) {
        Placement::Refused { reason } => reason,
        other => panic!("expected a refusal of {order:?}, got {other:?}"),
    }
}

/// What the candle filled: price, quantity, note.
fn filled(sim: &mut Sim, n: i32, ohlc: &str) -> Vec<(String, String, Option<FillNote>)> {
    told(&sim.apply_candle(&btc(), &candle(n, ohlc)).unwrap())
}

fn told(fills: &[Fill]) -> Vec<(String, String, Option<FillNote>)> {
    fills.iter().map(|fill| (fill.price.to_string(), fill.quantity.to_string(), fill.note)).collect()
}

fn at(price: &str, quantity: &str, note: Option<FillNote>) -> (String, String, Option<FillNote>) {
    (price.to_owned(), quantity.to_owned(), note)
}

fn status(sim: &Sim, name: &str) -> OrderStatus {
    sim.order(id(name)).unwrap().status
}

fn last_fill(sim: &Sim) -> Fill {
    sim.fills_after_number(None).last().unwrap().clone()
}

#[test]
fn a_market_order_is_filled_at_the_last_close_made_worse_by_the_slippage() {
    let mut sim = Sim::new(Settings { slippage: "0.15".parse().unwrap(), ..settings() }).unwrap();
    sim.apply_candle(&btc(), &candle(0, "90 110 80 100")).unwrap();
    place(&mut sim, &buy("in", market(), "1"));
    assert_eq!(last_fill(&sim).price.to_string(), "100.2");
    place(&mut sim, &sell_to_close("out", market(), "1"));
    assert_eq!(last_fill(&sim).price.to_string(), "99.8");
    assert_eq!((status(&sim, "in"), status(&sim, "out")), (OrderStatus::Filled, OrderStatus::Filled));
}

#[test]
fn fees_and_results_go_into_the_balance() {
    let mut sim = venue_long("2");
    assert_eq!(last_fill(&sim).fee.to_string(), "0.2");
    place(&mut sim, &sell_to_close("target", limit("110"), "2"));
    filled(&mut sim, 1, "100 111 100 111");
    assert_eq!(last_fill(&sim).fee.to_string(), "0.11");
    assert_eq!(sim.cash().to_string(), "10019.69");
}

#[test]
fn positions_and_equity_are_marked_to_the_last_price() {
    let mut sim = venue_long("2");
    place(&mut sim, &buy("more", limit("90"), "2"));
    filled(&mut sim, 1, "100 100 85 94");
    let positions = sim.positions().unwrap();
    let [position] = positions.as_slice() else { panic!("{positions:?}") };
    assert_eq!((position.side, position.quantity.to_string()), (Side::Long, "4".to_owned()));
    assert_eq!((position.entry.to_string(), position.unrealised.to_string()), ("95".into(), "-4".into()));
    assert_eq!(sim.equity().unwrap().to_string(), "9995.71");
}

#[test]
fn an_id_counts_once_whatever_became_of_its_order() {
    let mut sim = venue();
    place(&mut sim, &buy("filled", market(), "1"));
    place(&mut sim, &buy("working", limit("90"), "1"));
    place(&mut sim, &buy("cancelled", limit("90"), "1"));
    assert_eq!(sim.cancel_order(id("cancelled")), Cancellation::Cancelled);
    refusal(&mut sim, &buy("refused", limit("90"), "0.001"));
    let before = sim.clone();
    for name in ["filled", "working", "cancelled", "refused"] {
        assert_eq!(sim.place_order(&buy(name, market(), "5"), start(30)), Placement::Duplicate);
    }
    assert_eq!(sim, before);
    assert_eq!(status(&sim, "refused"), OrderStatus::Refused);
}

#[test]
fn only_a_working_order_can_be_cancelled() {
    let mut sim = venue_long("1");
    place(&mut sim, &buy("waiting", limit("90"), "1"));
    assert_eq!(sim.cancel_order(id("waiting")), Cancellation::Cancelled);
    for name in ["waiting", "entry", "unknown"] {
        assert_eq!(sim.cancel_order(id(name)), Cancellation::NotWorking);
    }
    assert_eq!(filled(&mut sim, 1, "100 100 50 50"), []);
}

#[test]
fn what_the_venue_does_not_list_or_its_filters_forbid_is_refused_in_words() {
    let mut sim = venue();
    let unlisted = Order { pair: "DOGEUSDT".parse().unwrap(), ..buy("a", market(), "1") };
    assert!(refusal(&mut sim, &unlisted).contains("does not list DOGEUSDT"));
    let unpriced = Order { pair: "ETHUSDT".parse().unwrap(), ..buy("b", market(), "1") };
    assert!(refusal(&mut sim, &unpriced).contains("no price of ETHUSDT is known yet"));
    assert!(refusal(&mut sim, &buy("c", limit("90.05"), "1")).contains("tick"));
    assert!(refusal(&mut sim, &buy("d", market(), "0.04")).contains("order value"));
    assert!(sim.apply_candle(&unlisted.pair, &candle(1, "1 1 1 1")).is_err());
}

#[test]
fn a_pair_has_a_bounded_number_of_working_orders() {
    let mut sim = venue();
    for n in 0..200 {
        place(&mut sim, &buy(&n.to_string(), limit("90"), "1"));
    }
    assert!(refusal(&mut sim, &buy("one more", limit("90"), "1")).contains("200 working orders"));
    sim.cancel_order(id("7"));
    place(&mut sim, &buy("in its place", limit("90"), "1"));
}

#[test]
fn a_reduce_only_order_needs_a_position_to_reduce() {
    let mut sim = venue();
    assert!(refusal(&mut sim, &sell_to_close("a", market(), "1")).contains("no position to reduce"));
    place(&mut sim, &buy("entry", market(), "1"));
    let wrong_side = closing("b", OrderSide::Buy, market(), "1");
    assert!(refusal(&mut sim, &wrong_side).contains("no position to reduce"));
}

#[test]
fn a_reduce_only_order_is_clamped_to_the_position_and_then_ends() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("out", market(), "3"));
    assert_eq!(told(&[last_fill(&sim)]), [at("100", "1", None)]);
    assert_eq!(status(&sim, "out"), OrderStatus::Cancelled);
    assert_eq!(sim.positions().unwrap(), []);
}

#[test]
fn the_other_reduce_only_orders_end_when_the_position_is_gone() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    place(&mut sim, &sell_to_close("target", limit("110"), "1"));
    place(&mut sim, &buy("second entry", limit("80"), "1"));
    filled(&mut sim, 1, "100 111 100 110");
    assert_eq!((status(&sim, "target"), status(&sim, "stop")), (OrderStatus::Filled, OrderStatus::Cancelled));
    assert_eq!(status(&sim, "second entry"), OrderStatus::Working);
}

#[test]
fn a_limit_order_that_is_only_touched_is_not_filled() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 100 95 96"), []);
    assert_eq!(filled(&mut sim, 2, "96 96 94.9 95"), [at("95", "1", None)]);
}

#[test]
fn a_limit_order_is_filled_at_a_better_open_and_pays_the_taker_fee() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    assert_eq!(filled(&mut sim, 1, "92 97 91 96"), [at("92", "1", None)]);
    assert_eq!(last_fill(&sim).fee.to_string(), "0.092");
    place(&mut sim, &sell_to_close("target", limit("100"), "1"));
    assert_eq!(filled(&mut sim, 2, "104 104 90 91"), [at("104", "1", None)]);
}

#[test]
fn a_limit_order_takes_at_most_its_share_of_each_candle() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "150"));
    assert_eq!(filled(&mut sim, 1, "100 100 90 100"), [at("95", "100", None)]);
    let state = sim.order(id("entry")).unwrap();
    assert_eq!((state.status, state.filled.to_string()), (OrderStatus::Working, "100".to_owned()));
    let quiet = Candle { volume: Quantity::ZERO, ..candle(2, "100 100 90 100") };
    assert_eq!(sim.apply_candle(&btc(), &quiet).unwrap(), []);
    assert_eq!(filled(&mut sim, 3, "100 100 90 100"), [at("95", "50", None)]);
    assert_eq!(status(&sim, "entry"), OrderStatus::Filled);
}

#[test]
fn a_stop_is_filled_completely_at_its_trigger_when_touched() {
    let mut sim = venue_long("500");
    place(&mut sim, &sell_to_close("stop", stop("90"), "500"));
    assert_eq!(filled(&mut sim, 1, "100 101 90.1 95"), []);
    assert_eq!(filled(&mut sim, 2, "95 96 90 95"), [at("90", "500", None)]);
}

#[test]
fn a_stop_gets_the_slippage_on_top_of_its_trigger() {
    let mut sim = Sim::new(Settings { slippage: "1".parse().unwrap(), ..settings() }).unwrap();
    sim.apply_candle(&btc(), &candle(0, "100 100 100 100")).unwrap();
    place(&mut sim, &order("entry", OrderSide::Sell, market(), "1"));
    place(&mut sim, &closing("stop", OrderSide::Buy, stop("110"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 112 100 105"), [at("111.1", "1", None)]);
}

#[test]
fn a_stop_that_the_price_jumps_over_is_filled_at_the_open_and_says_so() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    assert_eq!(filled(&mut sim, 1, "85 120 84 119"), [at("85", "1", Some(FillNote::Gap))]);
}

#[test]
fn a_stop_placed_beyond_the_market_is_filled_at_once() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("stop", stop("101"), "1"));
    assert_eq!(told(&[last_fill(&sim)]), [at("100", "1", Some(FillNote::Gap))]);
}

#[test]
fn a_breakout_entry_waits_for_its_trigger() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", stop("105"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 104.9 100 104"), []);
    assert_eq!(filled(&mut sim, 2, "104 106 104 106"), [at("105", "1", None)]);
}

#[test]
fn one_candle_touching_stop_and_target_is_assumed_to_hit_the_stop() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("target", limit("110"), "1"));
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    let assumed = Some(FillNote::StopAssumed);
    assert_eq!(filled(&mut sim, 1, "100 115 85 112"), [at("90", "1", assumed)]);
    assert_eq!((status(&sim, "stop"), status(&sim, "target")), (OrderStatus::Filled, OrderStatus::Cancelled));
}

#[test]
fn the_same_holds_for_a_short() {
    let mut sim = venue();
    place(&mut sim, &order("entry", OrderSide::Sell, market(), "1"));
    place(&mut sim, &closing("target", OrderSide::Buy, limit("90"), "1"));
    place(&mut sim, &closing("stop", OrderSide::Buy, stop("110"), "1"));
    let assumed = Some(FillNote::StopAssumed);
    assert_eq!(filled(&mut sim, 1, "100 115 85 88"), [at("110", "1", assumed)]);
}

#[test]
fn after_a_stop_the_targets_wait_for_the_next_candle_even_if_something_is_left() {
    let mut sim = venue_long("2");
    place(&mut sim, &sell_to_close("target", limit("110"), "2"));
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 115 85 100").len(), 1);
    assert_eq!(filled(&mut sim, 2, "100 115 95 112"), [at("110", "1", None)]);
}

#[test]
fn a_target_that_the_open_is_better_than_comes_before_the_stop() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("target", limit("110"), "0.5"));
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    let fills = filled(&mut sim, 1, "112 112 89 95");
    assert_eq!(fills, [at("112", "0.5", None), at("90", "0.5", None)]);
}

#[test]
fn of_two_stops_the_nearer_one_is_hit_first() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("old", stop("90"), "1"));
    place(&mut sim, &sell_to_close("new", stop("98"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 100 85 86"), [at("98", "1", None)]);
}

#[test]
fn a_stop_inside_the_candle_of_its_entry_is_assumed_to_be_hit() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    filled(&mut sim, 1, "100 100 91 97");
    place(&mut sim, &sell_to_close("stop", stop("92"), "1"));
    assert_eq!(told(&[last_fill(&sim)]), [at("92", "1", Some(FillNote::SameCandle))]);
    assert_eq!(sim.positions().unwrap(), []);
}

#[test]
fn an_entry_on_the_way_to_the_stop_is_filled_before_it() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("stop", stop("90"), "2"));
    place(&mut sim, &buy("second entry", limit("95"), "1"));
    assert_eq!(filled(&mut sim, 1, "100 100 85 86"), [at("95", "1", None), at("90", "2", None)]);
}

#[test]
fn the_memory_of_an_entry_ends_with_its_position() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    filled(&mut sim, 1, "100 100 91 97");
    place(&mut sim, &sell_to_close("out", market(), "1"));
    place(&mut sim, &buy("again", market(), "1"));
    place(&mut sim, &sell_to_close("stop", stop("92"), "1"));
    assert_eq!(status(&sim, "stop"), OrderStatus::Working);
}

#[test]
fn a_stop_outside_the_candle_of_its_entry_works_on() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    filled(&mut sim, 1, "100 100 91 97");
    place(&mut sim, &sell_to_close("stop", stop("90.9"), "1"));
    assert_eq!(status(&sim, "stop"), OrderStatus::Working);
}

#[test]
fn the_candle_before_a_market_entry_says_nothing_about_its_stop() {
    let mut sim = Sim::new(settings()).unwrap();
    sim.apply_candle(&btc(), &candle(0, "100 110 80 100")).unwrap();
    place(&mut sim, &buy("entry", market(), "1"));
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    assert_eq!(status(&sim, "stop"), OrderStatus::Working);
}

#[test]
fn a_later_candle_ends_the_memory_of_the_entry() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    filled(&mut sim, 1, "100 100 91 97");
    filled(&mut sim, 2, "97 99 90 98");
    place(&mut sim, &sell_to_close("stop", stop("92"), "1"));
    assert_eq!(status(&sim, "stop"), OrderStatus::Working);
}

#[test]
fn a_target_is_looked_at_from_the_candle_after_the_entry() {
    let mut sim = venue();
    place(&mut sim, &buy("entry", limit("95"), "1"));
    filled(&mut sim, 1, "100 120 94 115");
    place(&mut sim, &sell_to_close("target", limit("110"), "1"));
    assert_eq!(status(&sim, "target"), OrderStatus::Working);
    assert_eq!(filled(&mut sim, 2, "115 116 114 115"), [at("115", "1", None)]);
}

#[test]
fn a_candle_that_is_stale_or_contradicts_itself_is_refused_and_changes_nothing() {
    let mut sim = venue_long("1");
    place(&mut sim, &sell_to_close("stop", stop("90"), "1"));
    let before = sim.clone();
    let stale = sim.apply_candle(&btc(), &candle(0, "80 80 80 80"));
    assert!(matches!(stale, Err(SimError::Stale { .. })), "{stale:?}");
    let unsound = sim.apply_candle(&btc(), &candle(1, "80 79 70 75"));
    assert!(matches!(unsound, Err(SimError::Unsound { .. })), "{unsound:?}");
    assert_eq!(sim, before);
}

#[test]
fn a_fill_too_large_for_the_books_is_an_error_that_changes_nothing() {
    let mut sim = venue();
    let vast = buy("vast", market(), "100000000000000");
    assert!(refusal(&mut sim, &vast).contains("books"));
    place(&mut sim, &buy("rising", stop("101"), "90000000000000"));
    let before = sim.clone();
    assert!(matches!(
        sim.apply_candle(&btc(), &candle(1, "100 102 100 102")),
        Err(SimError::OutOfRange { .. })
    ));
    assert_eq!(sim, before);
}

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    let of = |change: fn(&mut Settings)| {
        let mut changed = settings();
        change(&mut changed);
        Sim::new(changed).unwrap_err().to_string()
    };
    assert!(of(|s| s.participation = "0".parse().unwrap()).contains("participation"));
    assert!(of(|s| s.slippage = "100".parse().unwrap()).contains("slippage"));
    assert!(of(|s| s.pairs.clear()).contains("no pair is listed"));
    assert!(of(|s| s.currency = "USDC".parse().unwrap()).contains("not quoted in"));
    assert!(of(|s| s.pairs.get_mut(&btc()).unwrap().lot = Quantity::ZERO).contains("lot of zero"));
    assert!(
        of(|s| s.pairs.get_mut(&btc()).unwrap().tick = "0.000000000001".parse().unwrap())
            .contains("decimals")
    );
}

#[test]
fn pairs_may_be_added_to_a_kept_venue_but_nothing_else_may_change() {
    let mut fewer = settings();
    fewer.pairs.remove(&btc());
    assert_eq!(fewer.difference(&settings()), None);
    assert!(settings().difference(&fewer).unwrap().contains("BTCUSDT is no longer listed"));
    let richer = Settings { start_balance: "20000".parse().unwrap(), ..settings() };
    let difference = settings().difference(&richer).unwrap();
    assert_eq!(difference, "start_balance was 10000 and is now 20000");
    let kept = Sim::new(fewer).unwrap();
    let mut restored = Sim::restore(settings(), kept.live().clone(), Past::default()).unwrap();
    assert_eq!(restored, Sim::new(settings()).unwrap());
    assert_eq!(filled(&mut restored, 0, "1 1 1 1"), []);
}
