//! What `status` shows of the outbox. Reads only, and needs no lock: it works while another process sends.
//!
//! Entry point: [`Report::read`].

use std::path::Path;

use serde::Serialize;
use sqlx::{Row as _, SqlitePool};
use time::OffsetDateTime;

use super::{OutboxError, Sent, doing, is_in_use, open_to_read, time_of};

/// The most refused posts that are listed one by one; the count is always exact. A person reads no more.
const MAX_LISTED: usize = 100;

/// The state of the outbox.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The server that it belongs to.
    pub server: String,
    /// How many sightings wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_waiting_since: Option<OffsetDateTime>,
    /// Whether a process is at work that sends them.
    pub in_use: bool,
    /// Why they were not sent at the last attempt, if it failed.
    pub trouble: Option<String>,
    /// Since when.
    #[serde(with = "time::serde::rfc3339::option")]
    pub trouble_since: Option<OffsetDateTime>,
    /// How many wait, for each channel.
    pub waiting_by_channel: Vec<ChannelWaiting>,
    /// How many were refused, here or by the server, and not put back.
    pub refused: u64,
    /// The latest of the refused ones, at most 100.
    pub latest_refused: Vec<Refusal>,
    /// What the server has answered so far.
    pub sent: Sent,
}

/// How many sightings of one channel wait.
#[derive(Debug, Serialize)]
pub struct ChannelWaiting {
    /// The channel's id at its source.
    pub channel: String,
    /// Its name.
    pub name: String,
    /// How many.
    pub waiting: u64,
}

/// One refused post.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// The channel's id at its source.
    pub channel: String,
    /// The post's id at its source, if it could be decoded.
    pub external_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether `send --retry-refused` would send it again: not if it could not be decoded.
    pub can_be_retried: bool,
    /// When.
    #[serde(with = "time::serde::rfc3339::option")]
    pub refused_at: Option<OffsetDateTime>,
}

const READING: &str = "reading the outbox";

impl Report {
    /// The state of the outbox in `folder`; `None` if there is none yet.
    pub async fn read(folder: &Path) -> Result<Option<Self>, OutboxError> {
        let Some(pool) = open_to_read(folder).await? else { return Ok(None) };
        let owner = sqlx::query("SELECT server, stored, revisions, duplicates, rejected FROM owner")
            .fetch_one(&pool)
            .await
            .map_err(doing(READING))?;
        let (waiting, oldest): (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(staged_at) FROM outbox")
                .fetch_one(&pool)
                .await
                .map_err(doing(READING))?;
        let refused: i64 = sqlx::query_scalar("SELECT count(*) FROM refused")
            .fetch_one(&pool)
            .await
            .map_err(doing(READING))?;
        let (trouble, since) = trouble(&pool).await?;
        let number = |column| {
            owner.try_get::<i64, _>(column).map(|value: i64| value.unsigned_abs()).map_err(doing(READING))
        };
        Ok(Some(Self {
            server: owner.try_get("server").map_err(doing(READING))?,
            waiting: waiting.unsigned_abs(),
            oldest_waiting_since: oldest.and_then(time_of),
            in_use: is_in_use(folder)?,
            trouble,
            trouble_since: since.and_then(time_of),
            waiting_by_channel: waiting_by_channel(&pool).await?,
            refused: refused.unsigned_abs(),
            latest_refused: latest_refused(&pool).await?,
            sent: Sent {
                stored: number("stored")?,
                revisions: number("revisions")?,
                duplicates: number("duplicates")?,
                rejected: number("rejected")?,
            },
        }))
    }
}

/// Why the last attempt to send failed, if it did, and since when.
async fn trouble(pool: &SqlitePool) -> Result<(Option<String>, Option<i64>), OutboxError> {
    // An outbox of an earlier version has no such column until it is written to.
    let columns: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('owner') WHERE name = 'trouble_at'")
            .fetch_one(pool)
            .await
            .map_err(doing(READING))?;
    if columns == 0 {
        return Ok((None, None));
    }
    sqlx::query_as("SELECT trouble, trouble_at FROM owner").fetch_one(pool).await.map_err(doing(READING))
}

async fn waiting_by_channel(pool: &SqlitePool) -> Result<Vec<ChannelWaiting>, OutboxError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT channel, max(channel_name), count(*) FROM outbox GROUP BY source, channel ORDER BY 3 DESC, 1",
    )
    .fetch_all(pool)
    .await
    .map_err(doing(READING))?;
    let channel = |(channel, name, waiting): (String, String, i64)| ChannelWaiting {
        channel,
        name,
        waiting: waiting.unsigned_abs(),
    };
    Ok(rows.into_iter().map(channel).collect())
}

async fn latest_refused(pool: &SqlitePool) -> Result<Vec<Refusal>, OutboxError> {
    let rows: Vec<(String, Option<String>, String, bool, i64)> = sqlx::query_as(
        "SELECT channel, external_id, reason, body IS NOT NULL, refused_at FROM refused \
         ORDER BY id DESC LIMIT ?",
    )
    .bind(i64::try_from(MAX_LISTED).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(doing(READING))?;
    let refusal = |(channel, external_id, reason, can_be_retried, at)| Refusal {
        channel,
        external_id,
        reason,
        can_be_retried,
        refused_at: time_of(at),
    };
    Ok(rows.into_iter().map(refusal).collect())
}
