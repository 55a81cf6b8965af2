//! The audit log: who did what to what, when and from where.
//!
//! Entry points: [`By`], [`Entry`], [`write`]. Invariants: a line is written in the transaction of its act, so that neither is
//! there without the other; each act is one line; no line holds a secret. The serving role can only add lines.

use std::net::IpAddr;

use serde_json::Value;
use shared::wire::Act;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{StoreError, audit};

/// Who does something, when, and from where.
#[derive(Debug, Clone)]
pub struct By {
    /// The account; nobody for the host's own commands, and for somebody who is not known.
    pub account: Option<Uuid>,
    /// When.
    pub at: OffsetDateTime,
    /// The id of the request; none for the host.
    pub request_id: Option<String>,
    /// Where the request comes from; nowhere for the host.
    pub address: Option<IpAddr>,
}

impl By {
    /// The host, at the server's own command line.
    pub fn host(at: OffsetDateTime) -> Self {
        Self { account: None, at, request_id: None, address: None }
    }
}

/// What was done.
#[derive(Debug)]
pub struct Entry {
    what: Act,
    subject: Option<Uuid>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry {
    /// An act upon this subject.
    pub fn new(what: Act, subject: impl Into<Option<Uuid>>) -> Self {
        Self { what, subject: subject.into(), before: None, after: None }
    }

    /// What stood there before, as far as it was changed.
    pub fn from(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    /// What stands there now, as far as it was changed.
    pub fn to(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
}

/// Adds a line, in the transaction of its act.
pub async fn write(connection: &mut PgConnection, by: &By, entry: Entry) -> Result<(), StoreError> {
    let Entry { what, subject, before, after } = entry;
    let row = audit::NewRow {
        id: crate::ids::new(by.at),
        at: by.at,
        actor: by.account,
        act: what,
        subject,
        before: before.map(|value| value.to_string()),
        after: after.map(|value| value.to_string()),
        request_id: by.request_id.as_deref(),
        address: by.address.map(|address| address.to_string()),
    };
    audit::insert(connection, &row).await
}
