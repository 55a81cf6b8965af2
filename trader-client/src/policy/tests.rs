//! Each rule of the policy, just inside and just outside.

mod properties;

use exchange::{ClientOrderId, Filters, Order, OrderKind, OrderSide};
use shared::money::{Amount, Price};
use shared::post::{Provenance, Source};
use shared::signal::{
    self, Entry, EntryLeg, Instrument, Side, Signal, SignalDraft, Stop, Target, TargetLevel,
};
use shared::wire::SignalRecord;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;

const POSTED: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A long on BTC: limit 100, stop 95, targets 105 and 110.
fn draft() -> SignalDraft {
    let target = |text: &str| Target { at: TargetLevel::Price(price(text)), share: None };
    SignalDraft {
        targets: vec![target("105"), target("110")],
        stop: Some(Stop::Price { price: price("95") }),
        ..SignalDraft::new(
            Instrument::of("BTC".parse().unwrap()),
            Side::Long,
            Entry::Limit { price: price("100") },
        )
    }
}

fn record(draft: SignalDraft) -> SignalRecord {
    SignalRecord {
        id: Uuid::from_u128(7),
        channel_id: Uuid::from_u128(1),
        channel: "vip-calls".into(),
        source: Source::Discord,
        external_id: "1".into(),
        post_id: Uuid::from_u128(2),
        ordinal: 0,
        author: "ann".into(),
        provenance: Provenance::Live,
        posted_at: POSTED,
        occurred_at: POSTED,
        seen_at: POSTED,
        received_at: POSTED,
        reader_version: 1,
        reread: false,
        witnesses: 1,
        signal: Signal::new(draft).unwrap(),
    }
}

fn rules() -> Rules {
    let mut rules = Rules::default();
    rules.policy.channels = vec!["vip-calls".into()];
    rules
}

fn filters() -> Filters {
    Filters {
        tick: price("0.1"),
        lot: "0.01".parse().unwrap(),
        min_quantity: "0.01".parse().unwrap(),
        min_notional: amount("10"),
    }
}

fn quoted(text: &str) -> Market {
    Market::Quoted { price: price(text), at: POSTED, filters: filters() }
}

fn view() -> AccountView {
    AccountView {
        now: POSTED + Duration::SECOND,
        equity: amount("1000"),
        market: quoted("101"),
        open_positions: 0,
        pair_in_trade: false,
        realised_today: Amount::ZERO,
        open_risk: Amount::ZERO,
        open_notional: Amount::ZERO,
        standing: Standing::Good,
    }
}

fn code(draft: SignalDraft, rules: &Rules, view: &AccountView) -> &'static str {
    plan(&record(draft), rules, view).map_or_else(|refusal| refusal.code(), |_| "planned")
}

fn quantities(draft: SignalDraft, rules: &Rules, view: &AccountView) -> Vec<String> {
    let plan = plan(&record(draft), rules, view).unwrap();
    plan.legs.iter().map(|leg| leg.quantity.to_string()).collect()
}

#[test]
fn a_signal_that_was_found_by_reading_again_is_never_planned_however_young_its_post_is() {
    let found = SignalRecord { reread: true, ..record(draft()) };
    assert!(plan(&record(draft()), &rules(), &view()).is_ok(), "the same signal, heard in time");
    let mut patient = rules();
    patient.policy.max_signal_age = Span(Duration::days(3650));
    for age in [Duration::ZERO, Duration::SECOND, Duration::days(400)] {
        let view = AccountView { now: POSTED + age, ..view() };
        for rules in [&rules(), &patient] {
            let refusal = plan(&found, rules, &view).unwrap_err();
            assert_eq!(refusal.code(), "read_again", "{age}");
        }
    }
}

