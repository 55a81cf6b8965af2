//! Language files: TOML tables that give each meaning its phrases, so that a native speaker can correct one without
//! reading Rust.
//!
//! Entry point: [`Words::add`]. Invariants: an unknown meaning, an empty phrase, or a phrase with two meanings inside
//! one file is refused with the file's name; of two files, the one that was added first decides.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::clean::fold;
use super::super::tokens::is_unspaced;
use super::meanings::{Meaning, Slot, by_name, names};
use super::{OPEN_END, Origin, Phrase, Phrases, Table, Words};

/// What is wrong with a language file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLanguage {
    /// It is no TOML of the right shape.
    #[error("{file}: {problem}")]
    Shape {
        /// The file's name.
        file: String,
        /// The problem, with its line.
        problem: String,
    },
    /// A meaning that the reader does not know.
    #[error("{file}: `{name}` is no meaning; known are {known}")]
    Meaning {
        /// The file's name.
        file: String,
        /// The unknown name.
        name: String,
        /// All names.
        known: String,
    },
    /// A phrase of which clean-up leaves nothing, that begins with something else than a word, or with too short a stem.
    #[error("{file}: `{phrase}` of `{name}` does not begin with a word, or its `*` comes too early")]
    Phrase {
        /// The file's name.
        file: String,
        /// The meaning's name.
        name: String,
        /// The phrase.
        phrase: String,
    },
    /// A phrase that has another meaning in a language.
    #[error(
        "{file}: `{phrase}` means something else already, and a trade depends on it: it cannot be `{name}` too"
    )]
    Taken {
        /// The file's name.
        file: String,
        /// The meaning that it was to have.
        name: String,
        /// The phrase.
        phrase: String,
    },
    /// A phrase that stands under two meanings.
    #[error("{file}: `{phrase}` stands under two meanings, `{name}` is the second one")]
    Twice {
        /// The file's name.
        file: String,
        /// The second meaning's name.
        name: String,
        /// The phrase.
        phrase: String,
    },
}

/// The form of a language file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    /// True where decimal commas are usual.
    #[serde(default)]
    decimal_comma: bool,
    /// The phrases of each meaning.
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    /// Likewise, but only in texts of this language.
    #[serde(default)]
    small_words: BTreeMap<String, Vec<String>>,
    /// Phrases that are labels only where they head a line.
    #[serde(default)]
    heads: BTreeMap<String, Vec<String>>,
    /// The words by which people talk about trades, apart because they are many.
    #[serde(default)]
    talk: BTreeMap<String, Vec<String>>,
    /// Likewise, but only in texts of this language.
    #[serde(default)]
    small_talk: BTreeMap<String, Vec<String>>,
    /// Names of coins by their ticker.
    #[serde(default)]
    coins: BTreeMap<String, Vec<String>>,
}

impl Words {
    /// Adds a language file. What earlier files say stands.
    pub(in crate::reading) fn add(&mut self, file: &str, text: &str) -> Result<(), BadLanguage> {
        let language: Language = toml::from_str(text)
            .map_err(|error| BadLanguage::Shape { file: file.to_owned(), problem: error.to_string() })?;
        for (ticker, names) in &language.coins {
            for name in names {
                let name = fold(name);
                self.phrases.note(&name).names_coin = true;
                let known = self.coins.entry(&name);
                if known.is_empty() {
                    *known = ticker.as_str().into();
                }
            }
        }
        let origin = Origin { language: self.languages, decimal_comma: language.decimal_comma, small: false };
        self.languages = self.languages.saturating_add(1);
        self.add_heads(file, &language.heads, origin)?;
        let small = Origin { small: true, ..origin };
        self.add_phrases(file, &language.words, origin)?;
        self.add_phrases(file, &language.small_words, small)?;
        self.add_phrases(file, &language.talk, origin)?;
        self.add_phrases(file, &language.small_talk, small)
    }

    /// Adds phrases that are labels at the head of a line; they may mean something else elsewhere.
    fn add_heads(
        &mut self,
        file: &str,
        heads: &BTreeMap<String, Vec<String>>,
        origin: Origin,
    ) -> Result<(), BadLanguage> {
        for (name, phrases) in heads {
            let meaning = by_name(name).filter(|meaning| matches!(meaning, Meaning::Label(_)));
            let meaning = meaning.ok_or_else(|| unknown(file, name))?;
            for phrase in phrases {
                let folded = fold(phrase);
                let first = insert(&mut self.heads, &folded, (meaning, origin));
                let first = first.ok_or_else(|| not_a_word((file, name, phrase)))?;
                self.phrases.note(first).heads = true;
            }
        }
        Ok(())
    }

