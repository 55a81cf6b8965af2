//! Stops in follow-ups: where one is moved to, whether it follows the price, and whether it was hit.
//!
//! Entry points: [`Clause::moved_stop`], [`Clause::stopped`]. Old values often stand beside new ones.

use super::super::pieces::{Piece, What};
use super::super::seen::arrow;
use super::super::tokens::Unit;
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, is_plain_number, unknown};
use crate::money::Price;
use crate::update::{Action, StopMove};

/// How many words between a stop and the entry nobody may have explained, where it is said to be moved.
const MAX_UNKNOWN_TO_ENTRY: usize = 2;

impl<'t> Clause<'_, 't> {
    /// Where the stop goes, if the clause moves it.
    pub(super) fn moved_stop(&self) -> Result<Option<Action>, Refusal> {
        let to = |to: StopMove| Some(Action::MoveStop { to });
        if let Some(trailed) = self.trailed()? {
            return Ok(Some(trailed));
        }
        let moves = self.has_any([Meaning::Move, Meaning::Trail]);
        let Some(stop) = self.place(Slot::Stop) else {
            if let Some(price) = self.trailed_to()? {
                return Ok(to(StopMove::Price { price }));
            }
            let entry = self.has(Meaning::BreakEven)
                && !self.has_any(REPORTS)
                && self.place(Slot::Target).is_none()
                && self.count_prices() == 0;
            return Ok(if entry && self.is_moved(moves) { to(StopMove::BreakEven) } else { None });
        };
        if self.has_any(REPORTS) && !moves {
            return Ok(None);
        }
        let behind = &self.pieces[stop + 1..];
        if self.goes_to_entry(stop) {
            if let Some(doubt) = self.doubt_of_entry() {
                return Err(Some(doubt));
            }
            return Ok(to(StopMove::BreakEven));
        }
        let changed = behind.iter().any(|piece| piece.what.is(Meaning::Changed));
        let mover = moves || changed || self.has_any(MOVERS) || self.has_arrow() || self.tells_old_value();
        if let Some(target) = target_named(behind).filter(|_| mover || self.stands_at_target(stop)) {
            return Ok(to(StopMove::Target { target }));
        }
        let alone = self.is_bare_stop(stop);
        if !mover && !alone {
            return Ok(None);
        }
        if self.stands_between_values(stop) {
            return Err(Some("several new stops are named"));
        }
        let mut prices = self.new_prices(behind)?;
        if prices.is_empty() && moves {
            prices = self.new_prices(&self.pieces[..stop])?;
        }
        match prices.as_slice() {
            [] if self.has_any([Meaning::Move, Meaning::New, Meaning::Changed]) => {
                Ok(match self.prices_ahead()?.as_slice() {
                    [price] => to(StopMove::Price { price: *price }),
                    _ => None,
                })
            }
            [] => Ok(None),
            [price] => Ok(to(StopMove::Price { price: *price })),
            _ => Err(Some("several new stops are named")),
        }
    }

    /// "BTC to entry", "moved to BE": a trade and a word that leads somewhere, without the word for the stop.
    fn is_moved(&self, moves: bool) -> bool {
        let short = || self.reply && self.unknown() == 0 && self.pieces.len() <= 3;
        let leads = || self.has_any([Meaning::To, Meaning::Now]) || self.has_arrow() || short();
        moves || self.has_trade() && leads()
    }

    /// "Trail 2%", "trailing stop of 0.8 %". A trailing stop with a price is one that is moved.
    fn trailed(&self) -> Result<Option<Action>, Refusal> {
        let Some(at) = self.at(Meaning::Trail).filter(|_| !self.has_any(REPORTS)) else { return Ok(None) };
        let placed =
            self.has(Meaning::BreakEven) || self.place(Slot::Entry).is_some() || self.count_prices() > 0;
        let percent = self.pieces.iter().find_map(|piece| match piece.what {
            What::Number(number) if number.unit == Unit::Percent => Some(number),
            _ => None,
        });
        match percent {
            Some(number) if !placed => {
                let percent =
                    number.text.replace(',', ".").parse().map_err(|_| Some("a percentage cannot be read"))?;
                Ok(Some(Action::TrailStop { percent: Some(percent) }))
            }
            None if !placed
                && self.place(Slot::Stop).is_some()
                && self.has_trade()
                && at == 0
                && self.unknown() == 0 =>
            {
                Ok(Some(Action::TrailStop { percent: None }))
            }
            _ => Ok(None),
        }
    }

    /// "Trailing stop up to 140": the stop that follows the price, and where it stands by now.
    fn trailed_to(&self) -> Result<Option<Price>, Refusal> {
        let Some(trail) = self.at(Meaning::Trail).filter(|_| !self.has_any(REPORTS)) else { return Ok(None) };
        let led = self.has_any([Meaning::To, Meaning::UpTo, Meaning::Move, Meaning::Now]) || self.has_arrow();
        if !led
            || self.place(Slot::Target).is_some()
            || self.place(Slot::Entry).is_some()
            || !self.has_trade()
        {
            return Ok(None);
        }
        Ok(match self.new_prices(&self.pieces[trail + 1..])?.as_slice() {
            [price] => Some(*price),
            _ => None,
        })
    }

    /// "Stop to entry", "stop for the rest at BE".
    fn goes_to_entry(&self, stop: usize) -> bool {
        let is_entry =
            |piece: &Piece<'_>| piece.what.is(Meaning::BreakEven) || piece.what.slot() == Some(Slot::Entry);
        let Some(entry) = self.pieces.iter().position(is_entry) else { return false };
        let between =
            if entry > stop { &self.pieces[stop + 1..entry] } else { &self.pieces[entry + 1..stop] };
        let moves = self.has_any([Meaning::Move, Meaning::To, Meaning::Trail]) || self.has_arrow();
        let priced = between.iter().any(|piece| is_plain_number(&piece.what));
        let named_by_it =
            entry + 1 == stop && self.pieces[entry].what.is(Meaning::BreakEven) && self.has_trade();
        (entry > stop || moves || named_by_it) && unknown(between) <= MAX_UNKNOWN_TO_ENTRY && !priced
    }

    /// "At 146 move stop to entry" waits for a price; "stop slightly above entry" stands elsewhere.
    fn doubt_of_entry(&self) -> Option<&'static str> {
        let at_price = self.pieces.windows(2).any(|pair| {
            matches!(pair[0].what, What::Term(Meaning::At, _) | What::Mark('@'))
                && is_plain_number(&pair[1].what)
        });
        if at_price {
            return Some("a price beside the entry as the stop's place: perhaps a condition");
        }
        let beside = self.has_any([Meaning::Above, Meaning::Below]);
        beside.then_some("the stop goes near the entry, but not to it")
    }

    /// "144.5 is our new stop (138 before)": values on both sides of the label, and nothing says which is the old one.
    fn stands_between_values(&self, stop: usize) -> bool {
        let small = |piece: &&Piece<'_>| {
            matches!(piece.what, What::Term(Meaning::Filler | Meaning::New | Meaning::Now, _))
        };
        let before = self.pieces[..stop].iter().rev().find(|piece| !small(piece));
        before.is_some_and(|before| is_plain_number(&before.what))
            && self.pieces[..stop].last().is_some_and(|last| small(&last))
            && self.pieces[stop..].iter().any(|piece| is_plain_number(&piece.what))
    }

    /// "Stop at TP1", "stop no alvo 1": a target's name instead of a price.
    fn stands_at_target(&self, stop: usize) -> bool {
        let Some(target) = self.place(Slot::Target).filter(|target| *target > stop + 1) else { return false };
        let small = |piece: &Piece<'_>| matches!(piece.what, What::Term(Meaning::Filler | Meaning::At, _));
        let targets = self.pieces.iter().filter(|piece| piece.what.slot() == Some(Slot::Target)).count();
        targets == 1
            && self.unknown() == 0
            && self.count_prices() <= 1
            && self.pieces[stop + 1..target].iter().all(small)
    }

    /// `SL 5.31`, `sl=5.18`: a stop and its price, and beside them only the symbol; or the stop of a reply.
    fn is_bare_stop(&self, stop: usize) -> bool {
        let others = self.pieces[..stop].iter().any(|piece| {
            !matches!(
                piece.what,
                What::Ticker(_)
                    | What::Mark(_)
                    | What::Icon(_)
                    | What::Number(_)
                    | What::Term(Meaning::Filler | Meaning::Changed | Meaning::Now, _)
                    | What::Term(Meaning::Label(Slot::Reference), _)
            )
        });
        let priced = self.pieces[..stop].iter().any(|piece| is_plain_number(&piece.what));
        let listed = self.pieces[..stop].iter().all(|piece| !matches!(piece.what, What::Number(_)));
        let meant = self.has_ticker() || self.after_deed && self.named || self.reply && stop == 0;
        !others && (listed || !priced) && meant && self.count_prices() == 1 && self.unknown() == 0
    }

    /// The new values of a list: behind an arrow the later ones, before "was" the earlier ones.
    pub(super) fn new_prices(&self, behind: &[Piece<'t>]) -> Result<Vec<Price>, Refusal> {
        let leads = |piece: &Piece<'_>| arrow(&piece.what) == Some(true) || piece.what.is(Meaning::To);
        let number_before = |at: usize| behind[..at].iter().any(|piece| is_plain_number(&piece.what));
        let number_next = |at: usize| behind.get(at + 1).is_some_and(|piece| is_plain_number(&piece.what));
        let earlier = |(at, piece): (usize, &Piece<'_>)| {
            let from = piece.what.is(Meaning::From) && number_next(at);
            arrow(&piece.what) == Some(false) || piece.what.is(Meaning::Was) || from
        };
        let old = behind.iter().enumerate().position(earlier);
        let last = behind.iter().rposition(|piece| is_plain_number(&piece.what)).unwrap_or(0);
        let lead = behind[..last].iter().rposition(leads);
        let range = match (lead, old) {
            (Some(lead), Some(old)) if old < lead => lead + 1..behind.len(),
            (Some(lead), Some(old)) if number_before(old) => lead + 1..old,
            (Some(lead), _) => lead + 1..behind.len(),
            (None, Some(old)) => 0..old,
            (None, None) => 0..behind.len(),
        };
        let stop = |piece: &Piece<'_>| {
            matches!(piece.what, What::Term(Meaning::Part | Meaning::Close | Meaning::Label(_), _))
        };
        let list = behind.get(range).unwrap_or_default();
        let end = list.iter().position(stop).unwrap_or(list.len());
        self.numbers.prices(&list[..end])
    }

    /// "Was 8.17": the old value stands behind its word.
    pub(super) fn tells_old_value(&self) -> bool {
        let was = self.at(Meaning::Was);
        was.is_some_and(|was| self.pieces[was..].iter().any(|piece| is_plain_number(&piece.what)))
    }

    /// Whether the stop was hit, and whether it stood at the entry by then.
    pub(super) fn stopped(&self) -> Option<Action> {
        let stop = self.place(Slot::Stop);
        let target = self.place(Slot::Target);
        let hit = self.at(Meaning::Hit).or_else(|| self.at(Meaning::Filled));
        let crossed = || self.pieces.iter().any(|piece| matches!(piece.what, What::Icon('❌' | '⛔' | '🛑')));
        let nearer =
            |hit: usize, stop: usize| target.is_none_or(|target| hit.abs_diff(stop) < hit.abs_diff(target));
        let at_entry = self.has(Meaning::BreakEven) || self.place(Slot::Entry).is_some();
        let stopped = self.has(Meaning::StoppedOut)
            || stop.zip(hit).is_some_and(|(stop, hit)| nearer(hit, stop))
            || hit.is_some() && target.is_none() && self.has(Meaning::BreakEven) && !self.has(Meaning::Move)
            || stop.is_some() && target.is_none() && self.count_prices() == 0 && crossed();
        match (stopped, at_entry) {
            (false, _) => None,
            (true, true) => Some(Action::StoppedAtBreakEven),
            (true, false) => Some(Action::StoppedOut),
        }
    }
}

/// Words that tell what became of a stop.
const REPORTS: [Meaning; 5] =
    [Meaning::Hit, Meaning::StoppedOut, Meaning::Closed, Meaning::Filled, Meaning::Out];

/// Words that put a value in the place of another one, beside those of moving.
const MOVERS: [Meaning; 4] = [Meaning::New, Meaning::Now, Meaning::To, Meaning::UpTo];

/// The first target that is named with its number.
fn target_named(pieces: &[Piece<'_>]) -> Option<u8> {
    pieces.iter().enumerate().find_map(|(at, piece)| {
        let What::Term(Meaning::Label(Slot::Target), index) = piece.what else { return None };
        let before = at.checked_sub(1).map(|before| &pieces[before].what);
        match (index, before, pieces.get(at + 1).map(|piece| &piece.what)) {
            (Some(index), _, _) => Some(index),
            (None, Some(What::Term(Meaning::Nth(nth), _)), _) => Some(*nth),
            (None, _, Some(What::Term(Meaning::Count(count) | Meaning::Nth(count), _))) => Some(*count),
            (None, _, Some(What::Number(number))) => super::super::values::small_integer(number),
            _ => None,
        }
    })
}
