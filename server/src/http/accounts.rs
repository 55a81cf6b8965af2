//! Accounts: made with an invite by anyone; invited, listed and changed by admins.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use launch::secret::Secret;
use serde::Deserialize;
use shared::wire::{
    AccountRecord, AccountStatus, AccountsPage, ChangeAccount, MakeInvite, NewInvite, ProblemKind, Register,
    Role,
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiError;
use super::body::JsonBody;
use super::cursor::{decode, encode};
use super::once::IdempotencyKey;
use super::problems::{Bodied, Busy, Checked, Contradicted, Guarded, Named, Unknown};
use super::reads::{cut, limit, query};
use crate::App;
use crate::accounts;
use crate::auth::origin::Origin;
use crate::auth::{Admin, Anyone};
use crate::store::accounts::{self as rows, Wanted};

/// Makes an account out of an invite, which carries its role.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "anyone", request_body = Register,
    responses(
        (status = 201, description = "The account", body = AccountRecord),
        Unknown, Bodied, Contradicted, Checked, Busy,
    )
)]
pub(super) async fn register(
    _caller: Anyone,
    State(app): State<App>,
    origin: Origin,
    JsonBody(body): JsonBody<Register>,
) -> Result<(StatusCode, Json<AccountRecord>), ApiError> {
    let (invite, password) = (Secret::new(body.invite), Secret::new(body.password));
    let made = accounts::register(&app, &invite, (&body.name, password), origin.by(None)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Invites somebody to an account of a role.
#[utoipa::path(
    post, path = "/v1/invites", tag = "admin", security(("credential" = [])), request_body = MakeInvite,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key is answered the same for a day, and makes nothing again", max_length = 128, pattern = "^[!-~]+$")),
    responses((status = 201, description = "The invite", body = NewInvite), Guarded, Bodied, Contradicted, Checked)
)]
pub(super) async fn invite(
    Admin(caller): Admin,
    State(app): State<App>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<MakeInvite>,
) -> Result<(StatusCode, Json<NewInvite>), ApiError> {
    let wish = (body.role, body.note.as_deref());
    let once = key.once(&app, (caller.account_id, "POST /v1/invites"), &body)?;
    let made = accounts::invite(&app.pool, wish, once.as_ref(), &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsQuery {
    /// Only of this role.
    role: Option<Role>,
    /// Only of this status.
    status: Option<AccountStatus>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// The accounts, oldest first.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "admin", security(("credential" = [])), params(AccountsQuery),
    responses((status = 200, description = "A page of accounts", body = AccountsPage), Guarded, Checked)
)]
pub(super) async fn list(
    _caller: Admin,
    State(app): State<App>,
    parameters: Result<Query<AccountsQuery>, QueryRejection>,
) -> Result<Json<AccountsPage>, ApiError> {
    let AccountsQuery { role, status, cursor, limit: wanted } = query(parameters)?;
    let limit = limit(wanted)?;
    let after: Option<Uuid> = cursor.as_deref().map(decode).transpose()?;
    let mut accounts = rows::page(&app.pool, &Wanted { role, status, after }, limit + 1).await?;
    let more = cut(&mut accounts, limit);
    let next = accounts.last().filter(|_| more).map(|last| encode(&last.id)).transpose()?;
    Ok(Json(AccountsPage { accounts, next }))
}

/// One account.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "admin", security(("credential" = [])),
    params(("id" = Uuid, Path, description = "The account's id")),
    responses((status = 200, description = "The account", body = AccountRecord), Guarded, Named)
)]
pub(super) async fn one(
    _caller: Admin,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<AccountRecord>, ApiError> {
    let Path(id) = path.map_err(|_| unknown())?;
    rows::by_id(&app.pool, id).await?.map(Json).ok_or_else(unknown)
}

/// Changes the role or the status of an account. What it is doing is cut off within seconds.
#[utoipa::path(
    patch, path = "/v1/accounts/{id}", tag = "admin", security(("credential" = [])), request_body = ChangeAccount,
    params(("id" = Uuid, Path, description = "The account's id")),
    responses(
        (status = 200, description = "The account as it is now", body = AccountRecord),
        Guarded, Named, Bodied, Contradicted, Checked,
    )
)]
pub(super) async fn change(
    Admin(caller): Admin,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
    JsonBody(body): JsonBody<ChangeAccount>,
) -> Result<Json<AccountRecord>, ApiError> {
    let Path(id) = path.map_err(|_| unknown())?;
    let changed = accounts::change(&app.pool, (id, &body), &caller.by()).await?;
    changed.map(Json).ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::new(ProblemKind::NotFound, "there is no such account")
}
