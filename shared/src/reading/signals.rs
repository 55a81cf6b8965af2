//! Signals: the fields of one block of text become one checked [`Signal`], or a reason why not.
//!
//! Entry point: [`signal`]. Every way to read the numbers is tried; exactly one may make a sound signal.
//! Invariants: no value is invented, none is dropped silently: a stop that cannot be read, or a number that might be a
//! level and belongs to no label, makes the reader abstain.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::bare;
use super::details::{Details, leverage_is_left_over};
use super::doubt::Doubt;
use super::fields::{Field, Opener, fields};
use super::levels::{Levels, Scale};
use super::marks::{self, Mark};
use super::numbers::{Separators, Way, Written};
use super::openers::Openers;
use super::options;
use super::pieces::{Piece, Pieces, What};
use super::plausible;
use super::prices::Priced;
use super::seen::Sight;
use super::symbols::Mention;
use super::tokens::Unit;
use super::values::{Values, values};
use super::words::{Meaning, Named, Slot};
use crate::money::Price;
use crate::signal::{Entry, Instrument, Market, Signal, SignalDraft, Symbol};

/// What a block of text is, as far as signals go.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A sound signal.
    Signal(Box<Accepted>),
    /// It looks like one, but something is wrong with it.
    Doubtful(String),
    /// Only a stop or only targets: rather a part of an earlier one.
    Unfinished(String),
    /// It does not look like one.
    Nothing,
}

/// A signal with what it rests on.
#[derive(Debug)]
pub(super) struct Accepted {
    /// The signal.
    pub(super) signal: Signal,
    /// Where its fields stand.
    pub(super) marks: Vec<Mark>,
}

/// One block of text, cut into fields with their values.
pub(super) struct Block<'p, 't> {
    /// The pieces.
    pub(super) pieces: &'p Pieces<'t>,
    /// Each field with what stands in it.
    pub(super) fields: Vec<(Field, Values<'t>)>,
    /// What opens its fields.
    opened: Openers,
    /// What opens those that hold a level.
    pub(super) levelled: Openers,
    /// What opens those that hold anything in the place of a level.
    held: Openers,
}

impl<'p, 't> Block<'p, 't> {
    /// Cuts a block.
    pub(super) fn new(pieces: &'p Pieces<'t>) -> Self {
        let (mut opened, mut levelled, mut held) =
            (Openers::default(), Openers::default(), Openers::default());
        let fields = fields(pieces).into_iter().map(|field| {
            let values = values(&pieces.list, &field);
            opened = opened.and(field.opener);
            if !values.items.is_empty() {
                levelled = levelled.and(field.opener);
            }
            if !values.items.is_empty() || !values.loose.is_empty() || values.has(Meaning::Placeholder) {
                held = held.and(field.opener);
            }
            (field, values)
        });
        Self { pieces, fields: fields.collect(), opened, levelled, held }
    }

    /// The values of all fields with this opener.
    pub(super) fn with(&self, opener: Opener) -> impl Iterator<Item = &(Field, Values<'t>)> {
        let fields = if self.opened.has(opener) { self.fields.as_slice() } else { &[] };
        fields.iter().filter(move |(field, _)| field.opener == opener)
    }

    /// True when a field with this opener holds a level.
    pub(super) fn has_levels(&self, opener: Opener) -> bool {
        self.levelled.has(opener)
    }

    /// The values of all fields with one of these openers.
    pub(super) fn of(&self, openers: Openers) -> impl Iterator<Item = &Values<'t>> {
        self.fields.iter().filter(move |(field, _)| openers.has(field.opener)).map(|(_, values)| values)
    }

    /// True when there is so much of a signal that refusing it needs a reason: two kinds of levels, or a side with one.
    pub(super) fn looks_like_signal(&self) -> bool {
        let side = |piece: &Piece<'_>| {
            matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _))
        };
        let sided = self.pieces.seen.has(Sight::Side) && self.pieces.list.iter().any(side);
        let openers = [Opener::Header, Opener::Buy, Opener::Sell, Opener::Market];
        let bare = self.levelled.meets(Openers::of(openers));
        let levels = self.labelled_levels();
        levels >= 2 || sided && (levels == 1 || bare)
    }

    /// How many of entry, targets and stop hold something: two and more look like a signal.
    pub(super) fn labelled_levels(&self) -> usize {
        let slots = [Slot::Entry, Slot::Target, Slot::Stop];
        slots.into_iter().filter(|slot| self.held.has(Opener::Label(*slot))).count()
    }
}