#[test]
fn the_plan_risks_what_is_allowed_and_no_more() {
    let plan = plan(&record(draft()), &rules(), &view()).unwrap();
    assert_eq!(plan.pair.to_string(), "BTCUSDT");
    assert_eq!(plan.legs.len(), 1);
    assert_eq!(plan.legs[0].kind, OrderKind::Limit { price: price("100") });
    assert_eq!(plan.legs[0].quantity.to_string(), "2", "1 % of 1000 over a distance of 5");
    assert_eq!(plan.stop, price("95"));
    assert_eq!(plan.targets.len(), 2);
    assert_eq!(plan.valid_until, POSTED + Duration::minutes(1));
}

#[test]
fn channels_and_symbols_must_be_on_the_list_by_name_or_id() {
    let id = Uuid::from_u128(1).to_string();
    for (channel, expected) in [
        ("vip-calls", "planned"),
        (id.as_str(), "planned"),
        ("*", "planned"),
        ("vip-call", "channel_not_allowed"),
        ("VIP-CALLS", "channel_not_allowed"),
    ] {
        let mut rules = rules();
        rules.policy.channels = vec![channel.into()];
        assert_eq!(code(draft(), &rules, &view()), expected, "{channel}");
    }
    assert_eq!(
        code(draft(), &Rules::default(), &view()),
        "channel_not_allowed",
        "an empty list trades nothing"
    );
    for (symbol, expected) in [
        ("BTC", "planned"),
        ("btc", "planned"),
        ("BTCUSDT", "planned"),
        ("BTC/USDT", "planned"),
        ("*", "planned"),
        ("BTCUSD", "symbol_not_allowed"),
        ("ETH", "symbol_not_allowed"),
    ] {
        let mut rules = rules();
        rules.policy.symbols = vec![symbol.into()];
        assert_eq!(code(draft(), &rules, &view()), expected, "{symbol}");
    }
}

#[test]
fn a_quote_currency_must_be_the_accounts_or_stand_for_it() {
    for (quote, expected) in [
        (None, "planned"),
        (Some("USDT"), "planned"),
        (Some("USD"), "planned"),
        (Some("EUR"), "other_currency"),
    ] {
        let mut draft = draft();
        draft.instrument.quote = quote.map(|text| text.parse().unwrap());
        assert_eq!(code(draft, &rules(), &view()), expected, "{quote:?}");
    }
}

#[test]
fn the_age_is_the_whole_time_since_the_post() {
    for (age, expected) in [
        (Duration::seconds(-3), "from_the_future"),
        (Duration::milliseconds(-2001), "from_the_future"),
        (Duration::seconds(-2), "planned"),
        (Duration::ZERO, "planned"),
        (Duration::seconds(60), "planned"),
        (Duration::milliseconds(60_001), "too_old"),
        (Duration::hours(1) + Duration::seconds(30), "too_old"),
        (Duration::hours(24), "too_old"),
        (Duration::hours(24) + Duration::seconds(30), "too_old"),
        (Duration::days(365) + Duration::seconds(1), "too_old"),
    ] {
        let now = POSTED + age;
        let mut view = AccountView { now, ..view() };
        view.market = Market::Quoted { price: price("101"), at: now, filters: filters() };
        assert_eq!(code(draft(), &rules(), &view), expected, "{age}");
    }
}

#[test]
fn what_is_held_against_a_signal_refuses_it() {
    for (standing, expected) in
        [(Standing::Good, "planned"), (Standing::Disputed, "disputed"), (Standing::Withdrawn, "withdrawn")]
    {
        assert_eq!(code(draft(), &rules(), &AccountView { standing, ..view() }), expected);
    }
}

