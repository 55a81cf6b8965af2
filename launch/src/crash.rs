//! Crash points: named places where a test can have a program die as by `kill -9`.
//!
//! Entry point: [`point`]. `CALLBOARD_CRASH_AT=name:3` kills the process the third time that it passes `name`.
//! Only builds with debug assertions have them; in a release build the call is empty.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where to die, and how often the place must be passed before.
struct Armed {
    name: String,
    left: AtomicU32,
}

/// Dies here if the environment asks for it.
pub fn point(name: &str) {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return;
    }
    let Some(armed) = ARMED.get_or_init(armed_by_environment) else { return };
    if armed.name == name && armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        debug_assert!(killed.is_ok());
    }
}

fn armed_by_environment() -> Option<Armed> {
    let text = std::env::var("CALLBOARD_CRASH_AT").ok()?;
    let (name, times) = text.rsplit_once(':')?;
    Some(Armed { name: name.to_owned(), left: AtomicU32::new(times.parse().ok()?) })
}