/// Reads a block as one signal.
pub(super) fn signal(block: &Block<'_, '_>) -> Outcome {
    signal_of(block, the_symbol(block.pieces))
}

/// Likewise, where the search for its symbol is done.
pub(super) fn signal_of(block: &Block<'_, '_>, mention: Result<Cow<'_, Mention>, Doubt>) -> Outcome {
    match mention.and_then(|mention| read(block, &mention)) {
        Ok(accepted) => Outcome::Signal(Box::new(accepted)),
        Err(doubt @ Doubt::Unfinished) => Outcome::Unfinished(doubt.to_string()),
        Err(doubt) if block.looks_like_signal() => Outcome::Doubtful(doubt.to_string()),
        Err(_) => Outcome::Nothing,
    }
}

fn read(block: &Block<'_, '_>, mention: &Mention) -> Result<Accepted, Doubt> {
    let mut known = Known { mention, levels: Levels::new(block)?, details: Details::of(block) };
    let signal = read_numbers(block, &known).or_else(|doubt| {
        // Thousands only where the text allows no other sound reading.
        let expands = known.levels.scale == Scale::Plain
            && (block.pieces.habits.thousands || known.levels.has_kilo())
            && !matches!(doubt, Doubt::TwoReadings | Doubt::Stray(_));
        if !expands {
            return Err(doubt);
        }
        known.levels.scale = Scale::Thousands;
        read_numbers(block, &known).map_err(|_| doubt)
    })?;
    let marks = marks::of_signal(block, &known.levels, &signal, &known.details.marks);
    Ok(Accepted { signal, marks })
}

/// What does not depend on how the numbers are read.
struct Known<'k, 't> {
    mention: &'k Mention,
    levels: Levels<'t>,
    details: Details,
}

/// Reads the numbers in every possible way; exactly one may make a sound signal.
fn read_numbers(block: &Block<'_, '_>, known: &Known<'_, '_>) -> Result<Signal, Doubt> {
    let written = Written::of(known.levels.numbers());
    if !written.is_ambiguous() {
        return read_in(Way::PLAIN, block, known);
    }
    let mut sound: Vec<(Way, Signal)> = Vec::new();
    let mut first_error = None;
    for way in written.ways() {
        match read_in(way, block, known) {
            Ok(signal) if way == Way::PLAIN && is_settled(block, known, written) => return Ok(signal),
            Ok(signal) if sound.iter().any(|(_, known)| *known == signal) => {}
            Ok(signal) => sound.push((way, signal)),
            Err(doubt @ Doubt::Stray(_)) => return Err(doubt),
            // What a way says that reads the numbers is worth more than that another one does not.
            Err(Doubt::Unreadable) => {}
            Err(doubt) => first_error = first_error.or(Some(doubt)),
        }
    }
    prefer_stated(&mut sound, block.pieces);
    if block.pieces.decimal_comma {
        prefer_usual(&mut sound);
    }
    choose(sound, block.pieces.decimal_comma, written)
        .unwrap_or_else(|| Err(first_error.unwrap_or(Doubt::Unreadable)))
}

/// True when the plainest way, if it makes a sound signal, is chosen whatever the others make: points are decimal points where
/// nothing speaks for another mark, and no loose number may turn out to be a level.
fn is_settled(block: &Block<'_, '_>, known: &Known<'_, '_>, written: Written) -> bool {
    !written.commas
        && !block.pieces.decimal_comma
        && known.levels.loose.is_empty()
        && others(block.pieces).all(|number| Way::PLAIN.value(number).is_some())
}

/// The numbers of the post that are no prices.
fn others<'p>(pieces: &'p Pieces<'_>) -> impl Iterator<Item = &'p str> + Clone {
    pieces.list.iter().filter_map(|piece| match &piece.what {
        What::Number(number) if matches!(number.unit, Unit::Percent | Unit::Times | Unit::Risk) => {
            Some(number.text)
        }
        _ => None,
    })
}

