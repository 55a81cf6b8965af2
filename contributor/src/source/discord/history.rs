//! Reading back what was posted while nobody listened, and looking whether the gateway has told everything.
//!
//! Entry points: [`Listener::catch_up`], [`Listener::check`]. Fact: a new gateway session is told nothing of the past.
//! Invariants: a place's mark moves only over history that has been staged; what was there before listening began stays
//! where it is; a message that cannot be decoded costs itself alone; a channel that is closed stops alone.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::post::Provenance;
use shared::wire::{Gap, Missed};
use time::OffsetDateTime;

use super::calls::{PAGE, Part};
use super::dispatch::RawPlace;
use super::intake::Seen;
use super::ledger::{self, KeptPlace};
use super::listener::Listener;
use super::message;
use super::places::{Known, Place};
use super::rest::RestError;
use super::snowflake::Snowflake;
use super::words;
use crate::failure::Failure;

/// The regular look leaves the last minute to the gateway, which may just be telling it.
const SETTLED: time::Duration = time::Duration::MINUTE;

/// A thread without a message for so long is not read again for edits and deletes.
const TALKED_IN_LATELY: time::Duration = time::Duration::DAY;

/// Why the history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The program has begun, and the old session goes on.
    Start,
    /// A new gateway session. From the time given on, if there is one, nobody listened.
    NewSession(Option<OffsetDateTime>),
    /// A while has passed.
    Check,
}

#[derive(Deserialize)]
struct OnlyId {
    id: Snowflake,
}

/// A page in the order of time.
struct Page(Vec<(Snowflake, Box<RawValue>)>);

impl Page {
    fn oldest(&self) -> Option<Snowflake> {
        self.0.first().map(|(id, _)| *id)
    }

    fn newest(&self) -> Option<Snowflake> {
        self.0.last().map(|(id, _)| *id)
    }
}

