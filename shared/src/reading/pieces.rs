//! Pieces: tokens with their meaning. Phrases of the vocabulary, symbols, numbers, and words that nobody explained.
//!
//! Entry point: [`pieces`]. Invariants: every token belongs to exactly one piece, in order; a piece stays in its line.

use super::habits::Habits;
use super::heads;
use super::options;
use super::seen::Seen;
use super::symbols::{self, Mention, Name, Strength};
use super::tokens::{Kind, Number, Token, Tokens, Unit};
use super::words::{Found, Head, Meaning, Meant, Named, Slot};

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
    Ticker(Box<Mention>),
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
    /// The text that they were cut from, in the author's case.
    pub(super) plain: &'t str,
    /// True when words of a language with decimal commas were found.
    pub(super) decimal_comma: bool,
    /// What the channel's profile fills in.
    pub(super) habits: Habits<'t>,
    /// True when a word is so long that it must be an address: of a contract, a wallet, an invitation.
    pub(super) address: bool,
    /// The meanings that occur.
    pub(super) meant: Meant,
    /// The kinds of pieces that occur.
    pub(super) seen: Seen,
}

/// No ticker, and hardly any word, has so many letters and digits.
const ADDRESS_LENGTH: usize = 30;

/// Gives meaning to tokens.
pub(super) fn pieces<'t>(tokens: &Tokens<'t>) -> Pieces<'t> {
    let mut pieces =
        Pieces { list: Vec::with_capacity(tokens.len()), plain: tokens.plain, ..Pieces::default() };
    let mut heads = Vec::new();
    let mut line = Line::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        line.enter(token.line);
        if matches!(token.kind, Kind::Word(_))
            && let in_column = (line.begins_column(pieces.list.len()) || is_key(tokens, at))
            && (in_column || line.clause_ended)
            && let Some(Head { slot, length }) = tokens.words.head(tokens, at)
            && (in_column || slot == Slot::Stop)
        {
            let end = tokens.get(at + length - 1).map_or(token.at, |last| last.at + last.raw.len());
            heads.push((Bytes { start: token.at, end }, slot));
        }
        let (what, length) = if line.awaits_id
            && let Some(id) = id_at(tokens, at)
        {
            (id, 1)
        } else {
            piece_at(tokens, at, &mut pieces)
        };
        at += length;
        let end = tokens.get(at - 1).map_or(token.at, |last| last.at + last.raw.len());
        let bytes = Bytes { start: token.at, end };
        if let What::Term(meaning, _) = what {
            pieces.meant.add(meaning);
        }
        pieces.seen.add(pieces.list.len(), &what);
        line.add(&what, pieces.list.len());
        pieces.list.push(Piece { what, line: token.line, glued: token.glued, bytes });
    }
    if !heads.is_empty() || pieces.meant.may_hold(Meaning::Add) {
        heads::settle(&mut pieces.list, &heads);
        pieces.meant = meant(&pieces.list);
        pieces.seen = Seen::of(&pieces.list);
    }
    pieces
}

/// `#` and `A12` behind a label for ids are no symbol.
fn id_at<'t>(tokens: &Tokens<'t>, at: usize) -> Option<What<'t>> {
    match tokens[at].kind {
        Kind::Mark(mark @ '#') => Some(What::Mark(mark)),
        Kind::Word(word) if word.bytes().any(|b| b.is_ascii_digit()) && tokens.phrase(at).is_none() => {
            Some(What::Unknown)
        }
        _ => None,
    }
}

/// A symbol, together with the terms of the option behind it.
fn symbol<'t>(tokens: &Tokens<'t>, at: usize, (mention, length): (Mention, usize)) -> (What<'t>, usize) {
    let (mention, length) = match options::terms(tokens, at + length) {
        Some((terms, covered)) => {
            let option = Some(Box::new(terms));
            (Mention { option, strength: Strength::Marked, ..mention }, length + covered)
        }
        None => (mention, length),
    };
    (What::Ticker(Box::new(mention)), length)
}

