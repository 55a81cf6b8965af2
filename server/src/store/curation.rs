//! What admins decide: the curated side of channels, who may post for them, and what waits to be published.

use shared::reading::ChannelProfile;
use shared::wire::{ChannelStatus, Enrolment};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, channels, parsed, to_json};

/// What admins have decided about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curated {
    /// Its name.
    pub name: String,
    /// Its own status.
    pub status: ChannelStatus,
    /// How its posts are read.
    pub profile: ChannelProfile,
    /// How often it was changed, from 1.
    pub version: i32,
    /// Whether members know it.
    pub is_known: bool,
    /// What it is a part of.
    pub parent_id: Option<Uuid>,
}

/// What was decided about a channel, which nobody else changes and for which nobody posts until the transaction is over.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<Curated>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT name, status, profile, version, parent_id, approved_at IS NOT NULL AS "is_known!"
        FROM channels WHERE id = $1 FOR NO KEY UPDATE"#,
        id
    );
    row.fetch_optional(connection).await?.map(|row| row.curated(id)).transpose()
}

/// What was decided about a channel, and how many posts wait to be published.
pub async fn by_id(pool: &PgPool, id: Uuid) -> Result<Option<(Curated, i64)>, StoreError> {
    let mut connection = pool.acquire().await?;
    let row = sqlx::query_as!(
        Row,
        r#"SELECT name, status, profile, version, parent_id, approved_at IS NOT NULL AS "is_known!"
        FROM channels WHERE id = $1"#,
        id
    );
    let Some(row) = row.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let waiting = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM unpublished WHERE channel_id = $1 AND published_at IS NULL"#,
        id
    );
    Ok(Some((row.curated(id)?, waiting.fetch_one(&mut *connection).await?)))
}

struct Row {
    name: String,
    status: String,
    profile: Option<String>,
    version: i32,
    parent_id: Option<Uuid>,
    is_known: bool,
}

impl Row {
    fn curated(self, id: Uuid) -> Result<Curated, StoreError> {
        Ok(Curated {
            status: channels::status(id, &self.status)?,
            profile: channels::profile(id, self.profile.as_deref())?,
            name: self.name,
            version: self.version,
            is_known: self.is_known,
            parent_id: self.parent_id,
        })
    }
}

/// Writes what was decided about a channel that is locked.
pub async fn set(
    connection: &mut PgConnection,
    id: Uuid,
    after: &Curated,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let profile =
        (after.profile != ChannelProfile::default()).then(|| to_json(&after.profile)).transpose()?;
    let done = sqlx::query!(
        "UPDATE channels SET name = $2, status = $3, profile = $4, version = $5,
            approved_at = coalesce(approved_at, CASE WHEN $3 = 'approved' THEN $6::timestamptz END)
        WHERE id = $1",
        id,
        after.name,
        after.status.as_str(),
        profile,
        after.version,
        now
    );
    match done.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Defect(format!("the channel {id} is locked and gone"))),
    }
}

/// Whether another channel that members know has this name, in large or small letters.
pub async fn has_namesake(connection: &mut PgConnection, id: Uuid, name: &str) -> Result<bool, StoreError> {
    // Two approvals at once would not see each other's name.
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('callboard channel names'))")
        .execute(&mut *connection)
        .await?;
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM channels WHERE id <> $1 AND lower(name) = lower($2) AND parent_id IS NULL
                AND (approved_at IS NOT NULL OR status IN ('approved', 'paused'))
        ) AS "exists!""#,
        id,
        name
    );
    Ok(found.fetch_one(connection).await?)
}

/// Lets an account post for a channel. False when it may already.
pub async fn enrol(
    connection: &mut PgConnection,
    (channel, account): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO enrolments AS e (channel_id, account_id, enrolled_at) VALUES ($1, $2, $3)
        ON CONFLICT (channel_id, account_id) DO UPDATE SET enrolled_at = $3, ended_at = NULL
        WHERE e.ended_at IS NOT NULL",
        channel,
        account,
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// Lets an account post for a channel no more. False when it could not.
pub async fn remove(
    connection: &mut PgConnection,
    (channel, account): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE enrolments SET ended_at = $3 WHERE channel_id = $1 AND account_id = $2 AND ended_at IS NULL",
        channel,
        account,
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// Whether an account may post for a channel by its own enrolment.
pub async fn is_enrolled(
    connection: &mut PgConnection,
    (channel, account): (Uuid, Uuid),
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM enrolments WHERE channel_id = $1 AND account_id = $2 AND ended_at IS NULL)
            AS "exists!""#,
        channel,
        account
    );
    Ok(found.fetch_one(connection).await?)
}

/// Who may post for a channel, the longest enrolled first.
pub async fn enrolments(pool: &PgPool, channel: Uuid) -> Result<Vec<Enrolment>, StoreError> {
    let rows = sqlx::query!(
        "SELECT e.account_id, e.enrolled_at, a.name, a.status FROM enrolments e JOIN accounts a ON a.id = e.account_id
        WHERE e.channel_id = $1 AND e.ended_at IS NULL ORDER BY e.enrolled_at, e.account_id",
        channel
    );
    let rows = rows.fetch_all(pool).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Enrolment {
                status: parsed(&row.status, ("accounts", "status"), row.account_id)?,
                account_id: row.account_id,
                name: row.name.unwrap_or_default(),
                enrolled_at: row.enrolled_at,
            })
        })
        .collect()
}

/// How many accounts may post for a channel.
pub async fn count_enrolments(connection: &mut PgConnection, channel: Uuid) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM enrolments WHERE channel_id = $1 AND ended_at IS NULL"#,
        channel
    );
    Ok(count.fetch_one(connection).await?)
}

/// How many channels that are only proposed an account is enrolled in.
pub async fn count_proposals(connection: &mut PgConnection, account: Uuid) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM enrolments e JOIN channels c ON c.id = e.channel_id
        WHERE e.account_id = $1 AND e.ended_at IS NULL AND c.status = 'proposed'"#,
        account
    );
    Ok(count.fetch_one(connection).await?)
}

/// Marks a signal as withdrawn for good. False when it was before.
pub async fn strike(
    connection: &mut PgConnection,
    signal: Uuid,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE signals SET status = 'withdrawn', struck_at = $2 WHERE id = $1 AND struck_at IS NULL",
        signal,
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// Those of these signals that an admin has withdrawn.
pub async fn struck(connection: &mut PgConnection, signals: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let found =
        sqlx::query_scalar!("SELECT id FROM signals WHERE id = ANY($1) AND struck_at IS NOT NULL", signals);
    Ok(found.fetch_all(connection).await?)
}
