//! Curation: which channels there are, who may post for them, which signals are withdrawn. What admins decide, and what
//! contributors propose.
//!
//! Entry points: [`propose`], [`change`], [`approve`], [`enrolments`], [`withdraw`]; [`catch_up`] as a task. Invariants: an act, its
//! line in the audit log and its event are one transaction, with the channel in hand, so that whoever posts for it is before
//! or after it; an act that changes nothing is none.

pub mod catch_up;
pub mod enrolments;
mod withdrawal;

use serde_json::{Map, Value, json};
use shared::post::{ChannelRef, Source};
use shared::reading::{ChannelProfile, ProfileDraft};
use shared::wire::{Act, ChangeChannel, ChannelStatus, Event};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::accounts::Refused;
use crate::audit::{self, By, Entry};
use crate::ids;
use crate::ingest::publish::kind_name;
use crate::store::channels::{self, NewChannel};
use crate::store::curation::{self as rows, Curated};
use crate::store::log::{self, NewEvent};
use crate::store::{StoreError, to_json};

pub use withdrawal::withdraw;

/// The longest name of a channel: Discord's end there, too.
const MAX_NAME_CHARS: usize = 100;
/// The longest id of a Discord channel: a 64-bit number in decimal.
const MAX_SNOWFLAKE_DIGITS: usize = 20;
/// How many channels that nobody has decided about yet a contributor may have proposed: more than anybody listens to.
const MAX_PROPOSALS: i64 = 50;

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposed {
    /// The channel.
    pub id: Uuid,
    /// False when it was known before.
    pub is_new: bool,
}

/// Proposes a channel. Whoever proposes one that was not known is enrolled in it, if they are a contributor.
pub async fn propose(
    pool: &PgPool,
    channel: &ChannelRef,
    contributor: Option<Uuid>,
    by: &By,
) -> Result<Proposed, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let proposed = propose_in(&mut transaction, channel, contributor, by).await?;
    transaction.commit().await?;
    Ok(proposed)
}

async fn propose_in(
    connection: &mut PgConnection,
    channel: &ChannelRef,
    contributor: Option<Uuid>,
    by: &By,
) -> Result<Proposed, Refused> {
    let ChannelRef { source, external_id, name } = channel;
    check_external_id(*source, external_id)?;
    check_name(name)?;
    if let Some((id, _)) = channels::find(connection, *source, external_id).await? {
        return Ok(Proposed { id, is_new: false });
    }
    if let Some(account) = contributor
        && rows::count_proposals(connection, account).await? >= MAX_PROPOSALS
    {
        let problem =
            format!("you have proposed {MAX_PROPOSALS} channels: wait until an admin has decided about some");
        return Err(Refused::Conflict(problem));
    }
    let status = ChannelStatus::Proposed;
    let id = ids::new(by.at);
    let new = NewChannel { id, source: *source, external_id, name, status, parent_id: None };
    if !channels::insert(connection, &new, by.at).await? {
        // Somebody else has proposed it at the same moment.
        let known = channels::find(connection, *source, external_id).await?;
        let (id, _) = known
            .ok_or_else(|| StoreError::Defect(format!("the channel {external_id} is there and is not")))?;
        return Ok(Proposed { id, is_new: false });
    }
    if let Some(account) = contributor {
        rows::enrol(connection, (id, account), by.at).await?;
    }
    let after = json!({"source": source.as_str(), "external_id": external_id, "name": name, "contributor": contributor});
    audit::write(connection, by, Entry::new(Act::ChannelProposed, id).to(after)).await?;
    Ok(Proposed { id, is_new: true })
}

