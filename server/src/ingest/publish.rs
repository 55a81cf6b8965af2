//! What a post changes: signals, updates, and the events that tell of it. Pure: the database is [`Book`]'s business.
//!
//! Entry points: [`Publisher::publish`], [`Publisher::dispute`], [`Publisher::finish`].

use std::collections::HashMap;

use shared::post::Sighting;
use shared::reading::{READER_VERSION, Reading, Verdict};
use shared::signal::Signal as Idea;
use shared::update::{Action, Scope, SignalUpdate};
use shared::wire::{Event, SignalRecord, SignalStatus, UpdateRecord};
use time::OffsetDateTime;
use uuid::Uuid;

use super::binding::bind;
use super::book::Book;
use crate::ids;
use crate::store::log::NewEvent;
use crate::store::posts::MessageKey;
use crate::store::signals::Signal;
use crate::store::{StoreError, to_json};

/// A revision that is new and current.
#[derive(Debug)]
pub(super) struct Arrival<'a> {
    pub(super) key: &'a MessageKey,
    pub(super) post_id: Uuid,
    pub(super) revision: i64,
    pub(super) sighting: &'a Sighting,
    pub(super) reading: Option<&'a Reading>,
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) signals: Vec<Signal>,
    pub(super) updates: Vec<UpdateRecord>,
    pub(super) events: Vec<NewEvent>,
}

/// Works through the posts of a batch, one after the other.
pub(super) struct Publisher {
    book: Book,
    now: OffsetDateTime,
    /// The newest revision of each message that this batch has told.
    newest: HashMap<MessageKey, i64>,
    updates: Vec<UpdateRecord>,
    events: Vec<NewEvent>,
}

impl Publisher {
    pub(super) fn new(book: Book, now: OffsetDateTime) -> Self {
        Self { book, now, newest: HashMap::new(), updates: Vec::new(), events: Vec::new() }
    }

    /// Says what one post changes.
    pub(super) fn publish(&mut self, arrival: &Arrival<'_>) -> Result<(), StoreError> {
        let newest = self.newest.entry(arrival.key.clone()).or_insert(arrival.revision);
        if *newest > arrival.revision {
            // A later revision stood before this one in the same batch: this one is history.
            return Ok(());
        }
        *newest = arrival.revision;
        let earlier: Vec<Signal> = self.book.of_message(arrival.key).into_iter().cloned().collect();
        match arrival.reading.map(|reading| &reading.verdict) {
            None => self.withdraw(arrival, &earlier, "its post was deleted"),
            Some(Verdict::Signals { signals, updates }) => {
                self.signals(arrival, signals, &earlier)?;
                updates.iter().try_for_each(|update| self.follow_up(arrival, update))
            }
            Some(Verdict::Updates { updates }) if earlier.is_empty() => {
                updates.iter().try_for_each(|update| self.follow_up(arrival, update))
            }
            // An edit that adds ticks or "closed" to the signal's own post is a follow-up to that signal.
            Some(Verdict::Updates { updates }) => {
                let pairs =
                    earlier.iter().flat_map(|signal| updates.iter().map(move |update| (signal, update)));
                pairs
                    .into_iter()
                    .try_for_each(|(signal, update)| self.bound(arrival, update, signal.record.id))
            }
            Some(Verdict::Noise { reason } | Verdict::Abstained { reason }) => self.withdraw(
                arrival,
                &earlier,
                &format!("its post was edited and is no signal any more: {reason}"),
            ),
        }
    }

    /// Marks the signals of a message as disputed; of a message without signals, at least that is told.
    pub(super) fn dispute(&mut self, key: &MessageKey) -> Result<(), StoreError> {
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
    pub(super) fn finish(self) -> Changes {
        Changes { signals: self.book.into_changed(), updates: self.updates, events: self.events }
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
            let id = before.map_or_else(|| ids::new(self.now), |before| before.record.id);
            let record = self.record(arrival, (id, ordinal), idea);
            let event = if before.is_some() {
                Event::SignalRevised { signal: Box::new(record.clone()) }
            } else {
                Event::SignalPosted { signal: Box::new(record.clone()) }
            };
            let signal = Signal {
                record,
                author_id: arrival.sighting.post.author.external_id.clone(),
                revision: arrival.revision,
                // A corrected word does not open again what its channel has ended.
                status: before
                    .map(|before| before.status)
                    .filter(|status| *status == SignalStatus::Ended)
                    .unwrap_or(SignalStatus::Open),
                disputed: before.is_some_and(|before| before.disputed),
            };
            self.event(&event, &signal)?;
            self.book.put(signal);
        }
        let surplus: Vec<Signal> = earlier
            .iter()
            .filter(|signal| usize::from(signal.record.ordinal) >= ideas.len())
            .cloned()
            .collect();
        self.withdraw(arrival, &surplus, "its post was edited and holds fewer signals now")
    }

