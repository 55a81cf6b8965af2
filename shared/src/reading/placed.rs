//! Placed: a text of which every character knows the place that it came from.
//!
//! Entry points: [`PlacedStr::of`] for a text as it stands, [`Placed::push`] and [`Placed::push_from`] for one that is written anew;
//! [`Places::of`] looks a place up.
//! Invariants: places are kept as runs, because nearly all of a text is copied as it stands: what is copied costs a copy and
//! no more; runs begin at growing bytes.

use std::ops::Range;

use super::classes::{Class, beyond_ascii};

/// The places of a text's bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Vec<Run>);

/// Room for the runs of most texts.
const USUAL_RUNS: usize = 16;

/// Bytes from `at` on that come from `place` and the places behind it, one by one.
#[derive(Debug, Clone, Copy)]
struct Run {
    at: usize,
    place: u32,
}

impl Run {
    fn place(self, at: usize) -> u32 {
        self.place.saturating_add(u32::try_from(at - self.at).unwrap_or(u32::MAX))
    }
}

impl Places {
    /// The place of the character that begins at byte `at`.
    pub(super) fn of(&self, at: usize) -> Option<u32> {
        // Most texts are one run.
        let run = match self.0.as_slice() {
            [run] if run.at <= at => run,
            runs => runs.get(runs.partition_point(|run| run.at <= at).checked_sub(1)?)?,
        };
        Some(run.place(at))
    }

    /// Says where the bytes from `at` on come from. No byte behind it has a place yet.
    pub(super) fn push(&mut self, at: usize, place: u32) {
        if self.0.last().is_none_or(|run| run.place(at) != place) {
            self.0.push(Run { at, place });
        }
    }

    /// Says that the bytes from `at` on come from where the ones of `range` in another text do.
    pub(super) fn push_from(&mut self, at: usize, other: &Places, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let first = other.0.partition_point(|run| run.at <= range.start).saturating_sub(1);
        for run in other.0[first..].iter().take_while(|run| run.at < range.end) {
            let from = run.at.max(range.start);
            self.push(at + from - range.start, run.place(from));
        }
    }
}

/// A borrowed text, with the places of its characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedStr<'t> {
    /// The text.
    pub(super) text: &'t str,
    from: From<'t>,
}

/// Where the bytes of a text come from.
#[derive(Debug, Clone, Copy)]
enum From<'t> {
    /// One place behind the other, from this one on.
    Place(u32),
    /// Runs of places.
    Runs(&'t Places),
}

impl<'t> PlacedStr<'t> {
    /// A text as it stands, from this place on.
    pub(super) fn of(text: &'t str, place: u32) -> Self {
        Self { text, from: From::Place(place) }
    }

    /// The place of the character that begins at byte `at`.
    pub(super) fn place(self, at: usize) -> u32 {
        match self.from {
            From::Place(place) => Run { at: 0, place }.place(at),
            From::Runs(places) => places.of(at).unwrap_or_default(),
        }
    }

    /// This text without the characters outside ASCII that `drop` tells of; none if there is none.
    pub(super) fn without(self, drop: impl Fn(Class) -> bool) -> Option<Placed> {
        let mut kept: Option<Placed> = None;
        let mut from = 0;
        for (at, character) in beyond_ascii(self.text).filter(|(_, character)| drop(Class::of(*character))) {
            let kept = kept.get_or_insert_with(|| Placed::with_room(self.text.len()));
            kept.push_from(self, from..at);
            from = at + character.len_utf8();
        }
        let mut kept = kept?;
        kept.push_from(self, from..self.text.len());
        Some(kept)
    }
}

/// A text that is written, with the places of its characters.
#[derive(Debug, Clone, Default)]
pub(super) struct Placed {
    /// The text.
    pub(super) text: String,
    /// Where its characters come from.
    pub(super) places: Places,
}

impl Placed {
    /// An empty text with room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), places: Places(Vec::with_capacity(USUAL_RUNS)) }
    }

    /// This text, borrowed.
    pub(super) fn as_str(&self) -> PlacedStr<'_> {
        PlacedStr { text: &self.text, from: From::Runs(&self.places) }
    }

    /// Adds a character that comes from this place.
    pub(super) fn push(&mut self, character: char, place: u32) {
        self.places.push(self.text.len(), place);
        self.text.push(character);
    }

    /// Adds characters that all come from this place.
    pub(super) fn push_all(&mut self, text: &str, place: u32) {
        for character in text.chars() {
            self.push(character, place);
        }
    }

    /// Adds a stretch of another text as it stands.
    pub(super) fn push_from(&mut self, other: PlacedStr<'_>, range: Range<usize>) {
        let Some(text) = other.text.get(range.clone()).filter(|text| !text.is_empty()) else { return };
        match other.from {
            From::Place(_) => self.places.push(self.text.len(), other.place(range.start)),
            From::Runs(places) => self.places.push_from(self.text.len(), places, range),
        }
        self.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_keeps_its_places_and_what_is_written_anew_has_the_one_of_its_origin() {
        let text = PlacedStr::of("ab\u{200b}cd½e", 10);
        let visible = text.without(Class::is_invisible).unwrap();
        assert_eq!(visible.text, "abcd½e");
        let mut rewritten = Placed::default();
        let seen = visible.as_str();
        rewritten.push_from(seen, 1..4);
        rewritten.push_all("1/2", seen.place(4));
        rewritten.push_from(seen, 6..7);
        assert_eq!(rewritten.text, "bcd1/2e");
        let places: Vec<u32> = (0..7).map(|at| rewritten.as_str().place(at)).collect();
        assert_eq!(places, [11, 15, 16, 17, 17, 17, 19]);
        assert_eq!(rewritten.places.0.len(), 5, "runs, and not each byte on its own");
        assert!(text.without(Class::is_upper).is_none());
    }
}
