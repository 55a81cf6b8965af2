//! The only door to an exchange: what goes through it was approved, and what comes back is definite.
//!
//! Entry points: [`Venue::place`], [`Venue::cancel`]. Invariants: an order is sent once; when nobody knows whether it
//! arrived, it is looked up until somebody does, and never sent again in the same run; an entry is not sent when its
//! signal has grown too old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use exchange::{
    Cancellation, ClientOrderId, Exchange, ExchangeError, Fill, FillId, OrderState, OrderStatus, Pair,
    Placement,
};
use shared::money::{Amount, Quantity};
use time::OffsetDateTime;

use crate::engine::{Answer, Snapshot};
use crate::policy::{Approved, Market, Ticket};

/// Questions about one order before its state counts as unknowable for now: with the pauses, about two minutes.
const MAX_QUESTIONS: u32 = 10;
/// "I never had it" counts only when said this often in a row: an order may become visible late.
const MAX_NOT_FOUND: u32 = 3;
/// The pause before the second question; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// An order whose state could not be learnt. The journal still has it as unanswered.
#[derive(Debug, thiserror::Error)]
#[error(
    "order {id}: the exchange gave no definite answer ({reason}); nothing was sent again. Start the client again to \
     look it up"
)]
pub struct Unknowable {
    id: ClientOrderId,
    reason: String,
}

/// An exchange behind its door.
pub struct Venue<E> {
    exchange: E,
}

impl<E: Exchange> Venue<E> {
    /// Puts the door before an exchange.
    pub fn new(exchange: E) -> Self {
        Self { exchange }
    }

    /// What is behind the door, for what is not trading.
    pub fn behind(&mut self) -> &mut E {
        &mut self.exchange
    }

    /// The exchange without its door, when there is nothing more to trade.
    pub fn into_exchange(self) -> E {
        self.exchange
    }

    /// Sends an approved order once, and finds out what became of it.
    pub async fn place(
        &mut self,
        now: OffsetDateTime,
        ticket: &Approved<Ticket>,
    ) -> Result<Answer, Unknowable> {
        let Ticket { order, valid_until } = ticket.get();
        if valid_until.is_some_and(|until| now > until) {
            let reason = "not sent: the signal had grown too old".to_owned();
            return Ok(Answer::Refused { reason });
        }
        match self.exchange.place(order, now).await {
            Placement::Accepted => Ok(Answer::Accepted),
            Placement::Refused { reason } => Ok(Answer::Refused { reason }),
            Placement::Duplicate => self.learn(order.id, "it already had an order of this id".into()).await,
            Placement::Unsure { reason } => self.learn(order.id, reason).await,
        }
    }

    async fn learn(&mut self, id: ClientOrderId, reason: String) -> Result<Answer, Unknowable> {
        tracing::warn!(%id, reason, "the exchange left an order open: looking it up");
        Ok(match self.ask(id).await? {
            Some(state) => answer_of(state),
            None => Answer::Refused { reason: format!("it never reached the exchange: {reason}") },
        })
    }

    /// Asks until the exchange gives a definite answer about an order.
    async fn ask(&mut self, id: ClientOrderId) -> Result<Option<OrderState>, Unknowable> {
        let (mut not_found, mut pause) = (0, FIRST_PAUSE);
        let mut reason = "it was not found".to_owned();
        for _ in 0..MAX_QUESTIONS {
            match self.exchange.look_up(id).await {
                Ok(Some(state)) => return Ok(Some(state)),
                Ok(None) => not_found += 1,
                Err(error) => (not_found, reason) = (0, error.to_string()),
            }
            if not_found >= MAX_NOT_FOUND {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Unknowable { id, reason })
    }

    /// What the exchange has of an order that may have been sent before a crash.
    pub async fn find(&mut self, id: ClientOrderId) -> Result<Option<Answer>, Unknowable> {
        Ok(self.ask_once(id).await?.map(answer_of))
    }

    /// After a restart one "I never had it" is enough: whatever was sent was sent long before.
    async fn ask_once(&mut self, id: ClientOrderId) -> Result<Option<OrderState>, Unknowable> {
        match self.exchange.look_up(id).await {
            Ok(found) => Ok(found),
            Err(_) => self.ask(id).await,
        }
    }

    /// Ends an order, and finds out how it ended.
    pub async fn cancel(&mut self, id: ClientOrderId) -> Result<(OrderStatus, Quantity), Unknowable> {
        for _ in 0..MAX_QUESTIONS {
            let cancellation = self.exchange.cancel(id).await;
            if let Cancellation::Unsure { reason } = &cancellation {
                tracing::warn!(%id, reason, "the exchange left a cancellation open: looking it up");
            }
            match self.ask_once(id).await? {
                None => return Ok((OrderStatus::Refused, Quantity::ZERO)),
                Some(state) if state.status != OrderStatus::Working => {
                    return Ok((state.status, state.filled));
                }
                Some(_) => tokio::time::sleep(FIRST_PAUSE).await,
            }
        }
        Err(Unknowable { id, reason: "it still works after its cancellation".to_owned() })
    }

    /// The fills after the last one known, oldest first.
    pub async fn fills_after(&mut self, last: Option<FillId>) -> Result<Vec<Fill>, ExchangeError> {
        self.exchange.fills_after(last).await
    }

    /// The cash balance.
    pub async fn balance(&mut self) -> Result<Amount, ExchangeError> {
        self.exchange.balance().await
    }

    /// The account and some markets at this moment. What is not answered is part of the picture.
    pub async fn snapshot(&mut self, pairs: &BTreeSet<Pair>) -> Snapshot {
        if pairs.is_empty() {
            return Snapshot::default();
        }
        let balance = match self.exchange.balance().await {
            Ok(balance) => Some(balance),
            Err(error) => {
                tracing::warn!(%error, "the balance is not known: the last known one counts");
                None
            }
        };
        let mut markets = BTreeMap::new();
        for pair in pairs {
            let market = match self.exchange.quote(pair).await {
                Ok(Some(quote)) => {
                    Market::Quoted { price: quote.price, at: quote.at, filters: quote.filters }
                }
                Ok(None) => Market::Unlisted,
                Err(error) => Market::Unanswered { reason: error.to_string() },
            };
            markets.insert(pair.clone(), market);
        }
        Snapshot { balance, markets }
    }
}

fn answer_of(state: OrderState) -> Answer {
    match state.status {
        OrderStatus::Refused => Answer::Refused {
            reason: state.refusal.unwrap_or_else(|| "the exchange does not say why".to_owned()),
        },
        OrderStatus::Working | OrderStatus::Filled | OrderStatus::Cancelled => Answer::Accepted,
    }
}
