//! One channel: proposed by contributors and admins, read by members, changed by admins.
//!
//! Entry points: the handlers. Invariant: a change says which state it changes (`If-Match`), so that two admins cannot undo each
//! other's decisions without having seen them.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use shared::post::ChannelRef;
use shared::wire::{ChangeChannel, ChannelDetail, ProblemKind, ProposeChannel, Role};
use uuid::Uuid;

use super::ApiError;
use super::body::JsonBody;
use super::problems::{Bodied, Checked, Conditional, Contradicted, Guarded, Named};
use crate::App;
use crate::auth::{Admin, Member, Proposer};
use crate::curation;
use crate::store::channels::{self, Viewer, Wanted};
use crate::store::curation as rows;

/// A channel with the name of its state.
type Tagged = ([(HeaderName, String); 1], Json<ChannelDetail>);

/// Proposes a channel. One that is known already is answered as it stands. Whoever proposes a new one may post for it: what
/// they post is published once an admin has approved the channel.
#[utoipa::path(
    post, path = "/v1/channels", tag = "contributor", security(("credential" = [])), request_body = ProposeChannel,
    responses(
        (status = 201, description = "The channel, which was not known before", body = ChannelDetail,
            headers(("ETag" = String, description = "The name of its state"))),
        (status = 200, description = "The channel as it stands", body = ChannelDetail,
            headers(("ETag" = String, description = "The name of its state"))),
        Guarded, Bodied, Contradicted, Checked,
    )
)]
pub(super) async fn propose(
    Proposer(caller): Proposer,
    State(app): State<App>,
    JsonBody(body): JsonBody<ProposeChannel>,
) -> Result<(StatusCode, Tagged), ApiError> {
    let ProposeChannel { source, external_id, name } = body;
    let channel = ChannelRef { source, external_id, name };
    let contributor = (caller.role == Role::Contributor).then_some(caller.account_id);
    let proposed = curation::propose(&app.pool, &channel, contributor, &caller.by()).await?;
    let status = if proposed.is_new { StatusCode::CREATED } else { StatusCode::OK };
    // Whoever names a channel by its own id knows that there is one.
    Ok((status, tagged(&app, proposed.id, Viewer::Admin).await?))
}

/// One channel.
#[utoipa::path(
    get, path = "/v1/channels/{id}", tag = "member", security(("credential" = [])),
    params(("id" = Uuid, Path, description = "The channel's id")),
    responses(
        (status = 200, description = "The channel", body = ChannelDetail,
            headers(("ETag" = String, description = "The name of its state, for `If-Match`"))),
        Guarded, Named,
    )
)]
pub(super) async fn one(
    Member(caller): Member,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Tagged, ApiError> {
    let Path(id) = path.map_err(|_| unknown())?;
    tagged(&app, id, caller.viewer()).await
}

/// Changes the status, the name or the profile of a channel. What it says while it is not approved is kept, and published as
/// old once it is: traders see it and never trade it.
#[utoipa::path(
    patch, path = "/v1/channels/{id}", tag = "admin", security(("credential" = [])), request_body = ChangeChannel,
    params(
        ("id" = Uuid, Path, description = "The channel's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the state that is changed"),
    ),
    responses(
        (status = 200, description = "The channel as it stands now", body = ChannelDetail,
            headers(("ETag" = String, description = "The name of its state"))),
        Guarded, Named, Bodied, Contradicted, Conditional, Checked,
    )
)]
pub(super) async fn change(
    Admin(caller): Admin,
    State(app): State<App>,
    seen: Seen,
    JsonBody(body): JsonBody<ChangeChannel>,
) -> Result<Tagged, ApiError> {
    let Seen { id, version } = seen;
    let changed = curation::change(&app.pool, (id, version), &body, &caller.by()).await?;
    changed.ok_or_else(unknown)?;
    app.feed.wake();
    tagged(&app, id, Viewer::Admin).await
}

/// The channel that is changed, in the state in which it was seen.
pub(super) struct Seen {
    id: Uuid,
    /// None when whatever stands there is meant.
    version: Option<i32>,
}

impl FromRequestParts<App> for Seen {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let path = Path::<Uuid>::from_request_parts(parts, app).await;
        let Path(id) = path.map_err(|_| unknown())?;
        Ok(Self { id, version: expected_version(&parts.headers)? })
    }
}

async fn tagged(app: &App, id: Uuid, viewer: Viewer) -> Result<Tagged, ApiError> {
    let wanted = Wanted { viewer, id: Some(id), status: None, after: None };
    let record = channels::page(&app.pool, &wanted, 1).await?.pop().ok_or_else(unknown)?;
    let (curated, unpublished) = rows::by_id(&app.pool, id).await?.ok_or_else(unknown)?;
    let profile = curated.profile.fields().clone();
    let detail = ChannelDetail { record, profile, parent_id: curated.parent_id, unpublished };
    Ok(([(ETAG, format!("\"{}\"", curated.version))], Json(detail)))
}

/// The version that a change is about; none when it is about whatever stands there (`*`).
fn expected_version(headers: &HeaderMap) -> Result<Option<i32>, ApiError> {
    let missing = "send `If-Match` with the `ETag` of the channel as you have read it";
    let sent =
        headers.get(IF_MATCH).ok_or_else(|| ApiError::new(ProblemKind::PreconditionRequired, missing))?;
    let sent = sent.to_str().unwrap_or_default().trim();
    if sent == "*" {
        return Ok(None);
    }
    let number = sent.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let version = number.and_then(|number| number.parse().ok());
    let foreign = "this `If-Match` is no `ETag` of this channel: read it again";
    version.map(Some).ok_or_else(|| ApiError::new(ProblemKind::Changed, foreign))
}

pub(super) fn unknown() -> ApiError {
    ApiError::new(ProblemKind::NotFound, "there is no such channel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tag_of_ours_names_a_state() {
        let version = |sent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, sent.parse().unwrap());
            expected_version(&headers).map_err(|_| ())
        };
        assert_eq!(version("\"7\""), Ok(Some(7)));
        assert_eq!(version("*"), Ok(None));
        for foreign in ["7", "W/\"7\"", "\"\"", "\"seven\"", "\"7\", \"8\""] {
            assert_eq!(version(foreign), Err(()), "{foreign}");
        }
        assert!(expected_version(&HeaderMap::new()).is_err());
    }
}
