//! The signals that a batch touches: loaded once, changed in memory, saved once.
//!
//! Entry points: [`Book::load`], then look-ups, [`Book::put`] and [`Book::tell`]. Invariant: a signal that an earlier post
//! of the same batch made or changed is seen by the later ones, exactly as if each post had come in a batch of its own.

use std::collections::{BTreeMap, BTreeSet};

use shared::signal::Symbol;
use shared::update::{Action, Scope, SignalUpdate};
use shared::wire::{SignalStatus, UpdateRecord};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::publish::{Arrival, last_word};
use crate::store::posts::MessageKey;
use crate::store::signals::{self, Broken, Candidates, Signal};
use crate::store::{StoreError, curation, updates};

/// How far back a follow-up without a reply may reach: an older call is better named by a reply.
const MAX_REACH: Duration = Duration::days(30);
/// How many of an author's newest signals on one ticker, of one id, or at all ("my last one") are looked at.
const NEWEST: i64 = 20;
/// The most signals that "close all" may mean; an author with more open ones is not understood.
pub(crate) const MOST_AT_ONCE: usize = 50;

/// The signals that a batch may touch.
#[derive(Debug, Default)]
pub(crate) struct Book {
    signals: BTreeMap<Uuid, Signal>,
    /// What follow-ups have said, as far as this batch needs to know it.
    told: BTreeMap<Uuid, UpdateRecord>,
    changed: Vec<Uuid>,
    /// Signals of the messages whose records are none any more.
    broken: BTreeMap<Uuid, Broken>,
    /// Signals of the messages that an admin has withdrawn.
    struck: BTreeSet<Uuid>,
}

impl Book {
    /// Loads the signals of the messages that were edited, deleted, answered or disputed, and those that follow-ups in the
    /// batch may be about.
    pub(crate) async fn load(
        connection: &mut PgConnection,
        arrivals: &[&Arrival<'_>],
        disputes: &[MessageKey],
    ) -> Result<Self, StoreError> {
        let mut messages: BTreeSet<MessageKey> = disputes.iter().cloned().collect();
        let mut wishes = Vec::new();
        for arrival in arrivals {
            messages.extend((arrival.revision > 0 || arrival.is_again()).then(|| arrival.key.clone()));
            for update in arrival.updates() {
                messages.extend(arrival.reply_key());
                wishes.extend(wish(arrival, update));
            }
        }
        let mut book = Self::default();
        if !messages.is_empty() {
            let messages = Vec::from_iter(messages);
            book.add_told(updates::of_messages(connection, &messages).await?);
            let (sound, broken) = signals::of_messages(connection, &messages).await?;
            book.signals.extend(sound.into_iter().map(|signal| (signal.record.id, signal)));
            book.add_broken(connection, &broken).await?;
            let own: Vec<Uuid> = book.signals.keys().chain(book.broken.keys()).copied().collect();
            if !own.is_empty() {
                book.struck.extend(curation::struck(connection, &own).await?);
            }
            if arrivals.iter().any(|arrival| arrival.revision > 0 || arrival.is_again()) {
                // An edit may bring back a withdrawn signal, and what is read again may take back a follow-up: how the
                // signal stands then, the others say.
                book.add_told(updates::of_signals(connection, &own).await?);
            }
        }
        if !wishes.is_empty() {
            let (sound, broken) = signals::candidates(connection, &wishes).await?;
            book.signals.extend(sound.into_iter().map(|signal| (signal.record.id, signal)));
            book.add_broken(connection, &broken).await?;
        }
        Ok(book)
    }

    async fn add_broken(&mut self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
        if !ids.is_empty() {
            let broken = signals::broken(connection, ids).await?;
            self.broken.extend(broken.into_iter().map(|broken| (broken.id, broken)));
        }
        Ok(())
    }

    fn add_told(&mut self, told: Vec<UpdateRecord>) {
        self.told.extend(told.into_iter().map(|told| (told.id, told)));
    }

    /// A signal by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Signal> {
        self.signals.get(&id)
    }

    /// The signals that were read from this message, by their place in it.
    pub(crate) fn of_message(&self, key: &MessageKey) -> Vec<&Signal> {
        let mut found: Vec<&Signal> = self.signals.values().filter(|signal| signal.key() == *key).collect();
        found.sort_by_key(|signal| signal.record.ordinal);
        found
    }

    /// The signals of this message whose records are none any more.
    pub(crate) fn broken_of(&self, key: &MessageKey) -> Vec<Broken> {
        self.broken.values().filter(|broken| broken.key == *key).cloned().collect()
    }

