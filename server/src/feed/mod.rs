//! The feed: log → ring → subscribers. Replay and live are one cursor.
//!
//! Entry points: [`Feed`], [`tail::follow`], [`socket::serve`]. Invariants: each event is read and encoded once per
//! process; a subscriber whose cursor lies inside the ring is served from memory, one behind it from the log; nobody is
//! ever skipped, and memory is bounded by the ring and one page per subscriber.

pub mod socket;
pub mod tail;

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

use axum::extract::ws::Utf8Bytes;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::store::log::{self, Filter, StoredEvent};
use crate::store::{StoreError, to_json};

/// How many events the ring holds: several minutes of the busiest community, about 4 MiB.
const RING_EVENTS: usize = 4096;
/// How many events a subscriber is sent between two looks at its socket: about 256 KiB.
const PAGE: i64 = 256;

/// One event, encoded: what follows `"prev":…,` in its frame, and the whole frame of a subscription without filter.
#[derive(Debug)]
struct Line {
    seq: i64,
    channel_id: Uuid,
    base: Option<String>,
    rest: String,
    whole: Utf8Bytes,
}

impl Line {
    fn encode(event: StoredEvent) -> Result<Self, StoreError> {
        let at = event.at.format(&Rfc3339).map_err(|error| StoreError::Corrupt {
            table: "events",
            column: "at",
            id: event.seq.to_string(),
            problem: error.to_string(),
        })?;
        let rest = format!(r#""at":"{at}","event":{}}}"#, event.payload);
        let whole = frame(event.seq, event.seq - 1, &rest);
        Ok(Self { seq: event.seq, channel_id: event.channel_id, base: event.base, rest, whole })
    }

    /// The frame for a subscriber that was last sent `prev`.
    fn frame(&self, prev: i64) -> Utf8Bytes {
        if prev == self.seq - 1 { self.whole.clone() } else { frame(self.seq, prev, &self.rest) }
    }

    fn passes(&self, filter: &Filter) -> bool {
        filter.channel_id.is_none_or(|id| id == self.channel_id)
            && filter.base.as_ref().is_none_or(|base| self.base.as_ref() == Some(base))
    }
}

fn frame(seq: i64, prev: i64, rest: &str) -> Utf8Bytes {
    format!(r#"{{"type":"event","seq":{seq},"prev":{prev},{rest}"#).into()
}

/// The tail of the log in memory, and the wake-ups.
#[derive(Debug)]
pub struct Feed {
    ring: RwLock<VecDeque<Arc<Line>>>,
    head: watch::Sender<i64>,
    look: Notify,
}

/// The next lines for a subscriber.
struct Page {
    lines: Vec<Arc<Line>>,
    /// Everything up to here has been looked at, also what the filter held back.
    reached: i64,
}

impl Feed {
    /// A feed whose ring is empty and whose head is this.
    pub fn new(head: i64) -> Self {
        Self { ring: RwLock::new(VecDeque::new()), head: watch::Sender::new(head), look: Notify::new() }
    }

    /// Says that the log may have grown. Carries no data: the tail looks for itself.
    pub fn wake(&self) {
        self.look.notify_one();
    }

    /// The last `seq` that subscribers may be sent.
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// Adds lines that follow the head, without a hole.
    fn extend(&self, lines: Vec<Line>) {
        let Some(last) = lines.last().map(|line| line.seq) else { return };
        {
            // A poisoned lock means that a thread panicked between two pushes; the ring itself is never half-written.
            let mut ring = self.ring.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            ring.extend(lines.into_iter().map(Arc::new));
            let surplus = ring.len().saturating_sub(RING_EVENTS);
            ring.drain(..surplus);
        }
        self.head.send_replace(last);
    }

    /// The lines after `cursor`, from memory if the ring reaches back so far; `None` otherwise.
    fn in_ring(&self, cursor: i64, filter: &Filter) -> Option<Page> {
        let ring = self.ring.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let head = self.head();
        let first = ring.front().map_or(head + 1, |line| line.seq);
        if cursor + 1 < first {
            return None;
        }
        let skip = usize::try_from(cursor + 1 - first).unwrap_or(usize::MAX);
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let window = ring.iter().skip(skip).take(page);
        let reached = window.clone().next_back().map_or(cursor, |line| line.seq);
        Some(Page { lines: window.filter(|line| line.passes(filter)).cloned().collect(), reached })
    }

    /// The lines after `cursor`, from memory or from the log. Never beyond the head, so that nothing is sent twice.
    async fn page(&self, pool: &PgPool, cursor: i64, filter: &Filter) -> Result<Page, StoreError> {
        if let Some(page) = self.in_ring(cursor, filter) {
            return Ok(page);
        }
        let head = self.head();
        let events = log::after(pool, cursor, filter, PAGE).await?;
        let full = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
        let lines = events
            .into_iter()
            .filter(|event| event.seq <= head)
            .map(|event| Line::encode(event).map(Arc::new));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let reached = if full { lines.last().map_or(cursor, |line| line.seq) } else { head };
        Ok(Page { lines, reached })
    }
}

/// The first frame of a subscription.
fn hello(head: i64) -> Utf8Bytes {
    format!(r#"{{"type":"hello","head":{head}}}"#).into()
}

fn caught_up(seq: i64) -> Utf8Bytes {
    format!(r#"{{"type":"caught_up","seq":{seq}}}"#).into()
}

fn heartbeat(head: i64, at: OffsetDateTime) -> Result<Utf8Bytes, StoreError> {
    to_json(&shared::wire::Frame::Heartbeat { head, at }).map(Utf8Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn line(seq: i64, base: &str) -> Line {
        let payload = format!(r#"{{"kind":"test","n":{seq}}}"#);
        let at = datetime!(2026-06-01 12:00 UTC);
        Line::encode(StoredEvent { seq, at, channel_id: Uuid::nil(), base: Some(base.into()), payload })
            .unwrap()
    }

    #[test]
    fn a_frame_is_json_and_names_the_line_before() {
        let frame: serde_json::Value = serde_json::from_str(&line(17, "BTC").frame(12)).unwrap();
        assert_eq!(frame["type"], "event");
        assert_eq!((frame["seq"].as_i64(), frame["prev"].as_i64()), (Some(17), Some(12)));
        assert_eq!(frame["at"], "2026-06-01T12:00:00Z");
        assert_eq!(frame["event"]["n"], 17);
        assert_eq!(line(17, "BTC").frame(16), line(17, "BTC").whole);
    }

    #[test]
    fn the_ring_serves_what_it_holds_and_nothing_older() {
        let feed = Feed::new(10);
        assert!(feed.in_ring(9, &Filter::default()).is_none(), "the log has it");
        assert_eq!(feed.in_ring(10, &Filter::default()).unwrap().reached, 10);
        feed.extend((11..=14).map(|seq| line(seq, if seq % 2 == 0 { "BTC" } else { "ETH" })).collect());
        let page = feed.in_ring(11, &Filter::default()).unwrap();
        assert_eq!(page.lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [12, 13, 14]);
        let only_eth = Filter { base: Some("ETH".into()), ..Filter::default() };
        let page = feed.in_ring(10, &only_eth).unwrap();
        assert_eq!(page.lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [11, 13]);
        assert_eq!(page.reached, 14, "what the filter holds back is not looked at again");
    }

    #[test]
    fn the_ring_is_bounded() {
        let feed = Feed::new(0);
        let count = i64::try_from(RING_EVENTS).unwrap() + 10;
        feed.extend((1..=count).map(|seq| line(seq, "BTC")).collect());
        assert!(feed.in_ring(9, &Filter::default()).is_none());
        assert_eq!(feed.in_ring(10, &Filter::default()).unwrap().lines[0].seq, 11);
    }
}
