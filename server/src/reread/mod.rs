//! Reading stored posts again, with today's reader and their channels' profiles.
//!
//! Entry point: [`reread`]. Message by message, in the order in which they came: every revision's reading is renewed, the
//! newest one decides about signals and updates (`arrivals` has the rule), which change as by an edit, marked as read again.
//! Invariants: a batch is one transaction that has its channels in hand, as in `ingest`; it depends only on what is
//! stored, so a run that is broken off is taken up by the next one, and a second run changes nothing; no row is
//! overwritten: readings get a successor, events are appended.

mod compare;
mod report;

use std::collections::{BTreeSet, HashMap};

use shared::reading::{ChannelProfile, Reading, Verdict, read};
use shared::wire::ChannelStatus;
use sqlx::{Connection, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ingest::book::Book;
use crate::ingest::publish::{Arrival, Changes, Occasion, Publisher};
use crate::ingest::{MAX_RUNS, save};
use crate::store::again::{self, StoredPost, Wanted};
use crate::store::channels::{self, Locked};
use crate::store::posts::{self, MessageKey, NewReading};
use crate::store::{Remedy, StoreError};
use compare::Change;
pub use report::Report;

/// How many messages are read in one transaction: the server's own posts wait for it, some milliseconds.
const MESSAGES: i64 = 100;
/// After how many messages the progress is logged.
const TELL_EVERY: u64 = 10_000;

/// What is to be read again, and whether the outcome is kept.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Which messages.
    pub wanted: Wanted,
    /// Whether the outcome is kept. Otherwise it is only reported.
    pub apply: bool,
    /// How many examples of each kind of change are reported.
    pub examples: usize,
}

/// Reads stored posts again; says what has changed, or what would.
pub async fn reread(
    pool: &PgPool,
    wish: &Wish,
    now: impl Fn() -> OffsetDateTime,
) -> Result<Report, StoreError> {
    let mut report = Report::new(wish.apply, wish.examples);
    let mut after = Uuid::nil();
    loop {
        let page = again::messages(pool, &wish.wanted, after, MESSAGES).await?;
        let Some(last) = page.last() else { return Ok(report) };
        after = last.first_id;
        let keys: Vec<MessageKey> = page.into_iter().map(|place| place.key).collect();
        let before = report.messages();
        let mut run = 1;
        report = loop {
            match transact(pool, (wish, now()), &keys, report.clone()).await {
                Err(error) if error.remedy() == Remedy::RunAgain && run < MAX_RUNS => run += 1,
                outcome => break outcome?,
            }
        };
        if before / TELL_EVERY < report.messages() / TELL_EVERY {
            tracing::info!(messages = report.messages(), "reading again");
        }
    }
}

/// Reads some messages again. The report is handed back with what was found, once that is sure.
async fn transact(
    pool: &PgPool,
    (wish, now): (&Wish, OffsetDateTime),
    keys: &[MessageKey],
    mut report: Report,
) -> Result<Report, StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let batch = Batch::load(&mut transaction, keys).await?;
    let readings = batch.differing();
    let changes = batch.changes(&mut transaction, now).await?;
    batch.describe(&mut report);
    report.count(readings.len(), changes.events.iter().map(|event| event.kind));
    if !wish.apply || readings.is_empty() {
        transaction.rollback().await?;
        return Ok(report);
    }
    let renewed: Vec<Uuid> = readings.iter().map(|reading| reading.post_id).collect();
    again::supersede(&mut transaction, &renewed, now).await?;
    posts::insert_readings(&mut transaction, &readings, now).await?;
    save(&mut transaction, &changes, now).await?;
    launch::crash::point("reread_written");
    transaction.commit().await?;
    launch::crash::point("reread_committed");
    Ok(report)
}

/// Some messages with all their revisions, read again.
struct Batch {
    channels: HashMap<Uuid, Locked>,
    /// The revisions of a message stand one after the other, the oldest first.
    posts: Vec<Seen>,
}

/// A revision, and how it reads today; a tombstone does not.
struct Seen {
    stored: StoredPost,
    today: Option<Reading>,
}

impl Seen {
    fn before(&self) -> Option<&Reading> {
        self.stored.reading.as_ref().map(|(_, reading)| reading)
    }

