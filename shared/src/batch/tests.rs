//! Domain values and their lines: one test for each of the contract's kinds of reading.

use serde_json::{Value, json};

use super::{line_of_reading, post_of_text};
use crate::money::{Leverage, Percent, Price};
use crate::reading::{Evidence, Field, Part, Reading, Verdict};
use crate::signal::{
    Break, Entry, EntryLeg, Instrument, LeverageRange, MarginMode, Market, OptionRight, OptionTerms, Side,
    Signal, SignalDraft, Stop, Target, TargetLevel,
};
use crate::update::{Action, Scope, SignalUpdate, StopMove};

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn percent(text: &str) -> Percent {
    text.parse().unwrap()
}

fn draft(base: &str, side: Side, entry: Entry) -> SignalDraft {
    SignalDraft::new(Instrument::of(base.parse().unwrap()), side, entry)
}

fn limit(at: &str) -> Entry {
    Entry::Limit { price: price(at) }
}

fn target(at: &str) -> Target {
    Target { at: TargetLevel::Price(price(at)), share: None }
}

fn stop(at: &str) -> Option<Stop> {
    Some(Stop::Price { price: price(at) })
}

fn line(verdict: Verdict) -> Value {
    let reading = Reading { reader_version: 5, verdict, evidence: Vec::new() };
    let mut line: Value =
        serde_json::from_str(&line_of_reading("x-1", &post_of_text(String::new()), &reading)).unwrap();
    let object = line.as_object_mut().unwrap();
    assert_eq!(object.remove("id"), Some(json!("x-1")));
    assert_eq!(object.remove("reader_version"), Some(json!(5)));
    assert_eq!(object.remove("evidence"), Some(json!([])));
    line
}

/// The one signal of the line, which must be of kind `signal` and without an update.
fn signal(draft: SignalDraft) -> Value {
    let signals = vec![Signal::new(draft).unwrap()];
    let mut line = line(Verdict::Signals { signals, updates: Vec::new() });
    assert_eq!((&line["kind"], line.as_object().unwrap().len()), (&json!("signal"), 2));
    line["signals"][0].take()
}

fn update(scope: Scope, actions: Vec<Action>) -> Value {
    let line = line(Verdict::Updates { updates: vec![SignalUpdate { scope, actions }] });
    assert_eq!((&line["kind"], line.as_object().unwrap().len()), (&json!("update"), 2));
    line["update"].clone()
}

fn actions(list: Vec<Action>) -> Value {
    update(Scope::Last, list)["actions"].clone()
}

/// A signal of which nothing is said but these keys.
fn with(keys: Value) -> Value {
    let mut all = json!({"quote": null, "venue": null, "market": null, "tps": [], "sl": null, "leverage": null,
        "margin_mode": null, "risk_pct": null, "size_pct": null, "timeframe": null, "confidence": null, "expiry": null});
    all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    all
}

#[test]
fn a_card_with_everything_on_it() {
    let zone = Entry::Zone { low: price("6.30"), high: price("6.45") };
    let mut card = draft("ATOM", Side::Long, zone);
    card.instrument.quote = Some("USDC".parse().unwrap());
    card.instrument.venue = Some("okx".into());
    card.instrument.market = Some(Market::Perp);
    let share = |at: &str, share: &str| Target { share: Some(percent(share)), ..target(at) };
    card.targets = vec![share("6.60", "55"), share("6.90", "45")];
    card.stop = stop("6.10");
    let lever = |text: &str| text.parse::<Leverage>().unwrap();
    card.leverage = Some(LeverageRange { min: Some(lever("3")), max: lever("7.50") });
    card.margin_mode = Some(MarginMode::Isolated);
    card.risk_pct = Some("2-1".parse().unwrap());
    card.confidence = Some("71.0%".into());
    let expected =
        with(json!({"base": "ATOM", "quote": "USDC", "venue": "okx", "market": "perp", "side": "long",
        "entry": {"type": "zone", "prices": ["6.3", "6.45"]},
        "tps": [{"price": "6.6", "alloc_pct": "55"}, {"price": "6.9", "alloc_pct": "45"}],
        "sl": {"type": "price", "price": "6.1"}, "leverage": {"min": "3", "max": "7.5"},
        "margin_mode": "isolated", "risk_pct": "1-2", "confidence": "71.0%"}));
    assert_eq!(signal(card), expected);
}

