//! `POST /v1/gaps`: where contributors tell what they certainly did not observe.

use axum::Json;
use axum::extract::State;
use shared::wire::{Gap, MAX_GAPS, TellGaps, ToldGaps};

use super::ApiError;
use super::body::JsonBody;
use super::problems::{Bodied, Checked, Guarded};
use crate::App;
use crate::auth::Contributor;
use crate::ingest;

/// The largest body: a hundred gaps of channels with the longest names.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Keeps 1 to 100 gaps: times in which this contributor did not observe a channel. The same gap may be told again.
#[utoipa::path(
    post, path = "/v1/gaps", tag = "contributor", security(("credential" = [])),
    request_body = TellGaps,
    responses(
        (status = 200, description = "What became of each gap, in order", body = ToldGaps),
        Guarded, Bodied, Checked,
    )
)]
pub(super) async fn tell_gaps(
    Contributor(caller): Contributor,
    State(app): State<App>,
    JsonBody(body): JsonBody<TellGaps>,
) -> Result<Json<ToldGaps>, ApiError> {
    let count = body.gaps.len();
    if !(1..=MAX_GAPS).contains(&count) {
        return Err(ApiError::invalid("gaps", format!("send 1 to {MAX_GAPS} gaps, not {count}")));
    }
    for (at, gap) in body.gaps.iter().enumerate() {
        check(gap).map_err(|(field, problem)| ApiError::invalid(format!("gaps[{at}].{field}"), problem))?;
    }
    let results = ingest::keep_gaps(&app.pool, caller.account_id, &body.gaps, launch::clock::now()).await?;
    Ok(Json(ToldGaps { results }))
}

fn check(gap: &Gap) -> Result<(), (&'static str, &'static str)> {
    // What the database can hold, and what can be meant.
    let plausible = |at: time::OffsetDateTime| (2015..2100).contains(&at.year());
    if gap.channel.external_id.contains('\0') {
        return Err(("channel.external_id", "holds a NUL character"));
    }
    if !plausible(gap.from) {
        return Err(("from", "lies outside the years 2015 to 2099"));
    }
    if !plausible(gap.to) || gap.to < gap.from {
        return Err(("to", "lies before `from`, or outside the years 2015 to 2099"));
    }
    Ok(())
}
