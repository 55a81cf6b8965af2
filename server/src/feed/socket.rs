//! One subscriber: a cursor and a socket.
//!
//! Entry point: [`serve`]. Invariants: frames are sent in the order of the log; `prev` is what was sent before; at most
//! one page is held for a subscriber; one that does not take it in time, or gives no sign of life, is closed with 4408.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use shared::wire::close_code;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::{caught_up, heartbeat, hello};
use crate::App;
use crate::auth::Member;
use crate::store::StoreError;
use crate::store::log::Filter;

/// How often a subscriber's credential is looked at again without a message that something has changed: it may expire.
/// With the time that a change needs to get here, a subscription that may no longer be ends within 5 s.
const CHECK_EVERY: Duration = Duration::from_secs(4);
/// How often a heartbeat is sent: clients take three missing ones for a dead connection.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
/// How long a subscriber that replays waits for a database that is away.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);
/// How many messages a subscriber may send in [`FLOOD_WINDOW`]; it has nothing to say but pings and a close.
const FLOOD_MESSAGES: u32 = 50;
/// See [`FLOOD_MESSAGES`].
const FLOOD_WINDOW: Duration = Duration::from_secs(10);

/// Why a subscription ends.
enum End {
    /// The connection is gone, or the client has closed it.
    Gone,
    /// We close it with this code and reason.
    Close(u16, &'static str),
}

/// Streams the log after `cursor` to one subscriber, until one of the two ends it.
pub async fn serve(socket: WebSocket, (app, member): (App, Member), cursor: i64, filter: Filter) {
    let (sink, stream) = socket.split();
    let mut subscriber = Subscriber {
        sink,
        app,
        member,
        filter,
        cursor,
        prev: cursor,
        caught_up: false,
        heard: Instant::now(),
    };
    let end = subscriber.run(stream).await;
    if let End::Close(code, reason) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        let sent = tokio::time::timeout(Duration::from_secs(1), subscriber.sink.send(close)).await;
        tracing::debug!(code, reason, delivered = matches!(sent, Ok(Ok(()))), "closed a subscription");
    }
}

struct Subscriber {
    sink: SplitSink<WebSocket, Message>,
    app: App,
    member: Member,
    filter: Filter,
    /// Everything up to here has been looked at.
    cursor: i64,
    /// The last `seq` sent, or where the subscription began.
    prev: i64,
    caught_up: bool,
    /// When it last gave a sign of life.
    heard: Instant,
}

impl Subscriber {
    async fn run(&mut self, mut stream: SplitStream<WebSocket>) -> End {
        let mut head = self.app.feed.head.subscribe();
        let stopping = crate::until_true(self.app.stopping.clone());
        tokio::pin!(stopping);
        let mut beat = tokio::time::interval_at(Instant::now() + HEARTBEAT_EVERY, HEARTBEAT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.app.authority.changes();
        let mut check = tokio::time::interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flood = Flood::default();
        if let Err(end) = self.send(vec![hello(self.app.feed.head())]).await {
            return end;
        }
        loop {
            head.mark_unchanged();
            let behind = match self.send_page().await {
                Ok(behind) => behind,
                Err(end) => return end,
            };
            tokio::select! {
                biased;
                () = &mut stopping => return End::Close(close_code::RESTART, "the server restarts"),
                () = changed_or_due(&mut changes, &mut check) => if let Err(end) = self.check_member().await { return end },
                message = stream.next() => match message {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return End::Gone,
                    Some(Ok(_)) if flood.is_too_much() => return End::Close(close_code::FLOOD, "too many messages"),
                    Some(Ok(_)) => self.heard = Instant::now(),
                },
                _ = beat.tick() => if let Err(end) = self.send_heartbeat().await { return end },
                () = std::future::ready(()), if behind => {}
                changed = head.changed() => if changed.is_err() { return End::Gone },
            }
        }
    }

    /// Sends the next page; true when there is more to send at once.
    async fn send_page(&mut self) -> Result<bool, End> {
        let feed = std::sync::Arc::clone(&self.app.feed);
        let target = feed.head();
        if self.cursor < target {
            let page = match feed.page(&self.app.pool, self.cursor, &self.filter).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::debug!("a replay waits for the database: {error}");
                    tokio::time::sleep(DATABASE_PAUSE).await;
                    return Ok(true);
                }
            };
            let mut frames = Vec::with_capacity(page.lines.len());
            for line in page.lines {
                frames.push(line.frame(self.prev));
                self.prev = line.seq;
            }
            launch::crash::point("feed_sending");
            self.send(frames).await?;
            self.cursor = page.reached;
        }
        let behind = self.cursor < feed.head();
        if !behind && !std::mem::replace(&mut self.caught_up, true) {
            self.send(vec![caught_up(self.cursor)]).await?;
        }
        Ok(behind)
    }

    /// Looks again whether the subscriber may still be one. While the database is away nothing is known about that, and
    /// there is nothing new to send either.
    async fn check_member(&self) -> Result<(), End> {
        match self.member.may_still_read(&self.app, launch::clock::now()).await {
            Ok(true) | Err(_) => Ok(()),
            Ok(false) => Err(End::Close(close_code::UNAUTHORIZED, "the credential is gone")),
        }
    }

    /// A heartbeat for the client, and a ping that its library answers: a dead connection never does.
    async fn send_heartbeat(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > self.app.edge.limits.feed_silence() {
            return Err(End::Close(close_code::TOO_SLOW, "no sign of life: resume from your cursor"));
        }
        let frame = heartbeat(self.app.feed.head(), launch::clock::now());
        let frame = frame.map_err(|_: StoreError| End::Close(1011, "a heartbeat could not be written"))?;
        self.write([Message::Text(frame), Message::Ping(Bytes::new())]).await
    }

    async fn send(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), End> {
        self.write(frames.into_iter().map(Message::Text)).await
    }

    async fn write(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), End> {
        let sending = async {
            for message in messages {
                self.sink.feed(message).await?;
            }
            self.sink.flush().await
        };
        match tokio::time::timeout(self.app.edge.limits.feed_send(), sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(close_code::TOO_SLOW, "too slow: resume from your cursor")),
        }
    }
}

/// Waits until something about anybody's authority has changed, or until it is time to look again.
async fn changed_or_due(changes: &mut watch::Receiver<u64>, check: &mut Interval) {
    tokio::select! {
        _ = changes.changed() => {}
        _ = check.tick() => {}
    }
}

/// Counts what a subscriber sends.
struct Flood {
    since: Instant,
    messages: u32,
}

impl Default for Flood {
    fn default() -> Self {
        Self { since: Instant::now(), messages: 0 }
    }
}

impl Flood {
    fn is_too_much(&mut self) -> bool {
        if self.since.elapsed() > FLOOD_WINDOW {
            *self = Self::default();
        }
        self.messages += 1;
        self.messages > FLOOD_MESSAGES
    }
}