#[test]
fn what_cannot_be_protected_or_is_not_supported_is_refused_by_name() {
    let stop = |stop| SignalDraft { stop, ..draft() };
    assert_eq!(code(stop(None), &rules(), &view()), "no_stop");
    assert_eq!(code(stop(Some(Stop::None)), &rules(), &view()), "no_stop");
    let on_close = Stop::OnClose { price: price("95"), timeframe: "4h".into() };
    assert_eq!(code(stop(Some(on_close)), &rules(), &view()), "stop_on_close");
    let mut option = draft();
    option.instrument.market = Some(signal::Market::Option);
    option.instrument.option = Some(signal::OptionTerms {
        right: signal::OptionRight::Call,
        strike: price("120"),
        expiry: "2026-09-26".into(),
    });
    assert_eq!(code(option, &rules(), &view()), "option_market");
    let r_multiple = Target { at: TargetLevel::RMultiple("2".parse().unwrap()), share: None };
    assert_eq!(
        code(SignalDraft { targets: vec![r_multiple], ..draft() }, &rules(), &view()),
        "r_multiple_target"
    );
}

#[test]
fn positions_and_pairs_are_limited() {
    let with = |open_positions, pair_in_trade| AccountView { open_positions, pair_in_trade, ..view() };
    assert_eq!(code(draft(), &rules(), &with(2, false)), "planned");
    assert_eq!(code(draft(), &rules(), &with(3, false)), "too_many_positions");
    assert_eq!(code(draft(), &rules(), &with(0, true)), "symbol_in_trade");
    for equity in ["0", "-1"] {
        assert_eq!(code(draft(), &rules(), &AccountView { equity: amount(equity), ..view() }), "no_equity");
    }
}

#[test]
fn a_market_without_a_fresh_price_is_not_traded() {
    let with = |market| AccountView { market, now: POSTED + Duration::seconds(30), ..view() };
    assert_eq!(code(draft(), &rules(), &with(Market::Unlisted)), "not_listed");
    assert_eq!(code(draft(), &rules(), &with(Market::Unanswered { reason: "timeout".into() })), "no_price");
    let aged = |age| Market::Quoted {
        price: price("101"),
        at: POSTED + Duration::seconds(30) - age,
        filters: filters(),
    };
    assert_eq!(code(draft(), &rules(), &with(aged(Duration::minutes(5)))), "planned");
    assert_eq!(code(draft(), &rules(), &with(aged(Duration::milliseconds(300_001)))), "stale_price");
}

#[test]
fn a_market_that_has_overtaken_the_signal_is_not_traded() {
    for (at, expected) in [
        ("95", "beyond_stop"),
        ("95.1", "planned"),
        ("104.9", "planned"),
        ("105", "past_target"),
        ("120", "past_target"),
    ] {
        let view = AccountView { market: quoted(at), ..view() };
        assert_eq!(code(draft(), &rules(), &view), expected, "a long at {at}");
    }
    let short = || {
        let target = |text: &str| Target { at: TargetLevel::Price(price(text)), share: None };
        SignalDraft {
            side: Side::Short,
            stop: Some(Stop::Price { price: price("105") }),
            targets: vec![target("95")],
            ..draft()
        }
    };
    for (at, expected) in
        [("105", "beyond_stop"), ("104.9", "planned"), ("95.1", "planned"), ("95", "past_target")]
    {
        let view = AccountView { market: quoted(at), ..view() };
        assert_eq!(code(short(), &rules(), &view), expected, "a short at {at}");
    }
    let trigger = Entry::Trigger { direction: signal::Break::Above, price: price("102") };
    for (at, expected) in [("101.9", "planned"), ("102", "past_trigger")] {
        let view = AccountView { market: quoted(at), ..view() };
        assert_eq!(code(SignalDraft { entry: trigger.clone(), ..draft() }, &rules(), &view), expected);
    }
}