/// Changes what was decided about a channel; none if there is no such channel. `expected` is the version that is changed.
pub async fn change(
    pool: &PgPool,
    (id, expected): (Uuid, Option<i32>),
    wish: &ChangeChannel,
    by: &By,
) -> Result<Option<Curated>, Refused> {
    let profile = wish.profile.clone().map(checked_profile).transpose()?;
    if let Some(name) = &wish.name {
        check_name(name)?;
    }
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    // With what it is a part of, as ingest takes them, so that neither waits for the other.
    channels::lock(&mut transaction, &[id], None).await?;
    let Some(before) = rows::lock(&mut transaction, id).await? else { return Ok(None) };
    if expected.is_some_and(|expected| expected != before.version) {
        return Err(Refused::Changed("another admin has changed this channel meanwhile: read it again"));
    }
    let after = Curated {
        status: wish.status.unwrap_or(before.status),
        name: wish.name.clone().unwrap_or_else(|| before.name.clone()),
        profile: profile.unwrap_or_else(|| before.profile.clone()),
        ..before.clone()
    };
    let after = decide(&mut transaction, id, (before, after), by).await?;
    transaction.commit().await?;
    Ok(Some(after))
}

/// Approves a channel at the wish of the host, under this name, whether it is known or not; and enrols these accounts.
pub async fn approve(
    pool: &PgPool,
    channel: &ChannelRef,
    contributors: &[String],
    by: &By,
) -> Result<Uuid, Refused> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let Proposed { id, .. } = propose_in(&mut transaction, channel, None, by).await?;
    for name in contributors {
        enrolments::enrol_named(&mut transaction, (id, name), by).await?;
    }
    channels::lock(&mut transaction, &[id], None).await?;
    let before = rows::lock(&mut transaction, id).await?;
    let before = before.ok_or_else(|| StoreError::Defect(format!("the channel {id} is gone")))?;
    let after = Curated { status: ChannelStatus::Approved, name: channel.name.clone(), ..before.clone() };
    decide(&mut transaction, id, (before, after), by).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Carries out a decision about a channel that is locked: as a whole, or not at all. The log is appended to last.
async fn decide(
    connection: &mut PgConnection,
    id: Uuid,
    (before, after): (Curated, Curated),
    by: &By,
) -> Result<Curated, Refused> {
    if before == after {
        return Ok(before);
    }
    check_step(before.status, after.status)?;
    let is_named = after.name != before.name || after.status == ChannelStatus::Approved && !before.is_known;
    if is_named && after.parent_id.is_none() && rows::has_namesake(connection, id, &after.name).await? {
        let problem = format!(
            "another channel is named {}, and traders choose channels by their names: give this one another name",
            after.name
        );
        return Err(Refused::Conflict(problem));
    }
    let after = Curated {
        version: before.version + 1,
        is_known: before.is_known || after.status == ChannelStatus::Approved,
        ..after
    };
    rows::set(connection, id, &after, by.at).await?;
    let (from, to) = difference(&before, &after)?;
    audit::write(connection, by, Entry::new(Act::ChannelChanged, id).from(from).to(to)).await?;
    let is_seen = after.status != before.status || after.name != before.name;
    if after.is_known && is_seen {
        tell(connection, id, &after, by).await?;
    }
    Ok(after)
}

/// Tells everybody how a channel that they know stands now.
async fn tell(connection: &mut PgConnection, id: Uuid, after: &Curated, by: &By) -> Result<(), StoreError> {
    let named = channels::lock(connection, &[id], None).await?;
    let channel = named.get(&id).map_or_else(|| after.name.clone(), |channel| channel.name.clone());
    let event = Event::ChannelChanged { channel_id: id, channel, status: after.status, occurred_at: by.at };
    let line = NewEvent { kind: kind_name(&event), channel_id: id, base: None, payload: to_json(&event)? };
    log::append(connection, by.at, &[line]).await?;
    Ok(())
}

