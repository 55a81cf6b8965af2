//! Doubt: why something that looks like a signal is not accepted, in words for a person.
//!
//! Entry point: [`Doubt`].

use rust_decimal::Decimal;

/// Why something that looks like a signal is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// No symbol was found.
    #[error("no symbol is named")]
    NoSymbol,
    /// Several symbols stand in one block.
    #[error("several symbols are named, and it is not clear which levels belong to which")]
    SeveralSymbols,
    /// Shares, currencies, metals.
    #[error("not a crypto market")]
    NotCrypto,
    /// No side, and the levels do not show it.
    #[error("no side is named")]
    NoSide,
    /// Both sides.
    #[error("both sides are named")]
    BothSides,
    /// The numbers make sense in two ways.
    #[error("the numbers can be read in two ways")]
    TwoReadings,
    /// The numbers make no sense.
    #[error("a number cannot be read")]
    Unreadable,
    /// Neither stop nor targets.
    #[error("only an entry: neither a stop nor a target is named")]
    BareEntry,
    /// No entry, and only one of stop and targets: that rather changes a running trade.
    #[error("neither an entry nor both stop and targets are named")]
    Unfinished,
    /// A number without a label that may be a level. It counts against every way to read the numbers: another way that
    /// takes it out of reach would be chosen for no other reason.
    #[error("{0} might be a level, but nothing says which")]
    Stray(Decimal),
    /// The fields contradict each other.
    #[error("{0}")]
    Unsound(String),
    /// A field cannot be read.
    #[error("{0}")]
    Unclear(&'static str),
}
