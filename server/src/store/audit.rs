//! The audit log: added to, read, never changed.

use serde_json::Value;
use shared::wire::{Act, AuditRecord};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, from_json, parsed};

/// A line to be added.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// Its id.
    pub id: Uuid,
    /// When it was done.
    pub at: OffsetDateTime,
    /// Who did it.
    pub actor: Option<Uuid>,
    /// What was done.
    pub act: Act,
    /// To what.
    pub subject: Option<Uuid>,
    /// What stood there before, as JSON.
    pub before: Option<String>,
    /// What stands there now, as JSON.
    pub after: Option<String>,
    /// The request's id.
    pub request_id: Option<&'a str>,
    /// Where it came from.
    pub address: Option<String>,
}

/// Adds a line.
pub async fn insert(connection: &mut PgConnection, row: &NewRow<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit (id, at, actor, act, subject, before, after, request_id, address)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row.id,
        row.at,
        row.actor,
        row.act.as_str(),
        row.subject,
        row.before,
        row.after,
        row.request_id,
        row.address
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Which lines are wanted. Without a wish: all.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Only by this account.
    pub who: Option<Uuid>,
    /// Only this act.
    pub what: Option<Act>,
    /// Only upon this.
    pub subject: Option<Uuid>,
    /// Only done at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Only those before this one.
    pub before: Option<Uuid>,
}

/// Lines, newest first: their ids sort by time.
pub async fn page(pool: &PgPool, wanted: &Wanted, limit: i64) -> Result<Vec<AuditRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, at, actor, act, subject, before, after, request_id, address FROM audit
        WHERE ($1::uuid IS NULL OR actor = $1) AND ($2::text IS NULL OR act = $2) AND ($3::uuid IS NULL OR subject = $3)
            AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::uuid IS NULL OR id < $5)
        ORDER BY id DESC LIMIT $6",
        wanted.who,
        wanted.what.map(Act::as_str),
        wanted.subject,
        wanted.since,
        wanted.before,
        limit
    );
    rows.fetch_all(pool).await?.into_iter().map(AuditRecord::try_from).collect()
}

struct Row {
    id: Uuid,
    at: OffsetDateTime,
    actor: Option<Uuid>,
    act: String,
    subject: Option<Uuid>,
    before: Option<String>,
    after: Option<String>,
    request_id: Option<String>,
    address: Option<String>,
}

impl TryFrom<Row> for AuditRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let json = |text: Option<String>, column| -> Result<Option<Value>, StoreError> {
            text.map(|text| from_json(&text, ("audit", column), row.id)).transpose()
        };
        Ok(Self {
            before: json(row.before, "before")?,
            after: json(row.after, "after")?,
            what: parsed(&row.act, ("audit", "act"), row.id)?,
            id: row.id,
            at: row.at,
            who: row.actor,
            subject: row.subject,
            request_id: row.request_id,
            address: row.address,
        })
    }
}
