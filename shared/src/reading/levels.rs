//! Levels: which values of a block are entry, targets and stop, still as written.
//!
//! Entry point: [`Levels::new`].
//! Invariants: a level is taken from a label or from its place behind the side or the symbol, never from its value; a
//! list number that might be a price is a reason for doubt.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use super::fields::{Field, Opener};
use super::openers::Openers;
use super::pieces::{Piece, Pieces, What};
use super::signals::Block;
use super::tokens::{Number, Unit};
use super::values::{Flags, Item, Joint, Level, Values};
use super::words::{Meaning, Slot};
use crate::signal::Side;

/// The values of a block, sorted by what they are.
#[derive(Debug)]
pub(super) struct Levels<'t> {
    /// Entries.
    pub(super) entry: Vec<Item<'t>>,
    /// Targets.
    pub(super) targets: Vec<Item<'t>>,
    /// Stops.
    pub(super) stop: Vec<Item<'t>>,
    /// Numbers that belong to no label.
    pub(super) loose: Vec<Number<'t>>,
    /// Phrases beside the entry.
    pub(super) flags: Flags,
    /// The candle that the stop waits for.
    pub(super) stop_candle: Option<String>,
    /// True when the stop waits for a close.
    pub(super) stop_on_close: bool,
    /// True when there is expressly no stop.
    pub(super) no_stop: bool,
    /// True when "sell" names the targets.
    pub(super) sells_are_targets: bool,
    /// How the prices are scaled.
    pub(super) scale: Scale,
    /// What one gets out at, of which only the price tells whether it is a target or the stop.
    pub(super) exits: Vec<Item<'t>>,
    /// True for a card of the kind breakout.
    pub(super) breakout: bool,
}

/// How the prices of a block are scaled as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// As written.
    Plain,
    /// In hundred-millionths of a bitcoin: the unit is written.
    Satoshi,
    /// Those below a thousand in thousands, as the channel is used to, or as a `k` elsewhere in the post says.
    Thousands,
}

impl Scale {
    fn of(block: &Block<'_, '_>) -> Self {
        let satoshi = block.pieces.has(Meaning::Satoshi);
        if satoshi { Self::Satoshi } else { Self::Plain }
    }
}

/// What the openers of a block mean for each other: after a buy, "sell" names the targets.
pub(super) struct Roles {
    /// Those whose values are entries.
    pub(super) entry: Openers,
    /// Those whose values are targets.
    pub(super) targets: Openers,
    /// True when "sell" names the targets.
    sells_are_targets: bool,
}

impl Roles {
    /// The roles in a block.
    pub(super) fn of(block: &Block<'_, '_>) -> Self {
        let buys_and_sells = block.has_levels(Opener::Buy) && block.has_levels(Opener::Sell);
        let long = block.pieces.has(Meaning::Side(Side::Long));
        let sells_are_targets = buys_and_sells || long && block.has_levels(Opener::Sell);
        let entry = [Opener::Label(Slot::Entry), Opener::StopOrder, Opener::Market, Opener::Buy];
        let (mut entry, mut targets) =
            (Openers::of(entry), Openers::of([Opener::Label(Slot::Target), Opener::Close]));
        let sells = if sells_are_targets { &mut targets } else { &mut entry };
        *sells = sells.and(Opener::Sell);
        if !block.levelled.meets(entry) {
            entry = entry.and(Opener::Header);
        }
        Self { entry, targets, sells_are_targets }
    }

    /// How many of entry, targets and stop hold a level, under whatever words.
    pub(super) fn filled(&self, block: &Block<'_, '_>) -> usize {
        let kinds = [self.entry, self.targets, Openers::of([Opener::Label(Slot::Stop)])];
        kinds.into_iter().filter(|openers| block.levelled.meets(*openers)).count()
    }
}

/// The most entries, targets or loose numbers of one signal: cards stop at twelve.
const MAX_ITEMS: usize = 40;

impl<'t> Levels<'t> {
    /// Sorts the fields of a block.
    pub(super) fn new(block: &Block<'_, 't>) -> Result<Self, Doubt> {
        check_clear(block)?;
        let roles = Roles::of(block);
        check_entry(block, roles.entry)?;
        let mut levels = Self {
            entry: Vec::new(),
            targets: Vec::new(),
            stop: Vec::new(),
            loose: Vec::new(),
            flags: Flags::default(),
            stop_candle: None,
            stop_on_close: false,
            no_stop: false,
            sells_are_targets: roles.sells_are_targets,
            scale: Scale::of(block),
            exits: Vec::new(),
            breakout: is_breakout(block),
        };
        let has_entry = block.levelled.meets(roles.entry);
        for (field, values) in &block.fields {
            let own = Openers::of([field.opener]);
            let is_entry = own.meets(roles.entry);
            if let Some(items) = levels.of(field.opener, &roles) {
                append(items, &values.items);
                levels.loose.extend_from_slice(&values.loose);
            } else if !is_explained(field.opener, has_entry) {
                levels.loose.extend_from_slice(&values.loose);
                levels.loose.extend(values.items.iter().filter_map(price_of));
            }
            if field.opener == Opener::Header || is_entry && !is_stray_market(block, field, values) {
                levels.flags = levels.flags.or(values.flags);
            }
            if field.opener == Opener::Label(Slot::Stop) {
                levels.take_manner(values);
            }
        }
        check_read(block, &levels)?;
        levels.targets = without_second_list(levels.targets);
        levels.check_size()?;
        levels.move_multiples();
        Ok(levels)
    }

