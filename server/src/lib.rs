//! The server: keeps every post for ever, reads it once, and streams signals.
//!
//! Entry point: [`run`], where every task is spawned, visibly. Read in this order: [`config`], [`database`], [`accounts`],
//! [`auth`], [`sessions`], [`ingest`], [`reread`], [`feed`], [`edge`], [`http`], [`store`].

pub mod accounts;
pub mod auth;
pub mod config;
pub mod database;
pub mod edge;
pub mod feed;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod profile;
pub mod reread;
pub mod secrets;
pub mod sessions;
pub mod store;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use auth::authority::Authority;
use auth::session_key::SessionKey;
use edge::{Edge, tls};
use feed::Feed;
use sessions::SignIns;

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The tail of the log, shared by all subscribers.
    pub feed: Arc<Feed>,
    /// Who may do what.
    pub authority: Arc<Authority>,
    /// What signing in needs.
    pub sign_ins: Arc<SignIns>,
    /// Becomes true when the server is asked to stop.
    pub stopping: watch::Receiver<bool>,
    /// What strangers may do.
    pub edge: Arc<Edge>,
}

/// What a server is given to work with.
#[derive(Debug)]
pub struct Setup {
    /// Connections to the database.
    pub pool: PgPool,
    /// What signs people's sessions.
    pub session_key: SessionKey,
    /// What strangers may do.
    pub edge: Edge,
}

/// Serves the API on `listener` until `stopping` becomes true; then answers what is under way, closes the feeds with
/// 1012, and returns.
pub async fn run(setup: Setup, listener: TcpListener, stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let Setup { pool, session_key, edge } = setup;
    let head = store::log::head(&pool).await?;
    let feed = Arc::new(Feed::new(head));
    let tail = tokio::spawn(feed::tail::follow(Arc::clone(&feed), pool.clone(), stopping.clone()));
    let authority = Arc::new(Authority::new(pool.clone()));
    let sign_ins = Arc::new(SignIns::start(session_key)?);
    let following = tokio::spawn(Arc::clone(&authority).follow(stopping.clone()));
    let edge = Arc::new(edge);
    let forgetting = tokio::spawn(edge::rates::forget_rested(Arc::clone(&edge), stopping.clone()));
    let certificate = edge.tls.clone().map(|tls| tls::follow(tls, stopping.clone()));
    let certificate = tokio::spawn(async move {
        if let Some(following) = certificate {
            following.await;
        }
    });
    let app = App { pool, feed, authority, sign_ins, stopping: stopping.clone(), edge: Arc::clone(&edge) };
    tokio::select! {
        // A feed without its tail would tell its subscribers that nothing happens: better no server than that one.
        error = failure(tail) => anyhow::bail!("the tail of the log has failed: {error}"),
        error = failure(following) => anyhow::bail!("following the changes of accounts has failed: {error}"),
        error = failure(certificate) => anyhow::bail!("following the certificate has failed: {error}"),
        error = failure(forgetting) => anyhow::bail!("keeping the rates of callers has failed: {error}"),
        () = edge::serve(listener, http::router(app), edge, stopping) => Ok(()),
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
