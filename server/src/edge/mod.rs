//! The edge: where strangers' connections come in. Slow, silent and too many ones are cut off here, before any handler.
//!
//! Entry points: [`Edge`], [`serve`]. Why not `axum::serve`: it keeps silent and dripping connections open for ever (measured).
//! HTTP/1 only: a proxy in front may speak HTTP/2. Invariant: every connection has a place, and ends within a stated time
//! after its peer stops doing its part.

pub mod address;
pub mod descriptors;
pub mod exposure;
pub mod limits;
mod pace;
pub mod places;
pub mod rates;
pub mod tls;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use launch::config::ConfigError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;

use crate::config::Config;
use address::Proxies;
use limits::Limits;
use pace::{Pace, Paced};
use places::{Full, Household, Places};
use rates::Rates;
use tls::Tls;

/// The largest head of a request. Ours have a key and little else.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most headers of a request: browsers behind two proxies send about thirty.
const MAX_HEADERS: usize = 64;
/// How long connections that are under way may take after the server was asked to stop. Whoever sends half a request must
/// not keep it from stopping.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// The pause after a connection could not be taken, for lack of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// What strangers may do here, and what they are doing now.
#[derive(Debug)]
pub struct Edge {
    /// The limits in force.
    pub limits: Limits,
    /// Who may say for whom they speak.
    pub proxies: Proxies,
    /// The origins whose pages may open the feed.
    pub origins: Vec<String>,
    /// The certificate, if this server speaks TLS itself.
    pub tls: Option<Arc<Tls>>,
    /// How often somebody may ask.
    pub rates: Rates,
    /// Open connections.
    pub connections: Arc<Places<Household>>,
    /// Requests that are being answered.
    pub requests: Arc<Places<Household>>,
    /// Open subscriptions, by account.
    pub feeds_of_accounts: Arc<Places<Uuid>>,
    /// Open subscriptions, by address.
    pub feeds_of_addresses: Arc<Places<Household>>,
}

impl Edge {
    /// An edge with these settings, where nobody is yet.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        exposure::check(config)?;
        let limits = config.limits;
        let tls = config.tls.as_ref().map(Tls::load).transpose();
        let tls = tls.map_err(|error| ConfigError::Incomplete { problem: format!("tls: {error:#}") })?;
        Ok(Self {
            limits,
            tls: tls.map(Arc::new),
            proxies: Proxies::new(config.trusted_proxies.clone()),
            origins: config.allowed_origins.clone(),
            rates: Rates::new(&limits),
            connections: Places::new(limits.connections, limits.connections_per_address),
            requests: Places::new(limits.requests, limits.requests),
            feeds_of_accounts: Places::new(limits.connections, limits.feeds_per_account),
            feeds_of_addresses: Places::new(limits.connections, limits.feeds_per_address),
        })
    }
}

/// What all connections share.
struct Door {
    router: Router,
    edge: Arc<Edge>,
    stopping: watch::Receiver<bool>,
}

/// Serves the router on `listener` until `stopping` becomes true; then answers what is under way and returns when every
/// connection has ended, or has had its time to.
pub async fn serve(listener: TcpListener, router: Router, edge: Arc<Edge>, stopping: watch::Receiver<bool>) {
    let door = Arc::new(Door { router, edge, stopping: stopping.clone() });
    let stopped = crate::until_true(stopping);
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => door.admit(stream, peer),
            // The peer has changed its mind.
            Err(error) if is_of_peer(&error) => {}
            Err(error) => {
                tracing::error!("a connection cannot be taken: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_LIMIT, door.edge.connections.until_empty()).await.is_err() {
        tracing::info!("some requests were not finished in time and are dropped");
    }
}

fn is_of_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Door {
    /// Serves a connection if there is a place for it; closes it otherwise.
    fn admit(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        if !self.may_speak(peer.ip()) {
            return tracing::debug!(%peer, "closed: it is no trusted proxy, and there is no TLS");
        }
        // Behind a proxy there are many people.
        let holder = if self.edge.proxies.trusts(peer.ip()) { None } else { Some(peer.ip().into()) };
        let place = match self.edge.connections.take(holder) {
            Ok(place) => place,
            Err(Full::ForHolder) => {
                return tracing::debug!(%peer, "closed: too many connections of one address");
            }
            Err(Full::Everywhere) => return tracing::warn!("closed a connection: all places are taken"),
        };
        // Frames are small and must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("a connection is gone already: {error}");
        }
        let pace = Pace::default();
        let stream = Paced::new(stream, (pace.clone(), place), self.edge.limits);
        let door = Arc::clone(self);
        tokio::spawn(async move {
            match &door.edge.tls {
                None => door.converse(stream, pace, peer).await,
                // The time for the first head counts from here: who is silent or slow now is cut off just the same.
                Some(tls) => match tls.acceptor.accept(stream).await {
                    Ok(stream) => door.converse(stream, pace, peer).await,
                    Err(error) => tracing::debug!(%peer, "no TLS: {error}"),
                },
            }
        });
    }

    /// Whether a connection may be in the clear: those of this machine and of our own proxies may.
    fn may_speak(&self, peer: IpAddr) -> bool {
        self.edge.tls.is_some() || peer.to_canonical().is_loopback() || self.edge.proxies.trusts(peer)
    }

    /// Answers the requests of one connection.
    async fn converse<S>(&self, stream: S, pace: Pace, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (router, pace) = (router.clone(), pace.clone());
            async move { Ok::<_, Infallible>(answer(router, pace, peer, request).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.edge.limits.idle());
        http.max_header_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = crate::until_true(self.stopping.clone()) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%peer, "a connection ended: {error}");
        }
    }
}

async fn answer(router: Router, pace: Pace, peer: SocketAddr, mut request: Request<Incoming>) -> Response {
    pace.begin_answer();
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // What follows 101 is no HTTP any more.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    response.map(|body| Body::new(Answer { body, pace }))
}

/// The body of an answer; when it is gone, the answer is given.
struct Answer {
    body: Body,
    pace: Pace,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.pace.end_answer();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
