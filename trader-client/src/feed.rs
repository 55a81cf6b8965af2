//! The feed: the server's log over one WebSocket, without a gap and without an end.
//!
//! Entry point: [`Feed::follow`]. Invariants: an event is passed on only if it follows the last one (`prev` equals the
//! cursor); what was passed on before is skipped; a lost, silent or gappy connection is made anew from the cursor.
//! Frames and kinds that this version does not know are skipped, and the cursor still moves over their events.

mod frames;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::StreamExt;
use shared::wire::{EventRecord, Frame, ProblemBody, close_code};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{self, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use launch::secret::Secret;
use launch::server::Address;

/// The server sends a heartbeat every 10 s: after three missed ones the connection is dead.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause before connecting again; it doubles up to [`LONGEST_PAUSE`], less a random part.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause before connecting again: a call is worth most while it is young.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The largest frame: an event with a signal of 50 targets stays below 64 KiB.
const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// Gaps in a row, without a single event in between, after which the server is not to be believed.
const MAX_GAPS: u32 = 3;
/// Events that may wait for the loop: with this many the socket is left unread, and the server notices.
pub const MAX_WAITING: usize = 256;

/// What is heard on the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// One line of the log.
    Event(Box<EventRecord>),
    /// Everything that the log had is passed on; what follows is live.
    CaughtUp(i64),
}

/// Why the feed cannot be followed any further.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The key is unknown, revoked, or not allowed to read the feed.
    #[error("the server does not accept this API key ({0}): ask its host for a new one")]
    KeyRefused(String),
    /// The journal is ahead of the server's log: it belongs to another database.
    #[error(
        "the journal has seen event {cursor}, and the server's log ends at {head}: it is another database, or was \
         restored from a backup. Check `server`, or choose another --data-dir to start afresh"
    )]
    CursorAhead {
        /// Our cursor.
        cursor: i64,
        /// The log's last event.
        head: i64,
    },
    /// There is no feed at the address.
    #[error("there is no feed at this address ({0}): check `server`")]
    NoFeed(String),
    /// The server leaves events out.
    #[error(
        "after event {cursor} the server sends event {seq} that follows {prev}: events are missing, {gaps} times"
    )]
    Gap {
        /// Our cursor.
        cursor: i64,
        /// The event sent.
        seq: i64,
        /// The one that it says it follows.
        prev: i64,
        /// How often.
        gaps: u32,
    },
    /// The server cannot be reached, and it was not worth waiting longer.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
}

/// How a connection ended.
enum End {
    /// Nobody listens any more.
    Unheard,
    /// It broke; the reason is for the log.
    Lost(String),
    /// An event is missing.
    Gap { seq: i64, prev: i64 },
    /// There is no point in coming back.
    Fatal(FeedError),
}

/// The feed of one server.
pub struct Feed {
    /// The server.
    pub address: Address,
    /// Our credential.
    pub key: Secret,
    /// After how many failures in a row to give up; `None` for never.
    pub patience: Option<u32>,
}

