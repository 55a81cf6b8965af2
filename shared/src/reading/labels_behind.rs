//! Labels behind their values: "0.2041 SL | 0.2105 entry | 0.217 & 0.2245 TP".
//!
//! Entry point: [`fields`]. Invariants: all labels of levels stand so, each with a price before it and nothing behind it in its
//! line or column, or the text is cut in the ordinary way.

use super::fields::{Field, Opener};
use super::pieces::{Piece, Pieces, What};
use super::values::is_price;
use super::words::{Meaning, Slot};

/// The fields of a text whose labels stand behind their values; none if they do not.
pub(super) fn fields(pieces: &Pieces<'_>) -> Option<Vec<Field>> {
    let list = &pieces.list;
    let levels = [Slot::Entry, Slot::Target, Slot::Stop];
    // Mostly a label stands before all prices, which settles it.
    let first = pieces.seen.first_price()?;
    let labels = levels.into_iter().filter(|slot| pieces.has(Meaning::Label(*slot))).count();
    if labels < 2 || list[..first].iter().any(|piece| level_of(piece).is_some()) {
        return None;
    }
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, piece) in list.iter().enumerate() {
        if at > 0 && list[at - 1].line != piece.line {
            cut(&mut fields, Opener::Loose, (start, at));
            start = at;
        }
        let Some(slot) = level_of(piece) else { continue };
        if !list[start..at].iter().any(|piece| is_price(&piece.what)) || !ends_column(list, at) {
            return None;
        }
        cut(&mut fields, Opener::Label(slot), (start, at));
        start = at + 1;
    }
    cut(&mut fields, Opener::Loose, (start, list.len()));
    let filled = |slot: &Slot| fields.iter().any(|field| field.opener == Opener::Label(*slot));
    (levels.iter().filter(|slot| filled(slot)).count() >= 2).then_some(fields)
}

/// The level that a label announces.
fn level_of(piece: &Piece<'_>) -> Option<Slot> {
    match piece.what {
        What::Term(Meaning::Label(slot @ (Slot::Entry | Slot::Target | Slot::Stop)), _) => Some(slot),
        _ => None,
    }
}

fn cut(fields: &mut Vec<Field>, opener: Opener, (start, end): (usize, usize)) {
    if start < end {
        fields.push(Field { opener, range: start..end });
    }
}

/// True when the line ends behind the label, or a mark that divides columns follows.
fn ends_column(list: &[Piece<'_>], label: usize) -> bool {
    list.get(label + 1).is_none_or(|next| {
        next.line != list[label].line || matches!(next.what, What::Mark('|' | ',' | ';' | '·' | '•' | '/'))
    })
}
