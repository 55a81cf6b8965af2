//! What a message that was read again tells. Pure.
//!
//! Entry point: [`told`], which has the rule.

use super::Seen;
use crate::ingest::publish::{Arrival, Occasion};

/// What one message tells.
pub(super) struct Told<'a> {
    /// Revisions before the newest that do not say today what they were read to say.
    pub(super) retracted: Vec<Arrival<'a>>,
    /// What the message says, if that is something else than before.
    pub(super) told: Vec<Arrival<'a>>,
    /// The newest revision, for the case that something was taken back.
    pub(super) newest: Option<Arrival<'a>>,
}

impl<'a> Told<'a> {
    /// All that may be told, for whoever loads what is needed for it.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arrival<'a>> {
        self.retracted.iter().chain(&self.told).chain(&self.newest)
    }
}

/// What a message tells: its newest revision, if that says something else than before. Where it only follows up on the
/// message's own signal, the revision before it says what that signal is, and comes first; if that one has changed, the
/// follow-up is told with it, for it may have been about another signal.
pub(super) fn told(message: &[Seen]) -> Told<'_> {
    let Some((newest, older)) = message.split_last() else {
        return Told { retracted: Vec::new(), told: Vec::new(), newest: None };
    };
    let revision = newest.stored.revision;
    let disputed = message.iter().any(|seen| seen.stored.disputed);
    let again = |edits_a_signal| Occasion::Again { edits_a_signal, disputed };
    let base = older.iter().rev().find(|seen| !seen.is_update()).filter(|_| newest.is_update());
    let is_edit = older.iter().any(Seen::is_signal);
    let is_told = newest.is_told() || base.is_some_and(Seen::is_told);
    let first =
        base.filter(|base| is_told && base.is_signal()).map(|base| base.arrival(revision, again(false)));
    let then = is_told.then(|| newest.arrival(revision, again(is_edit)));
    let had_updates = |seen: &&Seen| seen.before().is_some_and(|before| !before.verdict.updates().is_empty());
    let retracted: Vec<Arrival<'_>> = older
        .iter()
        .filter(|seen| seen.is_changed())
        .filter(had_updates)
        .map(|seen| seen.arrival(seen.stored.revision, again(is_edit)))
        .collect();
    let newest = (!retracted.is_empty()).then(|| newest.arrival(revision, again(is_edit)));
    Told { retracted, told: first.into_iter().chain(then).collect(), newest }
}

impl Seen {
    /// This revision as what the message says at that one.
    fn arrival(&self, revision: i64, occasion: Occasion) -> Arrival<'_> {
        let stored = &self.stored;
        Arrival {
            key: &stored.key,
            post_id: stored.id,
            revision,
            post: &stored.post,
            provenance: stored.provenance,
            seen_at: stored.seen_at,
            received_at: stored.received_at,
            witnesses: stored.witnesses,
            reading: self.today.as_ref(),
            occasion,
        }
    }
}
