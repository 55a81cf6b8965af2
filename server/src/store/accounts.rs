//! Accounts and the invites that they begin with.

use launch::secret::Secret;
use shared::wire::{AccountRecord, AccountStatus, Role};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, parsed};

/// The form of an account in the database, without its secrets.
struct Row {
    id: Uuid,
    name: Option<String>,
    role: String,
    status: String,
    note: Option<String>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for AccountRecord {
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
pub async fn by_name(connection: &mut PgConnection, name: &str) -> Result<Option<AccountRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, role, status, note, created_at FROM accounts WHERE lower(name) = lower($1)",
        name
    );
    row.fetch_optional(connection).await?.map(AccountRecord::try_from).transpose()
}

/// The account of this id.
pub async fn by_id(pool: &PgPool, id: Uuid) -> Result<Option<AccountRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, role, status, note, created_at FROM accounts WHERE id = $1",
        id
    );
    row.fetch_optional(pool).await?.map(AccountRecord::try_from).transpose()
}

/// The account of this id, which nobody else changes until the transaction is over.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<AccountRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, role, status, note, created_at FROM accounts WHERE id = $1 FOR UPDATE",
        id
    );
    row.fetch_optional(connection).await?.map(AccountRecord::try_from).transpose()
}

/// Which accounts are wanted.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Only of this role.
    pub role: Option<Role>,
    /// Only of this status.
    pub status: Option<AccountStatus>,
    /// Only those after this one.
    pub after: Option<Uuid>,
}

/// Accounts, oldest first: their ids sort by time.
pub async fn page(pool: &PgPool, wanted: &Wanted, limit: i64) -> Result<Vec<AccountRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, name, role, status, note, created_at FROM accounts
        WHERE ($1::text IS NULL OR role = $1) AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id LIMIT $4",
        wanted.role.map(Role::as_str),
        wanted.status.map(AccountStatus::as_str),
        wanted.after,
        limit
    );
    rows.fetch_all(pool).await?.into_iter().map(AccountRecord::try_from).collect()
}

/// Sets the role and the status of an account.
pub async fn set(
    connection: &mut PgConnection,
    id: Uuid,
    (role, status): (Role, AccountStatus),
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE accounts SET role = $2, status = $3 WHERE id = $1",
        id,
        role.as_str(),
        status.as_str()
    );
    match done.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Defect(format!("the account {id} is locked and gone"))),
    }
}

/// What signing in looks at.
#[derive(Debug)]
pub struct ForSignIn {
    /// The account.
    pub id: Uuid,
    /// Where it stands.
    pub status: AccountStatus,
    /// The hash of its password, if it has one.
    pub password_hash: Option<Secret>,
}

/// The account that has this name, in large or small letters, as signing in needs it.
pub async fn for_sign_in(pool: &PgPool, name: &str) -> Result<Option<ForSignIn>, StoreError> {
    let row =
        sqlx::query!("SELECT id, status, password_hash FROM accounts WHERE lower(name) = lower($1)", name)
            .fetch_optional(pool)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let status = parsed(&row.status, ("accounts", "status"), row.id)?;
    Ok(Some(ForSignIn { id: row.id, status, password_hash: row.password_hash.map(Secret::new) }))
}

/// The hash of an account's password, if it has one.
pub async fn password_hash(pool: &PgPool, id: Uuid) -> Result<Option<Secret>, StoreError> {
    let hash = sqlx::query_scalar!("SELECT password_hash FROM accounts WHERE id = $1", id);
    Ok(hash.fetch_optional(pool).await?.flatten().map(Secret::new))
}

/// Puts another hash in the place of this one. False when it is not there any more.
pub async fn set_password(
    connection: &mut PgConnection,
    id: Uuid,
    (before, after): (&Secret, &str),
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        id,
        before.expose(),
        after
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
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
pub struct NewInviteRow<'a> {
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
pub async fn invite(pool: &PgPool, invite: &NewInviteRow<'_>, now: OffsetDateTime) -> Result<(), StoreError> {
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

/// The account that an invite leads to, if it can be used now.
pub async fn invited(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Uuid>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT i.account_id FROM invites i JOIN accounts a ON a.id = i.account_id
        WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2 AND a.status = 'invited'",
        hash.as_slice(),
        now
    );
    Ok(found.fetch_optional(pool).await?)
}

/// What became of an attempt to use an invite.
#[derive(Debug)]
pub enum Claim {
    /// The account is there.
    Made(AccountRecord),
    /// Another account has the name.
    NameTaken,
    /// The invite is used, too old, taken back, or none.
    Useless,
}

/// Uses an invite: its account gets a name and a password, and is active. Of several attempts at once one succeeds.
pub async fn claim(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    (name, password_hash): (&str, &str),
    now: OffsetDateTime,
) -> Result<Claim, StoreError> {
    let claimed = sqlx::query_as!(
        Row,
        "WITH used AS (
            UPDATE invites SET used_at = $4 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $4
            RETURNING account_id
        )
        UPDATE accounts SET name = $2, password_hash = $3, status = 'active' FROM used
        WHERE accounts.id = used.account_id AND status = 'invited'
        RETURNING id, name, role, status, note, created_at",
        hash.as_slice(),
        name,
        password_hash,
        now
    )
    .fetch_optional(connection)
    .await;
    match claimed {
        Ok(Some(row)) => Ok(Claim::Made(row.try_into()?)),
        Ok(None) => Ok(Claim::Useless),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Claim::NameTaken),
        Err(error) => Err(error.into()),
    }
}
