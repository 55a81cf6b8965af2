//! `POST /v1/messages`: where posts come in.

use axum::Json;
use axum::extract::State;
use shared::post::{Problem, check_sighting};
use shared::wire::{MAX_SIGHTINGS, PostMessages, PostedMessages};

use super::ApiError;
use super::body::JsonBody;
use super::problems::{Bodied, Checked, Guarded};
use crate::App;
use crate::auth::Contributor;
use crate::ingest;

/// Keeps 1 to 100 sightings of posts. Each is answered on its own; all are committed together before the answer.
#[utoipa::path(
    post, path = "/v1/messages", tag = "contributor", security(("credential" = [])),
    request_body = PostMessages,
    responses(
        (status = 200, description = "What became of each sighting, in order", body = PostedMessages),
        Guarded, Bodied, Checked,
    )
)]
pub(super) async fn post_messages(
    Contributor(caller): Contributor,
    State(app): State<App>,
    JsonBody(body): JsonBody<PostMessages>,
) -> Result<Json<PostedMessages>, ApiError> {
    check(&body)?;
    let results = ingest::ingest(&app.pool, caller.account_id, body.sightings, launch::clock::now()).await?;
    app.feed.wake();
    Ok(Json(PostedMessages { results }))
}

/// Refuses the whole request for what only a broken client sends; what a post itself may hold is judged post by post.
fn check(body: &PostMessages) -> Result<(), ApiError> {
    let count = body.sightings.len();
    if !(1..=MAX_SIGHTINGS).contains(&count) {
        return Err(ApiError::invalid(
            "sightings",
            format!("send 1 to {MAX_SIGHTINGS} sightings, not {count}"),
        ));
    }
    for (at, sighting) in body.sightings.iter().enumerate() {
        if let Err(unacceptable) = check_sighting(sighting)
            && unacceptable.problem == Problem::Nul
        {
            return Err(ApiError::invalid(
                format!("sightings[{at}].{}", unacceptable.field),
                Problem::Nul.to_string(),
            ));
        }
    }
    Ok(())
}
