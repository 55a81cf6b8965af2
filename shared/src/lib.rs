//! The domain of Callboard: what a post, a signal and an update are, how a post is read, and what crosses the network.
//!
//! Pure by rule: no clock, no files, no sockets, no database. Everything here is a function of its inputs, so that the
//! server, the contributor and the trader's client can trust the same code.
//!
//! Read in this order: [`money`], [`signal`], [`update`], [`post`], [`reading`], [`wire`], [`batch`].
#![deny(clippy::float_arithmetic)]

pub mod batch;
pub mod money;
pub mod post;
pub mod reading;
pub mod signal;
pub mod update;
pub mod wire;
