//! What has happened at the paper exchange: it only grows, so that whoever keeps it appends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::order::{ClientOrderId, Fill, OrderState};

/// The part of the state that only grows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPast")]
pub struct Past {
    /// Every fill; the first has number 1.
    pub(super) fills: Vec<Fill>,
    /// Every order that has ended, in the order of their ends.
    pub(super) ended: Vec<OrderState>,
    /// Where in `ended` an order is.
    #[serde(skip)]
    places: BTreeMap<ClientOrderId, usize>,
}

#[derive(Deserialize)]
struct StoredPast {
    fills: Vec<Fill>,
    ended: Vec<OrderState>,
}

impl From<StoredPast> for Past {
    fn from(stored: StoredPast) -> Self {
        Self::new(stored.fills, stored.ended)
    }
}

impl Past {
    /// Puts a past together from what [`super::Sim::fills_after_number`] and [`super::Sim::ended_after`] gave, in the same order.
    pub fn new(fills: Vec<Fill>, ended: Vec<OrderState>) -> Self {
        let places = ended.iter().enumerate().map(|(place, state)| (state.order.id, place)).collect();
        Self { fills, ended, places }
    }

    /// The order, if it has ended.
    pub(super) fn order(&self, id: ClientOrderId) -> Option<&OrderState> {
        self.places.get(&id).map(|place| &self.ended[*place])
    }

    pub(super) fn end(&mut self, state: OrderState) {
        self.places.insert(state.order.id, self.ended.len());
        self.ended.push(state);
    }
}
