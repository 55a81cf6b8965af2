//! Accounts and the invites that they begin with.

use shared::wire::{AccountStatus, Role};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, parsed};

/// An account, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// Its name; none until the invite was used.
    pub name: Option<String>,
    /// What it is there for.
    pub role: Role,
    /// Where it stands.
    pub status: AccountStatus,
    /// What the admin who invited it wrote down.
    pub note: Option<String>,
    /// Since when it exists.
    pub created_at: OffsetDateTime,
}

/// The form of an account in the database.
struct Row {
    id: Uuid,
    name: Option<String>,
    role: String,
    status: String,
    note: Option<String>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            role: parsed(&row.role, ("accounts", "role"), row.id)?,
            status: parsed(&row.status, ("accounts", "status"), row.id)?,
            id: row.id,
            name: row.name,
            note: row.note,
            created_at: row.created_at,
        })
    }
}

/// The account that has this name, in large or small letters.
pub async fn by_name(connection: &mut PgConnection, name: &str) -> Result<Option<Account>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, role, status, note, created_at FROM accounts WHERE lower(name) = lower($1)",
        name
    );
    row.fetch_optional(connection).await?.map(Account::try_from).transpose()
}

/// Keeps a new active account without a password: its programs act for it. False when the name is taken.
pub async fn insert(
    connection: &mut PgConnection,
    (id, name): (Uuid, &str),
    role: Role,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO accounts (id, name, role, status, created_at) VALUES ($1, $2, $3, 'active', $4)
        ON CONFLICT DO NOTHING",
        id,
        name,
        role.as_str(),
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// An invite that is to be kept.
#[derive(Debug)]
pub struct NewInvite<'a> {
    /// The id of the account that it leads to.
    pub account_id: Uuid,
    /// The role of that account.
    pub role: Role,
    /// What the inviting admin wants to remember.
    pub note: Option<&'a str>,
    /// Who invites; nobody when the host does.
    pub invited_by: Option<Uuid>,
    /// The SHA-256 of the invite.
    pub hash: [u8; 32],
    /// Until when it can be used.
    pub expires_at: OffsetDateTime,
}

/// Keeps an invite together with the account that it leads to.
pub async fn invite(pool: &PgPool, invite: &NewInvite<'_>, now: OffsetDateTime) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH invited AS (
            INSERT INTO accounts (id, role, status, note, created_at) VALUES ($1, $2, 'invited', $3, $4) RETURNING id
        )
        INSERT INTO invites (token_hash, account_id, invited_by, created_at, expires_at)
        SELECT $5, id, $6, $4, $7 FROM invited",
        invite.account_id,
        invite.role.as_str(),
        invite.note,
        now,
        invite.hash.as_slice(),
        invite.invited_by,
        invite.expires_at
    )
    .execute(pool)
    .await?;
    Ok(())
}
