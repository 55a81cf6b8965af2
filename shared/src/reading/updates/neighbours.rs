//! Neighbours: whether the words beside a deed leave it the deed of a trade. "SOL closed the gap", "Coinbase cancelled the
//! listing" and "close all tabs" hold its words, and are about something else.
//!
//! Entry point: [`Clause::doubt`]. Invariants: it only ever prevents an update; a word that nobody knows counts where a
//! deed's subject or object stands, not behind them: "closing all positions before CPI" is read.

use super::super::pieces::{Piece, Pieces, What};
use super::super::seen::{Sight, is_quotation_mark};
use super::super::words::{Counted, Meaning, Meant, Slot};
use super::clauses::{Clause, is_outcome, is_plain_number};
use crate::signal::Side;
use crate::update::Action;

const STRAY: &str = "an unknown word stands where a follow-up names the trade";

impl Clause<'_, '_> {
    /// Why a clause that says something may not be about the trade, or no instruction.
    pub(super) fn doubt(&self, actions: &[Action]) -> Option<&'static str> {
        if self.holds.may_hold_any(MUSING) {
            return Some("an opinion, a hope or a habit, not what is to be done");
        }
        if self.is_undecided() {
            return Some("hoped for, or left open: nothing is done yet");
        }
        let odd = self.holds.seen.has(Sight::Unknown) || self.holds.may_hold_any(STRANGE);
        let stray = odd && (self.has_stray() || self.is_led_by_stranger() || self.counts_things());
        (stray || self.is_of_others(actions)).then_some(STRAY)
    }

    /// "TP1 hit soon", "close half or all": what is hoped for, and two shares to choose from.
    fn is_undecided(&self) -> bool {
        let is_share = |piece: &Piece<'_>| {
            matches!(piece.what, What::Term(Meaning::Half | Meaning::Third | Meaning::Quarter, _))
        };
        let chosen = || {
            self.pieces.windows(3).any(|three| {
                is_share(&three[0]) && three[1].what.is(Meaning::And) && three[2].what.is(Meaning::All)
            })
        };
        self.has(Meaning::Hit) && self.has(Meaning::Placeholder)
            || self.has(Meaning::And) && self.has(Meaning::All) && chosen()
    }

    /// "…, always": nothing but such a word, behind what is done.
    pub(super) fn only_muses(&self) -> bool {
        let small = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Mark(_) | What::Icon(_) | What::Term(Meaning::Filler | Meaning::Musing, _)
            )
        };
        self.holds.may_hold_any(MUSING) && self.pieces.iter().all(small)
    }

    /// "BTC closed at 61,200", of which nothing else in the text makes a trade: markets close too.
    pub(super) fn is_market_close(&self, text: &Pieces<'_>) -> bool {
        let Some(closed) = self.at(Meaning::Closed).filter(|_| !self.reply) else { return false };
        let subject = closed.checked_sub(1).is_some_and(|at| matches!(self.pieces[at].what, What::Ticker(_)));
        let mut behind = self.pieces[closed + 1..].iter();
        let at = behind.next().is_some_and(|next| next.what.is(Meaning::At));
        let priced = behind.next().is_some_and(|next| is_plain_number(&next.what));
        subject && at && priced && !text.meant.meets(Meant::of(OF_TRADES)) && !text.seen.has(Sight::Percent)
    }

    /// A stranger right beside a deed, or beside the symbol or the "all" that the deed is about.
    fn has_stray(&self) -> bool {
        let strangers = self.pieces.iter().enumerate().filter(|(_, piece)| is_stranger(&piece.what));
        strangers.into_iter().any(|(at, _)| {
            let (left, right) = (self.neighbour(at, false), self.neighbour(at, true));
            // "SL just got filled": between a level and what became of it stands a verb, unless that has an object.
            let ends = right.is_some_and(|right| self.neighbour(right, true).is_none());
            let level = ends && left.and_then(|left| self.pieces[left].what.slot()).is_some_and(is_level);
            let acts = |at: Option<usize>| at.is_some_and(|at| is_deed(&self.pieces[at].what));
            let named = left.filter(|left| {
                matches!(self.pieces[*left].what, What::Ticker(_) | What::Term(Meaning::All, _))
            });
            acts(left) || acts(right) && !level || named.is_some_and(|name| acts(self.neighbour(name, false)))
        })
    }

    /// The next piece on one side that is more than a small word, a number or a stranger; none beyond a mark.
    fn neighbour(&self, at: usize, right: bool) -> Option<usize> {
        let step = |at: usize| if right { Some(at + 1) } else { at.checked_sub(1) };
        let mut next = step(at);
        while let Some(at) = next {
            match self.pieces.get(at)?.what {
                What::Mark(mark) if is_quotation_mark(mark) => {}
                What::Mark(_) | What::Icon(_) => return None,
                What::Number(_) => {}
                What::Term(
                    Meaning::Filler
                    | Meaning::At
                    | Meaning::To
                    | Meaning::From
                    | Meaning::Now
                    | Meaning::Aside,
                    _,
                ) => {}
                ref what if is_stranger(what) => {}
                _ => return Some(at),
            }
            next = step(at);
        }
        None
    }

    /// "Prediction: SOL TP1 hit", "let SOL hit TP1": a stranger leads, up to a colon or to what is told of. What is ticked
    /// has happened, whoever is spoken to.
    fn is_led_by_stranger(&self) -> bool {
        if self.ticked() {
            return false;
        }
        let said =
            |piece: &&Piece<'_>| !matches!(piece.what, What::Icon(_) | What::Mark('*' | '@' | '-' | '•'));
        let mut list = self.pieces.iter().filter(said);
        if !list.next().is_some_and(|first| matches!(first.what, What::Unknown)) {
            return false;
        }
        let next = list.find(|piece| !matches!(piece.what, What::Unknown | What::Term(Meaning::Filler, _)));
        next.is_some_and(|next| {
            matches!(
                next.what,
                What::Ticker(_) | What::Mark(':') | What::Term(Meaning::Label(Slot::Target), _)
            )
        })
    }

    /// "New target 1000 members": where no symbol makes it a price, a number before a stranger counts something.
    fn counts_things(&self) -> bool {
        !self.reply
            && !self.named
            && self.pieces.windows(2).any(|pair| {
                is_plain_number(&pair[0].what) && matches!(pair[1].what, What::Unknown) && !pair[1].glued
            })
    }

    /// "OKX cancels", "funds closing all longs", "stopped at resistance": what a venue, a fund or a chart does.
    fn is_of_others(&self, actions: &[Action]) -> bool {
        let institution =
            |what: &What<'_>| matches!(what, What::Term(Meaning::Venue(_) | Meaning::Capital, _));
        let ended = |what: &What<'_>| {
            matches!(
                what,
                What::Term(Meaning::Close | Meaning::Closed | Meaning::Cancel | Meaning::StoppedOut, _)
            )
        };
        let by = self.pieces.windows(2).any(|pair| institution(&pair[0].what) && ended(&pair[1].what));
        let of =
            actions.contains(&Action::Cancel) && self.pieces.iter().any(|piece| institution(&piece.what));
        let at_chart =
            self.at(Meaning::StoppedOut).and_then(|at| self.neighbour(at, true)).is_some_and(|at| {
                matches!(self.pieces[at].what, What::Term(Meaning::Label(Slot::Decoy) | Meaning::Zone, _))
            });
        by || of || at_chart
    }
}

