//! Look-alikes: Cyrillic and Greek letters that were put into Latin words, by accident or to get past a filter.
//!
//! Entry point: [`fold`]. A word of two scripts is none of either: it is folded to the one that all its letters have.
//! Where a text has no Cyrillic or Greek letters but look-alikes, they are all Latin. Whole Russian words stay as they are.

use super::placed::{Placed, PlacedStr};

/// Letters that look like a Latin one.
const PAIRS: &[(char, char)] = &[
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('х', 'x'),
    ('у', 'y'),
    ('і', 'i'),
    ('ѕ', 's'),
    ('ј', 'j'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('У', 'Y'),
    ('І', 'I'),
    ('Ѕ', 'S'),
    ('Ј', 'J'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('ο', 'o'),
];

/// Folds look-alikes; none where there is nothing to fold.
pub(super) fn fold(text: PlacedStr<'_>) -> Option<Placed> {
    if !text.text.bytes().fold(false, |found, byte| found | OTHER_LEADS.contains(&byte)) {
        return None;
    }
    let first = text.text.find(is_other)?;
    let all = text.text[first..].chars().all(|character| !is_other(character) || latin(character).is_some());
    if !all && !touches(text.text) {
        return None;
    }
    let mut folded: Option<Placed> = None;
    let mut from = 0;
    for (start, word) in words(text.text) {
        let Some(other) = folding(word, all) else { continue };
        let folded = folded.get_or_insert_with(|| Placed::with_room(text.text.len()));
        folded.push_from(text, from..start);
        for (at, character) in word.char_indices() {
            folded.push(other(character).unwrap_or(character), text.place(start + at));
        }
        from = start + word.len();
    }
    if let Some(folded) = &mut folded {
        folded.push_from(text, from..text.text.len());
    }
    folded
}

/// False when surely no word has letters of two scripts: none of another one stands beside a Latin letter.
fn touches(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let mixed = |(a, b): (&u8, &u8)| {
        a.is_ascii() != b.is_ascii() && (a.is_ascii_alphabetic() || b.is_ascii_alphabetic())
    };
    pairs.into_iter().any(mixed)
}

/// The runs of letters in a text, with their first bytes.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphabetic)?;
        let length = text[start..].find(|c: char| !c.is_alphabetic()).unwrap_or(text.len() - start);
        at = start + length;
        Some((start, &text[start..at]))
    })
}

/// What makes one script of a word; none for a word that has one. `all` says that all letters of the text look Latin.
fn folding(word: &str, all: bool) -> Option<fn(char) -> Option<char>> {
    if !word.contains(is_other) {
        return None;
    }
    let mixed = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !mixed && !all {
        return None;
    }
    if word.chars().all(|character| !is_other(character) || latin(character).is_some()) {
        return Some(latin);
    }
    word.chars().all(|c| !c.is_ascii_alphabetic() || cyrillic(c).is_some()).then_some(cyrillic)
}

/// What the letters of other scripts begin with in UTF-8.
const OTHER_LEADS: std::ops::RangeInclusive<u8> = 0xcd..=0xd4;

fn is_other(character: char) -> bool {
    matches!(character, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}')
}

fn latin(character: char) -> Option<char> {
    PAIRS.iter().find(|(other, _)| *other == character).map(|(_, latin)| *latin)
}

fn cyrillic(character: char) -> Option<char> {
    PAIRS.iter().find(|(_, latin)| *latin == character).map(|(other, _)| *other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_two_scripts_are_folded_and_words_of_one_are_left_alone() {
        for (text, folded) in [
            ("lоng ВTС", "long BTC"),
            ("ВТС long", "BTC long"),
            ("лoнг BTC, тейк", "лонг BTC, тейк"),
            ("стоп 0.5, ВТС", "стоп 0.5, ВТС"),
            ("Τarget", "Target"),
        ] {
            let found = fold(PlacedStr::of(text, 0));
            assert_eq!(found.map_or(text.to_owned(), |found| found.text), folded);
        }
    }
}
