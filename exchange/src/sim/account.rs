//! The books: cash, fees, results, and what is held of each pair.
//!
//! Entry points: [`Account::book`], [`Holding::trade`].
//! Invariants, exact to the last digit: balance = start + realised - fees; the cost of a holding = the money that flowed
//! out for it + what was realised on it. So money is neither made nor lost by rounding.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use shared::money::{Amount, Percent, Price, Quantity};
use shared::signal::Side;

use super::SimError;
use super::settings::MONEY_DECIMALS;
use crate::order::{OrderSide, Pair};

/// The largest sum in the books, 10^15: with [`MONEY_DECIMALS`] it still has all its digits in a decimal.
const MAX_MONEY: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// The cash of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// The start balance, plus what was realised, minus the fees.
    pub(super) balance: Amount,
    /// The profit of everything closed, before fees.
    pub(super) realised: Amount,
    /// The fees paid.
    pub(super) fees: Amount,
    /// The number of the last fill.
    pub(super) last_fill: u64,
}

impl Account {
    pub(super) fn new(start: Amount) -> Self {
        Self { balance: start, realised: Amount::ZERO, fees: Amount::ZERO, last_fill: 0 }
    }

    /// Books one fill: what it realised, and its fee.
    pub(super) fn book(&mut self, realised: Decimal, fee: Amount) -> Result<(), SimError> {
        let realised_so_far = money(self.realised.get() + realised)?;
        let fees = money(self.fees.get() + fee.get())?;
        self.balance = money(self.balance.get() + realised - fee.get())?;
        self.realised = realised_so_far;
        self.fees = fees;
        Ok(())
    }
}

/// A sum for the books: inside the bounds in which every digit is kept.
pub(super) fn money(sum: Decimal) -> Result<Amount, SimError> {
    let exact = sum.abs() <= MAX_MONEY && sum.normalize().scale() <= MONEY_DECIMALS;
    Amount::new(sum).ok().filter(|_| exact).ok_or(SimError::OutOfRange { sum })
}

/// The fee on a value, rounded up.
pub(super) fn fee(value: Decimal, rate: Percent) -> Result<Amount, SimError> {
    let exact = value * rate.get() / Decimal::ONE_HUNDRED;
    money(exact.round_dp_with_strategy(MONEY_DECIMALS, RoundingStrategy::AwayFromZero))
}

/// What is held of one pair, netted: above zero is long, below is short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holding {
    quantity: Decimal,
    /// What was paid for it: below zero for a short, which was paid for to us.
    cost: Decimal,
}

impl Holding {
    pub(super) fn is_flat(&self) -> bool {
        self.quantity.is_zero()
    }

    /// The most that an order of this side can trade without opening or flipping.
    pub(super) fn reducible_by(&self, side: OrderSide) -> Quantity {
        let room = match side {
            OrderSide::Sell => self.quantity,
            OrderSide::Buy => -self.quantity,
        };
        Quantity::new(room.max(Decimal::ZERO)).unwrap_or(Quantity::ZERO)
    }

    /// The average price of entry; `None` when flat.
    pub(super) fn average(&self) -> Option<Price> {
        // Eighteen decimals are the most that a price has.
        Price::new(self.cost.checked_div(self.quantity)?.round_dp(18)).ok()
    }

    /// Takes in a trade of this value (price times quantity); gives the profit that it realised.
    pub(super) fn trade(
        &mut self,
        side: OrderSide,
        quantity: Quantity,
        value: Decimal,
    ) -> Result<Decimal, SimError> {
        let sign = if side == OrderSide::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let (traded, flow) = (sign * quantity.get(), sign * value);
        let closing = self.reducible_by(side).min(quantity).get();
        let cost_out = part_of(self.cost, closing, self.quantity.abs());
        let flow_closing = part_of(flow, closing, quantity.get());
        let realised = -flow_closing - cost_out;
        let cost = money(self.cost + flow + realised)?.get();
        let held = Quantity::new((self.quantity + traded).abs());
        held.map_err(|_| SimError::OutOfRange { sum: self.quantity + traded })?;
        self.quantity += traded;
        self.cost = cost;
        Ok(realised)
    }

