//! Curation on the wire: proposing channels, deciding about them, who may post for them, and withdrawing signals.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::authority::AccountStatus;
use super::lists::{ChannelRecord, ChannelStatus};
use crate::post::Source;
use crate::reading::ProfileDraft;

/// The most contributors of one channel: two or three are usual, and all of them fit into one answer.
pub const MAX_ENROLMENTS: i64 = 100;

/// `POST /v1/channels`: proposes a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeChannel {
    /// The kind of source.
    pub source: Source,
    /// The channel's id at its source; on Discord 1 to 20 digits.
    #[schema(example = "1237400000000000001")]
    pub external_id: String,
    /// Its name, for people: 1 to 100 characters.
    #[schema(example = "vip-calls")]
    pub name: String,
}

/// `PATCH /v1/channels/{id}`: sets what is there, and leaves the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeChannel {
    /// The new status: from `proposed` to `approved` or `blocked`, from `approved` to `paused` or `blocked`, from `paused` to
    /// `approved` or `blocked`, from `blocked` to `proposed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ChannelStatus>,
    /// The new name: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new profile, which takes the place of the whole old one; `{}` for none. Its `callers` are the authors whose posts
    /// may be signals; everybody's are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileDraft>,
}

/// A channel with what admins have decided about it. Its `ETag` names this state: `If-Match` of a change must repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelDetail {
    /// The channel.
    #[serde(flatten)]
    pub record: ChannelRecord,
    /// How its posts are read.
    pub profile: ProfileDraft,
    /// The channel that it is a part of, whose status and contributors count for it, too: a thread has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// Posts that are kept and not published yet, because the channel was not approved when they came.
    pub unpublished: i64,
}

/// `GET /v1/channels/{id}/contributors`: who may post for a channel, the longest enrolled first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contributors {
    /// All of them: there are never more than 100.
    pub contributors: Vec<Enrolment>,
}

/// An account that may post for a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolment {
    /// The account's id.
    pub account_id: Uuid,
    /// Its name.
    pub name: String,
    /// Where it stands: only an active one can post.
    pub status: AccountStatus,
    /// Since when it may post for the channel.
    #[serde(with = "time::serde::rfc3339")]
    pub enrolled_at: OffsetDateTime,
}

/// `POST /v1/signals/{id}/withdraw`: withdraws a signal for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSignal {
    /// Why: traders read it. 1 to 200 characters.
    #[schema(example = "the author's account was taken over")]
    pub reason: String,
}
