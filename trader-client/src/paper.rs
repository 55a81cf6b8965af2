//! The paper venue: the simulator with a memory of its own, so that it survives `kill -9` as a remote venue would.
//!
//! Entry points: [`Paper::open`], [`Paper::advance`], the trait [`Exchange`]; [`look`] for those who only look.
//! Invariants: what changed is committed to the venue's own SQLite file before a call returns. After a crash the next
//! [`Paper::open`] goes on where the file stands: candles that were applied are never matched again, those that were not
//! are applied now and give the same fills with the same numbers.
//! A call that failed or was dropped half-way leaves [`Paper`] doubting its memory: the next call reads the file again.

mod store;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use exchange::sim::{Position, Sim, SimError};
use exchange::{
    Cancellation, Candle, Candles, ClientOrderId, Exchange, ExchangeError, Fill, FillId, Filters, Order,
    OrderState, Pair, Placement, Quote,
};
use shared::money::Amount;
use time::OffsetDateTime;

use self::store::Store;
use crate::engine::Snapshot;
use crate::policy::Market;

/// What the paper venue charges, assumes and lists: the `[paper]` table of the trader's config.
pub use exchange::sim::Settings as PaperSettings;

/// The paper venue.
pub struct Paper {
    identity: String,
    sim: Sim,
    store: Store,
    candles: Box<dyn Candles>,
    /// The candle that is being applied: it is given up only after the commit.
    ahead: Option<(Pair, Candle)>,
    /// False from before a change until after its commit.
    certain: bool,
    /// Pairs that have candles but are not listed, and were warned of.
    unlisted: BTreeSet<Pair>,
}

/// What the venue in this file says of cash and prices, without trading on it: works beside a running client. `None` when
/// there is no such file yet.
pub async fn look(path: &Path) -> anyhow::Result<Option<(Amount, Snapshot)>> {
    if !path.exists() {
        return Ok(None);
    }
    let mut store = Store::open(path).await?;
    let Some(settings) = store.settings().await? else { return Ok(None) };
    let sim = store.load(settings).await?;
    let quoted = |(pair, filters): (&Pair, &Filters)| {
        let candle = sim.last_candle(pair)?;
        let market = Market::Quoted { price: candle.close, at: candle.closed_at, filters: filters.clone() };
        Some((pair.clone(), market))
    };
    let markets = sim.settings().pairs.iter().filter_map(quoted).collect();
    Ok(Some((sim.cash(), Snapshot { balance: Some(sim.cash()), markets })))
}

impl Paper {
    /// Opens the venue's file, or creates it with a venue on its first day. Settings other than those that the venue was
    /// created with are an error, except for newly listed pairs.
    pub async fn open(
        path: &Path,
        settings: PaperSettings,
        candles: Box<dyn Candles>,
    ) -> anyhow::Result<Self> {
        let opened = async {
            let mut store = Store::open(path).await?;
            let sim = venue_in(&mut store, settings).await?;
            anyhow::Ok((store.identity().await?, store, sim))
        };
        let (identity, store, sim) =
            opened.await.with_context(|| format!("opening the paper exchange {}", path.display()))?;
        Ok(Self { identity, sim, store, candles, ahead: None, certain: true, unlisted: BTreeSet::new() })
    }

    /// What distinguishes this venue from every other one: drawn when its file was created.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Closes its file.
    pub async fn close(self) -> anyhow::Result<()> {
        self.store.close().await.context("closing the paper exchange's file")
    }

    /// True when it has ever had an order.
    pub fn is_used(&self) -> bool {
        self.sim.has_orders()
    }

    /// Applies the next candle that had ended by `until`; its closing time, or `None` when there is none.
    pub async fn advance(&mut self, until: OffsetDateTime) -> anyhow::Result<Option<OffsetDateTime>> {
        self.be_certain().await?;
        while let Some((pair, candle)) = self.next_candle(until)? {
            let closed_at = candle.closed_at;
            if !self.is_new(&pair, closed_at) {
                self.ahead = None;
                continue;
            }
            self.certain = false;
            let fills = self.sim.apply_candle(&pair, &candle)?;
            if fills.is_empty() {
                self.store.keep_candle(&pair, &candle).await?;
            } else {
                self.store.save(&self.sim).await?;
            }
            self.certain = true;
            self.ahead = None;
            return Ok(Some(closed_at));
        }
        Ok(None)
    }

    /// The end of the newest candle applied: the venue's time.
    pub fn now(&self) -> Option<OffsetDateTime> {
        self.sim.now()
    }

