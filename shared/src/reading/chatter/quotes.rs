//! Quotes: a call between quotation marks, with other words around it, is somebody else's or an old one.
//!
//! Entry point: [`objection`]. Invariants: a whole post in quotation marks is not a quote; nor are the keys and values of
//! data, which stand between marks one by one.

use super::super::pieces::{Piece, What};
use super::super::seen::{Sight, is_quotation_mark};
use super::super::values::is_price;
use super::Objection;
use super::text::{Text, names_side};

/// The objection that the call is only quoted.
pub(super) fn objection(text: &Text<'_, '_>) -> Option<Objection> {
    if !text.pieces.seen.has(Sight::Quote) || text.list.iter().filter(|piece| is_mark(piece)).count() < 2 {
        return None;
    }
    let line =
        |from: usize| text.list[from..].iter().take_while(move |piece| piece.line == text.list[from].line);
    let mut from = 0;
    while from < text.list.len() {
        let end = from + line(from).count();
        if holds_quoted_call(&text.list[from..end]) {
            return Some(Objection::Noise("a quoted call: nobody is told to trade"));
        }
        from = end;
    }
    None
}

fn is_mark(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Mark(mark) if is_quotation_mark(mark))
}

/// True when a side and a price stand between two marks, and a word outside of them.
fn holds_quoted_call(line: &[Piece<'_>]) -> bool {
    let parts = line.split(is_mark);
    let is_word = |piece: &Piece<'_>| matches!(piece.what, What::Unknown | What::Term(..));
    let (mut quoted, mut outside) = (false, false);
    for (nth, part) in parts.enumerate() {
        if nth % 2 == 0 {
            outside |= part.iter().any(is_word);
        } else {
            quoted |= part.iter().any(names_side) && part.iter().any(|piece| is_price(&piece.what));
        }
    }
    quoted && outside
}
