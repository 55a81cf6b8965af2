//! One signal against its label: which fields are right, and what would cost money if it were traded.

use rust_decimal::Decimal;
use serde_json::Value;

use super::values::{is_empty, items, number, numbers, same_number};

/// The fields that decide a trade.
pub(super) const CORE: [&str; 5] = ["base", "side", "entry", "tps", "sl"];
/// A price further than this factor from every labelled one is a slip of magnitude.
const SLIP: Decimal = Decimal::from_parts(15, 0, 0, false, 1);
/// Quotes that mean a dollar.
const DOLLARS: [&str; 7] = ["USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI"];

/// Every entry that the label accepts.
fn entries(label: &Value) -> impl Iterator<Item = &Value> {
    std::iter::once(&label["entry"]).chain(items(&label["entry_alt"]))
}

pub(super) fn entry_equal(label: &Value, got: &Value) -> bool {
    let got = &got["entry"];
    // No entry at all is an entry at the market.
    let kind = if is_empty(got) { "market" } else { got["type"].as_str().unwrap_or_default() };
    entries(label).any(|want| {
        let (mut a, mut b) = (numbers(&want["prices"]), numbers(&got["prices"]));
        if matches!(kind, "zone" | "ladder") {
            a.sort();
            b.sort();
        }
        // The reference price of a market entry need not be given.
        let priced = a == b || kind == "market" && b.is_empty();
        want["type"] == kind && priced && (kind != "trigger" || want["op"] == got["op"])
    })
}

/// Shares and a first leg at the market: outside the core.
fn entry_detail_equal(label: &Value, got: &Value) -> bool {
    let detail = |entry: &Value| {
        let (prices, shares) = (numbers(&entry["prices"]), numbers(&entry["alloc_pct"]));
        let mut pairs: Vec<_> = prices
            .into_iter()
            .zip(shares)
            .map(|(price, share)| (price.unwrap_or_default(), share.unwrap_or_default()))
            .collect();
        pairs.sort();
        (!is_empty(&entry["first_market"]), pairs)
    };
    entries(label).any(|want| detail(want) == detail(&got["entry"]))
}

/// The targets but for a runner without a price.
fn targets(signal: &Value) -> Vec<&Value> {
    items(&signal["tps"]).iter().filter(|target| is_empty(&target["open"])).collect()
}

fn targets_agree(label: &Value, got: &Value, keys: &[&str]) -> bool {
    let (a, b) = (targets(label), targets(got));
    let same = |(x, y): (&&Value, &&Value)| keys.iter().all(|key| same_number(&x[*key], &y[*key]));
    a.len() == b.len() && a.iter().zip(&b).all(same)
}

/// The stop; none where it is not written and where it is expressly none.
fn stop(signal: &Value) -> Option<&Value> {
    let stop = &signal["sl"];
    (!is_empty(stop) && stop["type"] != "none").then_some(stop)
}

pub(super) fn stop_equal(label: &Value, got: &Value) -> bool {
    match (stop(label), stop(got)) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            ["type", "timeframe", "cond"].iter().all(|key| a[*key] == b[*key])
                && ["price", "pct"].iter().all(|key| same_number(&a[*key], &b[*key]))
        }
        _ => false,
    }
}

fn leverage_equal(a: &Value, b: &Value) -> bool {
    if is_empty(a) || is_empty(b) {
        return is_empty(a) && is_empty(b);
    }
    same_number(&a["min"], &b["min"]) && same_number(&a["max"], &b["max"])
}

fn option_equal(label: &Value, got: &Value) -> bool {
    let (a, b) = (&label["option"], &got["option"]);
    a["type"] == b["type"] && a["expiry"] == b["expiry"] && same_number(&a["strike"], &b["strike"])
}

/// Each field that is scored, and whether it is right. Quote, venue and market count only where the label states them.
pub(super) fn compare(label: &Value, got: &Value) -> Vec<(&'static str, bool)> {
    let mut fields = vec![
        ("base", label["base"] == got["base"]),
        ("side", label["side"] == got["side"]),
        ("entry", entry_equal(label, got)),
        ("tps", targets_agree(label, got, &["price", "pct", "r"])),
        ("sl", stop_equal(label, got)),
        ("entry_detail", entry_detail_equal(label, got)),
        ("tp_alloc", targets_agree(label, got, &["alloc_pct"])),
        ("leverage", leverage_equal(&label["leverage"], &got["leverage"])),
    ];
    for key in ["margin_mode", "timeframe", "expiry", "confidence"] {
        fields.push((key, label[key] == got[key]));
    }
    for key in ["risk_pct", "size_pct"] {
        fields.push((key, same_number(&label[key], &got[key])));
    }
    for key in ["quote", "venue", "market"] {
        if !label[key].is_null() {
            fields.push((key, label[key] == got[key]));
        }
    }
    if !is_empty(&label["option"]) || !is_empty(&got["option"]) {
        fields.push(("option", option_equal(label, got)));
    }
    fields
}

