//! Channels, their profiles, and how their posts were read.

use std::collections::HashMap;

use shared::post::{ChannelRef, Source};
use shared::reading::ChannelProfile;
use shared::wire::{ChannelRecord, ChannelStatus, GapSummary, PostCounts};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, from_json, gaps, parsed};

/// What a transaction that has a channel in hand knows of it.
#[derive(Debug, Clone)]
pub struct Locked {
    /// The channel's id.
    pub id: Uuid,
    /// Its name, as everybody is told it.
    pub name: String,
    /// Whether its posts are taken and published, by its own status and that of the channel that it is a part of.
    pub status: ChannelStatus,
    /// How its posts are read: a part without a profile of its own is read like the whole.
    pub profile: ChannelProfile,
    /// Whether posts wait to be published that came while it was not: later ones come after them.
    pub is_behind: bool,
    /// Whether the account in question may post for it, or for the channel that it is a part of.
    pub is_enrolled: bool,
}

impl Locked {
    /// Whether what it says is told at once.
    pub fn is_published(&self) -> bool {
        self.status == ChannelStatus::Approved && !self.is_behind
    }
}

/// Keeps these channels for this transaction, until it ends, with those that they are parts of; tells how they stand, and
/// whether this account may post for them. Sorted, so that two batches cannot wait for each other.
pub async fn lock(
    connection: &mut PgConnection,
    ids: &[Uuid],
    account: Option<Uuid>,
) -> Result<HashMap<Uuid, Locked>, StoreError> {
    let rows = sqlx::query_as!(
        LockedRow,
        "SELECT id, name, status, profile, parent_id FROM channels
        WHERE id = ANY($1) OR id IN (SELECT parent_id FROM channels WHERE id = ANY($1))
        ORDER BY id FOR NO KEY UPDATE",
        ids
    )
    .fetch_all(&mut *connection)
    .await?;
    // A statement of its own: whoever had the channels before may have changed what it looks at.
    let standings = sqlx::query!(
        r#"SELECT w.id AS "id!",
            EXISTS (SELECT FROM unpublished u WHERE u.channel_id = w.id AND u.published_at IS NULL) AS "is_behind!",
            EXISTS (SELECT FROM enrolments e WHERE e.channel_id = w.id AND e.account_id = $2 AND e.ended_at IS NULL)
                AS "is_enrolled!"
        FROM unnest($1::uuid[]) AS w (id)"#,
        &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        account
    )
    .fetch_all(connection)
    .await?;
    let mut alone = HashMap::new();
    for (row, standing) in rows.iter().zip(standings) {
        let known = Locked {
            id: row.id,
            name: row.name.clone(),
            status: status(row.id, &row.status)?,
            profile: profile(row.id, row.profile.as_deref())?,
            is_behind: standing.is_behind,
            is_enrolled: standing.is_enrolled,
        };
        alone.insert(row.id, known);
    }
    let whole = |row: &LockedRow| {
        let mut part = alone.get(&row.id)?.clone();
        if let Some(parent) = row.parent_id.and_then(|parent| alone.get(&parent)) {
            part.name = part_name(&parent.name, &part.name);
            part.status = part.status.within(parent.status);
            part.is_enrolled |= parent.is_enrolled;
            if row.profile.is_none() {
                part.profile = parent.profile.clone();
            }
        }
        Some((row.id, part))
    };
    Ok(rows.iter().filter_map(whole).collect())
}

struct LockedRow {
    id: Uuid,
    name: String,
    status: String,
    profile: Option<String>,
    parent_id: Option<Uuid>,
}

/// The name of a part as everybody is told it: nobody can make a thread that passes for another channel.
fn part_name(parent: &str, own: &str) -> String {
    format!("{parent} / {own}")
}

/// The channel with this id at this source, and the one that it is a part of.
pub async fn find(
    connection: &mut PgConnection,
    source: Source,
    external_id: &str,
) -> Result<Option<(Uuid, Option<Uuid>)>, StoreError> {
    let row = sqlx::query!(
        "SELECT id, parent_id FROM channels WHERE source = $1 AND external_id = $2",
        source.as_str(),
        external_id
    );
    Ok(row.fetch_optional(connection).await?.map(|row| (row.id, row.parent_id)))
}

/// A channel that is to be kept.
#[derive(Debug)]
pub struct NewChannel<'a> {
    /// Its id.
    pub id: Uuid,
    /// The kind of source.
    pub source: Source,
    /// Its id there.
    pub external_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// How it begins.
    pub status: ChannelStatus,
    /// What it is a part of.
    pub parent_id: Option<Uuid>,
}

/// Keeps a new channel. False when it is there already.
pub async fn insert(
    connection: &mut PgConnection,
    channel: &NewChannel<'_>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO channels (id, source, external_id, name, status, parent_id, created_at, approved_at)
        VALUES ($1, $2, $3, $4, $5::text, $6, $7::timestamptz, CASE WHEN $5 = 'approved' THEN $7::timestamptz END) ON CONFLICT DO NOTHING",
        channel.id,
        channel.source.as_str(),
        channel.external_id,
        channel.name,
        channel.status.as_str(),
        channel.parent_id,
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// How many parts a channel has.
pub async fn count_parts(connection: &mut PgConnection, id: Uuid) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM channels WHERE parent_id = $1"#, id);
    Ok(count.fetch_one(connection).await?)
}

