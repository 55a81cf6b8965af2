//! `/reference/`: the API's description as a page to read and to try, served from this program alone.
//!
//! Entry point: [`routes`]. Invariant: the page loads nothing from anywhere else; its policy forbids it, too. Swagger UI comes
//! with the program, compressed, as every browser takes it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use shared::wire::ProblemKind;
use utoipa_swagger_ui::Config;

use super::ApiError;

/// Where the page is. The slash matters: its parts are named relative to it.
const PAGE: &str = "/reference/";
/// Where the description is, as JSON.
const DESCRIPTION: &str = "/openapi.json";
/// Own scripts, styles and pictures, and calls to this server; styles and pictures also inside the page, as Swagger UI has them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and the description it shows.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(document: &utoipa::openapi::OpenApi) -> Router<S> {
    let description: Result<Arc<str>, String> =
        document.to_json().map(Arc::from).map_err(|error| error.to_string());
    Router::new()
        .route(PAGE.trim_end_matches('/'), get(async || Redirect::permanent(PAGE)))
        .route(PAGE, get(async || part("index.html")))
        .route(&format!("{PAGE}{{part}}"), get(async |Path(name): Path<String>| part(&name)))
        .route(DESCRIPTION, get(async move || json(description)))
}

fn json(description: Result<Arc<str>, String>) -> Result<Response, ApiError> {
    let description = description.map_err(|error| defect(&error))?;
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((headers, description.to_string()).into_response())
}

/// A file of Swagger UI.
fn part(name: &str) -> Result<Response, ApiError> {
    // The validator would show every visitor's description to a stranger's server.
    let config = Config::from(DESCRIPTION).validator_url("none");
    let file =
        utoipa_swagger_ui::serve(name, Arc::new(config)).map_err(|error| defect(&error.to_string()))?;
    let file = file.ok_or_else(|| ApiError::new(ProblemKind::NotFound, "the reference has no such part"))?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(media_type) = HeaderValue::from_str(&file.content_type) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    if file.gzpipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok((headers, file.bytes.into_owned()).into_response())
}

fn defect(problem: &str) -> ApiError {
    tracing::error!("the reference cannot be shown: {problem}");
    ApiError::new(ProblemKind::Internal, "the server could not do this; its log says why")
}
