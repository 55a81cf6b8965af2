//! A signal: one trade idea, in a form that cannot contradict itself.
//!
//! Entry point: [`Signal::new`], from a [`SignalDraft`] that anyone may fill in.
//! Invariants of every [`Signal`]: for a long, stop < every entry < every target with a price (mirrored for a short);
//! zones ascend; shares add up to at most 101 %; stop nearer than 0.1 % or further than 50 % is refused.
//! Deserialising goes through the same check, so a signal off the wire is as sound as one that was read here.

mod checks;

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::{Leverage, Percent, PercentRange, Price};

pub use checks::Unsound;

/// A currency or token ticker, upper case: `BTC`, `1INCH`, `1000BONK`.
// Held in place, because tickers are copied a lot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "BTC")]
pub struct Symbol(ArrayString<MAX_SYMBOL_LEN>);

/// The longest ticker accepted: the longest listed ones (`1000000MOG`, `BROCCOLI714`) have 11 characters.
pub const MAX_SYMBOL_LEN: usize = 20;

impl Symbol {
    /// `USDT`: the currency of most crypto accounts, and of prices in posts that name none.
    pub fn usdt() -> Self {
        Self::short("USDT")
    }

    /// `BTC`: the currency of prices in satoshi.
    pub fn btc() -> Self {
        Self::short("BTC")
    }

    fn short(ticker: &'static str) -> Self {
        let mut text = ArrayString::new();
        text.push_str(ticker);
        Self(text)
    }

    /// The ticker's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no ticker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ticker: 1 to 20 ASCII letters and digits")]
pub struct NotASymbol(String);

impl FromStr for Symbol {
    type Err = NotASymbol;
    fn from_str(text: &str) -> Result<Self, NotASymbol> {
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        match ArrayString::from(text) {
            Ok(mut ticker) if fits => {
                ticker.make_ascii_uppercase();
                Ok(Self(ticker))
            }
            _ => Err(NotASymbol(text.chars().take(40).collect())),
        }
    }
}

impl TryFrom<String> for Symbol {
    type Error = NotASymbol;
    fn try_from(text: String) -> Result<Self, NotASymbol> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> String {
        symbol.0.to_string()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is traded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Instrument {
    /// The asset bought or sold.
    pub base: Symbol,
    /// The currency of the prices, when the post names it.
    pub quote: Option<Symbol>,
    /// The first venue that the post names, lower case.
    pub venue: Option<String>,
    /// The market, when the post names or implies it.
    pub market: Option<Market>,
    /// The contract, when the market is [`Market::Option`]; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionTerms>,
}

impl Instrument {
    /// An asset of which nothing else is known.
    pub fn of(base: Symbol) -> Self {
        Self { base, quote: None, venue: None, market: None, option: None }
    }
}

/// The terms of an option. All prices of such a signal are premiums.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct OptionTerms {
    /// The right that it gives.
    pub right: OptionRight,
    /// The strike price.
    pub strike: Price,
    /// The day on which it expires: `2026-09-26`, or `09-26` where the post names no year.
    #[schema(example = "2026-09-26")]
    pub expiry: String,
}

/// The right that an option gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionRight {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

/// A kind of market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// Buying the asset itself.
    Spot,
    /// A perpetual or dated future.
    Perp,
    /// An option: the prices are its premiums.
    Option,
}

/// The direction of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Profits from a rise.
    Long,
    /// Profits from a fall.
    Short,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Side::Long { "long" } else { "short" })
    }
}

/// Where to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// Now, at the market.
    Market {
        /// The price that the author saw, if stated. It is no limit.
        reference: Option<Price>,
        /// True when the post names no entry at all.
        implied: bool,
    },
    /// At one price or better.
    Limit {
        /// The price.
        price: Price,
    },
    /// Anywhere between two prices, `low < high`.
    Zone {
        /// The lower edge.
        low: Price,
        /// The upper edge.
        high: Price,
    },
    /// Several discrete entries, in the author's order.
    Ladder {
        /// The legs that have a price.
        legs: Vec<EntryLeg>,
        /// True when the first leg is taken at the market.
        first_market: bool,
    },
    /// Only once the price breaks through a level.
    Trigger {
        /// Which way it must break.
        direction: Break,
        /// The level.
        price: Price,
    },
}

/// One rung of a ladder of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryLeg {
    /// The price of this leg.
    pub price: Price,
    /// The share of the position taken here, if stated.
    pub share: Option<Percent>,
}

/// Which way a level must be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// Upwards: a buy stop.
    Above,
    /// Downwards: a sell stop.
    Below,
}

/// Where to take profit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// The level.
    pub at: TargetLevel,
    /// The share of the position closed here, if stated.
    pub share: Option<Percent>,
}

