//! Follow-ups, with the signal that each was bound to.

use shared::wire::UpdateRecord;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::posts::MessageKey;
use super::{StoreError, from_json, to_json};

/// The most follow-ups shown with one signal: a channel that says more about one call is flooding.
pub const MAX_SHOWN: i64 = 500;

/// Stores follow-ups.
pub async fn insert(connection: &mut PgConnection, updates: &[UpdateRecord]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = updates.iter().map(|update| update.id).collect();
    let signals: Vec<Option<Uuid>> = updates.iter().map(|update| update.signal_id).collect();
    let channels: Vec<Uuid> = updates.iter().map(|update| update.channel_id).collect();
    let externals: Vec<String> = updates.iter().map(|update| update.external_id.clone()).collect();
    let posts: Vec<Uuid> = updates.iter().map(|update| update.post_id).collect();
    let occurred: Vec<OffsetDateTime> = updates.iter().map(|update| update.occurred_at).collect();
    let texts: Vec<String> = updates.iter().map(to_json).collect::<Result<_, _>>()?;
    sqlx::query!(
        "INSERT INTO updates (id, signal_id, channel_id, external_id, post_id, occurred_at, record)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[])",
        &ids,
        &signals as _,
        &channels,
        &externals,
        &posts,
        &occurred,
        &texts
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The follow-ups in these messages, oldest first, without those that were withdrawn.
pub async fn of_messages(
    connection: &mut PgConnection,
    keys: &[MessageKey],
) -> Result<Vec<UpdateRecord>, StoreError> {
    let channels: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
    let externals: Vec<String> = keys.iter().map(|key| key.external_id.clone()).collect();
    let rows = sqlx::query!(
        "SELECT u.id, u.record FROM unnest($1::uuid[], $2::text[]) AS w (channel_id, external_id)
        JOIN updates u USING (channel_id, external_id) WHERE u.withdrawn_at IS NULL ORDER BY u.id",
        &channels,
        &externals
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| from_json(&row.record, ("updates", "record"), row.id)).collect()
}

/// The follow-ups of these signals, without those that were withdrawn.
pub async fn of_signals(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<UpdateRecord>, StoreError> {
    let rows = sqlx::query!(
        "SELECT id, record FROM updates WHERE signal_id = ANY($1) AND withdrawn_at IS NULL",
        ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| from_json(&row.record, ("updates", "record"), row.id)).collect()
}

/// Marks follow-ups that are none any more. Their rows and events stay.
pub async fn withdraw(
    connection: &mut PgConnection,
    ids: &[Uuid],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE updates SET withdrawn_at = $2 WHERE id = ANY($1) AND withdrawn_at IS NULL",
        ids,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The follow-ups of a signal, oldest first, without those that were withdrawn.
pub async fn of_signal(pool: &PgPool, signal_id: Uuid) -> Result<Vec<UpdateRecord>, StoreError> {
    let rows = sqlx::query!(
        "SELECT id, record FROM updates WHERE signal_id = $1 AND withdrawn_at IS NULL ORDER BY occurred_at, id LIMIT $2",
        signal_id,
        MAX_SHOWN
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| from_json(&row.record, ("updates", "record"), row.id)).collect()
}
