//! One update against its label: whether it is right, and which of its instructions the label does not justify.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use super::signals::{entry_equal, stop_equal};
use super::values::{is_empty, items, number, numbers, same_number};

/// The scopes that mean more than one trade.
const WIDE: [&str; 3] = ["all", "all_longs", "all_shorts"];
/// Which labelled actions justify one that was read. Reports, such as a target that was hit, move no money.
const JUSTIFIED_BY: [(&str, &[&str]); 9] = [
    ("add", &["add", "reentry"]),
    ("cancel", &["cancel", "close", "sl_hit", "stopped_breakeven"]),
    ("close", &["close", "cancel", "sl_hit", "stopped_breakeven"]),
    ("modify_entry", &["modify_entry"]),
    ("modify_tp", &["modify_tp"]),
    ("move_sl", &["move_sl", "trail_sl"]),
    ("partial_close", &["partial_close", "close"]),
    ("reentry", &["reentry", "add"]),
    ("trail_sl", &["trail_sl", "move_sl"]),
];
/// Actions whose values move money.
const VALUED: [&str; 5] = ["move_sl", "add", "reentry", "modify_tp", "modify_entry"];

/// A ticker and what is said of it: one update is a list of one.
fn parts(update: &Value) -> Vec<(Option<&str>, &[Value])> {
    if is_empty(&update["items"]) {
        return vec![(update["base"].as_str(), items(&update["actions"]))];
    }
    items(&update["items"]).iter().map(|item| (item["base"].as_str(), items(&item["actions"]))).collect()
}

fn actions(update: &Value) -> Vec<&Value> {
    parts(update).into_iter().flat_map(|(_, actions)| actions).collect()
}

fn kinds(update: &Value) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        actions(update).iter().map(|action| action["type"].as_str().unwrap_or_default()).collect();
    kinds.sort_unstable();
    kinds
}

fn price_agrees(a: &Value, b: &Value) -> bool {
    a["price"].is_null() || b["price"].is_null() || same_number(&a["price"], &b["price"])
}

/// `a` is labelled. The prices of what already happened are optional, but may not differ.
fn action_equal(a: &Value, b: &Value) -> bool {
    if a["type"] != b["type"] {
        return false;
    }
    match a["type"].as_str().unwrap_or_default() {
        "move_sl" => {
            let by_name = a["to"] == b["to"] && a["to"] != "price";
            by_name || !a["price"].is_null() && same_number(&a["price"], &b["price"])
        }
        "partial_close" => {
            let near = match (number(&a["pct"]), number(&b["pct"])) {
                (Some(x), Some(y)) => (x - y).abs() <= Decimal::ONE,
                (x, y) => x == y,
            };
            near && price_agrees(a, b)
        }
        "trail_sl" => same_number(&a["pct"], &b["pct"]),
        "entry_filled" if a["index"].is_null() => price_agrees(a, b),
        "tp_hit" | "entry_filled" => indices(&a["index"]) == indices(&b["index"]) && price_agrees(a, b),
        "modify_tp" => {
            let indexed = a["index"].is_null() || indices(&a["index"]) == indices(&b["index"]);
            numbers(&a["tps"]) == numbers(&b["tps"]) && mode(a) == mode(b) && indexed
        }
        "add" | "reentry" | "modify_entry" => entry_equal(a, b) && (is_empty(&a["sl"]) || stop_equal(a, b)),
        _ => price_agrees(a, b),
    }
}

/// A list as a set of texts; anything else as it is.
fn indices(value: &Value) -> Result<BTreeSet<String>, &Value> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_array().map(|list| list.iter().map(text).collect()).ok_or(value)
}

fn mode(action: &Value) -> &str {
    match action["mode"].as_str() {
        None | Some("replace") => "set",
        Some(mode) => mode,
    }
}

fn width(update: &Value) -> &str {
    update["scope"].as_str().filter(|scope| WIDE.contains(scope)).unwrap_or("one")
}

/// Whether the kinds of actions are right, and whether all of it is.
pub(super) fn compare(label: &Value, got: &Value) -> (bool, bool) {
    let kinds = kinds(label) == kinds(got);
    let reference = label["signal_ref"].is_null() || label["signal_ref"] == got["signal_ref"];
    let side = is_empty(&label["side"]) || is_empty(&got["side"]) || label["side"] == got["side"];
    let (wanted, had) = (parts(label), parts(got));
    // A reply may name the ticker of the post that it answers.
    let base = |want: Option<&str>, have: Option<&str>| match want {
        Some(_) => want == have,
        None => label["scope"] == "reply" || have.is_none(),
    };
    let found = |(want, actions): &(Option<&str>, &[Value])| {
        had.iter().any(|(have, others)| {
            let each = actions.iter().all(|a| others.iter().any(|b| action_equal(a, b)));
            base(*want, *have) && actions.len() == others.len() && each
        })
    };
    let all = wanted.len() == had.len() && wanted.iter().all(found);
    (kinds, kinds && width(label) == width(got) && reference && side && all)
}

/// What would cost money if this update were acted on. Without a label every instruction is invented.
pub(super) fn dangers(label: &Value, got: &Value) -> Vec<&'static str> {
    let mut found = Vec::new();
    let unlabelled = is_empty(label);
    let labelled = if unlabelled { Vec::new() } else { kinds(label) };
    let read = kinds(got);
    for (kind, justified_by) in JUSTIFIED_BY.iter().filter(|(kind, _)| read.contains(kind)) {
        let all_hit = |action: &&Value| action["type"] == "tp_hit" && action["index"] == "all";
        let done = *kind == "close" && actions(label).iter().any(all_hit);
        if !done && !labelled.iter().any(|labelled| justified_by.contains(labelled)) {
            let ends = matches!(*kind, "close" | "cancel");
            found.push(if ends { "false_close_or_cancel" } else { "invented_action" });
        }
    }
    if !unlabelled {
        bound_wrongly(label, got, &mut found);
    }
    found
}

fn bound_wrongly(label: &Value, got: &Value, found: &mut Vec<&'static str>) {
    let bases: Vec<_> = parts(label).into_iter().map(|(base, _)| base).collect();
    let foreign = |(base, _): &(Option<&str>, &[Value])| base.is_some() && !bases.contains(base);
    if !bases.contains(&None) && parts(got).iter().any(foreign) {
        found.push("update_wrong_symbol");
    }
    if width(got) != "one" && width(got) != width(label) && width(label) != "all" {
        found.push("update_too_wide");
    }
    let wanted = actions(label);
    for action in actions(got) {
        let rivals: Vec<_> = wanted.iter().filter(|want| want["type"] == action["type"]).collect();
        let valued = VALUED.iter().any(|kind| action["type"] == *kind);
        if valued && !rivals.is_empty() && !rivals.iter().any(|want| action_equal(want, action)) {
            found.push("update_wrong_price");
        }
    }
}
