//! Signing in, going on, signing out: the life of a session.
//!
//! Entry points: [`sign_in`], [`go_on`], [`sign_out`], [`change_password`], and [`prune`] as a task. Invariants: a refresh token makes exactly one successor; one that
//! comes again ends the session, unless its answer may have been lost: then the same answer is given again. Whoever cannot
//! sign in learns nothing about why, neither by the answer nor by its time.

use launch::secret::Secret;
use shared::wire::{AccountStatus, SessionTokens};
use sqlx::{Connection, PgPool};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;
use uuid::Uuid;

use crate::accounts::{Refused, check_name};
use crate::auth::attempts::{Attempt, Attempts, Held};
use crate::auth::passwords::{self, Hashers};
use crate::auth::session_key::SessionKey;
use crate::auth::token::{Kind, NewToken};
use crate::edge::places::Household;
use crate::store::accounts;
use crate::store::keys::Standing;
use crate::store::sessions::{self, Ended, NewSession, Presented};
use crate::{App, ids};

/// How long a session can be gone on with at the most: after that the password is asked for again.
pub const SESSION_LIFE: Duration = Duration::days(90);
/// How long a session can rest.
pub const IDLE_LIFE: Duration = Duration::days(30);
/// For how long a lost answer can be asked for again: a client that tries again does so within seconds.
const ASK_AGAIN_WITHIN: Duration = Duration::seconds(30);
/// For how long a place that an account was signed in from counts as familiar.
const FAMILIAR_FOR: Duration = Duration::days(90);

/// How often what is left of sessions that are over is removed.
const PRUNE_EVERY: std::time::Duration = std::time::Duration::from_hours(1);
/// How many rows are removed at once: a thousand people who are signed in all day leave six thousand tokens an hour.
const MOST_PRUNED: i32 = 20_000;

/// What signing in needs, beside the database.
#[derive(Debug)]
pub struct SignIns {
    /// The threads that hash passwords.
    pub hashers: Hashers,
    /// The key of all sessions.
    pub key: SessionKey,
    /// Who has guessed how often.
    pub attempts: Attempts,
}

impl SignIns {
    /// Starts the hashing threads.
    pub fn start(key: SessionKey) -> std::io::Result<Self> {
        Ok(Self { hashers: Hashers::start()?, key, attempts: Attempts::default() })
    }
}

/// Begins a session of the account of this name.
pub async fn sign_in(
    app: &App,
    (name, password): (&str, Secret),
    place: Option<Household>,
    now: OffsetDateTime,
) -> Result<SessionTokens, Refused> {
    // A name that nobody can have is treated like one that nobody has.
    let name = if check_name(name).is_ok() { name } else { "" };
    let attempt = begin(app, name, place, now).await?;
    let known = accounts::for_sign_in(&app.pool, name).await?;
    let hash = known.as_ref().and_then(|known| known.password_hash.clone());
    let is_right = is_right(app, &attempt, (password.clone(), hash.clone())).await?;
    let account = known.filter(|known| is_right && known.status == AccountStatus::Active);
    let refused = || {
        tracing::info!(place = place.map(tracing::field::display), "a sign-in was refused");
        Refused::NotKnown("the name or the password is not right, or the account is not active")
    };
    let (Some(account), Some(hash)) = (account, hash) else { return Err(refused()) };
    app.sign_ins.attempts.succeed(&attempt);
    let tokens = begin_session(app, (account.id, &hash), place, now).await?.ok_or_else(refused)?;
    if !passwords::is_current(&hash) {
        renew_hash(app, account.id, (password, &hash)).await;
    }
    Ok(tokens)
}

/// Looks at a password; when nobody could, the attempt does not count.
async fn is_right(
    app: &App,
    attempt: &Attempt,
    (password, hash): (Secret, Option<Secret>),
) -> Result<bool, Refused> {
    let looked = app.sign_ins.hashers.is_right(password, hash).await;
    looked.map_err(|error| {
        app.sign_ins.attempts.take_back(attempt);
        error.into()
    })
}

/// Makes the hash of a password anew, as strong as today's are. When that cannot be done now, the next sign-in does it.
async fn renew_hash(app: &App, account: Uuid, (password, before): (Secret, &Secret)) {
    let renewing = async {
        let after = app.sign_ins.hashers.hash(password).await?;
        let mut connection = app.pool.acquire().await?;
        Ok::<_, Refused>(accounts::set_password(&mut connection, account, (before, &after)).await?)
    };
    match renewing.await {
        Ok(_) => tracing::info!(%account, "the hash of a password was made anew"),
        Err(error) => tracing::warn!(%account, "the hash of a password was not made anew: {error}"),
    }
}

/// Changes the password of somebody who has signed in. All other sessions of the account end; the keys of its programs,
/// which have nothing to do with the password, go on.
pub async fn change_password(
    app: &App,
    (caller, place): (&Standing, Option<Household>),
    (current, new): (Secret, Secret),
    now: OffsetDateTime,
) -> Result<(), Refused> {
    let unfit = |field, problem| Refused::Unfit { field, problem };
    passwords::check_new(&new, &caller.name).map_err(|problem| unfit("new_password", problem))?;
    if new == current {
        return Err(unfit("new_password", "this is the password that you have: take another one".into()));
    }
    // Whoever has stolen a session guesses no faster here than at the door.
    let attempt = begin(app, &caller.name, place, now).await?;
    let before = accounts::password_hash(&app.pool, caller.account_id).await?;
    let is_right = is_right(app, &attempt, (current, before.clone())).await?;
    let Some(before) = before.filter(|_| is_right) else {
        return Err(unfit("current_password", "this is not the password of the account".into()));
    };
    app.sign_ins.attempts.succeed(&attempt);
    let after = app.sign_ins.hashers.hash(new).await?;
    let mut connection = app.pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    if !accounts::set_password(&mut transaction, caller.account_id, (&before, &after)).await? {
        return Err(Refused::Conflict("the password was changed in another session: sign in again".into()));
    }
    let session = caller.credential_id;
    sessions::end_others(&mut transaction, (caller.account_id, session), now).await?;
    transaction.commit().await?;
    tracing::info!(account = %caller.account_id, %session, "a password was changed, and the other sessions have ended");
    Ok(())
}

