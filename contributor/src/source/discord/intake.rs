//! From what was heard or read back to entries of the outbox.
//!
//! Entry points: [`Listener::message`], [`Listener::deleted`], [`Listener::flush`].
//! Invariants: an entry waits in memory only until the next flush, and the position that covers it moves in the same
//! transaction; what cannot be decoded is kept raw and counted; an empty message is believed only with the intent.

use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::post::{Post, Provenance, Sighting};
use shared::wire::Missed;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::ledger::{self, Progress};
use super::listener::Listener;
use super::message::{self, Meaning};
use super::places::Known;
use super::rest::{Rest, RestError};
use super::snowflake::Snowflake;
use super::words;
use crate::failure::Failure;
use crate::outbox::{Entry, Staged};

/// A message without anything in it is believed for so long after the intent was seen to be on.
const CONTENT_BELIEVED: Duration = Duration::from_secs(60);
/// The first pause when Discord cannot be asked; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How something came to us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) at: OffsetDateTime,
    pub(super) provenance: Provenance,
    /// Whether it was told as it was posted: then its lag counts.
    pub(super) is_new: bool,
}

impl Seen {
    /// In the history.
    pub(super) fn back(at: OffsetDateTime) -> Self {
        Self { at, provenance: Provenance::Backfill, is_new: false }
    }

    /// On the gateway.
    pub(super) fn live(at: OffsetDateTime, is_new: bool) -> Self {
        Self { at, provenance: Provenance::Live, is_new }
    }
}

/// What waits for the next flush.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) entries: Vec<Entry>,
    pub(super) progress: Progress,
}

