//! The log: append-only, gapless, in commit order.
//!
//! Entry points: [`append`], [`after`], [`head`]. Invariant: [`append`] is the last statement of a transaction. It takes
//! its numbers from the head row and holds that row until the commit, so whoever reads a `seq` has seen all before it.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;

/// A line to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The kind, as in the payload.
    pub kind: &'static str,
    /// The channel that it concerns.
    pub channel_id: Uuid,
    /// The ticker that it concerns, if it is known.
    pub base: Option<String>,
    /// The event as JSON.
    pub payload: String,
}

/// A line as stored.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its place, from 1.
    pub seq: i64,
    /// When it was written.
    pub at: OffsetDateTime,
    /// The channel that it concerns.
    pub channel_id: Uuid,
    /// The ticker that it concerns, if it is known.
    pub base: Option<String>,
    /// The event as JSON.
    pub payload: String,
}

/// Which lines a reader wants. Without a filter: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only lines about this channel.
    pub channel_id: Option<Uuid>,
    /// Only lines about this ticker.
    pub base: Option<String>,
}

impl Filter {
    /// True when the filter lets everything pass.
    pub fn is_open(&self) -> bool {
        self.channel_id.is_none() && self.base.is_none()
    }
}

/// Appends lines, as the last statement of the transaction on `connection`. Returns the new head.
pub async fn append(
    connection: &mut PgConnection,
    now: OffsetDateTime,
    events: &[NewEvent],
) -> Result<Option<i64>, StoreError> {
    let Ok(count @ 1..) = i64::try_from(events.len()) else { return Ok(None) };
    let kinds: Vec<String> = events.iter().map(|event| event.kind.to_owned()).collect();
    let channels: Vec<Uuid> = events.iter().map(|event| event.channel_id).collect();
    let bases: Vec<Option<String>> = events.iter().map(|event| event.base.clone()).collect();
    let payloads: Vec<String> = events.iter().map(|event| event.payload.clone()).collect();
    let head = sqlx::query_scalar!(
        r#"WITH head AS (UPDATE log_head SET seq = seq + $1 RETURNING seq),
        lines AS (
            INSERT INTO events (seq, at, kind, channel_id, base, payload)
            SELECT head.seq - $1 + line.place, $2, line.kind, line.channel_id, line.base, line.payload
            FROM head, unnest($3::text[], $4::uuid[], $5::text[], $6::text[])
                WITH ORDINALITY AS line (kind, channel_id, base, payload, place)
        )
        SELECT seq FROM head"#,
        count,
        now,
        &kinds,
        &channels,
        &bases as _,
        &payloads
    )
    .fetch_one(connection)
    .await?;
    Ok(Some(head))
}

/// The last line's number; 0 for an empty log.
pub async fn head(pool: &PgPool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!("SELECT seq FROM log_head").fetch_one(pool).await?)
}

/// The lines after `seq`, at most `limit`, oldest first.
pub async fn after(
    pool: &PgPool,
    seq: i64,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = sqlx::query_as!(
        StoredEvent,
        "SELECT seq, at, channel_id, base, payload FROM events
        WHERE seq > $1 AND ($2::uuid IS NULL OR channel_id = $2) AND ($3::text IS NULL OR base = $3)
        ORDER BY seq LIMIT $4",
        seq,
        filter.channel_id,
        filter.base,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
