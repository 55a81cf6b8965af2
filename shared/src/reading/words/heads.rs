//! Heads: phrases such as "open", "take" or "where" that are labels only where they begin a line with prices.
//!
//! Entry point: [`Lexicon::head`]. Whether the text is such a card at all is decided by the caller: elsewhere the same
//! words keep their ordinary meaning.

use super::super::tokens::{Kind, Token, Tokens, Unit};
use super::table::Phrase;
use super::{Found, Lexicon, Meaning, Slot, covered};

/// A head found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reading) struct Head {
    /// What it announces.
    pub(in crate::reading) slot: Slot,
    /// How many tokens it covers.
    pub(in crate::reading) length: usize,
}

/// How many marks, icons and small words may stand between a head and its first price.
const MAX_BETWEEN: usize = 8;

impl Lexicon<'_> {
    /// The head at token `at`, which begins a line or a column: the longest one, if its value follows.
    pub(in crate::reading) fn head(self, tokens: &Tokens<'_>, at: usize) -> Option<Head> {
        let Kind::Word(word) = tokens.get(at)?.kind else { return None };
        let phrase = tokens.phrase(at);
        // Most lines begin with a label as it is.
        if matches!(phrase, Some(Found { meaning: Meaning::Label(slot), .. }) if is_level(slot)) {
            return None;
        }
        if !tokens.noted(at).heads {
            return None;
        }
        let fits = |phrase: &Phrase| match phrase.meaning {
            Meaning::Label(slot) => Some((slot, covered(tokens, at, &phrase.rest)?)),
            _ => None,
        };
        let mut first = None;
        for words in self.all() {
            words.heads.show(word, |phrases| first = first.or_else(|| phrases.all().find_map(fits)));
        }
        let (slot, length) = first?;
        if phrase.is_some_and(|found| found.length > length) {
            return None;
        }
        let announced = match slot {
            Slot::Pair => names_follows(tokens, at + length),
            _ => price_follows(tokens, at + length),
        };
        announced.then_some(Head { slot, length })
    }
}

fn is_level(slot: Slot) -> bool {
    matches!(slot, Slot::Entry | Slot::Target | Slot::Stop)
}

/// True when a price is the next thing, perhaps behind a share, and perhaps in the next line.
fn price_follows(tokens: &Tokens<'_>, from: usize) -> bool {
    let Some(line) = from.checked_sub(1).and_then(|last| tokens.get(last)).map(|token| token.line) else {
        return false;
    };
    let mut skipped = 0;
    for (at, token) in tokens.iter().enumerate().skip(from).take(MAX_BETWEEN) {
        if token.line > line + 1 {
            return false;
        }
        match token.kind {
            Kind::Number(number) if number.unit.is_of_price() => {
                return token.line == line || skipped == 0;
            }
            Kind::Number(number) if number.unit == Unit::Percent && token.line == line => skipped += 1,
            Kind::Mark('.' | '!' | '?') => return false,
            Kind::Mark(_) | Kind::Icon(_) | Kind::Index(_) => {}
            Kind::Word(_) if tokens.phrase(at).is_some_and(|found| introduces(found.meaning)) => skipped += 1,
            _ => return false,
        }
    }
    false
}

/// Small words, and those that say how the price is meant.
fn introduces(meaning: Meaning) -> bool {
    let relation =
        matches!(meaning, Meaning::Above | Meaning::Below | Meaning::Limit | Meaning::Zone | Meaning::Market);
    meaning.is_small() || relation
}

/// True when a colon and then a word with a letter follow in the line: "Market: APE/USDT".
fn names_follows(tokens: &Tokens<'_>, from: usize) -> bool {
    let colon = tokens.get(from).filter(|token| matches!(token.kind, Kind::Mark(':' | '-' | '=' | '|')));
    let Some(colon) = colon else { return false };
    let mut next = tokens[from + 1..].iter().take_while(|token: &&Token<'_>| token.line == colon.line);
    next.find(|token| !matches!(token.kind, Kind::Mark(_) | Kind::Icon(_)))
        .is_some_and(|token| matches!(token.kind, Kind::Word(_)))
}
