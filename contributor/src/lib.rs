//! The contributor: relays posts to the server through a durable outbox. It interprets nothing that it relays.
//!
//! Entry point: [`cli::run`]. The way of a post: [`source`] reads it, [`outbox`] keeps it, [`sender`] hands it to [`api`],
//! and only the server's answer makes the outbox forget it. Beside that way stands [`read`]: it shows what a post says.
//! Invariants: nothing is sent that is not durable here; nothing leaves the outbox without an answer of the server or a
//! stated reason; `kill -9` at any time loses nothing and doubles nothing.

pub mod api;
pub mod cli;
pub mod config;
pub mod failure;
pub mod import;
pub mod outbox;
pub mod propose;
pub mod read;
pub mod replay;
pub mod report;
pub mod sender;
pub mod source;
pub mod status;

/// Where the time comes from: [`launch::clock::now`] in the program, a fixed time in tests.
pub type Clock = fn() -> time::OffsetDateTime;
