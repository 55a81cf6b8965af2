//! One line of input on its way into the outbox: a sighting, or a message that could not be decoded.
//!
//! Entry point: [`Entry`]. It is prepared on the reader's thread, so that the staging transaction only writes.
//! Invariant: whatever is wrong with an entry, it becomes a row: of the outbox, or of the refused ones with its reason.

use shared::post::{ChannelRef, Post, Sighting, check_sighting};
use shared::wire::MAX_BODY_BYTES;
use time::OffsetDateTime;

use super::stage::Key;

/// The longest sighting as JSON: it must fit into a request alone, with 1 KiB left for the frame and 99 commas.
pub const MAX_SIGHTING_BYTES: usize = MAX_BODY_BYTES - 1024;

/// What can be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A sighting as it will be sent.
    Sighting(Prepared),
    /// A message that could not be decoded.
    Undecodable {
        /// The channel it was found in.
        channel: ChannelRef,
        /// The message, byte for byte.
        raw: String,
        /// Why it could not be decoded.
        reason: String,
    },
}

/// A sighting with what the tables need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub(super) source: &'static str,
    pub(super) channel: String,
    pub(super) channel_name: String,
    pub(super) external_id: String,
    pub(super) revision: i64,
    pub(super) content_hash: [u8; 32],
    pub(super) posted_at: OffsetDateTime,
    pub(super) occurred_at: OffsetDateTime,
    pub(super) seen_at: OffsetDateTime,
    /// The author as JSON.
    pub(super) author: String,
    /// The sighting as JSON.
    pub(super) body: String,
    /// Why it cannot be sent.
    pub(super) refusal: Option<String>,
}

impl Entry {
    /// Checks the sighting against the limits of the wire and writes it as JSON.
    pub fn of(sighting: &Sighting) -> Result<Self, serde_json::Error> {
        let post: &Post = &sighting.post;
        let body = serde_json::to_string(sighting)?;
        let too_long = || {
            let bytes = body.len();
            let problem = format!(
                "the sighting has {bytes} bytes as JSON, more than the limit of {MAX_SIGHTING_BYTES}"
            );
            (bytes > MAX_SIGHTING_BYTES).then_some(problem)
        };
        let refusal = check_sighting(sighting).err().map(|error| error.to_string()).or_else(too_long);
        Ok(Entry::Sighting(Prepared {
            source: post.channel.source.as_str(),
            channel: post.channel.external_id.clone(),
            channel_name: post.channel.name.clone(),
            external_id: post.external_id.clone(),
            revision: post.revision().number(),
            content_hash: post.content_hash(),
            posted_at: post.posted_at,
            occurred_at: post.occurred_at(),
            seen_at: sighting.seen_at,
            author: serde_json::to_string(&post.author)?,
            body,
            refusal,
        }))
    }

    /// When the post was posted, if that is known.
    pub fn posted_at(&self) -> Option<OffsetDateTime> {
        match self {
            Entry::Sighting(prepared) => Some(prepared.posted_at),
            Entry::Undecodable { .. } => None,
        }
    }

    /// The sighting as it will be sent.
    #[cfg(test)]
    pub(crate) fn sighting(&self) -> Sighting {
        match self {
            Entry::Sighting(prepared) => serde_json::from_str(&prepared.body).unwrap(),
            Entry::Undecodable { reason, .. } => panic!("undecodable: {reason}"),
        }
    }

    pub(super) fn prepared(&self) -> Option<&Prepared> {
        match self {
            Entry::Sighting(prepared) => Some(prepared),
            Entry::Undecodable { .. } => None,
        }
    }

    /// Its size in memory, roughly.
    pub fn bytes(&self) -> usize {
        match self {
            Entry::Sighting(prepared) => prepared.body.len(),
            Entry::Undecodable { raw, .. } => raw.len(),
        }
    }
}

impl Prepared {
    /// What names this text of this revision.
    pub(super) fn key(&self) -> Key {
        (
            self.source.to_owned(),
            self.channel.clone(),
            self.external_id.clone(),
            self.revision,
            self.content_hash.to_vec(),
        )
    }
}
