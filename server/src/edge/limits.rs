//! What a stranger may take of this server: time, connections and requests, as settings with their defaults.
//!
//! Entry point: [`Limits`]. Times end in `_ms`. A host may change any of them in `[limits]` of `server.toml`; the defaults
//! suit a few thousand traders on a small machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rates::Allowance;

/// The limits in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From connecting, or from the first byte of a further request, to the end of the request's head; TLS included.
    pub head_ms: u64,
    /// How long a connection may rest between two requests.
    pub idle_ms: u64,
    /// How long a request's body may take to arrive.
    pub body_ms: u64,
    /// How long an answer may take, its request's body included.
    pub answer_ms: u64,
    /// How long whoever reads slowly may take for the next 16 KiB.
    pub write_ms: u64,
    /// How long a subscriber of the feed may take to accept a page.
    pub feed_send_ms: u64,
    /// How long a subscriber may be silent, while it is asked for a sign of life every 10 s.
    pub feed_silence_ms: u64,
    /// Open connections, all together.
    pub connections: usize,
    /// Open connections of one address (of IPv6: of one /64). Does not count for trusted proxies.
    pub connections_per_address: usize,
    /// Requests that are answered at the same time.
    pub requests: usize,
    /// Subscriptions of the feed by one account.
    pub feeds_per_account: usize,
    /// Subscriptions of the feed from one address.
    pub feeds_per_address: usize,
    /// All requests from one address, whoever makes them.
    pub address: Allowance,
    /// Reading requests of one account.
    pub reads: Allowance,
    /// Contributing requests of one account; each may have 100 posts.
    pub posts: Allowance,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A head is one or two packets: whoever needs longer is not sending one.
            head_ms: 5_000,
            // Reverse proxies and browsers reuse a connection within this time, or not at all.
            idle_ms: 30_000,
            // 1 MiB takes 8 s on a line of 1 Mbit/s; on a slower one our contributor sends less at once after a 408.
            body_ms: 10_000,
            // The body's time, and as much again for the database: a client of ours waits no longer.
            answer_ms: 20_000,
            write_ms: 10_000,
            feed_send_ms: 10_000,
            // Four heartbeats that nobody answered.
            feed_silence_ms: 45_000,
            // Five thousand subscribers, and room for requests beside them.
            connections: 5_500,
            // A household with every program of ours, and a browser.
            connections_per_address: 20,
            // Each needs a database connection for a few milliseconds, and there are twenty of those.
            requests: 512,
            // One on each machine of a trader, and room for one that has not noticed yet that it is gone.
            feeds_per_account: 5,
            feeds_per_address: 20,
            // What the accounts behind one address may do together; 4,000 posts a second of an endless import.
            address: Allowance::new(2_400, 2_400),
            // A page of 500 signals every tenth of a second.
            reads: Allowance::new(600, 600),
            // The import of 120,000 posts at full speed, then 2,000 posts a second.
            posts: Allowance::new(1_200, 1_200),
        }
    }
}

impl Limits {
    /// [`Limits::head_ms`].
    pub fn head(&self) -> Duration {
        Duration::from_millis(self.head_ms)
    }

    /// [`Limits::idle_ms`].
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }

    /// [`Limits::body_ms`].
    pub fn body(&self) -> Duration {
        Duration::from_millis(self.body_ms)
    }

    /// [`Limits::answer_ms`].
    pub fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }

    /// [`Limits::write_ms`].
    pub fn write(&self) -> Duration {
        Duration::from_millis(self.write_ms)
    }

    /// [`Limits::feed_send_ms`].
    pub fn feed_send(&self) -> Duration {
        Duration::from_millis(self.feed_send_ms)
    }

    /// [`Limits::feed_silence_ms`].
    pub fn feed_silence(&self) -> Duration {
        Duration::from_millis(self.feed_silence_ms)
    }
}