    /// The open positions, marked to their last prices.
    pub fn positions(&self) -> Result<Vec<Position>, SimError> {
        self.sim.positions()
    }

    /// The balance and what the open positions would bring at their last prices, before fees.
    pub fn equity(&self) -> Result<Amount, SimError> {
        self.sim.equity()
    }

    /// The candle to apply next; it stays `ahead` until its effects are committed.
    fn next_candle(&mut self, until: OffsetDateTime) -> anyhow::Result<Option<(Pair, Candle)>> {
        if self.ahead.is_none() {
            self.ahead = self.candles.next(until)?;
        }
        Ok(self.ahead.clone().filter(|(_, candle)| candle.closed_at <= until))
    }

    /// Whether the venue still has to apply the candle of this pair that ended then.
    fn is_new(&mut self, pair: &Pair, closed_at: OffsetDateTime) -> bool {
        if !self.sim.settings().pairs.contains_key(pair) {
            if self.unlisted.insert(pair.clone()) {
                tracing::warn!(%pair, "there are candles of a pair that the paper exchange does not list");
            }
            return false;
        }
        self.sim.last_candle(pair).is_none_or(|last| closed_at > last.closed_at)
    }

    /// Reads the file again if the last change may not have been committed.
    async fn be_certain(&mut self) -> anyhow::Result<()> {
        if !self.certain {
            self.sim = self.store.load(self.sim.settings().clone()).await?;
            self.certain = true;
        }
        Ok(())
    }

    /// Commits the change that was just made.
    async fn commit(&mut self) -> anyhow::Result<()> {
        self.store.save(&self.sim).await?;
        self.certain = true;
        Ok(())
    }

    /// For questions: like [`Self::be_certain`], with the error that an exchange gives.
    async fn be_certain_of(&mut self, what: &str) -> Result<(), ExchangeError> {
        self.be_certain()
            .await
            .map_err(|error| ExchangeError { what: what.to_owned(), reason: format!("{error:#}") })
    }
}

/// The venue of the file, or a new one.
async fn venue_in(store: &mut Store, settings: PaperSettings) -> anyhow::Result<Sim> {
    let Some(stored) = store.settings().await? else {
        store.create(&Sim::new(settings.clone())?).await?;
        return store.load(settings).await;
    };
    if let Some(difference) = stored.difference(&settings) {
        anyhow::bail!(
            "{difference}, but this paper account already exists: set it back, or choose another --data-dir to \
             begin a new account"
        );
    }
    let sim = store.load(settings).await?;
    if stored != *sim.settings() {
        store.save(&sim).await?;
    }
    Ok(sim)
}

impl Exchange for Paper {
    async fn place(&mut self, order: &Order, now: OffsetDateTime) -> Placement {
        let unsure = |error: anyhow::Error| Placement::Unsure { reason: format!("{error:#}") };
        if let Err(error) = self.be_certain().await {
            return unsure(error);
        }
        self.certain = false;
        let placement = self.sim.place_order(order, now);
        if placement == Placement::Duplicate {
            self.certain = true;
            return placement;
        }
        if let Err(error) = self.commit().await {
            return unsure(error);
        }
        launch::crash::point("paper_committed");
        placement
    }

    async fn cancel(&mut self, id: ClientOrderId) -> Cancellation {
        let unsure = |error: anyhow::Error| Cancellation::Unsure { reason: format!("{error:#}") };
        if let Err(error) = self.be_certain().await {
            return unsure(error);
        }
        self.certain = false;
        let cancellation = self.sim.cancel_order(id);
        if cancellation == Cancellation::NotWorking {
            self.certain = true;
            return cancellation;
        }
        self.commit().await.map_or_else(unsure, |()| cancellation)
    }

    async fn look_up(&mut self, id: ClientOrderId) -> Result<Option<OrderState>, ExchangeError> {
        self.be_certain_of("an order").await?;
        Ok(self.sim.order(id).cloned())
    }

    async fn fills_after(&mut self, last: Option<FillId>) -> Result<Vec<Fill>, ExchangeError> {
        self.be_certain_of("fills").await?;
        Ok(self.sim.fills_after_number(last).to_vec())
    }

    async fn quote(&mut self, pair: &Pair) -> Result<Option<Quote>, ExchangeError> {
        self.be_certain_of("a price").await?;
        self.sim.price(pair)
    }

    async fn balance(&mut self) -> Result<Amount, ExchangeError> {
        self.be_certain_of("the balance").await?;
        Ok(self.sim.cash())
    }
}
