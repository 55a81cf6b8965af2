//! Levels: which values of a block are entry, targets and stop, and what they are under one way to read the numbers.
//!
//! Entry points: [`Levels::new`] sorts the fields once, [`Levels::read`] reads their numbers in one [`Way`].
//! Invariants: a level is taken from a label or from its place behind the side or the symbol, never from its value.

use rust_decimal::Decimal;

use super::fields::{Field, Opener};
use super::numbers::{Way, may_join};
use super::pieces::{Piece, What};
use super::signals::{Block, side_of};
use super::tokens::{Number, Unit};
use super::values::{Item, Joint, Level, ShareForm, Values};
use super::words::{Meaning, Slot};
use crate::money::{Percent, Price};
use crate::signal::{Break, Entry, EntryLeg, Side, Stop, Target, TargetLevel};

/// Why something that looks like a signal is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// No symbol was found.
    #[error("no symbol is named")]
    NoSymbol,
    /// Several symbols stand in one block.
    #[error("several symbols are named, and it is not clear which levels belong to which")]
    SeveralSymbols,
    /// Shares, currencies, metals.
    #[error("not a crypto market")]
    NotCrypto,
    /// No side, and the levels do not show it.
    #[error("no side is named")]
    NoSide,
    /// Both sides.
    #[error("both sides are named")]
    BothSides,
    /// The numbers make sense in two ways.
    #[error("the numbers can be read in two ways")]
    TwoReadings,
    /// The numbers make no sense.
    #[error("a number cannot be read")]
    Unreadable,
    /// Neither stop nor targets.
    #[error("only an entry: neither a stop nor a target is named")]
    BareEntry,
    /// The fields contradict each other.
    #[error("{0}")]
    Unsound(String),
    /// A field cannot be read.
    #[error("{0}")]
    Unclear(&'static str),
}

/// The values of a block, sorted by what they are.
#[derive(Debug)]
pub(super) struct Levels<'t> {
    entry: Vec<Item<'t>>,
    targets: Vec<Item<'t>>,
    stop: Vec<Item<'t>>,
    loose: Vec<Number<'t>>,
    flags: Vec<Meaning>,
    stop_candle: Option<String>,
    stop_on_close: bool,
    no_stop: bool,
    sells_are_targets: bool,
    breakout: bool,
}

/// Levels under one way to read the numbers.
#[derive(Debug)]
pub(super) struct Priced<'l, 't> {
    levels: &'l Levels<'t>,
    entry: Vec<(Decimal, Item<'t>)>,
    targets: Vec<(Option<Decimal>, Item<'t>)>,
    stop: Vec<Decimal>,
    /// Numbers that belong to no label.
    pub(super) loose: Vec<Decimal>,
}

/// The most entries, targets or loose numbers of one signal: cards stop at twelve.
const MAX_ITEMS: usize = 40;

impl<'t> Levels<'t> {
    /// Sorts the fields of a block.
    pub(super) fn new(block: &Block<'_, 't>) -> Result<Self, Doubt> {
        check_clear(block)?;
        let entry_label = Opener::Label(Slot::Entry);
        let buys_and_sells = block.has_levels(Opener::Buy) && block.has_levels(Opener::Sell);
        let long = block.pieces.list.iter().any(|piece| piece.what.is(Meaning::Side(Side::Long)));
        let sells_are_targets = buys_and_sells || long && block.has_levels(Opener::Sell);
        let mut entry_openers = vec![entry_label, Opener::StopOrder, Opener::Market, Opener::Buy];
        if !sells_are_targets {
            entry_openers.push(Opener::Sell);
        }
        let mut target_openers = vec![Opener::Label(Slot::Target), Opener::Close];
        if sells_are_targets {
            target_openers.push(Opener::Sell);
        }
        let stated = entry_openers.iter().any(|opener| block.has_levels(*opener));
        if !stated {
            entry_openers.push(Opener::Header);
        }
        if block.has_levels(entry_label) && block.has_levels(Opener::Market) {
            return Err(Doubt::Unclear("a market price stands beside an entry"));
        }
        let stop_openers = [Opener::Label(Slot::Stop)];
        let chosen: Vec<Opener> =
            entry_openers.iter().chain(&target_openers).chain(&stop_openers).copied().collect();
        let stops = || block.with(stop_openers[0]).map(|(_, values)| values);
        let levels = Self {
            entry: items(block, &entry_openers),
            targets: items(block, &target_openers),
            stop: items(block, &stop_openers),
            loose: loose(block, &chosen),
            flags: flags(block, &entry_openers),
            stop_candle: stops().find_map(|values| values.candle.clone()),
            stop_on_close: stops()
                .any(|v| v.has(Meaning::Close) || v.has(Meaning::CandleWord) || v.has(Meaning::Closed)),
            no_stop: stops().any(|values| values.has(Meaning::NoStop)),
            sells_are_targets,
            breakout: is_breakout(block),
        };
        levels.check_size()?;
        Ok(levels)
    }

    fn check_size(&self) -> Result<(), Doubt> {
        let most = [&self.entry, &self.targets, &self.stop].into_iter().map(Vec::len).max();
        if most.unwrap_or(0) > MAX_ITEMS || self.loose.len() > MAX_ITEMS {
            return Err(Doubt::Unclear("more numbers than any signal has"));
        }
        Ok(())
    }

    /// The numbers of all levels as written, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &'t str> {
        let of = |item: &Item<'t>| match item.level {
            Level::Price(number) => Some(number.text),
            _ => None,
        };
        self.entry.iter().chain(&self.targets).chain(&self.stop).filter_map(of)
    }

