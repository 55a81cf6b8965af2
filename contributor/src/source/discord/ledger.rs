//! What is kept of listening, in the outbox's file: the gateway's position, places, copies. All SQL of this source.
//!
//! Entry points: [`load`], [`Progress`]. Invariant: whatever moves is written in the transaction that stages what it covers.

use shared::wire::Gap;
use sqlx::{Row as _, Sqlite, Transaction};
use time::OffsetDateTime;

use super::gateway::Position;
use super::snowflake::Snowflake;
use crate::outbox::{self, Changes, Outbox, OutboxError};

const READING: &str = "reading how far Discord was heard";

/// Where the last run stopped.
#[derive(Debug, Clone)]
pub(super) struct Stopped {
    /// Whose session it was.
    pub(super) bot: Snowflake,
    pub(super) position: Position,
    /// When the session was last known to be alive.
    pub(super) heard_at: OffsetDateTime,
}

/// A place as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptPlace {
    pub(super) id: Snowflake,
    pub(super) parent: Option<Snowflake>,
    pub(super) name: String,
    pub(super) since: Snowflake,
    pub(super) read_to: Snowflake,
    /// Why nothing can be heard, and since when.
    pub(super) trouble: Option<(String, OffsetDateTime)>,
    pub(super) heard_at: Option<OffsetDateTime>,
    /// For a channel: of its threads, everything that was archived before has been looked through.
    pub(super) threads_to: Option<OffsetDateTime>,
    /// How long after it was posted the latest message was here, in milliseconds by this machine's clock.
    pub(super) lag_ms: Option<i64>,
}

/// What is to be written together with what was heard.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The gateway's position, whose it is, and when it was heard.
    pub(super) position: Option<(Snowflake, Position, OffsetDateTime)>,
    /// When the session was last known to be alive, if nothing else is known.
    pub(super) alive: Option<OffsetDateTime>,
    pub(super) places: Vec<KeptPlace>,
    /// Places in which something was heard, when, and how long after it was posted.
    pub(super) heard: Vec<(Snowflake, OffsetDateTime, Option<i64>)>,
    /// Up to which message a place's history has been read.
    pub(super) read_to: Option<(Snowflake, Snowflake)>,
    /// Up to when a channel's archived threads have been looked through.
    pub(super) threads_to: Option<(Snowflake, OffsetDateTime)>,
    pub(super) copies: Vec<Snowflake>,
    pub(super) gaps: Vec<Gap>,
}

type Tx = Transaction<'static, Sqlite>;

impl Changes for Progress {
    async fn write(self, transaction: &mut Tx) -> sqlx::Result<()> {
        for place in &self.places {
            keep_place(transaction, place).await?;
        }
        for (id, at, lag_ms) in &self.heard {
            sqlx::query("UPDATE discord_places SET heard_at = ?, lag_ms = coalesce(?, lag_ms) WHERE id = ?")
                .bind(outbox::micros(*at))
                .bind(*lag_ms)
                .bind(id.to_row())
                .execute(&mut **transaction)
                .await?;
        }
        if let Some((place, id)) = self.read_to {
            sqlx::query("UPDATE discord_places SET read_to = max(read_to, ?) WHERE id = ?")
                .bind(id.to_row())
                .bind(place.to_row())
                .execute(&mut **transaction)
                .await?;
        }
        if let Some((place, at)) = self.threads_to {
            sqlx::query("UPDATE discord_places SET threads_to = ? WHERE id = ?")
                .bind(outbox::micros(at))
                .bind(place.to_row())
                .execute(&mut **transaction)
                .await?;
        }
        for copy in &self.copies {
            sqlx::query("INSERT INTO discord_copies (id) VALUES (?) ON CONFLICT DO NOTHING")
                .bind(copy.to_row())
                .execute(&mut **transaction)
                .await?;
        }
        for gap in &self.gaps {
            outbox::keep_gap(transaction, gap).await?;
        }
        if let Some(alive) = self.alive {
            sqlx::query("UPDATE discord_session SET heard_at = max(heard_at, ?)")
                .bind(outbox::micros(alive))
                .execute(&mut **transaction)
                .await?;
        }
        match self.position {
            Some(position) => keep_position(transaction, &position).await,
            None => Ok(()),
        }
    }
}