    /// Today's reading, if it is another one than the stored one.
    fn renewed(&self) -> Option<NewReading<'_>> {
        let reading = self.today.as_ref().filter(|today| self.before() != Some(*today))?;
        let read_no = self.stored.reading.as_ref().map_or(0, |(number, _)| number + 1);
        Some(NewReading { post_id: self.stored.id, read_no, channel_id: self.stored.key.channel_id, reading })
    }

    /// The kinds of difference; none for a tombstone.
    fn changes(&self) -> Option<BTreeSet<Change>> {
        self.today.as_ref().map(|today| compare::changes(self.before(), today))
    }

    /// Whether a signal or an update is not what it was.
    fn is_told(&self) -> bool {
        self.changes().is_some_and(|changes| !changes.into_iter().all(Change::is_quiet))
    }

    fn is_signal(&self) -> bool {
        self.today.as_ref().is_some_and(|today| matches!(today.verdict, Verdict::Signals { .. }))
    }

    fn is_update(&self) -> bool {
        self.today.as_ref().is_some_and(|today| matches!(today.verdict, Verdict::Updates { .. }))
    }

    /// This revision as what the message says at that one.
    fn arrival(&self, revision: i64, edits_a_signal: bool) -> Arrival<'_> {
        let stored = &self.stored;
        Arrival {
            key: &stored.key,
            post_id: stored.id,
            revision,
            post: &stored.post,
            provenance: stored.provenance,
            seen_at: stored.seen_at,
            received_at: stored.received_at,
            reading: self.today.as_ref(),
            occasion: Occasion::Again { edits_a_signal, disputed: stored.disputed },
        }
    }
}

impl Batch {
    async fn load(connection: &mut PgConnection, keys: &[MessageKey]) -> Result<Self, StoreError> {
        let mut ids: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let channels = channels::lock(connection, &ids).await?;
        let stored = again::revisions(connection, keys).await?;
        // The reader is not fast enough for an async thread.
        let reading = tokio::task::spawn_blocking(move || {
            let posts = stored.into_iter().map(|stored| see(stored, &channels)).collect();
            Self { posts, channels }
        });
        reading.await.map_err(|error| StoreError::Defect(format!("the reader failed: {error}")))
    }

    fn messages(&self) -> impl Iterator<Item = &[Seen]> {
        self.posts.chunk_by(|one, next| one.stored.key == next.stored.key)
    }

    /// The readings that are not today's.
    fn differing(&self) -> Vec<NewReading<'_>> {
        self.posts.iter().filter_map(Seen::renewed).collect()
    }

    fn is_published(&self, seen: &Seen) -> bool {
        let channel = self.channels.get(&seen.stored.key.channel_id);
        channel.is_some_and(|channel| channel.status == ChannelStatus::Approved)
    }

    /// What the newest revisions change about signals and updates.
    async fn changes(
        &self,
        connection: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<Changes, StoreError> {
        let arrivals: Vec<Arrival<'_>> = self.messages().flat_map(|message| self.arrivals(message)).collect();
        let book = Book::load(connection, &arrivals, &[]).await?;
        let mut publisher = Publisher::new(book, now);
        for arrival in &arrivals {
            publisher.publish(arrival)?;
        }
        Ok(publisher.finish())
    }

    /// What a message tells: its newest revision, if that says something else than before. Where it only follows up on the
    /// message's own signal, the revision before it says what that signal is, and comes first.
    fn arrivals<'a>(&self, message: &'a [Seen]) -> Vec<Arrival<'a>> {
        let Some((newest, older)) = message.split_last().filter(|(newest, _)| self.is_published(newest))
        else {
            return Vec::new();
        };
        let base = older.iter().rev().find(|seen| !seen.is_update()).filter(|seen| seen.is_signal());
        let base = base.filter(|base| newest.is_update() && (newest.is_told() || base.is_told()));
        let is_edit = older.iter().any(Seen::is_signal);
        let first = base.map(|base| base.arrival(newest.stored.revision, false));
        let then = newest.is_told().then(|| newest.arrival(newest.stored.revision, is_edit));
        first.into_iter().chain(then).collect()
    }

    fn describe(&self, report: &mut Report) {
        for message in self.messages() {
            let Some((newest, older)) = message.split_last() else { continue };
            older.iter().filter(|seen| seen.is_told()).for_each(|_| report.note_older());
            let Some(found) = newest.changes() else {
                report.note_deleted();
                continue;
            };
            if newest.is_told() && !self.is_published(newest) {
                report.note_unpublished();
            }
            report.note(found, || {
                let (before, after) =
                    (compare::brief(newest.before()), compare::brief(newest.today.as_ref()));
                let post = &newest.stored.post;
                format!("{} {}: {before} → {after}", post.channel.name, post.external_id)
            });
        }
    }
}

fn see(stored: StoredPost, channels: &HashMap<Uuid, Locked>) -> Seen {
    let empty = ChannelProfile::default();
    let profile = channels.get(&stored.key.channel_id).map_or(&empty, |channel| &channel.profile);
    let today = stored.post.deleted_at.is_none().then(|| read(&stored.post, profile));
    Seen { stored, today }
}