    /// Reads all numbers in one way.
    pub(super) fn read(&self, way: Way) -> Result<Priced<'_, 't>, Doubt> {
        let mut entry: Vec<_> =
            prices(&self.entry, way)?.into_iter().filter_map(|(price, item)| Some((price?, item))).collect();
        complete_range(&mut entry);
        let stop = prices(&self.stop, way)?.into_iter().filter_map(|(price, _)| price).collect();
        let loose = self.loose.iter().flat_map(|number| scaled(*number, way)).collect();
        Ok(Priced { levels: self, entry, targets: prices(&self.targets, way)?, stop, loose })
    }
}

/// What a loose number may mean: all that counts is whether it could be a level.
fn scaled(number: Number<'_>, way: Way) -> Vec<Decimal> {
    let scale = if number.unit == Unit::Kilo { Decimal::ONE_THOUSAND } else { Decimal::ONE };
    let values = way.values(number.text).unwrap_or_default();
    values.into_iter().filter_map(|value| value.checked_mul(scale)).collect()
}

/// A card of the kind "breakout" enters on a trigger.
fn is_breakout(block: &Block<'_, '_>) -> bool {
    let kinds = block.with(Opener::Label(Slot::Kind)).map(|(field, _)| field.range.clone());
    kinds.flat_map(|range| &block.pieces.list[range]).any(|piece| piece.what.is(Meaning::Break))
        || block.with(Opener::StopOrder).next().is_some()
}

fn check_clear(block: &Block<'_, '_>) -> Result<(), Doubt> {
    let levelled = |opener: Opener| {
        !matches!(
            opener,
            Opener::Loose | Opener::Label(Slot::Decoy | Slot::Appendix | Slot::Risk | Slot::Size)
        )
    };
    for (_, values) in block.fields.iter().filter(|(field, _)| levelled(field.opener)) {
        if let Some(why) = values.unclear {
            return Err(Doubt::Unclear(why));
        }
    }
    let stop_without_value = block
        .with(Opener::Label(Slot::Stop))
        .any(|(_, values)| values.items.is_empty() && !values.loose.is_empty());
    if stop_without_value {
        return Err(Doubt::Unclear("the stop cannot be read"));
    }
    check_list_numbers(block)
}

