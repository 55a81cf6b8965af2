//! The paper exchange: a perpetual-like venue in one-way netting mode, one account in one currency, driven by candles.
//!
//! Entry point: [`Sim`]. It has no clock, no randomness and does no I/O: equal inputs give equal fills with equal numbers.
//! The rules of filling stand in `sim/placing.rs` (between candles) and `sim/matching.rs` (inside one); where a candle
//! leaves open what happened first, the worse for us is assumed, and the fill says so.
//! There is no margin call: a position is carried whatever it has lost. The trader's own limits must prevent that.

mod account;
mod matching;
mod past;
mod placing;
mod settings;
mod turn;
mod venue;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::money::Amount;
use time::OffsetDateTime;

use self::account::Account;
use self::turn::{Market, Turn};
use crate::candles::Candle;
use crate::order::{ClientOrderId, Fill, FillId, Order, OrderState, OrderStatus, Pair};
use crate::{Cancellation, Placement};

pub use account::Position;
pub use past::Past;
pub use settings::Settings;

/// What the paper exchange cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// The settings cannot be used.
    #[error("paper exchange settings: {reason}")]
    Settings {
        /// What is wrong.
        reason: String,
    },
    /// The pair is not in the settings.
    #[error("the paper exchange does not list {pair}: add it to its pairs")]
    Unlisted {
        /// The pair.
        pair: Pair,
    },
    /// The candle began before the last one of its pair had ended.
    #[error(
        "candle of {pair} beginning {opened_at} came after one ending {last}: expected candles that follow each other"
    )]
    Stale {
        /// The pair.
        pair: Pair,
        /// The begin of the refused candle.
        opened_at: OffsetDateTime,
        /// The end of the candle applied last.
        last: OffsetDateTime,
    },
    /// The candle contradicts itself.
    #[error("candle of {pair} cannot be applied: {reason}")]
    Unsound {
        /// The pair.
        pair: Pair,
        /// What is wrong.
        reason: String,
    },
    /// A price, quantity or sum outside of what the books can hold exactly.
    #[error(
        "{sum} is more than the paper exchange's books can hold: check prices, quantities and start balance"
    )]
    OutOfRange {
        /// The number.
        sum: Decimal,
    },
}

/// The paper exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sim {
    settings: Settings,
    live: Live,
    past: Past,
}

/// The part of the state that changes: small, however long the venue has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    account: Account,
    /// One per listed pair, in their order.
    markets: Vec<Market>,
}

impl Sim {
    /// A venue on its first day.
    pub fn new(settings: Settings) -> Result<Self, SimError> {
        if let Some(reason) = settings.objection() {
            return Err(SimError::Settings { reason });
        }
        let markets = settings.pairs.keys().cloned().map(Market::new).collect();
        let live = Live { account: Account::new(settings.start_balance), markets };
        Ok(Self { settings, live, past: Past::default() })
    }

    /// A venue as it was kept, perhaps with newly listed pairs; [`Settings::difference`] tells what may not change.
    pub fn restore(settings: Settings, mut live: Live, past: Past) -> Result<Self, SimError> {
        let Self { live: fresh, settings, .. } = Self::new(settings)?;
        for market in fresh.markets {
            if let Err(place) = live.markets.binary_search_by(|known| known.pair.cmp(&market.pair)) {
                live.markets.insert(place, market);
            }
        }
        if let Some(market) = live.markets.iter().find(|market| !settings.pairs.contains_key(&market.pair)) {
            return Err(SimError::Unlisted { pair: market.pair.clone() });
        }
        Ok(Self { settings, live, past })
    }

    /// Takes an order in at this time; it is as if it came at the venue's time if that is later. An id counts once, for
    /// ever, whatever became of its order.
    pub fn place_order(&mut self, order: &Order, now: OffsetDateTime) -> Placement {
        if self.order(order.id).is_some() {
            return Placement::Duplicate;
        }
        let placed_at = self.last_candle(&order.pair).map_or(now, |last| now.max(last.closed_at));
        let placed =
            self.turn(&order.pair).map_err(|error| error.to_string()).and_then(|(market, mut turn)| {
                turn.place(order, placed_at)?;
                Ok((market, Changes::of(turn)))
            });
        match placed {
            Ok((market, changes)) => {
                self.commit(market, changes);
                Placement::Accepted
            }
            Err(reason) => {
                self.past.end(OrderState {
                    order: order.clone(),
                    status: OrderStatus::Refused,
                    filled: shared::money::Quantity::ZERO,
                    placed_at,
                    refusal: Some(reason.clone()),
                });
                Placement::Refused { reason }
            }
        }
    }

    /// Ends a working order.
    pub fn cancel_order(&mut self, id: ClientOrderId) -> Cancellation {
        for market in &mut self.live.markets {
            if let Some(place) = market.working.iter().position(|state| state.order.id == id) {
                let state = market.working.remove(place);
                self.past.end(OrderState { status: OrderStatus::Cancelled, ..state });
                return Cancellation::Cancelled;
            }
        }
        Cancellation::NotWorking
    }

