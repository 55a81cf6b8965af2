//! Spoken: which languages a text is in, as far as its words tell.
//!
//! Entry points: [`Votes::count`] for each phrase, then [`Votes::winners`]. Invariants: English words tell nothing, because all
//! languages borrow them; with as many words from two languages, the text may be in either.

/// A set of languages, by their places in the order of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Languages(u32);

/// More languages than this share the last place.
const MAX_LANGUAGES: u8 = 32;

impl Languages {
    /// The set with this language alone.
    pub(super) fn of(language: u8) -> Self {
        Self(1 << language.min(MAX_LANGUAGES - 1))
    }

    /// The languages of both sets.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if this language is in the set.
    pub(super) fn has(self, language: u8) -> bool {
        self.0 & Self::of(language).0 != 0
    }

    /// The languages of the set.
    fn iter(self) -> impl Iterator<Item = u8> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let language = u8::try_from(left.trailing_zeros()).ok()?;
            // Takes out the lowest one; there is none left in 0.
            left &= left.checked_sub(1)?;
            Some(language)
        })
    }

    /// True for the empty set.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// How many phrases of a text each language knows.
#[derive(Debug, Default)]
pub(super) struct Votes {
    counts: [u16; MAX_LANGUAGES as usize],
    /// The languages that know any.
    heard: Languages,
}

impl Votes {
    /// Counts one phrase that these languages know.
    pub(super) fn count(&mut self, languages: Languages) {
        if languages.is_empty() || languages.has(ENGLISH) {
            return;
        }
        self.heard = self.heard.and(languages);
        for language in languages.iter() {
            if let Some(count) = self.counts.get_mut(usize::from(language)) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// The languages that know the most; none if no phrase was told apart from English.
    pub(super) fn winners(&self) -> Languages {
        let count = |language: u8| self.counts.get(usize::from(language)).copied();
        let most = self.heard.iter().map(count).max().flatten();
        let winners = self.heard.iter().filter(|language| count(*language) == most);
        winners.fold(Languages::default(), |all, language| all.and(Languages::of(language)))
    }
}

/// The place of English, and of the words that a channel brings.
const ENGLISH: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_knows_most_words_wins_and_english_does_not_count() {
        let mut votes = Votes::default();
        assert!(votes.winners().is_empty());
        votes.count(Languages::of(ENGLISH).and(Languages::of(3)));
        assert!(votes.winners().is_empty());
        votes.count(Languages::of(3).and(Languages::of(5)));
        assert!(votes.winners().has(3) && votes.winners().has(5) && !votes.winners().has(ENGLISH));
        votes.count(Languages::of(5));
        assert!(!votes.winners().has(3) && votes.winners().has(5));
    }
}
