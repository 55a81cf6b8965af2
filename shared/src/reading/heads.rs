//! Heads of lines: in a card, "Open: 5.2" and "Take: 5.6" are labels, although "open" and "take" mean other things elsewhere.
//!
//! Entry point: [`settle`], after the text is in pieces.
//! Invariants: a head fills only a slot that no label fills; it counts only in a text that names symbol and side, holds two
//! kinds of levels and tells nothing of a running trade.

use super::pieces::{Bytes, Piece, What};
use super::values::is_price;
use super::words::{Meaning, Slot};

/// Gives the heads of a card their slots, and the second entries their label. Without heads and without "add" there are none.
pub(super) fn settle(list: &mut [Piece<'_>], heads: &[(Bytes, Slot)]) {
    settle_heads(list, heads);
    settle_second_legs(list);
    settle_second_entries(list);
}

fn settle_heads(list: &mut [Piece<'_>], heads: &[(Bytes, Slot)]) {
    let pairs = heads.iter().filter(|(_, slot)| *slot == Slot::Pair);
    pairs.for_each(|head| apply(list, head));
    let levels = || heads.iter().filter(|(_, slot)| *slot != Slot::Pair);
    if levels().next().is_none() || !is_call(list) {
        return;
    }
    let labelled = [Slot::Entry, Slot::Target, Slot::Stop].map(|slot| is_labelled(list, slot));
    let is_free = |slot: Slot| match slot {
        Slot::Entry => !labelled[0],
        Slot::Target => !labelled[1],
        _ => !labelled[2],
    };
    let headed = [Slot::Entry, Slot::Target, Slot::Stop]
        .into_iter()
        .filter(|slot| is_free(*slot) && levels().any(|(_, headed)| headed == slot))
        .count();
    let filled = labelled.into_iter().filter(|labelled| *labelled).count() + headed;
    if filled >= 2 {
        levels().filter(|(_, slot)| is_free(*slot)).for_each(|head| apply(list, head));
    }
}

/// "补仓：16.80", "Доливка 2.71" below the entry of a full plan: more of the position is its second order.
fn settle_second_legs(list: &mut [Piece<'_>]) {
    let adds = |list: &[Piece<'_>], at: usize| {
        let begins = at.checked_sub(1).is_none_or(|before| {
            list[before].line != list[at].line || matches!(list[before].what, What::Mark(_) | What::Icon(_))
        });
        if !list[at].what.is(Meaning::Add) || !begins {
            return false;
        }
        let mut next = list[at + 1..].iter().take_while(|next| next.line == list[at].line);
        let value = next.find(|next| !matches!(next.what, What::Mark(':' | '=' | '-') | What::Icon(_)));
        value.is_some_and(|value| is_price(&value.what))
    };
    let found = (0..list.len()).filter(|at| adds(list, *at)).collect::<Vec<_>>();
    let [at] = found.as_slice() else { return };
    let is_plan = [Slot::Target, Slot::Stop].into_iter().all(|slot| is_labelled(list, slot))
        && is_labelled(&list[..*at], Slot::Entry)
        && is_call(list);
    if is_plan {
        list[*at].what = What::Term(Meaning::Label(Slot::Entry), None);
    }
}

/// "Add: 16.80" in a line of a card with entry, stop and targets: a further entry, nothing that is done to a running trade.
fn settle_second_entries(list: &mut [Piece<'_>]) {
    let announces = |list: &[Piece<'_>], at: usize| {
        let begins = at > 0 && list[at - 1].line != list[at].line;
        let [add, colon, price, ..] = &list[at..] else { return false };
        begins
            && add.what.is(Meaning::Add)
            && matches!(colon.what, What::Mark(':' | '='))
            && is_price(&price.what)
            && price.line == add.line
    };
    if !(0..list.len()).any(|at| announces(list, at))
        || ![Slot::Entry, Slot::Target, Slot::Stop].into_iter().all(|slot| is_labelled(list, slot))
        || !is_call(list)
    {
        return;
    }
    for at in 0..list.len() {
        if announces(list, at) {
            list[at].what = What::Term(Meaning::Label(Slot::Entry), None);
        }
    }
}

/// The first piece of the head becomes the label, the others mean nothing more.
fn apply(list: &mut [Piece<'_>], (bytes, slot): &(Bytes, Slot)) {
    let first = list.partition_point(|piece| piece.bytes.start < bytes.start);
    let covered = list[first..].iter_mut().take_while(|piece| piece.bytes.start < bytes.end);
    for (nth, piece) in covered.enumerate() {
        let meaning = if nth == 0 { Meaning::Label(*slot) } else { Meaning::Filler };
        piece.what = What::Term(meaning, None);
    }
}

/// True for a text that names a symbol and a side, and tells nothing of a running trade.
fn is_call(list: &[Piece<'_>]) -> bool {
    let (mut named, mut sided) = (false, false);
    for piece in list {
        match piece.what {
            What::Ticker(_) => named = true,
            What::Term(
                Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_) | Meaning::OptionBuy,
                _,
            ) => sided = true,
            What::Term(
                Meaning::Hit
                | Meaning::Filled
                | Meaning::Closed
                | Meaning::StoppedOut
                | Meaning::Cancel
                | Meaning::Changed
                | Meaning::Tracker
                | Meaning::Label(Slot::Outcome),
                _,
            ) => return false,
            _ => {}
        }
    }
    named && sided
}

/// True when a price follows a label of this slot, or what stands for one.
fn is_labelled(list: &[Piece<'_>], slot: Slot) -> bool {
    let opens = |what: &What<'_>| {
        what.slot() == Some(slot)
            || slot == Slot::Entry
                && matches!(what, What::Term(Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_), _))
    };
    let between = |piece: &&Piece<'_>| {
        matches!(
            piece.what,
            What::Mark(_)
                | What::Icon(_)
                | What::Index(_)
                | What::Term(Meaning::Filler | Meaning::At | Meaning::Zone | Meaning::Limit, _)
        )
    };
    list.iter().enumerate().any(|(at, piece)| {
        let next = || list[at + 1..].iter().find(|piece| !between(piece));
        let fits = |next: &Piece<'_>| {
            is_price(&next.what) && (piece.what.slot().is_some() || next.line == piece.line)
        };
        opens(&piece.what) && next().is_some_and(fits)
    })
}
