//! Who may post where: the channels of a batch, taken in hand, each with what this contributor may do there.
//!
//! Entry point: [`admissions`]. Invariants: no post makes a channel, except as a part of one that its contributor is enrolled
//! in (a thread); everything is looked up with the channels in hand, so that a decision counts from its commit on.

use std::collections::{BTreeMap, HashMap};

use shared::post::ChannelRef;
use shared::wire::{ChannelStatus, PostStatus};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::prepare::Prepared;
use crate::store::channels::{self, Locked, NewChannel};
use crate::store::{StoreError, curation};

/// The most parts of a channel: a busy forum makes some thousands of threads, and nobody reads more.
const MAX_PARTS: i64 = 10_000;
/// The longest name of a part: Discord's names end there.
const MAX_PART_NAME_CHARS: usize = 100;

/// What a contributor may do in a channel: post, or hear why not.
pub(super) type Admission = Result<Locked, PostStatus>;

/// The channels of the acceptable posts of a batch, in hand until the transaction ends.
pub(super) async fn admissions(
    connection: &mut PgConnection,
    account_id: Uuid,
    prepared: &[Prepared],
    now: OffsetDateTime,
) -> Result<HashMap<ChannelRef, Admission>, StoreError> {
    let wanted: BTreeMap<&ChannelRef, Option<&str>> =
        prepared.iter().filter_map(|item| Some((item.channel()?, item.sighting.within.as_deref()))).collect();
    let mut ids = HashMap::new();
    for (channel, within) in wanted {
        let known = channels::find(connection, channel.source, &channel.external_id).await?;
        let id = match (known, within) {
            (Some((id, _)), _) => Some(id),
            (None, Some(within)) => add_part(connection, (channel, within), account_id, now).await?,
            (None, None) => None,
        };
        ids.insert(channel.clone(), id);
    }
    // One batch at a time in a channel: two revisions of one message, or a call and its follow-up, that arrive in the
    // same moment from two contributors must see each other.
    let wanted: Vec<Uuid> = ids.values().flatten().copied().collect();
    let locked = channels::lock(connection, &wanted, Some(account_id)).await?;
    let admission = |(channel, id): (ChannelRef, Option<Uuid>)| {
        let known = id.and_then(|id| locked.get(&id));
        let admission = admission(&channel, known);
        (channel, admission)
    };
    Ok(ids.into_iter().map(admission).collect())
}

fn admission(channel: &ChannelRef, known: Option<&Locked>) -> Admission {
    let ChannelRef { source, external_id, name } = channel;
    let source = source.as_str();
    match known {
        None => Err(PostStatus::NotAdmitted {
            reason: format!(
                "the channel {name} ({source}:{external_id}) is not known here: propose it with `contributor propose`, and \
                 ask an admin to approve it"
            ),
        }),
        Some(Locked { is_enrolled: false, .. }) => Err(PostStatus::NotAdmitted {
            reason: format!(
                "you are not enrolled in the channel {name} ({source}:{external_id}): ask an admin to enrol you"
            ),
        }),
        Some(Locked { status: ChannelStatus::Blocked, name, .. }) => {
            Err(PostStatus::Rejected { reason: format!("the channel {name} is blocked") })
        }
        Some(locked) => Ok(locked.clone()),
    }
}

/// Makes a channel that is not known yet a part of the one through which it was seen. None if this contributor may not.
async fn add_part(
    connection: &mut PgConnection,
    (channel, within): (&ChannelRef, &str),
    account_id: Uuid,
    now: OffsetDateTime,
) -> Result<Option<Uuid>, StoreError> {
    let whole = channels::find(connection, channel.source, within).await?;
    // A part has no parts: its threads would be those of the whole.
    let Some((parent, None)) = whole else { return Ok(None) };
    if !curation::is_enrolled(connection, (parent, account_id)).await?
        || channels::count_parts(connection, parent).await? >= MAX_PARTS
    {
        return Ok(None);
    }
    let name = part_name(&channel.name);
    let part = NewChannel {
        id: crate::ids::new(now),
        source: channel.source,
        external_id: &channel.external_id,
        name: &name,
        status: ChannelStatus::Approved,
        parent_id: Some(parent),
    };
    channels::insert(connection, &part, now).await?;
    // Somebody else may have been first.
    Ok(channels::find(connection, channel.source, &channel.external_id).await?.map(|(id, _)| id))
}

/// The name of a part as lists can show it.
fn part_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_PART_NAME_CHARS).collect()
}
