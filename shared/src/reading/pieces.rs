//! Pieces: tokens with their meaning. Phrases of the vocabulary, symbols, numbers, and words that nobody explained.
//!
//! Entry point: [`pieces`]. Invariants: every token belongs to exactly one piece, in order; a piece stays in its line.

use super::heads;
use super::symbols::{self, Mention};
use super::tokens::{Kind, Number, Token, Tokens};
use super::words::{Found, Head, Meaning, Slot};

/// A stretch of the text with one meaning.
#[derive(Debug, Clone)]
pub(super) struct Piece<'t> {
    /// What it is.
    pub(super) what: What<'t>,
    /// Its line, counted from 0.
    pub(super) line: usize,
    /// True when nothing stands between the piece before and this one.
    pub(super) glued: bool,
    /// Its bytes in the cleaned text.
    pub(super) bytes: Bytes,
}

/// A stretch of a cleaned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes {
    /// The first byte.
    pub(super) start: usize,
    /// The byte behind the last one.
    pub(super) end: usize,
}

/// The kinds of pieces.
#[derive(Debug, Clone)]
pub(super) enum What<'t> {
    /// A phrase of the vocabulary, with the list number glued to it.
    Term(Meaning, Option<u8>),
    /// A symbol.
    Ticker(Mention),
    /// A number.
    Number(Number<'t>),
    /// A list number, as a circled digit.
    Index(u8),
    /// A date or a time.
    Clock,
    /// Punctuation.
    Mark(char),
    /// An emoji.
    Icon(char),
    /// A word outside the vocabulary.
    Unknown,
    /// Letters and digits that cannot be told apart: `TP30.5391`.
    Tangle,
}

/// A text in pieces, with what holds for the whole of it.
#[derive(Debug, Default)]
pub(super) struct Pieces<'t> {
    /// The pieces in order.
    pub(super) list: Vec<Piece<'t>>,
    /// True when words of a language with decimal commas were found.
    pub(super) decimal_comma: bool,
    /// True when a word is so long that it must be an address: of a contract, a wallet, an invitation.
    pub(super) address: bool,
}

/// No ticker, and hardly any word, has so many letters and digits.
const ADDRESS_LENGTH: usize = 30;

/// Gives meaning to tokens.
pub(super) fn pieces<'t>(tokens: &Tokens<'t>) -> Pieces<'t> {
    let mut pieces = Pieces { list: Vec::with_capacity(tokens.len()), ..Pieces::default() };
    let mut heads = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if matches!(token.kind, Kind::Word(_))
            && begins_column(&pieces.list, token.line)
            && let Some(Head { slot, length }) = tokens.words.head(tokens, at)
        {
            let end = tokens.get(at + length - 1).map_or(token.at, |last| last.at + last.raw.len());
            heads.push((Bytes { start: token.at, end }, slot));
        }
        let (what, length) = piece_at(tokens, at, &mut pieces);
        at += length;
        let end = tokens.get(at - 1).map_or(token.at, |last| last.at + last.raw.len());
        let bytes = Bytes { start: token.at, end };
        pieces.list.push(Piece { what, line: token.line, glued: token.glued, bytes });
    }
    heads::settle(&mut pieces.list, &heads);
    pieces
}

/// How many bullets and list numbers may stand before the first word of a line.
const MAX_BULLETS: usize = 8;

/// True behind the start of a line, its bullets and its list number, and behind a mark that divides columns.
fn begins_column(list: &[Piece<'_>], line: usize) -> bool {
    let before = list.iter().rev().take(MAX_BULLETS).take_while(|piece| piece.line == line);
    for piece in before {
        match &piece.what {
            What::Mark('|' | '·' | '•') => return true,
            What::Mark(_) | What::Icon(_) | What::Index(_) => {}
            What::Number(number) if number.text.len() == 1 => {}
            _ => return false,
        }
    }
    true
}

fn piece_at<'t>(tokens: &Tokens<'t>, at: usize, pieces: &mut Pieces<'t>) -> (What<'t>, usize) {
    let token = &tokens[at];
    match token.kind {
        Kind::Number(number) => (What::Number(number), 1),
        Kind::Index(index) => (What::Index(index), 1),
        Kind::Clock => (What::Clock, 1),
        Kind::Icon(icon) => (What::Icon(icon), 1),
        Kind::Mark(mark) => match symbols::at(tokens, at) {
            Some((mention, length)) => (What::Ticker(mention), length),
            None => (What::Mark(mark), 1),
        },
        Kind::Word(word) => {
            pieces.address |= word.len() >= ADDRESS_LENGTH;
            word_at(tokens, at, word, pieces)
        }
    }
}

