//! Entries in follow-ups: filled, replaced, added to, or taken once more.
//!
//! Entry point: [`Clause::entries`]. Invariants: a further entry needs a trade that it belongs to, and a price, the
//! market or the side of that trade beside it; without a price it is at the market.

use super::super::pieces::{Piece, What};
use super::super::tokens::Unit;
use super::super::values::{is_tick, small_integer};
use super::super::words::{Meaning, Slot};
use super::Refusal;
use super::clauses::{Clause, is_plain_number};
use crate::money::Price;
use crate::signal::{Entry, EntryLeg, Stop};
use crate::update::Action;

/// How far behind a further entry its price or its stop may stand, in pieces.
const MAX_AHEAD: usize = 16;

impl<'t> Clause<'_, 't> {
    /// What the clause says about an entry.
    pub(super) fn entries(&self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let added = self.has(Meaning::Add) && self.has(Meaning::Filled) && !self.has(Meaning::Again);
        let found = if added {
            if self.has_trade() { Some(self.filled()?) } else { None }
        } else if self.has_any([Meaning::Add, Meaning::Again]) {
            self.further_entry()?
        } else if self.is_filled() {
            Some(self.filled()?)
        } else {
            self.new_entry()?
        };
        actions.extend(found);
        Ok(())
    }

    /// "Adding to the LINK long at 16.95", "re-entering AVAX at market, stop 22.6".
    fn further_entry(&self) -> Result<Option<Action>, Refusal> {
        let again = self.has(Meaning::Again);
        let Some(at) = self.at(Meaning::Again).or_else(|| self.at(Meaning::Add)) else { return Ok(None) };
        let zone = self.has(Meaning::Zone) && !(again && self.reply);
        let elsewhere = (zone || self.has(Meaning::Report)) && self.place(Slot::Entry).is_none();
        let profit = [Slot::Decoy, Slot::Outcome].into_iter().any(|slot| self.place(slot).is_some());
        if !self.has_trade() && !self.has_side() || elsewhere || profit || self.unknown() > 3 {
            return Ok(None);
        }
        let ahead = self.prices_near()?;
        let told =
            self.has_side() || self.has_any([Meaning::Market, Meaning::Now, Meaning::Trade]) || self.reply;
        if ahead.is_empty() && (!told || self.adds_elsewhere(at)) || again && self.unknown_behind(at) > 1 {
            return Ok(None);
        }
        let entry = self.entry_of(&ahead)?;
        let stop = self.stop_near()?;
        Ok(Some(if again { Action::Reenter { entry, stop } } else { Action::Add { entry, stop } }))
    }

    /// The pieces of the entry: those of the clause before a stop or a target, else those of the next clause.
    fn prices_near(&self) -> Result<Vec<(Price, bool)>, Refusal> {
        let own = until_level(self.pieces);
        let found = self.joined(own)?;
        if !found.is_empty() || self.has(Meaning::Market) {
            return Ok(found);
        }
        let line = self.pieces.first().map_or(0, |piece| piece.line);
        let ahead = &self.onwards[self.pieces.len()..];
        let end = ahead
            .iter()
            .take(MAX_AHEAD)
            .position(|piece| piece.line != line)
            .unwrap_or(ahead.len().min(MAX_AHEAD));
        let deed = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Term(Meaning::Hit | Meaning::Closed | Meaning::Close | Meaning::Move | Meaning::Was, _)
            )
        };
        let ahead = &ahead[..ahead[..end].iter().position(deed).unwrap_or(end)];
        self.joined(until_level(ahead))
    }

    /// Prices, each with whether a dash or "to" joins it to the one before.
    fn joined(&self, pieces: &[Piece<'t>]) -> Result<Vec<(Price, bool)>, Refusal> {
        let mut found = Vec::new();
        let mut last: Option<usize> = None;
        let prose =
            |piece: &Piece<'_>| matches!(piece.what, What::Unknown | What::Term(Meaning::Label(_), _));
        for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| is_plain_number(&piece.what)) {
            if last.is_some_and(|last| pieces[last..at].iter().any(prose)) {
                break;
            }
            let ranged = last.is_some_and(|last| {
                pieces[last + 1..at].iter().any(|piece| {
                    matches!(piece.what, What::Mark('-' | '~' | '_') | What::Term(Meaning::To, _))
                })
            });
            let price = self.numbers.prices(std::slice::from_ref(piece))?;
            found.extend(price.into_iter().map(|price| (price, ranged)));
            last = Some(at);
        }
        Ok(found)
    }

    fn entry_of(&self, prices: &[(Price, bool)]) -> Result<Entry, Refusal> {
        let market = self.has(Meaning::Market);
        Ok(match prices {
            [] => Entry::Market { reference: None, implied: !market },
            [(price, _)] if market => Entry::Market { reference: Some(*price), implied: false },
            [(price, _)] => Entry::Limit { price: *price },
            [(first, _), (second, ranged)] if *ranged || self.has(Meaning::Zone) => {
                if first == second {
                    return Err(Some("the entry has two equal ends"));
                }
                Entry::Zone { low: *first.min(second), high: *first.max(second) }
            }
            _ if market || prices.iter().any(|(_, ranged)| *ranged) => {
                return Err(Some("it is not clear where is entered"));
            }
            _ => Entry::Ladder {
                legs: prices.iter().map(|(price, _)| EntryLeg { price: *price, share: None }).collect(),
                first_market: false,
            },
        })
    }

    /// The stop of a further entry: behind its label in the same sentence, unless it is said to be moved.
    fn stop_near(&self) -> Result<Option<Stop>, Refusal> {
        let line = self.pieces.first().map_or(0, |piece| piece.line);
        let near = &self.onwards[..self.onwards.len().min(self.pieces.len() + MAX_AHEAD)];
        let label =
            near.iter().position(|piece| piece.what.slot() == Some(Slot::Stop) && piece.line <= line + 1);
        let Some(label) = label else { return Ok(None) };
        let behind = &near[label + 1..];
        let end = behind.iter().position(|piece| {
            matches!(
                piece.what,
                What::Mark(',' | '.' | ';') | What::Icon(_) | What::Term(Meaning::Label(_), _)
            ) || piece.line != near[label].line
        });
        let behind = &behind[..end.unwrap_or(behind.len())];
        if behind.iter().any(|piece| {
            matches!(piece.what, What::Term(Meaning::BreakEven | Meaning::CandleWord | Meaning::Candle(_), _))
        }) {
            return Err(Some("the stop of a further entry is no price"));
        }
        Ok(match self.new_prices(behind)?.as_slice() {
            [] => None,
            [price] => Some(Stop::Price { price: *price }),
            _ => return Err(Some("several stops are named")),
        })
    }

    fn is_filled(&self) -> bool {
        let target = self.place(Slot::Target).is_some();
        let entry = self.place(Slot::Entry).is_some();
        let order = entry || self.has(Meaning::Limit);
        let ticked = entry
            && self
                .pieces
                .last()
                .is_some_and(|piece| matches!(piece.what, What::Icon(icon) if is_tick(icon)));
        let closes = self.has_any([Meaning::Close, Meaning::Closed, Meaning::Cancel]);
        let filled = self.has(Meaning::Filled)
            && (order || self.has_trade() && self.unknown() <= 1)
            && !self.has(Meaning::Cancel);
        !target
            && self.place(Slot::Stop).is_none()
            && (filled || (order && self.has(Meaning::Hit) || ticked) && !closes)
    }

    /// Which entries were filled, and at what price.
    fn filled(&self) -> Result<Action, Refusal> {
        let (entries, index) = self.entry_numbers();
        let pieces: Vec<Piece<'t>> = self
            .pieces
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != index)
            .map(|(_, piece)| piece.clone())
            .collect();
        // A price of what has happened is welcome, but nothing depends on it.
        let price = match self.numbers.prices(&pieces) {
            Ok(prices) => {
                if let [price] = prices.as_slice() {
                    Some(*price)
                } else {
                    None
                }
            }
            Err(_) => None,
        };
        Ok(Action::EntryFilled { entries, price })
    }

    /// "Second entry", "entry 1", "both entries", "2nd leg"; and the piece that is such a number behind its word.
    fn entry_numbers(&self) -> (Vec<u8>, Option<usize>) {
        for (at, piece) in self.pieces.iter().enumerate() {
            match &piece.what {
                What::Term(Meaning::Nth(nth), _) => return (vec![*nth], None),
                What::Term(Meaning::Count(count), _) if *count > 1 => return ((1..=*count).collect(), None),
                What::Number(number) if number.unit == Unit::Ordinal => {
                    return (number.text.parse().into_iter().collect(), None);
                }
                What::Term(Meaning::Label(Slot::Entry), Some(index)) => return (vec![*index], None),
                What::Term(Meaning::Label(Slot::Entry), None) => {
                    let next =
                        self.pieces[at + 1..].iter().position(|next| !matches!(next.what, What::Mark('#')));
                    let Some(next) = next.map(|next| at + 1 + next) else { continue };
                    match &self.pieces[next].what {
                        What::Number(number) => {
                            if let Some(index) = small_integer(number) {
                                return (vec![index], Some(next));
                            }
                        }
                        What::Index(index) => return (vec![*index], Some(next)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        (Vec::new(), None)
    }

    /// "Entry corrected to 2.79", "new entry zone 0.2010-0.2040", "change the buy limit to 10.35".
    fn new_entry(&self) -> Result<Option<Action>, Refusal> {
        let Some(label) = self.place(Slot::Entry).or_else(|| self.at(Meaning::Limit)) else {
            return Ok(None);
        };
        let others = [Slot::Stop, Slot::Target].into_iter().any(|slot| self.place(slot).is_some());
        let told = [Meaning::New, Meaning::Changed, Meaning::Move, Meaning::Now, Meaning::Was];
        let done = [
            Meaning::Hit,
            Meaning::Filled,
            Meaning::Close,
            Meaning::Closed,
            Meaning::Cancel,
            Meaning::BreakEven,
        ];
        let led = self.has_arrow();
        if others || self.has_any(done) || !self.has_any(told) && !led || !self.has_trade() && !self.reply {
            return Ok(None);
        }
        if self.only_remembers(label) {
            return Ok(None);
        }
        let behind = &self.pieces[label + 1..];
        let old = behind.iter().position(|piece| piece.what.is(Meaning::Was) || piece.what.is(Meaning::From));
        let list = &behind[..old
            .filter(|old| behind[..*old].iter().any(|p| is_plain_number(&p.what)))
            .unwrap_or(behind.len())];
        let mut prices = self.joined(list)?;
        if led {
            prices = self.new_prices(list)?.into_iter().map(|price| (price, false)).collect();
        }
        if prices.is_empty() {
            return Ok(None);
        }
        Ok(Some(Action::SetEntry { entry: self.entry_of(&prices)? }))
    }
}

impl Clause<'_, '_> {
    /// "Add me to the list": something is added, and what it is added to is no trade.
    fn adds_elsewhere(&self, add: usize) -> bool {
        let behind = &self.pieces[add + 1..];
        let Some(to) = behind.iter().position(|piece| piece.what.is(Meaning::To)).filter(|to| *to > 0) else {
            return false;
        };
        !behind[to..].iter().any(|piece| {
            matches!(
                piece.what,
                What::Ticker(_)
                    | What::Number(_)
                    | What::Term(
                        Meaning::Side(_) | Meaning::Positions(_) | Meaning::Trade | Meaning::Trades,
                        _
                    )
            )
        })
    }

    /// "Entry was 2400": the old value, and no new one before it.
    fn only_remembers(&self, label: usize) -> bool {
        let Some(was) = self.at(Meaning::Was).filter(|was| *was > label) else { return false };
        let changed = [Meaning::New, Meaning::Changed, Meaning::Move, Meaning::Now];
        let valued = self.pieces[..was].iter().any(|piece| is_plain_number(&piece.what));
        !valued && !self.has_any(changed) && !self.has_arrow()
    }
}

/// The pieces before the first label of a stop or a target.
fn until_level<'p, 't>(pieces: &'p [Piece<'t>]) -> &'p [Piece<'t>] {
    let level =
        |piece: &Piece<'_>| matches!(piece.what.slot(), Some(Slot::Stop | Slot::Target | Slot::Leverage));
    &pieces[..pieces.iter().position(level).unwrap_or(pieces.len())]
}
