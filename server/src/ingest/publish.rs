//! What a post changes: signals, updates, and the events that tell of it. Pure: the database is [`Book`]'s business.
//!
//! Entry points: [`Publisher::publish`], [`Publisher::dispute`], [`Publisher::witnessed`], [`Publisher::finish`]. Signals are handled here, follow-ups
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
use crate::store::signals::{Broken, Signal};
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
    /// How many contributors have seen it.
    pub(crate) witnesses: u32,
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

/// A stored revision that one more contributor has seen.
#[derive(Debug)]
pub(crate) struct Witnessed {
    pub(crate) key: MessageKey,
    pub(crate) post_id: Uuid,
    /// How many have, now.
    pub(crate) witnesses: u32,
}

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) signals: Vec<Signal>,
    pub(crate) updates: Vec<UpdateRecord>,
    /// Follow-ups that are none any more.
    pub(crate) withdrawn: Vec<Uuid>,
    /// Signals that are withdrawn and of which only the columns are known.
    pub(crate) broken: Vec<Uuid>,
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
    broken: Vec<Uuid>,
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
            broken: Vec::new(),
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
            // A call whose stored form is broken: its follow-up must not be taken for one to another call.
            Some(Verdict::Updates { updates }) if earlier.is_empty() && self.is_own_hidden(arrival) => {
                let reason = "the signal of its own post cannot be read: its stored form is broken";
                updates.iter().try_for_each(|update| self.unbound(arrival, update, reason.to_owned()))
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

    /// Says of the signals that stand on this revision how many have seen it. Those on another one are not concerned.
    pub(crate) fn witnessed(&mut self, seen: &Witnessed) -> Result<(), StoreError> {
        let of_message = self.book.of_message(&seen.key).into_iter().cloned();
        let stands = |signal: &Signal| {
            signal.record.post_id == seen.post_id && signal.status != SignalStatus::Withdrawn
        };
        for signal in of_message.filter(stands).collect::<Vec<_>>() {
            let (signal_id, witnesses) = (signal.record.id, seen.witnesses);
            let event = Event::SignalWitnessed { signal_id, witnesses, occurred_at: self.now };
            self.event(&event, &signal)?;
        }
        Ok(())
    }

    /// What is to be written.
    pub(crate) fn finish(self) -> Changes {
        let Self { book, updates, withdrawn, broken, events, .. } = self;
        Changes { signals: book.into_changed(), updates, withdrawn, broken, events }
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
        let gone: Vec<Broken> = self
            .book
            .broken_of(arrival.key)
            .into_iter()
            .filter(|broken| usize::from(broken.ordinal) >= ideas.len())
            .collect();
        let surplus: Vec<Signal> = earlier
            .iter()
            .filter(|signal| usize::from(signal.record.ordinal) >= ideas.len())
            .cloned()
            .collect();
        let edited = "its post was edited and holds fewer signals now".to_owned();
        let reason = arrival.because(edited, "its post holds fewer signals");
        self.withdraw_broken(arrival, gone, &reason)?;
        self.withdraw_sound(arrival, &surplus, &reason)
    }

    fn is_own_hidden(&self, arrival: &Arrival<'_>) -> bool {
        !arrival.is_again() && !self.book.broken_of(arrival.key).is_empty()
    }

    /// The broken signal in whose place a sound one comes, with all that its columns say. It counts as read again: what
    /// it said before, nobody knows.
    fn mended(&mut self, arrival: &Arrival<'_>, ordinal: u16) -> Option<Before> {
        let broken = self.book.broken_of(arrival.key).into_iter().find(|broken| broken.ordinal == ordinal)?;
        self.book.forget_broken(broken.id);
        let Broken { id, status, status_at, disputed, .. } = broken;
        Some(Before { id, status, status_at, disputed, reread: true })
    }

    /// Tells one signal that is new or reads differently than before.
    fn signal(
        &mut self,
        arrival: &Arrival<'_>,
        (ordinal, idea): (u16, &Idea),
        before: Option<&Signal>,
    ) -> Result<(), StoreError> {
        let before = match before {
            Some(before) => Some(Before::of(before)),
            None => self.mended(arrival, ordinal),
        };
        let id = before.as_ref().map_or_else(|| ids::new(self.now), |before| before.id);
        let mut record = record(arrival, (id, ordinal), idea);
        record.reread |= before.as_ref().is_some_and(|before| before.reread);
        let told = Box::new(record.clone());
        let event = match before {
            Some(_) => Event::SignalRevised { signal: told },
            None => Event::SignalPosted { signal: told },
        };
        // A corrected word does not open again what its channel has ended.
        let (status, status_at) = match &before {
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
            disputed: before.as_ref().is_some_and(|before| before.disputed) || arrival.is_disputed(),
        };
        self.event(&event, &signal)?;
        if before.is_none() && signal.disputed {
            self.event(&Event::SignalDisputed { signal_id: id, occurred_at: self.now }, &signal)?;
        }
        self.book.put(signal);
        Ok(())
    }

    /// Withdraws what the message has said: these signals, and those of its own that are broken.
    fn withdraw(
        &mut self,
        arrival: &Arrival<'_>,
        signals: &[Signal],
        reason: &str,
    ) -> Result<(), StoreError> {
        let broken = self.book.broken_of(arrival.key);
        self.withdraw_broken(arrival, broken, reason)?;
        self.withdraw_sound(arrival, signals, reason)
    }

    fn withdraw_broken(
        &mut self,
        arrival: &Arrival<'_>,
        signals: Vec<Broken>,
        reason: &str,
    ) -> Result<(), StoreError> {
        for broken in signals.into_iter().filter(|broken| broken.status != SignalStatus::Withdrawn) {
            let event = Event::SignalWithdrawn {
                signal_id: broken.id,
                occurred_at: arrival.post.occurred_at(),
                reason: reason.to_owned(),
            };
            self.events.push(NewEvent {
                kind: kind_name(&event),
                channel_id: broken.key.channel_id,
                base: Some(broken.base),
                payload: to_json(&event)?,
            });
            self.broken.push(broken.id);
            self.book.forget_broken(broken.id);
        }
        Ok(())
    }

    fn withdraw_sound(
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

/// What a signal was, as far as its next form needs to know.
struct Before {
    id: Uuid,
    status: SignalStatus,
    status_at: Option<OffsetDateTime>,
    disputed: bool,
    reread: bool,
}

impl Before {
    fn of(signal: &Signal) -> Self {
        let Signal { record, status, status_at, disputed, .. } = signal;
        Self {
            id: record.id,
            status: *status,
            status_at: *status_at,
            disputed: *disputed,
            reread: record.reread,
        }
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
        witnesses: arrival.witnesses,
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
        Event::SignalWitnessed { .. } => "signal_witnessed",
        Event::UpdateUnbound { .. } => "update_unbound",
        Event::PostDisputed { .. } => "post_disputed",
        Event::UpdateWithdrawn { .. } => "update_withdrawn",
        Event::Unknown => "unknown",
    }
}
