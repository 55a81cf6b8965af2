//! Market data as candles: what the paper exchange trades against.
//!
//! Entry point: the trait [`Candles`].

use shared::money::{Price, Quantity};
use time::OffsetDateTime;

use crate::order::Pair;

/// The prices of one pair over one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candle {
    /// When it began.
    pub opened_at: OffsetDateTime,
    /// When it ended.
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
