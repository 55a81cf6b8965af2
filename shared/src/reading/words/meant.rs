//! Meant: which meanings stand in a text, so that hardly any search for one of them is needed.
//!
//! Entry points: [`Meant::add`], [`Meant::may_hold`]. Invariants: every meaning has its own place, but families such as the
//! ordinals share one: for these "no" is certain, and "perhaps" must be looked up.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use super::Meaning;

/// A set of meanings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reading) struct Meant(u128);

impl Meant {
    /// The set of these.
    #[inline]
    pub(in crate::reading) fn of<const N: usize>(meanings: [Meaning; N]) -> Self {
        let mut meant = Self::default();
        for meaning in meanings {
            meant.add(meaning);
        }
        meant
    }

    /// True when some meaning outside families, or some family, is in both sets.
    #[inline]
    pub(in crate::reading) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds a meaning.
    #[inline]
    pub(in crate::reading) fn add(&mut self, meaning: Meaning) {
        self.0 |= 1 << place(meaning);
    }

    /// False when this meaning was surely not added.
    #[inline]
    pub(in crate::reading) fn may_hold(self, meaning: Meaning) -> bool {
        self.0 & 1 << place(meaning) != 0
    }

    /// True when this meaning was surely added.
    #[inline]
    pub(in crate::reading) fn surely_holds(self, meaning: Meaning) -> bool {
        self.may_hold(meaning) && !is_of_family(meaning)
    }

    /// False when surely none of these was added.
    #[inline]
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

/// True for meanings that tell further what they count or name.
#[inline]
fn is_of_family(meaning: Meaning) -> bool {
    use Meaning::{Candle, Count, Counts, Nth, Tenths, Venue};
    matches!(meaning, Candle(_) | Count(_) | Counts(_) | Nth(_) | Tenths(_) | Venue(_))
}

/// How many slots there may be.
const SLOTS: u8 = 20;

/// The place of a meaning: labels first, then one for each direction, then the other kinds of meanings.
#[inline]
fn place(meaning: Meaning) -> u8 {
    match meaning {
        Meaning::Label(slot) => slot as u8,
        Meaning::Side(side) => SLOTS + side as u8,
        Meaning::StopOrder(side) => SLOTS + 2 + side as u8,
        Meaning::Positions(side) => SLOTS + 4 + side as u8,
        other => SLOTS + 6 + number(other),
    }
}

/// The number of a kind of meaning in its list.
#[inline]
fn number(meaning: Meaning) -> u8 {
    let mut number = Number(0);
    discriminant(&meaning).hash(&mut number);
    number.0
}

/// Takes the number by which kinds of meanings are told apart.
struct Number(u8);

impl Hasher for Number {
    fn write_isize(&mut self, number: isize) {
        self.write(&number.to_le_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        // There are fewer kinds than a byte has values, so that the first one tells.
        self.0 = bytes.first().copied().unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::meanings::{Counted, by_name, names};
    use super::super::{Named, Slot};
    use super::*;
    use crate::signal::Side;

    #[test]
    fn what_was_added_may_be_there_and_the_rest_is_not() {
        let some = [Meaning::Hit, Meaning::Label(Slot::Stop), Meaning::Side(Side::Long), Meaning::Nth(2)];
        let meant: Meant = some.into_iter().collect();
        assert!(some.into_iter().all(|meaning| meant.may_hold(meaning)));
        let others = [Meaning::Advert, Meaning::Was, Meaning::Label(Slot::Entry), Meaning::Side(Side::Short)];
        assert!(!meant.may_hold_any(&others));
        assert!(meant.may_hold_any(&[Meaning::Advert, Meaning::Hit]));
        assert!(meant.surely_holds(Meaning::Hit) && !meant.surely_holds(Meaning::Nth(2)));
        assert!(!Meant::default().may_hold_any(&some));
    }

    #[test]
    fn every_meaning_outside_families_has_its_own_place() {
        let mut meanings: Vec<Meaning> = names().filter_map(by_name).collect();
        meanings.retain(|meaning| !is_of_family(*meaning));
        let families = [Meaning::Nth(1), Meaning::Count(1), Meaning::Tenths(1), Meaning::Venue(Named::Okx)];
        meanings.extend(families);
        meanings.extend([Meaning::Candle(Named::Day), Meaning::Counts(Counted::Days)]);
        let places: HashSet<u8> = meanings.iter().map(|meaning| place(*meaning)).collect();
        assert_eq!(places.len(), meanings.len());
        assert!(places.iter().all(|place| u32::from(*place) < u128::BITS));
    }
}