    /// The list that the values behind an opener belong to.
    fn of(&mut self, opener: Opener, roles: &Roles) -> Option<&mut Vec<Item<'t>>> {
        let own = Openers::of([opener]);
        match opener {
            _ if own.meets(roles.entry) => Some(&mut self.entry),
            _ if own.meets(roles.targets) => Some(&mut self.targets),
            Opener::Label(Slot::Stop) => Some(&mut self.stop),
            Opener::Exit => Some(&mut self.exits),
            _ => None,
        }
    }

    /// How the stop works, by the words beside it.
    fn take_manner(&mut self, values: &Values<'_>) {
        if self.stop_candle.is_none() {
            self.stop_candle.clone_from(&values.candle);
        }
        self.stop_on_close |=
            [Meaning::Close, Meaning::CandleWord, Meaning::Closed].into_iter().any(|word| values.has(word));
        self.no_stop |= values.has(Meaning::NoStop);
    }

    /// "Stop 1.741, 1.5R and 3R": behind the stop's price, multiples of the risk are targets.
    fn move_multiples(&mut self) {
        let multiple = |item: &Item<'_>| matches!(item.level, Level::Multiple(_));
        let first = self.stop.iter().position(multiple).filter(|at| *at > 0);
        if let Some(at) = first.filter(|_| self.targets.is_empty()) {
            self.targets = self.stop.split_off(at);
        }
    }

    fn check_size(&self) -> Result<(), Doubt> {
        let most = [&self.entry, &self.targets, &self.stop].into_iter().map(Vec::len).max();
        if most.unwrap_or(0) > MAX_ITEMS || self.loose.len() > MAX_ITEMS {
            return Err(Doubt::Unclear("more numbers than any signal has"));
        }
        Ok(())
    }

    /// True when one of the levels is written with a `k`.
    pub(super) fn has_kilo(&self) -> bool {
        let kilo = |item: &Item<'_>| matches!(item.level, Level::Price(number) if number.unit == Unit::Kilo);
        self.entry.iter().chain(&self.targets).chain(&self.stop).chain(&self.exits).any(kilo)
    }

    /// The numbers of all levels as written, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &'t str> {
        let items = self.entry.iter().chain(&self.targets).chain(&self.stop).chain(&self.exits);
        items.filter_map(price_of).map(|number| number.text)
    }
}

/// A card of the kind "breakout" enters on a trigger; some bots name the kind beside the side.
fn is_breakout(block: &Block<'_, '_>) -> bool {
    let ordered = block.with(Opener::StopOrder).next().is_some();
    if ordered || !block.pieces.has(Meaning::Break) {
        return ordered;
    }
    let kinds = [Slot::Kind, Slot::Side].map(Opener::Label);
    let kinds = block.fields.iter().filter(|(field, _)| kinds.contains(&field.opener));
    let kinds = kinds.map(|(field, _)| field.range.clone());
    kinds.flat_map(|range| &block.pieces.list[range]).any(|piece| piece.what.is(Meaning::Break))
}

/// Refuses what stands beside an entry and makes it unclear.
fn check_entry(block: &Block<'_, '_>, openers: Openers) -> Result<(), Doubt> {
    if block.has_levels(Opener::Label(Slot::Entry)) && block.has_levels(Opener::Market) {
        return Err(Doubt::Unclear("a market price stands beside an entry"));
    }
    if block.of(openers).any(|values| values.has(Meaning::OfProfit)) {
        return Err(Doubt::Unclear("a share of the profit stands in the entry"));
    }
    let bounded = |values: &Values<'_>| values.items.len() > 1 && values.has(Meaning::UpTo);
    if block.of(openers).any(bounded) {
        return Err(Doubt::Unclear("the most to pay stands beside the entry"));
    }
    let headers = || block.with(Opener::Header).filter(|(_, values)| !values.items.is_empty()).count();
    if openers.has(Opener::Header) && headers() > 1 {
        return Err(Doubt::Unclear("prices stand beside the symbol and beside the side"));
    }
    Ok(())
}

