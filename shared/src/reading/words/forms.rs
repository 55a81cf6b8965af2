//! Forms: the word of the vocabulary that a written word stands for, where it is not there as it stands.
//!
//! Entry points: [`without_number`], [`without_particle`], [`misspelt`]. Invariant: each takes something off, or mends one slip
//! of a long label; which meanings may be found in this way is said by the functions beside them.

use super::{Meaning, Slot};

/// A word without the digits at its end.
pub(super) fn without_number(word: &str) -> &str {
    let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    &word[..word.len() - digits]
}

/// The word in `l'entrée` and in `stop'u`: an article before an apostrophe, or an ending behind it.
pub(super) fn without_particle(word: &str) -> Option<&str> {
    let mark = word.bytes().position(|byte| byte == b'\'')?;
    let (before, after) = (&word[..mark], &word[mark + 1..]);
    let (word, particle) = if before.len() > after.len() { (before, after) } else { (after, before) };
    (particle.len() <= MAX_PARTICLE && particle.is_ascii()).then_some(word)
}

/// The longest article or ending: `dell'`, `'nden`.
const MAX_PARTICLE: usize = 4;

/// Labels and sides are nouns. Other words with an apostrophe are contractions, such as `it's`.
pub(super) fn takes_particle(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Label(_) | Meaning::Side(_) | Meaning::Positions(_) | Meaning::BreakEven)
}

/// The labels of levels are counted.
pub(super) fn takes_index(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Label(Slot::Entry | Slot::Target | Slot::Stop | Slot::Decoy))
}

/// Long labels are recognised with one edit; short ones never, because `tp` is one edit from too much.
pub(super) fn misspelt(word: &str) -> Option<Slot> {
    const LONG: &[(&str, Slot)] = &[
        ("stoploss", Slot::Stop),
        ("targets", Slot::Target),
        ("target", Slot::Target),
        ("takeprofit", Slot::Target),
        ("leverage", Slot::Leverage),
        ("entries", Slot::Entry),
        ("entry", Slot::Entry),
        ("position", Slot::Side),
        ("direction", Slot::Side),
    ];
    let first = word.as_bytes().first()?;
    if !matches!(first, b's' | b't' | b'l' | b'e' | b'p' | b'd') || !word.is_ascii() {
        return None;
    }
    let close = |(label, _): &&(&str, Slot)| *first == label.as_bytes()[0] && within_one_edit(word, label);
    LONG.iter().find(close).map(|(_, slot)| *slot).or(is_clipped_stop(word).then_some(Slot::Stop))
}

/// "Stopl", "stopls": a stop loss that lost letters behind the stop, all others in order.
fn is_clipped_stop(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("stop").filter(|rest| !rest.is_empty()) else { return word == "stol" };
    let mut letters = "loss".chars();
    rest.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// True when one letter more, less or other, or two letters swapped, turn one word into the other.
fn within_one_edit(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let swapped = matches!((a, b), ([x, y], [v, w]) if x == w && y == v);
    a.len() <= 1 && b.len() <= 1 || swapped
}
