//! The reader: what a post says, or an honest "I am not sure".
//!
//! Entry point: [`read`]. Stages, in reading order: `clean` (text), `tokens` with `layouts`, `words` and `symbols` (meaning), `pieces` and `heads`,
//! `fields` and `values` (labels), `levels`, `numbers` and `prices`, `plan`, `signals`, `several`; `chatter` objects, `updates` reads
//! follow-ups.
//! Invariants: total (no input makes it panic), linear in the text's length, no floats, and
//! every signal that it accepts is sound. When in doubt it abstains and says why; it never repairs a number.

mod bare;
mod beside;
mod characters;
mod chatter;
mod classes;
mod clean;
mod details;
mod doubt;
mod evidence;
mod exits;
mod fields;
mod habits;
mod heads;
mod ids;
mod labels_behind;
mod layouts;
mod levels;
mod lookalikes;
mod marks;
mod mixed;
mod numbers;
mod openers;
mod options;
mod parts;
mod pieces;
mod placed;
mod plan;
mod plausible;
mod prices;
mod profile;
mod references;
mod seen;
mod several;
mod signals;
mod simplified;
mod source;
mod symbols;
mod tokens;
mod updates;
mod values;
mod verdict;
mod words;

use crate::post::Post;
use habits::Habits;
use words::{Lexicon, Words};

pub use evidence::{EmbedPlace, Evidence, Field, Part};
pub use numbers::number_values;
pub use profile::{BadProfile, ChannelProfile, ProfileDraft};
pub use verdict::{Reading, Verdict};
pub use words::BadLanguage;

/// Raised whenever the reader may read some post differently than before; stored with every reading.
pub const READER_VERSION: u32 = 3;

/// Reads a post of a channel. Never fails, never panics. The time grows with the length of the post (faster only inside one
/// sentence of many thousand words), and a post of more than 128 KiB is not read at all: no source has such posts.
pub fn read(post: &Post, profile: &ChannelProfile) -> Reading {
    match Words::built_in() {
        Ok(words) => read_with(words, post, profile),
        Err(broken) => reading(Verdict::Abstained { reason: broken.to_string() }),
    }
}

/// A reader with further languages than the built-in ones.
#[derive(Debug, Clone)]
pub struct Reader {
    words: Words,
}

impl Reader {
    /// The built-in languages and one more: `file` names it in errors, `text` is a language file as described in
    /// `shared/languages/README.md`.
    pub fn with_language(file: &str, text: &str) -> Result<Self, BadLanguage> {
        let mut words = Words::built_in().map_err(Clone::clone)?.clone();
        words.add(file, text)?;
        Ok(Self { words })
    }

    /// Reads a post of a channel, as [`read`] does.
    pub fn read(&self, post: &Post, profile: &ChannelProfile) -> Reading {
        read_with(&self.words, post, profile)
    }
}

fn read_with(words: &Words, post: &Post, profile: &ChannelProfile) -> Reading {
    if !profile.may_call(&post.author.external_id) {
        return reading(Verdict::Noise {
            reason: "its author is not one of the channel's callers".to_owned(),
        });
    }
    let words = Lexicon { general: words, own: profile.words() };
    let found = parts::read(post, words, Habits::of(profile));
    Reading { evidence: found.evidence, ..reading(found.verdict) }
}

fn reading(verdict: Verdict) -> Reading {
    Reading { reader_version: READER_VERSION, verdict, evidence: Vec::new() }
}
