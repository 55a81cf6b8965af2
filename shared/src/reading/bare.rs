//! Bare entries: "short DOGE 0.1684" is a call whose stop and targets follow later. So little text must be beyond doubt.
//!
//! Entry point: [`is_plain`]. Invariants: symbol, side and entry stand in one clause in which every word is understood, and in
//! this order of things nothing hedges, reports or recalls; otherwise the reader abstains.

use super::pieces::{Piece, What};
use super::signals::Block;
use super::symbols::Strength;
use super::tokens::Unit;
use super::values::is_price;
use super::words::{Meaning, Slot};

/// The longest such post, in words and marks: who calls in a hurry is brief.
const MAX_PIECES: usize = 24;

/// True for a block that names symbol, side and entry, and nothing that could mean something else.
pub(super) fn is_plain(block: &Block<'_, '_>) -> bool {
    let list = &block.pieces.list;
    if list.len() > MAX_PIECES || !list.iter().all(is_harmless) {
        return false;
    }
    let mut clauses = list.split(|piece| matches!(piece.what, What::Mark(',' | ';' | '.' | '!' | '(')));
    let entry = |piece: &Piece<'_>| is_price(&piece.what) || piece.what.is(Meaning::Market);
    let entries = clauses.clone().flatten().filter(|piece| entry(piece)).count();
    let first = clauses.next().unwrap_or_default();
    let names = |piece: &Piece<'_>| matches!(&piece.what, What::Ticker(mention) if mention.strength >= Strength::Guess);
    let sides = |piece: &Piece<'_>| {
        matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::OptionBuy, _))
    };
    let said = first.iter().filter(|piece| entry(piece)).count();
    // A premium is one price: two are one that was cut.
    let most = if first.iter().any(|piece| piece.what.is(Meaning::OptionBuy)) { 1 } else { 2 };
    first.iter().all(is_understood)
        && first.iter().any(names)
        && first.iter().filter(|piece| sides(piece)).count() == 1
        && (1..=most).contains(&said)
        && said == entries
}

/// What a clause with a bare entry may hold.
fn is_understood(piece: &Piece<'_>) -> bool {
    match &piece.what {
        What::Ticker(_) | What::Icon(_) => true,
        What::Number(number) => {
            number.unit.is_of_price() || matches!(number.unit, Unit::Times | Unit::Span(_))
        }
        What::Mark(mark) => matches!(mark, ':' | '-' | '/' | '$' | '@' | '|' | '=' | '#' | '~'),
        What::Term(meaning, _) => matches!(
            meaning,
            Meaning::Side(_)
                | Meaning::Buy
                | Meaning::OptionBuy
                | Meaning::Market
                | Meaning::Limit
                | Meaning::Filler
                | Meaning::At
                | Meaning::Zone
                | Meaning::To
                | Meaning::Spot
                | Meaning::Futures
                | Meaning::Cross
                | Meaning::Isolated
                | Meaning::Venue(_)
                | Meaning::Candle(_)
                | Meaning::Label(Slot::Entry | Slot::Side | Slot::Pair | Slot::Leverage | Slot::Timeframe)
        ),
        _ => false,
    }
}

/// False for words that make such a short text something else than a call, wherever they stand.
fn is_harmless(piece: &Piece<'_>) -> bool {
    !matches!(
        piece.what,
        What::Clock
            | What::Tangle
            | What::Mark('?' | '+' | '%')
            | What::Term(
                Meaning::Negation
                    | Meaning::Hedge
                    | Meaning::Later
                    | Meaning::Was
                    | Meaning::From
                    | Meaning::Bystander
                    | Meaning::Report
                    | Meaning::Out
                    | Meaning::Close
                    | Meaning::Part
                    | Meaning::Advert
                    | Meaning::Trade
                    | Meaning::Trades
                    | Meaning::Again
                    | Meaning::Add
                    | Meaning::Trail
                    | Meaning::More
                    | Meaning::Half
                    | Meaning::Third
                    | Meaning::Quarter
                    | Meaning::Tenths(_)
                    | Meaning::TwoThirds
                    | Meaning::ThreeQuarters
                    | Meaning::Partial
                    | Meaning::All
                    | Meaning::Positions(_)
                    | Meaning::Label(Slot::Outcome | Slot::Decoy),
                _
            )
    ) && !matches!(&piece.what, What::Number(number) if number.unit == Unit::Percent)
}
