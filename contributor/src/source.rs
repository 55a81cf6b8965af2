//! Where posts come from. One file per kind of source; each turns what it reads into [`crate::outbox::Entry`].
//!
//! An export is read to its end, Discord is listened to for ever: they share what they produce, so there is no trait.

mod card;
pub mod discord;
pub mod export;
mod lenient;