impl Listener<'_> {
    /// Takes a message object that was found in this channel.
    pub(super) async fn message(&mut self, channel: Snowflake, raw: &str, seen: Seen) -> Result<(), Failure> {
        if !self.is_wanted(channel).await? {
            return Ok(());
        }
        let Some(place) = self.places.get(channel) else { return Ok(()) };
        let (here, root) = (place.channel(), place.root());
        let full;
        let (mut raw, mut read) = (raw, message::read(raw, &here, seen.at));
        if let Ok(partial) = &read
            && partial.meaning == Meaning::Partial
        {
            let id = partial.id;
            match self.persist("a message", async |rest| rest.message(channel, id).await).await? {
                Ok(text) => full = text,
                // It is gone before it could be read: its deletion follows.
                Err(RestError::Missing { .. }) => return Ok(()),
                Err(error) => {
                    self.undecodable(
                        here,
                        raw,
                        format!("an edit came without its text, and asking for it failed: {error}"),
                    );
                    return Ok(());
                }
            }
            (raw, read) = (&full, message::read(&full, &here, seen.at));
        }
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                self.undecodable(here, raw, error.to_string());
                return Ok(());
            }
        };
        // Closed, we thought: somebody has opened it.
        if seen.provenance == Provenance::Live {
            self.open_again(channel, Missed::EditsAndDeletes);
        }
        if read.is_copy {
            self.pending.progress.copies.push(read.id);
        }
        self.note_heard(channel, seen, Some(read.id));
        let post = match read.meaning {
            Meaning::Nothing | Meaning::Partial => return Ok(()),
            Meaning::Blank(post) => {
                self.check_content().await?;
                post
            }
            Meaning::Post(post) | Meaning::SourceDeleted(post) => post,
        };
        if self.places.may_post(root, &post.channel.external_id) {
            self.stage(*post, root, (raw, seen));
        }
        Ok(())
    }

    /// Takes deletions. `raw` is what told of them.
    pub(super) async fn deleted(
        &mut self,
        channel: Snowflake,
        ids: &[Snowflake],
        (raw, seen): (&str, Seen),
    ) -> Result<(), Failure> {
        if !self.is_wanted(channel).await? {
            return Ok(());
        }
        // The author of what waits in memory must be known first.
        self.flush().await?;
        let Some(place) = self.places.get(channel) else { return Ok(()) };
        let (here, root) = (place.channel(), place.root());
        for id in ids {
            if ledger::is_copy(self.outbox, *id).await? {
                continue;
            }
            let author = self.outbox.author_of(&here, &id.to_string()).await?;
            let post = message::tombstone(here.clone(), *id, author, seen.at);
            self.stage(post, root, (raw, seen));
        }
        self.note_heard(channel, seen, None);
        Ok(())
    }

    /// Keeps what waits, in one transaction.
    pub(super) async fn flush(&mut self) -> Result<Staged, Failure> {
        let Pending { entries, progress } = std::mem::take(&mut self.pending);
        let staged = self.outbox.stage_heard(&entries, progress, (self.clock)()).await?;
        self.vitals.kept.fetch_add(staged.new, Ordering::Relaxed);
        Ok(staged)
    }

    /// Stages a post that was found in this channel or a thread of it.
    pub(super) fn stage(&mut self, post: Post, root: Snowflake, (raw, seen): (&str, Seen)) {
        let Seen { at, provenance, .. } = seen;
        let within = Some(root.to_string()).filter(|root| *root != post.channel.external_id);
        let sighting = Sighting { post, seen_at: at, provenance, raw: raw.to_owned(), within };
        match Entry::of(&sighting) {
            Ok(entry) => self.pending.entries.push(entry),
            Err(error) => self.undecodable(sighting.post.channel, raw, error.to_string()),
        }
    }

    /// Discord's form has changed, or something between us is broken: kept raw, counted, and the rest is used.
    pub(super) fn undecodable(&mut self, channel: shared::post::ChannelRef, raw: &str, reason: String) {
        self.undecodable += 1;
        self.vitals.undecodable.store(self.undecodable, Ordering::Relaxed);
        tracing::warn!(
            channel = channel.external_id,
            name = channel.name,
            count = self.undecodable,
            "a message could not be decoded ({reason}); it is kept, `contributor status` shows it"
        );
        self.pending.entries.push(Entry::Undecodable { channel, raw: raw.to_owned(), reason });
    }

    /// Something was told of this channel.
    fn note_heard(&mut self, channel: Snowflake, seen: Seen, message: Option<Snowflake>) {
        if seen.provenance != Provenance::Live {
            return;
        }
        let lag = message.filter(|_| seen.is_new).map(|message| seen.at - message.made_at());
        let lag_ms = lag.and_then(|lag| i64::try_from(lag.whole_milliseconds()).ok());
        let heard = &mut self.pending.progress.heard;
        match heard.iter_mut().find(|(place, ..)| *place == channel) {
            Some((_, at, latest)) => (*at, *latest) = (seen.at, lag_ms.or(*latest)),
            None => heard.push((channel, seen.at, lag_ms)),
        }
    }

    /// Whether messages of this channel are wanted; Discord is asked about one that nobody has described.
    async fn is_wanted(&mut self, channel: Snowflake) -> Result<bool, Failure> {
        if self.places.known(channel) == Known::Unknown {
            match self.persist("a channel", async |rest| rest.place(channel).await).await? {
                Ok(raw) => self.notice(&raw),
                Err(error) => tracing::debug!(%channel, "asking about a channel: {error}"),
            }
            if self.places.known(channel) == Known::Unknown {
                self.places.remember_stranger(channel);
            }
        }
        Ok(self.places.known(channel) == Known::Wanted)
    }

    /// A message with nothing in it may be one whose content is withheld.
    async fn check_content(&mut self) -> Result<(), Failure> {
        if self.content_seen.is_some_and(|seen: Instant| seen.elapsed() < CONTENT_BELIEVED) {
            return Ok(());
        }
        match self.persist("the bot's intents", async |rest| rest.may_read_content().await).await? {
            Ok(false) => Err(Failure::Configuration(words::content_intent_off())),
            Ok(true) => {
                self.content_seen = Some(Instant::now());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks until Discord answers, whatever the answer is. A refused token ends everything.
    pub(super) async fn persist<T>(
        &self,
        what: &str,
        ask: impl AsyncFn(&Rest) -> Result<T, RestError>,
    ) -> Result<Result<T, RestError>, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            match ask(self.rest).await {
                Err(RestError::Later(reason)) => {
                    tracing::warn!("asking Discord about {what}: {reason}; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(RestError::Token) => return Err(RestError::Token.into()),
                answer => return Ok(answer),
            }
        }
    }
}
