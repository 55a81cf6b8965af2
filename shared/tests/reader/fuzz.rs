//! The checks of the fuzz targets over the corpus and mutations of it; `shared/fuzz/README.md` says how to run them for long.

use crate::material::checks::{check_number, check_text};
use crate::material::{Dice, calls};

/// How many changed texts are read, unless `FUZZ_TEXTS` says more: half a minute of a debug build at most.
const TEXTS: usize = 3_000;
/// How many written numbers are read.
const NUMBERS: usize = 200_000;

/// Pieces that a fuzzer finds useful: marks, numbers at the limits, characters of every kind.
const PIECES: &str = "~~ || ` > <@1> <:long:1> ₅ 0.0₆4 ① ½ ² 1e-9 1e999 99999999999999999999999999999 0 - -- → % x k ' , . .. : / ( ) [ ] { } \" # $ @ é İ ß ﬁ 止损 目標 \u{200b} \u{202e} \u{301} \u{fe0f} 🚀 ✅ 👨‍👩‍👧 ه ۳ long short sl tp entry close BTC";
/// Likewise, with white space in them.
const BLANKS: [&str; 5] = ["\n", "> ", "\0", "\r", " "];

/// A text of the corpus with some of its stretches taken out, copied from others, or spiked.
fn changed(texts: &[&str], dice: &mut Dice) -> String {
    let pieces: Vec<&str> = PIECES.split(' ').chain(BLANKS).collect();
    let mut characters: Vec<char> = texts[dice.below(texts.len())].chars().collect();
    for _ in 0..=dice.below(6) {
        let at = dice.below(characters.len() + 1);
        let end = (at + dice.below(9)).min(characters.len());
        let other = texts[dice.below(texts.len())].chars().take(dice.below(40));
        match dice.below(4) {
            0 => drop(characters.drain(at..end)),
            1 => drop(characters.splice(at..at, other.collect::<Vec<char>>())),
            _ => drop(characters.splice(at..at, pieces[dice.below(pieces.len())].chars())),
        }
    }
    characters.into_iter().collect()
}

#[test]
fn invariant_5_changed_calls_are_read_soundly_or_not_at_all() {
    let calls = calls();
    let all = calls.iter().map(|call| call.post.content.as_str());
    let texts: Vec<&str> = all.filter(|text| !text.is_empty()).collect();
    let wanted = std::env::var("FUZZ_TEXTS").ok().map(|number| number.parse::<usize>().unwrap());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = wanted.unwrap_or(TEXTS).div_ceil(threads);
    std::thread::scope(|scope| {
        for seed in (2..).take(threads) {
            let texts = &texts;
            scope.spawn(move || {
                let mut dice = Dice::new(seed);
                for _ in 0..share {
                    let text = changed(texts, &mut dice);
                    assert_eq!(check_text(&text), Ok(()), "{text:?}");
                }
            });
        }
    });
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