/// The level of a target, in the author's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetLevel {
    /// A price.
    Price(Price),
    /// A distance from the entry in per cent of the price.
    Percent(Percent),
    /// A multiple of the distance from entry to stop.
    RMultiple(Percent),
    /// The rest runs, without a price.
    Runner,
}

/// Where to get out at a loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Stop {
    /// As soon as the price is touched.
    Price {
        /// The price.
        price: Price,
    },
    /// A distance from the entry in per cent of the price.
    Percent {
        /// The distance.
        percent: Percent,
    },
    /// Only when a candle closes beyond the price.
    OnClose {
        /// The price.
        price: Price,
        /// The candle's length, such as `4h`.
        timeframe: String,
    },
    /// The author says expressly that there is none.
    None,
}

/// The leverage that the author suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeverageRange {
    /// The least, absent in "up to 3x".
    pub min: Option<Leverage>,
    /// The most.
    pub max: Leverage,
}

/// How margin is shared between positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginMode {
    /// One margin for all positions.
    Cross,
    /// Each position has its own.
    Isolated,
}

/// The fields of a signal before they were checked against each other. Absent means that the post does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalDraft {
    /// What is traded.
    pub instrument: Instrument,
    /// The direction.
    pub side: Side,
    /// Where to get in.
    pub entry: Entry,
    /// Where to take profit, nearest first.
    pub targets: Vec<Target>,
    /// Where to get out at a loss; absent when the post names none.
    pub stop: Option<Stop>,
    /// The suggested leverage.
    pub leverage: Option<LeverageRange>,
    /// The suggested margin mode.
    pub margin_mode: Option<MarginMode>,
    /// The suggested risk per trade, per cent of the account: `1`, or `1-2`.
    #[schema(value_type = Option<String>, example = "1-2")]
    pub risk_pct: Option<PercentRange>,
    /// The suggested capital per trade, per cent of the account: `4`, or `3-5`.
    #[schema(value_type = Option<String>, example = "4")]
    pub size_pct: Option<PercentRange>,
    /// The chart's timeframe, such as `1h`.
    pub timeframe: Option<String>,
    /// How long the entry is valid, such as `12h`.
    pub expiry: Option<String>,
    /// The author's confidence, as written.
    pub confidence: Option<String>,
    /// The author's own number or id of the call, by which follow-ups may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl SignalDraft {
    /// A draft that says what, which way and where to get in, and nothing else.
    pub fn new(instrument: Instrument, side: Side, entry: Entry) -> Self {
        Self {
            instrument,
            side,
            entry,
            targets: Vec::new(),
            stop: None,
            leverage: None,
            margin_mode: None,
            risk_pct: None,
            size_pct: None,
            timeframe: None,
            expiry: None,
            confidence: None,
            reference: None,
        }
    }
}

/// A signal whose fields agree with each other. Built only by [`Signal::new`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "SignalDraft", into = "SignalDraft")]
#[schema(value_type = SignalDraft)]
pub struct Signal(SignalDraft);

impl Signal {
    /// Checks a draft; the error says which fields contradict each other.
    pub fn new(draft: SignalDraft) -> Result<Self, Unsound> {
        checks::check(&draft)?;
        Ok(Self(draft))
    }

    /// All fields.
    pub fn fields(&self) -> &SignalDraft {
        &self.0
    }

    /// The direction.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The asset bought or sold.
    pub fn base(&self) -> &Symbol {
        &self.0.instrument.base
    }
}

impl TryFrom<SignalDraft> for Signal {
    type Error = Unsound;
    fn try_from(draft: SignalDraft) -> Result<Self, Unsound> {
        Self::new(draft)
    }
}

impl From<Signal> for SignalDraft {
    fn from(signal: Signal) -> SignalDraft {
        signal.0
    }
}

impl Entry {
    /// The stated prices: none for a market entry without a reference.
    pub fn prices(&self) -> Vec<Price> {
        self.each_price().collect()
    }

    /// Likewise, one after the other.
    pub fn each_price(&self) -> impl Iterator<Item = Price> + Clone + '_ {
        let (stated, legs): ([Option<Price>; 2], &[EntryLeg]) = match self {
            Entry::Market { reference, .. } => ([*reference, None], &[]),
            Entry::Limit { price } | Entry::Trigger { price, .. } => ([Some(*price), None], &[]),
            Entry::Zone { low, high } => ([Some(*low), Some(*high)], &[]),
            Entry::Ladder { legs, .. } => ([None, None], legs),
        };
        stated.into_iter().flatten().chain(legs.iter().map(|leg| leg.price))
    }
}

impl Stop {
    /// The stop's price, when it has one.
    pub fn price(&self) -> Option<Price> {
        match self {
            Stop::Price { price } | Stop::OnClose { price, .. } => Some(*price),
            Stop::Percent { .. } | Stop::None => None,
        }
    }
}
