//! Ids: UUIDv7, made from a time that the caller gives and from random bits. They sort by time of creation.

use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// A new id for something that came to be at `at`.
pub fn new(at: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.nanosecond()))
}
