//! Meant: which meanings stand in a text, so that most searches for one of them end before they begin.
//!
//! Entry points: [`Meant::add`], [`Meant::may_hold`]. Invariant: "no" is certain; "perhaps" must be looked up, because two
//! meanings may share a place in the set.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use rustc_hash::FxHasher;

use super::Meaning;

/// A set of meanings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reading) struct Meant(u128);

impl Meant {
    /// Adds a meaning.
    pub(in crate::reading) fn add(&mut self, meaning: Meaning) {
        self.0 |= place(meaning);
    }

    /// False when this meaning was surely not added.
    pub(in crate::reading) fn may_hold(self, meaning: Meaning) -> bool {
        self.0 & place(meaning) != 0
    }

    /// False when surely none of these was added.
    pub(in crate::reading) fn may_hold_any(self, meanings: &[Meaning]) -> bool {
        meanings.iter().any(|meaning| self.may_hold(*meaning))
    }
}

impl FromIterator<Meaning> for Meant {
    fn from_iter<I: IntoIterator<Item = Meaning>>(meanings: I) -> Self {
        let mut meant = Self::default();
        meanings.into_iter().for_each(|meaning| meant.add(meaning));
        meant
    }
}

/// The place of a meaning: its own for what is looked for most, else one by chance.
fn place(meaning: Meaning) -> u128 {
    let mut hasher = FxHasher::default();
    match meaning {
        Meaning::Label(slot) => slot.hash(&mut hasher),
        Meaning::Side(side) => (side, true).hash(&mut hasher),
        other => discriminant(&other).hash(&mut hasher),
    }
    1 << (hasher.finish() % u64::from(u128::BITS))
}

#[cfg(test)]
mod tests {
    use super::super::Slot;
    use super::*;
    use crate::signal::Side;

    #[test]
    fn what_was_added_may_be_there_and_most_of_the_rest_is_not() {
        let some = [Meaning::Hit, Meaning::Label(Slot::Stop), Meaning::Side(Side::Long), Meaning::Nth(2)];
        let meant: Meant = some.into_iter().collect();
        assert!(some.into_iter().all(|meaning| meant.may_hold(meaning)));
        let others = [Meaning::Advert, Meaning::Was, Meaning::Label(Slot::Entry), Meaning::Side(Side::Short)];
        assert!(others.iter().filter(|meaning| meant.may_hold(**meaning)).count() <= 1);
        assert!(meant.may_hold_any(&[Meaning::Advert, Meaning::Hit]));
        assert!(!Meant::default().may_hold_any(&some));
    }
}
