//! For whoever watches the server: does it live, can it work, what is it?

use axum::Json;
use axum::extract::State;
use shared::reading::READER_VERSION;
use shared::wire::Version;

use super::ApiError;
use super::problems::Open;
use crate::App;
use crate::auth::Anyone;
use crate::store::log;

/// Answers as long as the process lives.
#[utoipa::path(get, path = "/healthz", tag = "anyone", responses((status = 200, description = "The process lives", body = String), Open))]
pub(super) async fn healthz(_caller: Anyone) -> &'static str {
    "ok"
}

/// Answers 200 while the database can be reached.
#[utoipa::path(get, path = "/readyz", tag = "anyone", responses(
    (status = 200, description = "Requests can be answered", body = String), Open))]
pub(super) async fn readyz(_caller: Anyone, State(app): State<App>) -> Result<&'static str, ApiError> {
    log::head(&app.pool).await?;
    Ok("ready")
}

/// The versions of the server and of its reader.
#[utoipa::path(get, path = "/v1/version", tag = "anyone", responses((status = 200, description = "The versions", body = Version), Open))]
pub(super) async fn version(_caller: Anyone) -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION").into(), reader_version: READER_VERSION })
}
