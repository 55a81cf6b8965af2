//! Reading stored posts again, with today's reader and their channels' profiles.
//!
//! Entry points: [`reread`], and [`publish_kept`] for messages whose channel was not published when they came. Message by
//! message, in the order in which they came: every revision's reading is renewed, the newest one decides about signals and
//! updates (`told` has the rule), which change as by an edit, marked as read again.
//! Invariants: a batch is one transaction that has its channels in hand, as in `ingest`; it depends only on what is
//! stored, so a run that is broken off is taken up by the next one, and a second run changes nothing; no row is
//! overwritten: readings get a successor, events are appended.

mod compare;
mod report;
mod told;

use std::collections::{BTreeSet, HashMap, HashSet};

use shared::reading::{ChannelProfile, Reading, Verdict, read};
use shared::wire::ChannelStatus;
use sqlx::{Connection, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ingest::book::Book;
use crate::ingest::publish::{Arrival, Changes, Publisher};
use crate::ingest::{MAX_RUNS, save};
use crate::store::again::{self, StoredPost, Wanted};
use crate::store::channels::{self, Locked};
use crate::store::posts::{self, MessageKey, NewReading};
use crate::store::signals;
use crate::store::{Remedy, StoreError};
use compare::Change;
pub use report::Report;
use told::{Told, told};

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
    let mut report = Report::new(wish);
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
    let batch = Batch::load(&mut transaction, keys, Telling::Changed).await?;
    let readings = batch.differing();
    let changes = batch.changes(&mut transaction, now).await?;
    batch.describe(&mut report);
    report.count(readings.len(), changes.events.iter().map(|event| event.kind));
    if !wish.apply || (readings.is_empty() && changes.events.is_empty()) {
        transaction.rollback().await?;
        return Ok(report);
    }
    write(&mut transaction, (&readings, &changes), now).await?;
    launch::crash::point("reread_written");
    transaction.commit().await?;
    launch::crash::point("reread_committed");
    Ok(report)
}

/// Publishes messages that were kept while their channel was not published, as they read today. They are marked as read
/// again: whoever hears of them hears it late.
pub(crate) async fn publish_kept(
    connection: &mut PgConnection,
    keys: &[MessageKey],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let batch = Batch::load(connection, keys, Telling::All).await?;
    let readings = batch.differing();
    let changes = batch.changes(connection, now).await?;
    write(connection, (&readings, &changes), now).await
}

/// Writes new readings and what follows from them; the log is appended to last.
async fn write(
    connection: &mut PgConnection,
    (readings, changes): (&[NewReading<'_>], &Changes),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let renewed: Vec<Uuid> = readings.iter().map(|reading| reading.post_id).collect();
    if !renewed.is_empty() {
        again::supersede(connection, &renewed, now).await?;
        posts::insert_readings(connection, readings, now).await?;
    }
    save(connection, changes, now).await
}

/// Which messages are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Those that say something else than before, of channels that are published.
    Changed,
    /// All of them, of channels that are approved.
    All,
}

/// Some messages with all their revisions, read again.
struct Batch {
    telling: Telling,
    channels: HashMap<Uuid, Locked>,
    /// The revisions of a message stand one after the other, the oldest first.
    posts: Vec<Seen>,
    /// How many messages cannot be read.
    unreadable: usize,
}

/// A revision, and how it reads today; a tombstone does not.
struct Seen {
    stored: StoredPost,
    /// The name of its channel.
    channel: String,
    today: Option<Reading>,
    /// Whether the message is told anew, however it reads: a stored signal of it is broken, or nobody was told of it yet.
    is_due: bool,
}

impl Seen {
    fn before(&self) -> Option<&Reading> {
        self.stored.reading.as_ref()
    }

    /// Today's reading, if it is another one than the stored one.
    fn renewed(&self) -> Option<NewReading<'_>> {
        let reading = self.today.as_ref().filter(|today| self.before() != Some(*today))?;
        let read_no = self.stored.read_no.map_or(0, |number| number + 1);
        Some(NewReading { post_id: self.stored.id, read_no, channel_id: self.stored.key.channel_id, reading })
    }

    /// The kinds of difference; none for a tombstone.
    fn changes(&self) -> Option<BTreeSet<Change>> {
        self.today.as_ref().map(|today| compare::changes(self.before(), today))
    }

    /// Whether a signal or an update is not what it was.
    fn is_changed(&self) -> bool {
        self.changes().is_some_and(|changes| !changes.into_iter().all(Change::is_quiet))
    }

    fn is_told(&self) -> bool {
        self.is_due || self.is_changed()
    }

    fn is_signal(&self) -> bool {
        self.today.as_ref().is_some_and(|today| matches!(today.verdict, Verdict::Signals { .. }))
    }

    fn is_update(&self) -> bool {
        self.today.as_ref().is_some_and(|today| matches!(today.verdict, Verdict::Updates { .. }))
    }
}

