//! What can be known of a sighting without the database: whether it is acceptable, its identity, its reading.

use shared::post::{Sighting, check_sighting};
use shared::reading::{Reading, read};
use time::{Duration, OffsetDateTime};

/// How far a post may lie in the future: the clocks of contributors and Discord are kept by NTP, within seconds.
const MAX_AHEAD: Duration = Duration::seconds(60);

/// A sighting with all that follows from it alone.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) sighting: Sighting,
    pub(super) revision: i64,
    pub(super) content_hash: [u8; 32],
    /// Absent for a tombstone, which has no text, and for what is not acceptable.
    pub(super) reading: Option<Reading>,
    /// Why it cannot be kept.
    pub(super) problem: Option<String>,
}

pub(super) fn prepare(sighting: Sighting, now: OffsetDateTime) -> Prepared {
    let post = &sighting.post;
    let problem = match check_sighting(&sighting) {
        Err(unacceptable) => Some(unacceptable.to_string()),
        Ok(()) if post.occurred_at() > now + MAX_AHEAD => Some(format!(
            "posted, edited or deleted at {}, which is in the future by this server's clock ({now}): check the clock, then send it again",
            post.occurred_at()
        )),
        Ok(()) => None,
    };
    let has_text = problem.is_none() && post.deleted_at.is_none();
    let reading = has_text.then(|| read(post));
    let (revision, content_hash) = (post.revision().number(), post.content_hash());
    Prepared { sighting, revision, content_hash, reading, problem }
}