/// Other numbers of the post, such as `74.5%`, may show what its author takes for the decimal mark.
fn prefer_stated(sound: &mut Vec<(Way, Signal)>, pieces: &Pieces<'_>) {
    let reads = |way: &Way, number: &str| way.value(number).is_some() || way.list(number).is_some();
    let fits = |way: &Way| others(pieces).all(|number| reads(way, number));
    if sound.len() > 1 && sound.iter().any(|(way, _)| fits(way)) {
        sound.retain(|(way, _)| fits(way));
    }
}

/// A coin costs less than this in dollars, unless its usual prices are known.
const USUAL_PRICE: u32 = 1_000;

/// Where decimal commas are usual, `1,742` is no price in thousands of a coin that nobody knows to be that dear, and neither
/// is `13.200`: the author writes both marks as decimal marks.
fn prefer_usual(sound: &mut Vec<(Way, Signal)>) {
    let is_usual = |signal: &Signal| {
        let draft = signal.fields();
        let dollars = draft.instrument.quote.as_ref().is_none_or(|quote| quote.as_str().contains("USD"));
        let price = draft.entry.each_price().next().map(Price::get);
        price.is_some_and(|price| {
            dollars
                && plausible::is_in_band(signal.base(), price).is_none()
                && price < Decimal::from(USUAL_PRICE)
        })
    };
    if sound.len() > 1 && sound.iter().any(|(_, signal)| is_usual(signal)) {
        sound.retain(|(_, signal)| is_usual(signal));
    }
}

/// Prices of one coin are written with like precision: beside 652 and 664, `640,628` is two prices, not one with three
/// decimals.
fn prefer_even(sound: &mut Vec<(Way, Signal)>, written: Written) {
    if sound.len() > 1 && written.whole {
        sound.retain(|(way, _)| way.separators != Separators::Comma);
    }
}

/// Exactly one reading of the numbers may survive. Plain decimal points are believed in a text whose language uses them.
fn choose(
    mut sound: Vec<(Way, Signal)>,
    comma_language: bool,
    written: Written,
) -> Option<Result<Signal, Doubt>> {
    let points = !comma_language && !written.commas;
    if sound.len() > 1 && points {
        sound.retain(|(way, _)| way.separators == Separators::Point && !way.spaced_thousands);
        sound.truncate(1);
    }
    prefer_even(&mut sound, written);
    let banded = |signal: &Signal| {
        let first = signal.fields().entry.each_price().next();
        first.and_then(|price| plausible::is_in_band(signal.base(), price.get())).is_some()
    };
    // Points between thousands, because decimal points made no sense: that mends a slip unless the coin's price tells.
    if sound.iter().any(|(way, signal)| points && way.separators == Separators::Comma && !banded(signal)) {
        return Some(Err(Doubt::TwoReadings));
    }
    match sound.len() {
        0 => None,
        1 => sound.pop().map(|(_, signal)| Ok(signal)),
        _ => Some(Err(Doubt::TwoReadings)),
    }
}

fn read_in(way: Way, block: &Block<'_, '_>, known: &Known<'_, '_>) -> Result<Signal, Doubt> {
    let mut priced = Priced::new(&known.levels, way)?;
    let side = match known.mention.option {
        Some(_) => options::side(block.pieces, known.levels.sells_are_targets)?,
        None => priced.side(block)?,
    };
    priced.settle_exits(side)?;
    let labelled = block.has_levels(Opener::Label(Slot::Entry));
    let mut draft = SignalDraft {
        targets: priced.targets()?,
        stop: priced.stop()?,
        ..SignalDraft::new(instrument(known.mention, block.pieces), side, priced.entry(side, labelled)?)
    };
    let bare = draft.stop.as_ref().and_then(|stop| stop.price()).is_none() && draft.targets.is_empty();
    if bare && !bare::is_plain(block) {
        return Err(Doubt::BareEntry);
    }
    let implied = matches!(draft.entry, Entry::Market { implied: true, .. });
    if implied && (draft.stop.is_none() || draft.targets.is_empty()) {
        return Err(Doubt::Unfinished);
    }
    if known.levels.scale == Scale::Satoshi {
        let bitcoin = draft.instrument.quote.get_or_insert_with(Symbol::btc);
        if *bitcoin != Symbol::btc() {
            return Err(Doubt::Unclear("prices in satoshi of a pair that is not against bitcoin"));
        }
    }
    known.details.fill(&mut draft);
    if draft.leverage.is_none() && leverage_is_left_over(block) {
        return Err(Doubt::Unclear("a multiple behind the targets may be the leverage"));
    }
    if draft.leverage.is_some() && draft.instrument.option.is_none() && !block.pieces.has(Meaning::Spot) {
        draft.instrument.market = Some(Market::Perp);
    }
    block.pieces.habits.fill(&mut draft, &block.pieces.list);
    plausible::check(&draft, &priced.loose)?;
    Signal::new(draft).map_err(|unsound| Doubt::Unsound(unsound.to_string()))
}

