//! The fake's REST interface: what a reading bot asks for, with tokens, permissions, pages and rate limits.
//!
//! Entry point: [`router`]. History comes newest first, whatever was asked for; a closed channel is 403, an unknown one 404,
//! and a history that may not be read is empty.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::GUILD;
use super::world::{World, bot_user};

type Shared = Arc<Mutex<World>>;
type Asked = HashMap<String, String>;

/// How many requests of which route were made, and since when.
type Buckets = Arc<Mutex<HashMap<String, (Instant, u32)>>>;

pub(super) fn router(world: Shared) -> Router {
    let buckets = Buckets::default();
    Router::new()
        .route("/api/v10/users/@me", get(me))
        .route("/api/v10/users/@me/guilds", get(guilds))
        .route("/api/v10/applications/@me", get(application))
        .route("/api/v10/oauth2/applications/@me", get(application))
        .route("/api/v10/gateway", get(gateway))
        .route("/api/v10/gateway/bot", get(gateway_bot))
        .route("/api/v10/guilds/{guild}/channels", get(channels))
        .route("/api/v10/guilds/{guild}/threads/active", get(active))
        .route("/api/v10/channels/{channel}", get(channel))
        .route("/api/v10/channels/{channel}/messages", get(messages))
        .route("/api/v10/channels/{channel}/messages/{message}", get(message))
        .route("/api/v10/channels/{channel}/threads/archived/public", get(archived))
        .layer(from_fn_with_state((world.clone(), buckets), guard))
        .with_state(world)
}

fn error(status: u16, code: u64, message: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

/// Writes the request down, and applies what stands before every route: planned answers, the token, the rate limit.
async fn guard(State((world, buckets)): State<(Shared, Buckets)>, request: Request, next: Next) -> Response {
    let path = request.uri().to_string();
    let token = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let (right_token, (limit, window)) = {
        let mut world = world.lock().expect("no panic");
        world.requests.push(path.clone());
        if let Some(at) = world.answers.iter().position(|(part, ..)| path.contains(part.as_str())) {
            let (_, status, body) = world.answers.remove(at).expect("it is there");
            return (StatusCode::from_u16(status).expect("a status"), Json(body)).into_response();
        }
        (format!("Bot {}", world.token), world.bucket)
    };
    if token != right_token && !path.ends_with("/gateway") {
        return error(401, 0, "401: Unauthorized");
    }
    let route = path.split('?').next().unwrap_or_default().to_owned();
    let (remaining, reset_after) = count(&buckets, &route, (limit, window));
    let Some(remaining) = remaining else {
        world.lock().expect("no panic").limited += 1;
        let seconds = reset_after.as_secs_f64();
        let body = json!({ "code": 0, "message": "You are being rate limited.", "retry_after": seconds, "global": false });
        return ([("x-ratelimit-scope", "user")], (StatusCode::TOO_MANY_REQUESTS, Json(body)))
            .into_response();
    };
    let mut response = next.run(request).await;
    let texts = [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset-after", format!("{:.3}", reset_after.as_secs_f64())),
        (
            "x-ratelimit-bucket",
            format!(
                "bucket-{}",
                route.split('/').filter(|part| part.parse::<u64>().is_err()).collect::<String>()
            ),
        ),
    ];
    for (name, text) in texts {
        response.headers_mut().insert(name, text.parse().expect("a header"));
    }
    response
}

/// How many requests are left on this route, `None` if this one is too many; and when the count begins anew.
fn count(buckets: &Buckets, route: &str, (limit, window): (u32, Duration)) -> (Option<u32>, Duration) {
    let mut buckets = buckets.lock().expect("no panic");
    let (since, used) = buckets.entry(route.to_owned()).or_insert_with(|| (Instant::now(), 0));
    if since.elapsed() >= window {
        (*since, *used) = (Instant::now(), 0);
    }
    let reset_after = window.saturating_sub(since.elapsed());
    if *used >= limit {
        return (None, reset_after);
    }
    *used += 1;
    (Some(limit - *used), reset_after)
}

async fn me(State(world): State<Shared>) -> Json<Value> {
    let is_bot = world.lock().expect("no panic").is_bot;
    Json(bot_user(is_bot))
}

async fn guilds() -> Json<Value> {
    Json(
        json!([{ "id": GUILD.to_string(), "name": "Desk", "icon": null, "banner": null, "owner": false, "permissions": "0", "features": [] }]),
    )
}

async fn application(State(world): State<Shared>) -> Json<Value> {
    let flags = if world.lock().expect("no panic").has_content_intent { 1 << 19 } else { 0 };
    Json(
        json!({ "id": "1", "name": "relay", "description": "", "flags": flags, "icon": null, "bot_public": false,
        "team": null, "type": null, "flags_new": flags.to_string(), "redirect_uris": [], "interactions_endpoint_url": null,
        "role_connections_verification_url": null, "approximate_guild_count": 1, "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0, "explicit_content_filter": 0, "eligible_oauth2_scopes": [], "owner": { "id": "2", "username": "owner", "discriminator": "0", "avatar": null,
        "global_name": null, "public_flags": 0, "flags": 0, "primary_guild": null }, "bot_require_code_grant": false, "verify_key": "0" }),
    )
}

