//! What can be known of a sighting without the database: whether it is acceptable, its identity, its reading.
//!
//! Entry points: [`prepare`], [`Readings`].

use std::sync::Arc;

use shared::post::{Sighting, check_sighting};
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

/// The readings of a batch, made on another thread while the database stores the posts.
pub(super) struct Readings {
    task: Option<JoinHandle<Vec<Option<Reading>>>>,
    done: Vec<Option<Reading>>,
}

impl Readings {
    /// Begins to read the batch.
    pub(super) fn begin(prepared: &Arc<[Prepared]>) -> Self {
        let batch = Arc::clone(prepared);
        let task = tokio::task::spawn_blocking(move || batch.iter().map(reading).collect());
        Self { task: Some(task), done: Vec::new() }
    }

    /// The readings, in the order of the batch.
    pub(super) async fn get(&mut self) -> Result<&[Option<Reading>], StoreError> {
        if let Some(task) = self.task.take() {
            self.done =
                task.await.map_err(|error| StoreError::Defect(format!("the reader failed: {error}")))?;
        }
        Ok(&self.done)
    }
}

/// Absent for a tombstone, which has no text, and for what is not acceptable.
fn reading(prepared: &Prepared) -> Option<Reading> {
    let post = &prepared.sighting.post;
    let has_text = prepared.problem.is_none() && post.deleted_at.is_none();
    has_text.then(|| read(post, &ChannelProfile::default()))
}
