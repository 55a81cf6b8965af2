//! File descriptors: each connection needs one, and systems begin with about a thousand.
//!
//! Entry point: [`make_room`].

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a server needs beside connections of clients: those to the database, files, pipes, and some to spare.
const BESIDE: u64 = 200;

/// Lets this process have so many connections, as far as the system allows; says so when it allows fewer.
pub fn make_room(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` is no limit.
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum }) {
        tracing::warn!("the limit of file descriptors stays as it is: {error}");
    } else if allowed < wanted {
        tracing::warn!(
            "the system allows {allowed} file descriptors: {connections} connections need {wanted} (`ulimit -Hn`)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_up_to_what_the_system_allows_and_never_taken_away() {
        let before = getrlimit(Resource::Nofile);
        make_room(1);
        assert_eq!(getrlimit(Resource::Nofile).current, before.current, "there was room");
        make_room(usize::MAX);
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.current, after.maximum);
        assert_eq!(after.maximum, before.maximum);
    }
}
