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
    exits: Vec<(Option<Decimal>, Item<'t>)>,
    /// Numbers that belong to no label.
    pub(super) loose: Vec<Decimal>,
}

impl<'l, 't> Priced<'l, 't> {
    /// Reads all numbers of the levels in one way.
    pub(super) fn new(levels: &'l Levels<'t>, way: Way) -> Result<Self, Doubt> {
        let mut entry = Vec::with_capacity(levels.entry.len());
        read(&levels.entry, way, |price, item| entry.extend(price.map(|price| (price, item))))?;
        complete_range(&mut entry);
        let mut targets = Vec::with_capacity(levels.targets.len());
        read(&levels.targets, way, |price, item| targets.push((price, item)))?;
        let mut stop = Vec::with_capacity(levels.stop.len());
        read(&levels.stop, way, |price, _| stop.extend(price))?;
        let loose = levels.loose.iter().flat_map(|number| scaled(*number, way)).collect();
        let mut exits = Vec::with_capacity(levels.exits.len());
        read(&levels.exits, way, |price, item| exits.push((price, item)))?;
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
fn scaled(number: Number<'_>, way: Way) -> impl Iterator<Item = Decimal> {
    let one = way.value(number.text);
    let several = if one.is_none() { way.list(number.text).unwrap_or_default() } else { Vec::new() };
    one.into_iter().chain(several).filter_map(move |value| value.checked_mul(number.unit.scale()))
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

/// Reads the prices of one slot in one way, and gives each level with its price to `take`. A `k` written once holds for
/// the smaller numbers beside it.
fn read<'t>(
    items: &[Item<'t>],
    way: Way,
    mut take: impl FnMut(Option<Decimal>, Item<'t>),
) -> Result<(), Doubt> {
    let scaled = |item: &&Item<'_>| unit(item) != Unit::None;
    let most = items.iter().filter(scaled).map(|item| unit(item).scale()).max();
    let mut rest = items;
    while let [item, behind @ ..] = rest {
        rest = behind;
        let mut item = *item;
        let Level::Price(number) = item.level else {
            take(None, item);
            continue;
        };
        let next = if way.spaced_thousands { behind.first() } else { None };
        let joined = next.and_then(|next| Some((next, joined(number, next)?)));
        if let Some((next, (_, unit))) = joined {
            rest = &behind[1..];
            item = Item { share: next.share, level: Level::Price(Number { unit, ..number }), ..item };
        }
        let text = joined.as_ref().map_or(number.text, |(_, (text, _))| text);
        let unit = unit(&item);
        if let Some(value) = way.value(text) {
            take(Some(in_thousands(value, unit, most)?), item);
            continue;
        }
        for value in way.list(text).ok_or(Doubt::Unreadable)? {
            take(Some(in_thousands(value, unit, most)?), item);
            item.joint = if joined.is_some() { item.joint } else { Joint::List };
        }
    }
    Ok(())
}

fn unit(item: &Item<'_>) -> Unit {
    match item.level {
        Level::Price(number) => number.unit,
        _ => Unit::None,
    }
}

fn joined(head: Number<'_>, next: &Item<'_>) -> Option<(String, Unit)> {
    let Level::Price(tail) = next.level else { return None };
    let fits = next.joint == Joint::Space && head.unit == Unit::None && may_join(head.text, tail.text);
    fits.then(|| (format!("{}{}", head.text, tail.text), tail.unit))
}

/// Applies `k`: to a number that carries it, and to one that would otherwise be far too small beside `most`.
fn in_thousands(value: Decimal, unit: Unit, most: Option<Decimal>) -> Result<Decimal, Doubt> {
    let scale = match (unit, most) {
        (Unit::None, None) if !value.is_zero() => return Ok(value),
        (Unit::None, Some(most)) if value < most => most,
        _ => unit.scale(),
    };
    value.checked_mul(scale).ok_or(Doubt::Unreadable)
}