/// The prices of entries and targets.
pub(super) fn prices(signal: &Value) -> Vec<Option<Decimal>> {
    let mut all: Vec<_> = entries(signal).flat_map(|entry| numbers(&entry["prices"])).collect();
    all.extend(
        targets(signal)
            .iter()
            .filter(|target| !target["price"].is_null())
            .map(|target| number(&target["price"])),
    );
    all
}

/// What would cost money if this signal were traded instead of the labelled one.
pub(super) fn dangers(label: &Value, got: &Value) -> Vec<&'static str> {
    let mut found = Vec::new();
    if label["base"] != got["base"] {
        found.push("wrong_symbol");
    }
    let dollars = |signal: &Value| signal["quote"].as_str().map(|quote| DOLLARS.contains(&quote));
    let other_quote = dollars(label).zip(dollars(got)).is_some_and(|(a, b)| a != b);
    if !option_equal(label, got) || other_quote {
        found.push("wrong_instrument");
    }
    if label["side"] != got["side"] {
        found.push("wrong_side");
    }
    price_dangers(label, got, &mut found);
    geometry_dangers(got, &mut found);
    let allowed = number(&label["leverage"]["max"]);
    let levers = ["min", "max"].map(|key| number(&got["leverage"][key]));
    if levers.iter().flatten().any(|lever| allowed.is_none_or(|allowed| *lever > allowed)) {
        found.push("leverage_too_high");
    }
    found
}

fn price_dangers(label: &Value, got: &Value, found: &mut Vec<&'static str>) {
    let (want, have) = (stop(label), stop(got));
    let price = |stop: Option<&Value>| stop.and_then(|stop| number(&stop["price"]));
    let (level, at) = (price(want), price(have));
    let known: Vec<Decimal> = prices(label).into_iter().flatten().chain(level).collect();
    let slipped = |price: &Option<Decimal>| {
        let far = |price: Decimal, known: &Decimal| price > *known * SLIP || *known > price * SLIP;
        price.is_none_or(|price| {
            price <= Decimal::ZERO || !known.is_empty() && known.iter().all(|known| far(price, known))
        })
    };
    let own_stop = have.filter(|stop| !stop["price"].is_null()).map(|_| at);
    let magnitude = prices(got).iter().chain(&own_stop).any(slipped);
    if magnitude {
        found.push("wrong_magnitude");
    } else if prices(got).iter().any(|price| !prices(label).contains(price)) {
        found.push("wrong_price");
    }
    match (want, have) {
        (Some(_), None) => found.push("dropped_stop"),
        (Some(_), Some(_)) if level.is_some() && at.is_none() => found.push("dropped_stop"),
        (None, Some(_)) => found.push("invented_stop"),
        (Some(want), Some(have)) => {
            let wrong = level != at || !same_number(&want["pct"], &have["pct"]);
            found.extend((wrong && !magnitude).then_some("wrong_stop_value"));
        }
        (None, None) => {}
    }
}

/// Long: stop < entry < targets; short mirrored. Of the reading alone.
fn geometry_dangers(got: &Value, found: &mut Vec<&'static str>) {
    let long = got["side"] == "long";
    let beyond = |a: Decimal, b: Decimal| if long { a > b } else { a < b };
    let entries: Vec<Decimal> = numbers(&got["entry"]["prices"]).into_iter().flatten().collect();
    let targets: Vec<Decimal> = targets(got).iter().filter_map(|target| number(&target["price"])).collect();
    let measured = if entries.is_empty() { &targets } else { &entries };
    let stop = stop(got).and_then(|stop| number(&stop["price"]));
    if stop.is_some_and(|stop| measured.iter().any(|price| !beyond(*price, stop))) {
        found.push("stop_wrong_side");
    }
    if targets.iter().any(|target| entries.iter().any(|entry| !beyond(*target, *entry))) {
        found.push("target_wrong_side");
    }
}