fn check_clear(block: &Block<'_, '_>) -> Result<(), Doubt> {
    let levelled = |opener: Opener| {
        !matches!(
            opener,
            Opener::Loose
                | Opener::Label(
                    Slot::Decoy | Slot::Outcome | Slot::Appendix | Slot::Reference | Slot::Risk | Slot::Size
                )
        )
    };
    for (field, values) in &block.fields {
        if let Some(why) = values.unclear.filter(|_| levelled(field.opener)) {
            return Err(Doubt::Unclear(why));
        }
        if values.has(Meaning::Currency) && levelled(field.opener) && !is_quoted(block.pieces) {
            return Err(Doubt::Unclear("prices in cents or in another currency than dollars"));
        }
    }
    check_list_numbers(block)
}

/// Refuses a label whose level is written but cannot be read, rather than to drop it: where no other label holds such a level,
/// and where a colon or a number announces this one.
fn check_read(block: &Block<'_, '_>, levels: &Levels<'_>) -> Result<(), Doubt> {
    let slots = [
        (Slot::Entry, levels.entry.is_empty(), "the entry cannot be read"),
        (Slot::Target, levels.targets.is_empty(), "a target cannot be read"),
        (Slot::Stop, levels.stop.is_empty(), "the stop cannot be read"),
    ];
    for (field, _) in block.fields.iter().filter(|(_, values)| values.unread && values.items.is_empty()) {
        let slot = slots.iter().find(|(slot, ..)| field.opener == Opener::Label(*slot));
        if let Some((_, is_empty, why)) = slot
            && (*is_empty || is_announced(&block.pieces.list, field))
        {
            return Err(Doubt::Unclear(why));
        }
    }
    Ok(())
}

/// `Entry: …`, `TP2 …` at the start of a line: the label says that a value follows.
fn is_announced(list: &[Piece<'_>], field: &Field) -> bool {
    let sign = list[field.range.clone()].first();
    if sign.is_some_and(|sign| matches!(sign.what, What::Mark(':' | '='))) {
        return true;
    }
    let Some(label) = field.range.start.checked_sub(1) else { return false };
    let mut before = list[..label].iter().rev().take_while(|piece| piece.line == list[label].line);
    matches!(list[label].what, What::Term(_, Some(_)))
        && before.all(|piece| matches!(piece.what, What::Mark(_) | What::Icon(_)))
}

/// True where the pair names what its prices are counted in.
fn is_quoted(pieces: &Pieces<'_>) -> bool {
    pieces.list.iter().any(|piece| {
        matches!(&piece.what, What::Ticker(mention) if mention.quote.as_ref().is_some_and(|quote| !quote.as_str().contains("USD")))
    })
}

/// A list number that only its place tells from a price must be the next one of its list. A lone one must be far from
/// the price beside it: `Target 1 - 2` can be two targets.
fn check_list_numbers(block: &Block<'_, '_>) -> Result<(), Doubt> {
    if block.fields.iter().all(|(_, values)| values.weak_index.is_none()) {
        return Ok(());
    }
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

/// Adds the levels of one field to those of others, from which a line parts them.
fn append<'t>(items: &mut Vec<Item<'t>>, more: &[Item<'t>]) {
    let start = items.len();
    items.extend_from_slice(more);
    if start > 0
        && let Some(first) = items.get_mut(start)
    {
        first.joint = Joint::Line;
    }
}

fn price_of<'t>(item: &Item<'t>) -> Option<Number<'t>> {
    match item.level {
        Level::Price(number) => Some(number),
        _ => None,
    }
}

/// Some cards list their targets again as multiples or percentages: as many as there are prices, behind all of them.
fn without_second_list(mut targets: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let priced = targets.iter().take_while(|item| matches!(item.level, Level::Price(_))).count();
    let again =
        targets[priced..].iter().all(|item| matches!(item.level, Level::Multiple(_) | Level::Percent(_)));
    if again && targets.len() == 2 * priced {
        targets.truncate(priced);
    }
    targets
}

/// "Market" is the entry before a price or in a line with the side or the symbol; elsewhere it is only talked about.
fn is_stray_market(block: &Block<'_, '_>, field: &Field, values: &Values<'_>) -> bool {
    field.opener == Opener::Market && !is_beside_side(block, field, values)
}

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

/// True where numbers behind an opener are no levels: other numbers are loose, between fields as behind unexplained words, and
/// beside the side when the entry has a label.
fn is_explained(opener: Opener, has_entry: bool) -> bool {
    let Opener::Label(slot) = opener else { return false };
    match slot {
        // Without another entry, "long call 31.4" and "still valid: 31.4" may name it.
        Slot::Decoy | Slot::Reference | Slot::Expiry | Slot::Leverage => has_entry,
        Slot::Outcome
        | Slot::Appendix
        | Slot::Margin
        | Slot::Risk
        | Slot::Size
        | Slot::Timeframe
        | Slot::Confidence => true,
        _ => false,
    }
}