/// The one symbol of a block.
pub(super) fn the_symbol<'p>(pieces: &'p Pieces<'_>) -> Result<Cow<'p, Mention>, Doubt> {
    let mentions = || {
        pieces.list.iter().filter_map(|piece| match &piece.what {
            What::Ticker(mention) => Some(mention.as_ref()),
            _ => None,
        })
    };
    if pieces.seen.tickers < 2 {
        let only = mentions().next().ok_or(Doubt::NoSymbol)?;
        return if only.foreign { Err(Doubt::NotCrypto) } else { Ok(Cow::Borrowed(only)) };
    }
    if mentions().any(|mention| mention.foreign) {
        return Err(Doubt::NotCrypto);
    }
    if divided(pieces) {
        return Err(Doubt::SeveralSymbols);
    }
    let strongest = mentions().map(|mention| mention.strength).max().ok_or(Doubt::NoSymbol)?;
    let least = strongest.least_beside();
    let mut chosen: Option<Cow<'_, Mention>> = None;
    for mention in mentions().filter(|mention| mention.strength >= least) {
        match &mut chosen {
            None => chosen = Some(Cow::Borrowed(mention)),
            Some(known) if known.base != mention.base => return Err(Doubt::SeveralSymbols),
            Some(known) => {
                if known.quote.is_some() && mention.quote.is_some() && known.quote != mention.quote {
                    return Err(Doubt::SeveralSymbols);
                }
                if known.option.is_some() && mention.option.is_some() && known.option != mention.option {
                    return Err(Doubt::SeveralSymbols);
                }
                complete(known, mention);
            }
        }
    }
    chosen.ok_or(Doubt::NoSymbol)
}

/// Adds to a mention what another one of the same symbol knows beside it.
fn complete(known: &mut Cow<'_, Mention>, other: &Mention) {
    if known.quote.is_none() && other.quote.is_some() {
        known.to_mut().quote.clone_from(&other.quote);
    }
    if known.option.is_none() && other.option.is_some() {
        known.to_mut().option.clone_from(&other.option);
    }
    if other.perpetual && !known.perpetual {
        known.to_mut().perpetual = true;
    }
}

/// True when a line that names the side names several symbols.
fn divided(pieces: &Pieces<'_>) -> bool {
    pieces.list.chunk_by(|a, b| a.line == b.line).any(|line| {
        let sided = line.iter().any(|piece| matches!(piece.what, What::Term(Meaning::Side(_), _)));
        let mut bases = line.iter().filter_map(|piece| match &piece.what {
            What::Ticker(mention) => Some(&mention.base),
            _ => None,
        });
        let first = bases.next();
        sided && bases.any(|base| Some(base) != first)
    })
}

fn instrument(mention: &Mention, pieces: &Pieces<'_>) -> Instrument {
    let levered = mention.perpetual || pieces.has(Meaning::Futures) || pieces.seen.has(Sight::Times);
    let market = match (pieces.has(Meaning::Spot), levered) {
        _ if mention.option.is_some() => Some(Market::Option),
        (true, false) => Some(Market::Spot),
        (false, true) => Some(Market::Perp),
        _ => None,
    };
    let option = mention.option.as_deref().cloned();
    Instrument {
        base: mention.base.clone(),
        quote: mention.quote.clone(),
        venue: venue(pieces),
        market,
        option,
    }
}

fn venue(pieces: &Pieces<'_>) -> Option<String> {
    if !pieces.may_have_any(&[Meaning::Venue(Named::Binance)]) {
        return None;
    }
    pieces.list.iter().find_map(|piece| match piece.what {
        What::Term(Meaning::Venue(venue), _) => Some(venue.as_str().to_owned()),
        _ => None,
    })
}
