//! Words: what the reader's vocabulary means. Everything language-specific is in the language files and nowhere else.
//!
//! Entry points: [`Lexicon::phrase`] for the longest known phrase at a place, [`Lexicon::unspaced_length`] for scripts
//! without spaces, [`Words::built_in`].
//! Invariants: phrases are in the form that clean-up leaves (lower case, no accents, simplified Chinese, no joiners);
//! the longest phrase wins, so that `short term` is never a side; a phrase has one meaning.

mod by_word;
mod forms;
mod heads;
mod load;
mod meanings;
mod meant;
mod named;
mod spoken;
mod table;
mod tickers;

use std::cmp::Ordering;
use std::sync::LazyLock;

use super::tokens::{Kind, Token, Unit, is_unspaced};

use by_word::ByWord;
use forms::{misspelt, takes_index, takes_particle, without_number, without_particle};
pub(super) use heads::Head;
pub use load::BadLanguage;
pub(super) use meanings::{Counted, Meaning, Slot};
pub(super) use meant::Meant;
pub(super) use named::Named;
use spoken::{Languages, Votes};
pub(super) use table::{Noted, Origin};
use table::{OPEN_END, Phrase, Phrases, Summary, Table};
pub(super) use tickers::TickerKind;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// A vocabulary: phrases with their meanings, and names of coins.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Phrases by their first word.
    phrases: Table,
    /// Phrases that are labels only where they head a line.
    heads: Table,
    /// Tickers by the folded name of the coin.
    coins: ByWord<Box<str>>,
    /// How many language files were added.
    languages: u8,
}

/// A phrase found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// What it means.
    pub(super) meaning: Meaning,
    /// How many tokens it covers.
    pub(super) length: usize,
    /// The list number glued to it: 2 in `TP2`.
    pub(super) index: Option<u8>,
    /// True if its language usually has decimal commas.
    pub(super) decimal_comma: bool,
}

/// What the words of a text mean.
#[derive(Debug)]
pub(super) struct Understood {
    /// The longest known phrase that begins at each token.
    pub(super) phrases: Vec<Option<Found>>,
    /// What else is known of the word at each token.
    pub(super) noted: Vec<Noted>,
    /// True when words of another language than English were found.
    pub(super) foreign: bool,
    /// False when surely no line has labels for both an entry and an exit.
    pub(super) labelled: bool,
}

/// What is heard at a token.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    /// The longest phrase.
    found: Option<Found>,
    /// The languages that know it.
    languages: Languages,
    /// True when another phrase may be meant, depending on the language that is spoken.
    disputed: bool,
    /// True when its language is spoken, or it is the channel's own.
    is_spoken: bool,
    /// What is known of the word as it stands.
    noted: Noted,
}

impl Heard {
    /// How many tokens the phrase covers.
    fn length(&self) -> usize {
        self.found.map_or(0, |found| found.length)
    }

    /// Takes notice of a phrase that stands there.
    fn hear(&mut self, phrase: &Phrase, (length, is_spoken): (usize, bool), is_own: bool) {
        let Phrase { meaning, origin, .. } = phrase;
        // Where this language is spoken, this phrase may be the one that counts.
        self.disputed |= !is_own && (origin.small || self.found.is_some());
        if origin.small && !is_spoken {
            return;
        }
        let language = Languages::of(origin.language);
        let order = length.cmp(&self.length());
        match order {
            Ordering::Greater => self.languages = language,
            Ordering::Equal => self.languages = self.languages.and(language),
            Ordering::Less => {}
        }
        if order.then(is_spoken.cmp(&self.is_spoken)) == Ordering::Greater {
            self.is_spoken = is_spoken;
            let decimal_comma = origin.decimal_comma;
            self.found = Some(Found { meaning: *meaning, length, index: None, decimal_comma });
        }
    }

    /// Takes notice of all phrases of one word at once, where no language is known.
    fn hear_all(&mut self, short: &Summary) {
        self.disputed |= short.small || short.count > u8::from(self.found.is_none());
        match (short.first, self.length()) {
            (Some((meaning, Origin { decimal_comma, .. })), 0) => {
                self.languages = short.languages;
                self.found = Some(Found { meaning, length: 1, index: None, decimal_comma });
            }
            (Some(_), 1) => self.languages = self.languages.and(short.languages),
            _ => {}
        }
    }
}

