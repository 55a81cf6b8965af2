//! API keys: only their hashes are here.

use std::collections::HashMap;

use shared::wire::{AccountStatus, ApiKeyRecord, Role, Scope};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StoreError, parsed};

/// A key that is to be kept.
#[derive(Debug)]
pub struct NewKeyRow<'a> {
    /// Its id.
    pub id: Uuid,
    /// The account that it acts for.
    pub account_id: Uuid,
    /// The role of that account: read by servers of the version before.
    pub role: Role,
    /// What it is called, for people.
    pub name: &'a str,
    /// What it is good for.
    pub scopes: &'a [Scope],
    /// The SHA-256 of the key.
    pub hash: [u8; 32],
    /// Until when it can be used; for ever if none.
    pub expires_at: Option<OffsetDateTime>,
}

/// A credential that was found, and the account that it acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The id of the key or the session.
    pub credential_id: Uuid,
    /// The account.
    pub account_id: Uuid,
    /// The account's name.
    pub name: String,
    /// The account's role.
    pub role: Role,
    /// Where the account stands.
    pub status: AccountStatus,
    /// What the credential is good for, within the role.
    pub scopes: Vec<Scope>,
    /// Until when it can be used; for ever if none.
    pub expires_at: Option<OffsetDateTime>,
    /// True once it was revoked, or its session has ended.
    pub is_revoked: bool,
}

/// Keeps a new key's hash.
pub async fn insert(
    connection: &mut PgConnection,
    key: &NewKeyRow<'_>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO api_keys (id, account_id, role, name, scopes, key_hash, expires_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        key.id,
        key.account_id,
        key.role.as_str(),
        key.name,
        &scopes,
        key.hash.as_slice(),
        key.expires_at,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The key of this hash, whatever has become of it.
pub async fn by_hash(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Standing>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT k.id, k.account_id, k.scopes, k.expires_at, k.revoked_at IS NOT NULL AS "is_revoked!", a.name, a.role, a.status
        FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.key_hash = $1"#,
        hash.as_slice()
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let scopes = row.scopes.iter().map(|scope| parsed(scope, ("api_keys", "scopes"), row.id));
    Ok(Some(Standing {
        credential_id: row.id,
        account_id: row.account_id,
        name: row.name.unwrap_or_default(),
        role: parsed(&row.role, ("accounts", "role"), row.account_id)?,
        status: parsed(&row.status, ("accounts", "status"), row.account_id)?,
        scopes: scopes.collect::<Result<_, _>>()?,
        expires_at: row.expires_at,
        is_revoked: row.is_revoked,
    }))
}

/// Notes when keys were last used. A time that is older than the one known changes nothing.
pub async fn note_uses(pool: &PgPool, uses: &HashMap<Uuid, OffsetDateTime>) -> Result<(), StoreError> {
    let (ids, times): (Vec<Uuid>, Vec<OffsetDateTime>) = uses.iter().map(|(id, at)| (*id, *at)).unzip();
    sqlx::query!(
        "UPDATE api_keys SET last_used_at = GREATEST(last_used_at, used.at)
        FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at) WHERE api_keys.id = used.id",
        &ids,
        &times
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The form of a key in the database, without its hash.
struct Row {
    id: Uuid,
    name: String,
    scopes: Vec<String>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let scopes = row.scopes.iter().map(|scope| parsed(scope, ("api_keys", "scopes"), row.id));
        Ok(Self {
            scopes: scopes.collect::<Result<_, _>>()?,
            id: row.id,
            name: row.name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// The keys of an account that were not revoked, oldest first.
pub async fn of_account(pool: &PgPool, account: Uuid) -> Result<Vec<ApiKeyRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM api_keys
        WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id",
        account
    );
    rows.fetch_all(pool).await?.into_iter().map(ApiKeyRecord::try_from).collect()
}

/// A key of an account, revoked or not.
pub async fn by_id(
    connection: &mut PgConnection,
    (account, id): (Uuid, Uuid),
) -> Result<Option<ApiKeyRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM api_keys WHERE account_id = $1 AND id = $2",
        account,
        id
    );
    row.fetch_optional(connection).await?.map(ApiKeyRecord::try_from).transpose()
}

/// How many keys an account has that were not revoked.
pub async fn count(connection: &mut PgConnection, account: Uuid) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL"#,
        account
    );
    Ok(count.fetch_one(connection).await?)
}

/// Revokes a key of an account. False when the account has no such key, or it was revoked before.
pub async fn revoke(
    connection: &mut PgConnection,
    (account, id): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE api_keys SET revoked_at = $3 WHERE id = $2 AND account_id = $1 AND revoked_at IS NULL",
        account,
        id,
        now
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}
