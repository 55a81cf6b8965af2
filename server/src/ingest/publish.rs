//! What a post changes: signals, updates, and the events that tell of it. Pure: the database is [`Book`]'s business.
//!
//! Entry points: [`Publisher::publish`], [`Publisher::dispute`], [`Publisher::finish`]. Signals are handled here, follow-ups
//! in `follow_ups`.

mod follow_ups;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use shared::post::{Post, Provenance};
use shared::reading::{READER_VERSION, Reading, Verdict};
use shared::signal::Signal as Idea;
use shared::wire::{Event, SignalRecord, SignalStatus, UpdateRecord};
use time::OffsetDateTime;
use uuid::Uuid;

use super::book::Book;
use crate::ids;
use crate::store::log::NewEvent;
use crate::store::posts::MessageKey;
use crate::store::signals::Signal;
use crate::store::{StoreError, to_json};

pub(crate) use follow_ups::last_word;

/// A revision that is to be told: it is the newest of its message.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) key: &'a MessageKey,
    pub(crate) post_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) post: &'a Post,
    /// How, when and when it came here first.
    pub(crate) provenance: Provenance,
    pub(crate) seen_at: OffsetDateTime,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) reading: Option<&'a Reading>,
    pub(crate) occasion: Occasion,
}

/// Why a revision is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// It is new.
    News,
    /// It was read again, and reads differently than before.
    Again {
        /// Whether an earlier revision of the message reads as a signal, so that this one is an edit of it.
        edits_a_signal: bool,
        /// Whether contributors disagree about its words.
        disputed: bool,
    },
}

impl Arrival<'_> {
    pub(crate) fn is_again(&self) -> bool {
        self.occasion != Occasion::News
    }

    fn is_disputed(&self) -> bool {
        matches!(self.occasion, Occasion::Again { disputed: true, .. })
    }

    /// Whether its updates are about other signals than its message's own. An edit that adds ticks or "closed" to a
    /// signal's own post is a follow-up to that signal.
    fn is_follow_up(&self, earlier: &[Signal]) -> bool {
        earlier.is_empty() || matches!(self.occasion, Occasion::Again { edits_a_signal: false, .. })
    }

    /// Why something is gone.
    fn because(&self, news: String, again: &str) -> String {
        if self.is_again() { format!("read again: {again}") } else { news }
    }
}

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) signals: Vec<Signal>,
    pub(crate) updates: Vec<UpdateRecord>,
    /// Follow-ups that are none any more.
    pub(crate) withdrawn: Vec<Uuid>,
    pub(crate) events: Vec<NewEvent>,
}

/// Works through the posts of a batch, one after the other.
pub(crate) struct Publisher {
    book: Book,
    now: OffsetDateTime,
    /// The newest revision of each message that this batch has told.
    newest: HashMap<MessageKey, i64>,
    updates: Vec<UpdateRecord>,
    withdrawn: Vec<Uuid>,
    /// The follow-ups that the post at hand says, old and new.
    said: Vec<Uuid>,
    events: Vec<NewEvent>,
}