fn word_at<'t>(tokens: &Tokens<'t>, at: usize, word: &str, pieces: &mut Pieces<'t>) -> (What<'t>, usize) {
    if let Some((mention, length)) = symbols::at(tokens, at) {
        return (What::Ticker(mention), length);
    }
    if let Some(mention) = symbols::word_ticker(tokens, at) {
        return (What::Ticker(mention), 1);
    }
    if let Some(number) = leverage(&tokens[at]) {
        return (What::Number(number), 1);
    }
    let next_is_fraction = tokens
        .get(at + 1)
        .is_some_and(|next| next.glued && next.raw.starts_with('.') && matches!(next.kind, Kind::Number(_)));
    if word.ends_with(|c: char| c.is_ascii_digit()) && next_is_fraction {
        return (What::Tangle, 2);
    }
    if let Some(Found { meaning, length, index, decimal_comma }) = tokens.phrase(at) {
        pieces.decimal_comma |= decimal_comma;
        if index.is_some_and(|index| index > MAX_LIST) && meaning != Meaning::Label(Slot::Decoy) {
            return (What::Tangle, length);
        }
        return (What::Term(meaning, index), length);
    }
    if let Some(index) = letter(tokens, at, word) {
        return (What::Index(index), 2);
    }
    if let Some((slot, index)) = key(tokens, at, word) {
        return (What::Term(Meaning::Label(slot), index), 1);
    }
    match symbols::named(tokens, at) {
        Some(mention) => (What::Ticker(mention), 1),
        None => (What::Unknown, 1),
    }
}

/// The keys of commands and of the tersest posts: `e=3.46`, `s: 3.31`, `t1 3.52`. A letter is a label only right before
/// its number.
fn key(tokens: &Tokens<'_>, at: usize, word: &str) -> Option<(Slot, Option<u8>)> {
    let numbered = matches!(word.as_bytes(), [b'e' | b't', b'1'..=b'9']);
    if numbered && number_follows(tokens, at) {
        let slot = if word.starts_with('e') { Slot::Entry } else { Slot::Target };
        return Some((slot, word[1..].parse().ok()));
    }
    let slot = match word {
        "e" => Slot::Entry,
        "t" => Slot::Target,
        "s" => Slot::Stop,
        "l" => Slot::Leverage,
        "r" => Slot::Risk,
        _ => return None,
    };
    let sign = tokens.get(at + 1).filter(|sign| sign.glued && matches!(sign.kind, Kind::Mark('=' | ':')))?;
    let value = tokens.get(at + 2).filter(|value| value.line == sign.line)?;
    matches!(value.kind, Kind::Number(_)).then_some((slot, None))
}

/// `a. 0.86`, `b) 0.83`: letters count a list, too.
fn letter(tokens: &Tokens<'_>, at: usize, word: &str) -> Option<u8> {
    let [letter @ b'a'..=b'j'] = word.as_bytes() else { return None };
    let begins = at.checked_sub(1).is_none_or(|before| tokens[before].line != tokens[at].line);
    let dot = tokens.get(at + 1).is_some_and(|dot| dot.glued && matches!(dot.kind, Kind::Mark('.' | ')')));
    let value = tokens.get(at + 2).is_some_and(|value| matches!(value.kind, Kind::Number(_)));
    (begins && dot && value).then(|| letter - b'a' + 1)
}

/// True when a number is the next thing in the line, perhaps behind one mark.
fn number_follows(tokens: &Tokens<'_>, at: usize) -> bool {
    let mut next = tokens[at + 1..].iter().take_while(|next| next.line == tokens[at].line);
    let is_number = |token: &Token<'_>| matches!(token.kind, Kind::Number(_));
    let is_sign =
        |token: &Token<'_>| matches!(token.kind, Kind::Mark(':' | '=' | '-' | '@' | '$') | Kind::Icon(_));
    next.next().is_some_and(|first| is_number(first) || is_sign(first) && next.next().is_some_and(is_number))
}

/// The highest list number of a target or entry: cards stop at ten or twelve.
pub(super) const MAX_LIST: u8 = 20;

/// `x8`, `X20`, `×3`, `х10`.
fn leverage<'t>(token: &Token<'t>) -> Option<Number<'t>> {
    let text = token.raw.strip_prefix(['x', 'X', 'х', 'Х', '×'])?;
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then_some(Number {
        text,
        at: token.at + token.raw.len() - text.len(),
        unit: super::tokens::Unit::Times,
    })
}

impl What<'_> {
    /// True for a phrase with this meaning.
    pub(super) fn is(&self, meaning: Meaning) -> bool {
        matches!(self, What::Term(found, _) if *found == meaning)
    }

    /// The slot that this piece opens.
    pub(super) fn slot(&self) -> Option<Slot> {
        match self {
            What::Term(Meaning::Label(slot), _) => Some(*slot),
            _ => None,
        }
    }
}