#[test]
fn a_stop_that_waits_for_a_close_is_conditional_on_the_side_of_the_trade() {
    let on_close = |at: &str| Some(Stop::OnClose { price: price(at), timeframe: "1d".into() });
    let mut long = draft("UNI", Side::Long, limit("9.12"));
    long.targets = vec![target("9.75")];
    long.stop = on_close("8.8");
    let expected =
        with(json!({"base": "UNI", "side": "long", "entry": {"type": "limit", "prices": ["9.12"]},
        "tps": [{"price": "9.75"}],
        "sl": {"type": "conditional", "price": "8.8", "timeframe": "1d", "cond": "close_below"}}));
    assert_eq!(signal(long), expected);
    let mut short = draft("UNI", Side::Short, limit("9.12"));
    short.stop = on_close("9.4");
    assert_eq!(signal(short)["sl"]["cond"], "close_above");
}

#[test]
fn a_ladder_from_the_market_with_shares_and_a_runner() {
    let leg = |at: &str, share: Option<&str>| EntryLeg { price: price(at), share: share.map(percent) };
    let ladder = |legs, first_market| Entry::Ladder { legs, first_market };
    let legs = vec![leg("0.61", Some("60")), leg("0.63", Some("40"))];
    let mut plan = draft("SEI", Side::Short, ladder(legs, true));
    plan.targets = vec![target("0.58"), Target { at: TargetLevel::Runner, share: None }];
    plan.stop = stop("0.65");
    let expected = with(json!({"base": "SEI", "side": "short",
        "entry": {"type": "ladder", "prices": ["0.61", "0.63"], "alloc_pct": ["60", "40"], "first_market": true},
        "tps": [{"price": "0.58"}, {"open": true}], "sl": {"type": "price", "price": "0.65"}}));
    assert_eq!(signal(plan), expected);
    let plain = draft("SEI", Side::Short, ladder(vec![leg("0.61", None), leg("0.63", None)], false));
    assert_eq!(signal(plain)["entry"], json!({"type": "ladder", "prices": ["0.61", "0.63"]}));
}

#[test]
fn a_trigger_with_targets_in_multiples_of_the_risk() {
    let mut plan =
        draft("RUNE", Side::Short, Entry::Trigger { direction: Break::Below, price: price("3.905") });
    plan.targets = vec![Target { at: TargetLevel::RMultiple(percent("2.0")), share: None }];
    plan.stop = stop("4.02");
    plan.risk_pct = Some(percent("0.5").into());
    plan.timeframe = Some("4h".into());
    plan.expiry = Some("2d".into());
    let expected = with(json!({"base": "RUNE", "side": "short",
        "entry": {"type": "trigger", "op": "below", "prices": ["3.905"]}, "tps": [{"r": "2"}],
        "sl": {"type": "price", "price": "4.02"}, "risk_pct": "0.5", "timeframe": "4h", "expiry": "2d"}));
    assert_eq!(signal(plan), expected);
    let above = Entry::Trigger { direction: Break::Above, price: price("4.1") };
    assert_eq!(signal(draft("RUNE", Side::Long, above))["entry"]["op"], "above");
}

#[test]
fn what_is_not_written_and_what_is_expressly_none_differ() {
    let market = |reference: Option<&str>| {
        let implied = reference.is_none();
        Entry::Market { reference: reference.map(price), implied }
    };
    let mut plan = draft("FLOKI", Side::Long, market(None));
    plan.instrument.market = Some(Market::Perp);
    plan.targets = vec![Target { at: TargetLevel::Percent(percent("6")), share: None }];
    plan.stop = Some(Stop::None);
    plan.leverage = Some(LeverageRange { min: None, max: "4".parse().unwrap() });
    plan.size_pct = Some(percent("3").into());
    let expected = with(json!({"base": "FLOKI", "market": "perp", "side": "long",
        "entry": {"type": "market", "prices": [], "implied": true}, "tps": [{"pct": "6"}], "sl": {"type": "none"},
        "leverage": {"min": null, "max": "4"}, "size_pct": "3"}));
    assert_eq!(signal(plan), expected);
    let mut stated = draft("FLOKI", Side::Long, market(Some("0.00021")));
    stated.stop = Some(Stop::Percent { percent: percent("3.50") });
    let stated = signal(stated);
    assert_eq!(stated["entry"], json!({"type": "market", "prices": ["0.00021"]}));
    assert_eq!(stated["sl"], json!({"type": "pct", "pct": "3.5"}));
}

