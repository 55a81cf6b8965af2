//! What may be done with accounts and their credentials: by the host's commands and by the API alike.
//!
//! Entry points: [`program_account`], [`make_key`], [`invite`]. Invariant: a secret that is made here is returned once and
//! kept nowhere; its hash is.

use shared::wire::{AccountStatus, Role, Scope};
use sqlx::{Connection, PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::auth::token::{Kind, NewToken};
use crate::ids;
use crate::store::accounts::{self, Account, NewInvite};
use crate::store::{StoreError, keys};

/// How long an invite can be used: over a weekend.
pub const INVITE_LIFE: Duration = Duration::hours(72);
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
pub async fn program_account(
    connection: &mut PgConnection,
    name: &str,
    role: Role,
    now: OffsetDateTime,
) -> Result<Uuid, Refused> {
    check_name(name)?;
    let id = ids::new(now);
    if accounts::insert(connection, (id, name), role, now).await? {
        return Ok(id);
    }
    let known = accounts::by_name(connection, name).await?;
    let Account { id, role: its_role, status, .. } =
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

/// Makes an API key for an account of this role. Returns its id and the key itself.
pub async fn make_key(
    connection: &mut PgConnection,
    (account_id, role): (Uuid, Role),
    wish: &KeyWish<'_>,
    now: OffsetDateTime,
) -> Result<(Uuid, NewToken), Refused> {
    let new = NewToken::generate(Kind::ApiKey)?;
    let KeyWish { name, scopes, expires_at } = *wish;
    let row =
        keys::NewKeyRow { id: ids::new(now), account_id, role, name, scopes, hash: new.hash, expires_at };
    keys::insert(connection, &row, now).await?;
    Ok((row.id, new))
}

/// Makes a key for a program that the host sets up, and its account if there is none.
pub async fn make_program_key(
    pool: &PgPool,
    name: &str,
    role: Role,
    now: OffsetDateTime,
) -> Result<NewToken, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let account = program_account(&mut transaction, name, role, now).await?;
    let wish = KeyWish { name, scopes: role.scopes(), expires_at: None };
    let (_, key) = make_key(&mut transaction, (account, role), &wish, now).await?;
    transaction.commit().await?;
    Ok(key)
}

/// Makes an invite to an account of this role; `invited_by` is nobody when the host makes it. Returns the id of the account,
/// which is not active before the invite was used, and the invite itself.
pub async fn invite(
    pool: &PgPool,
    (role, note): (Role, Option<&str>),
    invited_by: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<(Uuid, NewToken), Refused> {
    if let Some(note) = note {
        check_note("note", note)?;
    }
    let new = NewToken::generate(Kind::Invite)?;
    let account_id = ids::new(now);
    let invite =
        NewInvite { account_id, role, note, invited_by, hash: new.hash, expires_at: now + INVITE_LIFE };
    accounts::invite(pool, &invite, now).await?;
    Ok((account_id, new))
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
