//! Prices: the levels of a block under one way to read its numbers.
//!
//! Entry point: [`Priced::new`]. Invariants: exact decimals; `k` and shortened second prices are completed within their
//! own slot only; a number that cannot be read in this way refuses the way.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use super::levels::{Levels, Scale};
use super::numbers::{Way, may_join};
use super::tokens::{Number, Unit};
use super::values::{Item, Joint, Level};
use crate::signal::Side;

/// A hundred-millionth.
const SATOSHI: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// Levels under one way to read the numbers.
#[derive(Debug)]
pub(super) struct Priced<'l, 't> {
    /// The levels as written.
    pub(super) levels: &'l Levels<'t>,
    /// Entries with their prices.
    pub(super) entry: Vec<(Decimal, Item<'t>)>,
    /// Targets; those without a price are distances or runners.
    pub(super) targets: Vec<(Option<Decimal>, Item<'t>)>,
    /// Prices of stops.
    pub(super) stop: Vec<Decimal>,
    /// Prices of exits, of which the entry tells what they are.
    exits: Read<'t>,
    /// Numbers that belong to no label.
    pub(super) loose: Vec<Decimal>,
}

impl<'l, 't> Priced<'l, 't> {
    /// Reads all numbers of the levels in one way.
    pub(super) fn new(levels: &'l Levels<'t>, way: Way) -> Result<Self, Doubt> {
        let entry = prices(&levels.entry, way)?.into_iter();
        let mut entry: Vec<_> = entry.filter_map(|(price, item)| Some((price?, item))).collect();
        complete_range(&mut entry);
        let targets = prices(&levels.targets, way)?;
        let stop = prices(&levels.stop, way)?.into_iter().filter_map(|(price, _)| price).collect();
        let loose = levels.loose.iter().flat_map(|number| scaled(*number, way)).collect();
        let exits = prices(&levels.exits, way)?;
        let mut priced = Self { levels, entry, targets, stop, exits, loose };
        match levels.scale {
            Scale::Plain => {}
            Scale::Satoshi => priced.convert_satoshi()?,
            Scale::Thousands => priced.expand_thousands()?,
        }
        Ok(priced)
    }

    /// Every price of the levels.
    fn all_prices(&mut self) -> impl Iterator<Item = &mut Decimal> {
        let entry = self.entry.iter_mut().map(|(price, _)| price);
        let targets = self.targets.iter_mut().chain(&mut self.exits).filter_map(|(price, _)| price.as_mut());
        entry.chain(targets).chain(&mut self.stop)
    }

    /// `64.2` means 64200; what is above a thousand is written in full.
    fn expand_thousands(&mut self) -> Result<(), Doubt> {
        for price in self.all_prices().filter(|price| **price < Decimal::ONE_THOUSAND) {
            *price = price.checked_mul(Decimal::ONE_THOUSAND).ok_or(Doubt::Unreadable)?;
        }
        let loose = self.loose.clone();
        self.loose.extend(loose.into_iter().filter_map(|number| number.checked_mul(Decimal::ONE_THOUSAND)));
        Ok(())
    }

    /// From hundred-millionths of a bitcoin to bitcoins. A price below one is in bitcoins already: then nobody can tell.
    fn convert_satoshi(&mut self) -> Result<(), Doubt> {
        for price in self.all_prices() {
            if *price < Decimal::ONE {
                return Err(Doubt::Unclear("prices in satoshi and in bitcoin stand side by side"));
            }
            *price = price.checked_mul(SATOSHI).ok_or(Doubt::Unreadable)?;
        }
        for number in &mut self.loose {
            *number = number.checked_mul(SATOSHI).ok_or(Doubt::Unreadable)?;
        }
        Ok(())
    }

    /// Sorts the exits: those on the losing side of the entry are stops, the others are targets.
    pub(super) fn settle_exits(&mut self, side: Side) -> Result<(), Doubt> {
        for (price, item) in std::mem::take(&mut self.exits) {
            let Some(value) = price else { return Err(Doubt::Unclear("an exit without a price")) };
            let below = self.entry.iter().filter(|(entry, _)| value < *entry).count();
            let above = self.entry.iter().filter(|(entry, _)| value > *entry).count();
            let (losing, winning) = if side == Side::Long { (below, above) } else { (above, below) };
            match (losing, winning) {
                (1.., 0) => self.stop.push(value),
                (0, 1..) => self.targets.push((price, item)),
                _ => return Err(Doubt::Unclear("an exit that may be the stop or a target")),
            }
        }
        Ok(())
    }
}

/// What a loose number may mean: all that counts is whether it could be a level.
fn scaled(number: Number<'_>, way: Way) -> Vec<Decimal> {
    let values = way.values(number.text).unwrap_or_default();
    values.into_iter().filter_map(|value| value.checked_mul(number.unit.scale())).collect()
}

/// `3120-60` means 3120 to 3160: the short side takes its missing digits from the long one.
fn complete_range(entry: &mut [(Decimal, Item<'_>)]) {
    let [(first, head), (second, tail)] = entry else { return };
    let (Level::Price(head), Level::Price(short)) = (head.level, tail.level) else { return };
    let whole =
        |number: Number<'_>| number.unit == Unit::None && number.text.bytes().all(|b| b.is_ascii_digit());
    if tail.joint != Joint::Range || !whole(head) || !whole(short) || short.text.len() >= head.text.len() {
        return;
    }
    let scale = Decimal::from(10_u64.pow(u32::try_from(short.text.len().min(9)).unwrap_or(0)));
    *second = *first - *first % scale + *second;
}

type Read<'t> = Vec<(Option<Decimal>, Item<'t>)>;

/// The prices of one slot in one way. A `k` written once holds for the smaller numbers beside it.
fn prices<'t>(items: &[Item<'t>], way: Way) -> Result<Read<'t>, Doubt> {
    let mut read: Read<'t> = Vec::with_capacity(items.len());
    let mut at = 0;
    while at < items.len() {
        let item = items[at];
        let Level::Price(number) = item.level else {
            read.push((None, item));
            at += 1;
            continue;
        };
        let joined = items.get(at + 1).and_then(|next| joined(number, next)).filter(|_| way.spaced_thousands);
        match joined {
            Some((text, unit)) => {
                let share = items[at + 1].share;
                let values = way.values(&text).ok_or(Doubt::Unreadable)?;
                let number = Number { unit, ..number };
                read.extend(
                    values
                        .into_iter()
                        .map(|value| (Some(value), Item { share, level: Level::Price(number), ..item })),
                );
                at += 2;
            }
            None => {
                for (nth, value) in way.values(number.text).ok_or(Doubt::Unreadable)?.into_iter().enumerate()
                {
                    let joint = if nth > 0 { Joint::List } else { item.joint };
                    read.push((Some(value), Item { joint, ..item }));
                }
                at += 1;
            }
        }
    }
    in_thousands(&mut read)?;
    Ok(read)
}

fn joined(head: Number<'_>, next: &Item<'_>) -> Option<(String, Unit)> {
    let Level::Price(tail) = next.level else { return None };
    let fits = next.joint == Joint::Space && head.unit == Unit::None && may_join(head.text, tail.text);
    fits.then(|| (format!("{}{}", head.text, tail.text), tail.unit))
}

/// Applies `k`: to the numbers that carry it, and in the same slot to those that would otherwise be far too small.
fn in_thousands(read: &mut Read<'_>) -> Result<(), Doubt> {
    let unit = |item: &Item<'_>| match item.level {
        Level::Price(number) => number.unit,
        _ => Unit::None,
    };
    let any = read.iter().map(|(_, item)| unit(item).scale()).max().unwrap_or(Decimal::ONE);
    for (price, item) in read.iter_mut() {
        let Some(value) = price else { continue };
        let own = unit(item).scale();
        let scale = if own == Decimal::ONE && *value < any { any } else { own };
        *value = value.checked_mul(scale).ok_or(Doubt::Unreadable)?;
    }
    Ok(())
}
