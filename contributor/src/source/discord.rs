//! Discord, heard by a bot. Everything that knows Discord stays below this file.
//!
//! Entry point: [`run()`]. The way of a message: `gateway` hears it, `dispatch` says what it is, `message` makes a post of it,
//! `intake` stages it, `listener` keeps the order, `history` reads back what nobody heard.
//! Invariants: only bot tokens; nothing is kept twice; the gateway position moves only with what it covers.

mod backfill;
mod calls;
mod dispatch;
mod doctor;
mod findings;
mod gateway;
mod history;
mod intake;
mod ledger;
mod limits;
mod lines;
mod listener;
mod message;
mod parts;
mod places;
mod rest;
mod run;
mod settings;
mod snowflake;
mod state;
mod threads;
mod trouble;
mod vitals;
mod words;

pub use backfill::backfill;
pub use doctor::{channels, check};
pub use findings::Findings;
pub use run::run;
pub use settings::DiscordSettings;
pub(super) use snowflake::Snowflake;
pub use state::{Listened, PlaceState};
