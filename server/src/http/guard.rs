//! What every request passes before its handler, and every answer after it: an id, a place, a rate, a time limit.
//!
//! Entry points: [`guard`], [`RequestId`]. Invariant: whatever happens behind it, there is an answer, and it names the
//! request's id; that is also in every line that is logged about the request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::wire::ProblemKind;
use tracing::Instrument;

use super::ApiError;
use crate::edge::address::ClientAddress;
use crate::{App, ids};

/// The header that carries the id, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client: a UUID has 36 characters, some proxies' ids a little more.
const MAX_ID: usize = 64;

/// The id of a request: the client's own if it sent an acceptable one, else a new one. In the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        match sent.filter(|id| is_acceptable(id)) {
            Some(id) => Self(id.to_owned()),
            None => Self(ids::new(launch::clock::now()).to_string()),
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the id can stand in a log, a header and an audit row as it is.
fn is_acceptable(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_plain)
}

/// Answers a request within its limits, and marks the answer.
pub(super) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let client = app.edge.proxies.client(peer, request.headers());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(client);
    let span = tracing::info_span!("request", id = id.as_str());
    let answer = answer(&app, client, next.run(request)).instrument(span).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page says what it needs; everything else is not for browsers to run.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

async fn answer(
    app: &App,
    client: ClientAddress,
    handling: impl Future<Output = Response>,
) -> Result<Response, ApiError> {
    app.edge.rates.addresses.take(&client.0.into())?;
    let unavailable = |detail: &str| ApiError::new(ProblemKind::Unavailable, detail);
    let _place = app.edge.requests.take(None).map_err(|_| {
        tracing::warn!("refused a request: as many as allowed are under way");
        unavailable("too many requests are under way: try again after `Retry-After` seconds")
    })?;
    tokio::time::timeout(app.edge.limits.answer(), handling).await.map_err(|_| {
        tracing::warn!("a request was given up: its answer took too long");
        unavailable("the answer took too long: try again after `Retry-After` seconds")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptable_id_is_kept_and_any_other_is_replaced() {
        for (sent, is_kept) in [
            ("a", true),
            ("0193-aB_c.d:e", true),
            ("", false),
            ("two words", false),
            ("<script>", false),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, sent.parse().unwrap());
            assert_eq!(RequestId::of(&headers).as_str() == sent, is_kept, "{sent}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
