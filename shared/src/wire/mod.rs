//! What crosses the network: request and response bodies, feed frames and error codes. The programs meet only here.
//!
//! Conventions: JSON; money is a decimal string; times are RFC 3339 UTC; ids are UUIDv7. Requests refuse unknown fields;
//! clients ignore unknown fields, unknown event kinds and unknown frame types.

mod accounts;
mod authority;
mod events;
mod gaps;
mod lists;
mod messages;
mod problem;

pub use accounts::{
    AccountRecord, AccountsPage, ApiKeyRecord, ApiKeys, ChangeAccount, ChangePassword, CredentialKind,
    MAX_API_KEYS, MakeApiKey, MakeInvite, Me, NewApiKey, NewInvite, Refresh, Register, SessionTokens, SignIn,
};
pub use authority::{AccountStatus, Role, Scope};
pub use events::{Event, EventRecord, Frame, SignalRecord, UpdateRecord, close_code};
pub use gaps::{Gap, GapRecord, GapStatus, GapSummary, MAX_GAPS, Missed, TellGaps, ToldGaps};
pub use lists::{
    ChannelRecord, ChannelStatus, ChannelsPage, EventsPage, PostCounts, PostRecord, SignalDetail,
    SignalState, SignalStatus, SignalsPage, Version,
};
pub use messages::{MAX_BODY_BYTES, MAX_SIGHTINGS, PostMessages, PostResult, PostStatus, PostedMessages};
pub use problem::{ProblemBody, ProblemKind};