async fn begin(
    app: &App,
    name: &str,
    place: Option<Household>,
    now: OffsetDateTime,
) -> Result<Attempt, Refused> {
    let (attempts, attempt) = (&app.sign_ins.attempts, Attempt::new(name, place));
    match attempts.begin(&attempt, false, now) {
        Ok(()) => return Ok(attempt),
        Err(Held::Wait(wait)) => return Err(Refused::TooOften(wait)),
        Err(Held::Stranger(wait)) => {
            let Some(place) = place else { return Err(Refused::TooOften(wait)) };
            let key = (name, place.to_string());
            if !sessions::knows_address(&app.pool, (key.0, &key.1), now - FAMILIAR_FOR).await? {
                return Err(Refused::TooOften(wait));
            }
        }
    }
    attempts.begin(&attempt, true, now).map_err(|held| match held {
        Held::Wait(wait) | Held::Stranger(wait) => Refused::TooOften(wait),
    })?;
    Ok(attempt)
}

/// None when the password was changed, or the account stopped, in this moment.
async fn begin_session(
    app: &App,
    (account_id, password_hash): (Uuid, &Secret),
    place: Option<Household>,
    now: OffsetDateTime,
) -> Result<Option<SessionTokens>, Refused> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let refresh = NewToken::generate(Kind::Refresh)?;
    let session = NewSession {
        id: ids::new(now),
        account_id,
        expires_at: now + SESSION_LIFE,
        address: place.map(|place| place.to_string()),
        seed,
        token_hash: refresh.hash,
    };
    let mut connection = app.pool.acquire().await?;
    if !sessions::insert(&mut connection, (&session, password_hash), now).await? {
        return Ok(None);
    }
    tokens(app, (account_id, session.id, session.expires_at), &refresh, now).map(Some)
}

/// Uses a refresh token.
pub async fn go_on(app: &App, token: &Secret, now: OffsetDateTime) -> Result<SessionTokens, Refused> {
    let refused = || Refused::NotKnown("this refresh token is not good, or not any more: sign in again");
    let hash = Kind::Refresh.hash_of(token.expose()).ok_or_else(refused)?;
    let mut connection = app.pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let presented = sessions::present(&mut transaction, &hash).await?.ok_or_else(refused)?;
    if !is_alive(&presented, now) {
        return Err(refused());
    }
    let next = app.sign_ins.key.next_refresh_token(token.expose(), &presented.seed);
    let session = presented.session_id;
    if presented.number == presented.rotations {
        sessions::rotate(&mut transaction, (session, presented.rotations + 1), &next.hash, now).await?;
        transaction.commit().await?;
    } else if presented.number + 1 < presented.rotations || now - presented.rotated_at > ASK_AGAIN_WITHIN {
        sessions::end(&mut transaction, session, Ended::TokenReused, now).await?;
        transaction.commit().await?;
        let account = presented.account_id;
        tracing::warn!(%session, %account, "a refresh token came a second time: its session has ended");
        return Err(refused());
    }
    // Otherwise it is the token before the newest, which was never used: the answer may have been lost.
    tokens(app, (presented.account_id, session, presented.expires_at), &next, now)
}

fn is_alive(presented: &Presented, now: OffsetDateTime) -> bool {
    !presented.has_ended
        && presented.status == AccountStatus::Active
        && now < presented.expires_at
        && now < presented.rotated_at + IDLE_LIFE
}

/// Ends a session at the wish of its owner.
pub async fn sign_out(app: &App, session: Uuid, now: OffsetDateTime) -> Result<(), Refused> {
    let mut connection = app.pool.acquire().await?;
    Ok(sessions::end(&mut connection, session, Ended::SignedOut, now).await?)
}

/// Removes what is left of sessions that are long over, at once and then every hour, until the server stops. Several
/// servers of one database may do it at the same time.
pub async fn prune(pool: PgPool, stopping: watch::Receiver<bool>) {
    let stopping = crate::until_true(stopping);
    tokio::pin!(stopping);
    let mut hours = tokio::time::interval(PRUNE_EVERY);
    loop {
        tokio::select! {
            _ = hours.tick() => {}
            () = &mut stopping => return,
        }
        match sessions::prune(&pool, MOST_PRUNED).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed what was left of sessions that are over"),
            Err(error) => tracing::warn!("what is left of old sessions stays for another hour: {error}"),
        }
    }
}

fn tokens(
    app: &App,
    (account, session, until): (Uuid, Uuid, OffsetDateTime),
    refresh: &NewToken,
    now: OffsetDateTime,
) -> Result<SessionTokens, Refused> {
    let (access_token, access_expires_at) = app
        .sign_ins
        .key
        .access_token((account, session), now)
        .map_err(|error| Refused::Defect(format!("signing an access token: {error}")))?;
    Ok(SessionTokens {
        access_token,
        access_expires_at,
        refresh_token: refresh.token.expose().to_owned(),
        refresh_expires_at: until.min(now + IDLE_LIFE),
    })
}