impl Batch {
    async fn load(
        connection: &mut PgConnection,
        keys: &[MessageKey],
        telling: Telling,
    ) -> Result<Self, StoreError> {
        let mut ids: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let channels = channels::lock(connection, &ids, None).await?;
        let again::Stored { posts: stored, unreadable } = again::revisions(connection, keys).await?;
        let (_, broken) = signals::of_messages(connection, keys).await?;
        let broken = signals::broken(connection, &broken).await?;
        let broken: HashSet<MessageKey> = broken.into_iter().map(|broken| broken.key).collect();
        // The reader is not fast enough for an async thread.
        let reading = tokio::task::spawn_blocking(move || {
            let is_due = |key: &MessageKey| telling == Telling::All || broken.contains(key);
            let see = |stored: StoredPost| see(&channels, is_due(&stored.key), stored);
            let posts = stored.into_iter().map(see).collect();
            Self { telling, posts, channels, unreadable: unreadable.len() }
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

    fn is_published(&self, message: &[Seen]) -> bool {
        let channel = message.first().and_then(|seen| self.channels.get(&seen.stored.key.channel_id));
        channel.is_some_and(|channel| match self.telling {
            Telling::Changed => channel.is_published(),
            Telling::All => channel.status == ChannelStatus::Approved,
        })
    }

    /// What the newest revisions change about signals and updates.
    async fn changes(
        &self,
        connection: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<Changes, StoreError> {
        let told: Vec<Told<'_>> =
            self.messages().filter(|message| self.is_published(message)).map(told).collect();
        let arrivals: Vec<&Arrival<'_>> = told.iter().flat_map(Told::all).collect();
        let book = Book::load(connection, &arrivals, &[]).await?;
        let mut publisher = Publisher::new(book, now);
        for message in &told {
            let mut retracted = false;
            for arrival in &message.retracted {
                retracted |= publisher.retract(arrival)?;
            }
            for arrival in &message.told {
                publisher.publish(arrival)?;
            }
            // It may say what was just taken back from an earlier revision.
            if let Some(newest) = message.newest.as_ref().filter(|_| retracted) {
                publisher.publish(newest)?;
            }
        }
        Ok(publisher.finish())
    }

    fn describe(&self, report: &mut Report) {
        (0..self.unreadable).for_each(|_| report.note_unreadable());
        for message in self.messages() {
            let Some((newest, older)) = message.split_last() else { continue };
            older.iter().filter(|seen| seen.is_changed()).for_each(|_| report.note_older());
            let Some(found) = newest.changes() else {
                report.note_deleted();
                continue;
            };
            if newest.is_told() && !self.is_published(message) {
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

fn see(channels: &HashMap<Uuid, Locked>, is_due: bool, stored: StoredPost) -> Seen {
    let empty = ChannelProfile::default();
    let channel = channels.get(&stored.key.channel_id);
    let profile = channel.map_or(&empty, |channel| &channel.profile);
    let today = stored.post.deleted_at.is_none().then(|| read(&stored.post, profile));
    let channel = channel.map_or_else(|| stored.post.channel.name.clone(), |channel| channel.name.clone());
    Seen { stored, channel, today, is_due }
}