const MUSING: &[Meaning] = &[Meaning::Musing];

/// What stands in the place of a trade, though it is known.
const STRANGE: &[Meaning] = &[Meaning::Scenery, Meaning::Counts(Counted::Weeks)];

/// Words that make a price at which something was closed that of a trade.
const OF_TRADES: [Meaning; 13] = [
    Meaning::Side(Side::Long),
    Meaning::Side(Side::Short),
    Meaning::Positions(Side::Long),
    Meaning::Positions(Side::Short),
    Meaning::Trade,
    Meaning::Trades,
    Meaning::Tracker,
    Meaning::Label(Slot::Stop),
    Meaning::Label(Slot::Target),
    Meaning::Label(Slot::Entry),
    Meaning::Label(Slot::Outcome),
    Meaning::Label(Slot::Decoy),
    Meaning::GivenUp,
];

fn is_level(slot: Slot) -> bool {
    matches!(slot, Slot::Stop | Slot::Target | Slot::Entry)
}

fn is_stranger(what: &What<'_>) -> bool {
    matches!(what, What::Unknown | What::Term(Meaning::Scenery | Meaning::Counts(_), _))
}

/// What is done with a trade or to it: the outcomes that clauses are cut at, and what is done with its levels.
fn is_deed(what: &What<'_>) -> bool {
    let What::Term(meaning, _) = *what else { return false };
    is_outcome(meaning)
        || matches!(
            meaning,
            Meaning::Out
                | Meaning::TwoThirds
                | Meaning::ThreeQuarters
                | Meaning::Move
                | Meaning::Trail
                | Meaning::Add
        )
}
