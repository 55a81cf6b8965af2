//! The grader itself: a perfect reading costs nothing, and each danger is found where it is, and nowhere else.

use serde_json::{Value, json};

use super::{Grade, reading_of_label};

/// A long with everything that can go wrong.
fn signal() -> Value {
    json!({"base": "DOT", "quote": "USDT", "venue": null, "market": "perp", "side": "long",
        "entry": {"type": "ladder", "prices": ["7.1", "6.9"]}, "tps": [{"price": "7.5"}, {"price": "8"}, {"open": true}],
        "sl": {"type": "price", "price": "6.6"}, "leverage": {"min": "3", "max": "5"}, "margin_mode": null,
        "risk_pct": "1", "size_pct": null, "timeframe": null, "confidence": null, "expiry": null})
}

fn update() -> Value {
    json!({"base": "DOT", "quote": null, "side": null, "scope": "symbol", "signal_ref": null, "actions": [
        {"type": "tp_hit", "index": [1]}, {"type": "move_sl", "to": "breakeven", "price": "7.1"},
        {"type": "modify_tp", "tps": ["8.4"], "mode": "set"}]})
}

fn graded(expect: Value, reading: &Value) -> Grade {
    let mut grade = Grade::default();
    grade.case(&json!({"id": "x", "expect": expect}), reading);
    grade
}

fn dangers(expect: Value, reading: &Value) -> Vec<&'static str> {
    graded(expect, reading).dangers.into_keys().collect()
}

/// The dangers of the signal with one value replaced.
fn changed(pointer: &str, value: Value) -> Vec<&'static str> {
    let mut got = signal();
    *got.pointer_mut(pointer).unwrap() = value;
    let reading = json!({"kind": "signal", "signals": [got]});
    dangers(json!({"kind": "signal", "signals": [signal()]}), &reading)
}

fn changed_update(pointer: &str, value: Value) -> Vec<&'static str> {
    let mut got = update();
    *got.pointer_mut(pointer).unwrap() = value;
    dangers(json!({"kind": "update", "update": update()}), &json!({"kind": "update", "update": got}))
}

#[test]
fn labels_given_as_readings_are_perfect() {
    let mut grade = Grade::default();
    for expect in [
        json!({"kind": "signal", "signals": [signal()], "update": update()}),
        json!({"kind": "update", "update": update()}),
        json!({"kind": "noise"}),
        json!({"kind": "signal", "signals": [signal()], "reject": "upside down"}),
    ] {
        let labelled = json!({"id": "x", "expect": expect});
        grade.case(&labelled, &reading_of_label(&labelled));
    }
    assert_eq!(
        grade.line(),
        "macro_f1=1.000 coverage=1.000 core_exact=1.000 update_exact=1.000 dangerous=0/4 false_accepts=0"
    );
    assert!(grade.wrong.is_empty());
}

#[test]
fn every_danger_of_a_signal_is_named() {
    assert_eq!(changed("/base", json!("DOGE")), ["wrong_symbol"]);
    assert_eq!(changed("/quote", json!("BTC")), ["wrong_instrument"]);
    assert_eq!(changed("/quote", json!("USDC")), [""; 0]);
    assert_eq!(changed("/side", json!("short")), ["stop_wrong_side", "target_wrong_side", "wrong_side"]);
    assert_eq!(changed("/tps/1/price", json!("80")), ["wrong_magnitude"]);
    assert_eq!(changed("/tps/1/price", json!("8.1")), ["wrong_price"]);
    assert_eq!(changed("/entry/prices/0", json!("7.6")), ["target_wrong_side", "wrong_price"]);
    assert_eq!(changed("/sl/price", json!("6.7")), ["wrong_stop_value"]);
    assert_eq!(changed("/sl", Value::Null), ["dropped_stop"]);
    assert_eq!(changed("/leverage/max", json!("50")), ["leverage_too_high"]);
    assert_eq!(changed("/leverage", Value::Null), [""; 0]);
    let mut without = signal();
    without["sl"] = Value::Null;
    let reading = json!({"kind": "signal", "signals": [signal()]});
    assert_eq!(dangers(json!({"kind": "signal", "signals": [without]}), &reading), ["invented_stop"]);
    let twice = json!({"kind": "signal", "signals": [signal(), signal()]});
    assert_eq!(dangers(json!({"kind": "signal", "signals": [signal()]}), &twice), ["extra_signal"]);
}

#[test]
fn every_danger_of_an_update_is_named() {
    assert_eq!(changed_update("/base", json!("DOGE")), ["update_wrong_symbol"]);
    assert_eq!(changed_update("/scope", json!("all_longs")), ["update_too_wide"]);
    let elsewhere = json!({"type": "move_sl", "to": "price", "price": "7.3"});
    assert_eq!(changed_update("/actions/1", elsewhere), ["update_wrong_price"]);
    let stated = json!({"type": "move_sl", "to": "price", "price": "7.10"});
    assert_eq!(changed_update("/actions/1", stated), [""; 0]);
    assert_eq!(changed_update("/actions/2/tps/0", json!("8.5")), ["update_wrong_price"]);
    assert_eq!(changed_update("/actions/0", json!({"type": "close"})), ["false_close_or_cancel"]);
    assert_eq!(changed_update("/actions/0", json!({"type": "partial_close"})), ["invented_action"]);
    assert_eq!(changed_update("/actions/0", json!({"type": "sl_hit"})), [""; 0]);
}

#[test]
fn what_is_accepted_from_a_post_that_holds_nothing_is_dangerous() {
    let signals = json!({"kind": "signal", "signals": [signal()]});
    let updates = json!({"kind": "update", "update": update()});
    let reject = || json!({"kind": "signal", "signals": [signal()], "reject": "gold"});
    for (expect, reading, name, accepts) in [
        (json!({"kind": "noise"}), &signals, "false_signal_on_noise", 1),
        (json!({"kind": "noise"}), &updates, "false_update_on_noise", 0),
        (json!({"kind": "update", "update": update()}), &signals, "false_signal_on_update", 1),
        (reject(), &signals, "accepted_inconsistent", 1),
        (reject(), &updates, "false_update_on_reject", 0),
    ] {
        let grade = graded(expect, reading);
        assert_eq!(grade.dangers.keys().collect::<Vec<_>>(), [&name]);
        assert_eq!((grade.dangerous.len(), grade.false_accepts.len()), (1, accepts), "{name}");
    }
}

#[test]
fn other_forms_of_the_same_answer_are_right() {
    let mut label = signal();
    label["entry_alt"] = json!([{"type": "zone", "prices": ["6.9", "7.1"]}]);
    let mut got = signal();
    got["entry"] = json!({"type": "zone", "prices": ["6.90", "7.1"]});
    let expect = json!({"kind": "signal", "signals": [label]});
    let grade = graded(expect.clone(), &json!({"kind": "signal", "signals": [got]}));
    assert!(grade.core_exact() > 0.99 && grade.dangerous.is_empty(), "{:?}", grade.wrong);
    let licensed = json!({"kind": "signal", "signals": [signal()], "abstain_ok": true});
    let held = json!({"kind": "abstain", "reason": "unsure"});
    assert!(graded(licensed, &held).wrong.is_empty());
    assert_eq!(graded(expect, &held).wrong, [("x".to_owned(), "expected signal, got abstain".to_owned())]);
}
