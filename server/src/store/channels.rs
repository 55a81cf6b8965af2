//! Channels, their profiles, and how their posts were read.

use std::collections::HashMap;

use shared::post::{ChannelRef, Source};
use shared::reading::ChannelProfile;
use shared::wire::{ChannelRecord, ChannelStatus, GapSummary, PostCounts};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, from_json, gaps, to_json};

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

/// What a transaction that has a channel in hand knows of it.
#[derive(Debug, Clone)]
pub struct Locked {
    /// Whether its posts are taken.
    pub status: ChannelStatus,
    /// How its posts are read.
    pub profile: ChannelProfile,
}

/// Keeps these channels for this transaction, until it ends, and tells how their posts are read meanwhile. Sorted, so
/// that two batches cannot wait for each other.
pub async fn lock(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Locked>, StoreError> {
    let rows = sqlx::query!(
        "SELECT id, status, profile FROM channels WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        ids
    )
    .fetch_all(connection)
    .await?;
    let locked = |id, state: &str, text: Option<&str>| -> Result<_, StoreError> {
        Ok((id, Locked { status: status(id, state)?, profile: profile(id, text)? }))
    };
    rows.into_iter().map(|row| locked(row.id, &row.status, row.profile.as_deref())).collect()
}

/// The profiles of those of these channels that are known, as they stand now.
pub async fn profiles(
    pool: &PgPool,
    channels: &[&ChannelRef],
) -> Result<HashMap<ChannelRef, ChannelProfile>, StoreError> {
    let sources: Vec<String> = channels.iter().map(|channel| channel.source.as_str().to_owned()).collect();
    let externals: Vec<String> = channels.iter().map(|channel| channel.external_id.clone()).collect();
    let rows = sqlx::query!(
        r#"SELECT w.place AS "place!", c.id, c.profile
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (source, external_id, place)
        JOIN channels c USING (source, external_id)"#,
        &sources,
        &externals
    )
    .fetch_all(pool)
    .await?;
    let mut found = HashMap::new();
    for row in rows {
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        if let Some(channel) = channels.get(place) {
            found.insert((*channel).clone(), profile(row.id, row.profile.as_deref())?);
        }
    }
    Ok(found)
}

/// A stored profile; none is the empty one, and one that is no profile is corrupt.
fn profile(id: Uuid, text: Option<&str>) -> Result<ChannelProfile, StoreError> {
    text.map_or(Ok(ChannelProfile::default()), |text| from_json(text, ("channels", "profile"), id))
}

/// A channel as its host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The channel's id.
    pub id: Uuid,
    /// The kind of source.
    pub source: String,
    /// The channel's id at its source.
    pub external_id: String,
    /// Its name.
    pub name: String,
}

/// The channels that a host may mean: by id, by `source:external id`, or by name. At most `limit`.
pub async fn named(pool: &PgPool, text: &str, limit: i64) -> Result<Vec<Named>, StoreError> {
    let (source, external_id) = text.split_once(':').unzip();
    Ok(sqlx::query_as!(
        Named,
        "SELECT id, source, external_id, name FROM channels
        WHERE id = $1 OR (source = $2 AND external_id = $3) OR name = $4 ORDER BY source, external_id LIMIT $5",
        text.parse::<Uuid>().ok(),
        source,
        external_id,
        text,
        limit
    )
    .fetch_all(pool)
    .await?)
}

/// The profile of a channel; absent when there is no such channel.
pub async fn profile_of(pool: &PgPool, id: Uuid) -> Result<Option<ChannelProfile>, StoreError> {
    let row = sqlx::query!("SELECT profile FROM channels WHERE id = $1", id).fetch_optional(pool).await?;
    row.map(|row| profile(id, row.profile.as_deref())).transpose()
}

/// Sets the profile of a channel; the empty one is kept as none. False when there is no such channel.
pub async fn set_profile(pool: &PgPool, id: Uuid, profile: &ChannelProfile) -> Result<bool, StoreError> {
    let text = (*profile != ChannelProfile::default()).then(|| to_json(profile)).transpose()?;
    let done = sqlx::query!("UPDATE channels SET profile = $2 WHERE id = $1", id, text).execute(pool).await?;
    Ok(done.rows_affected() == 1)
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
            revisions: row.total,
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
