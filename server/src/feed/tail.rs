//! The one reader of the log in this process: follows it and fills the ring.
//!
//! Entry point: [`follow`]. It is woken after each commit of this process, and looks by itself as often as
//! [`LOOK_EVERY`], which finds what other processes wrote. A wake that is lost costs latency only.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;

use super::{Feed, Line};
use crate::store::StoreError;
use crate::store::log::{self, Filter};

/// How often the log is looked at without a wake.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_millis(500);
/// How many events are read at once.
const READ: i64 = 1000;

/// Follows the log until the server stops.
pub async fn follow(feed: Arc<Feed>, pool: PgPool, stopping: watch::Receiver<bool>) {
    let stopping = crate::until_true(stopping);
    tokio::pin!(stopping);
    let mut failing = false;
    loop {
        let pause = match catch_up(&feed, &pool).await {
            Ok(()) => {
                if std::mem::take(&mut failing) {
                    tracing::info!("the log can be read again");
                }
                LOOK_EVERY
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!("the log cannot be read, the feed waits: {error}");
                }
                PAUSE
            }
        };
        tokio::select! {
            () = feed.look.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = &mut stopping => return,
        }
    }
}

async fn catch_up(feed: &Feed, pool: &PgPool) -> Result<(), StoreError> {
    loop {
        let events = log::after(pool, feed.head(), &Filter::default(), READ).await?;
        if events.is_empty() {
            return Ok(());
        }
        let lines = events.into_iter().map(Line::encode).collect::<Result<Vec<_>, _>>()?;
        launch::crash::point("feed_read");
        feed.extend(lines);
    }
}