#[test]
fn an_option_carries_its_terms() {
    let mut put = draft("ETH", Side::Long, limit("0.052"));
    put.instrument.venue = Some("deribit".into());
    put.instrument.market = Some(Market::Option);
    put.instrument.option =
        Some(OptionTerms { right: OptionRight::Put, strike: price("3200"), expiry: "2026-12-25".into() });
    put.targets = vec![target("0.09")];
    put.stop = stop("0.035");
    let expected = with(json!({"base": "ETH", "venue": "deribit", "market": "option", "side": "long",
        "entry": {"type": "limit", "prices": ["0.052"]}, "tps": [{"price": "0.09"}],
        "sl": {"type": "price", "price": "0.035"},
        "option": {"type": "put", "strike": "3200", "expiry": "2026-12-25"}}));
    assert_eq!(signal(put), expected);
}

#[test]
fn an_update_may_stand_beside_signals() {
    let closing = SignalUpdate {
        scope: Scope::Symbol { base: "GALA".parse().unwrap(), side: None },
        actions: vec![Action::Close],
    };
    let signals = vec![Signal::new(draft("ETH", Side::Short, limit("3310"))).unwrap()];
    let line = line(Verdict::Signals { signals, updates: vec![closing] });
    assert_eq!((&line["kind"], &line["signals"][0]["base"]), (&json!("signal"), &json!("ETH")));
    let expected = json!({"base": "GALA", "quote": null, "side": null, "scope": "symbol", "signal_ref": null,
        "actions": [{"type": "close"}]});
    assert_eq!(line["update"], expected);
}

#[test]
fn a_reply_with_several_actions() {
    let list = vec![
        Action::TargetHit { targets: vec![1, 2] },
        Action::PartClose { share: Some(percent("33.3")) },
        Action::MoveStop { to: StopMove::Price { price: price("71.20") } },
    ];
    let expected = json!({"base": null, "quote": null, "side": null, "scope": "reply", "signal_ref": null, "actions": [
        {"type": "tp_hit", "index": [1, 2]}, {"type": "partial_close", "pct": "33.3"},
        {"type": "move_sl", "to": "price", "price": "71.2"}]});
    assert_eq!(update(Scope::Reply { base: None }, list), expected);
    assert_eq!(
        update(Scope::Reply { base: Some("QNT".parse().unwrap()) }, vec![Action::Close])["base"],
        "QNT"
    );
}

#[test]
fn an_update_names_ticker_and_side_where_the_text_does() {
    let filled = Action::EntryFilled { entries: Vec::new(), price: None };
    let scope = Scope::Symbol { base: "MKR".parse().unwrap(), side: Some(Side::Long) };
    let expected = json!({"base": "MKR", "quote": null, "side": "long", "scope": "symbol", "signal_ref": null,
        "actions": [{"type": "entry_filled"}, {"type": "tp_hit", "index": "all"}]});
    assert_eq!(update(scope, vec![filled, Action::TargetHit { targets: Vec::new() }]), expected);
}

#[test]
fn updates_of_several_symbols_become_one() {
    let of = |base: &str, actions| SignalUpdate {
        scope: Scope::Symbol { base: base.parse().unwrap(), side: None },
        actions,
    };
    let updates = vec![
        of("KAS", vec![Action::PartClose { share: None }, Action::MoveStop { to: StopMove::BreakEven }]),
        of("CFX", vec![Action::AddTargets { prices: vec![price("0.2180")] }]),
    ];
    let expected = json!({"kind": "update", "update": {"base": null, "quote": null, "side": null, "scope": "multi",
        "signal_ref": null, "actions": [], "items": [
            {"base": "KAS", "actions": [{"type": "partial_close"}, {"type": "move_sl", "to": "breakeven"}]},
            {"base": "CFX", "actions": [{"type": "modify_tp", "tps": ["0.218"], "mode": "append"}]}]}});
    assert_eq!(line(Verdict::Updates { updates }), expected);
}

