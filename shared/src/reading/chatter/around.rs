//! Around: what a text says behind a complete plan, where no other word of talk counts any more.
//!
//! Entry point: [`objection`]. Invariants: a clause that speaks of a stop, a target or a share manages the trade and undoes
//! nothing; what is said here only puts the call in doubt.

use super::super::pieces::{Piece, What};
use super::super::tokens::Unit;
use super::super::words::{Meaning, Slot};
use super::Objection;
use super::text::Text;

/// What undoes a call that stands before it.
const UNDOING: &[Meaning] = &[
    Meaning::Negation,
    Meaning::Perhaps,
    Meaning::Hedge,
    Meaning::Was,
    Meaning::Closed,
    Meaning::Report,
    Meaning::Others,
    Meaning::Bystander,
    Meaning::Cancel,
];

/// The objection that a clause behind the levels takes the call back.
pub(super) fn objection(text: &Text<'_, '_>) -> Option<Objection> {
    if !text.is_plan || !text.pieces.may_have_any(UNDOING) {
        return None;
    }
    let behind = &text.list[text.levels_end..];
    let undone = behind
        .chunk_by(|a, b| a.line == b.line && !parts(a))
        .any(|clause| clause.iter().any(undoes) && !clause.iter().any(manages));
    undone
        .then_some(Objection::Doubt("what stands behind the levels takes the call back or puts it in doubt"))
}

fn parts(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Mark('.' | ';' | '!' | '?' | '。'))
}

fn undoes(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Term(meaning, _) if UNDOING.contains(&meaning))
}

/// A clause about a level, a share or the size.
fn manages(piece: &Piece<'_>) -> bool {
    matches!(&piece.what, What::Number(number) if number.unit == Unit::Times)
        || matches!(
            piece.what,
            What::Term(
                Meaning::Label(
                    Slot::Stop | Slot::Target | Slot::Leverage | Slot::Risk | Slot::Size | Slot::Margin
                ) | Meaning::Move
                    | Meaning::BreakEven
                    | Meaning::Partial
                    | Meaning::Part
                    | Meaning::Half
                    | Meaning::Trail
                    | Meaning::Runner
                    | Meaning::GivenUp,
                _
            )
        )
}
