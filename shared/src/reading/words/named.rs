//! Named: the lengths of candles, and the venues, that phrases of the vocabulary name.
//!
//! Entry point: [`Named::as_str`], the name as a signal has it. Their phrases are in the language files.

/// Candles and venues, by a name of one byte: meanings are compared all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reading) enum Named {
    /// 15 minutes.
    QuarterHour,
    /// 30 minutes.
    HalfHour,
    /// One hour.
    Hour,
    /// Two hours.
    TwoHours,
    /// Four hours.
    FourHours,
    /// One day.
    Day,
    /// One week.
    Week,
    /// A venue.
    Binance,
    /// A venue.
    Bybit,
    /// A venue.
    Okx,
    /// A venue.
    Bitget,
    /// A venue.
    Mexc,
    /// A venue.
    Kucoin,
    /// A venue.
    Hyperliquid,
    /// A venue.
    Bitmex,
    /// A venue.
    Deribit,
}

impl Named {
    /// The name as a signal has it.
    pub(in crate::reading) fn as_str(self) -> &'static str {
        match self {
            Named::QuarterHour => "15m",
            Named::HalfHour => "30m",
            Named::Hour => "1h",
            Named::TwoHours => "2h",
            Named::FourHours => "4h",
            Named::Day => "1d",
            Named::Week => "1w",
            Named::Binance => "binance",
            Named::Bybit => "bybit",
            Named::Okx => "okx",
            Named::Bitget => "bitget",
            Named::Mexc => "mexc",
            Named::Kucoin => "kucoin",
            Named::Hyperliquid => "hyperliquid",
            Named::Bitmex => "bitmex",
            Named::Deribit => "deribit",
        }
    }
}
