//! Signals that wait for their witnesses: too few contributors have seen the post, and it is still fresh.
//!
//! Entry points: [`Engine::wait`], [`Engine::on_witnessed`], [`Engine::end_waits`]. Invariants: what waits is decided once,
//! by the next contributor or by its age; what was edited, withdrawn or disputed meanwhile is refused.

use shared::wire::SignalRecord;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Command, Decision, Engine, Snapshot, Topic};
use crate::policy::Refusal;

impl Engine {
    /// Puts a signal aside whose only fault is that too few have seen it.
    pub(super) fn wait(&mut self, now: OffsetDateTime, record: &SignalRecord, why: &Refusal) {
        let limit = self.settings.rules.policy.max_signal_age;
        let reason = format!("{why}: it waits for them until it is {limit} old");
        self.set_decision(now, record, Decision::Waiting { reason: reason.clone() });
        self.waiting.insert(record.id, record.clone());
        self.note(now, record.id, (Topic::Waiting, reason));
    }

    /// One more contributor has seen a post. A signal that was decided stays as it is.
    pub(super) fn on_witnessed(
        &mut self,
        now: OffsetDateTime,
        (signal, witnesses): (Uuid, u32),
        snapshot: &Snapshot,
    ) -> Vec<Command> {
        if let Some(card) = self.signals.get_mut(&signal) {
            card.witnesses = card.witnesses.max(witnesses);
        }
        let Some(mut record) = self.waiting.remove(&signal) else { return Vec::new() };
        record.witnesses = record.witnesses.max(witnesses);
        self.decide(now, &record, snapshot)
    }

    /// Refuses what has grown too old while it waited.
    pub(super) fn end_waits(&mut self, now: OffsetDateTime) {
        let limit = self.settings.rules.policy.max_signal_age.0;
        let too_old = |record: &&SignalRecord| now - record.posted_at > limit;
        let over: Vec<SignalRecord> = self.waiting.values().filter(too_old).cloned().collect();
        for record in over {
            let wanted = self.settings.rules.policy.min_witnesses;
            self.waiting.remove(&record.id);
            self.refuse(now, &record, &Refusal::TooFewWitnesses { seen: record.witnesses, wanted });
        }
    }

    /// Refuses a waiting signal; true if it was one.
    pub(super) fn refuse_waiting(&mut self, now: OffsetDateTime, signal: Uuid, why: &Refusal) -> bool {
        let Some(record) = self.waiting.remove(&signal) else { return false };
        self.refuse(now, &record, why);
        true
    }
}
