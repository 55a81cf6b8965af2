//! Ids: UUIDv7, made from a time that the caller gives, a counter and random bits. Those of one process sort in the order
//! in which they were made, also within a millisecond: whoever sorts by id keeps the order of the posts.

use std::sync::{Mutex, PoisonError};

use time::OffsetDateTime;
use uuid::{ContextV7, Timestamp, Uuid};

static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new id for something that came to be at `at`.
pub fn new(at: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    // A panic elsewhere cannot have left the counter half-changed.
    let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    Uuid::new_v7(Timestamp::from_unix(&*context, seconds, at.nanosecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_sort_in_the_order_in_which_they_were_made() {
        let at = time::macros::datetime!(2026-06-01 12:00:00.123456 UTC);
        let made: Vec<Uuid> = (0..10_000).map(|_| new(at)).collect();
        assert!(made.is_sorted() && made.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
