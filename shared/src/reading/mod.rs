//! The reader: what a post says, or an honest "I am not sure".
//!
//! Entry point: [`read`]. Stages, in reading order: `clean` (text), `tokens`, `words` and `symbols` (meaning), `pieces`,
//! `fields` and `values` (labels), `levels`, `numbers` and `prices`, `plan`, `signals`, `several`; `chatter` objects, `updates` reads
//! follow-ups.
//! Invariants: total (no input makes it panic), linear in the text's length, no floats, and
//! every signal that it accepts is sound. When in doubt it abstains and says why; it never repairs a number.

mod chatter;
mod clean;
mod details;
mod doubt;
mod evidence;
mod fields;
mod levels;
mod numbers;
mod parts;
mod pieces;
mod plan;
mod plausible;
mod prices;
mod profile;
mod several;
mod signals;
mod symbols;
mod tokens;
mod updates;
mod values;
mod verdict;
mod words;

use crate::post::Post;

pub use evidence::{EmbedPlace, Evidence, Field, Part};
pub use profile::{BadProfile, ChannelProfile, ProfileDraft};
pub use verdict::{Reading, Verdict};

/// Raised whenever the reader may read some post differently than before; stored with every reading.
pub const READER_VERSION: u32 = 2;

/// Reads a post of a channel. Never fails, never panics; linear in the length of the post.
pub fn read(post: &Post, profile: &ChannelProfile) -> Reading {
    let verdict = match profile.may_call(&post.author.external_id) {
        true => parts::read(post),
        false => Verdict::Noise { reason: "its author is not one of the channel's callers".to_owned() },
    };
    Reading { reader_version: READER_VERSION, verdict, evidence: Vec::new() }
}
