//! Letters: `e`, `s`, `t`, `l`, `r` as the only labels, and `L` or `S` as the side.
//!
//! Entry point: [`written_out`]. Invariants: a letter means something only in a text with an entry and a stop or target
//! written like this, a number right behind each; the side only where no number follows.

use super::super::tokens::{Kind, Token};

/// Numbered targets.
pub(super) const TARGETS: [&str; 9] = ["tp1", "tp2", "tp3", "tp4", "tp5", "tp6", "tp7", "tp8", "tp9"];

/// The text with its letters as words; none if they are no labels.
pub(super) fn written_out<'t>(list: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
    let is = |at: usize, letters: &[&str]| match list[at].kind {
        Kind::Word(word) => letters.contains(&word) && holds_number(list, at),
        _ => false,
    };
    let has = |letters: &[&str]| (0..list.len()).any(|at| is(at, letters));
    // "0,97 e 1,04": between two numbers it may be a word for "and".
    let joins = |at: usize| matches!(at.checked_sub(1).map(|at| list[at].kind), Some(Kind::Number(_)));
    let has_entry = (0..list.len()).any(|at| is(at, &["e"]) && (!joins(at) || has(&["s", "t"])));
    if !has_entry || !has(&["s", "sl", "t", "tp", "t1"]) {
        return None;
    }
    let word = |at: usize, token: &Token<'t>| match label(list, at) {
        Some(label) => Token { kind: Kind::Word(label), ..token.clone() },
        None => token.clone(),
    };
    Some(list.iter().enumerate().map(|(at, token)| word(at, token)).collect())
}

/// A number stands behind the letter, perhaps with a sign between them: `e 3.4`, `e=3.4`, `e:3.4`, `e.34`, `l=x4`.
fn holds_number(list: &[Token<'_>], at: usize) -> bool {
    let line = list[at].line;
    let next = |at: usize| list.get(at).filter(|token| token.line == line).map(|token| token.kind);
    let counts = |kind: Option<Kind<'_>>| match kind {
        Some(Kind::Number(_)) => true,
        Some(Kind::Word(word)) => {
            word.strip_prefix('x').is_some_and(|x| x.bytes().all(|b| b.is_ascii_digit()))
        }
        _ => false,
    };
    match next(at + 1) {
        Some(Kind::Mark('=' | ':' | '@' | '$')) => counts(next(at + 2)),
        kind => counts(kind),
    }
}

fn label(list: &[Token<'_>], at: usize) -> Option<&'static str> {
    let Kind::Word(word) = list[at].kind else { return None };
    let numbered = holds_number(list, at);
    match (word, numbered) {
        ("e", true) => Some("entry"),
        ("s", true) => Some("stop"),
        ("t", true) => Some("target"),
        ("l", true) => Some("leverage"),
        ("r", true) => Some("risk"),
        ("l", false) => Some("long"),
        ("s", false) => Some("short"),
        (_, true) => {
            let digit = word.strip_prefix('t')?.parse::<usize>().ok()?;
            TARGETS.get(digit.checked_sub(1)?).copied()
        }
        _ => None,
    }
}
