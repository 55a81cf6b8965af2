//! Closing in follow-ups: in whole, in part, or before there was an entry.
//!
//! Entry point: [`Clause::closing`]. Invariants: "close" is also an adjective and a candle's end, "out" and "flat" have
//! many meanings: they count only where a trade stands beside them. A share belongs to closing only when it stands in
//! the same clause and is no profit.

use rust_decimal::Decimal;

use super::super::pieces::{Piece, What};
use super::super::seen::Sight;
use super::super::tokens::{Number, Unit};
use super::super::values::small_integer;
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, is_plain_number, unknown};
use crate::money::Percent;
use crate::update::Action;

/// How far behind "flat" its reason may stand, in pieces.
const MAX_AHEAD: usize = 12;

impl Clause<'_, '_> {
    /// Closing, part-closing and cancelling; only in part beside a stop that is moved.
    pub(super) fn closing(&self, actions: &mut Vec<Action>, whole: bool) -> Result<(), Refusal> {
        let object = self.has_trade();
        let closes = self.is_closed() || self.is_asked_to_close();
        let sells = object && self.has_any([Meaning::Sell, Meaning::Buy]) && self.count_prices() <= 1;
        let takes =
            self.has_any([Meaning::Closed, Meaning::Close, Meaning::Part, Meaning::Partial, Meaning::Out])
                || self.takes_half();
        // A percentage that cannot be a share makes the whole unclear, whatever stands beside it.
        let share = if takes || sells || self.holds.seen.has(Sight::Percent) { self.share()? } else { None };
        let share = share.filter(|_| takes || sells);
        let targeted = self.place(Slot::Target).is_some();
        let action = match share {
            _ if whole && self.has(Meaning::Cancel) && object && !targeted => Action::Cancel,
            Some(share) if share.get() == Decimal::ONE_HUNDRED && whole && object => Action::Close,
            Some(_) if self.count_prices() > 1 + self.count_of_fraction() => {
                return Err(Some("a share for each of several prices"));
            }
            Some(_) if self.count_prices() > 0 && self.count_shares() > 1 => {
                return Err(Some("a share for a further place is left over"));
            }
            Some(share) => Action::PartClose { share: Some(share) },
            None if whole && self.has(Meaning::Partial) && object => Action::PartClose { share: None },
            None if whole && closes && object && !targeted => Action::Close,
            None if whole && self.is_out() && !targeted => Action::Close,
            _ => return Ok(()),
        };
        if action == Action::Close && self.is_amount_closed() {
            return Err(Some("an amount is closed, but not which share of the position that is"));
        }
        if action == Action::Close && self.count_prices() > 1 {
            return Err(Some("close may only announce the targets"));
        }
        if !actions.contains(&action) {
            actions.push(action);
        }
        Ok(())
    }

    /// `절반 익절`, `半分を利確`, "TP half": the word for the target beside the half says that its profit is taken now.
    fn takes_half(&self) -> bool {
        if !self.has(Meaning::Half) || self.place(Slot::Target).is_none() {
            return false;
        }
        let said = |piece: &&Piece<'_>| !piece.what.is(Meaning::Filler);
        let pieces: Vec<&Piece<'_>> = self.pieces.iter().filter(said).collect();
        let target = |piece: &Piece<'_>| piece.what.slot() == Some(Slot::Target);
        let beside = pieces.windows(2).any(|pair| {
            pair[0].what.is(Meaning::Half) && target(pair[1])
                || target(pair[0]) && pair[1].what.is(Meaning::Half)
        });
        let numbered = pieces.iter().any(|piece| matches!(piece.what, What::Index(_) | What::Number(_)));
        beside && !numbered && self.unknown() == 0 && !self.has(Meaning::Hit)
    }

    /// How many shares are named, those in brackets aside: they say the same again.
    fn count_shares(&self) -> usize {
        let bracketed = |at: usize| at > 0 && matches!(self.pieces[at - 1].what, What::Mark('('));
        let shares = self.pieces.iter().enumerate().filter(|(at, piece)| match &piece.what {
            What::Number(number) => number.unit == Unit::Percent && !self.is_result(*at) && !bracketed(*at),
            What::Term(Meaning::Half | Meaning::Third | Meaning::Quarter, _) => !bracketed(*at),
            _ => false,
        });
        shares.count()
    }

