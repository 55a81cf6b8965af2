//! The outbox as its sender sees it: rows that wait, oldest first, and what becomes of them.
//!
//! Entry points: [`Outbox::load`], [`Outbox::settle`], [`Outbox::refuse`], [`Outbox::retry_refused`],
//! [`Outbox::put_in_order`], [`Outbox::note_trouble`].
//! Invariant: a row is deleted in the same transaction that counts the server's answer or keeps the refusal.

use std::sync::atomic::Ordering;

use futures_util::TryStreamExt as _;
use shared::wire::{PostResult, PostStatus};
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};
use time::OffsetDateTime;

use super::{Outbox, OutboxError, doing, micros, time_of};

/// One sighting that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the outbox; grows with time.
    pub id: i64,
    /// The post's id at its source.
    pub external_id: String,
    /// The sighting as JSON.
    pub body: String,
}

/// Which rows a look at the outbox is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Only rows behind this one.
    pub after: i64,
    /// Only rows in front of the first one that came to be later; they must be in that order.
    pub until: Option<OffsetDateTime>,
}

/// What the server answered, counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Sent {
    /// Posts that were new to the server.
    pub stored: u64,
    /// New revisions of posts that the server knew.
    pub revisions: u64,
    /// Revisions that the server knew.
    pub duplicates: u64,
    /// Posts that the server refused.
    pub rejected: u64,
}

impl Sent {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.stored + self.revisions + self.duplicates + self.rejected
    }

    /// What has been added to an earlier count.
    pub fn since(&self, earlier: Sent) -> Sent {
        Sent {
            stored: self.stored.saturating_sub(earlier.stored),
            revisions: self.revisions.saturating_sub(earlier.revisions),
            duplicates: self.duplicates.saturating_sub(earlier.duplicates),
            rejected: self.rejected.saturating_sub(earlier.rejected),
        }
    }

    /// Adds another count to this one.
    pub fn add(&mut self, other: Sent) {
        self.stored += other.stored;
        self.revisions += other.revisions;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
    }
}

