//! Channels that cannot be heard: said once with what to click, kept with their beginning, and a gap when they are open again.
//!
//! Entry points: [`Listener::closed`], [`Listener::gone`], [`Listener::look_again`], [`Listener::open_again`].
//! Invariants: a channel that is closed stops alone; the time from when it was last known to be open until it is open again
//! becomes a gap.

use shared::wire::{Gap, Missed};
use time::OffsetDateTime;

use super::dispatch::RawPlace;
use super::history::Why;
use super::listener::Listener;
use super::places::Known;
use super::rest::RestError;
use super::snowflake::Snowflake;
use super::words;
use crate::failure::Failure;

impl Listener<'_> {
    /// A channel that cannot be read stops alone; it is looked at again later. A refused token ends everything.
    pub(super) fn closed(&mut self, id: Snowflake, error: RestError) -> Result<(), Failure> {
        let name = self.name_of(id);
        let words = match error {
            RestError::Token => return Err(error.into()),
            RestError::Later(_) | RestError::Strange(_) => {
                tracing::warn!(channel = %id, name, "its history cannot be read now: {error}; trying again at the next look");
                return Ok(());
            }
            RestError::Forbidden { .. } => words::forbidden(&name),
            RestError::Missing { .. } => words::unknown_channel(&name),
        };
        // Nobody knows when it was closed: at some time after the last good look.
        let now = (self.clock)();
        let since = self.places.get(id).and_then(|place| place.good_at).unwrap_or(now);
        self.in_trouble(id, words, since.min(now));
        Ok(())
    }

    /// A channel or thread is no more, or may not be seen any more.
    pub(super) fn gone(&mut self, id: Snowflake, at: OffsetDateTime) {
        let name = self.name_of(id);
        match self.places.get(id).map(|place| place.kept.parent) {
            Some(None) => self.in_trouble(id, words::channel_gone(&name), at),
            Some(Some(parent)) => {
                tracing::info!(thread = %id, channel = %parent, name, "a thread is gone");
                self.places.forget(id);
            }
            None => {}
        }
    }

    /// Keeps that nothing can be heard in a channel, and says so.
    pub(super) fn in_trouble(&mut self, id: Snowflake, words: String, since: OffsetDateTime) {
        let kept = self.places.trouble(id, &words, since);
        self.pending.progress.places.push(kept);
        self.tell(id, words);
    }

    /// Discord describes these places: those that were closed may be open now.
    pub(super) async fn look_at_closed(&mut self, described: &[RawPlace]) -> Result<(), Failure> {
        for raw in described {
            if self.closed_since(raw.id).is_some() {
                self.look_again(raw.id).await?;
            }
        }
        Ok(())
    }

    /// Looks at a channel that may have been opened or closed, here or on the server. If it was closed and can be heard now,
    /// what was posted meanwhile is read back.
    pub(super) async fn look_again(&mut self, id: Snowflake) -> Result<(), Failure> {
        let why = self.closed_since(id).map_or(Why::Check, |from| Why::NewSession(Some(from)));
        match self.rest.place(id).await {
            Ok(raw) => {
                self.read_root(&raw, why).await?;
                self.read_threads(&[id], why).await
            }
            Err(error) => self.closed(id, error),
        }
    }

    /// Since when a channel has been closed, if it is.
    pub(super) fn closed_since(&self, id: Snowflake) -> Option<OffsetDateTime> {
        self.places.get(id)?.kept.trouble.as_ref().map(|(_, since)| *since)
    }

    /// The channel can be heard: if it could not be before, that time was missed.
    pub(super) fn open_again(&mut self, id: Snowflake, missed: Missed) {
        let to = (self.clock)();
        let Some(place) = self.places.get_mut(id) else { return };
        place.good_at = Some(to);
        let Some((_, from)) = place.kept.trouble.take() else { return };
        tracing::info!(channel = %id, name = place.kept.name, "the channel can be heard again");
        self.pending.progress.gaps.push(Gap { channel: place.channel(), missed, from, to: to.max(from) });
        self.pending.progress.places.push(place.kept.clone());
    }

    /// Keeps that a channel was not observed, if it was listened to before.
    pub(super) fn gap(&mut self, id: Snowflake, (why, missed): (Why, Missed)) {
        let Why::NewSession(Some(from)) = why else { return };
        let is_listened_to = self.places.known(id) == Known::Wanted;
        let is_old = |place: &&super::places::Place| place.is_old && place.kept.trouble.is_none();
        let Some(place) = self.places.get(id).filter(is_old).filter(|_| is_listened_to) else { return };
        let gap = Gap { channel: place.channel(), missed, from, to: (self.clock)().max(from) };
        self.pending.progress.gaps.push(gap);
    }

    /// Says something about a channel once, until something else is to be said.
    pub(super) fn tell(&mut self, id: Snowflake, words: String) {
        if self.told.get(&id) != Some(&words) {
            tracing::warn!(channel = %id, "{words}");
            self.told.insert(id, words);
        }
    }

    /// The name of a channel for people; its id if it is not known.
    pub(super) fn name_of(&self, id: Snowflake) -> String {
        self.places.get(id).map_or_else(|| id.to_string(), |place| place.kept.name.clone())
    }
}
