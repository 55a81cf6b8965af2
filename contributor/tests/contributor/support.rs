//! A loopback server that plays `POST /v1/messages` by a script, and exports to feed it.
//!
//! Entry points: [`Loopback::start`], [`export`]. It keeps what it would have kept, so that a test can count.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use shared::wire::{
    MAX_BODY_BYTES, MAX_SIGHTINGS, PostMessages, PostResult, PostStatus, PostedMessages, ProblemBody,
    ProblemKind,
};

/// The API key that the server wants.
pub(crate) const KEY: &str = "cb_test";

/// What the server does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Answers 503 with `Retry-After: 0` and keeps nothing.
    Unavailable,
    /// Keeps the posts, and cuts the connection instead of answering.
    KeepAndCut,
    /// Reads the body, keeps nothing, and cuts the connection.
    Cut,
    /// Answers 413 without a problem body, as a proxy does.
    TooLarge,
}

/// What the server has seen and kept.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What to do with the next requests; then every request is answered properly.
    pub(crate) script: VecDeque<Step>,
    /// A sighting of this post makes the server answer 422 and name it.
    pub(crate) unacceptable: Option<String>,
    /// A sighting of this post makes the server answer 422 without naming it.
    pub(crate) poison: Option<String>,
    /// This post is rejected in a proper answer.
    pub(crate) rejected: Option<String>,
    /// Every revision that was kept, with how often it came, in the order in which it came first.
    pub(crate) kept: Vec<(String, i64)>,
    counts: BTreeMap<(String, i64), u32>,
    /// How many requests there were.
    pub(crate) requests: usize,
    /// The sizes of batches.
    pub(crate) batches: Vec<usize>,
}

type Shared = Arc<Mutex<Seen>>;

/// A running server.
pub(crate) struct Loopback {
    /// Its address.
    pub(crate) url: String,
    /// What it has seen.
    pub(crate) seen: Shared,
}

impl Loopback {
    /// Starts on a free port; it ends with the test's runtime.
    pub(crate) async fn start() -> Self {
        let seen = Shared::default();
        let app = Router::new().route("/v1/messages", post(messages)).with_state(seen.clone());
        let app = app.layer(axum::extract::DefaultBodyLimit::max(MAX_BODY_BYTES));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, seen }
    }

    /// The ids that were kept, in order.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.seen.lock().unwrap().kept.iter().map(|(id, _)| id.clone()).collect()
    }
}

async fn messages(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let seen = &mut *seen.lock().unwrap();
    seen.requests += 1;
    if headers.get("authorization").is_none_or(|value| value != &format!("Bearer {KEY}")) {
        return problem(ProblemKind::Unauthorized, None);
    }
    let asked: PostMessages = serde_json::from_slice(&body).unwrap();
    assert!((1..=MAX_SIGHTINGS).contains(&asked.sightings.len()));
    seen.batches.push(asked.sightings.len());
    let place = |id: &Option<String>| {
        let id = id.as_deref()?;
        asked.sightings.iter().position(|sighting| sighting.post.external_id == id)
    };
    match seen.script.pop_front() {
        Some(Step::Unavailable) => {
            return ([("retry-after", "0")], problem(ProblemKind::Unavailable, None)).into_response();
        }
        Some(Step::TooLarge) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Some(Step::Cut) => return cut(),
        Some(Step::KeepAndCut) => {
            seen.keep(&asked);
            return cut();
        }
        None => {}
    }
    if let Some(at) = place(&seen.unacceptable) {
        return problem(ProblemKind::InvalidRequest, Some(format!("sightings[{at}].post.content")));
    }
    if place(&seen.poison).is_some() {
        return problem(ProblemKind::InvalidRequest, None);
    }
    Json(PostedMessages { results: seen.keep(&asked) }).into_response()
}

impl Seen {
    fn keep(&mut self, asked: &PostMessages) -> Vec<PostResult> {
        let post_id = uuid::Uuid::nil();
        let keep = |sighting: &shared::post::Sighting| {
            let external_id = sighting.post.external_id.clone();
            if self.rejected.as_ref() == Some(&external_id) {
                return PostResult { external_id, status: PostStatus::Rejected { reason: "blocked".into() } };
            }
            let key = (external_id.clone(), sighting.post.revision().number());
            let count = self.counts.entry(key.clone()).or_default();
            *count += 1;
            let status = match *count {
                1 => PostStatus::Stored { post_id },
                _ => PostStatus::Duplicate { post_id, disputed: false },
            };
            if *count == 1 {
                self.kept.push(key);
            }
            PostResult { external_id, status }
        };
        asked.sightings.iter().map(keep).collect()
    }
}

fn problem(kind: ProblemKind, field: Option<String>) -> Response {
    let status = StatusCode::from_u16(kind.status()).unwrap();
    let detail = "said by the test".to_owned();
    let body = ProblemBody {
        kind,
        title: kind.title().to_owned(),
        status: status.as_u16(),
        detail,
        field,
        head: None,
    };
    (status, Json(body)).into_response()
}

/// An answer whose body breaks off: the connection closes in the middle of it.
fn cut() -> Response {
    let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    Response::new(Body::from_stream(broken))
}

/// A message of an export: the id is also its minute of 1 May 2026.
pub(crate) fn message(id: u64) -> String {
    let (hour, minute) = (id / 60, id % 60);
    format!(
        r#"{{"id":"{id}","type":"Default","timestamp":"2026-05-01T{hour:02}:{minute:02}:00+00:00","content":"post {id}"}}"#
    )
}

/// Discord's id of a message of this minute of 1 May 2026: milliseconds since 2015, and 22 bits that tell no time.
pub(crate) fn snowflake(minute: u64) -> String {
    let first_of_may = 1_777_593_600_000 - 1_420_070_400_000;
    ((first_of_may + minute * 60_000) << 22).to_string()
}

/// [`message`] with an id that tells its time, as Discord's do.
pub(crate) fn dated(minute: u64) -> String {
    message(minute).replacen(&format!("\"{minute}\""), &format!("\"{}\"", snowflake(minute)), 1)
}

/// Writes an export of these messages, made on this day of May 2026, and returns its path.
pub(crate) fn export(folder: &Path, messages: &[String], day: u8) -> PathBuf {
    let file = folder.join(format!("export-{day}-{}.json", messages.len()));
    let text = format!(
        r#"{{"guild":{{"id":"1"}},"channel":{{"id":"10","name":"vip"}},"exportedAt":"2026-05-{day:02}T00:00:00Z",
"messages":[{}],"messageCount":{}}}"#,
        messages.join(",\n"),
        messages.len()
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// Exports of so many messages each on their own days.
pub(crate) fn export_of(folder: &Path, count: u64, day: u8) -> PathBuf {
    export(folder, &(1..=count).map(message).collect::<Vec<_>>(), day)
}
