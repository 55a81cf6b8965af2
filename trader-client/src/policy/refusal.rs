//! Why a signal or an order was refused: a stable code for scripts, and a sentence with the numbers for people.
//!
//! Entry point: [`Refusal`]. Invariant: a code never changes its meaning; a new reason gets a new code.

use std::num::NonZeroU32;

use rust_decimal::Decimal;
use shared::money::{Amount, Price, Quantity};
use shared::signal::Symbol;
use time::Duration;

use super::rules::{Share, Span};

/// Declares the reasons with their codes in one list, so that none can be without.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $type:ty),* $(,)? })? = $code:literal, $text:literal;)*) => {
        /// A reason not to trade.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[expect(missing_docs, reason = "each field is named in the sentence of its reason")]
        pub enum Refusal {
            $($(#[$doc])* #[error($text)] $name $({ $($field: $type),* })?,)*
        }

        impl Refusal {
            /// The reason's stable name, `snake_case`.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }
        }
    };
}

refusals! {
    /// The channel is not on the user's list.
    ChannelNotAllowed { channel: String } = "channel_not_allowed",
        "channel {channel:?} is not on your list";
    /// The symbol is not on the user's list.
    SymbolNotAllowed { symbol: Symbol } = "symbol_not_allowed",
        "{symbol} is not on your list";
    /// The prices are in another currency than the account's.
    OtherCurrency { stated: Symbol, account: Symbol } = "other_currency",
        "it is quoted in {stated}, and this account trades in {account}";
    /// It was found by reading a stored post again: when it was posted, nobody knew it.
    ReadAgain = "read_again",
        "it was found by reading its post again, so it is not fresh: such signals are never traded";
    /// The post is too old.
    TooOld { age: Age, limit: Span } = "too_old",
        "it was posted {age} ago, longer than the limit of {limit}";
    /// The post claims a time that has not come.
    FromTheFuture { ahead: Age } = "from_the_future",
        "its time of posting lies {ahead} ahead of this machine's clock";
    /// Contributors disagree about its words.
    Disputed = "disputed", "contributors disagree about the words of its post";
    /// Fewer contributors than wanted have seen its words.
    TooFewWitnesses { seen: u32, wanted: NonZeroU32 } = "too_few_witnesses",
        "contributors who have seen it: {seen}, and you ask for {wanted} (policy.min_witnesses)";
    /// Its post was edited while it waited for witnesses: nobody can be one of the first text any more.
    EditedMeanwhile = "edited_meanwhile",
        "its post was edited before enough contributors had seen it";
    /// Its post was deleted or edited away.
    Withdrawn = "withdrawn", "its post was deleted, or edited so that the signal is gone";
    /// No stop, so that the risk has no bound.
    NoStop = "no_stop", "it names no stop, so its risk has no bound";
    /// A stop that waits for a candle's close does not protect.
    StopOnClose { timeframe: String } = "stop_on_close",
        "its stop waits for a {timeframe:?} close, which bounds no loss: not supported";
    /// Options have prices of their own.
    OptionMarket = "option_market", "it is about an option: options are not supported";
    /// Targets as multiples of the risk.
    RMultipleTarget = "r_multiple_target", "a target is a multiple of its risk (R): not supported";
    /// Another signal is in trade on the same pair.
    SymbolInTrade { pair: String } = "symbol_in_trade",
        "another signal is in trade on {pair}";
    /// As many positions as allowed.
    TooManyPositions { open: u32, limit: u32 } = "too_many_positions",
        "{open} signals are in trade, and the limit is {limit}";
    /// The exchange does not list the pair.
    NotListed { pair: String } = "not_listed", "the exchange does not list {pair}";
    /// The exchange did not answer.
    NoPrice { reason: String } = "no_price", "there is no market price: {reason}";
    /// The last price is old.
    StalePrice { age: Age, limit: Span } = "stale_price",
        "the last market price is {age} old, and the limit is {limit}";
    /// The market is at the stop or beyond.
    BeyondStop { price: Price, stop: Price } = "beyond_stop",
        "the price {price} is already at or beyond the stop {stop}";
    /// The market is at the first target or beyond.
    PastTarget { price: Price, target: Price } = "past_target",
        "the price {price} is already at or past the first target {target}";
    /// The market is through the trigger.
    PastTrigger { price: Price, trigger: Price } = "past_trigger",
        "the price {price} is already through the trigger {trigger}";
    /// Entry and stop are the same price once rounded, or the stop lies among the entries.
    StopTooNear { entry: Price, stop: Price } = "stop_too_near",
        "entry {entry} and stop {stop} leave no distance on this exchange";
    /// A price that the exchange's tick cannot express.
    PriceUnfit { price: Price, tick: Price } = "price_unfit",
        "the price {price} cannot be expressed in steps of {tick}";
    /// The exchange's filters object.
    TooSmall { objection: String } = "too_small",
        "within your limits it is too small for the exchange: {objection}";
    /// No money left to trade with.
    NoEquity { equity: Amount } = "no_equity", "the equity is {equity}";
    /// The leverage allowed is used up.
    NoLeverageLeft { notional: Amount, limit: Amount } = "no_leverage_left",
        "open positions are worth {notional}, and the limit is {limit}";
    /// The day's loss could exceed its limit.
    DailyLoss { at_risk: Amount, limit: Amount, share: Share } = "daily_loss",
        "today's loss could reach {at_risk}, and the limit is {limit} ({share} of equity)";
    /// One order would take more than what is left of the day's loss.
    RiskLeft { at_risk: Amount, limit: Amount } = "risk_left",
        "this order risks {at_risk}, and {limit} is left of the day's limit";
    /// Numbers beyond what can be computed.
    OutOfRange = "out_of_range", "its numbers are beyond what can be computed safely";
    /// An exit that is larger than the position, or not an exit.
    NotAnExit { quantity: Quantity, open: Quantity } = "not_an_exit",
        "an exit of {quantity} does not fit an open position of {open}";
}

/// A length of time for people: days, hours, minutes and seconds, and milliseconds below one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Duration);

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.whole_seconds().max(0);
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) if seconds == 0 => write!(f, "{} ms", self.0.whole_milliseconds().max(0)),
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, _, _) => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{days} d {hours} h"),
        }
    }
}

/// An amount as people read it: two decimals.
pub(super) fn cents(value: Decimal) -> Amount {
    Amount::new(value.round_dp(2)).unwrap_or(Amount::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_for_people() {
        for (milliseconds, text) in [
            (300, "300 ms"),
            (59_000, "59 s"),
            (61_500, "1 min 1 s"),
            (7_260_000, "2 h 1 min"),
            (86_430_000, "1 d 0 h"),
        ] {
            assert_eq!(Age(Duration::milliseconds(milliseconds)).to_string(), text);
        }
    }

    #[test]
    fn a_refusal_has_a_code_and_a_sentence_with_its_numbers() {
        let refusal = Refusal::TooManyPositions { open: 3, limit: 3 };
        assert_eq!(refusal.code(), "too_many_positions");
        assert_eq!(refusal.to_string(), "3 signals are in trade, and the limit is 3");
    }
}
