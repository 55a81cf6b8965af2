//! The contributor on Discord: what is heard, what is read back, what is told. The real programs; only Discord is ours.
//!
//! [`described`]: our Discord against the real one's description. [`heard`]: every kind of message. [`kept`]: drops, outages,
//! restarts, `kill -9`. [`order`]: what is older comes first. [`seen`]: what `check` and `status` show. [`told`]: what a user must be told. [`unlucky`]: what a hostile reader
//! would try. [`storm`]: all of it at once.

mod described;
mod fake;
mod heard;
mod kept;
mod order;
mod seen;
mod storm;
mod told;
mod unlucky;
