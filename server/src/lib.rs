//! The server: keeps every post for ever, reads it once, and streams signals.
//!
//! Entry point: [`run`], where every task is spawned, visibly. Read in this order: [`config`], [`database`], [`accounts`],
//! [`auth`], [`ingest`], [`reread`], [`feed`], [`http`], [`store`].

pub mod accounts;
pub mod auth;
pub mod config;
pub mod database;
pub mod feed;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod profile;
pub mod reread;
pub mod store;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use auth::authority::Authority;
use feed::Feed;

/// How long requests that are under way may take after the server was asked to stop. Whoever sends half a request must
/// not keep it from stopping.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The tail of the log, shared by all subscribers.
    pub feed: Arc<Feed>,
    /// Who may do what.
    pub authority: Arc<Authority>,
    /// Becomes true when the server is asked to stop.
    pub stopping: watch::Receiver<bool>,
}

/// Serves the API on `listener` until `stopping` becomes true; then answers what is under way, closes the feeds with
/// 1012, and returns.
pub async fn run(pool: PgPool, listener: TcpListener, stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let head = store::log::head(&pool).await?;
    let feed = Arc::new(Feed::new(head));
    let tail = tokio::spawn(feed::tail::follow(Arc::clone(&feed), pool.clone(), stopping.clone()));
    let authority = Arc::new(Authority::new(pool.clone()));
    let following = tokio::spawn(Arc::clone(&authority).follow(stopping.clone()));
    let app = App { pool, feed, authority, stopping: stopping.clone() };
    // Frames are small and must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("a connection is gone already: {error}");
        }
    });
    let serving =
        axum::serve(listener, http::router(app)).with_graceful_shutdown(until_true(stopping.clone()));
    let ended = async {
        until_true(stopping).await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    tokio::select! {
        // A feed without its tail would tell its subscribers that nothing happens: better no server than that one.
        error = failure(tail) => anyhow::bail!("the tail of the log has failed: {error}"),
        error = failure(following) => anyhow::bail!("following the changes of accounts has failed: {error}"),
        served = serving.into_future() => Ok(served?),
        () = ended => {
            tracing::info!("some requests were not finished in time and are dropped");
            Ok(())
        }
    }
}

/// Waits until the task has failed: one that ends in good order never answers here.
async fn failure(task: JoinHandle<()>) -> JoinError {
    match task.await {
        Err(error) => error,
        Ok(()) => std::future::pending().await,
    }
}

/// Waits until the value is true, or its sender is gone.
pub async fn until_true(mut watched: watch::Receiver<bool>) {
    if watched.wait_for(|value| *value).await.is_err() {
        tracing::debug!("the owner of the stop signal is gone: stopping");
    }
}
