//! Tokens: a cleaned text cut into words, numbers, marks and icons, line by line, without any meaning yet.
//!
//! Entry point: [`tokens`]. Numbers stay text here, because how `64.800` is to be read is decided for the whole post at
//! once. Invariants: every character is looked at once; words are cut where scripts without spaces need it.

mod digits;

use std::cell::OnceCell;
use std::ops::Deref;

use rust_decimal::Decimal;

use super::classes::Class;
use super::clean::{Text, index_of};
use super::layouts;
use super::words::{Found, Lexicon, Meaning, Noted, Slot, Understood};
use digits::{clock_length, digits_length, ordinal_length, stands_alone, unit};

/// One word, number, mark or icon.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    /// What it is.
    pub(super) kind: Kind<'t>,
    /// Its text in the author's case.
    pub(super) raw: &'t str,
    /// Its first byte in the cleaned text.
    pub(super) at: usize,
    /// Its line, counted from 0.
    pub(super) line: usize,
    /// True when nothing stands between the token before and this one.
    pub(super) glued: bool,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// Letters, perhaps with digits among them; lower case.
    Word(&'t str),
    /// A number with the unit glued to it.
    Number(Number<'t>),
    /// A circled digit or keycap: a list number, never a price.
    Index(u8),
    /// A date or a time of day.
    Clock,
    /// Punctuation.
    Mark(char),
    /// An emoji or another symbol.
    Icon(char),
}

/// A number as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number<'t> {
    /// Digits with their separators.
    pub(super) text: &'t str,
    /// Its first byte in the cleaned text.
    pub(super) at: usize,
    /// What is glued to it.
    pub(super) unit: Unit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nothing said.
    None,
    /// Thousands: `91.3k`.
    Kilo,
    /// Tens of thousands: `9.3万`.
    Myriad,
    /// Leverage: `8x`.
    Times,
    /// Per cent.
    Percent,
    /// Multiples of the risk: `1.5R`.
    Risk,
    /// Minutes, hours, days or weeks, by their letter.
    Span(char),
    /// `1st`, `2nd`.
    Ordinal,
}

impl Unit {
    /// True for what may be a price, with or without a letter for its scale.
    pub(super) fn is_of_price(self) -> bool {
        matches!(self, Unit::None | Unit::Kilo | Unit::Myriad)
    }

    /// How many units the number counts: a thousand with a `k`.
    pub(super) fn scale(self) -> Decimal {
        match self {
            Unit::Kilo => Decimal::ONE_THOUSAND,
            Unit::Myriad => Decimal::from_parts(10_000, 0, 0, false, 0),
            _ => Decimal::ONE,
        }
    }
}

/// The tokens of a text, each with the longest known phrase that begins there.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    list: Vec<Token<'t>>,
    phrases: Vec<Option<Found>>,
    noted: Vec<Noted>,
    /// True when words of another language than English were found.
    pub(super) foreign: bool,
    /// The text that they were cut from.
    pub(super) plain: &'t str,
    /// The words that hold for this text.
    pub(super) words: Lexicon<'t>,
    /// Whether a label for the entry occurs, once that was asked.
    labels_entry: OnceCell<bool>,
}

impl<'t> Deref for Tokens<'t> {
    type Target = [Token<'t>];
    fn deref(&self) -> &[Token<'t>] {
        &self.list
    }
}

impl Tokens<'_> {
    /// The longest known phrase that begins at token `at`.
    pub(super) fn phrase(&self, at: usize) -> Option<Found> {
        self.phrases.get(at).copied().flatten()
    }

    /// What is known of the word at token `at` beside its phrases.
    pub(super) fn noted(&self, at: usize) -> Noted {
        self.noted.get(at).copied().unwrap_or_default()
    }

    /// True when a label for the entry occurs.
    pub(super) fn labels_entry(&self) -> bool {
        let is_entry = |found: &Found| found.meaning == Meaning::Label(Slot::Entry);
        *self.labels_entry.get_or_init(|| self.phrases.iter().flatten().any(is_entry))
    }
}

