//! What each of the three programs needs to start: config, data folder, logs, a clock, and crash points for tests.
//!
//! Why this crate exists beside the house of the design: the programs meet only in `shared::wire`, and `shared` may not
//! touch files or clocks. Without this crate the same start-up code would stand in three places.
//! It knows nothing of posts, signals or orders.

pub mod clock;
pub mod config;
pub mod crash;
#[cfg(feature = "login")]
pub mod credential;
pub mod folder;
#[cfg(feature = "login")]
pub mod login;
pub mod logs;
pub mod secret;
pub mod server;

/// The allocator of all programs: a post is read with some dozen small allocations, which cost 6 % of the time with the
/// system's one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
