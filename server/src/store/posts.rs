//! Posts, their sightings and their readings: written in bulk, never changed.

use std::collections::HashSet;

use shared::post::{Post, Provenance};
use shared::reading::Reading;
use shared::wire::PostRecord;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, from_json, to_json};

/// What names a message: its channel and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The channel.
    pub channel_id: Uuid,
    /// The message's id at its source.
    pub external_id: String,
}

/// A revision to be stored.
#[derive(Debug, Clone)]
pub struct NewPost {
    /// Its id.
    pub id: Uuid,
    /// Its message.
    pub key: MessageKey,
    /// Which revision.
    pub revision: i64,
    /// The author's id at its source.
    pub author_id: String,
    /// When the message was first posted.
    pub posted_at: OffsetDateTime,
    /// The hash of what the author wrote.
    pub content_hash: [u8; 32],
    /// The post as JSON.
    pub body: String,
    /// How it came.
    pub provenance: Provenance,
}

/// A revision that is stored.
#[derive(Debug, Clone)]
pub struct KnownPost {
    /// Its id.
    pub id: Uuid,
    /// Its message.
    pub key: MessageKey,
    /// Which revision.
    pub revision: i64,
    /// The hash of what the author wrote, as first seen.
    pub content_hash: Vec<u8>,
}

/// A sighting to be recorded.
#[derive(Debug, Clone)]
pub struct NewSighting {
    /// The revision that was seen.
    pub post_id: Uuid,
    /// The hash of what was seen.
    pub content_hash: [u8; 32],
    /// When, by the contributor's clock.
    pub seen_at: OffsetDateTime,
    /// How.
    pub provenance: Provenance,
    /// The source's own form, byte for byte.
    pub raw: String,
    /// The post as JSON, when it differs from the one first seen.
    pub differing_body: Option<String>,
    /// Whether it agrees with what was seen before although it differs.
    pub same_words: bool,
}

/// The name of a provenance in the database.
fn provenance_name(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Live => "live",
        Provenance::Backfill => "backfill",
        Provenance::Imported => "imported",
    }
}

/// Stores revisions that are not known yet; returns the ids of those that were new.
///
/// The rows must be sorted by key and revision: two batches then wait for each other instead of dead-locking.
pub async fn insert(
    connection: &mut PgConnection,
    posts: &[&NewPost],
    now: OffsetDateTime,
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let channels: Vec<Uuid> = posts.iter().map(|post| post.key.channel_id).collect();
    let externals: Vec<String> = posts.iter().map(|post| post.key.external_id.clone()).collect();
    let revisions: Vec<i64> = posts.iter().map(|post| post.revision).collect();
    let authors: Vec<String> = posts.iter().map(|post| post.author_id.clone()).collect();
    let posted: Vec<OffsetDateTime> = posts.iter().map(|post| post.posted_at).collect();
    let hashes: Vec<Vec<u8>> = posts.iter().map(|post| post.content_hash.to_vec()).collect();
    let bodies: Vec<String> = posts.iter().map(|post| post.body.clone()).collect();
    let provenances: Vec<String> =
        posts.iter().map(|post| provenance_name(post.provenance).to_owned()).collect();
    let inserted = sqlx::query_scalar!(
        "INSERT INTO posts
            (id, channel_id, external_id, revision, author_id, posted_at, content_hash, body, provenance, received_at)
        SELECT *, $10::timestamptz FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],
            $6::timestamptz[], $7::bytea[], $8::text[], $9::text[])
        ON CONFLICT (channel_id, external_id, revision) DO NOTHING RETURNING id",
        &ids,
        &channels,
        &externals,
        &revisions,
        &authors,
        &posted,
        &hashes,
        &bodies,
        &provenances,
        now
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().collect())
}

/// Every stored revision of these messages.
pub async fn known(connection: &mut PgConnection, keys: &[MessageKey]) -> Result<Vec<KnownPost>, StoreError> {
    let channels: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
    let externals: Vec<String> = keys.iter().map(|key| key.external_id.clone()).collect();
    let rows = sqlx::query!(
        "SELECT p.id, p.channel_id, p.external_id, p.revision, p.content_hash
        FROM unnest($1::uuid[], $2::text[]) AS wanted (channel_id, external_id)
        JOIN posts p USING (channel_id, external_id)",
        &channels,
        &externals
    )
    .fetch_all(connection)
    .await?;
    let known = rows.into_iter().map(|row| KnownPost {
        id: row.id,
        key: MessageKey { channel_id: row.channel_id, external_id: row.external_id },
        revision: row.revision,
        content_hash: row.content_hash,
    });
    Ok(known.collect())
}

