//! Sign-ins of people: sessions and their refresh tokens, of which only hashes are here.

use launch::secret::Secret;
use shared::wire::AccountStatus;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::keys::Standing;
use super::{StoreError, parsed};

/// A session that is to be kept.
#[derive(Debug)]
pub struct NewSession {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// Until when it can be gone on with at the most.
    pub expires_at: OffsetDateTime,
    /// Where its owner signed in from.
    pub address: Option<String>,
    /// What its refresh tokens are made from.
    pub seed: [u8; 32],
    /// The SHA-256 of the first one.
    pub token_hash: [u8; 32],
}

/// Why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its owner signed out.
    SignedOut,
    /// A refresh token came a second time: somebody else may have it.
    TokenReused,
    /// Its account was stopped.
    Account,
    /// The password was changed in another session.
    Password,
}

impl Ended {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::TokenReused => "token_reused",
            Self::Account => "account",
            Self::Password => "password",
        }
    }
}

/// A refresh token that was presented, and its session, which nobody else changes until the transaction is over.
#[derive(Debug)]
pub struct Presented {
    /// The session.
    pub session_id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// Where that account stands.
    pub status: AccountStatus,
    /// How many tokens came before this one.
    pub number: i32,
    /// How many tokens of the session were used: the newest has this number.
    pub rotations: i32,
    /// When the newest was made.
    pub rotated_at: OffsetDateTime,
    /// Until when the session can be gone on with.
    pub expires_at: OffsetDateTime,
    /// True once the session has ended.
    pub has_ended: bool,
    /// What its refresh tokens are made from.
    pub seed: Vec<u8>,
}

/// Keeps a new session and its first refresh token, if the account's password is still the one that was shown. Whoever
/// changes it at the same moment comes before, or after and ends this session.
pub async fn insert(
    connection: &mut PgConnection,
    (session, password_hash): (&NewSession, &Secret),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH account AS (SELECT id FROM accounts WHERE id = $2 AND password_hash = $8 AND status = 'active' FOR SHARE),
        session AS (
            INSERT INTO sessions (id, account_id, created_at, expires_at, address, refresh_seed, rotations, rotated_at)
            SELECT $1, id, $3, $4, $5, $6, 0, $3 FROM account RETURNING id
        )
        INSERT INTO refresh_tokens (token_hash, session_id, number) SELECT $7, id, 0 FROM session",
        session.id,
        session.account_id,
        now,
        session.expires_at,
        session.address,
        session.seed.as_slice(),
        session.token_hash.as_slice(),
        password_hash.expose()
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

/// The session of this id, and how its account stands.
pub async fn by_id(pool: &PgPool, id: Uuid) -> Result<Option<Standing>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT s.account_id, s.expires_at, s.ended_at IS NOT NULL AS "has_ended!", a.name, a.role, a.status
        FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1"#,
        id
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let role: shared::wire::Role = parsed(&row.role, ("accounts", "role"), row.account_id)?;
    Ok(Some(Standing {
        credential_id: id,
        account_id: row.account_id,
        name: row.name.unwrap_or_default(),
        role,
        status: parsed(&row.status, ("accounts", "status"), row.account_id)?,
        scopes: role.scopes().to_vec(),
        expires_at: Some(row.expires_at),
        is_revoked: row.has_ended,
    }))
}

/// The refresh token of this hash. Locks its session until the transaction is over.
pub async fn present(
    connection: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<Presented>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT s.id, s.account_id, t.number, s.rotations, s.rotated_at, s.expires_at,
            s.ended_at IS NOT NULL AS "has_ended!", s.refresh_seed, a.status
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN accounts a ON a.id = s.account_id
        WHERE t.token_hash = $1 FOR UPDATE OF s"#,
        hash.as_slice()
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Presented {
        status: parsed(&row.status, ("accounts", "status"), row.account_id)?,
        session_id: row.id,
        account_id: row.account_id,
        number: row.number,
        rotations: row.rotations,
        rotated_at: row.rotated_at,
        expires_at: row.expires_at,
        has_ended: row.has_ended,
        seed: row.refresh_seed,
    }))
}

/// Keeps the refresh token that follows the newest one.
pub async fn rotate(
    connection: &mut PgConnection,
    (session, number): (Uuid, i32),
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH session AS (UPDATE sessions SET rotations = $2, rotated_at = $4 WHERE id = $1 RETURNING id)
        INSERT INTO refresh_tokens (token_hash, session_id, number) SELECT $3, id, $2 FROM session",
        session,
        number,
        hash.as_slice(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a session, unless it has ended. What its tokens were is of no use then.
pub async fn end(
    connection: &mut PgConnection,
    session: Uuid,
    why: Ended,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sessions SET ended_at = $3, ended_by = $2 WHERE id = $1 AND ended_at IS NULL",
        session,
        why.as_str(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends all sessions of an account that was stopped.
pub async fn end_all(
    connection: &mut PgConnection,
    account: Uuid,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sessions SET ended_at = $3, ended_by = $2 WHERE account_id = $1 AND ended_at IS NULL",
        account,
        Ended::Account.as_str(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the sessions of an account, but not this one, whose owner has changed the password.
pub async fn end_others(
    connection: &mut PgConnection,
    (account, session): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sessions SET ended_at = $4, ended_by = $3 WHERE account_id = $1 AND id <> $2 AND ended_at IS NULL",
        account,
        session,
        Ended::Password.as_str(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what is left of sessions that are long over by the database's clock, at most so many rows of each table. Returns
/// how many there were.
pub async fn prune(pool: &PgPool, most: i32) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT prune_sessions($1) AS "pruned!""#, most).fetch_one(pool).await?)
}

/// Whether somebody has signed in to the account of this name from this address since then.
pub async fn knows_address(
    pool: &PgPool,
    (name, address): (&str, &str),
    since: OffsetDateTime,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM sessions s JOIN accounts a ON a.id = s.account_id
            WHERE lower(a.name) = lower($1) AND s.address = $2 AND s.created_at >= $3
        ) AS "known!""#,
        name,
        address,
        since
    )
    .fetch_one(pool)
    .await?)
}