impl Listener<'_> {
    /// Reads back everything that is wanted: each channel, then the threads.
    pub(super) async fn catch_up(&mut self, why: Why) -> Result<(), Failure> {
        for id in self.places.wanted() {
            self.gap(id, (why, Missed::EditsAndDeletes));
            match self.rest.place(id).await {
                Ok(raw) => self.read_root(&raw, why).await?,
                Err(error) => self.closed(id, error)?,
            }
        }
        self.read_threads(why).await?;
        self.flush().await?;
        self.places.grow_old();
        Ok(())
    }

    async fn read_root(&mut self, raw: &RawPlace, why: Why) -> Result<(), Failure> {
        self.notice(raw);
        if let Some(objection) = self.places.objection(&raw.id.to_string()) {
            self.tell(raw.id, words::not_approved(&raw.name(), objection));
            return Ok(());
        }
        let read = if raw.is_forum() { Ok(true) } else { self.read_newest(raw, why).await? };
        match read {
            Ok(true) => {
                self.told.remove(&raw.id);
                self.open_again(raw.id, Missed::EditsAndDeletes);
            }
            Ok(false) => {
                self.gap(raw.id, (why, Missed::Everything));
                self.open_again(raw.id, Missed::Everything);
                self.tell(raw.id, words::no_history(&raw.name()));
            }
            Err(error) => self.closed(raw.id, error)?,
        }
        self.flush().await?;
        Ok(())
    }

    /// The channel can be heard: if it could not be before, that time was missed.
    fn open_again(&mut self, id: Snowflake, missed: Missed) {
        let to = (self.clock)();
        let Some(place) = self.places.get_mut(id) else { return };
        let Some((_, from)) = place.kept.trouble.take() else { return };
        tracing::info!(channel = place.kept.name, "the channel can be heard again");
        self.pending.progress.gaps.push(Gap { channel: place.channel(), missed, from, to: to.max(from) });
        self.pending.progress.places.push(place.kept.clone());
    }

    /// Keeps that a channel was not observed, if it was listened to before.
    fn gap(&mut self, id: Snowflake, (why, missed): (Why, Missed)) {
        let Why::NewSession(Some(from)) = why else { return };
        let is_listened_to = self.places.known(id) == Known::Wanted;
        let Some(place) = self.places.get(id).filter(|place| place.is_old && is_listened_to) else { return };
        let gap = Gap { channel: place.channel(), missed, from, to: (self.clock)().max(from) };
        self.pending.progress.gaps.push(gap);
    }

    /// A channel that cannot be read stops alone; it is looked at again later. A refused token ends everything.
    fn closed(&mut self, id: Snowflake, error: RestError) -> Result<(), Failure> {
        let name = self.places.get(id).map_or_else(|| id.to_string(), |place| place.kept.name.clone());
        let words = match error {
            RestError::Token => return Err(error.into()),
            RestError::Later(reason) => {
                tracing::warn!(
                    channel = name,
                    "its history cannot be read now ({reason}); trying again at the next look"
                );
                return Ok(());
            }
            RestError::Strange(_) => {
                tracing::warn!(channel = name, "{error}; trying again at the next look");
                return Ok(());
            }
            RestError::Forbidden { .. } => words::forbidden(&name),
            RestError::Missing { .. } => words::unknown_channel(&name),
        };
        let kept: KeptPlace = self.places.trouble(id, &words, (self.clock)());
        self.pending.progress.places.push(kept);
        self.tell(id, words);
        Ok(())
    }

    /// Says something about a channel once, until something else is to be said.
    fn tell(&mut self, id: Snowflake, words: String) {
        if self.told.get(&id) != Some(&words) {
            tracing::warn!("{words}");
            self.told.insert(id, words);
        }
    }

    /// Reads what is new in a channel, and what has changed among the messages just before. False when the bot may not read
    /// the history: Discord then shows an empty one.
    async fn read_newest(&mut self, raw: &RawPlace, why: Why) -> Result<Result<bool, RestError>, Failure> {
        let id = raw.id;
        let Some(read_to) = self.places.get(id).map(|place| place.kept.read_to) else { return Ok(Ok(true)) };
        let mut page = match self.page(id, Part::Newest).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        if page.0.is_empty() {
            return Ok(Ok(raw.last_message_id.is_none()));
        }
        let reaches_back = page.0.len() < PAGE || page.oldest().is_some_and(|oldest| oldest <= read_to);
        if !reaches_back {
            // More than a page is new: what lies just before the mark may have changed, too.
            page = match self.page(id, Part::Before(Snowflake(read_to.0 + 1))).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
        }
        // What lies outside the page has been deleted, too, if there is nothing of the channel beyond it.
        let oldest = page.oldest().filter(|_| page.0.len() >= PAGE).unwrap_or_default();
        let newest = if reaches_back { Snowflake(u64::MAX) } else { read_to };
        self.infer_deletes(id, (&page, oldest, newest), why).await?;
        self.take(id, page, why).await?;
        if reaches_back { Ok(Ok(true)) } else { Ok(self.read_after(id, why).await?.map(|()| true)) }
    }

    /// Reads a place from its mark to its end.
    pub(super) async fn read_after(
        &mut self,
        id: Snowflake,
        why: Why,
    ) -> Result<Result<(), RestError>, Failure> {
        loop {
            let Some(mark) = self.places.get(id).map(|place| place.kept.read_to) else { return Ok(Ok(())) };
            let page = match self.page(id, Part::After(mark)).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let Some(newest) = page.newest() else { return Ok(Ok(())) };
            let end = if page.0.len() < PAGE { Snowflake(u64::MAX) } else { newest };
            self.infer_deletes(id, (&page, Snowflake(mark.0 + 1), end), why).await?;
            self.take(id, page, why).await?;
            if self.places.get(id).is_none_or(|place| place.kept.read_to <= mark) {
                return Ok(Ok(()));
            }
        }
    }

    /// A page of history. A message whose id cannot be read is kept as undecodable.
    async fn page(&mut self, id: Snowflake, part: Part) -> Result<Result<Page, RestError>, Failure> {
        let messages = match self.rest.messages(id, part).await {
            Ok(messages) => messages,
            Err(RestError::Token) => return Err(RestError::Token.into()),
            Err(error) => return Ok(Err(error)),
        };
        let mut page = Vec::with_capacity(messages.len());
        for message in messages {
            match serde_json::from_str::<OnlyId>(message.get()) {
                Ok(OnlyId { id }) => page.push((id, message)),
                Err(error) => {
                    if let Some(channel) = self.places.get(id).map(Place::channel) {
                        self.undecodable(channel, message.get(), error.to_string());
                    }
                }
            }
        }
        page.sort_by_key(|(id, _)| *id);
        Ok(Ok(Page(page)))
    }

    /// Stages a page, and moves the mark behind it.
    async fn take(&mut self, id: Snowflake, page: Page, why: Why) -> Result<(), Failure> {
        let now = (self.clock)();
        let Some((since, name)) =
            self.places.get(id).map(|place| (place.kept.since, place.kept.name.clone()))
        else {
            return Ok(());
        };
        let end = match why {
            Why::Check => Snowflake::at(now - SETTLED),
            // The session that goes on has told what is younger, or will: its order is the better one.
            Why::Start => Snowflake::at(self.stopped_at),
            Why::NewSession(_) => Snowflake(u64::MAX),
        };
        let seen = Seen { at: now, provenance: Provenance::Backfill };
        let (mut mark, mut count) = (None, 0u64);
        for (message, raw) in page.0.iter().filter(|(message, _)| *message > since && *message < end) {
            self.message(id, raw.get(), seen).await?;
            (mark, count) = (Some(*message), count + 1);
        }
        if let Some(mark) = mark
            && let Some(place) = self.places.get_mut(id)
        {
            place.kept.read_to = place.kept.read_to.max(mark);
            self.pending.progress.read_to = Some((id, mark));
        }
        let staged = self.flush().await?;
        if staged.new > 0 {
            tracing::info!(
                channel = name,
                new = staged.new,
                looked_at = count,
                ?why,
                "read back from the history"
            );
        }
        if why == Why::Check {
            self.missed += staged.new;
            self.vitals.missed.store(self.missed, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }

    /// Known posts that the history does not have any more have been deleted while nobody listened. A page without anything
    /// proves nothing: the history may be closed.
    async fn infer_deletes(
        &mut self,
        id: Snowflake,
        (page, oldest, newest): (&Page, Snowflake, Snowflake),
        why: Why,
    ) -> Result<(), Failure> {
        if !matches!(why, Why::NewSession(Some(_))) || page.0.is_empty() {
            return Ok(());
        }
        let Some(channel) = self.places.get(id).map(Place::channel) else { return Ok(()) };
        let now = (self.clock)();
        for gone in ledger::standing(self.outbox, &channel.external_id, (oldest, newest)).await? {
            if page.0.iter().any(|(message, _)| *message == gone) {
                continue;
            }
            // A tombstone withdraws a call: what a page lacks is asked for by name.
            match self.rest.message(id, gone).await {
                Err(RestError::Missing { .. }) => {}
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Ok(_) | Err(_) => continue,
            }
            let author = self.outbox.author_of(&channel, &gone.to_string()).await?;
            let post = message::tombstone(channel.clone(), gone, author, now);
            let raw = format!(r#"{{"id":"{gone}","channel_id":"{id}","missing_from_history":true}}"#);
            self.stage(post, &raw, Seen { at: now, provenance: Provenance::Backfill });
        }
        Ok(())
    }

    /// Reads the threads of all channels as far as they have something new.
    async fn read_threads(&mut self, why: Why) -> Result<(), Failure> {
        let mut threads = Vec::new();
        let mut guilds: Vec<Snowflake> = Vec::new();
        for root in self.places.roots() {
            let Some(place) = self.places.get(root).filter(|place| place.kept.trouble.is_none()) else {
                continue;
            };
            guilds.extend(place.guild.filter(|guild| !guilds.contains(guild)));
            if let Why::Check = why {
                continue;
            }
            // What was archived before the session ended has nothing that was not heard.
            match self.rest.archived_threads(root, self.alive).await {
                Ok(archived) => threads.extend(archived),
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Err(error) => tracing::debug!(%root, "its archived threads: {error}"),
            }
        }
        for guild in guilds {
            match self.rest.active_threads(guild).await {
                Ok(active) => threads.extend(active),
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Err(error) => {
                    tracing::warn!(%guild, "its threads cannot be listed ({error}); trying again at the next look")
                }
            }
        }
        for thread in threads {
            self.notice(&thread);
            if let Err(error) = self.read_thread(&thread, why).await? {
                tracing::warn!(
                    thread = thread.name(),
                    "its history cannot be read ({error}); trying again at the next look"
                );
            }
        }
        Ok(())
    }

    /// Reads a thread if it has something new; after a time in which nobody listened also if it was talked in lately,
    /// because what was said then may have been changed.
    async fn read_thread(&mut self, thread: &RawPlace, why: Why) -> Result<Result<(), RestError>, Failure> {
        let (Some(place), Some(last)) = (self.places.get(thread.id), thread.last_message_id) else {
            return Ok(Ok(()));
        };
        let has_news = last > place.kept.read_to;
        match why {
            Why::NewSession(Some(from)) if last.made_at() > from - TALKED_IN_LATELY => {
                Ok(self.read_newest(thread, why).await?.map(|_| ()))
            }
            _ if has_news => self.read_after(thread.id, why).await,
            _ => Ok(Ok(())),
        }
    }
}
