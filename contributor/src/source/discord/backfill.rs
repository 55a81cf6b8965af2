//! `backfill`: reads a channel's history from a time on, once, because somebody asked for it.
//!
//! Entry point: [`backfill`]. What it reads is marked as read back, and what is known is left out. It moves no mark of
//! listening: that goes on where it was.

use time::OffsetDateTime;

use super::DiscordSettings;
use super::history::Why;
use super::ledger;
use super::listener::{Listener, statuses};
use super::places::{Known, Places};
use super::rest::{Rest, RestError};
use super::snowflake::Snowflake;
use super::words;
use crate::Clock;
use crate::api::Api;
use crate::failure::Failure;
use crate::outbox::Outbox;

/// Stages what was posted in a channel or thread since a time.
pub async fn backfill(
    settings: &DiscordSettings,
    (outbox, api): (&Outbox, &Api),
    (channel, since): (&str, OffsetDateTime),
    clock: Clock,
) -> Result<(), Failure> {
    let bot = settings.bot()?;
    let rest = Rest::new(&bot)?;
    let id: Snowflake = channel.parse().map_err(|problem| Failure::Input(format!("--channel: {problem}")))?;
    api.contributor().await?;
    let (_, kept) = ledger::load(outbox).await?;
    let me = rest.me().await?;
    let place = match rest.place(id).await {
        Ok(place) => place,
        Err(RestError::Forbidden { .. }) => return Err(Failure::Configuration(words::forbidden(channel))),
        Err(RestError::Missing { .. }) => {
            return Err(Failure::Configuration(words::unknown_channel(channel)));
        }
        Err(error) => return Err(error.into()),
    };
    let root = place.thread_of().unwrap_or(id);
    let mut places = Places::new(&[root], kept);
    places.set_statuses(statuses(api).await?);
    let mut listener = Listener::new(outbox, (&rest, api), (places, None), (me.id, clock));
    if root != id {
        listener.notice(&rest.place(root).await?);
    }
    listener.notice(&place);
    if listener.places.known(id) != Known::Wanted {
        let objection = listener.places.objection(&root.to_string()).unwrap_or("closed");
        return Err(Failure::Configuration(words::not_approved(&place.name(), objection)));
    }
    listener.flush().await?;
    if let Some(place) = listener.places.get_mut(id) {
        (place.kept.since, place.kept.read_to) = (Snowflake::at(since), Snowflake::at(since));
    }
    listener.read_after(id, Why::Asked).await?.map_err(Failure::from)
}
