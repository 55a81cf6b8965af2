//! Stored posts as they are read again: message by message, with the readings that count.

use std::collections::BTreeSet;

use shared::post::{Post, Provenance};
use shared::reading::Reading;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::posts::{MessageKey, provenance};
use super::{StoreError, from_json};

/// Which messages are to be read again. Without a wish: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only of this channel.
    pub channel_id: Option<Uuid>,
    /// Only posted at or after this time.
    pub since: Option<OffsetDateTime>,
}

/// A message, and its place in the order in which messages came here.
#[derive(Debug, Clone)]
pub struct Place {
    /// The message.
    pub key: MessageKey,
    /// The id of its revision that came first: ids sort by time.
    pub first_id: Uuid,
}

/// The messages that came after `after`, at most `limit`, in the order in which their first revisions came.
pub async fn messages(
    pool: &PgPool,
    wanted: &Wanted,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Place>, StoreError> {
    let rows = sqlx::query!(
        "SELECT p.id, p.channel_id, p.external_id FROM posts p
        WHERE p.id > $1 AND ($2::uuid IS NULL OR p.channel_id = $2)
            AND ($3::timestamptz IS NULL OR p.posted_at >= $3)
            AND NOT EXISTS (SELECT FROM posts f
                WHERE f.channel_id = p.channel_id AND f.external_id = p.external_id AND f.id < p.id)
        ORDER BY p.id LIMIT $4",
        after,
        wanted.channel_id,
        wanted.since,
        limit
    )
    .fetch_all(pool)
    .await?;
    let place =
        |(id, channel_id, external_id)| Place { key: MessageKey { channel_id, external_id }, first_id: id };
    Ok(rows.into_iter().map(|row| place((row.id, row.channel_id, row.external_id))).collect())
}

/// A stored revision with the reading that counts.
#[derive(Debug, Clone)]
pub struct StoredPost {
    /// Its id.
    pub id: Uuid,
    /// Its message.
    pub key: MessageKey,
    /// Which revision.
    pub revision: i64,
    /// The post.
    pub post: Post,
    /// How it came first.
    pub provenance: Provenance,
    /// When the server received it first.
    pub received_at: OffsetDateTime,
    /// When a contributor first saw it.
    pub seen_at: OffsetDateTime,
    /// Whether contributors disagree about its words.
    pub disputed: bool,
    /// How many contributors have seen its words.
    pub witnesses: u32,
    /// The number of the reading that counts; absent for a tombstone.
    pub read_no: Option<i32>,
    /// The reading that counts; absent for a tombstone, and when the stored one is none any more.
    pub reading: Option<Reading>,
}

/// Messages as they are stored.
#[derive(Debug)]
pub struct Stored {
    /// Every revision, those of a message one after the other, the oldest first.
    pub posts: Vec<StoredPost>,
    /// The messages that cannot be read again: a row of theirs is corrupt.
    pub unreadable: BTreeSet<MessageKey>,
}

/// Every revision of these messages. What cannot be read again is named in the log; it does not stop the others.
pub async fn revisions(connection: &mut PgConnection, keys: &[MessageKey]) -> Result<Stored, StoreError> {
    let channels: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
    let externals: Vec<String> = keys.iter().map(|key| key.external_id.clone()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT p.id, p.channel_id, p.external_id, p.revision, p.body, p.provenance, p.received_at,
            (SELECT s.seen_at FROM sightings s WHERE s.post_id = p.id ORDER BY s.received_at, s.seen_at LIMIT 1)
                AS "seen_at?",
            EXISTS (SELECT FROM sightings s WHERE s.post_id = p.id AND s.differing_body IS NOT NULL AND NOT s.same_words)
                AS "disputed!",
            (SELECT count(DISTINCT s.key_id) FROM sightings s
                WHERE s.post_id = p.id AND (s.differing_body IS NULL OR s.same_words)) AS "witnesses!",
            r.read_no AS "read_no?", r.reading AS "reading?"
        FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS w (channel_id, external_id, place)
        JOIN posts p USING (channel_id, external_id)
        LEFT JOIN readings r ON r.post_id = p.id AND r.superseded_at IS NULL
        ORDER BY w.place, p.revision"#,
        &channels,
        &externals
    )
    .fetch_all(connection)
    .await?;
    let mut stored = Stored { posts: Vec::with_capacity(rows.len()), unreadable: BTreeSet::new() };
    for row in rows {
        let key = MessageKey { channel_id: row.channel_id, external_id: row.external_id.clone() };
        match StoredPost::try_from(row) {
            Ok(post) => stored.posts.push(post),
            Err(error) => {
                tracing::error!("message {} cannot be read again: {error}", key.external_id);
                stored.unreadable.insert(key);
            }
        }
    }
    let Stored { posts, unreadable } = &mut stored;
    posts.retain(|post| !unreadable.contains(&post.key));
    Ok(stored)
}

/// Marks the readings of these posts that count as superseded.
pub async fn supersede(
    connection: &mut PgConnection,
    posts: &[Uuid],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE readings SET superseded_at = $2 WHERE post_id = ANY($1) AND superseded_at IS NULL",
        posts,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    channel_id: Uuid,
    external_id: String,
    revision: i64,
    body: String,
    provenance: String,
    received_at: OffsetDateTime,
    seen_at: Option<OffsetDateTime>,
    disputed: bool,
    witnesses: i64,
    read_no: Option<i32>,
    reading: Option<String>,
}

impl TryFrom<Row> for StoredPost {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let reading = row.reading.as_deref().and_then(|text| {
            // Today's reading takes its place; the row stays.
            from_json(text, ("readings", "reading"), row.id)
                .inspect_err(|error| tracing::warn!("a stored reading is taken for none: {error}"))
                .ok()
        });
        Ok(Self {
            id: row.id,
            revision: row.revision,
            post: from_json(&row.body, ("posts", "body"), row.id)?,
            provenance: provenance(row.id, &row.provenance)?,
            received_at: row.received_at,
            // Every post is stored together with its first sighting.
            seen_at: row.seen_at.ok_or_else(|| StoreError::Corrupt {
                table: "sightings",
                column: "post_id",
                id: row.id.to_string(),
                problem: "nobody has seen this post".to_owned(),
            })?,
            disputed: row.disputed,
            witnesses: super::count(row.witnesses),
            read_no: row.read_no,
            reading,
            key: MessageKey { channel_id: row.channel_id, external_id: row.external_id },
        })
    }
}
