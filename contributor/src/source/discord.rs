//! Discord, heard by a bot. Everything that knows Discord stays below this file.
//!
//! The way of a message: `gateway` hears it, `dispatch` says what it is, `message` makes a post of it, `listener` keeps it.
//! Invariants: only bot tokens; nothing is kept twice; the gateway position moves only with what it covers.
#![cfg_attr(not(test), expect(dead_code, reason = "the listener uses it; it comes with the next change"))]

mod dispatch;
mod message;
mod parts;
mod snowflake;
