//! Requests that make something once, however often they are sent: those with an `Idempotency-Key`.
//!
//! Entry points: [`Once::new`], [`begin`], [`Begun::token`], [`Begun::made`]. Invariants: what is made and that it was made are committed
//! together, so that neither a crash nor a second server makes it twice; a request that failed made nothing and can be sent
//! again; the secret that was shown is kept nowhere: it is made again, out of the client's key, a seed and the session key.

use launch::secret::Secret;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::accounts::Refused;
use crate::auth::session_key::SessionKey;
use crate::auth::token::{Kind, NewToken};
use crate::store::once::{self, Made};

/// For how long a key counts: a program tries again within minutes, and a person on the next morning.
pub const REMEMBERED_FOR: Duration = Duration::hours(24);
/// The longest key: a UUID has 36 characters.
pub const MAX_KEY_CHARS: usize = 128;
/// How many keys of one caller count at once: far more than anybody makes things in a day.
const MOST_KEYS: i64 = 100;

/// A request that is to make something once.
#[derive(Debug)]
pub struct Once {
    caller: Uuid,
    key: Secret,
    key_mac: [u8; 32],
    request_mac: [u8; 32],
    secrets: SessionKey,
}

/// A request that makes something: for the first time, or again.
#[derive(Debug)]
pub struct Begun<'o> {
    once: Option<&'o Once>,
    seed: Vec<u8>,
    /// What it has made before.
    pub before: Option<Uuid>,
}

impl Once {
    /// The request of this caller with this key.
    pub fn new(secrets: &SessionKey, caller: Uuid, key: &str, request: &[u8]) -> Self {
        let caller_bytes = caller.into_bytes();
        Self {
            caller,
            key: Secret::new(key),
            key_mac: secrets.mac_of(&[b"key", &caller_bytes, key.as_bytes()]),
            request_mac: secrets.mac_of(&[b"request", &caller_bytes, request]),
            secrets: secrets.clone(),
        }
    }
}

/// Begins to make something, in the transaction in which it is made. Without a key, each request makes something new.
pub async fn begin<'o>(
    connection: &mut PgConnection,
    once: Option<&'o Once>,
    now: OffsetDateTime,
) -> Result<Begun<'o>, Refused> {
    let Some(wish) = once else { return Ok(Begun { once, seed: Vec::new(), before: None }) };
    let place = (wish.caller, &wish.key_mac);
    if !once::reserve(connection, place).await? {
        let problem = "a request with this Idempotency-Key is under way: wait for its answer, or send it again in a second";
        return Err(Refused::Conflict(problem.into()));
    }
    let made = once::find(connection, place).await?;
    if let Some(made) = made.filter(|made| now - made.made_at < REMEMBERED_FOR) {
        if made.request_mac != wish.request_mac {
            let problem = "this key was used for another request: take a new key for a new request".into();
            return Err(Refused::Unfit { field: "Idempotency-Key", problem });
        }
        return Ok(Begun { once, seed: made.seed, before: Some(made.made_id) });
    }
    if once::count(connection, wish.caller, now - REMEMBERED_FOR).await? >= MOST_KEYS {
        return Err(Refused::TooOften(Duration::HOUR));
    }
    let mut seed = vec![0; 32];
    getrandom::fill(&mut seed)?;
    Ok(Begun { once, seed, before: None })
}

impl Begun<'_> {
    /// The secret that is shown: the same for the same request.
    pub fn token(&self, kind: Kind) -> Result<NewToken, Refused> {
        match self.once {
            Some(once) => Ok(once.secrets.token_of(kind, once.key.expose(), &self.seed)),
            None => Ok(NewToken::generate(kind)?),
        }
    }

    /// Remembers what was made, in the same transaction.
    pub async fn made(
        self,
        connection: &mut PgConnection,
        made_id: Uuid,
        now: OffsetDateTime,
    ) -> Result<(), Refused> {
        let Some(once) = self.once else { return Ok(()) };
        let request_mac = once.request_mac.to_vec();
        let made = Made { request_mac, seed: self.seed, made_id, made_at: now };
        Ok(once::keep(connection, (once.caller, &once.key_mac), &made).await?)
    }
}