/// Records sightings; one that is recorded already changes nothing. Returns those that were new: post and hash.
pub async fn insert_sightings(
    connection: &mut PgConnection,
    account_id: Uuid,
    sightings: &[NewSighting],
    now: OffsetDateTime,
) -> Result<HashSet<(Uuid, Vec<u8>)>, StoreError> {
    let posts: Vec<Uuid> = sightings.iter().map(|sighting| sighting.post_id).collect();
    let hashes: Vec<Vec<u8>> = sightings.iter().map(|sighting| sighting.content_hash.to_vec()).collect();
    let seen: Vec<OffsetDateTime> = sightings.iter().map(|sighting| sighting.seen_at).collect();
    let provenances: Vec<String> =
        sightings.iter().map(|sighting| provenance_name(sighting.provenance).to_owned()).collect();
    let raws: Vec<String> = sightings.iter().map(|sighting| sighting.raw.clone()).collect();
    let bodies: Vec<Option<String>> =
        sightings.iter().map(|sighting| sighting.differing_body.clone()).collect();
    let same_words: Vec<bool> = sightings.iter().map(|sighting| sighting.same_words).collect();
    let inserted = sqlx::query!(
        "INSERT INTO sightings
            (post_id, key_id, content_hash, seen_at, received_at, provenance, raw, differing_body, same_words)
        SELECT s.post_id, $8::uuid, s.content_hash, s.seen_at, $9::timestamptz, s.provenance, s.raw, s.differing_body,
            s.same_words
        FROM unnest($1::uuid[], $2::bytea[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::boolean[])
            AS s (post_id, content_hash, seen_at, provenance, raw, differing_body, same_words)
        ON CONFLICT DO NOTHING RETURNING post_id, content_hash",
        &posts,
        &hashes,
        &seen,
        &provenances,
        &raws,
        &bodies as _,
        &same_words,
        account_id,
        now
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().map(|row| (row.post_id, row.content_hash)).collect())
}

/// Every form of these revisions that agrees with the first: the first itself, and what was seen of a copy or its original.
pub async fn forms(connection: &mut PgConnection, posts: &[Uuid]) -> Result<Vec<(Uuid, Post)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", body AS "body!" FROM posts WHERE id = ANY($1)
        UNION ALL
        SELECT post_id, differing_body FROM sightings WHERE post_id = ANY($1) AND differing_body IS NOT NULL AND same_words"#,
        posts
    )
    .fetch_all(connection)
    .await?;
    let form = |(id, body): (Uuid, String)| Ok((id, from_json(&body, ("posts", "body"), id)?));
    rows.into_iter().map(|row| form((row.id, row.body))).collect()
}

/// Who has seen a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenBy {
    /// The revision.
    pub post_id: Uuid,
    /// How many contributors are witnesses of it.
    pub witnesses: u32,
    /// In how many forms one of them has seen it.
    pub own_forms: i64,
}

/// Who has seen these revisions; the forms are those of this contributor.
pub async fn seen_by(
    connection: &mut PgConnection,
    account_id: Uuid,
    posts: &[Uuid],
) -> Result<Vec<SeenBy>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT post_id, count(DISTINCT key_id) AS "witnesses!", count(*) FILTER (WHERE key_id = $1) AS "own_forms!"
        FROM sightings WHERE post_id = ANY($2) AND (differing_body IS NULL OR same_words) GROUP BY post_id"#,
        account_id,
        posts
    )
    .fetch_all(connection)
    .await?;
    let seen = rows.into_iter().map(|row| SeenBy {
        post_id: row.post_id,
        witnesses: super::count(row.witnesses),
        own_forms: row.own_forms,
    });
    Ok(seen.collect())
}

/// A reading to be stored.
#[derive(Debug)]
pub struct NewReading<'a> {
    /// The revision that was read.
    pub post_id: Uuid,
    /// How many readings of it there were before.
    pub read_no: i32,
    /// Its channel.
    pub channel_id: Uuid,
    /// What the reader made of it.
    pub reading: &'a Reading,
}