async fn gateway(State(world): State<Shared>) -> Json<Value> {
    let url = world.lock().expect("no panic").gateway_url.clone();
    Json(json!({ "url": url }))
}

async fn gateway_bot(State(world): State<Shared>) -> Json<Value> {
    let url = world.lock().expect("no panic").gateway_url.clone();
    let limit = json!({ "total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1 });
    Json(json!({ "url": url, "shards": 1, "session_start_limit": limit }))
}

async fn channels(State(world): State<Shared>) -> Json<Value> {
    let world = world.lock().expect("no panic");
    let ids = world.channels.iter().filter(|(_, channel)| channel.parent.is_none()).map(|(id, _)| *id);
    Json(ids.map(|id| world.describe(id)).collect())
}

async fn active(State(world): State<Shared>) -> Json<Value> {
    let world = world.lock().expect("no panic");
    let threads = world
        .channels
        .iter()
        .filter(|(_, channel)| channel.parent.is_some() && channel.archived_at.is_none());
    let threads: Vec<Value> = threads.map(|(id, _)| world.describe(*id)).collect();
    Json(json!({ "threads": threads, "members": [], "has_more": false }))
}

/// The channel, or why it is not shown.
fn seen(world: &World, id: &str) -> Result<u64, Box<Response>> {
    let known = id.parse().ok().filter(|id| world.channels.contains_key(id));
    let id: u64 = known.ok_or_else(|| Box::new(error(404, 10_003, "Unknown Channel")))?;
    if world.channels[&id].is_closed { Err(Box::new(error(403, 50_001, "Missing Access"))) } else { Ok(id) }
}

async fn channel(State(world): State<Shared>, Path(id): Path<String>) -> Response {
    let world = world.lock().expect("no panic");
    seen(&world, &id).map_or_else(|refusal| *refusal, |id| Json(world.describe(id)).into_response())
}

async fn messages(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let world = world.lock().expect("no panic");
    let id = match seen(&world, &id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let number = |name: &str| asked.get(name).map(|text| text.parse::<u64>());
    let limit = number("limit").unwrap_or(Ok(50)).unwrap_or(0);
    if !(1..=100).contains(&limit) {
        let errors =
            json!({ "limit": { "_errors": [{ "code": "NUMBER_TYPE_MAX", "message": "1 to 100" }] } });
        let body = json!({ "code": 50_035, "message": "Invalid Form Body", "errors": errors });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let channel = &world.channels[&id];
    if channel.has_no_history {
        return Json(json!([])).into_response();
    }
    let limit = usize::try_from(limit).expect("a small number");
    let mut page: Vec<&Value> = match (number("after"), number("before")) {
        (Some(Ok(after)), _) => {
            channel.messages.range(after + 1..).take(limit).map(|(_, message)| message).collect()
        }
        (_, Some(Ok(before))) => {
            channel.messages.range(..before).rev().take(limit).map(|(_, message)| message).collect()
        }
        _ => channel.messages.values().rev().take(limit).collect(),
    };
    page.sort_by_key(|message| {
        std::cmp::Reverse(message["id"].as_str().and_then(|id| id.parse::<u64>().ok()))
    });
    Json(page.into_iter().map(|message| world.shown(message)).collect::<Value>()).into_response()
}

async fn message(State(world): State<Shared>, Path((id, message)): Path<(String, String)>) -> Response {
    let world = world.lock().expect("no panic");
    let id = match seen(&world, &id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    if world.channels[&id].has_no_history {
        return error(403, 50_013, "Missing Permissions");
    }
    let stored = message.parse().ok().and_then(|message: u64| world.channels[&id].messages.get(&message));
    stored.map_or_else(
        || error(404, 10_008, "Unknown Message"),
        |stored| Json(world.shown(stored)).into_response(),
    )
}

async fn archived(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let world = world.lock().expect("no panic");
    let id = match seen(&world, &id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let before = asked.get("before").and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let mut threads: Vec<(OffsetDateTime, u64)> = world
        .channels
        .iter()
        .filter(|(_, thread)| thread.parent == Some(id))
        .filter_map(|(id, thread)| Some((thread.archived_at?, *id)))
        .filter(|(at, _)| before.is_none_or(|before| *at < before))
        .collect();
    threads.sort_by(|a, b| b.cmp(a));
    let limit = asked.get("limit").and_then(|text| text.parse().ok()).unwrap_or(50);
    let has_more = threads.len() > limit;
    let page: Vec<Value> = threads.iter().take(limit).map(|(_, id)| world.describe(*id)).collect();
    Json(json!({ "threads": page, "members": [], "has_more": has_more })).into_response()
}