/// What was changed: the fields that differ, before and after.
fn difference(before: &Curated, after: &Curated) -> Result<(Value, Value), StoreError> {
    let fields = |curated: &Curated| -> Result<[(&str, Value); 3], StoreError> {
        let profile = serde_json::to_value(curated.profile.fields())
            .map_err(|error| StoreError::Defect(format!("writing a profile as JSON: {error}")))?;
        Ok([("status", json!(curated.status)), ("name", json!(curated.name)), ("profile", profile)])
    };
    let (mut from, mut to) = (Map::new(), Map::new());
    for ((field, old), (_, new)) in fields(before)?.into_iter().zip(fields(after)?) {
        if old != new {
            from.insert(field.to_owned(), old);
            to.insert(field.to_owned(), new);
        }
    }
    Ok((from.into(), to.into()))
}

/// Which status can follow which.
fn check_step(before: ChannelStatus, after: ChannelStatus) -> Result<(), Refused> {
    use ChannelStatus::{Approved, Blocked, Paused, Proposed};
    match (before, after) {
        (Proposed, Approved)
        | (Approved, Paused)
        | (Paused, Approved)
        | (_, Blocked)
        | (Blocked, Proposed) => Ok(()),
        _ if before == after => Ok(()),
        (Blocked, _) => Err(Refused::Conflict(
            "this channel is blocked: set it to `proposed` first, then decide anew".into(),
        )),
        _ => Err(Refused::Conflict(format!("a channel that is {before} cannot become {after}"))),
    }
}

/// A profile that was checked.
fn checked_profile(draft: ProfileDraft) -> Result<ChannelProfile, Refused> {
    ChannelProfile::new(draft).map_err(|bad| Refused::Unfit { field: "profile", problem: bad.to_string() })
}

/// Refuses a name that lists cannot show.
fn check_name(name: &str) -> Result<(), Refused> {
    let is_plain = !name.chars().any(char::is_control) && name.trim() == name;
    if is_plain && (1..=MAX_NAME_CHARS).contains(&name.chars().count()) {
        return Ok(());
    }
    let problem =
        format!("expected 1 to {MAX_NAME_CHARS} characters on one line, without spaces at its ends");
    Err(Refused::Unfit { field: "name", problem })
}

/// Refuses what cannot be a channel's id at its source.
fn check_external_id(source: Source, id: &str) -> Result<(), Refused> {
    let Source::Discord = source;
    if (1..=MAX_SNOWFLAKE_DIGITS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let problem = "the id of a Discord channel is a number: right-click the channel, Copy Channel ID".into();
    Err(Refused::Unfit { field: "external_id", problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_goes_from_one_status_to_another_by_the_table() {
        use ChannelStatus::{Approved, Blocked, Paused, Proposed};
        let allowed = [
            (Proposed, Approved),
            (Proposed, Blocked),
            (Approved, Paused),
            (Approved, Blocked),
            (Paused, Approved),
            (Paused, Blocked),
            (Blocked, Proposed),
        ];
        for before in ChannelStatus::ALL {
            for after in ChannelStatus::ALL {
                let expected = before == after || allowed.contains(&(*before, *after));
                assert_eq!(check_step(*before, *after).is_ok(), expected, "{before} to {after}");
            }
        }
    }

    #[test]
    fn a_part_lets_through_no_more_than_the_whole() {
        use ChannelStatus::{Approved, Blocked, Paused, Proposed};
        for (own, whole, expected) in [
            (Approved, Approved, Approved),
            (Approved, Paused, Paused),
            (Approved, Proposed, Proposed),
            (Paused, Approved, Paused),
            (Paused, Blocked, Blocked),
            (Blocked, Approved, Blocked),
        ] {
            assert_eq!(own.within(whole), expected, "{own} in {whole}");
        }
    }

    #[test]
    fn only_a_number_is_the_id_of_a_discord_channel() {
        for good in ["1", "1237400000000000001", "18446744073709551615"] {
            assert!(check_external_id(Source::Discord, good).is_ok(), "{good}");
        }
        for bad in ["", "-1", "1 ", "１２", "abc", "123456789012345678901"] {
            assert!(check_external_id(Source::Discord, bad).is_err(), "{bad}");
        }
    }
}
