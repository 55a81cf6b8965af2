//! What the two kinds of candle files have in common: their names, and the checks of a row.
//!
//! Entry points: [`FileName`], [`Row::candle`], [`follows`].

use std::path::Path;

use serde::Deserialize;
use shared::money::{Price, Quantity};
use time::{Duration, OffsetDateTime};

use super::Candle;
use crate::order::Pair;

/// The columns of a file, in their order.
pub(super) const COLUMNS: [&str; 6] = ["opened_at", "open", "high", "low", "close", "volume"];

/// What a file's name says of its candles: `BTCUSDT-15m.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) pair: Pair,
    pub(super) length: Duration,
}

impl FileName {
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let expected = "expected a name such as BTCUSDT-15m.csv";
        let (pair, length) = stem
            .rsplit_once('-')
            .ok_or_else(|| format!("`{stem}` is no name of a candle file: {expected}"))?;
        let pair = pair.parse().map_err(|error| format!("{error}; {expected}"))?;
        let length = parsed_length(length)
            .ok_or_else(|| format!("`{length}` is no length of a candle (1m, 15m, 4h, 1d): {expected}"))?;
        Ok(Self { pair, length })
    }
}

/// `15m`, `4h`, `1d`, `1w`, `30s`.
fn parsed_length(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    // Five digits: a day in seconds.
    let number: u32 = Some(number).filter(|n| (1..=5).contains(&n.len())).and_then(|n| n.parse().ok())?;
    (number > 0).then(|| Duration::seconds(i64::from(number) * seconds))
}

/// One row of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    #[serde(with = "time::serde::rfc3339")]
    pub(super) opened_at: OffsetDateTime,
    pub(super) open: Price,
    pub(super) high: Price,
    pub(super) low: Price,
    pub(super) close: Price,
    pub(super) volume: Quantity,
}

impl Row {
    /// The row as a candle of this length, or what is wrong with it.
    pub(super) fn candle(self, length: Duration) -> Result<Candle, String> {
        let Self { opened_at, open, high, low, close, volume } = self;
        let closed_at =
            opened_at.checked_add(length).ok_or_else(|| format!("opened_at {opened_at} is too late"))?;
        let candle = Candle { opened_at, closed_at, open, high, low, close, volume };
        candle.objection().map_or(Ok(candle), Err)
    }
}

/// What is wrong with `candle` coming after one that ended at `previous`; `None` when it is in order. Gaps are.
pub(super) fn follows(previous: Option<OffsetDateTime>, candle: &Candle) -> Option<String> {
    let previous = previous.filter(|previous| candle.opened_at < *previous)?;
    Some(format!(
        "opened_at {} is before the end {previous} of the candle above: expected ascending times",
        candle.opened_at
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_pair_and_length() {
        for (name, pair, minutes) in [
            ("BTCUSDT-15m.csv", "BTCUSDT", 15),
            ("a/ETHBTC-4h.json", "ETHBTC", 240),
            ("SOLUSD-1d.csv", "SOLUSD", 1440),
        ] {
            let told = FileName::of(Path::new(name)).unwrap();
            assert_eq!((told.pair.to_string().as_str(), told.length.whole_minutes()), (pair, minutes));
        }
        for name in [
            "BTCUSDT.csv",
            "BTCUSDT-15.csv",
            "BTCUSDT-0m.csv",
            "BTC-15m.csv",
            "BTCUSDT-15x.csv",
            "BTCUSDT-é.csv",
        ] {
            let error = FileName::of(Path::new(name)).unwrap_err();
            assert!(error.contains("BTCUSDT-15m.csv"), "{error}");
        }
    }
}
