//! What the read-only calls answer. Lists page by an opaque cursor: pass `next` as `cursor` until it is absent.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::events::{EventRecord, SignalRecord, UpdateRecord};
use super::gaps::GapSummary;
use crate::post::{Post, Provenance, Source};
use crate::reading::Reading;

/// `GET /v1/events`: a page of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventsPage {
    /// The events after the one asked for, oldest first.
    pub events: Vec<EventRecord>,
    /// The last `seq` of the log when the page was read.
    pub head: i64,
}

/// `GET /v1/signals`: a page of signals, newest post first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalsPage {
    /// The signals.
    pub signals: Vec<SignalState>,
    /// The cursor of the next page; absent on the last one.
    pub next: Option<String>,
}

/// A signal as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalState {
    /// The signal with its origin, at its newest revision.
    #[serde(flatten)]
    pub record: SignalRecord,
    /// What its channel has said about it since.
    pub status: SignalStatus,
    /// True when contributors disagree about its words.
    pub disputed: bool,
}

/// What a channel has said about a signal. Never a statement about anybody's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalStatus {
    /// Not ended.
    Open,
    /// Closed, stopped out or cancelled by an update, and not entered again since.
    Ended,
    /// Its post was deleted, edited away, or read again as something else.
    Withdrawn,
}

/// `GET /v1/signals/{id}`: a signal with everything that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalDetail {
    /// The signal.
    #[serde(flatten)]
    pub state: SignalState,
    /// Every known revision of its post, oldest first.
    pub posts: Vec<PostRecord>,
    /// Its follow-ups, oldest first, as its channel's posts read today.
    pub updates: Vec<UpdateRecord>,
}

/// A stored post with its reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostRecord {
    /// The server's id of this revision.
    pub id: Uuid,
    /// The post.
    pub post: Post,
    /// How many sightings of it there are: one for each contributor and each form that it saw.
    pub sightings: i64,
    /// How many contributors saw these words under this revision.
    pub witnesses: u32,
    /// True when a contributor saw other words under this revision.
    pub disputed: bool,
    /// How it first came.
    pub provenance: Provenance,
    /// When the server received it first.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// What the reader made of it, by the newest reading, with the evidence: for each field of a signal or an update, the
    /// stretch of the post that it was read from. `evidence[].part` names the text (`content`, `embeds[0].title`,
    /// `embeds[0].fields[2].value`, `forwarded[0].content`…), `start` and `end` are offsets into it in bytes of UTF-8.
    /// A field that the post does not state has none. Absent for a tombstone, which has no text.
    pub reading: Option<Reading>,
}

/// `GET /v1/channels`: a page of channels, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelsPage {
    /// The channels.
    pub channels: Vec<ChannelRecord>,
    /// The cursor of the next page; absent on the last one.
    pub next: Option<String>,
}

/// A curated place that posts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelRecord {
    /// The channel's id.
    pub id: Uuid,
    /// The kind of source.
    pub source: Source,
    /// The channel's id at its source.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// Whether its posts are taken and published.
    pub status: ChannelStatus,
    /// How its posts were read.
    pub posts: PostCounts,
    /// What contributors certainly did not observe of it.
    #[serde(default)]
    pub gaps: GapSummary,
}

/// Whether a channel's posts are taken and published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelStatus {
    /// Suggested by a contributor, not yet decided.
    Proposed,
    /// Taken and published.
    Approved,
    /// Taken, not published for now.
    Paused,
    /// Refused.
    Blocked,
}

/// How the posts of a channel were read. `revisions = signals + updates + noise + abstained`; deletes have no text to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostCounts {
    /// Revisions with text: a post that was edited counts once for each of its texts.
    pub revisions: i64,
    /// Of these, read as one or more signals.
    pub signals: i64,
    /// Of these, read as an update.
    pub updates: i64,
    /// Of these, read as noise.
    pub noise: i64,
    /// Of these, where the reader abstained.
    pub abstained: i64,
    /// Tombstones, counted apart.
    pub deletes: i64,
}

/// `GET /v1/version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// The server's version.
    pub version: String,
    /// The reader's version.
    pub reader_version: u32,
}
