//! Who may post for which channels.
//!
//! Entry points: [`enrol`], [`remove`]. Invariant: only accounts of contributors are enrolled; whether one may post now is looked
//! up with each batch.

use serde_json::json;
use shared::wire::{AccountRecord, AccountStatus, Act, MAX_ENROLMENTS, Role};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::accounts::Refused;
use crate::audit::{self, By, Entry};
use crate::store::{accounts, curation as rows};

/// Lets a contributor post for a channel; changes nothing if it may already.
pub async fn enrol(pool: &PgPool, (channel, account): (Uuid, Uuid), by: &By) -> Result<(), Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    rows::lock(&mut transaction, channel).await?.ok_or(Refused::Missing("there is no such channel"))?;
    let known = accounts::lock(&mut transaction, account).await?;
    let known = known.ok_or(Refused::Missing("there is no such account"))?;
    enrol_account(&mut transaction, (channel, &known), by).await?;
    transaction.commit().await?;
    Ok(())
}

/// Lets the contributor of this name post for a channel.
pub(super) async fn enrol_named(
    connection: &mut PgConnection,
    (channel, name): (Uuid, &str),
    by: &By,
) -> Result<(), Refused> {
    let known = accounts::by_name(connection, name).await?;
    let known =
        known.ok_or_else(|| Refused::Conflict(format!("there is no account {name}: make it first")))?;
    enrol_account(connection, (channel, &known), by).await
}

async fn enrol_account(
    connection: &mut PgConnection,
    (channel, account): (Uuid, &AccountRecord),
    by: &By,
) -> Result<(), Refused> {
    if account.role != Role::Contributor || account.status == AccountStatus::Revoked {
        let AccountRecord { role, status, .. } = account;
        let problem = format!("this account is a {status} {role}: only a contributor is enrolled");
        return Err(Refused::Conflict(problem));
    }
    if !rows::enrol(connection, (channel, account.id), by.at).await? {
        return Ok(());
    }
    if rows::count_enrolments(connection, channel).await? > MAX_ENROLMENTS {
        let problem = format!("a channel has at most {MAX_ENROLMENTS} contributors: remove one first");
        return Err(Refused::Conflict(problem));
    }
    let entry = Entry::new(Act::ContributorEnrolled, channel).to(json!({"account": account.id}));
    Ok(audit::write(connection, by, entry).await?)
}

/// Lets a contributor post for a channel no more.
pub async fn remove(pool: &PgPool, (channel, account): (Uuid, Uuid), by: &By) -> Result<(), Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    rows::lock(&mut transaction, channel).await?.ok_or(Refused::Missing("there is no such channel"))?;
    if !rows::remove(&mut transaction, (channel, account), by.at).await? {
        return Err(Refused::Missing("this account is not enrolled in this channel"));
    }
    let entry = Entry::new(Act::ContributorRemoved, channel).from(json!({"account": account}));
    audit::write(&mut transaction, by, entry).await?;
    transaction.commit().await?;
    Ok(())
}
