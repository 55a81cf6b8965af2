//! Where posts come from. One file per kind of source; each turns what it reads into [`crate::outbox::Entry`].
//!
//! Today there is one kind, so there is no trait.

pub mod export;
