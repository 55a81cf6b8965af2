//! Places: where a word stands that may be a symbol, which decides whether it is one.
//!
//! Entry points: [`is_header`] and the other questions. Invariant: they look at a few tokens of the same line.

use super::super::tokens::{Kind, Token, Tokens, Unit};
use super::super::words::{Meaning, Slot};
use super::is_upper;

/// `ID: A12`, `ID 4410`: the word announces the author's own number.
pub(super) fn labels_id(tokens: &Tokens<'_>, at: usize) -> bool {
    let next = tokens.get(at + 1).map(|next| &next.kind);
    tokens.phrase(at).is_some_and(|found| found.meaning == Meaning::Label(Slot::Reference))
        && matches!(next, Some(Kind::Mark(':' | '#' | '=') | Kind::Number(_)))
}

/// An English word in capitals means the coin where the words around it are of another language and not in capitals. Words
/// of calls and follow-ups are borrowed: "OPEN" and "MOVE" stay words.
pub(super) fn is_foreign(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let is_other = |token: &Token<'_>| matches!(token.kind, Kind::Word(_)) && !is_upper(token.raw);
    let in_line = |token: &&Token<'_>| token.line == line;
    let before = tokens[..at].iter().rev().take(MAX_AROUND).take_while(in_line);
    let mut around = before.chain(tokens[at..].iter().take(MAX_AROUND).take_while(in_line));
    tokens.foreign
        && tokens.phrase(at).is_none_or(|found| found.meaning == Meaning::Filler)
        && around.any(is_other)
}

/// How far around a word in capitals others are looked for.
const MAX_AROUND: usize = 64;

/// True when the word before or behind is the side.
pub(super) fn is_beside_side(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let sided = |at: usize| tokens[at].line == line && is_trade_side(tokens, at);
    at.checked_sub(1).is_some_and(sided) || at + 1 < tokens.len() && sided(at + 1)
}

/// `long link now sl 17.88 tp 18.39`: right beside the side, with nothing but levels behind it in the same line.
pub(super) fn stands_in_call(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let (mut stop, mut target) = (false, false);
    for next in (at + 1..tokens.len().min(at + MAX_CALL)).take_while(|next| tokens[*next].line == line) {
        match tokens.phrase(next).map(|found| found.meaning) {
            Some(Meaning::Label(Slot::Stop)) => stop = true,
            Some(Meaning::Label(Slot::Target)) => target = true,
            None if matches!(tokens[next].kind, Kind::Word(_)) => break,
            _ => {}
        }
    }
    is_beside_side(tokens, at) && stop && target
}

/// How far behind its symbol a one-line call is searched for its levels.
const MAX_CALL: usize = 32;

fn is_trade_side(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens
        .phrase(at)
        .is_some_and(|found| matches!(found.meaning, Meaning::Side(_) | Meaning::Buy | Meaning::Sell))
}

/// `15 AVAX` is an amount. `1) BTC` and `64k BTC long` are not.
pub(super) fn is_amount(tokens: &Tokens<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    before.is_some_and(|before| {
        before.line == tokens[at].line
            && matches!(&before.kind, Kind::Number(n)
                if !matches!(n.unit, Unit::Ordinal | Unit::Percent))
    }) && !is_header(tokens, at)
        && !heads_line(tokens, at)
}

/// Beside a side, after a label for the symbol, or alone in its line.
pub(super) fn is_header(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let decoration = |token: &&Token<'_>| matches!(token.kind, Kind::Icon(_) | Kind::Mark(_));
    let beside = |token: Option<&Token<'_>>, index: Option<usize>| {
        token.filter(|token| token.line == line).is_some()
            && index.is_some_and(|index| is_side(tokens, index))
    };
    let filler = |i: usize| tokens.phrase(i).is_some_and(|found| found.meaning.is_small());
    let next = (at + 1..tokens.len()).take(4).find(|i| !decoration(&&tokens[*i]));
    let previous = (0..at).rev().take(4).find(|i| !decoration(&&tokens[*i]) && !filler(*i));
    let alone =
        next.is_none_or(|i| tokens[i].line != line) && previous.is_none_or(|i| tokens[i].line != line);
    (at == 0 && next.is_some_and(|i| tokens[i].line == line && is_level(tokens, i)))
        || beside(next.map(|i| &tokens[i]), next)
        || beside(previous.map(|i| &tokens[i]), previous)
        || alone
}

/// `LINK 18.2 / SL 17.5`: it begins its line before a price, and is no word that announces one.
pub(super) fn is_listed(tokens: &Tokens<'_>, at: usize) -> bool {
    heads_line(tokens, at) && tokens.words.head(tokens, at).is_none()
}

/// `1. XLM 0.2871, sl 0.2790`: a coin that begins its line, perhaps behind a list number, before a price.
pub(super) fn heads_line(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let listed = |token: &Token<'_>| match &token.kind {
        Kind::Mark(_) | Kind::Icon(_) | Kind::Index(_) => true,
        Kind::Number(number) => number.text.len() <= 2 && number.unit == Unit::None,
        _ => false,
    };
    let begins = tokens[..at].iter().rev().take(4).take_while(|token| token.line == line).all(listed);
    let mut next = tokens[at + 1..].iter().take_while(|token| token.line == line);
    begins
        && next
            .find(|token| !matches!(token.kind, Kind::Mark(_)))
            .is_some_and(|t| matches!(t.kind, Kind::Number(_)))
}

/// "LINK stop to entry": the first word of a follow-up.
fn is_level(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.phrase(at).is_some_and(|found| {
        matches!(found.meaning, Meaning::Label(Slot::Stop | Slot::Target) | Meaning::Close | Meaning::Closed)
    })
}

/// A side, or a label for the symbol, ends at token `at` or begins there.
fn is_side(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.phrase(at).is_some_and(|found| {
        matches!(
            found.meaning,
            Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::Label(Slot::Pair) | Meaning::Limit
        )
    })
}
