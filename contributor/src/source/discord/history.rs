//! Reading back what was posted while nobody listened, and looking whether the gateway has told everything.
//!
//! Entry points: [`Listener::catch_up`], [`Listener::check`]. Fact: a new gateway session is told nothing of the past.
//! Invariants: a place's mark moves only over history that has been staged; what was there before listening began stays
//! where it is; a message that cannot be decoded costs itself alone; a channel that is closed stops alone.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::post::ChannelRef;
use shared::wire::Missed;
use time::OffsetDateTime;

use super::calls::{PAGE, Part};
use super::dispatch::RawPlace;
use super::intake::Seen;
use super::ledger;
use super::listener::Listener;
use super::message;
use super::places::Place;
use super::rest::RestError;
use super::snowflake::Snowflake;
use super::words;
use crate::failure::Failure;

/// As long as a session goes on, the history of its last minute is left to the gateway, which may just be telling it.
const SETTLED: time::Duration = time::Duration::MINUTE;

/// So many known posts at most are asked for one by one when a history lacks them. More are lacking only where somebody has
/// cleared a channel; the youngest matter most, and the gap tells of the others.
const MAX_MISSING: i64 = 500;

/// Discord's code for a message that is not there any more.
const UNKNOWN_MESSAGE: u64 = 10_008;

/// Why the history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The program has begun, and the old session goes on.
    Start,
    /// A new gateway session. From the time given on, if there is one, nobody listened.
    NewSession(Option<OffsetDateTime>),
    /// A while has passed.
    Check,
    /// Somebody asked for it, from some time on: what lies before that time stays unread, so no mark may move.
    Asked,
}

impl Why {
    /// For the log.
    fn word(self) -> &'static str {
        match self {
            Why::Start => "start",
            Why::NewSession(_) => "nobody listened",
            Why::Check => "regular look",
            Why::Asked => "asked for",
        }
    }
}

#[derive(Deserialize)]
struct OnlyId {
    id: Snowflake,
}

/// A page in the order of time.
struct Page {
    messages: Vec<(Snowflake, Box<RawValue>)>,
    /// Whether there may be more: what cannot be read counts, too.
    is_full: bool,
}

impl Page {
    fn oldest(&self) -> Option<Snowflake> {
        self.messages.first().map(|(id, _)| *id)
    }

    fn newest(&self) -> Option<Snowflake> {
        self.messages.last().map(|(id, _)| *id)
    }
}

