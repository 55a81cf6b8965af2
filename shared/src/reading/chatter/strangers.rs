//! Strangers: words that nobody knows, around a call. Callers introduce their calls in few and usual words; whoever tells of
//! a trade tells a story.
//!
//! Entry point: [`doubt`]. Invariants: it looks at the sentence that holds the call only; of a script without spaces, a run of
//! unknown characters counts half; it knows no language.

use super::super::pieces::{Piece, What};
use super::super::seen::Sight;
use super::super::values::is_price;
use super::super::words::{Meaning, Slot};
use super::text::{Text, governs, names_side};

/// So many unknown words before a call are a story.
const MAX_LEAD: usize = 1;
/// Likewise before the head of a card, whose levels speak for themselves.
const MAX_LEAD_OF_CARD: usize = 3;
/// So many before and behind it.
const MAX_AROUND: usize = 2;

/// Why the words around the call put it in doubt.
pub(super) fn doubt(text: &Text<'_, '_>, is_card: impl Fn() -> bool) -> Option<&'static str> {
    if !text.pieces.seen.has(Sight::Unknown) {
        return None;
    }
    let (_, sentence) = text.sentences().find(|(_, sentence)| governs(sentence))?;
    let anchor = sentence.iter().position(is_anchor).unwrap_or(sentence.len());
    let last = sentence.iter().rposition(|piece| is_price(&piece.what)).map_or(anchor, |at| at.max(anchor));
    let (lead, tail) = (count(&sentence[..anchor]), count(&sentence[last..]));
    let told = match is_card() {
        true => lead > MAX_LEAD_OF_CARD,
        false => lead > MAX_LEAD || lead + tail > MAX_AROUND,
    };
    told.then_some("the words around it may tell of somebody else's trade")
}

fn is_anchor(piece: &Piece<'_>) -> bool {
    names_side(piece)
        || matches!(
            piece.what,
            What::Ticker(_) | What::Term(Meaning::Label(Slot::Entry | Slot::Stop | Slot::Target), _)
        )
        || is_price(&piece.what)
}

fn count(pieces: &[Piece<'_>]) -> usize {
    let mut halves = 0;
    let mut before = false;
    for piece in pieces {
        let unknown = matches!(piece.what, What::Unknown);
        halves += match (unknown, before && piece.glued) {
            (true, true) => 1,
            (true, false) => 2,
            _ => 0,
        };
        before = unknown;
    }
    halves / 2
}
