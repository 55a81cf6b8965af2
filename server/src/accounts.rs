//! What may be done with accounts and their credentials: by the host's commands and by the API alike.
//!
//! Entry points: [`make_program_key`], [`invite`], [`register`], [`make_own_key`], [`revoke_own_key`], [`change`].
//! Invariants: a secret that is made here is returned once and kept nowhere; its hash is. Each act is one line of the audit log,
//! written in its transaction.

use std::collections::BTreeSet;

use launch::secret::Secret;
use serde_json::json;
use shared::wire::{
    AccountRecord, AccountStatus, Act, ApiKeyRecord, ChangeAccount, MAX_API_KEYS, NewApiKey, NewInvite, Role,
    Scope,
};
use sqlx::{Connection, PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::audit::{self, By, Entry};
use crate::auth::passwords::{self, NotHashed};
use crate::auth::token::{Kind, NewToken};
use crate::once::{self, Once};
use crate::store::accounts::{self, Claim, NewInviteRow};
use crate::store::{StoreError, keys, sessions};
use crate::{App, ids};

/// How long an invite can be used: over a weekend.
pub const INVITE_LIFE: Duration = Duration::hours(72);
/// For how long a key can be made: longer than any machine lives. One that does not expire can be had, too.
const LONGEST_KEY_LIFE: Duration = Duration::days(10 * 365);
/// The longest name of an account or a key, and the longest note: they are shown in lists.
pub const MAX_NAME_CHARS: usize = 64;

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A field of the request does not fit.
    #[error("{field}: {problem}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// What is wanted contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// There is no such thing.
    #[error("{0}")]
    Missing(&'static str),
    /// It has changed since it was read.
    #[error("{0}")]
    Changed(&'static str),
    /// The secret that was shown is not good.
    #[error("{0}")]
    NotKnown(&'static str),
    /// This was tried too often.
    #[error("this was tried too often: wait {} s", .0.whole_seconds() + 1)]
    TooOften(Duration),
    /// Too many others want the same at this moment.
    #[error("too many people sign in at this moment")]
    Busy,
    /// Something that cannot be, unless this program is wrong.
    #[error("a defect: {0}")]
    Defect(String),
    /// The operating system gave no random bytes.
    #[error("drawing random bytes: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// The database did not answer as wanted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<NotHashed> for Refused {
    fn from(error: NotHashed) -> Self {
        match error {
            NotHashed::Busy => Self::Busy,
            NotHashed::Defect(problem) => Self::Defect(problem),
        }
    }
}

/// Refuses a name that could be taken for another one, or that a list cannot show.
pub fn check_name(name: &str) -> Result<(), Refused> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ._-@+".contains(c);
    let ends = name.chars().next().into_iter().chain(name.chars().next_back());
    let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && name.chars().all(is_plain)
        && ends.into_iter().all(|c| c.is_ascii_alphanumeric())
        && !name.contains("  ");
    if fits {
        return Ok(());
    }
    let problem = format!(
        "a name has 1 to {MAX_NAME_CHARS} characters: letters from a to z, digits, `.`, `_`, `-`, `@`, `+` and single spaces, \
         with a letter or digit at both ends"
    );
    Err(Refused::Unfit { field: "name", problem })
}

/// Refuses a text for people that a list cannot show.
pub fn check_note(field: &'static str, text: &str) -> Result<(), Refused> {
    if (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let problem = format!("expected 1 to {MAX_NAME_CHARS} characters on one line");
    Err(Refused::Unfit { field, problem })
}

/// The active account of this name and role, for a program that the host sets up; made if there is none.
async fn program_account(
    connection: &mut PgConnection,
    (name, role): (&str, Role),
    by: &By,
) -> Result<Uuid, Refused> {
    check_name(name)?;
    let id = ids::new(by.at);
    if accounts::insert(connection, (id, name), role, by.at).await? {
        let entry = Entry::new(Act::AccountMade, id).to(json!({"name": name, "role": role}));
        audit::write(connection, by, entry).await?;
        return Ok(id);
    }
    let known = accounts::by_name(connection, name).await?;
    let AccountRecord { id, role: its_role, status, .. } =
        known.ok_or_else(|| StoreError::Defect(format!("the account {name} is there and is not")))?;
    if status != AccountStatus::Active {
        return Err(Refused::Conflict(format!(
            "the account {name} is {status}: only an active one gets a key"
        )));
    }
    if its_role != role {
        let problem = format!("the account {name} is of role {its_role}: use that role, or another name");
        return Err(Refused::Conflict(problem));
    }
    Ok(id)
}

/// A key that is wanted.
#[derive(Debug)]
pub struct KeyWish<'a> {
    /// What it is to be called, for people.
    pub name: &'a str,
    /// What it is to be good for, within the role of its account.
    pub scopes: &'a [Scope],
    /// Until when; for ever if none.
    pub expires_at: Option<OffsetDateTime>,
}

/// Makes an API key of this secret for an account of this role. Returns its id.
async fn make_key(
    connection: &mut PgConnection,
    (account_id, role): (Uuid, Role),
    (wish, new): (&KeyWish<'_>, &NewToken),
    by: &By,
) -> Result<Uuid, Refused> {
    let KeyWish { name, scopes, expires_at } = *wish;
    let row =
        keys::NewKeyRow { id: ids::new(by.at), account_id, role, name, scopes, hash: new.hash, expires_at };
    keys::insert(connection, &row, by.at).await?;
    let after = json!({"account": account_id, "name": name, "scopes": scopes});
    audit::write(connection, by, Entry::new(Act::KeyMade, row.id).to(after)).await?;
    Ok(row.id)
}

/// Makes a key for a program that the host sets up, and its account if there is none.
pub async fn make_program_key(
    pool: &PgPool,
    (name, role): (&str, Role),
    by: &By,
) -> Result<NewToken, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let account = program_account(&mut transaction, (name, role), by).await?;
    let wish = KeyWish { name, scopes: role.scopes(), expires_at: None };
    let key = NewToken::generate(Kind::ApiKey)?;
    make_key(&mut transaction, (account, role), (&wish, &key), by).await?;
    transaction.commit().await?;
    Ok(key)
}

/// Makes an invite to an account of this role. The account is not active before the invite was used.
pub async fn invite(
    pool: &PgPool,
    (role, note): (Role, Option<&str>),
    once: Option<&Once>,
    by: &By,
) -> Result<NewInvite, Refused> {
    if let Some(note) = note {
        check_note("note", note)?;
    }
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let begun = once::begin(&mut transaction, once, by.at).await?;
    let new = begun.token(Kind::Invite)?;
    let answer =
        |account_id, expires_at| NewInvite { invite: new.token.expose().to_owned(), account_id, expires_at };
    if let Some(account_id) = begun.before {
        let expiry = accounts::invite_expiry(&mut transaction, account_id).await?;
        let gone = || Refused::Defect(format!("the invite to the account {account_id} was made and is gone"));
        return Ok(answer(account_id, expiry.ok_or_else(gone)?));
    }
    let (account_id, expires_at) = (ids::new(by.at), by.at + INVITE_LIFE);
    let row = NewInviteRow { account_id, role, note, invited_by: by.account, hash: new.hash, expires_at };
    accounts::invite(&mut transaction, &row, by.at).await?;
    let entry = Entry::new(Act::AccountInvited, account_id).to(json!({"role": role, "note": note}));
    audit::write(&mut transaction, by, entry).await?;
    begun.made(&mut transaction, account_id, by.at).await?;
    transaction.commit().await?;
    Ok(answer(account_id, expires_at))
}

/// Makes an account out of an invite.
pub async fn register(
    app: &App,
    invite: &Secret,
    (name, password): (&str, Secret),
    by: By,
) -> Result<AccountRecord, Refused> {
    check_name(name)?;
    passwords::check_new(&password, name).map_err(|problem| Refused::Unfit { field: "password", problem })?;
    let useless =
        || Refused::NotKnown("this invite is used, too old, taken back, or mistyped: ask for a new one");
    let hash = Kind::Invite.hash_of(invite.expose()).ok_or_else(useless)?;
    // Only whoever has an invite makes us hash a password.
    accounts::invited(&app.pool, &hash, by.at).await?.ok_or_else(useless)?;
    let password_hash = app.sign_ins.hashers.hash(password).await?;
    let mut connection = app.pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    match accounts::claim(&mut transaction, &hash, (name, &password_hash), by.at).await? {
        Claim::Made(account) => {
            let by = By { account: Some(account.id), ..by };
            let entry = Entry::new(Act::AccountRegistered, account.id);
            let entry = entry.to(json!({"name": account.name, "role": account.role}));
            audit::write(&mut transaction, &by, entry).await?;
            transaction.commit().await?;
            Ok(account)
        }
        Claim::NameTaken => Err(Refused::Conflict(format!("the name {name} is taken: choose another one"))),
        Claim::Useless => Err(useless()),
    }
}

/// Makes a key for a program of the account's owner.
pub async fn make_own_key(
    pool: &PgPool,
    (account, role): (Uuid, Role),
    (wish, once): (&KeyWish<'_>, Option<&Once>),
    by: &By,
) -> Result<NewApiKey, Refused> {
    check_note("name", wish.name)?;
    check_scopes(wish.scopes, role)?;
    check_expiry(wish.expires_at, by.at)?;
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let begun = once::begin(&mut transaction, once, by.at).await?;
    let new = begun.token(Kind::ApiKey)?;
    let answer = |record| NewApiKey { key: new.token.expose().to_owned(), record };
    if let Some(id) = begun.before {
        let record = keys::by_id(&mut transaction, (account, id)).await?;
        let gone = || Refused::Defect(format!("the key {id} was made and is gone"));
        return Ok(answer(ApiKeyRecord { last_used_at: None, ..record.ok_or_else(gone)? }));
    }
    // Whoever adds a key at the same time waits here.
    accounts::lock(&mut transaction, account).await?;
    if keys::count(&mut transaction, account).await? >= MAX_API_KEYS {
        let problem = format!("an account has at most {MAX_API_KEYS} keys: revoke one first");
        return Err(Refused::Conflict(problem));
    }
    let id = make_key(&mut transaction, (account, role), (wish, &new), by).await?;
    begun.made(&mut transaction, id, by.at).await?;
    transaction.commit().await?;
    let record = ApiKeyRecord {
        id,
        name: wish.name.to_owned(),
        scopes: wish.scopes.to_vec(),
        created_at: by.at,
        expires_at: wish.expires_at,
        last_used_at: None,
    };
    Ok(answer(record))
}

/// Revokes a key of an account. False when the account has no such key, or it was revoked before.
pub async fn revoke_own_key(pool: &PgPool, (account, id): (Uuid, Uuid), by: &By) -> Result<bool, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    if !keys::revoke(&mut transaction, (account, id), by.at).await? {
        return Ok(false);
    }
    audit::write(&mut transaction, by, Entry::new(Act::KeyRevoked, id)).await?;
    transaction.commit().await?;
    Ok(true)
}

fn check_scopes(scopes: &[Scope], role: Role) -> Result<(), Refused> {
    let unfit = |problem: String| Err(Refused::Unfit { field: "scopes", problem });
    if let Some(beyond) = scopes.iter().find(|scope| !role.scopes().contains(scope)) {
        return unfit(format!("an account of role {role} cannot give the scope {beyond}"));
    }
    let once = scopes.iter().collect::<BTreeSet<_>>().len() == scopes.len();
    if scopes.is_empty() || !once {
        return unfit("name at least one scope, and each once".into());
    }
    Ok(())
}

fn check_expiry(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Result<(), Refused> {
    if expires_at.is_none_or(|at| at > now && at < now + LONGEST_KEY_LIFE) {
        return Ok(());
    }
    let years = LONGEST_KEY_LIFE.whole_days() / 365;
    let problem =
        format!("expected a time in the next {years} years, or none for a key that does not expire");
    Err(Refused::Unfit { field: "expires_at", problem })
}

/// Changes the role or the status of an account at the wish of an admin; none if there is no such account. Whoever may no
/// longer act is signed out.
pub async fn change(
    pool: &PgPool,
    (id, change): (Uuid, &ChangeAccount),
    by: &By,
) -> Result<Option<AccountRecord>, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let Some(before) = accounts::lock(&mut transaction, id).await? else { return Ok(None) };
    if by.account == Some(id) {
        // Otherwise the last admin could lock everybody out.
        return Err(Refused::Conflict("nobody changes their own role or status: another admin can".into()));
    }
    let after = AccountRecord {
        role: change.role.unwrap_or(before.role),
        status: change.status.unwrap_or(before.status),
        ..before.clone()
    };
    check_step(before.status, after.status)?;
    if after == before {
        return Ok(Some(after));
    }
    accounts::set(&mut transaction, id, (after.role, after.status)).await?;
    if after.status != AccountStatus::Active {
        sessions::end_all(&mut transaction, id, by.at).await?;
    }
    let standing = |account: &AccountRecord| json!({"role": account.role, "status": account.status});
    let entry = Entry::new(Act::AccountChanged, id).from(standing(&before)).to(standing(&after));
    audit::write(&mut transaction, by, entry).await?;
    transaction.commit().await?;
    Ok(Some(after))
}

/// Which status can follow which.
fn check_step(before: AccountStatus, after: AccountStatus) -> Result<(), Refused> {
    use AccountStatus::{Active, Invited, Revoked, Suspended};
    match (before, after) {
        (Active | Suspended, Active | Suspended) | (Invited, Invited) | (_, Revoked) => Ok(()),
        (_, Invited) => {
            let problem = "an account becomes `invited` by an invite only: POST /v1/invites".into();
            Err(Refused::Unfit { field: "status", problem })
        }
        (Invited, _) => Err(Refused::Conflict("the invite of this account was not used yet".into())),
        (Revoked, _) => Err(Refused::Conflict("this account was closed for good: invite anew".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_taken_for_another_one() {
        for good in ["a", "demo contributor", "ana.b@example.org", "0-1_2+3"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_NAME_CHARS + 1);
        for bad in ["", " ", " a", "a ", "a  b", ".a", "аna", "a\u{200b}b", "a\nb", "a\0", &long] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
