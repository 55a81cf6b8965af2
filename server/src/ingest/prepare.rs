//! What can be known of a sighting without the database: whether it is acceptable, its identity, its reading.
//!
//! Entry points: [`prepare`], [`Readings`]. A reading also depends on its channel's profile, which is given to it.

use std::collections::HashMap;
use std::sync::Arc;

use shared::post::{ChannelRef, Sighting, check_sighting};
use shared::reading::{ChannelProfile, Reading, read};
use time::{Duration, OffsetDateTime, UtcOffset};
use tokio::task::JoinHandle;

use crate::store::StoreError;

/// How far a post may lie in the future: the clocks of contributors and Discord are kept by NTP, within seconds.
const MAX_AHEAD: Duration = Duration::seconds(60);

/// A sighting with what follows from it alone.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) sighting: Sighting,
    pub(super) revision: i64,
    pub(super) content_hash: [u8; 32],
    /// Why it cannot be kept.
    pub(super) problem: Option<String>,
}

impl Prepared {
    /// The channel of what can be kept.
    pub(super) fn channel(&self) -> Option<&ChannelRef> {
        self.problem.is_none().then_some(&self.sighting.post.channel)
    }
}

pub(super) fn prepare(mut sighting: Sighting, now: OffsetDateTime) -> Prepared {
    let checked = check_sighting(&sighting);
    if checked.is_ok() {
        in_utc(&mut sighting);
    }
    let post = &sighting.post;
    let problem = match checked {
        Err(unacceptable) => Some(unacceptable.to_string()),
        Ok(()) if post.occurred_at() > now + MAX_AHEAD => Some(format!(
            "posted, edited or deleted at {}, which is in the future by this server's clock ({now}): check the clock, then send it again",
            post.occurred_at()
        )),
        Ok(()) => None,
    };
    let (revision, content_hash) = (post.revision().number(), post.content_hash());
    Prepared { sighting, revision, content_hash, problem }
}

/// All times in UTC, as the API promises. Only for a sighting whose times were checked.
fn in_utc(sighting: &mut Sighting) {
    let post = &mut sighting.post;
    let times = [
        Some(&mut sighting.seen_at),
        Some(&mut post.posted_at),
        post.edited_at.as_mut(),
        post.deleted_at.as_mut(),
    ];
    for at in times.into_iter().flatten() {
        *at = at.to_offset(UtcOffset::UTC);
    }
}

/// How the posts of each channel are read; a channel that is not there has the empty profile.
pub(super) type Profiles = HashMap<ChannelRef, ChannelProfile>;

/// The readings of a batch, made on another thread while the database stores the posts.
pub(super) struct Readings {
    batch: Arc<[Prepared]>,
    /// The profiles that the readings were made with, once they were begun.
    profiles: Option<Arc<Profiles>>,
    task: Option<JoinHandle<Vec<Option<Reading>>>>,
    done: Vec<Option<Reading>>,
}

impl Readings {
    pub(super) fn of(batch: &Arc<[Prepared]>) -> Self {
        Self { batch: Arc::clone(batch), profiles: None, task: None, done: Vec::new() }
    }

    /// Begins to read the batch. What was begun with the same profiles goes on; with others it is begun anew.
    pub(super) fn begin(&mut self, mut profiles: Profiles) {
        // Unknown and empty are the same to the reader.
        profiles.retain(|_, profile| *profile != ChannelProfile::default());
        if self.profiles.as_deref() == Some(&profiles) {
            return;
        }
        let (batch, profiles) = (Arc::clone(&self.batch), Arc::new(profiles));
        self.profiles = Some(Arc::clone(&profiles));
        self.task = Some(tokio::task::spawn_blocking(move || {
            let empty = ChannelProfile::default();
            let of = |item: &Prepared| profiles.get(&item.sighting.post.channel).unwrap_or(&empty);
            batch.iter().map(|item| reading(item, of(item))).collect()
        }));
    }

    /// The readings, in the order of the batch; none before they were begun.
    pub(super) async fn get(&mut self) -> Result<&[Option<Reading>], StoreError> {
        if let Some(task) = self.task.take() {
            self.done =
                task.await.map_err(|error| StoreError::Defect(format!("the reader failed: {error}")))?;
        }
        Ok(&self.done)
    }
}

/// Absent for a tombstone, which has no text, and for what is not acceptable.
fn reading(prepared: &Prepared, profile: &ChannelProfile) -> Option<Reading> {
    let post = &prepared.sighting.post;
    let has_text = prepared.problem.is_none() && post.deleted_at.is_none();
    has_text.then(|| read(post, profile))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::post::{Author, Post, Provenance, Source};
    use shared::reading::ProfileDraft;
    use time::macros::datetime;

    fn chatter() -> Prepared {
        let posted_at = datetime!(2026-06-01 08:00 UTC);
        let channel =
            ChannelRef { source: Source::Discord, external_id: "500".into(), name: "vip-calls".into() };
        let post = Post {
            channel,
            external_id: "1".into(),
            author: Author { external_id: "7".into(), name: "Ana".into(), is_bot: false },
            posted_at,
            edited_at: None,
            deleted_at: None,
            content: "good morning".into(),
            embeds: Vec::new(),
            attachments: Vec::new(),
            reply_to: None,
            forwarded: Vec::new(),
        };
        let sighting = Sighting {
            post,
            seen_at: posted_at,
            provenance: Provenance::Live,
            raw: String::new(),
            within: None,
        };
        prepare(sighting, posted_at)
    }

    #[tokio::test]
    async fn a_profile_that_changed_since_the_reading_began_has_the_batch_read_anew() {
        let batch: Arc<[Prepared]> = [chatter()].into();
        let channel = batch[0].sighting.post.channel.clone();
        let draft = ProfileDraft { callers: vec!["8".into()], ..ProfileDraft::default() };
        let closed = Profiles::from([(channel, ChannelProfile::new(draft).unwrap())]);
        let mut readings = Readings::of(&batch);
        readings.begin(Profiles::new());
        let first = readings.get().await.unwrap().to_vec();
        readings.begin(closed.clone());
        let second = readings.get().await.unwrap().to_vec();
        assert_ne!(first, second);
        assert_eq!(second, [Some(read(&batch[0].sighting.post, closed.values().next().unwrap()))]);
        readings.begin(closed);
        assert!(readings.task.is_none(), "what was read with the same profiles is not read again");
    }
}