    fn record(&self, arrival: &Arrival<'_>, (id, ordinal): (Uuid, u16), idea: &Idea) -> SignalRecord {
        let post = &arrival.sighting.post;
        SignalRecord {
            id,
            channel_id: arrival.key.channel_id,
            channel: post.channel.name.clone(),
            source: post.channel.source,
            external_id: post.external_id.clone(),
            post_id: arrival.post_id,
            ordinal,
            author: post.author.name.clone(),
            provenance: arrival.sighting.provenance,
            posted_at: post.posted_at,
            occurred_at: post.occurred_at(),
            seen_at: arrival.sighting.seen_at,
            received_at: self.now,
            reader_version: READER_VERSION,
            signal: idea.clone(),
        }
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
                occurred_at: arrival.sighting.post.occurred_at(),
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

    /// Binds a follow-up by the rule, or says why it cannot be bound.
    fn follow_up(&mut self, arrival: &Arrival<'_>, update: &SignalUpdate) -> Result<(), StoreError> {
        match bind(&self.book, arrival, update) {
            Ok(signals) => signals.into_iter().try_for_each(|signal| self.bound(arrival, update, signal)),
            Err(reason) => {
                let record = self.update_record(arrival, update, None);
                let event = Event::UpdateUnbound { update: Box::new(record.clone()), reason };
                let base = match &update.scope {
                    Scope::Symbol { base, .. }
                    | Scope::Reply { base: Some(base) }
                    | Scope::Reference { base: Some(base), .. } => Some(base.to_string()),
                    Scope::Reply { base: None }
                    | Scope::Reference { base: None, .. }
                    | Scope::Last
                    | Scope::All { .. } => None,
                };
                self.updates.push(record);
                let (channel_id, kind) = (arrival.key.channel_id, "update_unbound");
                self.events.push(NewEvent { kind, channel_id, base, payload: to_json(&event)? });
                Ok(())
            }
        }
    }

    fn bound(
        &mut self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
        signal_id: Uuid,
    ) -> Result<(), StoreError> {
        let found = self.book.get(signal_id).cloned();
        let signal =
            found.ok_or_else(|| StoreError::Defect(format!("signal {signal_id} is not in the book")))?;
        if self.book.has_told(arrival.key, signal_id, &update.actions) {
            // An edited follow-up that says the same is not said twice: a part-close would be carried out twice.
            return Ok(());
        }
        let record = self.update_record(arrival, update, Some(signal_id));
        self.event(&Event::SignalUpdated { update: Box::new(record.clone()) }, &signal)?;
        self.updates.push(record);
        self.book.bind(arrival.key.clone(), signal_id, update.actions.clone());
        if ends(update) && signal.status == SignalStatus::Open {
            self.book.put(Signal { status: SignalStatus::Ended, ..signal });
        }
        Ok(())
    }

    fn update_record(
        &self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
        signal_id: Option<Uuid>,
    ) -> UpdateRecord {
        let post = &arrival.sighting.post;
        UpdateRecord {
            id: ids::new(self.now),
            signal_id,
            channel_id: arrival.key.channel_id,
            channel: post.channel.name.clone(),
            external_id: post.external_id.clone(),
            post_id: arrival.post_id,
            posted_at: post.posted_at,
            occurred_at: post.occurred_at(),
            received_at: self.now,
            update: update.clone(),
        }
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

/// True when, by its channel's word, nothing more can come of the signal.
fn ends(update: &SignalUpdate) -> bool {
    update.actions.iter().any(|action| {
        matches!(action, Action::Close | Action::Cancel | Action::StoppedOut | Action::StoppedAtBreakEven)
    })
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
        Event::Unknown => "unknown",
    }
}