async fn keep_place(transaction: &mut Tx, place: &KeptPlace) -> sqlx::Result<()> {
    let (trouble, trouble_at) =
        place.trouble.as_ref().map(|(words, at)| (words, outbox::micros(*at))).unzip();
    sqlx::query(
        "INSERT INTO discord_places (id, parent, name, since, read_to, trouble, trouble_at) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET parent = excluded.parent, name = excluded.name, trouble = excluded.trouble, \
         trouble_at = excluded.trouble_at",
    )
    .bind(place.id.to_row())
    .bind(place.parent.map(Snowflake::to_row))
    .bind(&place.name)
    .bind(place.since.to_row())
    .bind(place.read_to.to_row())
    .bind(trouble)
    .bind(trouble_at)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn keep_position(
    transaction: &mut Tx,
    (bot, position, at): &(Snowflake, Position, OffsetDateTime),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO discord_session (one, bot, session, seq, resume_url, heard_at) VALUES (1, ?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET bot = excluded.bot, session = excluded.session, seq = excluded.seq, \
         resume_url = excluded.resume_url, heard_at = excluded.heard_at",
    )
    .bind(bot.to_row())
    .bind(&position.session)
    .bind(i64::try_from(position.seq).unwrap_or(i64::MAX))
    .bind(&position.resume_url)
    .bind(outbox::micros(*at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Where the last run stopped, and the places that it knew.
pub(super) async fn load(outbox: &Outbox) -> Result<(Option<Stopped>, Vec<KeptPlace>), OutboxError> {
    let row = sqlx::query("SELECT bot, session, seq, resume_url, heard_at FROM discord_session")
        .fetch_optional(outbox.pool())
        .await
        .map_err(outbox::doing(READING))?;
    let stopped = row.map(|row| {
        let seq: i64 = row.try_get("seq")?;
        let position = Position {
            session: row.try_get("session")?,
            seq: seq.unsigned_abs(),
            resume_url: row.try_get("resume_url")?,
        };
        let heard_at = time(row.try_get("heard_at")?);
        Ok(Stopped { bot: Snowflake::of_row(row.try_get("bot")?), position, heard_at })
    });
    let stopped = stopped.transpose().map_err(outbox::doing(READING))?;
    Ok((stopped, places(outbox.pool()).await?))
}

/// The places that are kept.
pub(super) async fn places(pool: &sqlx::SqlitePool) -> Result<Vec<KeptPlace>, OutboxError> {
    let rows = sqlx::query(
        "SELECT id, parent, name, since, read_to, heard_at, trouble, trouble_at, threads_to, lag_ms \
         FROM discord_places ORDER BY id",
    )
    .fetch_all(pool)
    .await
    .map_err(outbox::doing(READING))?;
    let place = |row: &sqlx::sqlite::SqliteRow| {
        let trouble: Option<String> = row.try_get("trouble")?;
        let trouble_at = row.try_get::<Option<i64>, _>("trouble_at")?.map(time);
        Ok(KeptPlace {
            id: Snowflake::of_row(row.try_get("id")?),
            parent: row.try_get::<Option<i64>, _>("parent")?.map(Snowflake::of_row),
            name: row.try_get("name")?,
            since: Snowflake::of_row(row.try_get("since")?),
            read_to: Snowflake::of_row(row.try_get("read_to")?),
            heard_at: row.try_get::<Option<i64>, _>("heard_at")?.map(time),
            trouble: trouble.zip(trouble_at),
            threads_to: row.try_get::<Option<i64>, _>("threads_to")?.map(time),
            lag_ms: row.try_get("lag_ms")?,
        })
    };
    rows.iter().map(place).collect::<sqlx::Result<_>>().map_err(outbox::doing(READING))
}

/// A time of a table; one that is none was never written.
fn time(micros: i64) -> OffsetDateTime {
    outbox::time_of(micros).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Whether this is the id of a copy.
pub(super) async fn is_copy(outbox: &Outbox, id: Snowflake) -> Result<bool, OutboxError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM discord_copies WHERE id = ?)")
        .bind(id.to_row())
        .fetch_one(outbox.pool())
        .await
        .map_err(outbox::doing("looking for a copy"))
}

/// The latest known posts of a channel with ids in this range (both included) that have no tombstone, at most `limit` of them.
pub(super) async fn standing(
    outbox: &Outbox,
    channel: &str,
    (from, to): (Snowflake, Snowflake),
    limit: i64,
) -> Result<Vec<Snowflake>, OutboxError> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT CAST(external_id AS INTEGER) FROM known WHERE source = 'discord' AND channel = ? \
         AND CAST(external_id AS INTEGER) BETWEEN ? AND ? GROUP BY external_id HAVING max(revision) < ? \
         ORDER BY 1 DESC LIMIT ?",
    )
    .bind(channel)
    .bind(from.to_row())
    .bind(to.to_row())
    .bind(shared::post::Revision::Deleted.number())
    .bind(limit)
    .fetch_all(outbox.pool())
    .await
    .map_err(outbox::doing("looking for posts that are gone"))?;
    Ok(ids.into_iter().map(Snowflake::of_row).collect())
}
