//! What is known of each of many words.
//!
//! Entry points: [`ByWord::get`], [`ByWord::entry`]. Invariant: words of usual length are held in place, beside what is known
//! of them, so that a lookup needs one place in memory beyond the table's own marks: looking words up is a twentieth of the
//! time of reading.

use arrayvec::ArrayString;
use rustc_hash::FxHashMap;

/// The longest word that is held in place, in bytes: hardly one in a hundred is longer.
const USUAL: usize = 20;

/// A map by words.
#[derive(Debug, Clone)]
pub(super) struct ByWord<V> {
    usual: FxHashMap<ArrayString<USUAL>, V>,
    long: FxHashMap<Box<str>, V>,
}

impl<V> Default for ByWord<V> {
    fn default() -> Self {
        Self { usual: FxHashMap::default(), long: FxHashMap::default() }
    }
}

impl<V> ByWord<V> {
    /// What is known of a word.
    pub(super) fn get(&self, word: &str) -> Option<&V> {
        if word.len() <= USUAL { self.usual.get(word) } else { self.long.get(word) }
    }

    /// What is known of a word, to be changed; nothing at first.
    pub(super) fn entry(&mut self, word: &str) -> &mut V
    where
        V: Default,
    {
        match ArrayString::from(word) {
            Ok(usual) => self.usual.entry(usual).or_default(),
            Err(_) => self.long.entry(word.into()).or_default(),
        }
    }

    /// All words with what is known of them, in no order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut V)> {
        let usual = self.usual.iter_mut().map(|(word, known)| (word.as_str(), known));
        usual.chain(self.long.iter_mut().map(|(word, known)| (&**word, known)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_length_are_found_and_no_others() {
        let mut known = ByWord::<usize>::default();
        let words = ["", "tp", "twenty-bytes-of-text", "twenty-one-bytes-here", "длинноесловодлиннее"];
        for (number, word) in words.iter().enumerate() {
            *known.entry(word) = number;
        }
        for (number, word) in words.iter().enumerate() {
            assert_eq!(known.get(word), Some(&number), "{word}");
        }
        assert_eq!(known.get("twenty-bytes-of-tex"), None);
        assert_eq!(known.iter_mut().count(), words.len());
    }
}
