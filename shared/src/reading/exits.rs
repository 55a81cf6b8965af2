//! Exits and triggers in words: "if the daily closes under 0.305 I'm gone" is a stop, "only if we break above 7.92" a trigger.
//!
//! Entry points: [`begins`], [`trigger_length`].
//! Invariants: they look at a few pieces of one sentence; a stop in words has one price and says that its author gives up.
//! On which side of the entry it stands is checked where the signal is made.

use super::pieces::{Piece, What};
use super::tokens::Unit;
use super::values::is_price;
use super::words::Meaning;

/// How many pieces such a sentence may have on each side of its price.
const REACH: usize = 12;

/// What the author of a stop in words says: without one of these there is none.
pub(super) const GIVING_UP: &[Meaning] = &[Meaning::GivenUp, Meaning::Out, Meaning::Close, Meaning::Closed];

/// True where the condition of a stop in words begins: its price follows, and beside it that the author is out then.
pub(super) fn begins(list: &[Piece<'_>], at: usize) -> bool {
    let first = match &list[at].what {
        What::Term(first, _) => *first,
        // "4h close above 32.2".
        What::Number(number) if matches!(number.unit, Unit::Span(_)) => Meaning::CandleWord,
        _ => return false,
    };
    let opens = matches!(
        first,
        Meaning::Candle(_)
            | Meaning::CandleWord
            | Meaning::Close
            | Meaning::Above
            | Meaning::Below
            | Meaning::Break
            | Meaning::Hedge
            | Meaning::Later
    );
    if !opens {
        return false;
    }
    let line = list[at].line;
    let mut onwards = list[at..].iter().take(REACH).take_while(|piece| piece.line == line);
    let Some(length) = onwards.by_ref().position(|piece| is_price(&piece.what)) else { return false };
    let condition = &list[at..at + length];
    condition.iter().all(leads_to_price)
        && (gives_up_behind(&list[at + length + 1..], line)
            || condition.iter().any(is_relation) && gives_up_before(&list[..at], line))
}

/// What may stand between the first word of a condition and its price.
fn leads_to_price(piece: &Piece<'_>) -> bool {
    match &piece.what {
        What::Mark(mark) => matches!(mark, '$' | '@' | '~'),
        What::Number(number) => matches!(number.unit, Unit::Span(_)),
        What::Term(meaning, _) => {
            is_relation(piece)
                || matches!(
                    meaning,
                    Meaning::Candle(_)
                        | Meaning::CandleWord
                        | Meaning::Close
                        | Meaning::Closed
                        | Meaning::Filler
                        | Meaning::At
                        | Meaning::Hedge
                        | Meaning::Later
                        | Meaning::Trade
                )
        }
        _ => false,
    }
}

fn is_relation(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Term(Meaning::Above | Meaning::Below | Meaning::Break, _))
}

/// "… under 0.305 I'm gone": before any other price. Where the word has a price of its own, "out below 95", it speaks of that.
fn gives_up_behind(behind: &[Piece<'_>], line: usize) -> bool {
    let mut near = behind.iter().take(REACH).take_while(|piece| piece.line == line).enumerate();
    let word = near.find(|(_, piece)| {
        is_price(&piece.what)
            || is_end(piece)
            || matches!(
                piece.what,
                What::Term(
                    Meaning::GivenUp
                        | Meaning::Out
                        | Meaning::Close
                        | Meaning::Closed
                        | Meaning::Negation
                        | Meaning::Label(_),
                    _
                )
            )
    });
    let Some((at, piece)) = word else { return false };
    let ends = |piece: &Piece<'_>| {
        is_end(piece) || matches!(piece.what, What::Mark(',') | What::Term(Meaning::Label(_), _))
    };
    let mut own = behind[at + 1..].iter().take_while(|piece| piece.line == line && !ends(piece));
    match piece.what {
        What::Term(Meaning::GivenUp, _) => true,
        What::Term(Meaning::Out | Meaning::Close | Meaning::Closed, _) => {
            !own.any(|piece| is_price(&piece.what))
        }
        _ => false,
    }
}

/// "The idea is wrong if …".
fn gives_up_before(before: &[Piece<'_>], line: usize) -> bool {
    let near = before.iter().rev().take(REACH).take_while(|piece| piece.line == line && !is_end(piece));
    let mut near = near.take_while(|piece| !is_price(&piece.what));
    near.any(|piece| matches!(piece.what, What::Term(Meaning::GivenUp | Meaning::Out, _)))
}

fn is_end(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Mark('.' | ';' | '!' | '?' | '/' | '|'))
}

/// How many pieces stand before the price of a trigger, "we break above 7.92", if nothing but words for the break do.
pub(super) fn trigger_length(onwards: &[Piece<'_>]) -> Option<usize> {
    let length = onwards.iter().take(REACH).position(|piece| is_price(&piece.what))?;
    let said = &onwards[..length];
    let plain = |piece: &Piece<'_>| {
        is_relation(piece)
            || matches!(piece.what, What::Mark('$') | What::Term(Meaning::Filler | Meaning::At, _))
    };
    (said.iter().all(plain) && said.iter().any(is_relation)).then_some(length)
}
