//! What the follow-ups in a post change. Pure, as all of publishing.
//!
//! Entry points: [`Publisher::follow_up`], [`Publisher::bound`], [`Publisher::take_back`], [`last_word`].
//! Invariants: a message says the same about a signal once; the last word in the order of the posts decides how a signal
//! stands, in whatever order they come or are read again.

use shared::reading::Verdict;
use shared::update::{Action, Scope, SignalUpdate};
use shared::wire::{Event, SignalStatus, UpdateRecord};
use uuid::Uuid;

use super::{Arrival, Publisher, kind_name};
use crate::ids;
use crate::ingest::binding::bind;
use crate::store::log::NewEvent;
use crate::store::signals::Signal;
use crate::store::{StoreError, to_json};

impl Publisher {
    /// Binds a follow-up by the rule, or says why it cannot be bound.
    pub(super) fn follow_up(
        &mut self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
    ) -> Result<(), StoreError> {
        match bind(&self.book, arrival, update) {
            Ok(signals) => signals.into_iter().try_for_each(|signal| self.bound(arrival, update, signal)),
            Err(reason) => self.unbound(arrival, update, reason),
        }
    }

    /// Tells a follow-up that is bound to nothing.
    pub(super) fn unbound(
        &mut self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
        reason: String,
    ) -> Result<(), StoreError> {
        if let Some(known) = self.told_unbound(arrival, update) {
            self.said.push(known);
            return Ok(());
        }
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
        self.say(record);
        let (channel_id, kind) = (arrival.key.channel_id, "update_unbound");
        self.events.push(NewEvent { kind, channel_id, base, payload: to_json(&event)? });
        Ok(())
    }

    /// The same follow-up as told before, when a post that is read again says it still.
    fn told_unbound(&self, arrival: &Arrival<'_>, update: &SignalUpdate) -> Option<Uuid> {
        let mut told = self.book.told_by(arrival.key).filter(|_| arrival.is_again());
        told.find(|told| told.signal_id.is_none() && told.update == *update).map(|told| told.id)
    }

    pub(super) fn bound(
        &mut self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
        signal_id: Uuid,
    ) -> Result<(), StoreError> {
        let signal = self.known(signal_id)?;
        if let Some(known) = self.book.has_told(arrival.key, signal_id, &update.actions) {
            // An edited follow-up that says the same is not said twice: a part-close would be carried out twice.
            self.said.push(known);
            return Ok(());
        }
        let record = self.update_record(arrival, update, Some(signal_id));
        let at = record.occurred_at;
        self.event(&Event::SignalUpdated { update: Box::new(record.clone()) }, &signal)?;
        self.say(record);
        // A word from before the last one changes nothing: posts may come, or be read again, in any order.
        let is_last = signal.status_at.is_none_or(|last| last <= at);
        if let Some(status) =
            last_word(update).filter(|_| is_last && signal.status != SignalStatus::Withdrawn)
        {
            self.book.put(Signal { status, status_at: Some(at), ..signal });
        }
        Ok(())
    }

    fn known(&self, signal_id: Uuid) -> Result<Signal, StoreError> {
        let found = self.book.get(signal_id).cloned();
        found.ok_or_else(|| StoreError::Defect(format!("signal {signal_id} is not in the book")))
    }

    fn say(&mut self, record: UpdateRecord) {
        self.said.push(record.id);
        self.book.tell(record.clone());
        self.updates.push(record);
    }

    /// Takes back what this revision was once read to say and does not.
    pub(super) fn take_back(&mut self, arrival: &Arrival<'_>) -> Result<(), StoreError> {
        let told = self.book.told_by(arrival.key).filter(|told| told.post_id == arrival.post_id);
        let gone: Vec<UpdateRecord> = told.filter(|told| !self.said.contains(&told.id)).cloned().collect();
        let why = match arrival.reading.map(|reading| &reading.verdict) {
            Some(Verdict::Noise { reason } | Verdict::Abstained { reason }) => reason,
            _ => "its post does not say this",
        };
        for update in gone {
            self.book.untell(update.id);
            self.withdrawn.push(update.id);
            let event = Event::UpdateWithdrawn {
                update_id: update.id,
                signal_id: update.signal_id,
                occurred_at: arrival.post.occurred_at(),
                reason: format!("read again: {why}"),
            };
            let sound = update.signal_id.filter(|id| !self.book.is_broken(*id));
            let Some(signal_id) = sound else {
                let (channel_id, kind) = (update.channel_id, kind_name(&event));
                self.events.push(NewEvent { kind, channel_id, base: None, payload: to_json(&event)? });
                continue;
            };
            let signal = self.known(signal_id)?;
            self.event(&event, &signal)?;
            if last_word(&update.update).is_some() && signal.status != SignalStatus::Withdrawn {
                let (status, status_at) = self.book.standing(signal_id);
                self.book.put(Signal { status, status_at, ..signal });
            }
        }
        Ok(())
    }

    /// Takes back what an earlier revision was once read to say and does not. What it says today is not told: the newest
    /// revision decides. True when something was taken back.
    pub(crate) fn retract(&mut self, arrival: &Arrival<'_>) -> Result<bool, StoreError> {
        let says = |told: &&UpdateRecord| arrival.updates().contains(&told.update);
        let told = self.book.told_by(arrival.key).filter(|told| told.post_id == arrival.post_id);
        self.said = told.filter(says).map(|told| told.id).collect();
        let before = self.withdrawn.len();
        self.take_back(arrival)?;
        Ok(self.withdrawn.len() > before)
    }

    fn update_record(
        &self,
        arrival: &Arrival<'_>,
        update: &SignalUpdate,
        signal_id: Option<Uuid>,
    ) -> UpdateRecord {
        let post = arrival.post;
        UpdateRecord {
            id: ids::new(self.now),
            signal_id,
            channel_id: arrival.key.channel_id,
            channel: arrival.channel.to_owned(),
            external_id: post.external_id.clone(),
            post_id: arrival.post_id,
            posted_at: post.posted_at,
            occurred_at: post.occurred_at(),
            received_at: arrival.received_at,
            reread: arrival.is_again(),
            update: update.clone(),
        }
    }
}

/// How a signal stands by its channel's word after this follow-up: ended when nothing more can come of it, open when it is
/// to be entered again; none when the follow-up says neither. The last action counts.
pub(crate) fn last_word(update: &SignalUpdate) -> Option<SignalStatus> {
    update.actions.iter().rev().find_map(|action| match action {
        Action::Close | Action::Cancel | Action::StoppedOut | Action::StoppedAtBreakEven => {
            Some(SignalStatus::Ended)
        }
        Action::Reenter { .. } => Some(SignalStatus::Open),
        _ => None,
    })
}