/// The profiles of those of these channels that are known, as they stand now.
pub async fn profiles(
    pool: &PgPool,
    channels: &[&ChannelRef],
) -> Result<HashMap<ChannelRef, ChannelProfile>, StoreError> {
    let sources: Vec<String> = channels.iter().map(|channel| channel.source.as_str().to_owned()).collect();
    let externals: Vec<String> = channels.iter().map(|channel| channel.external_id.clone()).collect();
    let rows = sqlx::query!(
        r#"SELECT w.place AS "place!", c.id, coalesce(c.profile, p.profile) AS profile
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (source, external_id, place)
        JOIN channels c USING (source, external_id) LEFT JOIN channels p ON p.id = c.parent_id"#,
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
pub(super) fn profile(id: Uuid, text: Option<&str>) -> Result<ChannelProfile, StoreError> {
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

/// Who looks at channels.
#[derive(Debug, Clone, Copy)]
pub enum Viewer {
    /// An admin, who sees all of them.
    Admin,
    /// An account, which sees those that were ever approved, and those that it may post for.
    Account(Uuid),
}

impl Viewer {
    /// The account, if it does not see everything.
    fn account(self) -> Option<Uuid> {
        match self {
            Self::Admin => None,
            Self::Account(id) => Some(id),
        }
    }
}

/// Which channels are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Only those that this one sees.
    pub viewer: Viewer,
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only those of this status of their own.
    pub status: Option<ChannelStatus>,
    /// Only those after this one, by name, then id.
    pub after: Option<(&'a str, Uuid)>,
}

/// Channels by name, then id, at most `limit`.
pub async fn page(pool: &PgPool, wanted: &Wanted<'_>, limit: i64) -> Result<Vec<ChannelRecord>, StoreError> {
    let (name, id) = wanted.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"WITH seen AS (
            SELECT c.*, coalesce(p.name || ' / ', '') || c.name AS full_name, p.status AS parent_status
            FROM channels c LEFT JOIN channels p ON p.id = c.parent_id
            WHERE ($4::uuid IS NULL OR c.id = $4) AND ($5::text IS NULL OR c.status = $5)
                AND ($6::uuid IS NULL
                    OR (c.approved_at IS NOT NULL OR c.status IN ('approved', 'paused'))
                        AND (p.id IS NULL OR p.approved_at IS NOT NULL OR p.status IN ('approved', 'paused'))
                    OR EXISTS (SELECT FROM enrolments e
                        WHERE e.channel_id IN (c.id, p.id) AND e.account_id = $6 AND e.ended_at IS NULL))
        )
        SELECT c.id, c.source, c.external_id, c.full_name AS "name!", c.status, c.parent_status AS "parent_status?",
            count(p.id) AS "revisions!",
            count(r.post_id) AS "total!",
            count(*) FILTER (WHERE r.kind = 'signals') AS "signals!",
            count(*) FILTER (WHERE r.kind = 'update') AS "updates!",
            count(*) FILTER (WHERE r.kind = 'noise') AS "noise!",
            count(*) FILTER (WHERE r.kind = 'abstained') AS "abstained!"
        FROM seen c
        LEFT JOIN posts p ON p.channel_id = c.id
        LEFT JOIN readings r ON r.post_id = p.id AND r.superseded_at IS NULL
        WHERE $1::text IS NULL OR (c.full_name, c.id) > ($1, $2::uuid)
        GROUP BY c.id, c.source, c.external_id, c.full_name, c.status, c.parent_status
        ORDER BY c.full_name, c.id LIMIT $3"#,
        name,
        id,
        limit,
        wanted.id,
        wanted.status.map(ChannelStatus::as_str),
        wanted.viewer.account()
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

/// Whether there is such a channel, for this viewer.
pub async fn exists(pool: &PgPool, id: Uuid, viewer: Viewer) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM channels c LEFT JOIN channels p ON p.id = c.parent_id
            WHERE c.id = $1 AND ($2::uuid IS NULL
                OR (c.approved_at IS NOT NULL OR c.status IN ('approved', 'paused'))
                    AND (p.id IS NULL OR p.approved_at IS NOT NULL OR p.status IN ('approved', 'paused'))
                OR EXISTS (SELECT FROM enrolments e
                    WHERE e.channel_id IN (c.id, p.id) AND e.account_id = $2 AND e.ended_at IS NULL))
        ) AS "exists!""#,
        id,
        viewer.account()
    )
    .fetch_one(pool)
    .await?)
}

struct Row {
    id: Uuid,
    source: String,
    external_id: String,
    name: String,
    status: String,
    parent_status: Option<String>,
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
            status: match &row.parent_status {
                Some(parent) => status(row.id, &row.status)?.within(status(row.id, parent)?),
                None => status(row.id, &row.status)?,
            },
            external_id: row.external_id,
            name: row.name,
            posts,
            gaps: GapSummary::default(),
        })
    }
}

pub(super) fn status(id: Uuid, name: &str) -> Result<ChannelStatus, StoreError> {
    parsed(name, ("channels", "status"), id)
}

fn source(id: Uuid, name: &str) -> Result<Source, StoreError> {
    if name == Source::Discord.as_str() { Ok(Source::Discord) } else { Err(corrupt("source", id, name)) }
}

fn corrupt(column: &'static str, id: Uuid, value: &str) -> StoreError {
    let problem = format!("unknown value `{value}`");
    StoreError::Corrupt { table: "channels", column, id: id.to_string(), problem }
}
