//! The engine by scenarios and by properties. `bench` plays the exchange and the server.

mod bench;
mod entries;
mod exits;
mod properties;
mod updates;
mod witnesses;
