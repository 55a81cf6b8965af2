//! API keys: only their hashes are here.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;
use crate::auth::{Caller, Role};

/// Keeps a new key's hash.
pub async fn insert(
    pool: &PgPool,
    (id, name): (Uuid, &str),
    (role, hash): (Role, &[u8; 32]),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO api_keys (id, name, role, key_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        id,
        name,
        role.as_str(),
        hash.as_slice(),
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The key of this hash.
pub async fn by_hash(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Caller>, StoreError> {
    let row = sqlx::query!("SELECT id, role FROM api_keys WHERE key_hash = $1", hash.as_slice()).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let role = Role::from_name(&row.role).ok_or_else(|| StoreError::Corrupt {
        table: "api_keys",
        column: "role",
        id: row.id.to_string(),
        problem: format!("unknown role {}", row.role),
    })?;
    Ok(Some(Caller { key_id: row.id, role }))
}
