//! `POST /v1/messages`: how sightings of posts reach the server, and what it answers for each.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::post::Sighting;

/// The most sightings in one request: one database transaction stays short.
pub const MAX_SIGHTINGS: usize = 100;
/// The largest body of `POST /v1/messages`, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The body of `POST /v1/messages`: 1 to 100 sightings, answered one by one, kept in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostMessages {
    /// What was seen, oldest first: an update should come after the signal that it answers.
    #[schema(min_items = 1, max_items = 100)]
    pub sightings: Vec<Sighting>,
}

/// The answer: one result for each sighting, in the same order. It is sent after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostedMessages {
    /// The results.
    pub results: Vec<PostResult>,
}

/// What became of one sighting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostResult {
    /// The post's id at its source, as sent.
    pub external_id: String,
    /// What became of it.
    #[serde(flatten)]
    pub status: PostStatus,
}

/// What became of a sighting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PostStatus {
    /// A post that was not known at any revision. It is published if its channel is approved; else when it will be.
    Stored {
        /// The server's id of this revision.
        post_id: Uuid,
    },
    /// A new revision (an edit, a delete, or an earlier text that arrived late) of a known post.
    Revision {
        /// The server's id of this revision.
        post_id: Uuid,
    },
    /// A known revision: at most a sighting was added.
    Duplicate {
        /// The server's id of the revision.
        post_id: Uuid,
        /// True when the text differs from the one first stored: the first is kept, and a dispute is raised.
        disputed: bool,
    },
    /// Not kept now, and welcome later: its channel is not known here, or the contributor is not enrolled in it. An admin can
    /// change that; until then the contributor keeps it.
    NotAdmitted {
        /// Why, and what to do.
        reason: String,
    },
    /// Not kept.
    Rejected {
        /// Why, for a person.
        reason: String,
    },
}