/// Stores readings.
pub async fn insert_readings(
    connection: &mut PgConnection,
    readings: &[NewReading<'_>],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let posts: Vec<Uuid> = readings.iter().map(|new| new.post_id).collect();
    let channels: Vec<Uuid> = readings.iter().map(|new| new.channel_id).collect();
    let kinds: Vec<String> = readings.iter().map(|new| new.reading.verdict.kind().to_owned()).collect();
    let texts: Vec<String> = readings.iter().map(|new| to_json(new.reading)).collect::<Result<_, _>>()?;
    let numbers: Vec<i32> = readings.iter().map(|new| new.read_no).collect();
    let version = |new: &NewReading<'_>| i32::try_from(new.reading.reader_version).unwrap_or(i32::MAX);
    let versions: Vec<i32> = readings.iter().map(version).collect();
    sqlx::query!(
        "INSERT INTO readings (post_id, read_no, reader_version, channel_id, kind, reading, read_at)
        SELECT r.post_id, r.read_no, r.reader_version, r.channel_id, r.kind, r.reading, $7
        FROM unnest($1::uuid[], $2::int[], $3::int[], $4::uuid[], $5::text[], $6::text[])
            AS r (post_id, read_no, reader_version, channel_id, kind, reading)",
        &posts,
        &numbers,
        &versions,
        &channels,
        &kinds,
        &texts,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every revision of a message with its reading, oldest first.
pub async fn of_message(pool: &PgPool, key: &MessageKey) -> Result<Vec<PostRecord>, StoreError> {
    let rows = sqlx::query_as!(
        StoredPost,
        r#"SELECT p.id, p.body, p.provenance, p.received_at, r.reading AS "reading?",
            (SELECT count(*) FROM sightings s WHERE s.post_id = p.id) AS "sightings!",
            (SELECT count(DISTINCT s.key_id) FROM sightings s
                WHERE s.post_id = p.id AND (s.differing_body IS NULL OR s.same_words)) AS "witnesses!",
            EXISTS (SELECT FROM sightings s WHERE s.post_id = p.id AND s.differing_body IS NOT NULL AND NOT s.same_words)
                AS "disputed!"
        FROM posts p LEFT JOIN readings r ON r.post_id = p.id AND r.superseded_at IS NULL
        WHERE p.channel_id = $1 AND p.external_id = $2 ORDER BY p.revision"#,
        key.channel_id,
        key.external_id
    )
    .fetch_all(pool)
    .await?;
    let record = |row: StoredPost| -> Result<PostRecord, StoreError> {
        let reading = row
            .reading
            .as_deref()
            .map(|text| from_json(text, ("readings", "reading"), row.id))
            .transpose()?;
        Ok(PostRecord {
            id: row.id,
            post: from_json(&row.body, ("posts", "body"), row.id)?,
            sightings: row.sightings,
            witnesses: super::count(row.witnesses),
            disputed: row.disputed,
            provenance: provenance(row.id, &row.provenance)?,
            received_at: row.received_at,
            reading,
        })
    };
    rows.into_iter().map(record).collect()
}

pub(super) fn provenance(id: Uuid, name: &str) -> Result<Provenance, StoreError> {
    let all = [Provenance::Live, Provenance::Backfill, Provenance::Imported];
    all.into_iter().find(|provenance| provenance_name(*provenance) == name).ok_or_else(|| {
        StoreError::Corrupt {
            table: "posts",
            column: "provenance",
            id: id.to_string(),
            problem: format!("unknown value `{name}`"),
        }
    })
}

struct StoredPost {
    id: Uuid,
    body: String,
    provenance: String,
    received_at: OffsetDateTime,
    reading: Option<String>,
    sightings: i64,
    witnesses: i64,
    disputed: bool,
}

/// Whether one of these authors has ever posted in this channel.
pub async fn has_author(pool: &PgPool, channel_id: Uuid, authors: &[String]) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM posts WHERE channel_id = $1 AND author_id = ANY($2)) AS "exists!""#,
        channel_id,
        authors
    );
    Ok(found.fetch_one(pool).await?)
}

/// The authors who have posted most in this channel, at most `limit`; in a large channel, some of its posts stand for all.
pub async fn authors(pool: &PgPool, channel_id: Uuid, limit: i64) -> Result<Vec<String>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT author_id FROM (SELECT author_id FROM posts WHERE channel_id = $1 LIMIT 10000) AS sample
        GROUP BY author_id ORDER BY count(*) DESC, author_id LIMIT $2",
        channel_id,
        limit
    );
    Ok(found.fetch_all(pool).await?)
}
