//! Openers: sets of what opens fields.
//!
//! Entry points: [`Openers::has`], [`Openers::and`]. Invariant: exact, a place for each opener.

use super::fields::Opener;
use super::words::Slot;

/// A set of openers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Openers(u32);

impl Openers {
    /// The set of these.
    pub(super) fn of<const N: usize>(openers: [Opener; N]) -> Self {
        openers.into_iter().fold(Self::default(), Self::and)
    }

    /// This set with one more.
    pub(super) fn and(self, opener: Opener) -> Self {
        Self(self.0 | place(opener))
    }

    /// True when it is in the set.
    pub(super) fn has(self, opener: Opener) -> bool {
        self.0 & place(opener) != 0
    }

    /// True when an opener is in both sets.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How many slots there are.
const SLOTS: u32 = Slot::Kind as u32 + 1;

/// The place of an opener: labels first, then the others as they are declared, so that it is read off and not looked up.
fn place(opener: Opener) -> u32 {
    let place = match opener {
        Opener::Label(slot) => u32::from(slot as u8),
        Opener::Header => SLOTS,
        Opener::Buy => SLOTS + 1,
        Opener::Sell => SLOTS + 2,
        Opener::Close => SLOTS + 3,
        Opener::Market => SLOTS + 4,
        Opener::Exit => SLOTS + 5,
        Opener::StopOrder => SLOTS + 6,
        Opener::Loose => SLOTS + 7,
    };
    1 << place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_opener_has_its_own_place() {
        let last = Opener::Label(Slot::Kind);
        let some = Openers::of([Opener::Header, Opener::Label(Slot::Entry), last]);
        assert!(some.has(Opener::Header) && some.has(last) && some.has(Opener::Label(Slot::Entry)));
        assert!(!some.has(Opener::Loose) && !some.has(Opener::Label(Slot::Target)));
        assert!(some.meets(Openers::of([last])) && !some.meets(Openers::of([Opener::Buy])));
    }
}
