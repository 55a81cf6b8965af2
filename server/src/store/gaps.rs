//! Times in which a contributor did not observe a channel.

use std::collections::HashMap;

use shared::wire::{Gap, GapRecord, GapSummary, Missed};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;

/// Keeps a gap. One with the same beginning is the same one; its end is the later of the two.
pub async fn keep(
    connection: &mut PgConnection,
    (channel_id, account_id): (Uuid, Uuid),
    gap: &Gap,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO gaps (channel_id, key_id, missed, from_at, to_at, received_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (channel_id, from_at, key_id, missed)
        DO UPDATE SET to_at = GREATEST(gaps.to_at, EXCLUDED.to_at)",
        channel_id,
        account_id,
        gap.missed.as_str(),
        gap.from,
        gap.to,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many gaps these channels have, and the latest of each.
pub async fn summaries(pool: &PgPool, channels: &[Uuid]) -> Result<HashMap<Uuid, GapSummary>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (channel_id) channel_id, from_at, to_at, missed,
            count(*) OVER (PARTITION BY channel_id) AS "count!"
        FROM gaps WHERE channel_id = ANY($1) ORDER BY channel_id, to_at DESC, from_at DESC"#,
        channels
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let missed = Missed::named(&row.missed).ok_or_else(|| StoreError::Corrupt {
                table: "gaps",
                column: "missed",
                id: row.channel_id.to_string(),
                problem: format!("unknown value `{}`", row.missed),
            })?;
            let latest = GapRecord { missed, from: row.from_at, to: row.to_at };
            Ok((row.channel_id, GapSummary { count: row.count, latest: Some(latest) }))
        })
        .collect()
}