impl Listener<'_> {
    /// Reads back everything that is wanted: each channel, then the threads.
    pub(super) async fn catch_up(&mut self, why: Why) -> Result<(), Failure> {
        for id in self.places.wanted() {
            self.gap(id, (why, Missed::EditsAndDeletes));
            // A channel that was closed has not been observed since then, whatever the reason for this look is.
            let why = self.closed_since(id).map_or(why, |from| Why::NewSession(Some(from)));
            match self.rest.place(id).await {
                Ok(raw) => self.read_root(&raw, why).await?,
                Err(error) => self.closed(id, error)?,
            }
        }
        self.read_threads(&self.places.roots(), why).await?;
        self.flush().await?;
        self.places.grow_old();
        Ok(())
    }

    pub(super) async fn read_root(&mut self, raw: &RawPlace, why: Why) -> Result<(), Failure> {
        self.notice(raw);
        if let Some(objection) = self.places.objection(&raw.id.to_string()) {
            self.in_trouble(raw.id, words::not_approved(&raw.name(), objection), (self.clock)());
            self.flush().await?;
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
                let standing = self.standing(raw.id).await?;
                self.tell(raw.id, words::no_history(&raw.name(), standing));
            }
            Err(error) => self.closed(raw.id, error)?,
        }
        self.flush().await?;
        Ok(())
    }

    /// Reads what is new in a channel, and what has changed among the messages just before. False when the bot may not read
    /// the history: Discord then shows an empty one.
    pub(super) async fn read_newest(
        &mut self,
        raw: &RawPlace,
        why: Why,
    ) -> Result<Result<bool, RestError>, Failure> {
        let id = raw.id;
        let Some(read_to) = self.places.get(id).map(|place| place.kept.read_to) else { return Ok(Ok(true)) };
        let mut page = match self.page(id, Part::Newest).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        if page.messages.is_empty() && !page.is_full {
            let is_empty = self.is_truly_empty(raw).await?;
            if is_empty == Ok(true) {
                self.infer_deletes(id, (&page, Snowflake::default(), Snowflake(u64::MAX)), why).await?;
            }
            return Ok(is_empty);
        }
        let reaches_back = !page.is_full || page.oldest().is_some_and(|oldest| oldest <= read_to);
        if !reaches_back {
            // More than a page is new: what lies just before the mark may have changed, too.
            page = match self.page(id, Part::Before(Snowflake(read_to.0 + 1))).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
        }
        // What lies outside the page has been deleted, too, if there is nothing of the channel beyond it.
        let oldest = page.oldest().filter(|_| page.is_full).unwrap_or_default();
        let newest = if reaches_back { Snowflake(u64::MAX) } else { read_to };
        self.infer_deletes(id, (&page, oldest, newest), why).await?;
        self.take(id, page, why).await?;
        if reaches_back { Ok(Ok(true)) } else { Ok(self.read_after(id, why).await?.map(|()| true)) }
    }

    /// The history is empty. Discord shows that, too, to a bot that may not read it; the last message that was ever posted tells
    /// the difference: it is forbidden, or it was deleted. A channel never forgets which message that was: one that names
    /// none, or an older one than we know, is not as it was, and proves nothing.
    async fn is_truly_empty(&mut self, raw: &RawPlace) -> Result<Result<bool, RestError>, Failure> {
        let all = (Snowflake::default(), Snowflake(u64::MAX));
        let known = ledger::standing(self.outbox, &raw.id.to_string(), all, 1).await?.first().copied();
        let last = match (raw.last_message_id, known) {
            (None, None) => return Ok(Ok(true)),
            (last, known) if last < known => return Ok(Ok(false)),
            (last, _) => last.unwrap_or_default(),
        };
        match self.rest.message(raw.id, last).await {
            Err(RestError::Missing { code: UNKNOWN_MESSAGE, .. }) => Ok(Ok(true)),
            Err(RestError::Token) => Err(RestError::Token.into()),
            Err(error @ (RestError::Later(_) | RestError::Strange(_))) => Ok(Err(error)),
            Ok(_) | Err(_) => Ok(Ok(false)),
        }
    }

    /// How many known posts of a channel have not been deleted, up to [`MAX_MISSING`].
    async fn standing(&self, id: Snowflake) -> Result<u64, Failure> {
        let all = (Snowflake::default(), Snowflake(u64::MAX));
        Ok(ledger::standing(self.outbox, &id.to_string(), all, MAX_MISSING).await?.len() as u64)
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
            let end = if page.is_full { newest } else { Snowflake(u64::MAX) };
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
        let is_full = messages.len() >= PAGE;
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
        Ok(Ok(Page { messages: page, is_full }))
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
            // A session that goes on has told what is younger, or will, and its order is the better one: a message that was deleted
            // since is in no history, and would come after those that are.
            Why::Start | Why::Check => Snowflake::at(self.alive - SETTLED),
            Why::NewSession(_) | Why::Asked => Snowflake(u64::MAX),
        };
        let seen = Seen::back(now);
        let (mut mark, mut count) = (None, 0u64);
        for (message, raw) in page.messages.iter().filter(|(message, _)| *message > since && *message < end) {
            self.message(id, raw.get(), seen).await?;
            (mark, count) = (Some(*message), count + 1);
        }
        if let Some(mark) = mark
            && let Some(place) = self.places.get_mut(id)
        {
            place.kept.read_to = place.kept.read_to.max(mark);
            self.pending.progress.read_to = Some((id, mark)).filter(|_| why != Why::Asked);
        }
        let staged = self.flush().await?;
        self.vitals.alive(now);
        if staged.new > 0 {
            tracing::info!(
                channel = %id,
                name,
                new = staged.new,
                looked_at = count,
                why = why.word(),
                "read back from the history"
            );
        }
        if why == Why::Check {
            self.missed += staged.new;
            self.vitals.missed.store(self.missed, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }

    /// Known posts that the history does not have any more have been deleted while nobody listened.
    async fn infer_deletes(
        &mut self,
        id: Snowflake,
        (page, oldest, newest): (&Page, Snowflake, Snowflake),
        why: Why,
    ) -> Result<(), Failure> {
        if !matches!(why, Why::NewSession(Some(_))) {
            return Ok(());
        }
        let Some(channel) = self.places.get(id).map(Place::channel) else { return Ok(()) };
        let (now, mut count) = ((self.clock)(), 0u64);
        for gone in ledger::standing(self.outbox, &channel.external_id, (oldest, newest), MAX_MISSING).await?
        {
            if page.messages.iter().any(|(message, _)| *message == gone) {
                continue;
            }
            // A tombstone withdraws a call: what a page lacks is asked for by name.
            match self.rest.message(id, gone).await {
                Err(RestError::Missing { code: UNKNOWN_MESSAGE, .. }) => {}
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(channel = %id, message = %gone, "whether it was deleted cannot be told: {error}");
                    continue;
                }
            }
            let author = self.outbox.author_of(&channel, &gone.to_string()).await?;
            let post = message::tombstone(channel.clone(), gone, author, now);
            let raw = format!(r#"{{"id":"{gone}","channel_id":"{id}","missing_from_history":true}}"#);
            self.stage(post, &raw, Seen::back(now));
            count += 1;
        }
        let ChannelRef { external_id, name, .. } = channel;
        match (count, page.messages.is_empty()) {
            (0, _) => {}
            (_, false) => {
                tracing::info!(channel = external_id, name, count, "posts were deleted while nobody listened")
            }
            (_, true) => tracing::warn!(
                channel = external_id,
                name,
                count,
                "the channel was emptied while nobody listened: Discord says of each known post that it was deleted"
            ),
        }
        Ok(())
    }
}
