//! The one write path for posts and signals: deduplicate → keep → read → store signals and updates → append events.
//!
//! Entry point: [`ingest`]. Invariants: one transaction for a batch, acknowledged after its commit; one at a time in a channel; idempotent on
//! (channel, external id, revision); the first text under a revision stands, a differing one raises a dispute; the log
//! is appended to last.

pub(crate) mod binding;
pub(crate) mod book;
mod gaps;
mod prepare;
pub(crate) mod publish;
mod witnesses;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use shared::post::{ChannelRef, Sighting};
use shared::reading::Reading;
use shared::wire::{ChannelStatus, PostResult, PostStatus};
use sqlx::{Connection, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::channels::{self, Channel};
use crate::store::posts::{self, KnownPost, MessageKey, NewPost, NewReading};
use crate::store::{Remedy, StoreError, log, signals, to_json, updates};
use book::Book;
pub use gaps::keep_gaps;
use prepare::{Prepared, Profiles, Readings};
use publish::{Arrival, Changes, Occasion, Publisher};
use witnesses::{Agreement, Recorded, Shown};

/// How often a batch is run again after it collided with another one.
pub(crate) const MAX_RUNS: u32 = 5;

/// The most text that is read while the database stores it: a few milliseconds of reading.
const MOST_WHILE_STORING: usize = 64 * 1024;

/// Keeps a batch of sightings by one contributor. The results are in the order of the batch; all of it is committed.
pub async fn ingest(
    pool: &PgPool,
    account_id: Uuid,
    sightings: Vec<Sighting>,
    now: OffsetDateTime,
) -> Result<Vec<PostResult>, StoreError> {
    let prepared: Arc<[Prepared]> =
        sightings.into_iter().map(|sighting| prepare::prepare(sighting, now)).collect();
    let mut readings = Readings::of(&prepared);
    if prepared.iter().map(|item| item.sighting.post.content.len() + item.sighting.raw.len()).sum::<usize>()
        > MOST_WHILE_STORING
    {
        // A long read is not waited for with a connection and a channel in hand. Should a profile change before the channel
        // is in hand, the batch is read anew.
        let channels: BTreeSet<&ChannelRef> = prepared.iter().filter_map(Prepared::channel).collect();
        readings.begin(channels::profiles(pool, &Vec::from_iter(channels)).await?);
        readings.get().await?;
    }
    let mut run = 1;
    loop {
        match transact(pool, (account_id, now), &prepared, &mut readings).await {
            Err(error) if error.remedy() == Remedy::RunAgain && run < MAX_RUNS => {
                tracing::info!(run, "a batch collided with another one and is run again: {error}");
                run += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn transact(
    pool: &PgPool,
    (account_id, now): (Uuid, OffsetDateTime),
    prepared: &[Prepared],
    readings: &mut Readings,
) -> Result<Vec<PostResult>, StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    launch::crash::point("ingest_begun");
    let mut batch = Batch { connection: &mut transaction, account_id, now };
    let results = batch.keep(prepared, readings).await?;
    launch::crash::point("ingest_written");
    transaction.commit().await?;
    launch::crash::point("ingest_committed");
    Ok(results)
}

/// One batch inside its transaction.
struct Batch<'a> {
    connection: &'a mut PgConnection,
    account_id: Uuid,
    now: OffsetDateTime,
}

/// A sighting that is to be kept, with its place in the batch.
struct Kept<'a> {
    place: usize,
    prepared: &'a Prepared,
    channel: Channel,
    post: NewPost,
}

impl Batch<'_> {
    async fn keep(
        &mut self,
        prepared: &[Prepared],
        readings: &mut Readings,
    ) -> Result<Vec<PostResult>, StoreError> {
        let (channels, profiles) = self.channels(prepared).await?;
        readings.begin(profiles);
        let mut results: Vec<Option<PostStatus>> = prepared.iter().map(|_| None).collect();
        let mut kept = Vec::new();
        for (place, item) in prepared.iter().enumerate() {
            match admit(item, &channels, self.now) {
                Ok((channel, post)) => kept.push(Kept { place, prepared: item, channel, post }),
                Err(reason) => results[place] = Some(PostStatus::Rejected { reason }),
            }
        }
        let stored = self.store_posts(&kept).await?;
        let recorded = self.record_sightings(&kept, &stored).await?;
        let read = Read { kept: &kept, stored: &stored, readings: readings.get().await? };
        self.store_readings(&read).await?;
        self.publish(&read, &recorded).await?;
        for (item, shown) in kept.iter().zip(&recorded.shown) {
            results[item.place] = Some(stored.status(item, shown.as_ref()));
        }
        let rejected = || PostStatus::Rejected { reason: "not handled".into() };
        let result = |(item, status): (&Prepared, Option<PostStatus>)| PostResult {
            external_id: item.sighting.post.external_id.clone(),
            status: status.unwrap_or_else(rejected),
        };
        Ok(prepared.iter().zip(results).map(result).collect())
    }

    async fn channels(
        &mut self,
        prepared: &[Prepared],
    ) -> Result<(HashMap<ChannelRef, Channel>, Profiles), StoreError> {
        let wanted: BTreeSet<&ChannelRef> = prepared.iter().filter_map(Prepared::channel).collect();
        let mut found = HashMap::new();
        for channel in wanted {
            let stamp = (crate::ids::new(self.now), self.now);
            found.insert(channel.clone(), channels::ensure(self.connection, channel, stamp).await?);
        }
        // One batch at a time in a channel: two revisions of one message, or a call and its follow-up, that arrive in the
        // same moment from two contributors must see each other.
        let ids: Vec<Uuid> = found.values().map(|channel| channel.id).collect();
        let by_id = channels::lock(self.connection, &ids).await?;
        let profile = |(named, channel): (&ChannelRef, &Channel)| {
            Some((named.clone(), by_id.get(&channel.id)?.profile.clone()))
        };
        let profiles = found.iter().filter_map(profile).collect();
        Ok((found, profiles))
    }

    /// Stores the revisions that are new, and says what is known of all messages of the batch.
    async fn store_posts(&mut self, kept: &[Kept<'_>]) -> Result<Stored, StoreError> {
        let mut rows: Vec<&NewPost> = kept.iter().map(|item| &item.post).collect();
        rows.sort_by(|a, b| (&a.key, a.revision).cmp(&(&b.key, b.revision)));
        rows.dedup_by(|later, first| later.key == first.key && later.revision == first.revision);
        let inserted = posts::insert(self.connection, &rows, self.now).await?;
        let keys: BTreeSet<MessageKey> = rows.iter().map(|row| row.key.clone()).collect();
        let known = posts::known(self.connection, &Vec::from_iter(keys)).await?;
        let mut messages: HashMap<MessageKey, Vec<KnownPost>> = HashMap::new();
        for post in known {
            messages.entry(post.key.clone()).or_default().push(post);
        }
        Ok(Stored { inserted, messages })
    }

    async fn store_readings(&mut self, read: &Read<'_>) -> Result<(), StoreError> {
        let new = read.kept.iter().filter(|item| read.stored.inserted.contains(&item.post.id));
        let readings: Vec<NewReading<'_>> = new
            .filter_map(|item| {
                let reading = read.reading(item)?;
                Some(NewReading { post_id: item.post.id, read_no: 0, channel_id: item.channel.id, reading })
            })
            .collect();
        if readings.is_empty() {
            Ok(())
        } else {
            posts::insert_readings(self.connection, &readings, self.now).await
        }
    }

    /// Turns what is new and current into signals, updates and events.
    async fn publish(&mut self, read: &Read<'_>, recorded: &Recorded) -> Result<(), StoreError> {
        let published = |item: &&Kept<'_>| item.channel.status == ChannelStatus::Approved;
        let news = read.kept.iter().filter(published).filter(|item| read.stored.is_news(item));
        let arrivals: Vec<Arrival<'_>> = news.map(|item| read.arrival(item, self.now)).collect();
        let Recorded { disputes, witnessed, .. } = recorded;
        if arrivals.is_empty() && disputes.is_empty() && witnessed.is_empty() {
            return Ok(());
        }
        let about: Vec<MessageKey> =
            disputes.iter().chain(witnessed.iter().map(|seen| &seen.key)).cloned().collect();
        let book = Book::load(self.connection, &arrivals.iter().collect::<Vec<_>>(), &about).await?;
        let mut publisher = Publisher::new(book, self.now);
        // Before the arrivals: a witness of the text that stands is none of the edit that comes with it.
        for seen in witnessed {
            publisher.witnessed(seen)?;
        }
        for arrival in &arrivals {
            publisher.publish(arrival)?;
        }
        for key in disputes {
            publisher.dispute(key)?;
        }
        save(self.connection, &publisher.finish(), self.now).await
    }
}

/// Writes what posts have changed; the log is appended to last.
pub(crate) async fn save(
    connection: &mut PgConnection,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if !changes.signals.is_empty() {
        signals::save(connection, &changes.signals.iter().collect::<Vec<_>>()).await?;
    }
    if !changes.updates.is_empty() {
        updates::insert(connection, &changes.updates).await?;
    }
    if !changes.withdrawn.is_empty() {
        updates::withdraw(connection, &changes.withdrawn, now).await?;
    }
    if !changes.broken.is_empty() {
        signals::withdraw_broken(connection, &changes.broken).await?;
    }
    log::append(connection, now, &changes.events).await?;
    Ok(())
}

/// A batch that is stored and read.
struct Read<'a> {
    kept: &'a [Kept<'a>],
    stored: &'a Stored,
    readings: &'a [Option<Reading>],
}

