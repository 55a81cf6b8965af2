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
mod fields;
mod levels;
mod numbers;
mod parts;
mod pieces;
mod plan;
mod plausible;
mod prices;
mod several;
mod signals;
mod symbols;
mod tokens;
mod updates;
mod values;
mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::post::Post;
use crate::signal::Signal;
use crate::update::SignalUpdate;

/// Raised whenever the reader may read some post differently than before; stored with every reading.
pub const READER_VERSION: u32 = 1;

/// What the reader made of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// One or more new signals, and perhaps an update of an earlier one beside them.
    Signals {
        /// The signals, in the order of the text; never empty.
        signals: Vec<Signal>,
        /// The update, if there is one too.
        update: Option<SignalUpdate>,
    },
    /// A follow-up to an earlier signal.
    Update {
        /// What it says.
        update: SignalUpdate,
    },
    /// Nothing to act on.
    Noise {
        /// Why, for a person.
        reason: String,
    },
    /// It looks like a signal or an update, and the reader will not vouch for it.
    Abstained {
        /// Why, for a person.
        reason: String,
    },
}

/// Reads a post. Never fails, never panics; linear in the length of the post.
pub fn read(post: &Post) -> Reading {
    parts::read(post)
}
