//! Channels, and how their posts were read.

use shared::post::{ChannelRef, Source};
use shared::wire::{ChannelRecord, ChannelStatus, GapSummary, PostCounts};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, gaps};

/// A channel as ingest needs it.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The channel's id.
    pub id: Uuid,
    /// Whether its posts are taken.
    pub status: ChannelStatus,
}

/// The channel of this reference. An unknown one is created as approved: whoever has a contributor's key was given it by
/// the host. Its name follows the newest sighting.
pub async fn ensure(
    connection: &mut PgConnection,
    channel: &ChannelRef,
    (id_if_new, now): (Uuid, OffsetDateTime),
) -> Result<Channel, StoreError> {
    let known = sqlx::query!(
        "SELECT id, status, name FROM channels WHERE source = $1 AND external_id = $2",
        channel.source.as_str(),
        channel.external_id
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = known.filter(|row| row.name == channel.name) {
        return Ok(Channel { id: row.id, status: status(row.id, &row.status)? });
    }
    let row = sqlx::query!(
        "INSERT INTO channels (id, source, external_id, name, status, created_at) VALUES ($1, $2, $3, $4, 'approved', $5)
        ON CONFLICT (source, external_id) DO UPDATE SET name = EXCLUDED.name RETURNING id, status",
        id_if_new,
        channel.source.as_str(),
        channel.external_id,
        channel.name,
        now
    )
    .fetch_one(connection)
    .await?;
    Ok(Channel { id: row.id, status: status(row.id, &row.status)? })
}

/// Approves a channel, known or not yet known, and gives it this name.
pub async fn approve(
    pool: &PgPool,
    channel: &ChannelRef,
    (id_if_new, now): (Uuid, OffsetDateTime),
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO channels (id, source, external_id, name, status, created_at) VALUES ($1, $2, $3, $4, 'approved', $5)
        ON CONFLICT (source, external_id) DO UPDATE SET name = EXCLUDED.name, status = 'approved'",
        id_if_new,
        channel.source.as_str(),
        channel.external_id,
        channel.name,
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Keeps these channels for this transaction, until it ends. Sorted, so that two batches cannot wait for each other.
pub async fn lock(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("SELECT id FROM channels WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", ids)
        .fetch_all(connection)
        .await?;
    Ok(())
}

/// The channels after `after` (by name, then id), at most `limit`.
pub async fn page(
    pool: &PgPool,
    after: Option<(&str, Uuid)>,
    limit: i64,
) -> Result<Vec<ChannelRecord>, StoreError> {
    let (name, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.id, c.source, c.external_id, c.name, c.status,
            count(p.id) AS "revisions!",
            count(r.post_id) AS "total!",
            count(*) FILTER (WHERE r.kind = 'signals') AS "signals!",
            count(*) FILTER (WHERE r.kind = 'update') AS "updates!",
            count(*) FILTER (WHERE r.kind = 'noise') AS "noise!",
            count(*) FILTER (WHERE r.kind = 'abstained') AS "abstained!"
        FROM channels c
        LEFT JOIN posts p ON p.channel_id = c.id
        LEFT JOIN readings r ON r.post_id = p.id AND r.superseded_at IS NULL
        WHERE $1::text IS NULL OR (c.name, c.id) > ($1, $2::uuid)
        GROUP BY c.id ORDER BY c.name, c.id LIMIT $3"#,
        name,
        id,
        limit
    )
    .fetch_all(pool)
    .await?;
    let mut gaps = gaps::summaries(pool, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    let record = |row: Row| {
        let gaps = gaps.remove(&row.id).unwrap_or_default();
        Ok(ChannelRecord { gaps, ..row.try_into()? })
    };
    rows.into_iter().map(record).collect()
}

struct Row {
    id: Uuid,
    source: String,
    external_id: String,
    name: String,
    status: String,
    revisions: i64,
    total: i64,
    signals: i64,
    updates: i64,
    noise: i64,
    abstained: i64,
}

impl TryFrom<Row> for ChannelRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let posts = PostCounts {
            total: row.total,
            signals: row.signals,
            updates: row.updates,
            noise: row.noise,
            abstained: row.abstained,
            deletes: row.revisions - row.total,
        };
        Ok(Self {
            id: row.id,
            source: source(row.id, &row.source)?,
            status: status(row.id, &row.status)?,
            external_id: row.external_id,
            name: row.name,
            posts,
            gaps: GapSummary::default(),
        })
    }
}

/// Whether there is such a channel.
pub async fn exists(pool: &PgPool, id: Uuid) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM channels WHERE id = $1) AS "exists!""#, id)
        .fetch_one(pool)
        .await?)
}

fn status(id: Uuid, name: &str) -> Result<ChannelStatus, StoreError> {
    match name {
        "proposed" => Ok(ChannelStatus::Proposed),
        "approved" => Ok(ChannelStatus::Approved),
        "paused" => Ok(ChannelStatus::Paused),
        "blocked" => Ok(ChannelStatus::Blocked),
        other => Err(corrupt("status", id, other)),
    }
}

fn source(id: Uuid, name: &str) -> Result<Source, StoreError> {
    if name == Source::Discord.as_str() { Ok(Source::Discord) } else { Err(corrupt("source", id, name)) }
}

fn corrupt(column: &'static str, id: Uuid, value: &str) -> StoreError {
    let problem = format!("unknown value `{value}`");
    StoreError::Corrupt { table: "channels", column, id: id.to_string(), problem }
}