#[test]
fn noise_and_abstaining_give_a_reason_and_nothing_else() {
    let noise = line(Verdict::Noise { reason: "a \"joke\"".into() });
    assert_eq!(noise, json!({"kind": "noise", "reason": "a \"joke\""}));
    let doubt = line(Verdict::Abstained { reason: "stop 4 is not below entry 3 of a long".into() });
    assert_eq!(doubt, json!({"kind": "abstain", "reason": "stop 4 is not below entry 3 of a long"}));
}

#[test]
fn every_scope_has_its_word() {
    let told = |scope: Scope| update(scope, vec![Action::Close]);
    let by_id = told(Scope::Reference { reference: "1207".into(), base: Some("HBAR".parse().unwrap()) });
    assert_eq!(
        (&by_id["scope"], &by_id["signal_ref"], &by_id["base"]),
        (&json!("id"), &json!("1207"), &json!("HBAR"))
    );
    let all = |side| told(Scope::All { side })["scope"].clone();
    assert_eq!(all(None), "all");
    assert_eq!(all(Some(Side::Long)), "all_longs");
    assert_eq!(all(Some(Side::Short)), "all_shorts");
    assert_eq!(told(Scope::Last)["scope"], "last");
}

#[test]
fn every_action_has_its_word() {
    let on_close = |at: &str| Some(Stop::OnClose { price: price(at), timeframe: "4h".into() });
    let list = actions(vec![
        Action::EntryFilled { entries: vec![2], price: Some(price("1.50")) },
        Action::MoveStop { to: StopMove::Target { target: 1 } },
        Action::TrailStop { percent: Some(percent("2.50")) },
        Action::TrailStop { percent: None },
        Action::Cancel,
        Action::StoppedOut,
        Action::StoppedAtBreakEven,
        Action::Add { entry: limit("1.40"), stop: None },
        Action::Reenter { entry: limit("1.45"), stop: on_close("1.52") },
        Action::Reenter { entry: limit("1.45"), stop: on_close("1.39") },
        Action::SetEntry { entry: Entry::Zone { low: price("1.4"), high: price("1.42") } },
        Action::ReplaceTarget { target: 3, price: price("1.90") },
        Action::SetTargets { prices: vec![price("1.6"), price("1.7")] },
    ]);
    let conditional =
        |at: &str, cond: &str| json!({"type": "conditional", "price": at, "timeframe": "4h", "cond": cond});
    let entry = json!({"type": "limit", "prices": ["1.45"]});
    let expected = json!([
        {"type": "entry_filled", "index": [2], "price": "1.5"},
        {"type": "move_sl", "to": "tp1"},
        {"type": "trail_sl", "pct": "2.5"},
        {"type": "trail_sl"},
        {"type": "cancel"},
        {"type": "sl_hit"},
        {"type": "stopped_breakeven"},
        {"type": "add", "entry": {"type": "limit", "prices": ["1.4"]}},
        {"type": "reentry", "entry": entry, "sl": conditional("1.52", "close_above")},
        {"type": "reentry", "entry": entry, "sl": conditional("1.39", "close_below")},
        {"type": "modify_entry", "entry": {"type": "zone", "prices": ["1.4", "1.42"]}},
        {"type": "modify_tp", "tps": ["1.9"], "mode": "replace_index", "index": [3]},
        {"type": "modify_tp", "tps": ["1.6", "1.7"], "mode": "set"}
    ]);
    assert_eq!(list, expected);
}

#[test]
fn evidence_comes_with_its_place_and_its_text() {
    let evidence = Evidence { of: 0, field: Field::MarginMode, part: Part::Content, start: 4, end: 12 };
    let verdict = Verdict::Noise { reason: "none".into() };
    let reading = Reading { reader_version: 5, verdict, evidence: vec![evidence] };
    let line = line_of_reading("é\u{1b}", &post_of_text("5x, isolated".into()), &reading);
    let expected = r#"{"id":"é\u001b","kind":"noise","reason":"none","reader_version":5,"evidence":[{"of":0,"field":"margin_mode","part":"content","start":4,"end":12,"text":"isolated"}]}"#;
    assert_eq!(line, expected);
}