    /// Whether a signal that a follow-up may be about is broken, so that nobody can say which one it means.
    pub(crate) fn hides(&self, arrival: &Arrival<'_>, base: Option<&Symbol>) -> bool {
        let (post, key) = (arrival.post, arrival.key);
        self.broken.values().any(|broken| {
            broken.key.channel_id == key.channel_id
                && broken.author_id == post.author.external_id
                && broken.status != SignalStatus::Withdrawn
                && (post.occurred_at() - MAX_REACH..=post.occurred_at()).contains(&broken.posted_at)
                && base.is_none_or(|base| base.as_str() == broken.base)
        })
    }

    /// The broken signal is whole again, or gone.
    pub(crate) fn forget_broken(&mut self, id: Uuid) {
        self.broken.remove(&id);
    }

    /// Whether this signal is one of those whose records are none any more.
    pub(crate) fn is_broken(&self, id: Uuid) -> bool {
        self.broken.contains_key(&id)
    }

    /// Whether an admin has withdrawn this signal.
    pub(crate) fn is_struck(&self, id: Uuid) -> bool {
        self.struck.contains(&id)
    }

    /// The signals that a message is about: its own, or those that it was bound to as a follow-up.
    pub(crate) fn about(&self, key: &MessageKey) -> Vec<&Signal> {
        let own = self.of_message(key);
        if !own.is_empty() {
            return own;
        }
        let bound: BTreeSet<Uuid> = self.told_by(key).filter_map(|told| told.signal_id).collect();
        bound.iter().filter_map(|id| self.signals.get(id)).collect()
    }

    /// The author's signals in the channel that were posted before the follow-up, newest first, without withdrawn ones.
    pub(crate) fn of_author(&self, arrival: &Arrival<'_>) -> Vec<&Signal> {
        let post = arrival.post;
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
    pub(crate) fn put(&mut self, signal: Signal) {
        let id = signal.record.id;
        self.signals.insert(id, signal);
        if !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    /// Remembers what a follow-up has said.
    pub(crate) fn tell(&mut self, told: UpdateRecord) {
        self.told.insert(told.id, told);
    }

    /// Forgets what a follow-up was thought to say.
    pub(crate) fn untell(&mut self, id: Uuid) {
        self.told.remove(&id);
    }

    /// What this message has said, whatever it is bound to.
    pub(crate) fn told_by(&self, message: &MessageKey) -> impl Iterator<Item = &UpdateRecord> {
        let is_from = |told: &&UpdateRecord| {
            told.channel_id == message.channel_id && told.external_id == message.external_id
        };
        self.told.values().filter(is_from)
    }

    /// The follow-up in which this message has said the same about this signal before.
    pub(crate) fn has_told(&self, message: &MessageKey, signal: Uuid, actions: &[Action]) -> Option<Uuid> {
        let mut told = self.told_by(message);
        told.find(|told| told.signal_id == Some(signal) && told.update.actions == actions).map(|told| told.id)
    }

    /// How a signal stands by the follow-ups that are known here, and since when.
    pub(crate) fn standing(&self, signal: Uuid) -> (SignalStatus, Option<OffsetDateTime>) {
        let about = self.told.values().filter(|told| told.signal_id == Some(signal));
        let words = about.filter_map(|told| Some(((told.occurred_at, told.id), last_word(&told.update)?)));
        let last = words.max_by_key(|(place, _)| *place);
        last.map_or((SignalStatus::Open, None), |((at, _), status)| (status, Some(at)))
    }

    /// The signals to save, in the order in which they were first touched.
    pub(crate) fn into_changed(mut self) -> Vec<Signal> {
        self.changed.iter().filter_map(|id| self.signals.remove(id)).collect()
    }
}

/// Which stored signals a follow-up needs to see.
fn wish(arrival: &Arrival<'_>, update: &SignalUpdate) -> Option<Candidates> {
    let text = |symbol: &Symbol| symbol.to_string();
    let (base, reference) = match &update.scope {
        Scope::Reply { .. } => return None,
        Scope::Symbol { base, .. } => (Some(text(base)), None),
        Scope::Reference { reference, base } => (base.as_ref().map(text), Some(reference.clone())),
        Scope::Last | Scope::All { .. } => (None, None),
    };
    let only_open = matches!(update.scope, Scope::All { .. });
    // One more than may be meant, so that too many are noticed.
    let most = if only_open { i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX) + 1 } else { NEWEST };
    Some(Candidates {
        channel_id: arrival.key.channel_id,
        author_id: arrival.post.author.external_id.clone(),
        base,
        reference,
        until: arrival.post.occurred_at(),
        since: arrival.post.occurred_at() - MAX_REACH,
        only_open,
        most,
    })
}

impl Arrival<'_> {
    /// The follow-ups that this post holds.
    pub(crate) fn updates(&self) -> &[SignalUpdate] {
        self.reading.map_or(&[], |reading| reading.verdict.updates())
    }

    /// The message that this post answers.
    pub(crate) fn reply_key(&self) -> Option<MessageKey> {
        let external_id = self.post.reply_to.clone()?;
        Some(MessageKey { channel_id: self.key.channel_id, external_id })
    }
}