    /// The profit if all of it were closed at this price, before fees.
    pub(super) fn unrealised(&self, price: Price) -> Result<Amount, SimError> {
        let value = (self.quantity * price.get()).round_dp(MONEY_DECIMALS);
        money(value - self.cost)
    }

    /// The position in plain terms; `None` when flat.
    pub(super) fn position(&self, pair: &Pair, price: Price) -> Result<Option<Position>, SimError> {
        if self.is_flat() {
            return Ok(None);
        }
        let side = if self.quantity > Decimal::ZERO { Side::Long } else { Side::Short };
        let out_of_range = |sum| move |_| SimError::OutOfRange { sum };
        // Eighteen decimals are the most that a price has.
        let entry = (self.cost / self.quantity).round_dp(18);
        Ok(Some(Position {
            pair: pair.clone(),
            side,
            quantity: Quantity::new(self.quantity.abs()).map_err(out_of_range(self.quantity))?,
            entry: Price::new(entry).map_err(out_of_range(entry))?,
            unrealised: self.unrealised(price)?,
        }))
    }
}

/// `sum * part / whole`, rounded to the decimals of money, and exact when the part is the whole.
fn part_of(sum: Decimal, part: Decimal, whole: Decimal) -> Decimal {
    if part.is_zero() {
        Decimal::ZERO
    } else if part == whole {
        sum
    } else {
        (part / whole * sum).round_dp(MONEY_DECIMALS)
    }
}

/// An open position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What is held.
    pub pair: Pair,
    /// Its direction.
    pub side: Side,
    /// How much of the base.
    pub quantity: Quantity,
    /// The average price of entry.
    pub entry: Price,
    /// The profit at the last price, before fees.
    pub unrealised: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traded(holding: &mut Holding, side: OrderSide, quantity: &str, value: &str) -> String {
        let value: Amount = value.parse().unwrap();
        holding.trade(side, quantity.parse().unwrap(), value.get()).unwrap().normalize().to_string()
    }

    #[test]
    fn a_long_and_a_short_realise_the_difference_of_the_prices() {
        let mut long = Holding::default();
        assert_eq!(traded(&mut long, OrderSide::Buy, "2", "200"), "0");
        assert_eq!(traded(&mut long, OrderSide::Sell, "1", "110"), "10");
        assert_eq!(traded(&mut long, OrderSide::Sell, "1", "95"), "-5");
        assert_eq!(long, Holding::default());
        let mut short = Holding::default();
        assert_eq!(traded(&mut short, OrderSide::Sell, "2", "200"), "0");
        assert_eq!(traded(&mut short, OrderSide::Buy, "2", "180"), "20");
        assert_eq!(short, Holding::default());
    }

    #[test]
    fn a_trade_through_zero_closes_the_old_side_and_opens_the_new_one() {
        let mut holding = Holding::default();
        traded(&mut holding, OrderSide::Buy, "1", "100");
        assert_eq!(traded(&mut holding, OrderSide::Sell, "3", "330"), "10");
        let pair: Pair = "BTCUSDT".parse().unwrap();
        let position = holding.position(&pair, "110".parse().unwrap()).unwrap().unwrap();
        assert_eq!((position.side, position.quantity.to_string()), (Side::Short, "2".to_owned()));
        assert_eq!(
            (position.entry.to_string(), position.unrealised.to_string()),
            ("110".to_owned(), "0".to_owned())
        );
    }

    #[test]
    fn a_fee_is_rounded_up_to_the_last_decimal_of_money() {
        let value = "0.000000000001".parse::<Amount>().unwrap().get();
        assert_eq!(fee(value, "0.1".parse().unwrap()).unwrap().get(), value);
    }

    #[test]
    fn the_bound_of_the_books_is_the_power_of_ten_that_its_name_says() {
        assert_eq!(MAX_MONEY.to_string(), "1000000000000000");
    }
}
