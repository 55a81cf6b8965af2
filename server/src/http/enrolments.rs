//! Who may post for a channel, and withdrawing what was posted: admins only.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use shared::wire::{Contributors, ProblemKind, SignalState, WithdrawSignal};
use uuid::Uuid;

use super::ApiError;
use super::body::JsonBody;
use super::channels::unknown;
use super::problems::{Bodied, Checked, Contradicted, Guarded, Named};
use crate::App;
use crate::auth::Admin;
use crate::curation::{self, enrolments};
use crate::store::channels::{self, Viewer};
use crate::store::curation as rows;

/// Who may post for a channel.
#[utoipa::path(
    get, path = "/v1/channels/{id}/contributors", tag = "admin", security(("credential" = [])),
    params(("id" = Uuid, Path, description = "The channel's id")),
    responses((status = 200, description = "The contributors", body = Contributors), Guarded, Named)
)]
pub(super) async fn list(
    _caller: Admin,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Contributors>, ApiError> {
    let Path(id) = path.map_err(|_| unknown())?;
    if !channels::exists(&app.pool, id, Viewer::Admin).await? {
        return Err(unknown());
    }
    Ok(Json(Contributors { contributors: rows::enrolments(&app.pool, id).await? }))
}

/// Lets a contributor post for a channel, and for the threads in it.
#[utoipa::path(
    put, path = "/v1/channels/{id}/contributors/{account}", tag = "admin", security(("credential" = [])),
    params(
        ("id" = Uuid, Path, description = "The channel's id"),
        ("account" = Uuid, Path, description = "The contributor's account"),
    ),
    responses((status = 204, description = "The contributor is enrolled"), Guarded, Named, Contradicted)
)]
pub(super) async fn enrol(
    Admin(caller): Admin,
    State(app): State<App>,
    path: Result<Path<(Uuid, Uuid)>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(pair) = path.map_err(|_| unknown())?;
    enrolments::enrol(&app.pool, pair, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a contributor post for a channel no more. What was posted stays.
#[utoipa::path(
    delete, path = "/v1/channels/{id}/contributors/{account}", tag = "admin", security(("credential" = [])),
    params(
        ("id" = Uuid, Path, description = "The channel's id"),
        ("account" = Uuid, Path, description = "The contributor's account"),
    ),
    responses((status = 204, description = "The contributor is not enrolled any more"), Guarded, Named)
)]
pub(super) async fn remove(
    Admin(caller): Admin,
    State(app): State<App>,
    path: Result<Path<(Uuid, Uuid)>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(pair) = path.map_err(|_| unknown())?;
    enrolments::remove(&app.pool, pair, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraws a signal for good: traders act as after a deleted post, and no edit brings it back.
#[utoipa::path(
    post, path = "/v1/signals/{id}/withdraw", tag = "admin", security(("credential" = [])), request_body = WithdrawSignal,
    params(("id" = Uuid, Path, description = "The signal's id")),
    responses(
        (status = 200, description = "The signal as it stands now", body = SignalState),
        Guarded, Named, Bodied, Contradicted, Checked,
    )
)]
pub(super) async fn withdraw(
    Admin(caller): Admin,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
    JsonBody(body): JsonBody<WithdrawSignal>,
) -> Result<Json<SignalState>, ApiError> {
    let unknown = || ApiError::new(ProblemKind::NotFound, "there is no such signal");
    let Path(id) = path.map_err(|_| unknown())?;
    let withdrawn = curation::withdraw(&app.pool, (id, &body.reason), &caller.by()).await?;
    app.feed.wake();
    withdrawn.map(Json).ok_or_else(unknown)
}
