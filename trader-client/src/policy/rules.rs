//! The user's rules, as they stand in the config file and in the journal.
//!
//! Entry point: [`Rules`]. Values carry their unit in the text (`"60s"`, `"2%"`, `"3x"`), so that none can be mistaken.
//! Invariant: the defaults are safe: nothing is traded until a channel is named.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::money::{Leverage, Percent};
use shared::signal::Symbol;
use time::Duration;

/// What may be traded, and how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Which signals are considered.
    pub policy: Choice,
    /// How much may be risked.
    pub risk: Limits,
}

/// Which signals are considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// Names or ids of the channels to trade; `"*"` means all. Empty trades nothing.
    pub channels: Vec<String>,
    /// Tickers (`BTC`) or pairs (`BTCUSDT`) to trade; `"*"` means all. Empty trades nothing.
    pub symbols: Vec<String>,
    /// The oldest signal to trade, counted from the time of its post.
    pub max_signal_age: Span,
    /// How many contributors must have seen the words of a signal's post. One that fewer have seen waits for the others as
    /// long as it is fresh. A signal about whose words contributors disagree is never traded, whatever stands here.
    pub min_witnesses: NonZeroU32,
    /// The oldest market price to trust.
    pub max_price_age: Span,
    /// The currency of the account: prices, fees and results.
    pub quote_currency: Symbol,
    /// Quote currencies that authors write when they mean the account's.
    pub accept_as_quote: Vec<Symbol>,
}

/// Pairs with deep markets everywhere: the symbols traded unless the user says otherwise.
const MAJORS: [&str; 20] = [
    "BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "AVAX", "LINK", "DOT", "LTC", "BCH", "TRX", "TON",
    "SUI", "ATOM", "NEAR", "APT", "ARB", "OP",
];

impl Default for Choice {
    fn default() -> Self {
        let symbols = |texts: &[&str]| texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self {
            channels: Vec::new(),
            symbols: MAJORS.iter().map(|&text| text.to_owned()).collect(),
            max_signal_age: Span(Duration::seconds(60)),
            // Most communities begin with one contributor.
            min_witnesses: NonZeroU32::MIN,
            max_price_age: Span(Duration::minutes(5)),
            quote_currency: Symbol::usdt(),
            accept_as_quote: symbols(&["USD", "USDC"]),
        }
    }
}

/// How much may be risked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The loss at the stop that one trade may cause, per cent of equity.
    pub per_trade: Share,
    /// How many signals may be in trade at once, waiting entries included.
    pub max_open_positions: u32,
    /// The loss of one UTC day, realised and still possible, per cent of equity.
    pub max_daily_loss: Share,
    /// The value of all positions, as a multiple of equity.
    pub max_leverage: Multiple,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_trade: Share(Decimal::ONE),
            max_open_positions: 3,
            max_daily_loss: Share(Decimal::TWO),
            max_leverage: Multiple(Decimal::from(3)),
        }
    }
}

/// A text that is not a value of the kind that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct BadValue {
    text: String,
    wanted: &'static str,
}

/// Gives a type its text form: parsed from and written as one string.
macro_rules! text_form {
    ($(#[$doc:meta])* $name:ident($inner:ty), $wanted:literal, $parse:expr, $write:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub $inner);

        impl FromStr for $name {
            type Err = BadValue;
            fn from_str(text: &str) -> Result<Self, BadValue> {
                let parse: fn(&str) -> Option<$inner> = $parse;
                parse(text).map(Self).ok_or_else(|| BadValue {
                    text: text.chars().take(40).collect(),
                    wanted: $wanted,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let write: fn($inner) -> String = $write;
                f.write_str(&write(self.0))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadValue;
            fn try_from(text: String) -> Result<Self, BadValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

text_form!(
    /// A length of time: a whole number and one unit, `90s`, `5m`, `24h` or `3d`.
    Span(Duration),
    "a length of time such as 90s, 5m, 24h or 3d (at most 3650d)",
    parse_span,
    write_span
);
text_form!(
    /// A share of something, `2.5%`: above zero, at most a hundred.
    Share(Decimal),
    "a percentage such as 1% or 2.5% (above 0%, at most 100%)",
    |text| {
        let percent: Percent = text.strip_suffix('%')?.parse().ok()?;
        let fits = !percent.get().is_zero() && percent.get() <= 100.into();
        fits.then_some(percent.get())
    },
    |percent| format!("{percent}%")
);
text_form!(
    /// A multiple of the own capital, `3x`.
    Multiple(Decimal),
    "a multiple such as 3x (at most 500x)",
    |text| text.strip_suffix('x')?.parse::<Leverage>().ok().map(Leverage::get),
    |leverage| format!("{leverage}x")
);

/// The units of a [`Span`], largest first, in seconds.
const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
/// Ten years: longer is a slip, and times stay far inside the calendar's range.
const MAX_SPAN_SECONDS: i64 = 3_650 * 86_400;

fn parse_span(text: &str) -> Option<Duration> {
    let (unit, seconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let total = digits.parse::<i64>().ok()?.checked_mul(*seconds)?;
    (total <= MAX_SPAN_SECONDS).then(|| Duration::seconds(total))
}

fn write_span(span: Duration) -> String {
    let total = span.whole_seconds();
    let unit = UNITS.iter().find(|(_, seconds)| total != 0 && total % seconds == 0);
    let (unit, seconds) = unit.unwrap_or(&("s", 1));
    format!("{}{unit}", total / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_need_a_whole_number_and_one_unit() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("24h", 86_400), ("3d", 259_200), ("0s", 0)] {
            assert_eq!(text.parse::<Span>().unwrap().0.whole_seconds(), seconds, "{text}");
        }
        for text in ["", "90", "s", "-5m", "1.5h", "5 m", "1h30m", "5M", "99999999d", "+1s"] {
            assert!(text.parse::<Span>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn every_value_is_written_as_it_can_be_read() {
        for text in ["90s", "5m", "3d", "0s", "25h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("60s".parse::<Span>().unwrap().to_string(), "1m");
        assert_eq!("2.50%".parse::<Share>().unwrap().to_string(), "2.5%");
        assert_eq!("3x".parse::<Multiple>().unwrap().to_string(), "3x");
    }

    #[test]
    fn percentages_and_multiples_need_their_unit_and_their_bounds() {
        for text in ["2", "0%", "101%", "-1%", "%", "1e1%"] {
            assert!(text.parse::<Share>().is_err(), "{text:?} was accepted");
        }
        for text in ["3", "0x", "501x", "x"] {
            assert!(text.parse::<Multiple>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_defaults_are_the_safe_ones() {
        let rules = Rules::default();
        assert!(rules.policy.channels.is_empty(), "no channel is traded until it is named");
        assert_eq!(rules.policy.max_signal_age.to_string(), "1m");
        assert_eq!(rules.policy.quote_currency.as_str(), "USDT");
        assert_eq!(rules.risk.per_trade.to_string(), "1%");
        assert_eq!(rules.risk.max_daily_loss.to_string(), "2%");
        assert_eq!((rules.risk.max_open_positions, rules.risk.max_leverage.to_string()), (3, "3x".into()));
    }
}
