//! The table of phrases: whole words, and words with an open end (`hedef*` is `hedef`, `hedefler`, `hedefimiz`).
//!
//! Entry points: [`Table::insert`], [`Table::starting_with`].
//! Invariants: one lookup for whole words and one for open ends, however many phrases there are; what was inserted
//! first comes first among phrases of equal length.

use rustc_hash::FxHashMap;

use super::Meaning;
use super::by_word::ByWord;
use super::spoken::Languages;
use super::tickers::TickerKind;

/// Stands for an open end in a folded phrase; `*` itself is markup, which folding removes.
pub(super) const OPEN_END: char = '^';

/// Which language a phrase is from, and how far it may be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reading) struct Origin {
    /// The place of its file in the order of files; 0 is English and a channel's own words.
    pub(super) language: u8,
    /// True if decimal commas are usual there.
    pub(super) decimal_comma: bool,
    /// True for a short word that other languages have too: it counts only where this language is spoken.
    pub(super) small: bool,
}

/// A phrase behind its first word.
#[derive(Debug, Clone)]
pub(super) struct Phrase {
    /// The words behind the first one.
    pub(super) rest: Box<[Box<str>]>,
    /// The first byte of the first of these; none where there is none, or where any word may stand.
    next: Option<u8>,
    /// What the phrase means.
    pub(super) meaning: Meaning,
    /// Where it comes from.
    pub(super) origin: Origin,
}

impl Phrase {
    /// A phrase.
    pub(super) fn new(rest: Box<[Box<str>]>, meaning: Meaning, origin: Origin) -> Self {
        let next = rest.first().and_then(|next| next.bytes().next());
        Self { next: next.filter(|byte| char::from(*byte) != OPEN_END), rest, meaning, origin }
    }
}

/// The phrases that begin with the same word or stem.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    /// All of them. Most lookups need only what is summed up beside it, which is therefore kept small.
    lists: Box<Lists>,
    /// The bytes with which the second words of the long ones begin.
    nexts: Nexts,
    /// What the short ones mean where the language is not known yet.
    summary: Summary,
    /// True when a stem fits this word, too.
    stemmed: bool,
    /// What else is known of the word.
    noted: Noted,
}

/// What is known of a word beside the phrases that begin with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reading) struct Noted {
    /// What it is as a ticker.
    pub(in crate::reading) ticker: Option<TickerKind>,
    /// False when it is surely no coin's name.
    pub(in crate::reading) names_coin: bool,
    /// False when surely no head begins with it.
    pub(in crate::reading) heads: bool,
}

/// Phrases that begin with the same word.
#[derive(Debug, Clone, Default)]
struct Lists {
    /// Those of several words, the longest first.
    long: Vec<Phrase>,
    /// Those of this word alone.
    short: Vec<Phrase>,
}

/// What the phrases of one word mean where the language is not known yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    /// The first one that counts in every language, with its origin.
    pub(super) first: Option<(Meaning, Origin)>,
    /// The languages of those that count in every language.
    pub(super) languages: Languages,
    /// How many phrases there are.
    pub(super) count: u8,
    /// True when one counts only where its language is spoken.
    pub(super) small: bool,
}

impl Summary {
    fn add(&mut self, phrase: &Phrase) {
        self.count = self.count.saturating_add(1);
        self.small |= phrase.origin.small;
        if !phrase.origin.small {
            self.first = self.first.or(Some((phrase.meaning, phrase.origin)));
            self.languages = self.languages.and(Languages::of(phrase.origin.language));
        }
    }
}

impl Phrases {
    fn insert(&mut self, phrase: Phrase) {
        let is_short = phrase.rest.is_empty();
        let phrases = if is_short { &mut self.lists.short } else { &mut self.lists.long };
        let of_file =
            |known: &Phrase| (known.origin.language, &known.rest) == (phrase.origin.language, &phrase.rest);
        if phrases.iter().any(of_file) {
            return;
        }
        if is_short {
            self.summary.add(&phrase);
        } else {
            self.nexts.add(phrase.next);
        }
        let at = phrases.partition_point(|known| known.rest.len() >= phrase.rest.len());
        phrases.insert(at, phrase);
    }

    /// Those of several words that may stand where the next word begins with this byte, the longest first: most may not.
    pub(super) fn long(&self, next: Option<u8>) -> impl Iterator<Item = &Phrase> {
        let long = if self.nexts.may_hold(next) { self.lists.long.as_slice() } else { &[] };
        long.iter().filter(move |phrase| phrase.next.is_none() || phrase.next == next)
    }

    /// What those of one word mean where the language is not known yet.
    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// True when surely no other phrase begins with this word where the next one begins with this byte: so it is for most.
    pub(super) fn is_alone(&self, next: Option<u8>) -> bool {
        !self.stemmed && !self.nexts.may_hold(next)
    }

    /// What is known of the word beside them.
    pub(super) fn noted(&self) -> Noted {
        self.noted
    }

    /// All of them, the longest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Phrase> {
        self.lists.long.iter().chain(&self.lists.short)
    }

    /// Those of one word.
    pub(super) fn single(&self) -> &[Phrase] {
        &self.lists.short
    }
}