impl Feed {
    /// Passes on every event after the cursor, in order, for as long as somebody listens.
    pub async fn follow(&self, mut cursor: i64, heard: mpsc::Sender<Heard>) -> Result<(), FeedError> {
        let (mut failures, mut gaps) = (0, 0);
        loop {
            let before = cursor;
            let mut caught_up = false;
            let end = self.listen(&mut cursor, &mut caught_up, &heard).await;
            if cursor > before || caught_up {
                (failures, gaps) = (0, 0);
            }
            let reason = match end {
                End::Unheard => return Ok(()),
                End::Fatal(error) => return Err(error),
                End::Lost(reason) => reason,
                End::Gap { seq, prev } => {
                    gaps += 1;
                    if gaps >= MAX_GAPS {
                        return Err(FeedError::Gap { cursor, seq, prev, gaps });
                    }
                    format!("event {seq} follows {prev}, not {cursor}")
                }
            };
            failures += 1;
            if self.patience.is_some_and(|patience| failures >= patience) {
                return Err(FeedError::Unreachable(reason));
            }
            let pause = pause_after(failures, launch::clock::now().microsecond());
            tracing::warn!(
                reason,
                cursor,
                pause_ms = pause.as_millis(),
                "the feed was lost: connecting again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// One connection from beginning to end.
    async fn listen(&self, cursor: &mut i64, caught_up: &mut bool, heard: &mpsc::Sender<Heard>) -> End {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(*cursor)).await;
        let mut socket = match connected {
            Err(_) => return End::Lost(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs())),
            Ok(Err(end)) => return end,
            Ok(Ok(socket)) => socket,
        };
        loop {
            let text = match tokio::time::timeout(MAX_SILENCE, socket.next()).await {
                Err(_) => return End::Lost(format!("silent for {} s", MAX_SILENCE.as_secs())),
                Ok(None) => return End::Lost("the server closed the connection".to_owned()),
                Ok(Some(Err(error))) => return End::Lost(error.to_string()),
                Ok(Some(Ok(Message::Close(frame)))) => {
                    return end_of(frame.map(|frame| u16::from(frame.code)));
                }
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(_))) => continue,
            };
            let frame = match frames::read(text.as_str()) {
                Ok(frame) => frame,
                Err(reason) => return End::Lost(reason),
            };
            *caught_up |= matches!(frame, Frame::CaughtUp { .. });
            let news = match frames::judge(frame, *cursor) {
                Ok(Some(news)) => news,
                Ok(None) => continue,
                Err(end) => return end,
            };
            let seq = match &news {
                Heard::Event(record) => record.seq,
                Heard::CaughtUp(_) => *cursor,
            };
            if heard.send(news).await.is_err() {
                return End::Unheard;
            }
            *cursor = seq;
        }
    }

    async fn connect(&self, cursor: i64) -> Result<Socket, End> {
        let unusable = |error: String| End::Fatal(FeedError::NoFeed(error));
        let url = format!("{}/v1/feed?after={cursor}", self.address.websocket());
        let mut request = url.into_client_request().map_err(|error| unusable(error.to_string()))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.key.expose()))
            .map_err(|_| End::Fatal(FeedError::KeyRefused("it cannot be sent".to_owned())))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        match tokio_tungstenite::connect_async_with_config(request, Some(config), true).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(end_of_refusal(&response, cursor)),
            Err(error) => Err(End::Lost(error.to_string())),
        }
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// What an HTTP answer instead of a WebSocket means.
fn end_of_refusal(response: &http::Response<Option<Vec<u8>>>, cursor: i64) -> End {
    let problem: Option<ProblemBody> =
        response.body().as_ref().and_then(|body| serde_json::from_slice(body).ok());
    let status = response.status();
    let words = problem.as_ref().map_or_else(|| status.to_string(), |problem| problem.detail.clone());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => End::Fatal(FeedError::KeyRefused(words)),
        StatusCode::CONFLICT => {
            let head = problem.and_then(|problem| problem.head).unwrap_or_default();
            End::Fatal(FeedError::CursorAhead { cursor, head })
        }
        StatusCode::NOT_FOUND => End::Fatal(FeedError::NoFeed(words)),
        _ => End::Lost(words),
    }
}

/// What a close code means.
fn end_of(code: Option<u16>) -> End {
    match code {
        Some(close_code::UNAUTHORIZED) => {
            End::Fatal(FeedError::KeyRefused("it was revoked, or its account was suspended".to_owned()))
        }
        Some(code) => End::Lost(format!("the server closed the connection with code {code}")),
        None => End::Lost("the server closed the connection".to_owned()),
    }
}

/// The pause after some failures: doubling, and less by up to a half at random, so that clients do not come in waves.
fn pause_after(failures: u32, random: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let longest = (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE);
    longest - longest * (random % 1000) / 2000
}
