//! Prices, quantities and percentages: decimals with checked constructors, never floats.
//!
//! Entry points: [`Price`], [`Quantity`], [`Percent`], [`PercentRange`], [`Leverage`], [`Amount`].
//! Invariants: every value is inside its stated bounds, so that a product of a price, a quantity and a percentage fits in
//! a [`Decimal`] and cannot overflow. The text form is the normal form: plain digits, a point, no trailing zeros, no exponent.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a number was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error("`{0}` is not a plain decimal number")]
    NotANumber(String),
    /// The number lies outside the bounds of its type.
    #[error("{what} {value} is outside {bounds}")]
    OutOfBounds {
        /// The type's name, lower case.
        what: &'static str,
        /// The refused value.
        value: Decimal,
        /// The bounds in words.
        bounds: &'static str,
    },
}

/// Parses a plain decimal: optional minus, digits, optional point and digits. No exponent, no separators.
fn parse_plain(text: &str) -> Result<Decimal, MoneyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit());
    if !plain || digits.ends_with('.') {
        return Err(MoneyError::NotANumber(text.chars().take(40).collect()));
    }
    Decimal::from_str_exact(text).map_err(|_| MoneyError::NotANumber(text.chars().take(40).collect()))
}

/// Without zeros at its end. Most decimals have none: for these, nothing is divided.
fn normal(value: Decimal) -> Decimal {
    match u64::try_from(value.mantissa()) {
        Ok(digits) if digits % 10 != 0 || digits != 0 && value.scale() == 0 => value,
        _ => value.normalize(),
    }
}

/// For each number of decimals, how many of the finest units its last digit counts: `10^(18 - decimals)`.
const UNITS: [u128; MAX_SCALE as usize + 1] = {
    let mut units = [1; MAX_SCALE as usize + 1];
    let mut scale = MAX_SCALE as usize;
    while scale > 0 {
        units[scale - 1] = units[scale] * 10;
        scale -= 1;
    }
    units
};

/// True for a decimal from zero up to a whole bound, with few enough decimals.
fn is_up_to(most: Decimal, value: Decimal) -> bool {
    let places = MAX_SCALE.checked_sub(value.scale()).and_then(|left| usize::try_from(left).ok());
    let power = places.and_then(|left| UNITS.get(left)).copied();
    // The bounds are whole, and leave room for this product.
    let most = power.map(|power| most.mantissa().unsigned_abs() * power);
    !value.is_sign_negative() && most.is_some_and(|most| value.mantissa().unsigned_abs() <= most)
}

macro_rules! decimal_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $bounds:literal, $example:literal, |$value:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, example = $example)]
        pub struct $name(Decimal);

        impl $name {
            #[doc = concat!("Checks the bounds: ", $bounds, ".")]
            pub fn new(value: Decimal) -> Result<Self, MoneyError> {
                let $value = normal(value);
                if $check {
                    Ok(Self($value))
                } else {
                    Err(MoneyError::OutOfBounds { what: $what, value, bounds: $bounds })
                }
            }

            /// The bare decimal, for arithmetic.
            pub fn get(self) -> Decimal {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;
            fn from_str(text: &str) -> Result<Self, MoneyError> {
                Self::new(parse_plain(text)?)
            }
        }

        impl TryFrom<String> for $name {
            type Error = MoneyError;
            fn try_from(text: String) -> Result<Self, MoneyError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// The largest price: above every real quote (a few units of the dearest pairs stay below 10^10).
const MAX_PRICE: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0); // 10^11
/// The most decimal places of a price or quantity: the finest venue filters have 12; satoshi-like meme prices reach 15.
const MAX_SCALE: u32 = 18;
/// The largest quantity: 10^14 covers meme coins traded by the billion.
const MAX_QUANTITY: Decimal = Decimal::from_parts(276_447_232, 23_283, 0, false, 0); // 10^14
/// The largest percentage: a target a thousandfold away is no target.
const MAX_PERCENT: Decimal = Decimal::from_parts(100_000, 0, 0, false, 0);
/// The largest leverage that any listed venue has offered is 500.
const MAX_LEVERAGE: Decimal = Decimal::from_parts(500, 0, 0, false, 0);

decimal_type!(
    /// A price in units of the quote currency for one unit of the base: above zero.
    Price, "price", "0 < price <= 10^11 with at most 18 decimals", "64250.5",
    |value| !value.is_zero() && is_up_to(MAX_PRICE, value)
);
decimal_type!(
    /// An amount of the base currency: zero or more.
    Quantity, "quantity", "0 <= quantity <= 10^14 with at most 18 decimals", "0.015",
    |value| is_up_to(MAX_QUANTITY, value)
);
decimal_type!(
    /// A percentage, `25` for a quarter: zero or more.
    Percent, "percentage", "0 <= percentage <= 100000 with at most 18 decimals", "2.5",
    |value| is_up_to(MAX_PERCENT, value)
);
decimal_type!(
    /// A multiple of the own capital: above zero.
    Leverage, "leverage", "0 < leverage <= 500 with at most 18 decimals", "10",
    |value| !value.is_zero() && is_up_to(MAX_LEVERAGE, value)
);
decimal_type!(
    /// A signed amount of the quote currency: a balance, a fee, a profit or a loss.
    Amount, "amount", "an amount within +-10^25", "-12.75",
    |value| value.abs() <= MAX_AMOUNT
);

impl Price {
    /// One, as [`Price::units`] counts.
    pub const ONE_IN_UNITS: u128 = UNITS[0];

    /// The price as a whole number of units of `10^-18`, the finest that any price has: prices are compared with each
    /// other and with small multiples of each other at the cost of whole numbers.
    pub fn units(self) -> u128 {
        // The bounds of a price leave room for this product, and a place in the table for its decimals.
        let unit = usize::try_from(self.0.scale()).ok().and_then(|scale| UNITS.get(scale));
        self.0.mantissa().unsigned_abs() * unit.copied().unwrap_or_default()
    }
}

/// The largest amount: the largest price times the largest quantity.
const MAX_AMOUNT: Decimal = Decimal::from_parts(1_241_513_984, 370_409_800, 542_101, false, 0); // 10^25

impl Quantity {
    /// No quantity at all.
    pub const ZERO: Quantity = Quantity(Decimal::ZERO);

    /// True when nothing is left.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl Amount {
    /// No money at all.
    pub const ZERO: Amount = Amount(Decimal::ZERO);
}

/// A percentage, or a range of two: `1`, `1-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PercentRange {
    least: Percent,
    most: Percent,
}

