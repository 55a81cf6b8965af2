//! What a paper venue charges, assumes and lists.
//!
//! Entry point: [`Settings`]; [`Settings::objection`] says in words what cannot be used.
//! Invariant of settings without objection: one lot at one tick is a whole number of [`MONEY_DECIMALS`], so that the
//! value of every fill is exact and the books add up to the last digit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::money::{Amount, Percent};
use shared::signal::Symbol;

use crate::order::{Filters, Pair};

/// Money is kept to this many decimals: four more than a satoshi, for coins of many zeros in small lots. With
/// `MAX_MONEY` this fills 27 of the 28 digits that a decimal holds exactly.
pub(super) const MONEY_DECIMALS: u32 = 12;

/// The settings of a paper venue. In TOML:
///
/// ```toml
/// currency = "USDT"
/// start_balance = "10000"
/// taker_fee = "0.05"       # percent
/// maker_fee = "0.02"       # percent
/// slippage = "0.02"        # percent, against us, on market and stop orders
/// participation = "10"     # percent of a candle's volume that one limit order can take
/// pairs.BTCUSDT = { tick = "0.1", lot = "0.001", min_quantity = "0.001", min_notional = "5" }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The currency of the account: every listed pair is quoted in it.
    pub currency: Symbol,
    /// The balance on the first day.
    pub start_balance: Amount,
    /// The fee for taking: market and stop orders, and limit orders filled at an open better than their price.
    pub taker_fee: Percent,
    /// The fee for limit orders filled at their price.
    pub maker_fee: Percent,
    /// How much worse than the market price market and stop orders are filled.
    pub slippage: Percent,
    /// The share of a candle's volume that one limit order can take from it.
    pub participation: Percent,
    /// The listed pairs and their rules.
    #[serde(with = "by_name")]
    pub pairs: BTreeMap<Pair, Filters>,
}

impl Settings {
    /// Why these settings cannot be used, in words; `None` when they can.
    pub fn objection(&self) -> Option<String> {
        let hundred = rust_decimal::Decimal::ONE_HUNDRED;
        let shares =
            [("taker_fee", self.taker_fee), ("maker_fee", self.maker_fee), ("slippage", self.slippage)];
        if let Some((name, share)) = shares.iter().find(|(_, share)| share.get() >= hundred) {
            return Some(format!("{name} is {share} %: expected less than 100"));
        }
        if self.participation.get().is_zero() || self.participation.get() > hundred {
            return Some(format!(
                "participation is {} %: expected above 0, up to 100, or no limit order is ever filled",
                self.participation
            ));
        }
        if super::account::money(self.start_balance.get()).is_err() {
            return Some(format!("start_balance {} is too large or too finely divided", self.start_balance));
        }
        if self.pairs.is_empty() {
            return Some("no pair is listed: add one under pairs".to_owned());
        }
        self.pairs.iter().find_map(|(pair, filters)| self.objection_to(pair, filters))
    }

    fn objection_to(&self, pair: &Pair, filters: &Filters) -> Option<String> {
        if pair.quote != self.currency {
            return Some(format!("pair {pair} is not quoted in the account's currency {}", self.currency));
        }
        if filters.lot.is_zero() {
            return Some(format!("pair {pair} has a lot of zero: expected the step of its quantities"));
        }
        let decimals = filters.tick.get().scale() + filters.lot.get().scale();
        (decimals > MONEY_DECIMALS).then(|| {
            format!(
                "pair {pair}: tick {} and lot {} have {decimals} decimals together, more than {MONEY_DECIMALS}",
                filters.tick, filters.lot
            )
        })
    }

    /// What an account opened with `self` cannot take over from `newer`, in words. New pairs may be added; everything
    /// else would change the rules of trades that were already made.
    pub fn difference(&self, newer: &Self) -> Option<String> {
        let told = |name: &str, old: String, new: String| {
            (old != new).then(|| format!("{name} was {old} and is now {new}"))
        };
        let values = |s: &Self| {
            [
                ("currency", s.currency.to_string()),
                ("start_balance", s.start_balance.to_string()),
                ("taker_fee", s.taker_fee.to_string()),
                ("maker_fee", s.maker_fee.to_string()),
                ("slippage", s.slippage.to_string()),
                ("participation", s.participation.to_string()),
            ]
        };
        let mut pairs = self.pairs.iter().filter_map(|(pair, old)| match newer.pairs.get(pair) {
            None => Some(format!("pair {pair} is no longer listed")),
            Some(new) => told(&format!("pair {pair}"), described(old), described(new)),
        });
        let changed = values(self)
            .into_iter()
            .zip(values(newer))
            .find_map(|((name, old), (_, new))| told(name, old, new));
        changed.or_else(|| pairs.next())
    }
}

fn described(filters: &Filters) -> String {
    let Filters { tick, lot, min_quantity, min_notional } = filters;
    format!("tick {tick}, lot {lot}, min_quantity {min_quantity}, min_notional {min_notional}")
}

/// Pairs as a table from names to rules, because the keys of a table are texts.
mod by_name {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::order::{Filters, Pair};

    pub(super) fn serialize<S: Serializer>(
        pairs: &BTreeMap<Pair, Filters>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(pair, filters)| (pair.to_string(), filters)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Pair, Filters>, D::Error> {
        let named: BTreeMap<String, Filters> = BTreeMap::deserialize(deserializer)?;
        let mut pairs = BTreeMap::new();
        for (name, filters) in named {
            let pair: Pair = name.parse().map_err(D::Error::custom)?;
            if pairs.insert(pair, filters).is_some() {
                return Err(D::Error::custom(format!("pair {name} is listed twice")));
            }
        }
        Ok(pairs)
    }
}
