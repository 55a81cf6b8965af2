//! What stands beside a card: a heading over a body in quotation marks, a text that names another side, an embed's footer.
//!
//! Entry points: [`heads_body`], [`contradicts`], [`Lack::of`].
//! Invariants: nothing here adds a level; a part that says something else than the card only ever makes the reader abstain.

use super::pieces::{Piece, Pieces, What};
use super::signals::Block;
use super::symbols::Strength;
use super::values::is_price;
use super::words::{Meaning, Slot};
use crate::signal::{Side, Signal};

/// The one side that a text names, in a place or a word that means it.
fn side(list: &[Piece<'_>]) -> Option<Side> {
    let mut sides = list.iter().filter_map(|piece| match piece.what {
        What::Term(Meaning::Side(side) | Meaning::StopOrder(side), _) => Some(side),
        What::Term(Meaning::Buy, _) => Some(Side::Long),
        What::Term(Meaning::Sell, _) => Some(Side::Short),
        _ => None,
    });
    let first = sides.next()?;
    sides.all(|side| side == first).then_some(first)
}

fn has_price(list: &[Piece<'_>]) -> bool {
    list.iter().any(|piece| is_price(&piece.what))
}

fn is_named(piece: &Piece<'_>) -> bool {
    matches!(&piece.what, What::Ticker(mention) if mention.strength >= Strength::Guess)
}

/// True when the name of an author sounds like a symbol or a side: "Long Island Trader".
pub(super) fn speaks(author: &[Piece<'_>]) -> bool {
    author.iter().any(|piece| is_sided(piece) || matches!(piece.what, What::Ticker(_)))
}

/// True when symbol and side are named.
pub(super) fn is_complete(list: &[Piece<'_>]) -> bool {
    list.iter().any(is_named) && list.iter().any(is_sided)
}

fn is_sided(piece: &Piece<'_>) -> bool {
    matches!(
        piece.what,
        What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_), _)
    )
}

/// True when the author's lines are only a heading with symbol and side, and the quoted lines below only its levels: the
/// quotation marks are decoration. An old signal that is quoted has its heading with it.
pub(super) fn heads_body(own: &Pieces<'_>, quoted: &Pieces<'_>) -> bool {
    let heading = own.list.iter().any(is_named) && side(&own.list).is_some() && !has_price(&own.list);
    let named = quoted.list.iter().any(|piece| matches!(piece.what, What::Ticker(_)));
    heading && !named && side(&quoted.list).is_none() && Block::new(quoted).labelled_levels() >= 2
}

/// True when a text without levels names the other side than the card beside it, or only another symbol.
pub(super) fn contradicts(list: &[Piece<'_>], signals: &[Signal]) -> bool {
    let symbols = || {
        list.iter().filter_map(|piece| match &piece.what {
            What::Ticker(mention) if mention.strength >= Strength::Header => Some(&mention.base),
            _ => None,
        })
    };
    let other = symbols().next().is_some()
        && !symbols().any(|base| signals.iter().any(|signal| signal.base() == base));
    // An advertisement boasts of other trades.
    if other && list.iter().any(|piece| piece.what.is(Meaning::Advert)) {
        return false;
    }
    match side(list) {
        Some(side) => other || signals.iter().all(|signal| signal.side() != side),
        None => false,
    }
}

/// What a card lacks that its footer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// The symbol.
    Symbol,
    /// The side.
    Side,
}

impl Lack {
    /// What a block with levels lacks, if it is one thing only.
    pub(super) fn of(block: &Block<'_, '_>) -> Option<Self> {
        let list = &block.pieces.list;
        let named = list.iter().any(is_named);
        let sided = list.iter().any(is_sided);
        match (block.labelled_levels() >= 2, named, sided) {
            (true, false, true) => Some(Lack::Symbol),
            (true, true, false) => Some(Lack::Side),
            _ => None,
        }
    }

    /// True when a footer supplies it beyond doubt: one pair or marked symbol, or one side; no price, nothing sold.
    pub(super) fn is_met_by(self, footer: &[Piece<'_>]) -> bool {
        let mut symbols = footer.iter().filter(|piece| matches!(piece.what, What::Ticker(_)));
        let marked = |piece: &Piece<'_>| matches!(&piece.what, What::Ticker(mention) if mention.strength == Strength::Marked);
        let clean = !has_price(footer)
            && !footer.iter().any(|piece| {
                piece.what.is(Meaning::Advert)
                    || matches!(piece.what.slot(), Some(Slot::Entry | Slot::Target | Slot::Stop))
            });
        clean
            && match self {
                Lack::Symbol => symbols.next().is_some_and(marked) && symbols.next().is_none(),
                Lack::Side => side(footer).is_some(),
            }
    }
}
