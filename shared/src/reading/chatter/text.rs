//! Text: where in a block the call stands, so that a word near it can be told from a remark elsewhere.
//!
//! Entry point: [`Text::of`]. Invariants: sentences cover all pieces in order; a sentence never goes beyond its line.

use super::super::fields::Opener;
use super::super::pieces::{Piece, Pieces, What};
use super::super::signals::Block;
use super::super::values::is_price;
use super::super::words::{Meaning, Slot};

/// A block with what objections ask about it.
pub(super) struct Text<'p, 't> {
    /// The whole of it.
    pub(super) pieces: &'p Pieces<'t>,
    /// Its pieces.
    pub(super) list: &'p [Piece<'t>],
    /// The first price, or the end.
    pub(super) first_level: usize,
    /// The place behind the last price.
    pub(super) levels_end: usize,
    /// How many of entry, targets and stop hold something.
    pub(super) labelled: usize,
    /// True when both a stop and targets stand under their labels.
    pub(super) is_plan: bool,
}

impl<'p, 't> Text<'p, 't> {
    /// Looks at a block.
    pub(super) fn of(block: &Block<'p, 't>) -> Self {
        let pieces = block.pieces;
        let priced = |slot| block.has_levels(Opener::Label(slot));
        Self {
            pieces,
            list: &pieces.list,
            first_level: pieces.seen.first_price().unwrap_or(pieces.list.len()),
            levels_end: pieces.seen.prices_end,
            labelled: block.labelled_levels(),
            is_plan: priced(Slot::Stop) && priced(Slot::Target),
        }
    }

    /// The sentences, each with the place of its first piece.
    pub(super) fn sentences(&self) -> impl Iterator<Item = (usize, &'p [Piece<'t>])> {
        let mut start = 0;
        self.list.chunk_by(|a, b| a.line == b.line && !ends(a)).map(move |sentence| {
            let at = start;
            start += sentence.len();
            (at, sentence)
        })
    }
}

/// True for a remark in brackets behind the first price: "(trail the stop once in profit)".
pub(super) fn is_aside(list: &[Piece<'_>], first_level: usize, at: usize) -> bool {
    let line = list[at].line;
    let bracket = |piece: &Piece<'_>| match piece.what {
        What::Mark('(') => Some(true),
        What::Mark(')') => Some(false),
        _ => None,
    };
    let before = list[..at].iter().rev().take_while(|piece| piece.line == line);
    at > first_level && before.into_iter().find_map(bracket) == Some(true)
}

fn ends(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Mark('.' | ';' | '!' | '?' | '。'))
}

/// True for a sentence that names the side, or an entry with its price: what it negates or doubts is the call.
pub(super) fn governs(sentence: &[Piece<'_>]) -> bool {
    let entry = sentence.iter().position(|piece| piece.what.slot() == Some(Slot::Entry));
    sentence.iter().any(names_side)
        || entry.is_some_and(|at| sentence[at..].iter().any(|piece| is_price(&piece.what)))
}

/// "Target 150 was the plan": what follows the last price of the call puts all of it into the past. "Stop 88, was 87" does not.
pub(super) fn is_past(sentence: &[Piece<'_>]) -> bool {
    let last = sentence.iter().rposition(|piece| is_price(&piece.what));
    let [was, next, ..] = last.map_or(&[][..], |last| &sentence[last + 1..]) else { return false };
    was.what.is(Meaning::Was) && matches!(next.what, What::Unknown | What::Term(..))
}

/// True for a side, buying and selling.
pub(super) fn names_side(piece: &Piece<'_>) -> bool {
    matches!(
        piece.what,
        What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_), _)
    )
}