#[test]
fn leverage_caps_the_quantity_and_never_raises_it() {
    let mut rules = rules();
    rules.risk.max_leverage = "3x".parse().unwrap();
    let near = || SignalDraft { stop: Some(Stop::Price { price: price("99.8") }), ..draft() };
    assert_eq!(quantities(near(), &rules, &view()), ["30"], "by risk it would be 50");
    let open = |open_notional: &str| AccountView { open_notional: amount(open_notional), ..view() };
    assert_eq!(quantities(near(), &rules, &open("2000")), ["10"]);
    assert_eq!(code(near(), &rules, &open("3000")), "no_leverage_left");
    assert_eq!(code(near(), &rules, &open("2999")), "too_small");
    let suggested = signal::LeverageRange { min: None, max: "125".parse().unwrap() };
    let pushy = SignalDraft {
        leverage: Some(suggested),
        risk_pct: "50".parse().ok(),
        size_pct: "100".parse().ok(),
        ..draft()
    };
    assert_eq!(quantities(pushy, &rules, &view()), ["2"], "what the author suggests raises nothing");
}

#[test]
fn the_days_loss_counts_what_is_realised_open_and_planned() {
    let with = |realised: &str, open: &str| AccountView {
        realised_today: amount(realised),
        open_risk: amount(open),
        ..view()
    };
    for (realised, open, expected) in [
        ("-10", "0", "planned"),
        ("-10.01", "0", "daily_loss"),
        ("0", "10", "planned"),
        ("0", "10.01", "daily_loss"),
        ("-5", "5.01", "daily_loss"),
        ("5", "15", "planned"),
    ] {
        assert_eq!(code(draft(), &rules(), &with(realised, open)), expected, "{realised} and {open}");
    }
}

#[test]
fn what_is_too_small_for_the_exchange_is_refused_and_never_raised() {
    let with = |equity: &str| AccountView { equity: amount(equity), ..view() };
    assert_eq!(quantities(draft(), &rules(), &with("50")), ["0.1"], "exactly the minimum notional of 10");
    assert_eq!(code(draft(), &rules(), &with("49.9")), "too_small");
    assert_eq!(quantities(draft(), &rules(), &with("1004.9")), ["2"], "2.0098 rounds down to the lot");
}

#[test]
fn each_kind_of_entry_becomes_its_orders() {
    let entry = |entry| SignalDraft { entry, ..draft() };
    let kinds = |draft| {
        let plan = plan(&record(draft), &rules(), &view()).unwrap();
        plan.legs.into_iter().map(|leg| (leg.kind, leg.price.to_string())).collect::<Vec<_>>()
    };
    let limit = |text: &str| (OrderKind::Limit { price: price(text) }, text.to_owned());
    let market = Entry::Market { reference: None, implied: false };
    assert_eq!(kinds(entry(market)), [(OrderKind::Market, "101".into())]);
    assert_eq!(kinds(entry(Entry::Zone { low: price("98"), high: price("100") })), [limit("100")]);
    let trigger = Entry::Trigger { direction: signal::Break::Above, price: price("102") };
    assert_eq!(kinds(entry(trigger)), [(OrderKind::Stop { trigger: price("102") }, "102".into())]);
    let leg = |text: &str| EntryLeg { price: price(text), share: None };
    let ladder = |first_market| Entry::Ladder { legs: vec![leg("100"), leg("98")], first_market };
    assert_eq!(kinds(entry(ladder(false))), [limit("100"), limit("98")]);
    assert_eq!(kinds(entry(ladder(true)))[0], (OrderKind::Market, "101".into()));
    assert_eq!(kinds(entry(ladder(true))).len(), 3);
}

#[test]
fn a_ladder_risks_as_a_whole_what_one_entry_would() {
    let leg = |text: &str, share: &str| EntryLeg { price: price(text), share: share.parse().ok() };
    let with = |legs| SignalDraft { entry: Entry::Ladder { legs, first_market: false }, ..draft() };
    let equal = with(vec![leg("100", ""), leg("98", "")]);
    assert_eq!(quantities(equal, &rules(), &view()), ["1.25", "1.25"], "1.25 x 5 + 1.25 x 3 = 10");
    let uneven = with(vec![leg("100", "20"), leg("98", "80")]);
    assert_eq!(quantities(uneven, &rules(), &view()), ["0.58", "2.35"]);
}

