//! Times in which a channel was certainly not observed: kept until the server has been told.
//!
//! Entry points: [`keep`], [`Outbox::untold_gaps`], [`Outbox::gaps_told`]. Invariant: a gap that grows is told again.

use shared::post::{ChannelRef, Source};
use shared::wire::{Gap, MAX_GAPS, Missed};
use sqlx::{Row as _, Sqlite, Transaction};

use super::{Outbox, OutboxError, doing, micros, time_of};

/// Keeps a gap. One with the same beginning is the same one; its end is the later of the two.
pub(crate) async fn keep(transaction: &mut Transaction<'static, Sqlite>, gap: &Gap) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO gaps (source, channel, channel_name, missed, from_at, to_at) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET to_at = excluded.to_at, told = 0 WHERE excluded.to_at > gaps.to_at",
    )
    .bind(gap.channel.source.as_str())
    .bind(&gap.channel.external_id)
    .bind(&gap.channel.name)
    .bind(gap.missed.as_str())
    .bind(micros(gap.from))
    .bind(micros(gap.to))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Outbox {
    /// The oldest gaps that the server has not been told, as many as fit into one request.
    pub(crate) async fn untold_gaps(&self) -> Result<Vec<Gap>, OutboxError> {
        let reading = "reading gaps";
        let rows = sqlx::query(
            "SELECT channel, channel_name, missed, from_at, to_at FROM gaps WHERE told = 0 AND source = ? \
             ORDER BY from_at, channel LIMIT ?",
        )
        .bind(Source::Discord.as_str())
        .bind(i64::try_from(MAX_GAPS).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(doing(reading))?;
        rows.iter()
            .map(|row| {
                let text = |column| row.try_get::<String, _>(column).map_err(doing(reading));
                let time = |column: &'static str| {
                    let at: i64 = row.try_get(column).map_err(doing(reading))?;
                    time_of(at).ok_or_else(|| corrupt(column, at.to_string()))
                };
                let missed = text("missed")?;
                let (external_id, name) = (text("channel")?, text("channel_name")?);
                Ok(Gap {
                    channel: ChannelRef { source: Source::Discord, external_id, name },
                    missed: Missed::named(&missed).ok_or_else(|| corrupt("missed", missed))?,
                    from: time("from_at")?,
                    to: time("to_at")?,
                })
            })
            .collect()
    }

    /// The server has answered for these gaps, as they were when they were sent.
    pub(crate) async fn gaps_told(&self, gaps: &[Gap]) -> Result<(), OutboxError> {
        let mut transaction = self.begin().await?;
        for gap in gaps {
            sqlx::query(
                "UPDATE gaps SET told = 1 WHERE source = ? AND channel = ? AND missed = ? AND from_at = ? AND to_at = ?",
            )
            .bind(gap.channel.source.as_str())
            .bind(&gap.channel.external_id)
            .bind(gap.missed.as_str())
            .bind(micros(gap.from))
            .bind(micros(gap.to))
            .execute(&mut *transaction)
            .await
            .map_err(doing("keeping that gaps were told"))?;
        }
        transaction.commit().await.map_err(doing("keeping that gaps were told"))
    }
}

fn corrupt(column: &'static str, value: String) -> OutboxError {
    OutboxError::Corrupt {
        table: "gaps",
        column,
        id: value.clone(),
        problem: format!("unknown value `{value}`"),
    }
}
