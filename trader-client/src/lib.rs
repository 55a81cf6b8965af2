//! The trader's client.

pub mod config;
pub mod desk;
pub mod engine;
pub mod feed;
pub mod journal;
pub mod paper;
pub mod policy;
pub mod venue;
