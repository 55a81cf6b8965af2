//! Discord's rate limits: when the next request of a route may go out. Pure: the time is a parameter.
//!
//! Entry points: [`Limits::wait`], [`Limits::learn`], [`Limits::hold`].
//! Facts (Discord's reference, "Rate limits"): 50 requests a second for a bot; each answer names the bucket of its route, which
//! counts for each channel or guild apart; 10,000 answers of 401, 403 or 429 in ten minutes are punished with a ban.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Requests a second that we allow ourselves: below the 50 that a bot has, so that other programs of the bot live, too.
const PER_SECOND: u32 = 40;
/// Old buckets are forgotten when so many are known.
const MAX_BUCKETS: usize = 1_000;

/// A kind of request on one channel or guild.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    /// The path below the API's address.
    pub(super) path: String,
    /// The kind, such as `channels/messages`.
    pub(super) kind: &'static str,
    /// The channel or guild that buckets are counted for, or 0.
    pub(super) major: u64,
}

/// What the headers of an answer tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    pub(super) bucket: Option<String>,
    pub(super) remaining: Option<u32>,
    pub(super) reset_after: Option<Duration>,
}

/// What is left of a bucket.
#[derive(Debug, Clone, Copy)]
struct Left {
    remaining: u32,
    until: Instant,
}

/// What is known of the limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// The bucket of each kind of request, as far as Discord has named it.
    buckets: HashMap<&'static str, String>,
    left: HashMap<(String, u64), Left>,
    /// Nothing at all may be sent before.
    held_until: Option<Instant>,
    /// The running second and how many were sent in it.
    second: Option<(Instant, u32)>,
}

impl Limits {
    /// How long a request must wait. Zero means that it goes out now, and it is counted.
    pub(super) fn wait(&mut self, route: &Route, now: Instant) -> Duration {
        let held = self.held_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let key = self.key(route);
        let bucket = match self.left.get(&key) {
            Some(left) if left.remaining == 0 => left.until.saturating_duration_since(now),
            _ => Duration::ZERO,
        };
        let (began, sent) =
            self.second.filter(|(began, _)| now - *began < Duration::from_secs(1)).unwrap_or((now, 0));
        let pace = if sent >= PER_SECOND { began + Duration::from_secs(1) - now } else { Duration::ZERO };
        let wait = held.max(bucket).max(pace);
        if wait.is_zero() {
            self.second = Some((began, sent + 1));
            if let Some(left) = self.left.get_mut(&key) {
                left.remaining = left.remaining.saturating_sub(1);
            }
        }
        wait
    }

    /// Heeds the headers of an answer.
    pub(super) fn learn(&mut self, route: &Route, told: Told, now: Instant) {
        if let Some(bucket) = told.bucket {
            self.buckets.insert(route.kind, bucket);
        }
        if self.left.len() >= MAX_BUCKETS {
            self.left.retain(|_, left| left.until > now);
        }
        let (Some(remaining), Some(reset_after)) = (told.remaining, told.reset_after) else { return };
        self.left.insert(self.key(route), Left { remaining, until: now + reset_after });
    }

    /// Heeds an answer 429: the route, or everything, waits.
    pub(super) fn hold(&mut self, route: &Route, after: Duration, (global, now): (bool, Instant)) {
        if global {
            self.held_until = Some(now + after);
        } else {
            self.left.insert(self.key(route), Left { remaining: 0, until: now + after });
        }
    }

    fn key(&self, route: &Route) -> (String, u64) {
        (self.buckets.get(route.kind).cloned().unwrap_or_else(|| route.kind.to_owned()), route.major)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(major: u64) -> Route {
        Route { path: String::new(), kind: "channels/messages", major }
    }

    fn told(remaining: u32, ms: u64) -> Told {
        Told {
            bucket: Some("b1".into()),
            remaining: Some(remaining),
            reset_after: Some(Duration::from_millis(ms)),
        }
    }

    #[test]
    fn an_empty_bucket_waits_for_its_reset_and_others_do_not() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        assert_eq!(limits.wait(&route(1), now), Duration::ZERO);
        limits.learn(&route(1), told(1, 1500), now);
        assert_eq!(limits.wait(&route(1), now), Duration::ZERO, "one is left");
        assert_eq!(limits.wait(&route(1), now), Duration::from_millis(1500));
        assert_eq!(limits.wait(&route(2), now), Duration::ZERO, "another channel counts apart");
        assert_eq!(limits.wait(&route(1), now + Duration::from_millis(1500)), Duration::ZERO);
    }

    #[test]
    fn a_refusal_holds_its_route_or_everything() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.hold(&route(1), Duration::from_secs(3), (false, now));
        assert_eq!(
            [limits.wait(&route(1), now), limits.wait(&route(2), now)],
            [Duration::from_secs(3), Duration::ZERO]
        );
        limits.hold(&route(1), Duration::from_secs(5), (true, now));
        assert_eq!(limits.wait(&route(2), now), Duration::from_secs(5));
    }

    #[test]
    fn no_more_than_our_share_goes_out_in_a_second() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let sent = (0..100).filter(|_| limits.wait(&route(1), now).is_zero()).count();
        assert_eq!(sent, PER_SECOND as usize);
        assert_eq!(limits.wait(&route(2), now + Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn old_buckets_are_forgotten() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for channel in 0..5_000 {
            limits.learn(&route(channel), told(4, 1), now + Duration::from_secs(channel));
        }
        assert!(limits.left.len() <= MAX_BUCKETS);
    }
}