/// How many bullets and list numbers may stand before the first word of a line.
const MAX_BULLETS: usize = 8;

/// A line while it is cut into pieces: what stood before decides what the next word may be.
#[derive(Default)]
struct Line {
    number: usize,
    /// The place behind the last piece that is neither a bullet nor divides columns; 0 where none stands in the column.
    taken: usize,
    /// True behind a label for ids that waits for its id.
    awaits_id: bool,
    /// "… to 8.25. Wrong below 7.80.": behind the end of a sentence or a clause, where a stop in other words may stand.
    clause_ended: bool,
}

impl Line {
    /// Begins another line.
    fn enter(&mut self, number: usize) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
    }

    /// Adds piece number `at`.
    fn add(&mut self, what: &What<'_>, at: usize) {
        let awaited_id = std::mem::take(&mut self.awaits_id);
        self.clause_ended = false;
        match what {
            What::Mark('|' | '·' | '•') => self.taken = 0,
            What::Mark('#' | ':' | '=' | '-') => self.awaits_id = awaited_id,
            What::Mark(mark) => self.clause_ended = matches!(mark, '.' | ',' | ';'),
            What::Icon(_) | What::Index(_) => {}
            What::Number(number) if number.text.len() == 1 => {}
            _ => {
                self.taken = at + 1;
                self.awaits_id = what.slot() == Some(Slot::Reference);
            }
        }
    }

    /// True behind the start of a line, its bullets and its list number, and behind a mark that divides columns.
    fn begins_column(&self, at: usize) -> bool {
        self.taken == 0 || at - self.taken >= MAX_BULLETS
    }
}

/// `…;open=6.284;…`: a key behind a mark, its sign glued to it.
fn is_key(tokens: &Tokens<'_>, at: usize) -> bool {
    let divided =
        at.checked_sub(1).is_some_and(|before| matches!(tokens[before].kind, Kind::Mark(';' | ',' | '&')));
    let sign = tokens.get(at + 1).is_some_and(|sign| sign.glued && matches!(sign.kind, Kind::Mark('=')));
    divided && sign
}

fn piece_at<'t>(tokens: &Tokens<'t>, at: usize, pieces: &mut Pieces<'t>) -> (What<'t>, usize) {
    match tokens[at].kind {
        Kind::Number(number) => number_at(tokens, at, number),
        Kind::Index(index) => (What::Index(index), 1),
        Kind::Clock => (What::Clock, 1),
        Kind::Icon(icon) => (What::Icon(icon), 1),
        Kind::Mark(mark) => match symbols::marked(tokens, at) {
            Some(found) => symbol(tokens, at, found),
            None => (What::Mark(mark), 1),
        },
        Kind::Word(word) => {
            pieces.address |= word.len() >= ADDRESS_LENGTH || is_shortened_address(word);
            word_at(tokens, at, pieces)
        }
    }
}

fn number_at<'t>(tokens: &Tokens<'t>, at: usize, number: Number<'t>) -> (What<'t>, usize) {
    // Only a word may be the unit of a number without one, or stick to it.
    let is_word = tokens.get(at + 1).is_some_and(|next| matches!(next.kind, Kind::Word(_)));
    if number.unit != Unit::None || !is_word {
        return (What::Number(number), 1);
    }
    if is_mistyped(tokens, at) {
        return (What::Tangle, 2);
    }
    match unit_behind(tokens, at, number) {
        Some((unit, length)) => (What::Number(Number { unit, ..number }), 1 + length),
        None => (What::Number(number), 1),
    }
}

/// `0xab..77`, as lists of wallets write them; `0x` alone is a coin.
fn is_shortened_address(word: &str) -> bool {
    word.strip_prefix("0x").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()))
}

