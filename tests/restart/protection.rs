//! What a journal must show by itself, without another run to compare it with: everything filled was protected before
//! anything else was listened to, and the exchange holds what the journal says.
//!
//! Entry point: [`check`].

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};

/// An order as the journal's rows tell of it.
#[derive(Debug)]
struct Told {
    order: Value,
    filled: i128,
    works: bool,
}

impl Told {
    fn left(&self) -> i128 {
        units(&self.order["quantity"]) - self.filled
    }
}

/// What is open of each pair, above zero for a long, and every order so far.
#[derive(Default)]
struct Books {
    orders: BTreeMap<String, Told>,
    open: BTreeMap<String, i128>,
    entries: usize,
    partial_entries: usize,
}

/// Reads the journal and the paper exchange in the folder, and fails with the first thing that must not be.
pub async fn check(folder: &Path) {
    let mut journal = open(&folder.join("journal.sqlite")).await;
    let mut commands: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for (input, payload) in rows(&mut journal, "SELECT input, payload FROM commands ORDER BY number").await {
        commands.entry(input).or_default().push(payload);
    }
    let (mut books, mut fills) = (Books::default(), Vec::new());
    for (number, input) in rows(&mut journal, "SELECT number, payload FROM inputs ORDER BY number").await {
        if input["kind"] == "event" {
            books.check_protected(number);
        }
        if input["kind"] == "filled" {
            fills.extend(input["fills"].as_array().expect("fills").clone());
        }
        books.take(&input);
        let is_signal = input["record"]["event"]["kind"] == "signal_posted";
        for command in commands.remove(&number).unwrap_or_default() {
            books.command(&command, is_signal, number);
        }
    }
    books.check_protected(i64::MAX);
    assert!(books.entries >= 6 && books.partial_entries >= 1, "{} entries were filled", books.entries);
    let mut venue = open(&folder.join("paper.sqlite")).await;
    let known = rows(&mut venue, "SELECT number, fill FROM fills ORDER BY number").await;
    let known: Vec<Value> = known.into_iter().map(|(_, fill)| fill).collect();
    assert_eq!(known, fills, "the exchange's fills and the journal's");
    for (_, live) in rows(&mut venue, "SELECT revision, live FROM venue").await {
        for market in live["markets"].as_array().expect("markets") {
            let pair = pair_of(market);
            let open = books.open.get(&pair).copied().unwrap_or_default();
            assert_eq!(units(&market["holding"]["quantity"]), open, "what is held of {pair}");
        }
    }
}

impl Books {
    fn command(&mut self, command: &Value, is_signal: bool, input: i64) {
        if command["kind"] != "place" {
            return;
        }
        let order = command["ticket"]["order"].clone();
        assert_eq!(order["reduce_only"], !is_signal, "input {input}: only a signal may open: {order}");
        let id = order["id"].as_str().expect("an id").to_owned();
        let known = self.orders.insert(id, Told { order, filled: 0, works: false });
        assert!(known.is_none(), "input {input}: an order was commanded twice");
    }

    fn take(&mut self, input: &Value) {
        let id = input["id"].as_str().unwrap_or_default();
        match input["kind"].as_str() {
            Some("placed") => {
                let told = self.orders.get_mut(id).expect("an order that was commanded");
                told.works = input["answer"]["answer"] == "accepted";
            }
            Some("cancelled") => self.orders.get_mut(id).expect("an order").works = false,
            Some("filled") => input["fills"].as_array().expect("fills").iter().for_each(|f| self.fill(f)),
            _ => {}
        }
    }

    fn fill(&mut self, fill: &Value) {
        let told = self.orders.get_mut(fill["order"].as_str().expect("an id")).expect("an order of ours");
        let quantity = units(&fill["quantity"]);
        told.filled += quantity;
        assert!(told.left() >= 0, "filled beyond its quantity: {told:?}");
        if told.order["reduce_only"] == false {
            self.entries += 1;
            self.partial_entries += usize::from(told.left() > 0);
        }
        let sign = if fill["side"] == "buy" { 1 } else { -1 };
        *self.open.entry(pair_of(fill)).or_default() += sign * quantity;
    }

    /// Exactly one working stop stands for exactly what is open.
    fn check_protected(&self, input: i64) {
        for (pair, open) in self.open.iter().filter(|(_, open)| **open != 0) {
            let closing = if *open > 0 { "sell" } else { "buy" };
            let is_stop = |told: &&Told| {
                told.works
                    && told.left() > 0
                    && told.order["kind"]["type"] == "stop"
                    && told.order["reduce_only"] == true
                    && told.order["side"] == closing
                    && pair_of(&told.order) == *pair
            };
            let stops: Vec<i128> = self.orders.values().filter(is_stop).map(Told::left).collect();
            assert_eq!(stops, [open.abs()], "before input {input}: the stops of {pair}");
        }
    }
}

fn pair_of(of: &Value) -> String {
    let part = |name: &str| of["pair"][name].as_str().expect("a ticker").to_owned();
    part("base") + &part("quote")
}

/// A decimal text in units of 10^-8: no quantity of the story has more digits.
fn units(text: &Value) -> i128 {
    let text = text.as_str().expect("a decimal as text");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= 8, "{text}");
    format!("{whole}{part:0<8}").parse().expect("a number")
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.expect("the database opens")
}

async fn rows(from: &mut SqliteConnection, statement: &'static str) -> Vec<(i64, Value)> {
    let rows = sqlx::query(statement).fetch_all(from).await.expect("the rows");
    let read = |text: String| serde_json::from_str(&text).expect("JSON");
    rows.iter().map(|row| (row.get(0), read(row.get(1)))).collect()
}
