//! Sends what waits in the outbox: oldest first, one request in flight, until the outbox is empty and nothing more comes.
//!
//! Entry points: [`drain`], [`drain_until`]. Invariants: order is kept; a row is forgotten only after the server's answer; a batch without an
//! answer is sent again, unchanged, for as long as it takes; while one batch is in flight the next one is read.

use std::collections::VecDeque;
use std::time::Duration;

use shared::wire::{MAX_BODY_BYTES, MAX_SIGHTINGS, PostResult};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::Clock;
use crate::api::{Answer, Api};
use crate::failure::Failure;
use crate::outbox::{Ahead, MAX_SIGHTING_BYTES, Outbox, Sent, Waiting};

/// Rows are read ahead up to this many bytes: one request in flight and one behind it.
const READ_AHEAD_BYTES: usize = 2 * MAX_BODY_BYTES;
/// Rows are read ahead up to this number: one request in flight and one behind it.
const READ_AHEAD: usize = 2 * MAX_SIGHTINGS;
/// While the server cannot be reached, the log says so this often.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long to wait before a batch is sent again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first wait; it doubles with each attempt.
    pub first: Duration,
    /// The longest wait, whatever the server asks for: after it, we look again.
    pub longest: Duration,
}

/// A hiccup costs a quarter of a second; an outage is looked at twice a minute.
pub const PACE: Pace = Pace { first: Duration::from_millis(250), longest: Duration::from_secs(30) };

impl Pace {
    /// The wait after so many failed attempts. `spread` (0 to 255) shortens it by up to a half, so that many contributors
    /// do not come back at the same moment; what the server asks for is never shortened, but bounded.
    fn wait(self, attempts: u32, spread: u8, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(self.longest);
        let spread_out = doubled - doubled * u32::from(spread) / 512;
        spread_out.max(asked.unwrap_or_default()).min(self.longest)
    }
}

/// Sends until nothing waits and nothing more comes. Ends early only when a person must act.
pub async fn drain(outbox: &Outbox, api: &Api, clock: Clock) -> Result<Sent, Failure> {
    drain_at(outbox, api, (clock, PACE)).await
}

/// [`drain`] with another pace.
pub async fn drain_at(outbox: &Outbox, api: &Api, edge: (Clock, Pace)) -> Result<Sent, Failure> {
    let mut sender = Sender::new(outbox, edge, None);
    let mut level = outbox.watch();
    loop {
        sender.send_all(api).await?;
        // The outbox holds the other end of the watch for as long as this borrow lives.
        let Ok(level) = level.wait_for(|level| level.waiting > 0 || !level.filling).await else { break };
        if level.waiting == 0 {
            break;
        }
    }
    Ok(sender.sent)
}

/// Sends what came to be by `until`; the outbox must be in that order ([`Outbox::put_in_order`]).
pub async fn drain_until(
    outbox: &Outbox,
    api: &Api,
    clock: Clock,
    until: OffsetDateTime,
) -> Result<Sent, Failure> {
    let mut sender = Sender::new(outbox, (clock, PACE), Some(until));
    sender.send_all(api).await?;
    Ok(sender.sent)
}

struct Sender<'o> {
    outbox: &'o Outbox,
    clock: Clock,
    pace: Pace,
    /// Only what came to be by then is sent.
    until: Option<OffsetDateTime>,
    /// Rows that have been read and not yet settled, oldest first.
    queue: VecDeque<Waiting>,
    /// The id of the last row that was read.
    read_to: i64,
    /// The most sightings that the next batch may have: less than the limit after a batch was too large.
    most: usize,
    sent: Sent,
    outage: Outage,
    /// The last batch with its answer, not yet forgotten.
    answered: Option<Answered>,
}

/// Rows that the server has answered for.
struct Answered {
    rows: Vec<Waiting>,
    results: Vec<PostResult>,
}

impl<'o> Sender<'o> {
    fn new(outbox: &'o Outbox, edge: (Clock, Pace), until: Option<OffsetDateTime>) -> Self {
        let (clock, pace) = edge;
        Self {
            outbox,
            clock,
            pace,
            until,
            queue: VecDeque::new(),
            read_to: 0,
            most: MAX_SIGHTINGS,
            sent: Sent::default(),
            outage: Outage::default(),
            answered: None,
        }
    }

    /// Sends until nothing is left to read. What the server has answered is forgotten while the next batch is in flight.
    async fn send_all(&mut self, api: &Api) -> Result<(), Failure> {
        loop {
            self.read_ahead().await?;
            let answered = self.answered.take();
            if self.queue.is_empty() {
                self.sent.add(self.settle(answered).await?);
                return Ok(());
            }
            let (body, count) = self.batch();
            launch::crash::point("batch_sending");
            let (answer, settled, read) =
                tokio::join!(api.post(body, count), self.settle(answered), self.outbox_ahead());
            self.sent.add(settled?);
            self.append(read?);
            if let Some(wait) = self.heed(answer, count).await? {
                tokio::time::sleep(wait).await;
            }
        }
    }

    async fn read_ahead(&mut self) -> Result<(), Failure> {
        if self.queue.is_empty() {
            let rows = self.outbox_ahead().await?;
            self.append(rows);
        }
        Ok(())
    }