impl<'a> Read<'a> {
    fn reading(&self, item: &Kept<'_>) -> Option<&'a Reading> {
        self.readings.get(item.place)?.as_ref()
    }

    fn arrival(&self, item: &'a Kept<'a>, now: OffsetDateTime) -> Arrival<'a> {
        let sighting = &item.prepared.sighting;
        Arrival {
            key: &item.post.key,
            post_id: item.post.id,
            revision: item.post.revision,
            post: &sighting.post,
            provenance: sighting.provenance,
            seen_at: sighting.seen_at,
            received_at: now,
            // Whoever sends it now. A batch is one contributor's.
            witnesses: 1,
            reading: self.reading(item),
            occasion: Occasion::News,
        }
    }
}

/// What the database knows of the messages of a batch.
struct Stored {
    inserted: HashSet<Uuid>,
    messages: HashMap<MessageKey, Vec<KnownPost>>,
}

impl Stored {
    /// The stored row of this revision.
    fn known(&self, item: &Kept<'_>) -> Option<&KnownPost> {
        self.messages.get(&item.post.key)?.iter().find(|known| known.revision == item.post.revision)
    }

    /// True for a revision that is new and that no later one has overtaken.
    fn is_news(&self, item: &Kept<'_>) -> bool {
        let all = self.messages.get(&item.post.key).into_iter().flatten();
        // A later revision that came in the same batch does not count: both are told, one after the other.
        let mut earlier = all.filter(|known| !self.inserted.contains(&known.id));
        self.inserted.contains(&item.post.id) && !earlier.any(|known| known.revision > item.post.revision)
    }

