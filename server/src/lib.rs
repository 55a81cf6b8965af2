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
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use auth::authority::Authority;
use auth::session_key::SessionKey;
use edge::Edge;
use feed::Feed;
use sessions::SignIns;

/// How long tasks may take to end after the last connection: one statement, on a database that is slow.
const LAST_WORDS: Duration = Duration::from_secs(5);

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
    let authority = Arc::new(Authority::new(pool.clone()));
    let sign_ins = Arc::new(SignIns::start(session_key)?);
    let edge = Arc::new(edge);
    let mut tasks = JoinSet::new();
    tasks.spawn(feed::tail::follow(Arc::clone(&feed), pool.clone(), stopping.clone()));
    tasks.spawn(Arc::clone(&authority).follow(stopping.clone()));
    tasks.spawn(sessions::prune(pool.clone(), stopping.clone()));
    tasks.spawn(edge::rates::forget_rested(Arc::clone(&edge), stopping.clone()));
    if let Some(tls) = edge.tls.clone() {
        tasks.spawn(edge::tls::follow(tls, stopping.clone()));
    }
    let app = App { pool, feed, authority, sign_ins, stopping: stopping.clone(), edge: Arc::clone(&edge) };
    tokio::select! {
        // A feed without its tail would tell its subscribers that nothing happens: better no server than that one.
        error = failure(&mut tasks) => anyhow::bail!("a task that the server needs has failed: {error}"),
        () = edge::serve(listener, http::router(app), edge, stopping) => {}
    }
    // They end by themselves now, after they have written what they still had to write.
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, ended).await.is_err() {
        tracing::warn!("some tasks have not ended in time; what they still had to write is lost");
    }
    Ok(())
}

/// Waits until a task has failed: those that end in good order never answer here.
async fn failure(tasks: &mut JoinSet<()>) -> JoinError {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            return error;
        }
    }
    std::future::pending().await
}

/// Waits until the value is true, or its sender is gone.
pub async fn until_true(mut watched: watch::Receiver<bool>) {
    if watched.wait_for(|value| *value).await.is_err() {
        tracing::debug!("the owner of the stop signal is gone: stopping");
    }
}
