//! The plan: side, entry, targets and stop of one signal, from its priced levels and the words beside them.
//!
//! Entry points: [`Priced::side`], [`Priced::entry`], [`Priced::targets`], [`Priced::stop`].
//! Invariants: conventions for zones, ladders and triggers are here and nowhere else; nothing is computed or invented.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use super::fields::Opener;
use super::pieces::What;
use super::prices::Priced;
use super::signals::Block;
use super::tokens::Number;
use super::values::{Joint, Level, ShareForm};
use super::words::{Meaning, Slot};
use crate::money::{Percent, Price};
use crate::signal::{Break, Entry, EntryLeg, Side, Stop, Target, TargetLevel};

impl Priced<'_, '_> {
    /// The direction: by its word, else by the geometry of a full set of levels.
    pub(super) fn side(&self, block: &Block<'_, '_>) -> Result<Side, Doubt> {
        let has = |meaning: Meaning| block.pieces.has(meaning);
        let (buy, sell) = (has(Meaning::Buy), has(Meaning::Sell) && !self.levels.sells_are_targets);
        let of = |side: Side| has(Meaning::Side(side)) || has(Meaning::StopOrder(side));
        let (long, short) = (of(Side::Long) || buy, of(Side::Short) || sell);
        match (long, short) {
            (true, true) => Err(Doubt::BothSides),
            (true, false) => Ok(Side::Long),
            (false, true) => Ok(Side::Short),
            (false, false) => self.side_by_geometry(block),
        }
    }

    fn side_by_geometry(&self, block: &Block<'_, '_>) -> Result<Side, Doubt> {
        let labelled = block.has_levels(Opener::Label(Slot::Entry));
        let entry: Vec<Decimal> = self.entry.iter().map(|(price, _)| *price).collect();
        let targets: Vec<Decimal> = self.targets.iter().filter_map(|(price, _)| *price).collect();
        let [stop] = self.stop.as_slice() else { return Err(Doubt::NoSide) };
        let side = side_of(&entry, *stop, &targets).filter(|_| labelled).ok_or(Doubt::NoSide)?;
        let against = block.pieces.list.iter().any(|piece| {
            matches!(piece.what, What::Icon(icon) if side_of_icon(icon).is_some_and(|shown| shown != side))
        });
        if against { Err(Doubt::NoSide) } else { Ok(side) }
    }

    /// The entry, by how its prices are joined and by the words beside them.
    pub(super) fn entry(&self, side: Side, labelled: bool) -> Result<Entry, Doubt> {
        let has = |meaning: Meaning| self.levels.flags.has(meaning);
        if has(Meaning::Placeholder) && self.entry.is_empty() {
            return Err(Doubt::Unclear("the entry is kept back"));
        }
        let market = has(Meaning::Market);
        let direction = self.trigger(side);
        match self.entry.as_slice() {
            [] if direction.is_some() => Err(Doubt::Unclear("a trigger without a price")),
            [] => Ok(Entry::Market { reference: None, implied: !market }),
            [(value, _)] => {
                let price = price(*value)?;
                Ok(match direction {
                    Some(direction) => Entry::Trigger { direction, price },
                    None if market => Entry::Market { reference: Some(price), implied: false },
                    None => Entry::Limit { price },
                })
            }
            _ if direction.is_some() => Err(Doubt::Unclear("a trigger with several prices")),
            [(first, _), (second, item)] if item.joint == Joint::Range || has(Meaning::Zone) => {
                self.check_zone(side, *first, *second)?;
                zone(*first, *second, market)
            }
            [(first, _), (second, item)]
                if item.joint != Joint::List && self.may_be_stop(side, (*first, *second), labelled) =>
            {
                Err(Doubt::Unclear("no stop is named, and the second price may be it"))
            }
            _ => self.ladder(market),
        }
    }

    /// "Short SOL 142 150": without a stop and a label, a second price on the side of the loss may be it.
    fn may_be_stop(&self, side: Side, (first, second): (Decimal, Decimal), labelled: bool) -> bool {
        let against = if side == Side::Long { second < first } else { second > first };
        against && !labelled && self.levels.stop.is_empty()
    }

    /// "Short from 31.4 to 28.8": without a target, the far end of a wide zone may be one.
    fn check_zone(&self, side: Side, first: Decimal, second: Decimal) -> Result<(), Doubt> {
        let gain = if side == Side::Long { second - first } else { first - second };
        let from = self.levels.flags.has(Meaning::From);
        let wide = self.stop.iter().any(|stop| gain > (first - *stop).abs());
        if self.targets.is_empty() && gain > Decimal::ZERO && (from || wide) {
            return Err(Doubt::Unclear("no target is named, and the end of the entry may be one"));
        }
        Ok(())
    }

    /// "Long above" waits for a break; "long below" is an ordinary limit.
    fn trigger(&self, side: Side) -> Option<Break> {
        let has = |meaning: Meaning| self.levels.flags.has(meaning);
        let (above, below) = (has(Meaning::Above), has(Meaning::Below));
        let breakout = self.levels.breakout || has(Meaning::Break);
        match side {
            Side::Long => (above && !below || breakout).then_some(Break::Above),
            Side::Short => (below && !above || breakout).then_some(Break::Below),
        }
    }

    fn ladder(&self, market: bool) -> Result<Entry, Doubt> {
        let shares = self.entry.iter().map(|(_, item)| item.share).collect::<Vec<_>>();
        let all_shared = shares.iter().all(Option::is_some);
        let legs = self.entry.iter().map(|(value, item)| {
            let share = item.share.filter(|_| all_shared).map(|(number, _)| percent(number)).transpose()?;
            Ok(EntryLeg { price: price(*value)?, share })
        });
        Ok(Entry::Ladder { legs: legs.collect::<Result<_, Doubt>>()?, first_market: market })
    }

