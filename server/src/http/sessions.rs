//! Signing in and out, and who is calling.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use launch::secret::Secret;
use shared::wire::{ChangePassword, Me, Refresh, SessionTokens, SignIn};

use super::ApiError;
use super::body::JsonBody;
use super::problems::{Bodied, Busy, Checked, Contradicted, Guarded, Unknown};
use crate::App;
use crate::auth::{Anyone, Known, Person};
use crate::edge::address::ClientAddress;
use crate::sessions;

/// Signs in. After ten wrong passwords one has to wait.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "anyone", request_body = SignIn,
    responses((status = 201, description = "The session's tokens", body = SessionTokens), Unknown, Bodied, Checked, Busy)
)]
pub(super) async fn sign_in(
    _caller: Anyone,
    State(app): State<App>,
    client: Option<Extension<ClientAddress>>,
    JsonBody(body): JsonBody<SignIn>,
) -> Result<(StatusCode, Json<SessionTokens>), ApiError> {
    let place = client.map(|Extension(ClientAddress(client))| client.into());
    let password = Secret::new(body.password);
    let tokens = sessions::sign_in(&app, (&body.name, password), place, launch::clock::now()).await?;
    Ok((StatusCode::CREATED, Json(tokens)))
}

/// Goes on with a session: the answer holds new tokens.
#[utoipa::path(
    post, path = "/v1/sessions/refresh", tag = "anyone", request_body = Refresh,
    responses((status = 200, description = "The session's new tokens", body = SessionTokens), Unknown, Bodied, Checked, Busy)
)]
pub(super) async fn refresh(
    _caller: Anyone,
    State(app): State<App>,
    JsonBody(body): JsonBody<Refresh>,
) -> Result<Json<SessionTokens>, ApiError> {
    Ok(Json(sessions::go_on(&app, &Secret::new(body.refresh_token), launch::clock::now()).await?))
}

/// Signs out: the tokens of the calling session are of no use any more.
#[utoipa::path(
    delete, path = "/v1/sessions/current", tag = "member", security(("credential" = [])),
    responses((status = 204, description = "The session has ended"), Guarded)
)]
pub(super) async fn sign_out(Person(caller): Person, State(app): State<App>) -> Result<StatusCode, ApiError> {
    sessions::sign_out(&app, caller.credential_id, launch::clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the caller's password. All other sessions of the account end; the keys of its programs go on.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "member", security(("credential" = [])), request_body = ChangePassword,
    responses((status = 204, description = "The password is changed"), Guarded, Bodied, Contradicted, Checked)
)]
pub(super) async fn change_password(
    Person(caller): Person,
    State(app): State<App>,
    client: Option<Extension<ClientAddress>>,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let place = client.map(|Extension(ClientAddress(client))| client.into());
    let passwords = (Secret::new(body.current_password), Secret::new(body.new_password));
    sessions::change_password(&app, (&caller, place), passwords, launch::clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is calling, and what the credential is good for.
#[utoipa::path(
    get, path = "/v1/me", tag = "member", security(("credential" = [])),
    responses((status = 200, description = "The caller", body = Me), Guarded)
)]
pub(super) async fn me(Known(caller): Known) -> Json<Me> {
    Json(Me {
        id: caller.account_id,
        name: caller.name.clone(),
        role: caller.role,
        credential: caller.credential.kind(),
        scopes: caller.scopes.clone(),
        expires_at: caller.expires_at,
    })
}
