//! Ordinary chat, thousands of lines of it: not one may be taken for a signal.
//!
//! `corpus/chat.txt` holds invented lines; `corpus/patterns.txt` holds lines with slots such as `{price}`, which are filled
//! by a generator with a fixed seed, so that every run reads the same texts. `\n` stands for a line's end.

use std::collections::BTreeMap;
use std::path::Path;

use shared::batch::post_of_text;
use shared::reading::{ChannelProfile, Verdict};

/// How often each pattern is filled.
const FILLINGS: u64 = 14;
/// The fewest different lines that make a soak of patterns.
const MIN_FILLED: usize = 6_000;
/// The most lines that may be read as updates: what is left tells of one trade, and only its author could say more.
const MOST_TOLD: usize = 5;
/// The fewest different lines in all.
const MIN_LINES: usize = 8_000;
/// Where the generator begins.
const SEED: u64 = 20_261_120;

/// Tickers, many of which are also words.
const COINS: [&str; 24] = [
    "BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LINK", "AVAX", "ARB", "OP", "NEAR", "ONE", "W", "GAS",
    "MOVE", "HOT", "DATA", "PEOPLE", "ME", "APT", "SUI", "btc", "$SOL", "eth",
];
const COIN_NAMES: [&str; 6] = ["bitcoin", "Ethereum", "solana", "Ripple", "Cardano", "doge"];
const NAMES: [&str; 8] = ["tom", "lina", "Marco", "degen_k", "Ana", "0xpaul", "Yusuf", "mei"];
const VENUES: [&str; 6] = ["Binance", "Bybit", "OKX", "mexc", "Bitget", "kucoin"];
const LEVERAGES: [&str; 7] = ["2", "3", "5", "10", "20", "25", "50"];
/// Prices as a whole number and its decimals.
const PRICES: [(u64, u32); 9] = [
    (91_200, 0),
    (3_120, 0),
    (312_050, 2),
    (14_230, 2),
    (1_720, 2),
    (24_100, 4),
    (5_230, 4),
    (745, 4),
    (1_234, 8),
];

/// A generator of numbers that look random: a Weyl sequence whose steps are mixed by multiplications and shifts.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (mixed ^ (mixed >> 32)) % sides
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.roll(list.len() as u64)).unwrap()]
    }
}

/// A whole number with its last digits behind the point.
fn decimal(number: u64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    match decimals {
        0 => number.to_string(),
        width => format!("{}.{:0width$}", number / unit, number % unit, width = width as usize),
    }
}

/// The pattern with its slots filled; none if it has an unknown one. Prices belong together: below < price < above < far.
fn filled(pattern: &str, dice: &mut Dice) -> Option<String> {
    let (number, decimals) = dice.pick(&PRICES);
    let price = number * (900 + dice.roll(200)) / 1000;
    let part = |per_cent: u64| decimal((price * per_cent).div_ceil(100), decimals);
    let mut pieces = pattern.split('{');
    let mut line = pieces.next()?.to_owned();
    for piece in pieces {
        let (slot, rest) = piece.split_once('}')?;
        line += &match slot {
            "coin" => dice.pick(&COINS).to_owned(),
            "Coin" => dice.pick(&COIN_NAMES).to_owned(),
            "name" => dice.pick(&NAMES).to_owned(),
            "venue" => dice.pick(&VENUES).to_owned(),
            "lev" => dice.pick(&LEVERAGES).to_owned(),
            "price" => part(100),
            "above" => part(104),
            "below" => part(97),
            "far" => part(120),
            "pct" => (1 + dice.roll(60)).to_string(),
            "n" => (1 + dice.roll(9)).to_string(),
            "time" => format!("{:02}:{:02}", dice.roll(24), dice.roll(60)),
            _ => return None,
        };
        line += rest;
    }
    Some(line)
}

fn lines_of(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// Every line with the line or pattern that it comes from.
fn lines() -> BTreeMap<String, String> {
    let mut dice = Dice(SEED);
    let mut lines = BTreeMap::new();
    for pattern in lines_of("patterns.txt") {
        for _ in 0..FILLINGS {
            let line = filled(&pattern, &mut dice);
            assert!(line.is_some(), "an unknown slot in {pattern}");
            lines.extend(line.map(|line| (line, pattern.clone())));
        }
    }
    assert!(lines.len() >= MIN_FILLED, "only {} different lines from patterns", lines.len());
    lines.extend(lines_of("chat.txt").into_iter().map(|line| (line.clone(), line)));
    assert!(lines.len() >= MIN_LINES, "only {} different lines", lines.len());
    lines
}

/// Lines that were read alike, by where they come from: how many, and the first of them.
#[derive(Default)]
struct Found<'l>(BTreeMap<&'l str, (usize, &'l str)>);

impl<'l> Found<'l> {
    fn add(&mut self, line: &'l str, origin: &'l str) {
        self.0.entry(origin).or_insert((0, line)).0 += 1;
    }

    fn count(&self) -> usize {
        self.0.values().map(|(count, _)| count).sum()
    }

    fn shown(&self) -> String {
        self.0.values().map(|(count, line)| format!("  {count:3} like: {line}\n")).collect()
    }
}

#[test]
fn ordinary_chat_is_never_taken_for_a_signal() {
    let lines = lines();
    let (mut signals, mut updates, mut abstained) = (Found::default(), Found::default(), 0);
    for (line, origin) in &lines {
        let post = post_of_text(line.replace("\\n", "\n"));
        match shared::reading::read(&post, &ChannelProfile::default()).verdict {
            Verdict::Signals { .. } => signals.add(line, origin),
            Verdict::Updates { .. } => updates.add(line, origin),
            Verdict::Abstained { .. } => abstained += 1,
            Verdict::Noise { .. } => {}
        }
    }
    let (all, told, called) = (lines.len(), updates.count(), signals.count());
    println!("{all} lines: {called} read as signals, {told} as updates, {abstained} abstained");
    println!("read as updates:\n{}", updates.shown());
    assert_eq!(called, 0, "lines were taken for signals:\n{}", signals.shown());
    assert!(told <= MOST_TOLD, "{told} lines were taken for updates:\n{}", updates.shown());
}

#[test]
fn slots_are_filled_with_prices_that_belong_together() {
    let line =
        filled("{coin} {below} < {price} < {above} < {far}, {n} {pct} {lev} {time}", &mut Dice(1)).unwrap();
    let numbers: Vec<rust_decimal::Decimal> =
        line.split(['<', ' ', ',']).filter_map(|word| word.parse().ok()).take(4).collect();
    assert!(numbers.len() == 4 && numbers.is_sorted_by(|a, b| a < b), "{line}");
    assert!(!line.contains(['{', '}']), "{line}");
    assert!(filled("{coin} at {prize}", &mut Dice(1)).is_none() && filled("{coin", &mut Dice(1)).is_none());
    assert_eq!(
        (decimal(1_234, 8), decimal(91_200, 0), decimal(745, 4)),
        ("0.00001234".into(), "91200".into(), "0.0745".into())
    );
}