    /// The targets in the order of the text.
    pub(super) fn targets(&self) -> Result<Vec<Target>, Doubt> {
        let mut shares = self.target_shares()?.into_iter();
        let mut targets = Vec::with_capacity(self.targets.len());
        let (mut priced, mut distant) = (false, false);
        for (value, item) in &self.targets {
            let at = match item.level {
                Level::Price(_) => TargetLevel::Price(price(value.ok_or(Doubt::Unreadable)?)?),
                Level::Percent(number) => TargetLevel::Percent(percent(number)?),
                Level::Multiple(number) => TargetLevel::RMultiple(percent(number)?),
                Level::Runner => TargetLevel::Runner,
            };
            priced |= matches!(at, TargetLevel::Price(_));
            distant |= matches!(at, TargetLevel::Percent(_) | TargetLevel::RMultiple(_));
            targets.push(Target { at, share: shares.next().flatten() });
        }
        if priced && distant {
            return Err(Doubt::Unclear("targets in prices and in per cent stand side by side"));
        }
        Ok(targets)
    }

    /// The share of each target; nothing where none has one. Percentages in bare brackets are shares only if they make up the
    /// whole position. Returns grow from target to target; what neither grows nor fits into one position is a mistake.
    fn target_shares(&self) -> Result<Vec<Option<Percent>>, Doubt> {
        if self.targets.iter().all(|(_, item)| item.share.is_none()) {
            return Ok(Vec::new());
        }
        let shares = self
            .targets
            .iter()
            .map(|(_, item)| item.share.map(|(number, form)| Ok((percent(number)?, form))).transpose());
        let shares: Vec<Option<(Percent, ShareForm)>> = shares.collect::<Result<_, Doubt>>()?;
        let stated: Vec<Decimal> = shares.iter().flatten().map(|(share, _)| share.get()).collect();
        let sum: Decimal = stated.iter().sum();
        let whole = sum >= Decimal::from(99) && sum <= Decimal::from(101);
        if sum > Decimal::from(101) && stated.len() > 1 && !stated.is_sorted_by(|a, b| a < b) {
            return Err(Doubt::Unclear("the shares of the targets are more than the position"));
        }
        let kept = |(share, form): (Percent, ShareForm)| (form == ShareForm::Plain || whole).then_some(share);
        Ok(shares.into_iter().map(|share| share.and_then(kept)).collect())
    }

    /// The stop: one price, touched or on a candle's close.
    pub(super) fn stop(&self) -> Result<Option<Stop>, Doubt> {
        let mut percents = self.levels.stop.iter().filter_map(|item| match item.level {
            Level::Percent(number) => Some(number),
            _ => None,
        });
        let distance = percents.next();
        let several = percents.next().is_some() || self.stop.windows(2).any(|pair| pair[0] != pair[1]);
        match (self.stop.first(), distance) {
            (first, second) if several || first.is_some() && second.is_some() => {
                Err(Doubt::Unclear("several stops are named"))
            }
            (Some(value), _) => self.stop_at(price(*value)?).map(Some),
            (None, Some(number)) => Ok(Some(Stop::Percent { percent: percent(number)? })),
            (None, None) if self.levels.no_stop => Ok(Some(Stop::None)),
            (None, None) if self.levels.stop_on_close || self.levels.stop_candle.is_some() => {
                Err(Doubt::Unclear("a stop on a candle's close without a price"))
            }
            (None, None) => Ok(None),
        }
    }

    fn stop_at(&self, price: Price) -> Result<Stop, Doubt> {
        match (&self.levels.stop_candle, self.levels.stop_on_close) {
            (Some(timeframe), _) => Ok(Stop::OnClose { price, timeframe: timeframe.to_lowercase() }),
            (None, false) => Ok(Stop::Price { price }),
            (None, true) => Err(Doubt::Unclear("a stop on a candle's close without the candle's length")),
        }
    }
}

fn zone(first: Decimal, second: Decimal, market: bool) -> Result<Entry, Doubt> {
    if market {
        return Err(Doubt::Unclear("a zone and a market price in one entry"));
    }
    let (low, high) = (price(first.min(second))?, price(first.max(second))?);
    Ok(Entry::Zone { low, high })
}

fn price(value: Decimal) -> Result<Price, Doubt> {
    Price::new(value).map_err(|error| Doubt::Unsound(error.to_string()))
}

/// Percentages are never written with thousands: a comma is a decimal comma.
fn percent(number: Number<'_>) -> Result<Percent, Doubt> {
    number.text.replace(',', ".").parse().map_err(|_| Doubt::Unclear("a percentage cannot be read"))
}

/// The direction that stop, entry and targets agree on, when no word names it.
fn side_of(entry: &[Decimal], stop: Decimal, targets: &[Decimal]) -> Option<Side> {
    let beyond = |a: &Decimal, b: &Decimal| a < b;
    let all = |up: bool| {
        entry.iter().all(|price| if up { beyond(&stop, price) } else { beyond(price, &stop) })
            && targets.iter().all(|target| {
                entry.iter().all(|price| if up { beyond(price, target) } else { beyond(target, price) })
            })
    };
    match (entry.is_empty() || targets.is_empty(), all(true), all(false)) {
        (false, true, false) => Some(Side::Long),
        (false, false, true) => Some(Side::Short),
        _ => None,
    }
}

/// The direction that an icon hints at. It never decides, but it may raise doubt.
fn side_of_icon(icon: char) -> Option<Side> {
    match icon {
        '🟢' | '🟩' | '📈' | '🔼' | '⬆' => Some(Side::Long),
        '🔴' | '🟥' | '📉' | '🔻' | '🔽' | '⬇' => Some(Side::Short),
        _ => None,
    }
}
