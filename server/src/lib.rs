//! The server: keeps every post for ever, reads it once, and streams signals.
//!
//! Entry point: [`run`], where every task is spawned, visibly. Read in this order: [`config`], [`database`], [`auth`],
//! [`ingest`], [`feed`], [`http`], [`store`].

pub mod auth;
pub mod config;
pub mod database;
pub mod feed;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod store;

use std::sync::Arc;

use axum::serve::ListenerExt;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;

use feed::Feed;

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The tail of the log, shared by all subscribers.
    pub feed: Arc<Feed>,
    /// Becomes true when the server is asked to stop.
    pub stopping: watch::Receiver<bool>,
}

/// Serves the API on `listener` until `stopping` becomes true; then answers what is under way, closes the feeds with
/// 1012, and returns.
pub async fn run(pool: PgPool, listener: TcpListener, stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let head = store::log::head(&pool).await?;
    let feed = Arc::new(Feed::new(head));
    let tail = tokio::spawn(feed::tail::follow(Arc::clone(&feed), pool.clone(), stopping.clone()));
    let app = App { pool, feed, stopping: stopping.clone() };
    // Frames are small and must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("a connection is gone already: {error}");
        }
    });
    axum::serve(listener, http::router(app)).with_graceful_shutdown(until_true(stopping)).await?;
    tail.await?;
    Ok(())
}

/// Waits until the value is true, or its sender is gone.
pub async fn until_true(mut watched: watch::Receiver<bool>) {
    if watched.wait_for(|value| *value).await.is_err() {
        tracing::debug!("the owner of the stop signal is gone: stopping");
    }
}