/// A list number that only its place tells from a price must be the next one of its list. A lone one must be far from
/// the price beside it: `Target 1 - 2` can be two targets.
fn check_list_numbers(block: &Block<'_, '_>) -> Result<(), Doubt> {
    for slot in [Slot::Entry, Slot::Target, Slot::Stop] {
        let filled = block.with(Opener::Label(slot)).filter(|(_, values)| !values.items.is_empty());
        let places: Vec<(usize, &Values<'_>)> = filled.map(|(_, values)| values).enumerate().collect();
        let weak = places.iter().filter_map(|(place, values)| Some((*place, values.weak_index?, *values)));
        for (place, number, values) in weak {
            let lone = places.len() == 1 && values.items.iter().any(|item| is_near(number, item));
            if usize::from(number) != place + 1 || lone {
                return Err(Doubt::Unclear("a list number may be a price"));
            }
        }
    }
    Ok(())
}

/// How many times a price may be a list number and still be mistaken for it.
const NEAR_FACTOR: u32 = 3;

fn is_near(number: u8, item: &Item<'_>) -> bool {
    let Level::Price(price) = item.level else { return false };
    let price: Option<Decimal> = price.text.parse().ok();
    let (number, factor) = (Decimal::from(number), Decimal::from(NEAR_FACTOR));
    price.is_none_or(|price| price <= number * factor && price * factor >= number)
}

fn items<'t>(block: &Block<'_, 't>, openers: &[Opener]) -> Vec<Item<'t>> {
    let mut items: Vec<Item<'t>> = Vec::new();
    for (_, values) in block.fields.iter().filter(|(field, _)| openers.contains(&field.opener)) {
        let start = items.len();
        items.extend(values.items.iter().copied());
        if start > 0
            && let Some(first) = items.get_mut(start)
        {
            first.joint = Joint::Line;
        }
    }
    items
}

fn flags(block: &Block<'_, '_>, openers: &[Opener]) -> Vec<Meaning> {
    let entry = block.fields.iter().filter(|(field, values)| {
        let stray = field.opener == Opener::Market && !is_beside_side(block, field, values);
        openers.contains(&field.opener) && !stray || field.opener == Opener::Header
    });
    entry.flat_map(|(_, values)| values.flags.iter().copied()).collect()
}

/// "Market" is the entry before a price or in a line with the side or the symbol; elsewhere it is only talked about.
fn is_beside_side(block: &Block<'_, '_>, field: &Field, values: &Values<'_>) -> bool {
    let list = &block.pieces.list;
    let Some(line) = list.get(field.range.start).map(|piece| piece.line) else { return false };
    let header = |piece: &Piece<'_>| {
        matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _) | What::Ticker(_))
    };
    let before = list[..field.range.start].iter().rev().take_while(|piece| piece.line == line);
    let after = list[field.range.start..].iter().take_while(|piece| piece.line == line);
    !values.items.is_empty() || before.chain(after).take(MAX_HEADER_PIECES).any(header)
}

/// How many pieces of a line are searched for the side: the header is short.
const MAX_HEADER_PIECES: usize = 24;

/// Numbers without a label: between fields, behind unexplained words, beside the side when the entry has a label.
fn loose<'t>(block: &Block<'_, 't>, chosen: &[Opener]) -> Vec<Number<'t>> {
    let mut loose = Vec::new();
    for (field, values) in &block.fields {
        let explained = matches!(
            field.opener,
            Opener::Label(
                Slot::Decoy
                    | Slot::Appendix
                    | Slot::Leverage
                    | Slot::Risk
                    | Slot::Size
                    | Slot::Timeframe
                    | Slot::Expiry
                    | Slot::Confidence
            )
        );
        if explained {
            continue;
        }
        loose.extend(values.loose.iter().copied());
        if !chosen.contains(&field.opener) {
            loose.extend(values.items.iter().filter_map(|item| match item.level {
                Level::Price(number) => Some(number),
                _ => None,
            }));
        }
    }
    loose
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
    let thousand = Decimal::ONE_THOUSAND;
    let has_k = |item: &Item<'_>| matches!(item.level, Level::Price(number) if number.unit == Unit::Kilo);
    let any = read.iter().any(|(_, item)| has_k(item));
    for (price, item) in read.iter_mut() {
        if let Some(value) = price
            && (has_k(item) || any && *value < thousand)
        {
            *value = value.checked_mul(thousand).ok_or(Doubt::Unreadable)?;
        }
    }
    Ok(())
}

