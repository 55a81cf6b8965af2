//! Keeps what contributors say they did not observe. Nothing is published: a gap changes no post.

use shared::wire::{Gap, GapStatus};
use sqlx::{Connection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{StoreError, gaps};

/// Keeps the gaps of one contributor, in one transaction. One of an unknown channel is not kept: there is nothing that
/// could be missing from it.
pub async fn keep_gaps(
    pool: &PgPool,
    account_id: Uuid,
    told: &[Gap],
    now: OffsetDateTime,
) -> Result<Vec<GapStatus>, StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let mut results = Vec::with_capacity(told.len());
    for gap in told {
        let Some(channel) = gaps::channel(&mut transaction, &gap.channel).await? else {
            let reason = format!("there is no channel {}", gap.channel.external_id);
            results.push(GapStatus::Rejected { reason });
            continue;
        };
        gaps::keep(&mut transaction, (channel, account_id), gap, now).await?;
        results.push(GapStatus::Kept);
    }
    transaction.commit().await?;
    Ok(results)
}
