//! The log as it is streamed: one [`Event`] a line, one [`Frame`] a WebSocket message.
//!
//! Invariants: `seq` has no holes and follows commit order. In a frame, `prev` is the last `seq` sent on the same
//! subscription (or its `after`), so that a filtered client can prove that nothing is missing too.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::post::{Provenance, Source};
use crate::signal::Signal;
use crate::update::SignalUpdate;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventRecord {
    /// Its place in the log, from 1.
    pub seq: i64,
    /// When the server wrote it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A post was read as a new signal. Only one whose record does not say `reread` is fresh.
    SignalPosted {
        /// The signal.
        signal: Box<SignalRecord>,
    },
    /// A later revision of its post reads differently, or its post was read again: the same signal id, new fields.
    SignalRevised {
        /// The signal as it reads now.
        signal: Box<SignalRecord>,
    },
    /// A follow-up was bound to a signal.
    SignalUpdated {
        /// The update; its `signal_id` is present.
        update: Box<UpdateRecord>,
    },
    /// The signal's post was deleted, or was edited or read again so that it no longer reads as that signal. The reason of
    /// a withdrawal after reading again begins with `read again: `.
    SignalWithdrawn {
        /// The signal.
        signal_id: Uuid,
        /// When its post was deleted or edited; after reading again, when the revision that was read came to be.
        #[serde(with = "time::serde::rfc3339")]
        occurred_at: OffsetDateTime,
        /// Why, for a person.
        reason: String,
    },
    /// Contributors disagree about the words of the signal's post. The first text stands; nobody should trade it.
    SignalDisputed {
        /// The signal.
        signal_id: Uuid,
        /// When the differing text was received.
        #[serde(with = "time::serde::rfc3339")]
        occurred_at: OffsetDateTime,
    },
    /// One more contributor has seen the words that the signal was read from. Whoever waits for witnesses may act on it while
    /// the signal is fresh.
    SignalWitnessed {
        /// The signal.
        signal_id: Uuid,
        /// How many contributors have seen them now; it never falls for one revision.
        witnesses: u32,
        /// When the last of them told the server.
        #[serde(with = "time::serde::rfc3339")]
        occurred_at: OffsetDateTime,
    },
    /// Contributors disagree about a post that is no signal. The first text stands.
    PostDisputed {
        /// The channel.
        channel_id: Uuid,
        /// The post's id at its source.
        external_id: String,
        /// When the differing text was received.
        #[serde(with = "time::serde::rfc3339")]
        occurred_at: OffsetDateTime,
    },
    /// A follow-up was read, but no open signal could be found for it.
    UpdateUnbound {
        /// The update; its `signal_id` is absent.
        update: Box<UpdateRecord>,
        /// Why no signal was found, for a person.
        reason: String,
    },
    /// A post was read again and does not say this update any more. What was done about it stays done.
    UpdateWithdrawn {
        /// The update.
        update_id: Uuid,
        /// The signal that it was bound to, if any.
        signal_id: Option<Uuid>,
        /// When the revision that was read again came to be.
        #[serde(with = "time::serde::rfc3339")]
        occurred_at: OffsetDateTime,
        /// Why, for a person.
        reason: String,
    },
    /// A kind that this version does not know. Only clients see this; they skip it.
    #[serde(other)]
    Unknown,
}

/// A signal with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalRecord {
    /// The signal's id.
    pub id: Uuid,
    /// The channel's id.
    pub channel_id: Uuid,
    /// The channel's name.
    pub channel: String,
    /// The kind of source.
    pub source: Source,
    /// The post's id at its source.
    pub external_id: String,
    /// The server's id of the revision that was read.
    pub post_id: Uuid,
    /// Which signal of the post this is, from 0.
    pub ordinal: u16,
    /// The author's name.
    pub author: String,
    /// How the post came to the contributor who was first.
    pub provenance: Provenance,
    /// When the message was first posted. Ages are counted from here.
    #[serde(with = "time::serde::rfc3339")]
    pub posted_at: OffsetDateTime,
    /// When the revision that was read came to be: `posted_at`, or the time of the edit.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// When a contributor first saw that revision, by its own clock.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// When the server received it.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// The version of the reader that read it.
    pub reader_version: u32,
    /// True when the signal was found or changed by reading a stored post again, with a later reader or another profile
    /// of its channel: nobody knew it in this form when it was posted. It is for the record and is never to be traded,
    /// however young its post is. All times stay those of the post. Absent means false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reread: bool,
    /// How many contributors have seen these words under this revision: accounts, however many keys each has. In an event,
    /// as it was then. A contributor who was suspended later still counts: it was one when it saw them. Absent means 1.
    #[serde(default = "one")]
    #[schema(minimum = 1, example = 2)]
    pub witnesses: u32,
    /// The signal itself.
    pub signal: Signal,
}

/// A signal is read from a post that somebody has seen.
fn one() -> u32 {
    1
}

/// An update with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateRecord {
    /// The update's id.
    pub id: Uuid,
    /// The signal that it is bound to.
    pub signal_id: Option<Uuid>,
    /// The channel's id.
    pub channel_id: Uuid,
    /// The channel's name.
    pub channel: String,
    /// The post's id at its source.
    pub external_id: String,
    /// The server's id of the revision that was read.
    pub post_id: Uuid,
    /// When the message was first posted.
    #[serde(with = "time::serde::rfc3339")]
    pub posted_at: OffsetDateTime,
    /// When the revision that was read came to be.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// When the server received it.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// True when the update was found by reading a stored post again. It is for the record, and nothing is to be done about
    /// it: what it asked for was asked for at `occurred_at`. Absent means false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reread: bool,
    /// What it says.
    pub update: SignalUpdate,
}

impl Event {
    /// When the thing happened at its source; absent for kinds that this version does not know.
    pub fn occurred_at(&self) -> Option<OffsetDateTime> {
        match self {
            Event::SignalPosted { signal } | Event::SignalRevised { signal } => Some(signal.occurred_at),
            Event::SignalUpdated { update } | Event::UpdateUnbound { update, .. } => Some(update.occurred_at),
            Event::SignalWithdrawn { occurred_at, .. }
            | Event::SignalDisputed { occurred_at, .. }
            | Event::SignalWitnessed { occurred_at, .. }
            | Event::UpdateWithdrawn { occurred_at, .. }
            | Event::PostDisputed { occurred_at, .. } => Some(*occurred_at),
            Event::Unknown => None,
        }
    }
}

/// One WebSocket message of `GET /v1/feed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The first frame.
    Hello {
        /// The last `seq` of the log.
        head: i64,
    },
    /// One line of the log.
    Event {
        /// Its place in the log.
        seq: i64,
        /// The last `seq` sent before on this subscription, or its `after`.
        prev: i64,
        /// When the server wrote it.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// What happened.
        event: Event,
    },
    /// The replay has reached the head that the log had; what follows is live. Sent once.
    CaughtUp {
        /// The head that was reached.
        seq: i64,
    },
    /// Sent every 10 s.
    Heartbeat {
        /// The last `seq` of the log.
        head: i64,
        /// The server's time.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// A frame type that this version does not know. Only clients see this; they skip it.
    #[serde(other)]
    Unknown,
}

/// Why the server closed a feed.
pub mod close_code {
    /// The server restarts: connect again and resume from your cursor.
    pub const RESTART: u16 = 1012;
    /// The credential is gone, or its account may no longer act: do not come back with it.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The subscriber did not read fast enough: resume from your cursor.
    pub const TOO_SLOW: u16 = 4408;
    /// The subscriber sent too much.
    pub const FLOOD: u16 = 4429;
}
