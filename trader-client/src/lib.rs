//! The trader's client.

pub mod engine;
pub mod policy;
