//! Orders, their states, and the rules of a venue for them.
//!
//! Entry points: [`Order`], [`OrderState`], [`Fill`], [`Filters`].
//! Invariants: a [`ClientOrderId`] is derived, never drawn: after a restart the same leg computes the same id.
//! Quantities are rounded down, so that rounding never raises a risk.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::money::{Amount, MoneyError, Price, Quantity};
use shared::signal::{Side, Symbol};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is traded against what: `BTCUSDT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The asset bought or sold.
    pub base: Symbol,
    /// The currency of prices, fees and results.
    pub quote: Symbol,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.base, self.quote)
    }
}

/// The quote currencies that a name of a pair may end in; those that begin another come later (`USDT` before `USD`).
const QUOTES: [&str; 5] = ["USDT", "USDC", "USD", "BTC", "ETH"];

/// The text does not name a pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pair: a ticker followed by USDT, USDC, USD, BTC or ETH, as in BTCUSDT")]
pub struct NotAPair(String);

impl FromStr for Pair {
    type Err = NotAPair;
    fn from_str(text: &str) -> Result<Self, NotAPair> {
        let refused = || NotAPair(text.chars().take(40).collect());
        let name = text.to_ascii_uppercase();
        QUOTES
            .iter()
            .find_map(|quote| Some((name.strip_suffix(quote)?.parse().ok()?, quote.parse().ok()?)))
            .map(|(base, quote)| Self { base, quote })
            .ok_or_else(refused)
    }
}

/// Our own name for an order, known before it is sent: 36 characters of `0-9a-f-`, which every venue accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientOrderId(Uuid);

impl ClientOrderId {
    /// Hashes what makes an order unique: the account, the signal, the leg (`entry-0`, `stop`, `target-1`), and the
    /// attempt, which is raised only when an earlier order of the leg has ended for certain.
    pub fn derive(account: &str, signal: Uuid, leg: &str, attempt: u32) -> Self {
        let mut hasher = Sha256::new();
        for part in [account.as_bytes(), signal.as_bytes(), leg.as_bytes(), &attempt.to_be_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ClientOrderId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderSide {
    /// Takes the base, gives the quote.
    Buy,
    /// Gives the base, takes the quote.
    Sell,
}

impl OrderSide {
    /// The order side that opens a position of this direction.
    pub fn opening(side: Side) -> Self {
        if side == Side::Long { Self::Buy } else { Self::Sell }
    }

    /// The order side that closes a position of this direction.
    pub fn closing(side: Side) -> Self {
        if side == Side::Long { Self::Sell } else { Self::Buy }
    }
}

/// How an order is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OrderKind {
    /// At once, at the best price there is.
    Market,
    /// At this price or better; works until it is filled or cancelled.
    Limit {
        /// The price.
        price: Price,
    },
    /// A market order that waits until the price touches the trigger: a protective stop, or a breakout entry.
    Stop {
        /// The trigger.
        trigger: Price,
    },
}

/// One order, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Our name for it.
    pub id: ClientOrderId,
    /// What is traded.
    pub pair: Pair,
    /// The direction.
    pub side: OrderSide,
    /// How it is carried out.
    pub kind: OrderKind,
    /// How much of the base.
    pub quantity: Quantity,
    /// True when it may only shrink a position, never open or flip one.
    pub reduce_only: bool,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for its price; may be partly filled.
    Working,
    /// Completely filled. Terminal.
    Filled,
    /// Ended before it was completely filled, by us or by the venue. Terminal.
    Cancelled,
    /// Never accepted. Terminal.
    Refused,
}

/// What a venue knows of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// The order as sent.
    pub order: Order,
    /// Where it stands.
    pub status: OrderStatus,
    /// How much of it has been filled.
    pub filled: Quantity,
    /// When the venue was given it: nothing from before that can fill it.
    #[serde(with = "time::serde::rfc3339")]
    pub placed_at: OffsetDateTime,
    /// Why it was refused, in the venue's words; so that whoever missed the answer still learns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// The venue's number of a fill: rises with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FillId(pub u64);

/// One execution of an order, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The venue's number.
    pub id: FillId,
    /// Whose execution it is.
    pub order: ClientOrderId,
    /// What was traded.
    pub pair: Pair,
    /// The direction.
    pub side: OrderSide,
    /// The price per unit of the base.
    pub price: Price,
    /// How much of the base.
    pub quantity: Quantity,
    /// The fee in the quote currency, positive when paid.
    pub fee: Amount,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What should be known about how it came about.
    pub note: Option<FillNote>,
}

/// An assumption behind a paper fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillNote {
    /// One candle touched stop and target; the order of touches is unknown, so the stop is assumed.
    StopAssumed,
    /// The candle opened beyond the stop's trigger: filled at the open, worse than the trigger.
    Gap,
    /// The stop lies inside the candle in which the entry or a target was filled: assumed to be hit after it.
    SameCandle,
    /// Closed after a candle in which it was entered: at the worse of the entry and the candle's close.
    WorseAssumed,
}

impl fmt::Display for FillNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FillNote::StopAssumed => "one candle touched stop and target: the stop was assumed",
            FillNote::Gap => "the price jumped over the stop: filled at the candle's open",
            FillNote::SameCandle => "the stop lies inside the candle that led to it: the stop was assumed",
            FillNote::WorseAssumed => {
                "entered inside the last candle: the worse of entry and close was assumed"
            }
        })
    }
}

/// A venue's rules for orders of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Prices are multiples of this.
    pub tick: Price,
    /// Quantities are multiples of this.
    pub lot: Quantity,
    /// The smallest quantity of an order that opens a position. What is left of one may always be closed or protected, as
    /// the venues allow for reduce-only orders; one that does not will say so by its own filters.
    pub min_quantity: Quantity,
    /// The smallest price times quantity of an order that opens a position.
    pub min_notional: Amount,
}

impl Filters {
    /// The largest multiple of the lot that is not above the quantity.
    pub fn round_quantity(&self, quantity: Quantity) -> Quantity {
        let lot = self.lot.get();
        if lot.is_zero() {
            return quantity;
        }
        let lots = quantity.get().checked_div(lot).map(|lots| lots.floor());
        lots.and_then(|lots| lots.checked_mul(lot))
            .and_then(|q| Quantity::new(q).ok())
            .unwrap_or(Quantity::ZERO)
    }

    /// The multiple of the tick next to the price, in the asked direction. Fails when nothing above zero is left.
    pub fn round_price(&self, price: Price, rounding: Rounding) -> Result<Price, MoneyError> {
        let strategy = match rounding {
            Rounding::Down => RoundingStrategy::ToZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
            Rounding::Nearest => RoundingStrategy::MidpointAwayFromZero,
        };
        let tick = self.tick.get();
        let ticks = price.get().checked_div(tick).map(|ticks| ticks.round_dp_with_strategy(0, strategy));
        Price::new(ticks.and_then(|ticks| ticks.checked_mul(tick)).unwrap_or(Decimal::ZERO))
    }

    /// Why an order would be refused, in words; `None` when it fits. `price` is the limit, the trigger or the market.
    pub fn objection(&self, order: &Order, price: Price) -> Option<String> {
        let quantity = order.quantity;
        if quantity.is_zero() || (!order.reduce_only && quantity < self.min_quantity) {
            return Some(format!("quantity {quantity} is below the minimum of {}", self.min_quantity));
        }
        if self.round_quantity(quantity) != quantity {
            return Some(format!("quantity {quantity} is not a multiple of the lot {}", self.lot));
        }
        let stated = match order.kind {
            OrderKind::Market => None,
            OrderKind::Limit { price } => Some(price),
            OrderKind::Stop { trigger } => Some(trigger),
        };
        if let Some(stated) = stated
            && self.round_price(stated, Rounding::Nearest).as_ref() != Ok(&stated)
        {
            return Some(format!("price {stated} is not a multiple of the tick {}", self.tick));
        }
        let notional = price.get() * quantity.get();
        if !order.reduce_only && notional < self.min_notional.get() {
            return Some(format!(
                "order value {} is below the minimum of {}",
                notional.normalize(),
                self.min_notional
            ));
        }
        None
    }
}

/// Which way to round a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearest tick.
    Nearest,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> Filters {
        Filters {
            tick: "0.5".parse().unwrap(),
            lot: "0.001".parse().unwrap(),
            min_quantity: "0.002".parse().unwrap(),
            min_notional: "10".parse().unwrap(),
        }
    }

    fn order(kind: OrderKind, quantity: &str) -> Order {
        let pair = Pair { base: "BTC".parse().unwrap(), quote: "USDT".parse().unwrap() };
        let id = ClientOrderId::derive("paper", Uuid::nil(), "entry-0", 0);
        Order {
            id,
            pair,
            side: OrderSide::Buy,
            kind,
            quantity: quantity.parse().unwrap(),
            reduce_only: false,
        }
    }

    #[test]
    fn a_pair_reads_back_from_its_name() {
        for (name, base, quote) in
            [("BTCUSDT", "BTC", "USDT"), ("ethbtc", "ETH", "BTC"), ("1000PEPEUSD", "1000PEPE", "USD")]
        {
            let pair: Pair = name.parse().unwrap();
            assert_eq!((pair.base.as_str(), pair.quote.as_str()), (base, quote));
            assert_eq!(pair.to_string(), name.to_ascii_uppercase());
        }
        for name in ["", "USDT", "BTC", "BTCEUR", "BTC/USDT"] {
            assert!(name.parse::<Pair>().is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn an_id_depends_on_every_part_and_on_nothing_else() {
        let id = |account, leg, attempt| ClientOrderId::derive(account, Uuid::nil(), leg, attempt);
        assert_eq!(id("a", "entry-0", 0), id("a", "entry-0", 0));
        assert_ne!(id("a", "entry-0", 0), id("a", "entry-0", 1));
        assert_ne!(id("a", "entry-0", 0), id("a", "entry-1", 0));
        assert_ne!(id("ab", "c", 0), id("a", "bc", 0));
        assert_eq!(id("a", "stop", 0).to_string().len(), 36);
    }

    #[test]
    fn quantities_round_down_and_prices_as_asked() {
        assert_eq!(filters().round_quantity("0.0019".parse().unwrap()).to_string(), "0.001");
        let price = "100.3".parse().unwrap();
        for (rounding, rounded) in
            [(Rounding::Down, "100"), (Rounding::Up, "100.5"), (Rounding::Nearest, "100.5")]
        {
            assert_eq!(filters().round_price(price, rounding).unwrap().to_string(), rounded);
        }
        assert!(filters().round_price("0.2".parse().unwrap(), Rounding::Down).is_err());
    }

    #[test]
    fn each_broken_rule_has_its_own_words() {
        let at = |text: &str| text.parse::<Price>().unwrap();
        let limit = |price: &str, quantity: &str| order(OrderKind::Limit { price: at(price) }, quantity);
        assert_eq!(filters().objection(&limit("60000.5", "0.002"), at("60000.5")), None);
        for (order, word) in [
            (limit("60000.5", "0.001"), "minimum"),
            (limit("60000.5", "0.0025"), "lot"),
            (limit("60000.3", "0.002"), "tick"),
            (limit("100", "0.002"), "order value"),
        ] {
            let objection = filters().objection(&order, at("100")).unwrap();
            assert!(objection.contains(word), "{objection}");
        }
        let closing = Order { reduce_only: true, ..limit("100", "0.001") };
        assert_eq!(filters().objection(&closing, at("100")), None, "what is left can always be closed");
    }
}
