//! Closing in follow-ups: in whole, in part, or before there was an entry.
//!
//! Entry point: [`Clause::closing`]. Invariants: "close" is also an adjective and a candle's end; a share belongs to
//! closing only when it stands in the same clause and is no profit.

use rust_decimal::Decimal;

use super::super::pieces::{Piece, What};
use super::super::tokens::{Number, Unit};
use super::super::values::small_integer;
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, Told, is_plain_number};
use crate::money::Percent;
use crate::update::Action;

impl Clause<'_, '_> {
    /// Closing, part-closing and cancelling; only in part beside a stop that is moved.
    pub(super) fn closing(&self, told: &mut Told, whole: bool) -> Result<(), Refusal> {
        let object = self.has_trade();
        let closes = self.has(Meaning::Closed) || self.is_asked_to_close();
        let share = self.share()?;
        let takes =
            closes || self.has(Meaning::Close) || self.has(Meaning::Part) || self.has(Meaning::Partial);
        let action = match share {
            _ if whole && self.has(Meaning::Cancel) && object => Action::Cancel,
            Some(share) if takes => Action::PartClose { share: Some(share) },
            None if whole && self.has(Meaning::Partial) && object => Action::PartClose { share: None },
            None if whole && closes && object && self.place(Slot::Target).is_none() => Action::Close,
            None if whole && self.has(Meaning::Out) && object && self.is_short() => Action::Close,
            _ => return Ok(()),
        };
        let prices = self.pieces.iter().filter(|piece| is_plain_number(&piece.what)).count();
        if action == Action::Close && prices > 1 {
            return Err(Some("close may only announce the targets"));
        }
        let mut sides = self.pieces.iter().filter_map(|piece| match piece.what {
            What::Term(Meaning::Positions(side), _) => Some(side),
            What::Term(Meaning::Side(side), _) => Some(side),
            _ => None,
        });
        let several =
            |piece: &Piece<'_>| matches!(piece.what, What::Term(Meaning::All | Meaning::Positions(_), _));
        if self.pieces.iter().any(several) {
            told.all = Some(sides.next());
        }
        if !told.actions.contains(&action) {
            told.actions.push(action);
        }
        Ok(())
    }

    /// "Close" is asked for when the clause begins with it, or ends with it behind the symbol. "BTC close to its high",
    /// "4h close above" and "that was close" ask for nothing.
    fn is_asked_to_close(&self) -> bool {
        let Some(at) = self.pieces.iter().position(|piece| piece.what.is(Meaning::Close)) else {
            return false;
        };
        let candle = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Term(Meaning::Candle(_) | Meaning::CandleWord | Meaning::Above | Meaning::Below, _)
            )
        };
        let before = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Mark(_)
                    | What::Icon(_)
                    | What::Ticker(_)
                    | What::Term(Meaning::Side(_) | Meaning::Part | Meaning::And, _)
            )
        };
        let next = self.pieces.get(at + 1).map(|piece| &piece.what);
        let share = self.pieces[..at]
            .iter()
            .any(|piece| matches!(&piece.what, What::Number(n) if n.unit == Unit::Percent));
        let starts = self.pieces[..at].iter().all(before) || share;
        let plain = at == 0 || !self.pieces[at..].iter().any(|p| is_plain_number(&p.what)) || share;
        starts
            && plain
            && !self.pieces.iter().any(candle)
            && !matches!(next, Some(What::Term(Meaning::To, _)))
    }

    /// "Out of this one": few words, or it is about something else.
    fn is_short(&self) -> bool {
        self.unknown() <= 2
            && (self.has(Meaning::Trade)
                || self.pieces.iter().any(|piece| matches!(piece.what, What::Ticker(_))))
    }

    /// The part to close: `40%`, half, a third, `1/3`. A signed percentage or one "of profit" is a result.
    fn share(&self) -> Result<Option<Percent>, Refusal> {
        for (at, piece) in self.pieces.iter().enumerate() {
            let share = match &piece.what {
                What::Number(number) if number.unit == Unit::Percent && !self.is_result(at) => {
                    Some(percent(*number)?)
                }
                What::Number(number) if number.text == "1" => self.fraction(at),
                What::Term(Meaning::Half, _) => percent_of(50, 1),
                What::Term(Meaning::Third, _) => percent_of(100, 3),
                What::Term(Meaning::Quarter, _) => percent_of(25, 1),
                _ => None,
            };
            if let Some(share) = share {
                return if share.get() <= Decimal::ONE_HUNDRED {
                    Ok(Some(share))
                } else {
                    Err(Some("more than all is closed"))
                };
            }
        }
        Ok(None)
    }

    fn is_result(&self, at: usize) -> bool {
        let signed =
            at > 0 && self.pieces[at].glued && matches!(self.pieces[at - 1].what, What::Mark('+' | '-'));
        let profit = self.pieces[at + 1..].iter().take(2).any(|piece| {
            piece.what.is(Meaning::OfProfit) || matches!(piece.what.slot(), Some(Slot::Decoy | Slot::Outcome))
        });
        let labelled = self.pieces[..at]
            .iter()
            .any(|piece| matches!(piece.what.slot(), Some(Slot::Decoy | Slot::Outcome)));
        signed || profit || labelled
    }

    /// `1/3` as a third.
    fn fraction(&self, at: usize) -> Option<Percent> {
        let slash = matches!(self.pieces.get(at + 1)?.what, What::Mark('/'));
        let What::Number(below) = &self.pieces.get(at + 2)?.what else { return None };
        let below = small_integer(below).filter(|below| slash && (2..=10).contains(below))?;
        percent_of(100, i64::from(below))
    }
}

fn percent(number: Number<'_>) -> Result<Percent, Refusal> {
    number.text.replace(',', ".").parse().map_err(|_| Some("a percentage cannot be read"))
}

/// A fraction in per cent, with one decimal.
fn percent_of(part: i64, whole: i64) -> Option<Percent> {
    Percent::new((Decimal::from(part) / Decimal::from(whole)).round_dp(1)).ok()
}
