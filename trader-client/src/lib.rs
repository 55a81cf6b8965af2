//! The trader's client.

pub mod desk;
pub mod engine;
pub mod journal;
pub mod paper;
pub mod policy;
pub mod venue;
