//! Market data as candles: what the paper exchange trades against.
//!
//! Entry points: the trait [`Candles`]; [`open_folder`] for files; [`CandleList`] for tests.

mod csv_file;
mod folder;
mod json_file;
mod list;
mod row;

use serde::{Deserialize, Serialize};
use shared::money::{Price, Quantity};
use time::OffsetDateTime;

use crate::order::Pair;

pub use folder::{CandleFolder, open_folder};
pub use list::CandleList;

/// The prices of one pair over one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub closed_at: OffsetDateTime,
    /// The first price.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// How much of the base was traded.
    pub volume: Quantity,
}

impl Candle {
    /// Why it cannot be a candle, in words; `None` when it is sound.
    pub fn objection(&self) -> Option<String> {
        let Self { open, high, low, close, .. } = self;
        if self.closed_at <= self.opened_at {
            return Some(format!("it ends at {}, not after its begin {}", self.closed_at, self.opened_at));
        }
        if high < low {
            return Some(format!("high {high} is below low {low}"));
        }
        for (name, price) in [("open", open), ("close", close)] {
            if price < low || price > high {
                return Some(format!("{name} {price} is outside low {low} to high {high}"));
            }
        }
        None
    }
}

/// A source of candles of one or more pairs.
pub trait Candles: Send {
    /// The next candle that had ended by `until`, in the order of their ends (then of their pairs); `None` when there is
    /// none up to then. Each candle is given once.
    fn next(&mut self, until: OffsetDateTime) -> Result<Option<(Pair, Candle)>, CandlesError>;
}

/// Candles that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading candles from {place} failed: {reason}")]
pub struct CandlesError {
    /// The file, with the line if there is one.
    pub place: String,
    /// What was expected and what was found.
    pub reason: String,
}
