//! Where a request comes from, for the audit log: its id, its client's address, and when it is answered.
//!
//! Entry point: [`Origin`], an extractor; every caller has one. Invariant: the address is the one that [`crate::edge::address`] trusts.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::App;
use crate::audit::By;
use crate::edge::address::ClientAddress;
use crate::http::RequestId;

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    request_id: Option<String>,
    address: Option<IpAddr>,
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Origin {
    /// The origin of this request.
    pub(super) fn of(parts: &Parts) -> Self {
        Self {
            request_id: parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned()),
            address: parts.extensions.get::<ClientAddress>().map(|client| client.0),
        }
    }

    /// Whoever calls from here, now; nobody when they are not known.
    pub fn by(&self, account: Option<Uuid>) -> By {
        By { account, at: launch::clock::now(), request_id: self.request_id.clone(), address: self.address }
    }
}