    /// "..., 25% at 99k": a share and its price, and nothing else.
    pub(super) fn is_further_share(&self) -> bool {
        self.has(Meaning::At) && self.count_prices() == 1 && self.unknown() == 0 && self.count_shares() == 1
    }

    /// "Close 0.3 of the position", "closing 40 SOL": a number between the word and its object.
    fn is_amount_closed(&self) -> bool {
        let Some(at) = self.at(Meaning::Close).or_else(|| self.at(Meaning::Closed)) else { return false };
        let behind = &self.pieces[at + 1..];
        let Some((amount, rest)) = behind.split_first() else { return false };
        let object = |piece: &Piece<'_>| {
            matches!(piece.what, What::Ticker(_) | What::Term(Meaning::Trade | Meaning::Trades, _))
        };
        is_plain_number(&amount.what) && rest.iter().take(3).any(object)
    }

    /// How many numbers make up a fraction: `2/3`.
    fn count_of_fraction(&self) -> usize {
        let fraction = self.pieces.iter().enumerate().any(|(at, piece)| match &piece.what {
            What::Number(number) => self.fraction(at, number).is_some(),
            _ => false,
        });
        if fraction { 2 } else { 0 }
    }

    /// Above, below, a candle: the close of a candle, or a condition.
    fn tells_of_candle(&self) -> bool {
        self.pieces.iter().any(|piece| {
            matches!(
                piece.what,
                What::Term(
                    Meaning::Candle(_)
                        | Meaning::CandleWord
                        | Meaning::Above
                        | Meaning::Below
                        | Meaning::Break
                        | Meaning::Zone,
                    _
                )
            )
        })
    }

    /// "Closed at 5.71", "closing LTC". Right behind a symbol, an unexplained word makes it a candle's: "SOL closed strong".
    fn is_closed(&self) -> bool {
        let Some(at) = self.at(Meaning::Closed) else { return false };
        let ticker_before = self.pieces[..at].iter().any(|piece| matches!(piece.what, What::Ticker(_)));
        let odd = matches!(self.pieces.get(at + 1).map(|piece| &piece.what), Some(What::Unknown));
        !(self.tells_of_candle() || ticker_before && odd)
    }

    /// "Close" is asked for when the clause begins with it, or ends with it behind the symbol. "BTC close to its high",
    /// "4h close above" and "that was close" ask for nothing.
    fn is_asked_to_close(&self) -> bool {
        let Some(at) = self.at(Meaning::Close) else {
            return false;
        };
        let before = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Mark(_)
                    | What::Icon(_)
                    | What::Ticker(_)
                    | What::Term(
                        Meaning::Side(_)
                            | Meaning::Positions(_)
                            | Meaning::Part
                            | Meaning::And
                            | Meaning::Filler
                            | Meaning::All
                            | Meaning::Trade
                            | Meaning::Trades
                            | Meaning::Market
                            | Meaning::Now
                            | Meaning::Label(_),
                        _
                    )
            )
        };
        let next = self.pieces.get(at + 1).map(|piece| &piece.what);
        let share = self.pieces[..at]
            .iter()
            .any(|piece| matches!(&piece.what, What::Number(n) if n.unit == Unit::Percent));
        let colon = self.pieces[..at].iter().rposition(|piece| matches!(piece.what, What::Mark(':')));
        let starts = self.pieces[colon.unwrap_or(0)..at].iter().all(before) || share;
        let was = at > 0 && self.pieces[at - 1].what.is(Meaning::Was);
        let plain =
            at == 0 || !self.pieces[at..].iter().any(|p| is_plain_number(&p.what)) || share || self.is_card();
        starts
            && plain
            && !was
            && !self.tells_of_candle()
            && !matches!(next, Some(What::Term(Meaning::To, _)))
    }

    /// "Exit: 11.84": a label with its price.
    fn is_card(&self) -> bool {
        matches!(self.pieces, [Piece { what: What::Term(..), .. }, Piece { what: What::Mark(':'), .. }, ..])
    }

    /// "Out of this one", "SOL – out", "flat": at the clause's start, or right behind the symbol's dash or colon.
    fn is_out(&self) -> bool {
        let Some(at) = self.at(Meaning::Out) else { return false };
        let before = self.pieces[..at].iter().all(|piece| {
            matches!(
                piece.what,
                What::Mark(_)
                    | What::Icon(_)
                    | What::Ticker(_)
                    | What::Term(Meaning::Filler | Meaning::Now | Meaning::And, _)
            )
        });
        let ticker_before = self.pieces[..at].iter().rposition(|piece| matches!(piece.what, What::Ticker(_)));
        let at_price = self.pieces.get(at + 1).is_some_and(|next| next.what.is(Meaning::At));
        let parted = ticker_before.is_none_or(|ticker| {
            let dash = |piece: &Piece<'_>| matches!(piece.what, What::Mark('-' | ':' | '>'));
            at_price || self.pieces[ticker + 1..at].iter().any(dash)
        });
        let behind = &self.pieces[at + 1..];
        let trade = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Ticker(_)
                    | What::Term(Meaning::Trade | Meaning::Trades | Meaning::All | Meaning::Positions(_), _)
            )
        };
        let object = self.pieces.iter().any(trade) || self.reply && self.unknown() == 0;
        let label =
            matches!(behind, [.., Piece { what: What::Mark(':'), .. }, next] if is_plain_number(&next.what));
        before
            && parted
            && (object || self.is_whole_thought())
            && !label
            && unknown(behind) <= 2
            && !self.tells_of_candle()
    }

    /// "Flat. Took the loss.", "Out. Flat now": a single word, and the next thought tells of a result or a stop, or says it again.
    fn is_whole_thought(&self) -> bool {
        let said = |piece: &&Piece<'_>| !matches!(piece.what, What::Mark(_) | What::Icon(_));
        let behind = &self.onwards[self.pieces.len()..];
        let next = behind.first().map_or(0, |piece| piece.line);
        let mut next = behind.iter().take(MAX_AHEAD).take_while(|piece| piece.line == next);
        let results = |slot: Slot| matches!(slot, Slot::Decoy | Slot::Outcome | Slot::Stop);
        self.pieces.iter().filter(said).count() == 1
            && next.any(|piece| piece.what.is(Meaning::Out) || piece.what.slot().is_some_and(results))
    }

    /// The part to close: `40%`, half, a third, `1/3`. A signed percentage or one "of profit" is a result.
    fn share(&self) -> Result<Option<Percent>, Refusal> {
        for (at, piece) in self.pieces.iter().enumerate() {
            let share = match &piece.what {
                What::Number(number) if number.unit == Unit::Percent && !self.is_result(at) => {
                    Some(percent(*number)?)
                }
                What::Number(number) => self.fraction(at, number),
                What::Term(Meaning::Half, _) => percent_of(50, 1),
                What::Term(Meaning::Third, _) => percent_of(100, 3),
                What::Term(Meaning::Quarter, _) => percent_of(25, 1),
                What::Term(Meaning::TwoThirds, _) => percent_of(200, 3),
                What::Term(Meaning::ThreeQuarters, _) => percent_of(75, 1),
                What::Term(Meaning::Tenths(tenths), _) => percent_of(10 * i64::from(*tenths), 1),
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

    /// `+4%`, "4% profit", "gained 4%", and whatever stands in brackets behind a price.
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

    /// `1/3` as a third, `2/3` as two of them.
    fn fraction(&self, at: usize, above: &Number<'_>) -> Option<Percent> {
        let slash = matches!(self.pieces.get(at + 1)?.what, What::Mark('/'));
        let What::Number(below) = &self.pieces.get(at + 2)?.what else { return None };
        let (above, below) = (small_integer(above)?, small_integer(below)?);
        let glued = self.pieces[at + 1].glued && self.pieces[at + 2].glued;
        let is_part = slash && glued && above < below && (2..=10).contains(&below);
        if is_part { percent_of(100 * i64::from(above), i64::from(below)) } else { None }
    }
}

fn percent(number: Number<'_>) -> Result<Percent, Refusal> {
    number.text.replace(',', ".").parse().map_err(|_| Some("a percentage cannot be read"))
}

/// A fraction in per cent, with one decimal.
fn percent_of(part: i64, whole: i64) -> Option<Percent> {
    Percent::new((Decimal::from(part) / Decimal::from(whole)).round_dp(1)).ok()
}
