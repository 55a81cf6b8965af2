//! The signals that a batch touches: loaded once, changed in memory, saved once.
//!
//! Entry points: [`Book::load`], then look-ups and [`Book::put`]. Invariant: a signal that an earlier post of the same
//! batch made or changed is seen by the later ones, exactly as if each post had come in a batch of its own.

use std::collections::{BTreeMap, BTreeSet};

use shared::update::{Action, Scope, SignalUpdate};
use shared::wire::SignalStatus;
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

use super::publish::Arrival;
use crate::store::StoreError;
use crate::store::posts::MessageKey;
use crate::store::signals::{self, Candidates, Signal};
use crate::store::updates;

/// How far back a follow-up without a reply may reach: an older call is better named by a reply.
const MAX_REACH: Duration = Duration::days(30);
/// How many of an author's newest signals on one ticker (or at all, for "my last one") are looked at.
const NEWEST: i64 = 20;
/// The most signals that "close all" may mean; an author with more open ones is not understood.
pub(super) const MOST_AT_ONCE: usize = 50;

/// The signals that a batch may touch.
#[derive(Debug, Default)]
pub(super) struct Book {
    signals: BTreeMap<Uuid, Signal>,
    /// Messages that are follow-ups, the signals that they are bound to, and what they have said.
    bound: BTreeMap<(MessageKey, Uuid), Vec<Action>>,
    changed: Vec<Uuid>,
}

impl Book {
    /// Loads the signals of the messages that were edited, deleted, answered or disputed, and those that follow-ups in the
    /// batch may be about.
    pub(super) async fn load(
        connection: &mut PgConnection,
        arrivals: &[Arrival<'_>],
        disputes: &[MessageKey],
    ) -> Result<Self, StoreError> {
        let mut messages: BTreeSet<MessageKey> = disputes.iter().cloned().collect();
        let mut wishes = Vec::new();
        for arrival in arrivals {
            messages.extend((arrival.revision > 0).then(|| arrival.key.clone()));
            for update in arrival.updates() {
                messages.extend(arrival.reply_key());
                wishes.extend(wish(arrival, update));
            }
        }
        let mut book = Self::default();
        if !messages.is_empty() {
            let messages = Vec::from_iter(messages);
            for told in updates::of_messages(connection, &messages).await? {
                let key = MessageKey { channel_id: told.channel_id, external_id: told.external_id };
                book.bound.extend(told.signal_id.map(|signal| ((key, signal), told.update.actions)));
            }
            for signal in signals::of_messages(connection, &messages).await? {
                book.signals.insert(signal.record.id, signal);
            }
        }
        if !wishes.is_empty() {
            for signal in signals::candidates(connection, &wishes).await? {
                book.signals.insert(signal.record.id, signal);
            }
        }
        Ok(book)
    }

    /// A signal by its id.
    pub(super) fn get(&self, id: Uuid) -> Option<&Signal> {
        self.signals.get(&id)
    }

    /// The signals that were read from this message, by their place in it.
    pub(super) fn of_message(&self, key: &MessageKey) -> Vec<&Signal> {
        let mut found: Vec<&Signal> = self.signals.values().filter(|signal| signal.key() == *key).collect();
        found.sort_by_key(|signal| signal.record.ordinal);
        found
    }

    /// The signals that a message is about: its own, or those that it was bound to as a follow-up.
    pub(super) fn about(&self, key: &MessageKey) -> Vec<&Signal> {
        let own = self.of_message(key);
        if !own.is_empty() {
            return own;
        }
        let bound = self.bound.keys().filter(|(message, _)| message == key);
        bound.filter_map(|(_, id)| self.signals.get(id)).collect()
    }

    /// The author's signals in the channel that were posted before the follow-up, newest first, without withdrawn ones.
    pub(super) fn of_author(&self, arrival: &Arrival<'_>) -> Vec<&Signal> {
        let post = &arrival.sighting.post;
        let mut found: Vec<&Signal> = self
            .signals
            .values()
            .filter(|signal| signal.record.channel_id == arrival.key.channel_id)
            .filter(|signal| {
                signal.author_id == post.author.external_id && signal.status != SignalStatus::Withdrawn
            })
            .filter(|signal| signal.record.posted_at <= post.occurred_at())
            .filter(|signal| signal.record.posted_at >= post.occurred_at() - MAX_REACH)
            .collect();
        found.sort_by_key(|signal| std::cmp::Reverse((signal.record.posted_at, signal.record.id)));
        found
    }

    /// Puts a new or changed signal in its place; it will be saved.
    pub(super) fn put(&mut self, signal: Signal) {
        let id = signal.record.id;
        self.signals.insert(id, signal);
        if !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    /// Remembers that a message is a follow-up of a signal, and what it said last.
    pub(super) fn bind(&mut self, message: MessageKey, signal: Uuid, actions: Vec<Action>) {
        self.bound.insert((message, signal), actions);
    }

    /// True when this message has said the same about this signal before.
    pub(super) fn has_told(&self, message: &MessageKey, signal: Uuid, actions: &[Action]) -> bool {
        self.bound.get(&(message.clone(), signal)).is_some_and(|told| told == actions)
    }

    /// The signals to save, in the order in which they were first touched.
    pub(super) fn into_changed(mut self) -> Vec<Signal> {
        self.changed.iter().filter_map(|id| self.signals.remove(id)).collect()
    }
}

/// Which stored signals a follow-up needs to see.
fn wish(arrival: &Arrival<'_>, update: &SignalUpdate) -> Option<Candidates> {
    let (base, only_open, most) = match &update.scope {
        Scope::Reply { .. } => return None,
        Scope::Symbol { base, .. } => (Some(base.to_string()), false, NEWEST),
        Scope::Last | Scope::Reference { .. } => (None, false, NEWEST),
        // One more than may be meant, so that too many are noticed.
        Scope::All { .. } => (None, true, i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX) + 1),
    };
    let post = &arrival.sighting.post;
    Some(Candidates {
        channel_id: arrival.key.channel_id,
        author_id: post.author.external_id.clone(),
        base,
        until: post.occurred_at(),
        since: post.occurred_at() - MAX_REACH,
        only_open,
        most,
    })
}

impl Arrival<'_> {
    /// The follow-ups that this post holds.
    pub(super) fn updates(&self) -> &[SignalUpdate] {
        self.reading.map_or(&[], |reading| reading.verdict.updates())
    }

    /// The message that this post answers.
    pub(super) fn reply_key(&self) -> Option<MessageKey> {
        let external_id = self.sighting.post.reply_to.clone()?;
        Some(MessageKey { channel_id: self.key.channel_id, external_id })
    }
}