#[test]
fn percentages_are_resolved_and_stops_round_away_from_the_entry() {
    let percent = SignalDraft { stop: Some(Stop::Percent { percent: "5".parse().unwrap() }), ..draft() };
    assert_eq!(plan(&record(percent), &rules(), &view()).unwrap().stop, price("95"));
    let uneven = SignalDraft { stop: Some(Stop::Price { price: price("95.17") }), ..draft() };
    assert_eq!(plan(&record(uneven), &rules(), &view()).unwrap().stop, price("95.1"));
    let near = SignalDraft {
        entry: Entry::Limit { price: price("100.05") },
        stop: Some(Stop::Price { price: price("99.94") }),
        ..draft()
    };
    assert_eq!(plan(&record(near), &rules(), &view()).unwrap().stop, price("99.9"));
}

#[test]
fn target_shares_add_up_to_the_whole() {
    let target =
        |text: &str, share: &str| Target { at: TargetLevel::Price(price(text)), share: share.parse().ok() };
    for (targets, expected) in [
        (vec![target("105", "50"), target("110", "30")], vec!["0.5", "0.5"]),
        (vec![target("105", "50"), target("110", "")], vec!["0.5", "0.5"]),
        (vec![target("105", "25"), target("110", "25"), target("115", "50")], vec!["0.25", "0.25", "0.5"]),
    ] {
        let plan = plan(&record(SignalDraft { targets, ..draft() }), &rules(), &view()).unwrap();
        let shares: Vec<String> =
            plan.targets.iter().map(|target| target.share.normalize().to_string()).collect();
        assert_eq!(shares, expected);
    }
}

fn order(side: OrderSide, quantity: &str, reduce_only: bool) -> Order {
    Order {
        id: ClientOrderId::derive("paper", Uuid::nil(), "entry-0", 0),
        pair: exchange::Pair { base: "BTC".parse().unwrap(), quote: "USDT".parse().unwrap() },
        side,
        kind: OrderKind::Market,
        quantity: quantity.parse().unwrap(),
        reduce_only,
    }
}

#[test]
fn an_entry_is_approved_within_what_is_left_of_each_limit() {
    let entry = |risk_left: &str, notional_left: &str| {
        Exposure::Entry(EntryExposure {
            price: price("100"),
            stop: price("95"),
            risk_left: amount(risk_left),
            notional_left: amount(notional_left),
            filters: filters(),
            valid_until: POSTED,
        })
    };
    let code =
        |order, exposure: &Exposure| approve(order, exposure).map_or_else(|r| r.code(), |_| "approved");
    let buy = || order(OrderSide::Buy, "2", false);
    assert_eq!(code(buy(), &entry("10", "200")), "approved");
    assert_eq!(code(buy(), &entry("9.99", "200")), "risk_left");
    assert_eq!(code(buy(), &entry("10", "199.99")), "no_leverage_left");
    assert_eq!(code(order(OrderSide::Buy, "0.09", false), &entry("10", "200")), "too_small");
    assert_eq!(code(order(OrderSide::Sell, "2", false), &entry("10", "200")), "stop_too_near");
    assert_eq!(approve(buy(), &entry("10", "200")).unwrap().get().valid_until, Some(POSTED));
}

#[test]
fn an_exit_is_approved_up_to_what_is_open_whatever_the_limits() {
    let exit = Exposure::Exit { open: "2".parse().unwrap(), closing: OrderSide::Sell };
    assert!(approve(order(OrderSide::Sell, "2", true), &exit).is_ok());
    for bad in [
        order(OrderSide::Sell, "2.01", true),
        order(OrderSide::Sell, "0", true),
        order(OrderSide::Sell, "1", false),
        order(OrderSide::Buy, "1", true),
    ] {
        assert_eq!(approve(bad, &exit).unwrap_err().code(), "not_an_exit");
    }
}