fn word_at<'t>(tokens: &Tokens<'t>, at: usize, pieces: &mut Pieces<'t>) -> (What<'t>, usize) {
    let Some(name) = Name::at(tokens, at) else { return (What::Unknown, 1) };
    let word = name.word;
    if let Some(found) = symbols::quoted(tokens, &name) {
        return symbol(tokens, at, found);
    }
    if let Some(mention) = symbols::word_ticker(tokens, &name) {
        return symbol(tokens, at, (mention, 1));
    }
    if word.as_bytes().last().is_some_and(u8::is_ascii_digit) {
        if let Some(number) = leverage(&tokens[at]) {
            return (What::Number(number), 1);
        }
        let next = tokens.get(at + 1).filter(|next| next.glued && next.raw.starts_with('.'));
        if next.is_some_and(|next| matches!(next.kind, Kind::Number(_))) {
            return (What::Tangle, 2);
        }
    }
    if word == "price"
        && let Some(slot) = price_key(tokens, at)
    {
        return (What::Term(Meaning::Label(slot), None), 1);
    }
    if let Some(Found { meaning, length, index, decimal_comma }) = tokens.phrase(at) {
        pieces.decimal_comma |= decimal_comma;
        if index.is_some_and(|index| index > MAX_LIST) && meaning != Meaning::Label(Slot::Decoy) {
            return (What::Tangle, length);
        }
        if let (Meaning::Label(Slot::Entry | Slot::Target | Slot::Stop), None) = (meaning, index)
            && let Some(index) = numeral(tokens, at + length)
        {
            return (What::Term(meaning, Some(index)), length + 1);
        }
        return (What::Term(meaning, index), length);
    }
    if let Some(index) = letter(tokens, at, word) {
        return (What::Index(index), 2);
    }
    if is_reward_for_risk(tokens, at, word) {
        return (What::Term(Meaning::Label(Slot::Decoy), None), 3);
    }
    if let Some((slot, index)) = key(tokens, at, word) {
        return (What::Term(Meaning::Label(slot), index), 1);
    }
    match symbols::named(tokens, &name) {
        Some(mention) => symbol(tokens, at, (mention, 1)),
        None if is_almost_number(word) => (What::Tangle, 1),
        None => (What::Unknown, 1),
    }
}

/// "24 hours", "12 часов", "10 倍", "4 saatlik": the unit is a word behind the number. None counts more than three digits.
fn unit_behind(tokens: &Tokens<'_>, at: usize, number: Number<'_>) -> Option<(Unit, usize)> {
    let found = tokens.phrase(at + 1).filter(|_| tokens[at + 1].line == tokens[at].line)?;
    let counts = || number.text.len() <= MAX_COUNT && number.text.bytes().all(|b| b.is_ascii_digit());
    match found.meaning {
        Meaning::Counts(counted) if counted.unit() == Unit::Kilo || counts() => {
            Some((counted.unit(), found.length))
        }
        Meaning::Candle(Named::Hour) if matches!(number.text, "1" | "2" | "4" | "6" | "8" | "12") => {
            Some((Unit::Span('h'), found.length))
        }
        _ => None,
    }
}

/// The most digits of a count.
const MAX_COUNT: usize = 3;

/// `2.1O`: letters stick to a price that are neither a unit nor a word.
fn is_mistyped(tokens: &Tokens<'_>, at: usize) -> bool {
    let next = tokens.get(at + 1).filter(|next| next.glued);
    next.is_some_and(|next| match next.kind {
        Kind::Word(word) => {
            word.starts_with(|c: char| c.is_ascii_alphabetic()) && tokens.phrase(at + 1).is_none()
        }
        _ => false,
    })
}

/// 目标一, 进场二: a numeral glued to its label.
fn numeral(tokens: &Tokens<'_>, at: usize) -> Option<u8> {
    const NUMERALS: [&str; 10] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];
    let Kind::Word(word) = tokens.get(at).filter(|token| token.glued)?.kind else { return None };
    let place = NUMERALS.iter().position(|numeral| *numeral == word)?;
    u8::try_from(place + 1).ok()
}

