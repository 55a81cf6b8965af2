//! Keeps what contributors say they did not observe. Nothing is published: a gap changes no post.

use shared::post::ChannelRef;
use shared::wire::{Gap, GapStatus};
use sqlx::{Connection, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{StoreError, channels, curation, gaps};

/// Keeps the gaps of one contributor, in one transaction. One of a channel that is unknown, or in which the contributor is not
/// enrolled, is not kept: it would not have posted what could be missing.
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
        let Some(channel) = channel_of(&mut transaction, (&gap.channel, account_id)).await? else {
            let id = &gap.channel.external_id;
            let reason = format!("there is no channel {id} for which you may post");
            results.push(GapStatus::Rejected { reason });
            continue;
        };
        gaps::keep(&mut transaction, (channel, account_id), gap, now).await?;
        results.push(GapStatus::Kept);
    }
    transaction.commit().await?;
    Ok(results)
}

/// The channel of this reference, if the account may post for it.
async fn channel_of(
    connection: &mut PgConnection,
    (channel, account): (&ChannelRef, Uuid),
) -> Result<Option<Uuid>, StoreError> {
    let known = channels::find(connection, channel.source, &channel.external_id).await?;
    let Some((id, parent)) = known else { return Ok(None) };
    for channel in [id].into_iter().chain(parent) {
        if curation::is_enrolled(connection, (channel, account)).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