/// Cuts a cleaned text into tokens.
pub(super) fn tokens<'t>(text: &'t Text, words: Lexicon<'t>) -> Tokens<'t> {
    let cutter = Cutter { plain: &text.plain, lower: &text.lower, words };
    let mut list: Vec<Token<'t>> = Vec::with_capacity(text.plain.len() / 3);
    let mut hints = Hints::default();
    let (mut at, mut line, mut glued) = (0, 0, false);
    while let Some(byte) = text.plain.as_bytes().get(at) {
        if let Some(length) = blank_length(&text.plain, at) {
            at += length;
            line += usize::from(*byte == b'\n');
            glued = false;
            continue;
        }
        let rest = &text.plain[at..];
        let (kind, length) = cutter.token(rest, at, *byte);
        hints.note(kind);
        let (raw, onwards) = rest.split_at(length);
        list.push(Token { kind, raw, at, line, glued });
        at += length;
        if onwards.as_bytes().first() == Some(&b'\'') {
            at += ending_length(kind, raw, onwards);
        }
        glued = true;
    }
    let understood = words.understand(&list);
    let foreign = understood.foreign;
    let (list, understood) = match layouts::written_out(&list, words, (&understood, hints), &text.plain) {
        Some(list) => {
            let understood = words.understand(&list);
            (list, understood)
        }
        None => (list, understood),
    };
    let Understood { phrases, noted, .. } = understood;
    Tokens { list, phrases, noted, foreign, plain: &text.plain, words, labels_entry: OnceCell::new() }
}

/// What the tokens of a text let one expect of its layout, so that the others are not looked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    /// A brace opens: perhaps JSON.
    pub(super) brace: bool,
    /// The word `e` occurs: perhaps the label of an entry.
    pub(super) letter: bool,
    /// A word ends with a digit: perhaps a label that is glued to its number.
    pub(super) numbered: bool,
}

impl Hints {
    fn note(&mut self, kind: Kind<'_>) {
        match kind {
            Kind::Word(word) => {
                self.letter |= word == "e";
                self.numbered |= word.as_bytes().last().is_some_and(u8::is_ascii_digit);
            }
            Kind::Mark(mark) => self.brace |= mark == '{',
            _ => {}
        }
    }
}

/// The length of the dots that lead from a label to its value: `Entry ..... 4.612`. Such a row means a colon.
fn leader_length(plain: &str, at: usize) -> Option<usize> {
    let rest = plain.as_bytes().get(at..)?;
    if rest.first() != Some(&b'.') {
        return None;
    }
    let dots = rest.iter().take_while(|byte| **byte == b'.').count();
    let apart = at.checked_sub(1).is_some_and(|before| plain.as_bytes()[before] == b' ')
        && matches!(rest.get(dots), Some(b' '));
    (dots >= LEADER || dots > 1 && apart).then_some(dots)
}

/// So many dots are no ellipsis.
const LEADER: usize = 5;

struct Cutter<'t> {
    plain: &'t str,
    lower: &'t str,
    words: Lexicon<'t>,
}

impl<'t> Cutter<'t> {
    /// The token at byte `at`, where `rest` begins with the byte `first`, and its length.
    fn token(&self, rest: &'t str, at: usize, first: u8) -> (Kind<'t>, usize) {
        match first {
            b'a'..=b'z' | b'A'..=b'Z' => self.word(at, word_length(rest)),
            b'0'..=b'9' => self.number(rest, at),
            b'.' => match leader_length(self.plain, at) {
                Some(length) => (Kind::Mark(':'), length),
                None if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number(rest, at),
                None => (Kind::Mark('.'), 1),
            },
            mark if mark.is_ascii() => (Kind::Mark(char::from(mark)), 1),
            _ => self.foreign(rest, at),
        }
    }

    fn word(&self, at: usize, length: usize) -> (Kind<'t>, usize) {
        (Kind::Word(&self.lower[at..at + length]), length)
    }

    /// The token that begins with a character outside ASCII.
    fn foreign(&self, rest: &'t str, at: usize) -> (Kind<'t>, usize) {
        let Some(first) = rest.chars().next() else { return (Kind::Mark(' '), 0) };
        if let Some(index) = index_of(first) {
            return (Kind::Index(index), first.len_utf8());
        }
        if is_unspaced(first) {
            return self.word(at, self.words.unspaced_length(rest).unwrap_or(first.len_utf8()));
        }
        if Class::of(first).is_letter() {
            return self.word(at, word_length(rest));
        }
        let kind = if is_icon(first) { Kind::Icon(first) } else { Kind::Mark(first) };
        (kind, first.len_utf8())
    }

    fn number(&self, rest: &'t str, at: usize) -> (Kind<'t>, usize) {
        let bytes = rest.as_bytes();
        let first = digits::digits(bytes, 0);
        if let Some(length) = clock_length(bytes, first) {
            return (Kind::Clock, length);
        }
        let digits = digits_length(bytes, first);
        let counted = |unit, length| (Kind::Number(Number { text: &rest[..digits], at, unit }), length);
        if stands_alone(&bytes[digits..]) {
            return counted(Unit::None, digits);
        }
        let letters = rest[digits..].chars().take_while(|c| c.is_alphanumeric() || *c == '%' || *c == '×');
        let suffix: usize = letters.map(char::len_utf8).sum();
        if let Some(ending) = ordinal_length(&self.lower[at + digits..]) {
            return counted(Unit::Ordinal, digits + ending);
        }
        if rest[digits..].starts_with(" %") {
            return counted(Unit::Percent, digits + 2);
        }
        let suffix_text = &self.lower[at + digits..at + digits + suffix];
        match unit(suffix_text).or_else(|| Some((self.words.unit(suffix_text)?, suffix))) {
            Some((unit, length)) => counted(unit, digits + length),
            None if rest[..digits].bytes().all(|b| b.is_ascii_digit()) => self.word(at, digits + suffix),
            None => counted(Unit::None, digits),
        }
    }
}

