//! `GET /v1/feed`: the handshake of a subscription.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use shared::wire::{Frame, ProblemKind};
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiError;
use super::problems::{Checked, Guarded, Named, Placed};
use super::reads::{base_of, check_channel, query};
use crate::App;
use crate::auth::Member;
use crate::edge::address::ClientAddress;
use crate::feed::socket;
use crate::store::log::{self, Filter};

/// The largest message that a subscriber may send: it has nothing to say.
const MAX_INBOUND: usize = 64 * 1024;

/// A subscriber sends pings: the library's default of 128 KiB would be its largest cost.
const READ_BUFFER: usize = 4 * 1024;
/// About ten events are written at once.
const WRITE_BUFFER: usize = 4 * 1024;
/// What may wait for a subscriber that reads slowly. The library's default is no limit at all.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FeedQuery {
    /// The last `seq` that the client has; 0 for the whole log.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// Only events about this channel.
    channel: Option<Uuid>,
    /// Only events about this ticker (`BTC`).
    #[param(example = "BTC")]
    symbol: Option<String>,
}

/// Streams the log over a WebSocket: `hello`, the events after `after`, `caught_up`, then events as they are written,
/// and a `heartbeat` every 10 s. Each message is a JSON text of the schema `Frame`. Close codes: 1012 the server restarts,
/// 4401 the credential is gone, 4408 too slow, 4429 too many messages; resume from your cursor.
#[utoipa::path(
    get, path = "/v1/feed", tag = "member", security(("credential" = [])), params(FeedQuery),
    responses(
        (status = 101, description = "The WebSocket is open", body = Frame),
        Guarded, Named, Placed, Checked,
    )
)]
pub(super) async fn feed(
    member: Member,
    State(app): State<App>,
    parameters: Result<Query<FeedQuery>, axum::extract::rejection::QueryRejection>,
    Handshake { upgrade, client }: Handshake,
) -> Result<Response, ApiError> {
    let wanted = query(parameters)?;
    let filter = Filter { channel_id: wanted.channel, base: base_of(wanted.symbol.as_deref())? };
    check_channel(&app, &member.0, wanted.channel).await?;
    check_after(&app, wanted.after).await?;
    let full = |_| ApiError::new(ProblemKind::TooOften, "too many subscriptions are open: close one first");
    let of_account = app.edge.feeds_of_accounts.take(Some(member.0.account_id)).map_err(full)?;
    let of_address = app.edge.feeds_of_addresses.take(Some(client.0.into())).map_err(full)?;
    let upgrade = upgrade
        .max_message_size(MAX_INBOUND)
        .max_frame_size(MAX_INBOUND)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _places = (of_account, of_address);
        socket::serve(socket, (app, member), wanted.after, filter).await;
    }))
}

/// A request to open a WebSocket, by a program or by a page that may.
pub(super) struct Handshake {
    upgrade: WebSocketUpgrade,
    client: ClientAddress,
}

impl FromRequestParts<App> for Handshake {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        check_origin(app, &parts.headers)?;
        let client = *parts
            .extensions
            .get::<ClientAddress>()
            .ok_or_else(|| ApiError::new(ProblemKind::Internal, "the request came from nowhere"))?;
        let upgrade = WebSocketUpgrade::from_request_parts(parts, app).await;
        let upgrade = upgrade.map_err(|rejection| ApiError::invalid("Upgrade", rejection.body_text()))?;
        Ok(Self { upgrade, client })
    }
}

/// Refuses a browser's page of a foreign origin. Programs send none.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let is_listed = |listed: &String| origin.as_bytes().eq_ignore_ascii_case(listed.as_bytes());
    if app.edge.origins.iter().any(is_listed) {
        return Ok(());
    }
    let detail = "pages of this origin may not open the feed: the host can list it in `allowed_origins`";
    Err(ApiError::new(ProblemKind::Forbidden, detail))
}

/// Refuses a cursor that this log has never reached.
pub(super) async fn check_after(app: &App, after: i64) -> Result<(), ApiError> {
    if after < 0 {
        return Err(ApiError::invalid("after", "`after` is the last seq that you have, or 0"));
    }
    // The feed's own head may lag a moment behind what another process has written.
    if after > app.feed.head() {
        let head = log::head(&app.pool).await?;
        if after > head {
            return Err(ApiError::cursor_ahead(after, head));
        }
    }
    Ok(())
}