    /// The rows behind those that have been read, as far as there is room.
    async fn outbox_ahead(&self) -> Result<Vec<Waiting>, Failure> {
        let held: usize = self.queue.iter().map(|row| row.body.len()).sum();
        let (count, bytes) =
            (READ_AHEAD.saturating_sub(self.queue.len()), READ_AHEAD_BYTES.saturating_sub(held));
        if count == 0 || bytes == 0 {
            return Ok(Vec::new());
        }
        let ahead = Ahead { after: self.read_to, until: self.until };
        Ok(self.outbox.load(ahead, count, bytes).await?)
    }

    fn append(&mut self, rows: Vec<Waiting>) {
        if let Some(last) = rows.last() {
            self.read_to = last.id;
        }
        self.queue.extend(rows);
    }

    /// The oldest rows that fit into one request, as its body, and how many they are.
    fn batch(&self) -> (String, usize) {
        let (mut body, mut count) = (String::from("{\"sightings\":["), 0);
        for row in self.queue.iter().take(self.most) {
            // The limit of a single sighting leaves room for the frame, so the first row always fits.
            if count > 0 && body.len() + row.body.len() > MAX_SIGHTING_BYTES {
                break;
            }
            if count > 0 {
                body.push(',');
            }
            body.push_str(&row.body);
            count += 1;
        }
        body.push_str("]}");
        (body, count)
    }

    /// Does what the answer asks for. Returns how long to wait before going on.
    async fn heed(&mut self, answer: Answer, count: usize) -> Result<Option<Duration>, Failure> {
        match answer {
            Answer::Settled(results) => self.answered(results)?,
            Answer::Unacceptable { at, reason } => self.refuse(at, &reason).await?,
            Answer::TooLarge { reason } if count == 1 => self.refuse(0, &reason).await?,
            Answer::TooLarge { .. } => self.most = count.div_ceil(2),
            Answer::Later { reason, after } => {
                let wait = self.outage.wait(&reason, after, self.pace);
                self.outbox.note_trouble(Some(&reason), (self.clock)()).await?;
                return Ok(Some(wait));
            }
            Answer::Never { reason } => {
                self.outbox.note_trouble(Some(&reason), (self.clock)()).await?;
                return Err(Failure::Configuration(reason));
            }
        }
        self.outage.end();
        self.outbox.note_trouble(None, (self.clock)()).await?;
        Ok(None)
    }

    /// Takes the answered rows off the queue; they are forgotten by [`Self::settle`].
    fn answered(&mut self, results: Vec<PostResult>) -> Result<(), Failure> {
        let rows: Vec<Waiting> = self.queue.drain(..results.len()).collect();
        if rows.iter().zip(&results).any(|(row, result)| row.external_id != result.external_id) {
            return Err(Failure::Other(anyhow::anyhow!(
                "the server's results are not in the order of the posts that were sent; nothing was forgotten, \
                 report this to the server's host"
            )));
        }
        self.most = (self.most * 2).min(MAX_SIGHTINGS);
        self.answered = Some(Answered { rows, results });
        Ok(())
    }

    async fn settle(&self, answered: Option<Answered>) -> Result<Sent, Failure> {
        let Some(Answered { rows, results }) = answered else { return Ok(Sent::default()) };
        launch::crash::point("batch_acknowledged");
        let sent = self.outbox.settle(&rows, &results, (self.clock)()).await?;
        launch::crash::point("batch_forgotten");
        Ok(sent)
    }

    async fn refuse(&mut self, at: usize, reason: &str) -> Result<(), Failure> {
        if let Some(row) = self.queue.remove(at) {
            self.sent.add(self.outbox.refuse(row.id, reason, (self.clock)()).await?);
        }
        Ok(())
    }
}

/// A time without useful answers.
#[derive(Debug, Default)]
struct Outage {
    attempts: u32,
    told: Option<Instant>,
}

impl Outage {
    fn wait(&mut self, reason: &str, asked: Option<Duration>, pace: Pace) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        let spread = getrandom::u32().map_or(0, |random| random.to_le_bytes()[0]);
        let wait = pace.wait(self.attempts, spread, asked);
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(
                attempts = self.attempts,
                next_in_ms = wait.as_millis(),
                "{reason}; the outbox keeps everything and tries again"
            );
        }
        wait
    }

    fn end(&mut self) {
        if self.attempts > 0 {
            tracing::info!(attempts = self.attempts, "the server takes posts again");
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_honour_what_the_server_asks_for() {
        let wait = |attempts, spread, asked: Option<u64>| {
            PACE.wait(attempts, spread, asked.map(Duration::from_secs)).as_millis()
        };
        assert_eq!([wait(1, 0, None), wait(2, 0, None), wait(3, 0, None)], [250, 500, 1000]);
        assert_eq!([wait(9, 0, None), wait(u32::MAX, 0, None)], [30_000, 30_000]);
        assert!((125..=250).contains(&wait(1, 255, None)), "jitter takes at most a half");
        assert_eq!(wait(1, 0, Some(7)), 7_000);
        assert_eq!(wait(1, 0, Some(86_400)), 30_000, "nobody can send us to sleep for a day");
    }
}
