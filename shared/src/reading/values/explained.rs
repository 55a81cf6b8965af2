//! Explained words: what may stand between a label and its values without hiding them.
//!
//! Entry point: [`explains`].

use super::super::words::{Meaning, Slot};

/// True for phrases that may stand between a label and its values.
pub(super) fn explains(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Filler
            | Meaning::At
            | Meaning::Now
            | Meaning::New
            | Meaning::From
            | Meaning::Row
            | Meaning::Limit
            | Meaning::Market
            | Meaning::Zone
            | Meaning::Side(_)
            | Meaning::Buy
            | Meaning::Sell
            | Meaning::Placeholder
            | Meaning::NoStop
            | Meaning::Close
            | Meaning::Closed
            | Meaning::CandleWord
            | Meaning::Cross
            | Meaning::Isolated
            | Meaning::Spot
            | Meaning::Futures
            | Meaning::Venue(_)
            | Meaning::UpTo
            | Meaning::Bought
            | Meaning::Satoshi
            | Meaning::Currency
            | Meaning::OptionBuy
            | Meaning::OfProfit
            | Meaning::Nth(_)
            | Meaning::Label(Slot::Side | Slot::Pair)
    )
}
