//! API keys and what each may be used for: only the keys' hashes are here.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;

/// What an API key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Reads signals and the feed.
    Member,
    /// Reads, and relays posts.
    Contributor,
    /// Reads; will curate.
    Admin,
}

impl Role {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Contributor => "contributor",
            Role::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Role::Member, Role::Contributor, Role::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// Whoever called, known by an API key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key's id.
    pub key_id: Uuid,
    /// The key's role.
    pub role: Role,
}

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
    let row = sqlx::query!("SELECT id, role FROM api_keys WHERE key_hash = $1", hash.as_slice())
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let role = Role::from_name(&row.role).ok_or_else(|| StoreError::Corrupt {
        table: "api_keys",
        column: "role",
        id: row.id.to_string(),
        problem: format!("unknown role {}", row.role),
    })?;
    Ok(Some(Caller { key_id: row.id, role }))
}