impl Outbox {
    /// The oldest rows ahead: at most `count`, and no more than are needed to reach `bytes`.
    pub async fn load(&self, ahead: Ahead, count: usize, bytes: usize) -> Result<Vec<Waiting>, OutboxError> {
        let reading = "reading the outbox";
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        // The time is no condition of the statement: it would look at every later row, to the end of the outbox.
        let until = ahead.until.map_or(i64::MAX, micros);
        let mut rows = sqlx::query(
            "SELECT id, external_id, occurred_at, body FROM outbox WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(ahead.after)
        .bind(limit)
        .fetch(&self.pool);
        let (mut loaded, mut size) = (Vec::new(), 0);
        while size < bytes
            && let Some(row) = rows.try_next().await.map_err(doing(reading))?
        {
            if row.try_get::<i64, _>("occurred_at").map_err(doing(reading))? > until {
                break;
            }
            let waiting = Waiting {
                id: row.try_get("id").map_err(doing(reading))?,
                external_id: row.try_get("external_id").map_err(doing(reading))?,
                body: row.try_get("body").map_err(doing(reading))?,
            };
            size += waiting.body.len();
            loaded.push(waiting);
        }
        Ok(loaded)
    }

    /// Forgets the rows that the server answered for: one result for each row, in order.
    pub async fn settle(
        &self,
        rows: &[Waiting],
        results: &[PostResult],
        now: OffsetDateTime,
    ) -> Result<Sent, OutboxError> {
        let mut sent = Sent::default();
        let mut transaction = self.begin().await?;
        for (row, result) in rows.iter().zip(results) {
            match &result.status {
                PostStatus::Stored { .. } => sent.stored += 1,
                PostStatus::Revision { .. } => sent.revisions += 1,
                PostStatus::Duplicate { .. } => sent.duplicates += 1,
                PostStatus::Rejected { reason } => {
                    sent.rejected += 1;
                    keep_refused(&mut transaction, row.id, reason, now).await?;
                }
            }
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        forget(&mut transaction, &ids).await?;
        count(&mut transaction, sent).await?;
        transaction.commit().await.map_err(doing("forgetting sent posts"))?;
        self.lower(sent);
        Ok(sent)
    }

    /// Moves one row to the refused ones, with the reason.
    pub async fn refuse(&self, row: i64, reason: &str, now: OffsetDateTime) -> Result<Sent, OutboxError> {
        let sent = Sent { rejected: 1, ..Sent::default() };
        let mut transaction = self.begin().await?;
        keep_refused(&mut transaction, row, reason, now).await?;
        forget(&mut transaction, &[row]).await?;
        count(&mut transaction, sent).await?;
        transaction.commit().await.map_err(doing("keeping a refused post"))?;
        self.lower(sent);
        Ok(sent)
    }

    /// Puts what was refused back into the outbox, except what could not be decoded. Returns how many.
    pub async fn retry_refused(&self, now: OffsetDateTime) -> Result<u64, OutboxError> {
        let retrying = "putting refused posts back";
        let mut transaction = self.begin().await?;
        let moved = sqlx::query(
            "INSERT INTO outbox (source, channel, channel_name, external_id, staged_at, occurred_at, body) \
             SELECT source, channel, channel_name, external_id, ?, occurred_at, body FROM refused \
             WHERE body IS NOT NULL ORDER BY id",
        )
        .bind(micros(now))
        .execute(&mut *transaction)
        .await
        .map_err(doing(retrying))?
        .rows_affected();
        sqlx::query("DELETE FROM refused WHERE body IS NOT NULL")
            .execute(&mut *transaction)
            .await
            .map_err(doing(retrying))?;
        // Before the commit, as in `stage`.
        self.level.send_modify(|level| level.waiting += moved);
        transaction.commit().await.map_err(doing(retrying))?;
        Ok(moved)
    }

    /// Puts the waiting rows in the order in which their revisions came to be, whatever file they were read from.
    pub async fn put_in_order(&self) -> Result<(), OutboxError> {
        let ordering = "putting the outbox in order";
        let mut transaction = self.begin().await?;
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM outbox")
            .fetch_one(&mut *transaction)
            .await
            .map_err(doing(ordering))?;
        let again = "INSERT INTO outbox (source, channel, channel_name, external_id, staged_at, occurred_at, body) \
                     SELECT source, channel, channel_name, external_id, staged_at, occurred_at, body FROM outbox \
                     WHERE id <= ? ORDER BY occurred_at, id";
        for statement in [again, "DELETE FROM outbox WHERE id <= ?"] {
            sqlx::query(statement).bind(last).execute(&mut *transaction).await.map_err(doing(ordering))?;
        }
        transaction.commit().await.map_err(doing(ordering))
    }

    /// Keeps why nothing can be sent now, or that it can: `status` shows it. A trouble that lasts keeps its beginning.
    pub async fn note_trouble(&self, trouble: Option<&str>, now: OffsetDateTime) -> Result<(), OutboxError> {
        let had_trouble = self.has_trouble.swap(trouble.is_some(), Ordering::Relaxed);
        if !had_trouble && trouble.is_none() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE owner SET trouble = ?1, trouble_at = CASE WHEN ?1 IS NULL THEN NULL ELSE coalesce(trouble_at, ?2) END",
        )
        .bind(trouble)
        .bind(micros(now))
        .execute(&self.pool)
        .await
        .map_err(doing("keeping whether posts can be sent"))?;
        Ok(())
    }

    /// When the first of the waiting rows came to be.
    pub async fn first_occurrence(&self) -> Result<Option<OffsetDateTime>, OutboxError> {
        let first: Option<i64> = sqlx::query_scalar("SELECT occurred_at FROM outbox ORDER BY id LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("reading the outbox"))?;
        Ok(first.and_then(time_of))
    }
}

async fn keep_refused(
    transaction: &mut Transaction<'static, Sqlite>,
    row: i64,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), OutboxError> {
    sqlx::query(
        "INSERT INTO refused (source, channel, channel_name, external_id, refused_at, occurred_at, reason, body) \
         SELECT source, channel, channel_name, external_id, ?, occurred_at, ?, body FROM outbox WHERE id = ?",
    )
    .bind(micros(now))
    .bind(reason)
    .bind(row)
    .execute(&mut **transaction)
    .await
    .map_err(doing("keeping a refused post"))?;
    Ok(())
}

async fn forget(transaction: &mut Transaction<'static, Sqlite>, rows: &[i64]) -> Result<(), OutboxError> {
    let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM outbox WHERE id IN (");
    let mut ids = query.separated(", ");
    for row in rows {
        ids.push_bind(*row);
    }
    query.push(")");
    let deleted = query
        .build()
        .execute(&mut **transaction)
        .await
        .map_err(doing("forgetting sent posts"))?
        .rows_affected();
    if deleted == rows.len() as u64 {
        return Ok(());
    }
    Err(OutboxError::Corrupt {
        table: "outbox",
        column: "id",
        id: format!("{rows:?}"),
        problem: format!("only {deleted} of these rows were still there after they had been sent"),
    })
}

async fn count(transaction: &mut Transaction<'static, Sqlite>, sent: Sent) -> Result<(), OutboxError> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(
        "UPDATE owner SET stored = stored + ?, revisions = revisions + ?, duplicates = duplicates + ?, \
         rejected = rejected + ?",
    )
    .bind(number(sent.stored))
    .bind(number(sent.revisions))
    .bind(number(sent.duplicates))
    .bind(number(sent.rejected))
    .execute(&mut **transaction)
    .await
    .map_err(doing("counting sent posts"))?;
    Ok(())
}
