//! Candles from memory, for tests and simulations.

use std::collections::VecDeque;

use time::OffsetDateTime;

use super::{Candle, Candles, CandlesError};
use crate::order::Pair;

/// Candles of any pairs, given in the order of their ends, then of their pairs.
#[derive(Debug, Clone, Default)]
pub struct CandleList {
    waiting: VecDeque<(Pair, Candle)>,
}

impl CandleList {
    /// A list of these candles, in whatever order they come.
    pub fn new(candles: impl IntoIterator<Item = (Pair, Candle)>) -> Self {
        let mut list = Self { waiting: candles.into_iter().collect() };
        list.sort();
        list
    }

    /// Adds one more, as a market would.
    pub fn push(&mut self, pair: Pair, candle: Candle) {
        self.waiting.push_back((pair, candle));
        self.sort();
    }

    fn sort(&mut self) {
        let in_order = |(pair, candle): &(Pair, Candle)| (candle.closed_at, pair.clone());
        self.waiting.make_contiguous().sort_by_cached_key(in_order);
    }
}

impl Candles for CandleList {
    fn next(&mut self, until: OffsetDateTime) -> Result<Option<(Pair, Candle)>, CandlesError> {
        let has_ended = self.waiting.front().is_some_and(|(_, candle)| candle.closed_at <= until);
        Ok(if has_ended { self.waiting.pop_front() } else { None })
    }
}
