//! Posts that came while their channel was not published: they wait here, in the order in which they came.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;
use super::posts::MessageKey;

/// Keeps messages for later, in this order. The transaction has their channels in hand.
pub async fn keep(connection: &mut PgConnection, messages: &[&MessageKey]) -> Result<(), StoreError> {
    let channels: Vec<Uuid> = messages.iter().map(|key| key.channel_id).collect();
    let externals: Vec<String> = messages.iter().map(|key| key.external_id.clone()).collect();
    sqlx::query!(
        "INSERT INTO unpublished (channel_id, external_id)
        SELECT w.channel_id, w.external_id
        FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS w (channel_id, external_id, place) ORDER BY w.place",
        &channels,
        &externals
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The approved channels for which messages wait.
pub async fn channels(pool: &PgPool) -> Result<Vec<Uuid>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT c.id FROM channels c LEFT JOIN channels p ON p.id = c.parent_id
        WHERE c.status = 'approved' AND (p.id IS NULL OR p.status = 'approved')
            AND EXISTS (SELECT FROM unpublished u WHERE u.channel_id = c.id AND u.published_at IS NULL)
        ORDER BY c.id"
    );
    Ok(found.fetch_all(pool).await?)
}

/// The messages of a channel that have waited longest, at most `limit`, each once; and the place of the last one.
pub async fn first(
    connection: &mut PgConnection,
    channel: Uuid,
    limit: i64,
) -> Result<(Vec<MessageKey>, Option<i64>), StoreError> {
    let rows = sqlx::query!(
        "SELECT place, external_id FROM unpublished WHERE channel_id = $1 AND published_at IS NULL
        ORDER BY place LIMIT $2",
        channel,
        limit
    )
    .fetch_all(connection)
    .await?;
    let last = rows.last().map(|row| row.place);
    let mut messages: Vec<MessageKey> = Vec::with_capacity(rows.len());
    for row in rows {
        let key = MessageKey { channel_id: channel, external_id: row.external_id };
        if !messages.contains(&key) {
            messages.push(key);
        }
    }
    Ok((messages, last))
}

/// The messages of a channel wait no more, up to this place.
pub async fn settle(
    connection: &mut PgConnection,
    (channel, last): (Uuid, i64),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE unpublished SET published_at = $3 WHERE channel_id = $1 AND place <= $2 AND published_at IS NULL",
        channel,
        last,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