impl PercentRange {
    /// The range between two percentages, in either order.
    pub fn between(a: Percent, b: Percent) -> Self {
        Self { least: a.min(b), most: a.max(b) }
    }

    /// The lower end.
    pub fn least(self) -> Percent {
        self.least
    }

    /// The upper end.
    pub fn most(self) -> Percent {
        self.most
    }
}

impl From<Percent> for PercentRange {
    fn from(percent: Percent) -> Self {
        Self { least: percent, most: percent }
    }
}

impl FromStr for PercentRange {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.split_once('-') {
            Some((least, most)) => Ok(Self::between(least.parse()?, most.parse()?)),
            None => text.parse().map(Percent::into),
        }
    }
}

impl TryFrom<String> for PercentRange {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<PercentRange> for String {
    fn from(range: PercentRange) -> String {
        range.to_string()
    }
}

impl fmt::Display for PercentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most { self.least.fmt(f) } else { write!(f, "{}-{}", self.least, self.most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_the_powers_of_ten_that_their_names_say() {
        assert_eq!(MAX_PRICE.to_string(), "100000000000");
        assert_eq!(MAX_QUANTITY.to_string(), "100000000000000");
        assert_eq!(MAX_AMOUNT.to_string(), "10000000000000000000000000");
        assert!(MAX_PRICE.checked_mul(MAX_QUANTITY).is_some_and(|product| product == MAX_AMOUNT));
        assert!(MAX_AMOUNT.checked_mul(Decimal::ONE_HUNDRED).is_some(), "amounts leave room for percentages");
    }

    #[test]
    fn the_text_form_is_normal() {
        for (text, normal) in [("64250.50", "64250.5"), ("0.000010", "0.00001"), ("100", "100"), ("007", "7")]
        {
            assert_eq!(text.parse::<Price>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn a_range_of_percentages_is_one_text() {
        for (text, normal) in [("1", "1"), ("1-2", "1-2"), ("2.50-1", "1-2.5"), ("3-3", "3")] {
            assert_eq!(text.parse::<PercentRange>().unwrap().to_string(), normal);
        }
        assert!("1-".parse::<PercentRange>().is_err());
        assert!("1-2-3".parse::<PercentRange>().is_err());
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e5",
            "1,000",
            "NaN",
            "0x10",
            "１",
            " 1",
            "1.2.3",
            "99999999999999999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text:?} was accepted");
        }
        for text in ["0", "-1", "100000000001", "0.0000000000000000001"] {
            assert!(text.parse::<Price>().is_err(), "{text:?} was accepted as a price");
        }
    }
}
