//! What the tests and the benchmark share: private databases, servers on free ports, the real programs, a feed client.
//!
//! Nothing here depends on a service that happens to run: PostgreSQL is a throw-away cluster of our own.

pub mod discord;
pub mod feed;
pub mod flood;
pub mod path;
pub mod people;
pub mod postgres;
pub mod posts;
pub mod program;
pub mod relay;
pub mod server;
pub mod storm;

use std::future::Future;
use std::time::Duration;

/// How long a test waits for something that must happen. Far beyond what a loaded machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the check holds, looking every few milliseconds; fails with `what` when it never does.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let looking = async {
        let mut look = tokio::time::interval(Duration::from_millis(10));
        loop {
            look.tick().await;
            if check().await {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "waited in vain until {what}");
}