    /// Refuses phrases that these words give another meaning already, where a trade depends on it: nobody may make a short a
    /// long.
    pub(in crate::reading) fn check_free(
        &self,
        file: &str,
        words: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), BadLanguage> {
        for (name, phrases) in words {
            let meaning = by_name(name).ok_or_else(|| unknown(file, name))?;
            for phrase in phrases {
                let folded = fold(phrase);
                let Some((first, rest)) = parts(&folded) else { continue };
                let taken = self.phrases.starting_with(first).flat_map(Phrases::all).any(|known| {
                    known.rest == rest
                        && known.meaning != meaning
                        && decides(known.meaning)
                        && !known.origin.small
                });
                if taken {
                    let (name, phrase) = (name.clone(), phrase.clone());
                    return Err(BadLanguage::Taken { file: file.to_owned(), name, phrase });
                }
            }
        }
        Ok(())
    }

    /// Adds phrases by the names of their meanings.
    pub(in crate::reading) fn add_phrases(
        &mut self,
        file: &str,
        words: &BTreeMap<String, Vec<String>>,
        origin: Origin,
    ) -> Result<(), BadLanguage> {
        let mut own: BTreeMap<String, Meaning> = BTreeMap::new();
        for (name, phrases) in words {
            let meaning = by_name(name).ok_or_else(|| unknown(file, name))?;
            for phrase in phrases {
                let folded = fold(&phrase.replace('*', &OPEN_END.to_string()));
                let at = (file, name.as_str(), phrase.as_str());
                match own.insert(folded.clone(), meaning) {
                    Some(other) if other != meaning => return Err(twice(at)),
                    _ => {
                        insert(&mut self.phrases, &folded, (meaning, origin))
                            .ok_or_else(|| not_a_word(at))?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Adds one folded phrase and tells its first word; none if it does not begin with a word.
fn insert<'f>(table: &mut Table, folded: &'f str, (meaning, origin): (Meaning, Origin)) -> Option<&'f str> {
    let (first, rest) = parts(folded)?;
    table.insert(first, Phrase::new(rest, meaning, origin))?;
    Some(first)
}

/// The first word of a folded phrase and the others. Scripts without spaces are looked up as a whole.
fn parts(folded: &str) -> Option<(&str, Box<[Box<str>]>)> {
    let divides = |c: char| matches!(c, '-' | '/' | '_' | '.') || c.is_whitespace();
    let unspaced = folded.starts_with(is_unspaced);
    let mut parts = folded.split(|c| divides(c) && !unspaced).filter(|part| !part.is_empty());
    let first = parts.next().filter(|first| first.starts_with(char::is_alphanumeric))?;
    Some((first, parts.map(Into::into).collect()))
}

/// True for meanings on which the direction or a level of a trade, or its being meant at all, depends.
fn decides(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Side(_)
            | Meaning::Positions(_)
            | Meaning::StopOrder(_)
            | Meaning::Buy
            | Meaning::Sell
            | Meaning::Above
            | Meaning::Below
            | Meaning::Close
            | Meaning::Cancel
            | Meaning::Negation
            | Meaning::Hedge
            | Meaning::Asks
            | Meaning::Unreal
            | Meaning::Label(Slot::Entry | Slot::Target | Slot::Stop | Slot::Leverage)
    )
}

fn unknown(file: &str, name: &str) -> BadLanguage {
    let known = names().collect::<Vec<_>>().join(", ");
    BadLanguage::Meaning { file: file.to_owned(), name: name.to_owned(), known }
}

fn twice((file, name, phrase): (&str, &str, &str)) -> BadLanguage {
    BadLanguage::Twice { file: file.to_owned(), name: name.to_owned(), phrase: phrase.to_owned() }
}

fn not_a_word((file, name, phrase): (&str, &str, &str)) -> BadLanguage {
    BadLanguage::Phrase { file: file.to_owned(), name: name.to_owned(), phrase: phrase.to_owned() }
}
