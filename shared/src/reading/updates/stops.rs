//! Stops in follow-ups: where one is moved to, and whether it was hit.
//!
//! Entry points: [`Clause::moved_stop`], [`Clause::is_stopped_out`]. Old values often stand beside new ones.

use super::super::pieces::{Piece, What};
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, is_plain_number};
use crate::update::StopMove;

impl<'t> Clause<'_, 't> {
    /// Where the stop goes, if the clause moves it.
    pub(super) fn moved_stop(&self) -> Result<Option<StopMove>, Refusal> {
        let stop = self.place(Slot::Stop);
        let arrow = self.pieces.iter().any(|piece| matches!(piece.what, What::Icon('→' | '←')));
        let mover = self.has(Meaning::Move) || self.has(Meaning::New) || arrow;
        let to = self.has(Meaning::To);
        let Some(stop) = stop else {
            let moves = self.has(Meaning::Move) && self.has(Meaning::BreakEven);
            return Ok(moves.then_some(StopMove::BreakEven));
        };
        let behind = &self.pieces[stop + 1..];
        let reports = self.has(Meaning::Hit) || self.has(Meaning::StoppedOut) || self.has(Meaning::Closed);
        if reports && !self.has(Meaning::Move) {
            return Ok(None);
        }
        let to_entry = behind
            .iter()
            .any(|piece| piece.what.is(Meaning::BreakEven) || piece.what.slot() == Some(Slot::Entry));
        if to_entry {
            return Ok(Some(StopMove::BreakEven));
        }
        let target = behind.iter().find_map(|piece| match piece.what {
            What::Term(Meaning::Label(Slot::Target), Some(index)) => Some(index),
            _ => None,
        });
        if let Some(target) = target.filter(|_| mover || to) {
            return Ok(Some(StopMove::Target { target }));
        }
        if !mover && !to {
            return Ok(None);
        }
        self.stop_price(behind)
    }

    /// The new price of a stop: behind an arrow the later one, before "was" the earlier one.
    fn stop_price(&self, behind: &[Piece<'t>]) -> Result<Option<StopMove>, Refusal> {
        let leads = |piece: &Piece<'_>| matches!(piece.what, What::Icon('→') | What::Term(Meaning::To, _));
        let after = behind.iter().rposition(leads).map_or(0, |at| at + 1);
        let before =
            behind.iter().position(|piece| matches!(piece.what, What::Icon('←'))).unwrap_or(behind.len());
        let earlier = |piece: &Piece<'_>| piece.what.is(Meaning::Was) || piece.what.is(Meaning::From);
        let was = behind[after..].iter().position(earlier).map_or(behind.len(), |at| after + at);
        let prices = self.prices(behind.get(after..was.min(before)).unwrap_or_default())?;
        match prices.as_slice() {
            [] => Ok(None),
            [price] => Ok(Some(StopMove::Price { price: *price })),
            _ => Err(Some("several new stops are named")),
        }
    }

    pub(super) fn is_stopped_out(&self) -> bool {
        let hit = self.has(Meaning::Hit);
        let stop = self.place(Slot::Stop).is_some();
        let crossed = self.pieces.iter().any(|piece| matches!(piece.what, What::Icon('❌' | '⛔')));
        let no_target = self.place(Slot::Target).is_none();
        self.has(Meaning::StoppedOut)
            || hit && stop && no_target
            || hit && no_target && self.has(Meaning::BreakEven)
            || crossed && stop && no_target && !self.pieces.iter().any(|piece| is_plain_number(&piece.what))
    }
}
