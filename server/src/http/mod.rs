//! The HTTP API: the whole list of routes, grouped by audience. Handlers are short; what they do lives elsewhere.
//!
//! Entry points: [`router`], [`openapi`]. Invariant: who may call a route stands in its handler's signature, as one of the
//! extractors of [`crate::auth`].

mod accounts;
mod api_keys;
mod body;
mod cursor;
mod error;
mod feed;
mod gaps;
mod guard;
mod health;
mod messages;
mod problems;
mod reads;
mod reference;
mod sessions;
mod strict;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use shared::wire::{MAX_BODY_BYTES, ProblemKind};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use error::ApiError;
pub use guard::RequestId;

/// The largest body of every route but the two that take a hundred things at once.
const MAX_SMALL_BODY: usize = 16 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Callboard",
        description = "A shared database of trading calls: contributors post messages, everybody with an account reads signals.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Credential),
    components(schemas(shared::wire::Frame, shared::wire::ProblemBody))
)]
struct Document;

/// The one way to identify oneself: `Authorization: Bearer` and an API key, or the access token of a session.
struct Credential;

impl Modify for Credential {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("credential", scheme);
    }
}

/// Every route of the API.
fn routes() -> OpenApiRouter<App> {
    let anyone = OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::version))
        .routes(routes!(sessions::sign_in))
        .routes(routes!(sessions::refresh))
        .routes(routes!(accounts::register));
    let member = OpenApiRouter::new()
        .routes(routes!(reads::signals))
        .routes(routes!(reads::signal))
        .routes(routes!(reads::channels))
        .routes(routes!(reads::events))
        .routes(routes!(feed::feed))
        .routes(routes!(sessions::me))
        .routes(routes!(sessions::change_password))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(api_keys::list, api_keys::make))
        .routes(routes!(api_keys::revoke));
    let contributor = OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(messages::post_messages))
                .layer(DefaultBodyLimit::max(MAX_BODY_BYTES)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(gaps::tell_gaps))
                .layer(DefaultBodyLimit::max(gaps::MAX_BODY)),
        );
    let admin = OpenApiRouter::new()
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::one, accounts::change))
        .routes(routes!(accounts::invite));
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(anyone.merge(member).merge(admin).layer(DefaultBodyLimit::max(MAX_SMALL_BODY)))
        .merge(contributor)
}

/// The API, ready to serve.
pub fn router(app: App) -> Router {
    let (router, document) = routes().split_for_parts();
    router
        .merge(reference::routes(&document))
        .fallback(async || {
            ApiError::new(ProblemKind::NotFound, "no route has this path; openapi.yaml lists them")
        })
        .method_not_allowed_fallback(async || {
            ApiError::new(
                ProblemKind::MethodNotAllowed,
                "this path exists, but not for this method; see openapi.yaml",
            )
        })
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(error::from_panic))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

/// The API's description.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// The API's description, as checked in at `openapi.yaml`.
pub fn openapi() -> Result<String, String> {
    document().to_yaml().map_err(|error| error.to_string())
}
