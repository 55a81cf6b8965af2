//! What was made by requests with an `Idempotency-Key`.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;

/// What was made by a request.
#[derive(Debug)]
pub struct Made {
    /// The MAC of the request.
    pub request_mac: Vec<u8>,
    /// What its secret was made from.
    pub seed: Vec<u8>,
    /// The id of what was made.
    pub made_id: Uuid,
    /// When.
    pub made_at: OffsetDateTime,
}

/// Reserves this key of this caller until the transaction is over. False when another request has it now.
pub async fn reserve(
    connection: &mut PgConnection,
    (caller, key): (Uuid, &[u8; 32]),
) -> Result<bool, StoreError> {
    // 64 bits of a MAC: two keys in use at the same moment do not meet by chance.
    let [a, b, c, d, e, f, g, h, ..] = *key;
    let number = i64::from_be_bytes([a, b, c, d, e, f, g, h]) ^ i64::from_be_bytes(first_bytes(caller));
    Ok(sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "free!""#, number)
        .fetch_one(connection)
        .await?)
}

fn first_bytes(caller: Uuid) -> [u8; 8] {
    caller.as_u64_pair().1.to_be_bytes()
}

/// What this caller has made with this key.
pub async fn find(
    connection: &mut PgConnection,
    (caller, key): (Uuid, &[u8; 32]),
) -> Result<Option<Made>, StoreError> {
    let made = sqlx::query_as!(
        Made,
        "SELECT request_mac, seed, made_id, made_at FROM made_once WHERE caller = $1 AND key_mac = $2",
        caller,
        key.as_slice()
    );
    Ok(made.fetch_optional(connection).await?)
}

/// How many keys of this caller were used since then.
pub async fn count(
    connection: &mut PgConnection,
    caller: Uuid,
    since: OffsetDateTime,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM made_once WHERE caller = $1 AND made_at > $2"#,
        caller,
        since
    );
    Ok(count.fetch_one(connection).await?)
}

/// Keeps what was made. What was made with this key long ago is forgotten.
pub async fn keep(
    connection: &mut PgConnection,
    (caller, key): (Uuid, &[u8; 32]),
    made: &Made,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO made_once (caller, key_mac, request_mac, seed, made_id, made_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (caller, key_mac) DO UPDATE SET request_mac = EXCLUDED.request_mac, seed = EXCLUDED.seed,
            made_id = EXCLUDED.made_id, made_at = EXCLUDED.made_at",
        caller,
        key.as_slice(),
        made.request_mac,
        made.seed,
        made.made_id,
        made.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what was made long ago by the database's clock, at most so many rows. Returns how many there were.
pub async fn prune(pool: &PgPool, most: i32) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT prune_made_once($1) AS "pruned!""#, most).fetch_one(pool).await?)
}