    /// Applies the next candle of a pair; gives the fills that it caused. After an error nothing has changed.
    pub fn apply_candle(&mut self, pair: &Pair, candle: &Candle) -> Result<Vec<Fill>, SimError> {
        let (market, mut turn) = self.turn_for(pair, candle)?;
        turn.apply(candle)?;
        let changes = Changes::of(turn);
        let fills = changes.fills.clone();
        self.commit(market, changes);
        Ok(fills)
    }

    /// Takes over the prices of a candle that was applied before and is known to have caused nothing.
    pub fn pass_candle(&mut self, pair: &Pair, candle: &Candle) -> Result<(), SimError> {
        let (market, _) = self.turn_for(pair, candle)?;
        let market = &mut self.live.markets[market];
        (market.entered_inside, market.target_inside) = (false, false);
        market.last = Some(candle.clone());
        Ok(())
    }

    /// What is known of an order.
    pub fn order(&self, id: ClientOrderId) -> Option<&OrderState> {
        let working = self.live.markets.iter().flat_map(|market| &market.working);
        self.past.order(id).or_else(|| working.into_iter().find(|state| state.order.id == id))
    }

    /// The fills after the one of this number, oldest first.
    pub fn fills_after_number(&self, last: Option<FillId>) -> &[Fill] {
        let known = last.map_or(0, |id| usize::try_from(id.0).unwrap_or(usize::MAX));
        self.past.fills.get(known..).unwrap_or_default()
    }

    /// The orders that have ended, without the first `known` ones.
    pub fn ended_after(&self, known: usize) -> &[OrderState] {
        self.past.ended.get(known..).unwrap_or_default()
    }

    /// True when it has ever had an order, whatever became of it.
    pub fn has_orders(&self) -> bool {
        !self.past.ended.is_empty() || self.live.markets.iter().any(|market| !market.working.is_empty())
    }

    /// The part of the state that changes, for keeping.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The last candle of a pair; `None` when none came yet or the pair is not listed.
    pub fn last_candle(&self, pair: &Pair) -> Option<&Candle> {
        self.live.markets.iter().find(|market| market.pair == *pair)?.last.as_ref()
    }

    /// The end of the newest candle of any pair: the venue's time.
    pub fn now(&self) -> Option<OffsetDateTime> {
        self.live.markets.iter().filter_map(|market| market.last.as_ref()).map(|last| last.closed_at).max()
    }

    /// The open positions, in the order of their pairs.
    pub fn positions(&self) -> Result<Vec<Position>, SimError> {
        let priced = |market: &Market| {
            let last = market.last.as_ref()?;
            market.holding.position(&market.pair, last.close).transpose()
        };
        self.live.markets.iter().filter_map(priced).collect()
    }

    /// The cash balance.
    pub fn cash(&self) -> Amount {
        self.live.account.balance
    }

    /// The cash balance and what the open positions would bring at their last prices, before fees.
    pub fn equity(&self) -> Result<Amount, SimError> {
        let open = self.positions()?.iter().map(|position| position.unrealised.get()).sum::<Decimal>();
        account::money(self.live.account.balance.get() + open)
    }

    /// A change to a pair, if this candle may be applied to it.
    fn turn_for(&self, pair: &Pair, candle: &Candle) -> Result<(usize, Turn<'_>), SimError> {
        let (market, turn) = self.turn(pair)?;
        if let Some(reason) = candle.objection() {
            return Err(SimError::Unsound { pair: pair.clone(), reason });
        }
        if let Some(last) = turn.market.last.as_ref().map(|last| last.closed_at)
            && candle.opened_at < last
        {
            return Err(SimError::Stale { pair: pair.clone(), opened_at: candle.opened_at, last });
        }
        Ok((market, turn))
    }

    fn turn(&self, pair: &Pair) -> Result<(usize, Turn<'_>), SimError> {
        let unlisted = || SimError::Unlisted { pair: pair.clone() };
        let filters = self.settings.pairs.get(pair).ok_or_else(unlisted)?;
        let place = self.live.markets.iter().position(|market| market.pair == *pair).ok_or_else(unlisted)?;
        let turn = Turn {
            settings: &self.settings,
            filters,
            market: self.live.markets[place].clone(),
            account: self.live.account.clone(),
            fills: Vec::new(),
            ended: Vec::new(),
        };
        Ok((place, turn))
    }

    fn commit(&mut self, market: usize, changes: Changes) {
        self.live.markets[market] = changes.market;
        self.live.account = changes.account;
        self.past.fills.extend(changes.fills);
        changes.ended.into_iter().for_each(|state| self.past.end(state));
    }
}

/// A finished [`Turn`], free of what it borrowed.
struct Changes {
    market: Market,
    account: Account,
    fills: Vec<Fill>,
    ended: Vec<OrderState>,
}

impl Changes {
    fn of(turn: Turn<'_>) -> Self {
        Self { market: turn.market, account: turn.account, fills: turn.fills, ended: turn.ended }
    }
}
