//! The lists and records that anyone with a key may read.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use shared::signal::{Side, Symbol};
use shared::wire::{
    ChannelStatus, ChannelsPage, Event, EventRecord, EventsPage, ProblemKind, SignalDetail, SignalsPage,
};
use time::OffsetDateTime;
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiError;
use super::cursor::{decode, encode};
use super::feed::check_after;
use super::problems::{Checked, Guarded, Named, Placed};
use crate::App;
use crate::auth::{Caller, Member};
use crate::store::log::{self, Filter, StoredEvent};
use crate::store::posts::{self, MessageKey};
use crate::store::signals::{self, Wanted};
use crate::store::{channels, updates};

/// How many entries a page has when the client does not say.
const DEFAULT_PAGE: i64 = 100;
/// The most entries of a page: about half a megabyte.
const MAX_PAGE: i64 = 500;

/// The parameters of a query; an unfit one is 422.
pub(super) fn query<T>(parameters: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    match parameters {
        Ok(Query(parameters)) => Ok(parameters),
        Err(rejection) => Err(ApiError::invalid("query", rejection.body_text())),
    }
}

/// The ticker of a filter.
pub(super) fn base_of(symbol: Option<&str>) -> Result<Option<String>, ApiError> {
    let parse =
        |text: &str| text.parse::<Symbol>().map_err(|error| ApiError::invalid("symbol", error.to_string()));
    Ok(symbol.map(parse).transpose()?.map(String::from))
}

