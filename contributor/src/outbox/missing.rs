//! Posts that an earlier export had and a later one lacks.
//!
//! Entry point: [`Outbox::missing`]. Invariants: a post that any equally young or younger export had is not missing, nor
//! is one that was refused in every form: the server has nothing to mark as deleted.

use shared::post::{Author, ChannelRef};
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Outbox, OutboxError, doing, micros, time_of};

/// What an export covers of its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The channel.
    pub channel: ChannelRef,
    /// The time of its first post.
    pub first: OffsetDateTime,
    /// The time of its last post.
    pub last: OffsetDateTime,
    /// When the export was made.
    pub exported_at: OffsetDateTime,
}

/// A post that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its id at its source.
    pub external_id: String,
    /// When it was posted.
    pub posted_at: OffsetDateTime,
    /// Who wrote it.
    pub author: Author,
}

/// When Discord's ids begin to count, in microseconds since 1970: the start of 2015.
const SNOWFLAKE_EPOCH_MICROS: i64 = 1_420_070_400_000_000;

/// A crosspost is known under its original's channel and id; those that earlier versions imported have the time of the copy.
/// Its id tells when the original was posted; an export has it only if that lies in its span.
const MISSING: &str = "SELECT external_id, min(posted_at) AS posted_at, min(author) AS author FROM known \
     WHERE source = ?1 AND channel = ?2 AND posted_at BETWEEN ?3 AND ?4 \
     AND (CAST(external_id AS INTEGER) >> 22) * 1000 + ?5 BETWEEN ?3 AND ?4 \
     GROUP BY external_id HAVING max(revision) < ?6 AND max(last_seen) < ?7 \
     AND count(*) > (SELECT count(DISTINCT body) FROM refused \
         WHERE source = ?1 AND channel = ?2 AND refused.external_id = known.external_id) \
     ORDER BY 2, 1 LIMIT ?8";

impl Outbox {
    /// At most `limit` posts of the span that older exports had and this one lacks, without those that have a tombstone.
    /// Ask again after staging their tombstones: they are not missing any more.
    pub async fn missing(&self, span: &Span, limit: usize) -> Result<Vec<Missing>, OutboxError> {
        let looking = "looking for posts that the export lacks";
        let rows = sqlx::query(MISSING)
            .bind(span.channel.source.as_str())
            .bind(&span.channel.external_id)
            .bind(micros(span.first))
            .bind(micros(span.last))
            .bind(SNOWFLAKE_EPOCH_MICROS)
            .bind(shared::post::Revision::Deleted.number())
            .bind(micros(span.exported_at))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(doing(looking))?;
        rows.iter()
            .map(|row| {
                let external_id: String = row.try_get("external_id").map_err(doing(looking))?;
                let corrupt = |column, problem: String| OutboxError::Corrupt {
                    table: "known",
                    column,
                    id: external_id.clone(),
                    problem,
                };
                let posted_at = time_of(row.try_get("posted_at").map_err(doing(looking))?)
                    .ok_or_else(|| corrupt("posted_at", "is no time".into()))?;
                let author: String = row.try_get("author").map_err(doing(looking))?;
                let author =
                    serde_json::from_str(&author).map_err(|error| corrupt("author", error.to_string()))?;
                Ok(Missing { external_id, posted_at, author })
            })
            .collect()
    }
}
