//! The keys of the caller's programs. Only a person who has signed in makes or revokes keys: a stolen key makes no other one.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use shared::wire::{ApiKeys, MakeApiKey, NewApiKey, ProblemKind};
use uuid::Uuid;

use super::ApiError;
use super::body::JsonBody;
use super::once::IdempotencyKey;
use super::problems::{Bodied, Checked, Contradicted, Guarded, Named};
use crate::App;
use crate::accounts::{self, KeyWish};
use crate::auth::Person;
use crate::store::keys;

/// The caller's keys, oldest first. The keys themselves were shown once.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "member", security(("credential" = [])),
    responses((status = 200, description = "The keys", body = ApiKeys), Guarded)
)]
pub(super) async fn list(Person(caller): Person, State(app): State<App>) -> Result<Json<ApiKeys>, ApiError> {
    Ok(Json(ApiKeys { api_keys: keys::of_account(&app.pool, caller.account_id).await? }))
}

/// Makes a key for a program. It is shown this once.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "member", security(("credential" = [])), request_body = MakeApiKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key is answered the same for a day, and makes nothing again", max_length = 128, pattern = "^[!-~]+$")),
    responses(
        (status = 201, description = "The key", body = NewApiKey),
        Guarded, Bodied, Contradicted, Checked,
    )
)]
pub(super) async fn make(
    Person(caller): Person,
    State(app): State<App>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<MakeApiKey>,
) -> Result<(StatusCode, Json<NewApiKey>), ApiError> {
    let wish = KeyWish { name: &body.name, scopes: &body.scopes, expires_at: body.expires_at };
    let account = (caller.account_id, caller.role);
    let once = key.once(&app, (caller.account_id, "POST /v1/api-keys"), &body)?;
    let made = accounts::make_own_key(&app.pool, account, (&wish, once.as_ref()), &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revokes a key of the caller's, at once.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "member", security(("credential" = [])),
    params(("id" = Uuid, Path, description = "The key's id")),
    responses((status = 204, description = "The key is of no use any more"), Guarded, Named)
)]
pub(super) async fn revoke(
    Person(caller): Person,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let unknown = || ApiError::new(ProblemKind::NotFound, "you have no such key");
    let Path(id) = path.map_err(|_| unknown())?;
    if accounts::revoke_own_key(&app.pool, (caller.account_id, id), &caller.by()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(unknown())
}
