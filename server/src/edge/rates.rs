//! How often somebody may ask: a bucket of tokens for each, filled at a steady rate.
//!
//! Entry points: [`Rate::take`], [`Rates`]. Invariant: a bucket that is full again is forgotten within [`FORGET_EVERY`], so
//! that memory is bounded by who asked in the last minutes.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use super::Edge;
use super::limits::Limits;
use super::places::Household;

/// How often buckets that are full again are forgotten. A flood from new addresses adds some 100 bytes for each.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// So many at once, and so many a minute on the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// What somebody may use who has rested.
    pub burst: NonZeroU32,
    /// What comes back in a minute, evenly.
    pub per_minute: NonZeroU32,
}

impl Allowance {
    /// An allowance in a constant; 0 counts as 1.
    pub const fn new(burst: u32, per_minute: u32) -> Self {
        const fn at_least_one(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self { burst: at_least_one(burst), per_minute: at_least_one(per_minute) }
    }
}

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// When there is a token again, in whole seconds from now, at least one.
    pub retry_after_s: i64,
}

/// A bucket for each of those who ask.
#[derive(Debug)]
pub struct Rate<K: Hash + Eq + Clone>(DefaultKeyedRateLimiter<K>);

impl<K: Hash + Eq + Clone> Rate<K> {
    /// Buckets of this size.
    pub fn new(allowance: Allowance) -> Self {
        let quota = Quota::per_minute(allowance.per_minute).allow_burst(allowance.burst);
        Self(DefaultKeyedRateLimiter::keyed(quota))
    }

    /// Takes a token from this one's bucket.
    pub fn take(&self, who: &K) -> Result<(), TooOften> {
        self.0.check_key(who).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            TooOften { retry_after_s: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1) }
        })
    }

    fn forget_rested(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// The rates that the server keeps.
#[derive(Debug)]
pub struct Rates {
    /// Of everything that comes from one address, before anybody is identified.
    pub addresses: Rate<Household>,
    /// Of reading calls, by account.
    pub reads: Rate<Uuid>,
    /// Of contributing calls, by account.
    pub posts: Rate<Uuid>,
}

impl Rates {
    /// Full buckets.
    pub fn new(limits: &Limits) -> Self {
        Self {
            addresses: Rate::new(limits.address),
            reads: Rate::new(limits.reads),
            posts: Rate::new(limits.posts),
        }
    }
}

/// Forgets those who have rested, until the server stops.
pub async fn forget_rested(edge: Arc<Edge>, stopping: watch::Receiver<bool>) {
    let stopping = crate::until_true(stopping);
    tokio::pin!(stopping);
    let mut due = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = &mut stopping => return,
        }
        edge.rates.addresses.forget_rested();
        edge.rates.reads.forget_rested();
        edge.rates.posts.forget_rested();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_says_when_to_come_back_and_others_are_not_touched() {
        let rate = Rate::new(Allowance::new(5, 2));
        for _ in 0..5 {
            assert_eq!(rate.take(&"ana"), Ok(()));
        }
        let refused = rate.take(&"ana").unwrap_err();
        assert!((29..=31).contains(&refused.retry_after_s), "two a minute: {refused:?}");
        assert_eq!(rate.take(&"bob"), Ok(()));
    }

    #[test]
    fn only_those_who_have_rested_are_forgotten() {
        let slow = Rate::new(Allowance::new(1, 1));
        let quick = Rate::new(Allowance::new(1, 1_000_000_000));
        for who in 0..1000 {
            assert!(slow.take(&who).is_ok() && quick.take(&who).is_ok());
        }
        slow.forget_rested();
        quick.forget_rested();
        assert_eq!(slow.0.len(), 1000);
        assert!(quick.0.len() < 1000, "a thousandth of a second is long enough to rest");
    }
}