/// The length of the blank at byte `at`; none if there is another character.
fn blank_length(plain: &str, at: usize) -> Option<usize> {
    match plain.as_bytes().get(at)? {
        b' ' | b'\t'..=b'\r' => Some(1),
        byte if byte.is_ascii() => None,
        _ => plain[at..].chars().next().filter(|first| first.is_whitespace()).map(char::len_utf8),
    }
}

/// The length of the ending that an apostrophe ties to a ticker or a number, as in `AVAX'ta` and `3050'den`: it is no part
/// of either.
fn ending_length(kind: Kind<'_>, raw: &str, onwards: &str) -> usize {
    let Some(ending) = onwards.strip_prefix('\'') else { return 0 };
    let takes = match kind {
        Kind::Number(_) => true,
        Kind::Word(_) => is_capital(raw),
        _ => false,
    };
    let length = ending.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(ending.len());
    let ends = !ending[length..].starts_with(char::is_alphanumeric);
    if takes && ends && (1..=MAX_ENDING).contains(&length) { length + 1 } else { 0 }
}

/// The longest such ending: `'nden`.
const MAX_ENDING: usize = 4;

/// True for two and more capitals, perhaps with digits: a ticker, or a label such as `TP1`.
fn is_capital(raw: &str) -> bool {
    let capitals = raw.bytes().filter(u8::is_ascii_uppercase).count();
    capitals >= 2 && raw.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Chinese and Japanese are written without spaces.
pub(super) fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

fn is_icon(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{1f000}'..='\u{1ffff}')
}

/// A word may hold digits (`tp1`, `API3USDT`) and inner apostrophes (`don't`).
fn word_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => at += 1,
            b'\'' if ties(rest, at) => at += 1,
            byte if byte.is_ascii() => break,
            _ => match rest[at..].chars().next().filter(|next| Class::of(*next).is_inside_word()) {
                Some(character) => at += character.len_utf8(),
                None => break,
            },
        }
    }
    at
}

/// True when the apostrophe at byte `at` is inside a word: before a letter, but not before the ending of a ticker.
fn ties(rest: &str, at: usize) -> bool {
    let onwards = &rest[at + 1..];
    onwards.starts_with(char::is_alphabetic)
        && (onwards.starts_with(char::is_uppercase) || !is_capital(&rest[..at]))
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::source::Source;
    use super::super::words::Words;
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        let cleaned = clean(&Source::of_text(Part::Content, text), words);
        let kinds = tokens(&cleaned.own, words).iter().map(|token| token.kind).collect::<Vec<_>>();
        let shown = kinds.iter().map(|kind| match kind {
            Kind::Word(word) => (*word).to_owned(),
            Kind::Number(number) => format!("{}:{:?}", number.text, number.unit),
            Kind::Index(index) => format!("({index})"),
            Kind::Clock => "clock".to_owned(),
            Kind::Mark(mark) | Kind::Icon(mark) => mark.to_string(),
        });
        shown.collect()
    }

    #[test]
    fn units_and_names_are_told_apart() {
        assert_eq!(
            shown("8x 1INCH 64.2k 12% 4h"),
            ["8:Times", "1inch", "64.2:Kilo", "12:Percent", "4:Span('h')"]
        );
        assert_eq!(
            shown("9.3万 93.2к 1-я 12часов"),
            ["9.3:Myriad", "93.2:Kilo", "1:Ordinal", "12:Span('h')"]
        );
        assert_ne!(shown("10万U")[0], "10:Myriad", "that is money");
        assert_eq!(shown("don't TP1 API3USDT"), ["don't", "tp1", "api3usdt"]);
        assert_eq!(shown("1000PEPE 7.05USDT 2nd"), ["1000pepe", "7.05:None", "2:Ordinal"]);
    }

    #[test]
    fn dates_and_times_are_no_prices() {
        assert_eq!(shown("14/05/2025, 19:40:11 2025-06-27"), ["clock", ",", "clock", "clock"]);
        assert_eq!(shown("1.60/1.68"), ["1.60:None", "/", "1.68:None"]);
        assert_eq!(shown("7.83-7.96"), ["7.83:None", "-", "7.96:None"]);
    }

    #[test]
    fn chinese_is_cut_at_known_words() {
        assert_eq!(shown("止损62700附近"), ["止损", "62700:None", "附近"]);
    }
}
