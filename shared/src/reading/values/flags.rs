//! Flags: the phrases of a field that change what its levels mean.
//!
//! Entry points: [`Flags::add`], [`Flags::has`]. Invariant: exact; a phrase that nobody asks for has no place.

use super::super::words::Meaning;

/// A set of phrases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reading) struct Flags(u16);

impl Flags {
    /// Adds a phrase.
    pub(in crate::reading) fn add(&mut self, meaning: Meaning) {
        self.0 |= place(meaning);
    }

    /// Those of both sets.
    pub(in crate::reading) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the phrase is in the set; to be asked of those only that have a place.
    pub(in crate::reading) fn has(self, meaning: Meaning) -> bool {
        debug_assert_ne!(place(meaning), 0, "{meaning:?} needs a place");
        self.0 & place(meaning) != 0
    }
}

fn place(meaning: Meaning) -> u16 {
    match meaning {
        Meaning::Above => 1,
        Meaning::Below => 1 << 1,
        Meaning::Break => 1 << 2,
        Meaning::From => 1 << 3,
        Meaning::Zone => 1 << 4,
        Meaning::Market => 1 << 5,
        Meaning::UpTo => 1 << 6,
        Meaning::Placeholder => 1 << 7,
        Meaning::OfProfit => 1 << 8,
        Meaning::NoStop => 1 << 9,
        Meaning::Close => 1 << 10,
        Meaning::Closed => 1 << 11,
        Meaning::CandleWord => 1 << 12,
        Meaning::Currency => 1 << 13,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_there_and_nothing_else() {
        let mut flags = Flags::default();
        flags.add(Meaning::Zone);
        flags.add(Meaning::Filler);
        let mut others = Flags::default();
        others.add(Meaning::CandleWord);
        assert!(flags.has(Meaning::Zone) && !flags.has(Meaning::CandleWord) && !flags.has(Meaning::Above));
        assert!(flags.or(others).has(Meaning::CandleWord) && flags.or(others).has(Meaning::Zone));
    }
}