/// Which bytes words begin with: a set in which several bytes share a place.
#[derive(Debug, Clone, Copy, Default)]
struct Nexts(u64);

impl Nexts {
    /// Adds a byte; none stands for any.
    fn add(&mut self, byte: Option<u8>) {
        self.0 |= byte.map_or(u64::MAX, Self::place);
    }

    fn may_hold(self, byte: Option<u8>) -> bool {
        byte.map_or(self.0 == u64::MAX, |byte| self.0 & Self::place(byte) != 0)
    }

    fn place(byte: u8) -> u64 {
        1 << (byte % 64)
    }
}

/// Phrases by their first word.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    whole: ByWord<Phrases>,
    /// First words with an open end by their first letters, the longest first.
    open: FxHashMap<u64, Vec<Stem>>,
    /// The bytes with which these begin.
    opens: Nexts,
}

#[derive(Debug, Clone)]
struct Stem {
    stem: Box<str>,
    phrases: Phrases,
}

/// How many bytes of a stem are looked up: four Latin letters, or two of most other scripts. Shorter stems are refused.
const KEY_BYTES: usize = 4;

impl Table {
    /// Adds a phrase; none if its open end comes too early.
    pub(super) fn insert(&mut self, first: &str, phrase: Phrase) -> Option<()> {
        let phrases = match first.strip_suffix(OPEN_END) {
            None => self.entry(first),
            Some(stem) => {
                let stems = self.open.entry(key(stem)?).or_default();
                self.opens.add(stem.bytes().next());
                let longer = self.whole.iter_mut().filter(|(word, _)| word.starts_with(stem));
                longer.for_each(|(_, phrases)| phrases.stemmed = true);
                let at = stems.iter().position(|known| *known.stem == *stem).unwrap_or_else(|| {
                    let at = stems.partition_point(|known| known.stem.len() >= stem.len());
                    stems.insert(at, Stem { stem: stem.into(), phrases: Phrases::default() });
                    at
                });
                &mut stems.get_mut(at)?.phrases
            }
        };
        phrases.insert(phrase);
        Some(())
    }

    /// The phrases that begin with this word as it is, to be added to.
    fn entry(&mut self, word: &str) -> &mut Phrases {
        let stemmed = self.stems(word).iter().any(|known| word.starts_with(&*known.stem));
        let phrases = self.whole.entry(word);
        phrases.stemmed |= stemmed;
        phrases
    }

    /// What is known of a word beside its phrases, to be added to.
    pub(super) fn note(&mut self, word: &str) -> &mut Noted {
        &mut self.entry(word).noted
    }

    /// The phrases that begin with this word as it is; perhaps none, where something else is known of it.
    pub(super) fn whole(&self, word: &str) -> Option<&Phrases> {
        self.whole.get(word)
    }

    /// Shows the phrases that begin with this word, as it is or by its stem; those of longer stems first.
    pub(super) fn show<'s>(&'s self, word: &str, mut to: impl FnMut(&'s Phrases)) {
        if let Some(phrases) = self.whole(word) {
            to(phrases);
        }
        for known in self.stems(word).iter().filter(|known| word.starts_with(&*known.stem)) {
            to(&known.phrases);
        }
    }

    /// The phrases that begin with this word, in the same order.
    pub(super) fn starting_with(&self, word: &str) -> impl Iterator<Item = &Phrases> {
        let fitting = self.stems(word).iter().filter(move |known| word.starts_with(&*known.stem));
        self.whole(word).into_iter().chain(fitting.map(|stem| &stem.phrases))
    }

    /// The stems that begin as this word does.
    fn stems(&self, word: &str) -> &[Stem] {
        if !self.opens.may_hold(word.bytes().next()) {
            return &[];
        }
        key(word).and_then(|key| self.open.get(&key)).map_or(&[], Vec::as_slice)
    }
}

/// The first letters of a word as one number; none if it is too short for a stem.
fn key(word: &str) -> Option<u64> {
    let end = (KEY_BYTES..=word.len()).find(|end| word.is_char_boundary(*end))?;
    Some(word.bytes().take(end).fold(0, |key, byte| key << u8::BITS | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(meaning: Meaning) -> Phrase {
        Phrase::new(Box::default(), meaning, Origin::default())
    }

    #[test]
    fn a_whole_word_comes_before_its_stem_and_a_long_stem_before_a_short_one() {
        let mut table = Table::default();
        for (word, meaning) in
            [("kapat^", Meaning::Close), ("kapatma^", Meaning::Negation), ("kapattik", Meaning::Closed)]
        {
            table.insert(word, phrase(meaning)).unwrap();
        }
        for (word, meanings) in [
            ("kapatin", vec![Meaning::Close]),
            ("kapatmayin", vec![Meaning::Negation, Meaning::Close]),
            ("kapattik", vec![Meaning::Closed, Meaning::Close]),
            ("kapa", vec![]),
        ] {
            let found: Vec<Meaning> =
                table.starting_with(word).flat_map(Phrases::all).map(|phrase| phrase.meaning).collect();
            assert_eq!(found, meanings, "{word}");
        }
        assert_eq!(table.insert("kap^", phrase(Meaning::Close)), None, "too short for an open end");
        assert_eq!(table.insert("цел^", phrase(Meaning::Close)), Some(()));
    }
}
