//! The paper exchange as an [`Exchange`]: every answer is definite and ready at once.

use std::future::{Future, ready};

use shared::money::Amount;
use time::OffsetDateTime;

use super::Sim;
use crate::order::{ClientOrderId, Fill, FillId, Order, OrderState, Pair};
use crate::{Cancellation, Exchange, ExchangeError, Placement, Quote};

impl Sim {
    /// The last close and the rules of a pair; `Ok(None)` when it is not listed, an error while it has no price yet.
    pub fn price(&self, pair: &Pair) -> Result<Option<Quote>, ExchangeError> {
        let Some(filters) = self.settings.pairs.get(pair).cloned() else { return Ok(None) };
        let quote = |last: &crate::Candle| Quote { price: last.close, at: last.closed_at, filters };
        self.last_candle(pair).map(quote).map(Some).ok_or_else(|| ExchangeError {
            what: format!("the price of {pair}"),
            reason: "no candle of it has ended yet".to_owned(),
        })
    }
}

impl Exchange for Sim {
    fn place(&mut self, order: &Order, now: OffsetDateTime) -> impl Future<Output = Placement> + Send {
        ready(self.place_order(order, now))
    }

    fn cancel(&mut self, id: ClientOrderId) -> impl Future<Output = Cancellation> + Send {
        ready(self.cancel_order(id))
    }

    fn look_up(
        &mut self,
        id: ClientOrderId,
    ) -> impl Future<Output = Result<Option<OrderState>, ExchangeError>> + Send {
        ready(Ok(self.order(id).cloned()))
    }

    fn fills_after(
        &mut self,
        last: Option<FillId>,
    ) -> impl Future<Output = Result<Vec<Fill>, ExchangeError>> + Send {
        ready(Ok(self.fills_after_number(last).to_vec()))
    }

    fn quote(&mut self, pair: &Pair) -> impl Future<Output = Result<Option<Quote>, ExchangeError>> + Send {
        ready(self.price(pair))
    }

    fn balance(&mut self) -> impl Future<Output = Result<Amount, ExchangeError>> + Send {
        ready(Ok(self.cash()))
    }
}
