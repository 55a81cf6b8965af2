//! `GET /v1/audit`: who did what to what, when and from where.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use shared::wire::{Act, AuditPage};
use time::OffsetDateTime;
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiError;
use super::cursor::{decode, encode};
use super::problems::{Checked, Guarded};
use super::reads::{check_since, cut, limit, query};
use crate::App;
use crate::auth::Admin;
use crate::store::audit::{self, Wanted};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Only by this account.
    who: Option<Uuid>,
    /// Only this act.
    what: Option<Act>,
    /// Only upon this: the id of a channel, an account, a signal, a key or a session.
    subject: Option<Uuid>,
    /// Only done at or after this time (RFC 3339).
    #[serde(default, with = "time::serde::rfc3339::option")]
    since: Option<OffsetDateTime>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// The audit log, newest first. Nothing in it is ever changed or deleted.
#[utoipa::path(
    get, path = "/v1/audit", tag = "admin", security(("credential" = [])), params(AuditQuery),
    responses((status = 200, description = "A page of the audit log", body = AuditPage), Guarded, Checked)
)]
pub(super) async fn list(
    _caller: Admin,
    State(app): State<App>,
    parameters: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditPage>, ApiError> {
    let AuditQuery { who, what, subject, since, cursor, limit: wanted } = query(parameters)?;
    let limit = limit(wanted)?;
    check_since(since)?;
    let before: Option<Uuid> = cursor.as_deref().map(decode).transpose()?;
    let mut audit = audit::page(&app.pool, &Wanted { who, what, subject, since, before }, limit + 1).await?;
    let more = cut(&mut audit, limit);
    let next = audit.last().filter(|_| more).map(|last| encode(&last.id)).transpose()?;
    Ok(Json(AuditPage { audit, next }))
}
