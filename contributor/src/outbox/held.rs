//! Channels of which the server takes no posts now, because it does not know them or this contributor is not enrolled: their
//! posts stay in the outbox.
//!
//! Entry points: [`hold`], [`Outbox::release`], [`Outbox::held`]. Invariant: of a held channel nothing is sent, so that its posts
//! arrive in order once it is not held any more.

use std::sync::atomic::Ordering;

use serde::Serialize;
use shared::post::{ChannelRef, Source};
use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};
use time::OffsetDateTime;

use super::{Outbox, OutboxError, doing, micros};

/// A channel of which the server takes no posts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The channel.
    pub channel: ChannelRef,
    /// How many of its posts wait.
    pub waiting: u64,
    /// What the server says, and what to do.
    pub reason: String,
}

impl Outbox {
    /// Lets the server be asked again about all channels.
    pub async fn release(&self) -> Result<(), OutboxError> {
        if !self.is_holding.load(Ordering::SeqCst) {
            return Ok(());
        }
        let releasing = "releasing held channels";
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM held").execute(&mut *transaction).await.map_err(doing(releasing))?;
        self.measure(&mut transaction).await?;
        transaction.commit().await.map_err(doing(releasing))
    }

    /// The channels that are held, those of most posts first.
    pub async fn held(&self) -> Result<Vec<Held>, OutboxError> {
        held(&self.pool).await
    }

    /// What has just been added waits, unless it is held.
    pub(super) async fn raise(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        added: u64,
    ) -> Result<(), OutboxError> {
        if self.is_holding.load(Ordering::SeqCst) {
            return self.measure(transaction).await;
        }
        self.level.send_modify(|level| level.waiting += added);
        Ok(())
    }

    /// Counts anew what can be sent. Inside a transaction, so that nobody adds anything meanwhile.
    pub(super) async fn measure(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
    ) -> Result<(), OutboxError> {
        let counting = "counting what can be sent";
        let (waiting, held): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM outbox o WHERE NOT EXISTS \
                (SELECT 1 FROM held h WHERE h.source = o.source AND h.channel = o.channel)), \
             (SELECT count(*) FROM held)",
        )
        .fetch_one(&mut **transaction)
        .await
        .map_err(doing(counting))?;
        self.is_holding.store(held > 0, Ordering::SeqCst);
        self.level.send_modify(|level| level.waiting = waiting.unsigned_abs());
        Ok(())
    }
}

/// Holds the channel of this row, for this reason.
pub(super) async fn hold(
    transaction: &mut Transaction<'static, Sqlite>,
    (row, reason): (i64, &str),
    now: OffsetDateTime,
) -> Result<(), OutboxError> {
    sqlx::query(
        "INSERT INTO held (source, channel, channel_name, reason, since) \
         SELECT source, channel, channel_name, ?, ? FROM outbox WHERE id = ? ON CONFLICT DO NOTHING",
    )
    .bind(reason)
    .bind(micros(now))
    .bind(row)
    .execute(&mut **transaction)
    .await
    .map_err(doing("holding a channel"))?;
    Ok(())
}

/// The channels that are held, those of most posts first.
pub(super) async fn held(pool: &SqlitePool) -> Result<Vec<Held>, OutboxError> {
    let reading = "reading the held channels";
    // An outbox of an earlier version has no such table until it is written to.
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'held'")
        .fetch_one(pool)
        .await
        .map_err(doing(reading))?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "SELECT h.channel, h.channel_name, h.reason, count(o.id) AS waiting FROM held h \
         LEFT JOIN outbox o ON o.source = h.source AND o.channel = h.channel \
         GROUP BY h.source, h.channel ORDER BY waiting DESC, h.channel",
    )
    .fetch_all(pool)
    .await
    .map_err(doing(reading))?;
    let held = |row: &sqlx::sqlite::SqliteRow| -> sqlx::Result<Held> {
        let channel = ChannelRef {
            source: Source::Discord,
            external_id: row.try_get("channel")?,
            name: row.try_get("channel_name")?,
        };
        let waiting = row.try_get::<i64, _>("waiting")?.unsigned_abs();
        Ok(Held { channel, waiting, reason: row.try_get("reason")? })
    };
    rows.iter().map(held).collect::<sqlx::Result<_>>().map_err(doing(reading))
}
