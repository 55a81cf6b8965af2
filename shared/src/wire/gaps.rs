//! `POST /v1/gaps`: times in which a contributor certainly did not observe a channel; and how they are shown.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::post::ChannelRef;

/// The most gaps in one request: one for each channel of a large contributor.
pub const MAX_GAPS: usize = 100;

/// The body of `POST /v1/gaps`. The same gap may be told again, with a later end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellGaps {
    /// What was not observed.
    #[schema(min_items = 1, max_items = 100)]
    pub gaps: Vec<Gap>,
}

/// A time in which one contributor certainly did not observe a channel. Another one may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The channel; its threads are meant, too.
    pub channel: ChannelRef,
    /// What may be missing.
    pub missed: Missed,
    /// The last time at which the contributor certainly listened. With the channel and `missed` it names the gap.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// When it listened again.
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}

/// What a gap may have swallowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The posts were read back from the history; texts that were edited away and posts that were deleted meanwhile were not.
    EditsAndDeletes,
    /// The history could not be read either.
    Everything,
}

impl Missed {
    /// The name used in the API and the databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Missed::EditsAndDeletes => "edits_and_deletes",
            Missed::Everything => "everything",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Missed::EditsAndDeletes, Missed::Everything].into_iter().find(|missed| missed.as_str() == name)
    }
}

/// The answer: one result for each gap, in the same order. It is sent after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToldGaps {
    /// The results.
    pub results: Vec<GapStatus>,
}

/// What became of a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum GapStatus {
    /// It is kept.
    Kept,
    /// It is not kept, and telling it again is of no use.
    Rejected {
        /// Why, for a person.
        reason: String,
    },
}

/// The gaps of a channel, counted over all contributors. What one missed, another may have observed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapSummary {
    /// How many there are.
    pub count: i64,
    /// The one that ended last; absent without one.
    pub latest: Option<GapRecord>,
}

/// A gap as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapRecord {
    /// What may be missing.
    pub missed: Missed,
    /// The last time at which the contributor certainly listened.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// When it listened again.
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}