impl Publisher {
    pub(crate) fn new(book: Book, now: OffsetDateTime) -> Self {
        Self {
            book,
            now,
            newest: HashMap::new(),
            updates: Vec::new(),
            withdrawn: Vec::new(),
            said: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Says what one post changes.
    pub(crate) fn publish(&mut self, arrival: &Arrival<'_>) -> Result<(), StoreError> {
        let newest = self.newest.entry(arrival.key.clone()).or_insert(arrival.revision);
        if *newest > arrival.revision {
            // A later revision stood before this one in the same batch: this one is history.
            return Ok(());
        }
        *newest = arrival.revision;
        self.said.clear();
        let earlier: Vec<Signal> = self.book.of_message(arrival.key).into_iter().cloned().collect();
        match arrival.reading.map(|reading| &reading.verdict) {
            None => self.withdraw(arrival, &earlier, "its post was deleted"),
            Some(Verdict::Signals { signals, updates }) => {
                self.signals(arrival, signals, &earlier)?;
                updates.iter().try_for_each(|update| self.follow_up(arrival, update))
            }
            Some(Verdict::Updates { updates }) if arrival.is_follow_up(&earlier) => {
                // Only after reading again is there anything to withdraw.
                self.withdraw(arrival, &earlier, "read again: it is a follow-up, and no signal of its own")?;
                updates.iter().try_for_each(|update| self.follow_up(arrival, update))
            }
            Some(Verdict::Updates { updates }) => {
                let pairs =
                    earlier.iter().flat_map(|signal| updates.iter().map(move |update| (signal, update)));
                pairs
                    .into_iter()
                    .try_for_each(|(signal, update)| self.bound(arrival, update, signal.record.id))
            }
            Some(Verdict::Noise { reason } | Verdict::Abstained { reason }) => {
                let edited = format!("its post was edited and is no signal any more: {reason}");
                self.withdraw(arrival, &earlier, &arrival.because(edited, reason))
            }
        }?;
        if arrival.is_again() { self.take_back(arrival) } else { Ok(()) }
    }

    /// Marks the signals of a message as disputed; of a message without signals, at least that is told.
    pub(crate) fn dispute(&mut self, key: &MessageKey) -> Result<(), StoreError> {
        if self.book.of_message(key).is_empty() {
            let MessageKey { channel_id, external_id } = key.clone();
            let event = Event::PostDisputed { channel_id, external_id, occurred_at: self.now };
            let (kind, payload) = (kind_name(&event), to_json(&event)?);
            self.events.push(NewEvent { kind, channel_id, base: None, payload });
        }
        let undisputed = self.book.of_message(key).into_iter().filter(|signal| !signal.disputed).cloned();
        for mut signal in undisputed.collect::<Vec<_>>() {
            signal.disputed = true;
            let event = Event::SignalDisputed { signal_id: signal.record.id, occurred_at: self.now };
            self.event(&event, &signal)?;
            self.book.put(signal);
        }
        Ok(())
    }

    /// What is to be written.
    pub(crate) fn finish(self) -> Changes {
        let Self { book, updates, withdrawn, events, .. } = self;
        Changes { signals: book.into_changed(), updates, withdrawn, events }
    }

    fn signals(
        &mut self,
        arrival: &Arrival<'_>,
        ideas: &[Idea],
        earlier: &[Signal],
    ) -> Result<(), StoreError> {
        for (ordinal, idea) in (0u16..).zip(ideas) {
            let before = earlier.iter().find(|signal| signal.record.ordinal == ordinal);
            if before.is_some_and(|before| {
                before.record.signal == *idea && before.status != SignalStatus::Withdrawn
            }) {
                continue;
            }
            self.signal(arrival, (ordinal, idea), before)?;
        }
        let surplus: Vec<Signal> = earlier
            .iter()
            .filter(|signal| usize::from(signal.record.ordinal) >= ideas.len())
            .cloned()
            .collect();
        let edited = "its post was edited and holds fewer signals now".to_owned();
        self.withdraw(arrival, &surplus, &arrival.because(edited, "its post holds fewer signals"))
    }

    /// Tells one signal that is new or reads differently than before.
    fn signal(
        &mut self,
        arrival: &Arrival<'_>,
        (ordinal, idea): (u16, &Idea),
        before: Option<&Signal>,
    ) -> Result<(), StoreError> {
        let id = before.map_or_else(|| ids::new(self.now), |before| before.record.id);
        let mut record = record(arrival, (id, ordinal), idea);
        record.reread |= before.is_some_and(|before| before.record.reread);
        let told = Box::new(record.clone());
        let event = match before {
            Some(_) => Event::SignalRevised { signal: told },
            None => Event::SignalPosted { signal: told },
        };
        // A corrected word does not open again what its channel has ended.
        let (status, status_at) = match before {
            None => (SignalStatus::Open, None),
            Some(before) if before.status == SignalStatus::Withdrawn => self.book.standing(id),
            Some(before) => (before.status, before.status_at),
        };
        let signal = Signal {
            record,
            author_id: arrival.post.author.external_id.clone(),
            revision: arrival.revision,
            status,
            status_at,
            disputed: before.is_some_and(|before| before.disputed) || arrival.is_disputed(),
        };
        self.event(&event, &signal)?;
        if before.is_none() && signal.disputed {
            self.event(&Event::SignalDisputed { signal_id: id, occurred_at: self.now }, &signal)?;
        }
        self.book.put(signal);
        Ok(())
    }

    fn withdraw(
        &mut self,
        arrival: &Arrival<'_>,
        signals: &[Signal],
        reason: &str,
    ) -> Result<(), StoreError> {
        for signal in signals.iter().filter(|signal| signal.status != SignalStatus::Withdrawn) {
            let event = Event::SignalWithdrawn {
                signal_id: signal.record.id,
                occurred_at: arrival.post.occurred_at(),
                reason: reason.to_owned(),
            };
            self.event(&event, signal)?;
            self.book.put(Signal {
                status: SignalStatus::Withdrawn,
                revision: arrival.revision,
                ..signal.clone()
            });
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, signal: &Signal) -> Result<(), StoreError> {
        self.events.push(NewEvent {
            kind: kind_name(event),
            channel_id: signal.record.channel_id,
            base: Some(signal.record.signal.base().to_string()),
            payload: to_json(event)?,
        });
        Ok(())
    }
}

fn record(arrival: &Arrival<'_>, (id, ordinal): (Uuid, u16), idea: &Idea) -> SignalRecord {
    let post = arrival.post;
    SignalRecord {
        id,
        channel_id: arrival.key.channel_id,
        channel: post.channel.name.clone(),
        source: post.channel.source,
        external_id: post.external_id.clone(),
        post_id: arrival.post_id,
        ordinal,
        author: post.author.name.clone(),
        provenance: arrival.provenance,
        posted_at: post.posted_at,
        occurred_at: post.occurred_at(),
        seen_at: arrival.seen_at,
        received_at: arrival.received_at,
        reader_version: READER_VERSION,
        reread: arrival.is_again(),
        signal: idea.clone(),
    }
}

/// The kind as it stands in the payload.
fn kind_name(event: &Event) -> &'static str {
    match event {
        Event::SignalPosted { .. } => "signal_posted",
        Event::SignalRevised { .. } => "signal_revised",
        Event::SignalUpdated { .. } => "signal_updated",
        Event::SignalWithdrawn { .. } => "signal_withdrawn",
        Event::SignalDisputed { .. } => "signal_disputed",
        Event::UpdateUnbound { .. } => "update_unbound",
        Event::PostDisputed { .. } => "post_disputed",
        Event::UpdateWithdrawn { .. } => "update_withdrawn",
        Event::Unknown => "unknown",
    }
}