    fn status(&self, item: &Kept<'_>, shown: Option<&Shown>) -> PostStatus {
        let (Some(known), Some(shown)) = (self.known(item), shown) else {
            return PostStatus::Rejected {
                reason: "the post was stored by nobody: please report this".into(),
            };
        };
        let post_id = known.id;
        if !self.inserted.contains(&item.post.id) {
            let disputed = shown.agreement == Agreement::Differs;
            return PostStatus::Duplicate { post_id: shown.post_id, disputed };
        }
        let others = self.messages.get(&item.post.key).into_iter().flatten();
        if others.into_iter().any(|other| other.id != post_id && self.precedes(other, known)) {
            PostStatus::Revision { post_id }
        } else {
            PostStatus::Stored { post_id }
        }
    }

    /// True when `other` was stored before `known`: in an earlier transaction, or earlier in this one (ids sort by time).
    fn precedes(&self, other: &KnownPost, known: &KnownPost) -> bool {
        !self.inserted.contains(&other.id) || other.id < known.id
    }
}

/// Whether a sighting can be kept, and as what.
fn admit(
    item: &Prepared,
    channels: &HashMap<ChannelRef, Channel>,
    now: OffsetDateTime,
) -> Result<(Channel, NewPost), String> {
    if let Some(problem) = &item.problem {
        return Err(problem.clone());
    }
    let post = &item.sighting.post;
    let channel = channels.get(&post.channel).ok_or("its channel is not known")?;
    if channel.status == ChannelStatus::Blocked {
        return Err(format!("the channel {} is blocked", post.channel.name));
    }
    let body = to_json(post).map_err(|error| error.to_string())?;
    let key = MessageKey { channel_id: channel.id, external_id: post.external_id.clone() };
    let stored = NewPost {
        id: crate::ids::new(now),
        key,
        revision: item.revision,
        author_id: post.author.external_id.clone(),
        posted_at: post.posted_at,
        content_hash: item.content_hash,
        body,
        provenance: item.sighting.provenance,
    };
    Ok((channel.clone(), stored))
}
