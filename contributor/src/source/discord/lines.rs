//! The lines between the gateway and whoever keeps them: in order, and bounded in number and in bytes.
//!
//! Entry point: [`lines`]. Invariant: when there is no room the gateway waits; nothing is dropped.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::gateway::Heard;

/// Lines that may wait while history is read or a transaction is written.
const MAX_LINES: usize = 4_000;
/// The bytes of those that may wait: a bot in 2,500 servers is told of each at its start, and a large one takes a megabyte.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A line with the room that it takes: it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) heard: Heard,
    _room: OwnedSemaphorePermit,
}

/// Where the gateway hands lines on.
#[derive(Debug)]
pub(super) struct Lines {
    to: mpsc::Sender<Line>,
    room: Arc<Semaphore>,
}

/// Both ends.
pub(super) fn lines() -> (Lines, mpsc::Receiver<Line>) {
    let (to, from) = mpsc::channel(MAX_LINES);
    (Lines { to, room: Arc::new(Semaphore::new(MAX_BYTES)) }, from)
}

impl Lines {
    /// Waits for room, and hands on; false when nobody listens any more.
    pub(super) async fn send(&self, heard: Heard) -> bool {
        // One that is larger than all the room there is waits for all of it.
        let bytes = u32::try_from(heard.bytes().min(MAX_BYTES)).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().acquire_many_owned(bytes).await else { return false };
        self.to.send(Line { heard, _room: room }).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_and_nothing_is_dropped() {
        let (lines, mut from) = lines();
        let sending = tokio::spawn(async move {
            for number in 0..40 {
                let text = format!("{number} {}", "x".repeat(1024 * 1024));
                assert!(lines.send(Heard::Garbled(text)).await);
            }
            assert!(lines.send(Heard::Garbled("y".repeat(3 * MAX_BYTES))).await, "larger than all the room");
        });
        tokio::task::yield_now().await;
        for number in 0..40 {
            assert!(from.len() <= 16, "{} megabytes wait", from.len());
            let Some(Line { heard: Heard::Garbled(text), .. }) = from.recv().await else {
                panic!("{number}")
            };
            assert!(text.starts_with(&format!("{number} ")), "in order");
            tokio::task::yield_now().await;
        }
        assert!(from.recv().await.is_some());
        sending.await.unwrap();
    }

    #[tokio::test]
    async fn when_nobody_listens_the_gateway_is_told() {
        let (lines, from) = lines();
        drop(from);
        assert!(!lines.send(Heard::Garbled("x".into())).await);
    }
}
