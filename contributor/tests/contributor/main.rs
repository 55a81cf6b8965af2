//! The contributor against a server on loopback that misbehaves by a script: as a library, and as the program itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its world must fail there")]

mod program;
mod read;
mod relay;
mod support;