/// `3O50`, `l42`, `138ish`, `1з8`: digits with letters that look like digits or stick to them, in a word that nobody knows. `4lev` and
/// `L2` only count something.
fn is_almost_number(word: &str) -> bool {
    let look = |c: char| c.is_ascii_digit() || matches!(c, 'o' | 'l' | 'i' | 'z');
    let begins = word.starts_with(|c: char| c.is_ascii_digit());
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    match digits {
        0 => false,
        1 => begins && word.chars().all(look),
        _ => begins || word.chars().all(look),
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

/// `R:R 1:2`.
fn is_reward_for_risk(tokens: &Tokens<'_>, at: usize, word: &str) -> bool {
    let glued = |at: usize| tokens.get(at).filter(|token| token.glued).map(|token| token.kind);
    word == "r"
        && matches!(glued(at + 1), Some(Kind::Mark(':')))
        && matches!(glued(at + 2), Some(Kind::Word("r")))
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

/// `price=0.2784` is the entry of a command or an alert that has no other; beside one it is only the price now.
fn price_key(tokens: &Tokens<'_>, at: usize) -> Option<Slot> {
    let sign = tokens.get(at + 1).filter(|sign| sign.glued)?;
    let value = tokens.get(at + 2).filter(|value| value.line == sign.line)?;
    let before = at.checked_sub(1).filter(|before| tokens[*before].line == sign.line);
    let announced = match sign.kind {
        // "Target price=": the label stands before it.
        Kind::Mark('=') => !before.is_some_and(|before| is_label(tokens, before)),
        Kind::Mark(':') => before.is_none(),
        _ => false,
    };
    (announced && matches!(value.kind, Kind::Number(_)))
        .then(|| if tokens.labels_entry() { Slot::Decoy } else { Slot::Entry })
}

fn is_label(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.phrase(at).is_some_and(|found| matches!(found.meaning, Meaning::Label(_)))
}

/// The highest list number of a target or entry: cards stop at ten or twelve.
pub(super) const MAX_LIST: u8 = 20;

/// `x8`, `X20`, `×3`, `х10`.
fn leverage<'t>(token: &Token<'t>) -> Option<Number<'t>> {
    let text = token.raw.strip_prefix(['x', 'X', 'х', 'Х', '×'])?;
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then_some(Number { text, at: token.at + token.raw.len() - text.len(), unit: Unit::Times })
}

impl<'t> Pieces<'t> {
    /// Other pieces of the same text.
    pub(super) fn with(&self, list: Vec<Piece<'t>>) -> Self {
        let (plain, habits) = (self.plain, self.habits);
        let (meant, seen) = (meant(&list), Seen::of(&list));
        Self { list, plain, decimal_comma: self.decimal_comma, habits, address: false, meant, seen }
    }

    /// True when some piece has this meaning.
    #[inline]
    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.meant.may_hold(meaning) && (self.meant.surely_holds(meaning) || is_among(&self.list, meaning))
    }

    /// False when surely no piece has one of these meanings.
    pub(super) fn may_have_any(&self, meanings: &[Meaning]) -> bool {
        self.meant.may_hold_any(meanings)
    }

    /// What a piece covers, as written.
    pub(super) fn raw(&self, piece: &Piece<'_>) -> &'t str {
        self.plain.get(piece.bytes.start..piece.bytes.end).unwrap_or_default()
    }
}

/// True when some piece has this meaning.
pub(super) fn is_among(list: &[Piece<'_>], meaning: Meaning) -> bool {
    list.iter().any(|piece| piece.what.is(meaning))
}

/// The meanings that occur among pieces.
pub(super) fn meant(list: &[Piece<'_>]) -> Meant {
    let meaning = |piece: &Piece<'_>| match piece.what {
        What::Term(meaning, _) => Some(meaning),
        _ => None,
    };
    list.iter().filter_map(meaning).collect()
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
