//! Digits: how far a number goes, what is glued to it, and what only looks like one: dates and times.
//!
//! Entry points: [`digits`], [`digits_length`], [`clock_length`], [`unit()`]. Invariant: each looks at the start of its text only.

use super::{Unit, is_unspaced};

/// How many digits stand at byte `from` and behind it.
pub(super) fn digits(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Digits with `.`, `,` or `'` between digits, of which `first` stand before the first mark; a power of ten may follow:
/// `2.6e-6`.
pub(super) fn digits_length(bytes: &[u8], first: usize) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = first;
    while digit(at) || matches!(bytes.get(at), Some(b'.' | b',' | b'\'')) && digit(at + 1) {
        at += 1;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) && bytes.get(at + 1) == Some(&b'-') && digit(at + 2) {
        at += 3;
        while digit(at) {
            at += 1;
        }
    }
    at
}

/// True when what follows a number is surely neither a unit nor an ending.
pub(super) fn stands_alone(behind: &[u8]) -> bool {
    match behind {
        [] => true,
        [b' ', next, ..] => *next != b'%',
        [byte, ..] => byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'%' | b'-'),
    }
}

/// The length of `19:40`, `19:40:11`, `14/05/2025` or `2025-05-14` at the start, of which `first` digits stand before the
/// first mark; none if it is something else.
pub(super) fn clock_length(bytes: &[u8], first: usize) -> Option<usize> {
    let mark = *bytes.get(first)?;
    let begins = match mark {
        b':' | b'/' => first <= 2,
        // Most of these are decimal points: a date has a second one.
        b'.' => first <= 2 && bytes[first + 1..].iter().take(3).any(|byte| *byte == mark),
        b'-' => first == 4,
        _ => false,
    };
    if !begins {
        return None;
    }
    let second = digits(bytes, first + 1);
    if second > 2 {
        return None;
    }
    let after = first + 1 + second;
    let third = if bytes.get(after) == Some(&mark) { digits(bytes, after + 1) } else { 0 };
    let end = if third > 0 { after + 1 + third } else { after };
    let goes_on = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
        || matches!(bytes.get(end), Some(b'.' | b',')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    let whole = match mark {
        b':' => first > 0 && second == 2 && (third == 0 || third == 2),
        b'-' => second == 2 && third == 2,
        _ => third == 4,
    };
    (whole && !goes_on).then_some(end)
}

/// The unit at the start of a number's suffix, and its length. `None` when the whole is rather a name, as in `1INCH`.
pub(super) fn unit(suffix: &str) -> Option<(Unit, usize)> {
    const UNITS: &[(&str, Unit)] = &[
        ("%", Unit::Percent),
        ("k", Unit::Kilo),
        ("к", Unit::Kilo),
        ("만", Unit::Myriad),
        ("x", Unit::Times),
        ("х", Unit::Times),
        ("×", Unit::Times),
        ("倍", Unit::Times),
        ("r", Unit::Risk),
        ("m", Unit::Span('m')),
        ("min", Unit::Span('m')),
        ("h", Unit::Span('h')),
        ("hr", Unit::Span('h')),
        ("ч", Unit::Span('h')),
        ("d", Unit::Span('d')),
        ("w", Unit::Span('w')),
        ("st", Unit::Ordinal),
        ("nd", Unit::Ordinal),
        ("rd", Unit::Ordinal),
        ("th", Unit::Ordinal),
        ("ª", Unit::Ordinal),
        ("º", Unit::Ordinal),
        ("usdt", Unit::None),
        ("usd", Unit::None),
        ("usdc", Unit::None),
    ];
    let Some(first) = suffix.chars().next() else { return Some((Unit::None, 0)) };
    if matches!(first, '%' | '×' | '倍') {
        let unit = if first == '%' { Unit::Percent } else { Unit::Times };
        return Some((unit, first.len_utf8()));
    }
    if matches!(first, '万' | '萬') && !is_amount(&suffix[first.len_utf8()..]) {
        return Some((Unit::Myriad, first.len_utf8()));
    }
    if is_unspaced(first) {
        return Some((Unit::None, 0));
    }
    let end = suffix.find(|c| is_unspaced(c) || c == '%').unwrap_or(suffix.len());
    let found = UNITS.iter().find(|(name, _)| *name == &suffix[..end])?;
    Some((found.1, end))
}

/// The length of the ending of `1-я`, `2-й` and `3-ю`, with its hyphen.
pub(super) fn ordinal_length(suffix: &str) -> Option<usize> {
    let ending = suffix.strip_prefix('-')?;
    let letters = ending.chars().take_while(|c| c.is_alphabetic());
    let length: usize = letters.map(char::len_utf8).sum();
    matches!(&ending[..length], "я" | "й" | "ю" | "е" | "ая" | "ый" | "ой" | "ую" | "а").then_some(length + 1)
}

/// `10万U`, `5万美元`: money that is put in, or a profit, and no price.
fn is_amount(onwards: &str) -> bool {
    onwards.starts_with(['u', '美', '刀', '元', '块', '枚', '个', '人', '本', '日'])
}