/// Refuses a channel that is not known to this caller: that there is one they do not learn.
pub(super) async fn check_channel(app: &App, caller: &Caller, channel: Option<Uuid>) -> Result<(), ApiError> {
    match channel {
        Some(id) if !channels::exists(&app.pool, id, caller.viewer()).await? => Err(ApiError::new(
            ProblemKind::NotFound,
            format!("there is no channel {id}; GET /v1/channels lists them"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a time that the database cannot hold.
pub(super) fn check_since(since: Option<OffsetDateTime>) -> Result<(), ApiError> {
    match since {
        Some(since) if !(0..9999).contains(&since.year()) => {
            Err(ApiError::invalid("since", "a year between 0 and 9998 is expected"))
        }
        _ => Ok(()),
    }
}

pub(super) fn limit(wanted: Option<i64>) -> Result<i64, ApiError> {
    let limit = wanted.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::invalid("limit", format!("`limit` is 1 to {MAX_PAGE}, not {limit}")))
}

/// Cuts a page that was read with one entry more than the limit; true when that entry was there.
pub(super) fn cut<T>(entries: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    more
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SignalsQuery {
    /// Only of this channel.
    channel: Option<Uuid>,
    /// Only with this ticker as base (`BTC`), or with this base and quote (`BTC/USDT`).
    #[param(example = "BTC/USDT")]
    symbol: Option<String>,
    /// Only of this direction.
    side: Option<Side>,
    /// Only posted at or after this time (RFC 3339).
    #[serde(default, with = "time::serde::rfc3339::option")]
    since: Option<OffsetDateTime>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// Signals as they stand now, newest post first.
#[utoipa::path(
    get, path = "/v1/signals", tag = "member", security(("credential" = [])), params(SignalsQuery),
    responses(
        (status = 200, description = "A page of signals", body = SignalsPage),
        Guarded, Named, Checked,
    )
)]
pub(super) async fn signals(
    Member(caller): Member,
    State(app): State<App>,
    parameters: Result<Query<SignalsQuery>, QueryRejection>,
) -> Result<Json<SignalsPage>, ApiError> {
    let wanted = query(parameters)?;
    let limit = limit(wanted.limit)?;
    check_channel(&app, &caller, wanted.channel).await?;
    let (base, quote) = match wanted.symbol.as_deref().and_then(|symbol| symbol.split_once('/')) {
        Some((base, quote)) => (base_of(Some(base))?, base_of(Some(quote))?),
        None => (base_of(wanted.symbol.as_deref())?, None),
    };
    check_since(wanted.since)?;
    let after = wanted.cursor.as_deref().map(decode).transpose()?;
    let wanted =
        Wanted { channel_id: wanted.channel, base, quote, side: wanted.side, since: wanted.since, after };
    let (signals, next) = signals::page(&app.pool, &wanted, limit).await?;
    let next = next.map(|place| encode(&place)).transpose()?;
    Ok(Json(SignalsPage { signals, next }))
}

/// One signal with every revision of its post, what the reader made of each and where in the text (`posts[].reading`), and
/// all its follow-ups.
#[utoipa::path(
    get, path = "/v1/signals/{id}", tag = "member", security(("credential" = [])), params(("id" = Uuid, Path, description = "The signal's id")),
    responses(
        (status = 200, description = "The signal", body = SignalDetail),
        Guarded, Named,
    )
)]
pub(super) async fn signal(
    _caller: Member,
    State(app): State<App>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<SignalDetail>, ApiError> {
    let unknown = || ApiError::new(ProblemKind::NotFound, "there is no such signal");
    let Path(id) = path.map_err(|_| unknown())?;
    let state = signals::by_id(&app.pool, id).await?.ok_or_else(unknown)?;
    let key =
        MessageKey { channel_id: state.record.channel_id, external_id: state.record.external_id.clone() };
    let posts = posts::of_message(&app.pool, &key).await?;
    let updates = updates::of_signal(&app.pool, id).await?;
    Ok(Json(SignalDetail { state, posts, updates }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChannelsQuery {
    /// Only those of this status.
    status: Option<ChannelStatus>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// The channels, by name, and how their posts were read: those that were ever approved, and those that the caller may post
/// for; admins see all.
#[utoipa::path(
    get, path = "/v1/channels", tag = "member", security(("credential" = [])), params(ChannelsQuery),
    responses(
        (status = 200, description = "A page of channels", body = ChannelsPage),
        Guarded, Checked,
    )
)]
pub(super) async fn channels(
    Member(caller): Member,
    State(app): State<App>,
    parameters: Result<Query<ChannelsQuery>, QueryRejection>,
) -> Result<Json<ChannelsPage>, ApiError> {
    let wanted = query(parameters)?;
    let limit = limit(wanted.limit)?;
    let after: Option<(String, Uuid)> = wanted.cursor.as_deref().map(decode).transpose()?;
    let after = after.as_ref().map(|(name, id)| (name.as_str(), *id));
    let (viewer, status) = (caller.viewer(), wanted.status);
    let wanted = channels::Wanted { viewer, id: None, status, after };
    let mut found = channels::page(&app.pool, &wanted, limit + 1).await?;
    let more = cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|last| encode(&(&last.name, last.id))).transpose()?;
    Ok(Json(ChannelsPage { channels: found, next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The last `seq` that the client has; 0 for the whole log.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// How many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// The log after a `seq`, oldest first.
#[utoipa::path(
    get, path = "/v1/events", tag = "member", security(("credential" = [])), params(EventsQuery),
    responses(
        (status = 200, description = "A page of the log", body = EventsPage),
        Guarded, Placed, Checked,
    )
)]
pub(super) async fn events(
    _caller: Member,
    State(app): State<App>,
    parameters: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<EventsPage>, ApiError> {
    let wanted = query(parameters)?;
    let limit = limit(wanted.limit)?;
    check_after(&app, wanted.after).await?;
    let stored = log::after(&app.pool, wanted.after, &Filter::default(), limit).await?;
    let head = log::head(&app.pool).await?;
    let events = stored.into_iter().map(record).collect();
    Ok(Json(EventsPage { events, head }))
}

/// An event as it is told. One whose stored form is none any more counts as of an unknown kind, which clients skip, as they
/// do on the feed: it must not keep anybody from what comes after it.
fn record(stored: StoredEvent) -> EventRecord {
    let event = serde_json::from_str(&stored.payload).unwrap_or_else(|error| {
        tracing::error!("event {} cannot be told: {error}", stored.seq);
        Event::Unknown
    });
    EventRecord { seq: stored.seq, at: stored.at, event }
}
