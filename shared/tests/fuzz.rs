//! The checks of the fuzz targets over the corpus and mutations of it; `shared/fuzz/README.md` says how to run them for long.

use checks::{check_number, check_text};
use material::{Dice, calls};

#[path = "material/checks.rs"]
mod checks;
#[cfg(test)]
mod material;

/// How many changed texts are read: a minute of a debug build at most.
const TEXTS: usize = 3_000;
/// How many written numbers are read.
const NUMBERS: usize = 200_000;

/// Pieces that a fuzzer finds useful: marks, numbers at the limits, characters of every kind.
const PIECES: &[&str] = &[
    "~~",
    "||",
    "`",
    ">",
    "> ",
    "\n",
    "<@1>",
    "<:long:1>",
    "₅",
    "0.0₆4",
    "①",
    "½",
    "²",
    "1e-9",
    "1e999",
    "99999999999999999999999999999",
    "0",
    "-",
    "--",
    "→",
    "%",
    "x",
    "k",
    "'",
    ",",
    ".",
    "..",
    ":",
    "/",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "#",
    "$",
    "@",
    "é",
    "İ",
    "ß",
    "ﬁ",
    "止损",
    "目標",
    "\u{200b}",
    "\u{202e}",
    "\u{301}",
    "\u{fe0f}",
    "🚀",
    "✅",
    "👨‍👩‍👧",
    "ه",
    "۳",
    "long",
    "short",
    "sl",
    "tp",
    "entry",
    "close",
    "BTC",
    "\0",
    "\r",
];

#[test]
fn invariant_5_changed_calls_are_read_soundly_or_not_at_all() {
    let calls = calls();
    let texts: Vec<&str> =
        calls.iter().map(|call| call.post.content.as_str()).filter(|text| !text.is_empty()).collect();
    let mut dice = Dice::new(2);
    for _ in 0..TEXTS {
        let call = &calls[dice.below(calls.len())];
        let mut characters: Vec<char> = call.post.content.chars().collect();
        for _ in 0..=dice.below(6) {
            let at = dice.below(characters.len() + 1);
            match dice.below(4) {
                0 => drop(characters.drain(at..(at + dice.below(9)).min(characters.len()))),
                1 => drop(characters.splice(
                    at..at,
                    texts[dice.below(texts.len())].chars().take(dice.below(40)).collect::<Vec<_>>(),
                )),
                _ => drop(characters.splice(at..at, PIECES[dice.below(PIECES.len())].chars())),
            }
        }
        let text: String = characters.into_iter().collect();
        assert_eq!(check_text(&text), Ok(()), "{} became {text:?}", call.id);
    }
}

#[test]
fn a_number_is_read_completely_or_not_at_all() {
    let parts = ["0", "1", "9", "00", "12", "345", "678", "999", ".", ",", "'", "e-", "E", " "];
    let mut dice = Dice::new(3);
    for _ in 0..NUMBERS {
        let text: String = (0..=dice.below(9)).map(|_| parts[dice.below(parts.len())]).collect();
        assert_eq!(check_number(&text), Ok(()), "{text:?}");
    }
}