impl Priced<'_, '_> {
    /// The direction: by its word, else by the geometry of a full set of levels.
    pub(super) fn side(&self, block: &Block<'_, '_>) -> Result<Side, Doubt> {
        let has = |meaning: Meaning| block.pieces.list.iter().any(|piece| piece.what.is(meaning));
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
        side_of(&entry, *stop, &targets).filter(|_| labelled).ok_or(Doubt::NoSide)
    }

    /// The entry, by how its prices are joined and by the words beside them.
    pub(super) fn entry(&self, side: Side) -> Result<Entry, Doubt> {
        let has = |meaning: Meaning| self.levels.flags.contains(&meaning);
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
                zone(*first, *second, market)
            }
            _ => self.ladder(market),
        }
    }

    /// "Long above" waits for a break; "long below" is an ordinary limit.
    fn trigger(&self, side: Side) -> Option<Break> {
        let has = |meaning: Meaning| self.levels.flags.contains(&meaning);
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
        let shares = self.target_shares()?;
        let mut targets = Vec::with_capacity(self.targets.len());
        for ((value, item), share) in self.targets.iter().zip(shares) {
            let at = match item.level {
                Level::Price(_) => TargetLevel::Price(price(value.ok_or(Doubt::Unreadable)?)?),
                Level::Percent(number) => TargetLevel::Percent(percent(number)?),
                Level::Multiple(number) => TargetLevel::RMultiple(percent(number)?),
                Level::Runner => TargetLevel::Runner,
            };
            targets.push(Target { at, share });
        }
        let prices = targets.iter().filter(|target| matches!(target.at, TargetLevel::Price(_))).count();
        let others =
            targets.iter().filter(|t| matches!(t.at, TargetLevel::Percent(_) | TargetLevel::RMultiple(_)));
        if prices > 0 && others.count() > 0 {
            return Err(Doubt::Unclear("targets in prices and in per cent stand side by side"));
        }
        Ok(targets)
    }

    /// Percentages in bare brackets are shares only if they make up the whole position; else they are returns.
    fn target_shares(&self) -> Result<Vec<Option<Percent>>, Doubt> {
        let shares = self
            .targets
            .iter()
            .map(|(_, item)| item.share.map(|(number, form)| Ok((percent(number)?, form))).transpose());
        let shares: Vec<Option<(Percent, ShareForm)>> = shares.collect::<Result<_, Doubt>>()?;
        let sum: Decimal = shares.iter().flatten().map(|(share, _)| share.get()).sum();
        let whole = sum >= Decimal::from(99) && sum <= Decimal::from(101);
        let kept = |(share, form): (Percent, ShareForm)| (form == ShareForm::Plain || whole).then_some(share);
        Ok(shares.into_iter().map(|share| share.and_then(kept)).collect())
    }

    /// The stop: one price, touched or on a candle's close.
    pub(super) fn stop(&self) -> Result<Option<Stop>, Doubt> {
        let percents: Vec<Number<'_>> = self
            .levels
            .stop
            .iter()
            .filter_map(|item| match item.level {
                Level::Percent(number) => Some(number),
                _ => None,
            })
            .collect();
        let mut prices = self.stop.clone();
        prices.dedup();
        match (prices.as_slice(), percents.as_slice()) {
            ([], []) if self.levels.no_stop => Ok(Some(Stop::None)),
            ([], []) => Ok(None),
            ([], [number]) => Ok(Some(Stop::Percent { percent: percent(*number)? })),
            ([value], []) => self.stop_at(price(*value)?).map(Some),
            _ => Err(Doubt::Unclear("several stops are named")),
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
