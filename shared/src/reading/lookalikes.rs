//! Look-alikes: Cyrillic and Greek letters that were put into Latin words, by accident or to get past a filter.
//!
//! Entry point: [`fold`]. A word of two scripts is none of either: it is folded to the one that all its letters have.
//! Where a text has no Cyrillic or Greek letters but look-alikes, they are all Latin. Whole Russian words stay as they are.

use super::clean::Seen;

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

/// Folds look-alikes in place.
pub(super) fn fold(text: &mut [Seen]) {
    if !text.iter().any(|(character, _)| is_other(*character)) {
        return;
    }
    let all = text.iter().all(|(character, _)| !is_other(*character) || latin(*character).is_some());
    for word in text.chunk_by_mut(|a, b| a.0.is_alphabetic() == b.0.is_alphabetic()) {
        let mixed = word.iter().any(|(character, _)| character.is_ascii_alphabetic());
        let to_latin = word.iter().all(|(character, _)| !is_other(*character) || latin(*character).is_some());
        if to_latin && (mixed || all) {
            replace(word, latin);
        } else if mixed && word.iter().all(|(c, _)| !c.is_ascii_alphabetic() || cyrillic(*c).is_some()) {
            replace(word, cyrillic);
        }
    }
}

fn replace(word: &mut [Seen], other: fn(char) -> Option<char>) {
    for (character, _) in word {
        *character = other(*character).unwrap_or(*character);
    }
}

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
            let mut seen: Vec<Seen> = text.chars().map(|character| (character, 0)).collect();
            fold(&mut seen);
            assert_eq!(seen.iter().map(|(character, _)| *character).collect::<String>(), folded);
        }
    }
}