impl Words {
    /// The words of all language files.
    pub(super) fn built_in() -> Result<&'static Words, &'static BadLanguage> {
        static BUILT_IN: LazyLock<Result<Words, BadLanguage>> = LazyLock::new(|| {
            let mut words = Words::default();
            for (file, text) in LANGUAGES {
                words.add(file, text)?;
            }
            words.add_tickers("tickers.toml", include_str!("../../tickers.toml"))?;
            Ok(words)
        });
        BUILT_IN.as_ref()
    }
}

/// The words that hold for one post: those of the languages, and the channel's own, which come first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexicon<'w> {
    /// The words of the languages.
    pub(super) general: &'w Words,
    /// The channel's own.
    pub(super) own: Option<&'w Words>,
}

impl<'w> Lexicon<'w> {
    fn all(self) -> impl Iterator<Item = &'w Words> {
        self.own.into_iter().chain([self.general])
    }

    /// The longest phrase of the vocabulary at each token. What languages disagree on is read as the language does that
    /// most of the text's words are from.
    pub(super) fn understand(self, tokens: &[Token<'_>]) -> Understood {
        let mut votes = Votes::default();
        // The tokens whose phrase depends on the language.
        let mut disputed = Vec::with_capacity(tokens.len());
        // The lines of the last labels for an entry and for an exit.
        let (mut entry, mut exit) = (None, None);
        let mut labelled = false;
        let mut noted = vec![Noted::default(); tokens.len()];
        let heard = tokens.iter().enumerate().map(|(at, token)| {
            let Kind::Word(word) = token.kind else { return None };
            let heard = self.phrase(tokens, at, (word, Languages::default()));
            noted[at] = heard.noted;
            disputed.extend(heard.disputed.then_some(at));
            votes.count(heard.languages);
            if let Some(Found { meaning, .. }) = heard.found {
                match meaning {
                    Meaning::Label(Slot::Entry) => entry = Some(token.line),
                    Meaning::Label(Slot::Stop | Slot::Target) => exit = Some(token.line),
                    _ => return heard.found,
                }
                labelled |= entry == exit;
            }
            heard.found
        });
        let mut phrases: Vec<Option<Found>> = heard.collect();
        let spoken = votes.winners();
        let foreign = !spoken.is_empty();
        if foreign {
            for at in &disputed {
                let Kind::Word(word) = tokens[*at].kind else { continue };
                phrases[*at] = self.phrase(tokens, *at, (word, spoken)).found;
            }
        }
        Understood { phrases, noted, foreign, labelled: labelled || foreign && !disputed.is_empty() }
    }

    /// The longest phrase at token `at`, a word of a text in these languages.
    fn phrase(self, tokens: &[Token<'_>], at: usize, (word, spoken): (&str, Languages)) -> Heard {
        let heard = self.known(tokens, at, (word, spoken));
        if heard.found.is_some() {
            return heard;
        }
        let other = self.other_form(tokens, at, (word, spoken)).unwrap_or_default();
        Heard { disputed: heard.disputed || other.disputed, noted: heard.noted, ..other }
    }

    /// What is known of a word beside its phrases. Of a channel's own words, less is sure.
    fn noted(self, known: Option<&Phrases>) -> Noted {
        let noted = known.map(Phrases::noted).unwrap_or_default();
        let own = self.own.is_some();
        Noted { names_coin: noted.names_coin || own, heads: noted.heads || own, ..noted }
    }

    /// Likewise for a word that is in no vocabulary as it stands: with a list number, an article or ending, or a slip.
    fn other_form(self, tokens: &[Token<'_>], at: usize, (word, spoken): (&str, Languages)) -> Option<Heard> {
        let accept = |heard: Heard, takes: fn(Meaning) -> bool| match heard.found {
            Some(found) if !takes(found.meaning) => Heard { disputed: heard.disputed, ..Heard::default() },
            _ => heard,
        };
        let stem = without_number(word);
        if stem.len() < word.len() && !stem.is_empty() {
            let index = word[stem.len()..].parse().ok()?;
            let heard = accept(self.known(tokens, at, (stem, spoken)), takes_index);
            let found = heard.found.map(|found| Found { index: Some(index), ..found });
            return Some(Heard { found, ..heard });
        }
        if let Some(bare) = without_particle(word) {
            return Some(accept(self.known(tokens, at, (bare, spoken)), takes_particle));
        }
        let label =
            |slot| Found { meaning: Meaning::Label(slot), length: 1, index: None, decimal_comma: false };
        misspelt(word).map(|slot| Heard { found: Some(label(slot)), ..Heard::default() })
    }

    fn known(self, tokens: &[Token<'_>], at: usize, (word, spoken): (&str, Languages)) -> Heard {
        let mut heard = Heard::default();
        let next = next_byte(tokens, at);
        let whole = self.general.phrases.whole(word);
        heard.noted = self.noted(whole);
        if let Some(phrases) = whole.filter(|phrases| phrases.is_alone(next))
            && self.own.is_none()
            && spoken.is_empty()
        {
            heard.hear_all(phrases.summary());
            return heard;
        }
        let mut hear = |phrases: &Phrases, is_own: bool| {
            for phrase in phrases.long(next) {
                if let Some(length) = covered(tokens, at, &phrase.rest) {
                    heard.hear(phrase, (length, is_own || spoken.has(phrase.origin.language)), is_own);
                }
            }
            if is_own || !spoken.is_empty() {
                for phrase in phrases.single() {
                    heard.hear(phrase, (1, is_own || spoken.has(phrase.origin.language)), is_own);
                }
            } else {
                heard.hear_all(phrases.summary());
            }
        };
        if let Some(own) = self.own {
            own.phrases.show(word, |phrases| hear(phrases, true));
        }
        self.general.phrases.show(word, |phrases| hear(phrases, false));
        if let Some(found) = heard.found.as_mut().filter(|found| found.length > 1) {
            found.index = list_number(&tokens[at + found.length - 1]);
        }
        heard
    }

    /// The length in bytes of the longest known phrase at the start of a text without spaces.
    pub(super) fn unspaced_length(self, text: &str) -> Option<usize> {
        let mut ends = [0; MAX_UNSPACED];
        let characters = text.char_indices().take_while(|(_, character)| is_unspaced(*character));
        let mut count = 0;
        for (end, (at, character)) in ends.iter_mut().zip(characters) {
            *end = at + character.len_utf8();
            count += 1;
        }
        let known = |end: &&usize| {
            let word = &text[..**end];
            self.all().any(|words| {
                words.phrases.whole(word).is_some_and(|known| known.all().next().is_some())
                    || words.coins.get(word).is_some()
            })
        };
        ends[..count].iter().rev().find(known).copied()
    }

    /// The ticker of a coin that is named in words.
    pub(super) fn coin(self, name: &str) -> Option<&'w str> {
        self.all().find_map(|words| words.coins.get(name)).map(AsRef::as_ref)
    }

    /// What is known of a ticker, or of a word that looks like one.
    pub(super) fn ticker(self, word: &str) -> Option<TickerKind> {
        self.general.phrases.whole(word)?.noted().ticker
    }

    /// The slot that a single word opens.
    pub(super) fn slot(self, word: &str) -> Option<Slot> {
        match self.singles(word).next()?.meaning {
            Meaning::Label(slot) => Some(slot),
            _ => None,
        }
    }

    /// What a number counts whose unit is this word.
    pub(super) fn unit(self, word: &str) -> Option<Unit> {
        self.singles(word).find_map(|phrase| match phrase.meaning {
            Meaning::Counts(counted) => Some(counted.unit()),
            _ => None,
        })
    }

    /// True for a single word that labels or sides a call.
    pub(super) fn is_call_word(self, word: &str) -> bool {
        let slots = [Slot::Entry, Slot::Target, Slot::Stop].map(Meaning::Label);
        let calls = |meaning: Meaning| {
            slots.contains(&meaning) || matches!(meaning, Meaning::Side(_) | Meaning::Buy | Meaning::Sell)
        };
        self.singles(word).any(|phrase| calls(phrase.meaning))
    }

    /// The phrases of this word alone.
    fn singles(self, word: &str) -> impl Iterator<Item = &'w Phrase> {
        self.all().filter_map(move |words| words.phrases.whole(word)).flat_map(Phrases::single)
    }
}

/// The number at the end of the last word of a phrase: `take profit3`.
fn list_number(last: &Token<'_>) -> Option<u8> {
    let Kind::Word(word) = last.kind else { return None };
    word.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

/// The first byte of the word behind token `at`, in the same line; a mark such as `-` may glue them together.
fn next_byte(tokens: &[Token<'_>], at: usize) -> Option<u8> {
    let glued = tokens.get(at + 1).is_some_and(|token| is_hyphen(&token.kind));
    let next = tokens.get(if glued { at + 2 } else { at + 1 }).filter(|next| next.line == tokens[at].line)?;
    match next.kind {
        Kind::Word(word) => word.bytes().next(),
        _ => None,
    }
}

/// How many tokens `word rest…` covers from `at`; marks such as `-` and `/` may glue the words together.
fn covered(tokens: &[Token<'_>], at: usize, rest: &[Box<str>]) -> Option<usize> {
    let line = tokens[at].line;
    let mut next = at + 1;
    for (position, wanted) in rest.iter().enumerate() {
        if tokens.get(next).is_some_and(|token| is_hyphen(&token.kind)) {
            next += 1;
        }
        let token = tokens.get(next).filter(|token| token.line == line)?;
        let Kind::Word(word) = token.kind else { return None };
        let last = position + 1 == rest.len();
        let stem = if last { without_number(word) } else { word };
        let open = |stem| word.starts_with(stem);
        if *word != **wanted && *stem != **wanted && !wanted.strip_suffix(OPEN_END).is_some_and(open) {
            return None;
        }
        next += 1;
    }
    Some(next - at)
}

fn is_hyphen(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::Mark('-' | '/' | '_' | '.'))
}

/// The longest known phrase of a script without spaces.
const MAX_UNSPACED: usize = 6;

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::source::Source;
    use super::super::tokens::tokens;
    use super::*;
    use crate::signal::Side;

    fn lexicon() -> Lexicon<'static> {
        Lexicon { general: Words::built_in().unwrap(), own: None }
    }

    fn found(text: &str) -> Option<Found> {
        let cleaned = clean(&Source::of_text(Part::Content, text), lexicon());
        tokens(&cleaned.own, lexicon()).phrase(0)
    }

    fn meaning(text: &str) -> Option<Meaning> {
        found(text).map(|found| found.meaning)
    }

    #[test]
    fn every_language_file_is_sound() {
        assert_eq!(Words::built_in().err(), None);
        assert!(LANGUAGES.len() >= 10, "the language files were not found");
    }

    #[test]
    fn a_bad_language_file_is_refused_by_name() {
        for (text, problem) in [
            ("[words]\nstopp = [\"x\"]", "`stopp` is no meaning"),
            ("[words]\nstop = [\"-\"]", "does not begin with a word"),
            ("[words]\nstop = [\"floor\"]\ntarget = [\"Floor\"]", "stands under two meanings"),
            ("stop = 3", "unknown field"),
        ] {
            let error = Words::default().add("made-up.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("made-up.toml: ") && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn the_longest_phrase_wins_and_hyphens_do_not_matter() {
        assert_eq!(meaning("short"), Some(Meaning::Side(Side::Short)));
        assert_eq!(meaning("short-term"), meaning("short term"));
        assert_ne!(meaning("short term"), Some(Meaning::Side(Side::Short)));
        for text in ["stop loss", "stop-loss", "S/L", "STOPLOSS", "stoplos", "Stopls"] {
            assert_eq!(meaning(text), Some(Meaning::Label(Slot::Stop)), "{text}");
        }
    }

    #[test]
    fn accents_case_and_script_variants_do_not_matter() {
        for text in ["GİRİŞ", "giris", "Giriş", "ENTRÉE", "entree", "進場", "进场"] {
            assert_eq!(meaning(text), Some(Meaning::Label(Slot::Entry)), "{text}");
        }
    }

    #[test]
    fn list_numbers_are_cut_off() {
        for text in ["tp3", "Target3", "take profit3"] {
            let found = found(text).unwrap();
            assert_eq!((found.meaning, found.index), (Meaning::Label(Slot::Target), Some(3)), "{text}");
        }
    }
}
