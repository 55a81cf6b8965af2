//! Updates: a follow-up's actions, and which signal it is about.
//!
//! Entry point: [`update`]. A text is read clause by clause (`clauses`); ticks beside levels that were posted before
//! count too. Invariants: questions never come here; a condition, several symbols, or a number with two readings makes
//! the reader abstain; without a symbol or a reply, only words that name a stop, a target or a trade count.

mod clauses;
mod closing;
mod stops;
mod targets;

use rust_decimal::Decimal;

use super::clean::Text;
use super::evidence::Field;
use super::fields::Opener;
use super::levels::Roles;
use super::marks::{self, Mark};
use super::numbers::{Separators, Way};
use super::pieces::{Piece, Pieces, What, pieces};
use super::plausible::is_in_band;
use super::signals::{Block, the_symbol};
use super::symbols::Mention;
use super::tokens::{Number, Unit, tokens};
use super::values::{Item, Level};
use super::words::{Lexicon, Meaning, Slot};
use crate::money::Price;
use crate::signal::{Side, Symbol};
use crate::update::{Action, Scope, SignalUpdate, StopMove};

/// What stands around the text.
pub(super) struct Context<'c> {
    /// True when the post answers another one.
    pub(super) reply: bool,
    /// The lines that it quotes.
    pub(super) quoted: &'c Text,
    /// The words that hold for the post.
    pub(super) words: Lexicon<'c>,
}

/// What a text is, as far as updates go.
pub(super) enum Outcome {
    /// An update, and where it stands.
    Update(SignalUpdate, Vec<Mark>),
    /// It looks like one, but is not to be vouched for.
    Doubtful(&'static str),
    /// It does not look like one.
    Nothing,
}

/// What is known about the numbers of a text.
struct Numbers {
    decimal_comma: bool,
    base: Option<Symbol>,
}

impl Numbers {
    fn of(pieces: &Pieces<'_>) -> Self {
        let base = named(pieces).ok().flatten().map(|mention| mention.base);
        Self { decimal_comma: pieces.decimal_comma, base }
    }
}

/// Why an update is not accepted; `None` stands for "it is none".
type Refusal = Option<&'static str>;

/// Reads a text as an update.
pub(super) fn update(block: &Block<'_, '_>, context: &Context<'_>) -> Outcome {
    match read(block, context) {
        Ok((update, marks)) => Outcome::Update(update, marks),
        Err(Some(reason)) => Outcome::Doubtful(reason),
        Err(None) => Outcome::Nothing,
    }
}

fn read(block: &Block<'_, '_>, context: &Context<'_>) -> Result<(SignalUpdate, Vec<Mark>), Refusal> {
    let numbers = Numbers::of(block.pieces);
    let told = clauses::read(block.pieces, &numbers, context.reply)?;
    let mut actions = told.actions;
    let mut marks = told.marks;
    if block.pieces.list.iter().any(|piece| piece.what.is(Meaning::Bystander)) {
        return Err(None);
    }
    marks.extend(ticked(block, &mut actions)?);
    let again = block.pieces.list.iter().any(|piece| piece.what.is(Meaning::Again));
    let names = block.pieces.list.iter().any(|piece| matches!(piece.what, What::Ticker(_)));
    if again && (names || !actions.is_empty()) {
        return Err(Some("a further entry into a running trade"));
    }
    if actions.is_empty() && context.reply {
        actions = second_half(block, &numbers)?;
        marks.extend(levels_of(block));
    }
    if actions.is_empty() {
        return Err(None);
    }
    let scope = scope(block.pieces, context, told.all)?;
    if scope == Scope::Last && !told.has_object {
        return Err(None);
    }
    if actions.contains(&Action::StoppedOut) {
        actions.retain(|action| *action != Action::Close);
    }
    contradiction(&actions)?;
    if holds_plan(block) && actions.iter().any(changes_levels) {
        return Err(Some("a plan and a change of it stand in one post"));
    }
    let symbols = block.pieces.list.iter().filter(|piece| matches!(piece.what, What::Ticker(_)));
    marks.extend(symbols.map(|piece| Mark::of(Field::Scope, piece)));
    Ok((SignalUpdate { scope, actions }, marks))
}

/// The levels of a second half.
fn levels_of(block: &Block<'_, '_>) -> Vec<Mark> {
    let slots = [Slot::Target, Slot::Stop].into_iter();
    let items = slots.flat_map(|slot| block.with(Opener::Label(slot))).flat_map(|(_, values)| &values.items);
    items.flat_map(|item| marks::of_item(&block.pieces.list, Field::Action, item)).collect()
}

/// Which signal the update is about.
fn scope(own: &Pieces<'_>, context: &Context<'_>, all: Option<Option<Side>>) -> Result<Scope, Refusal> {
    let mention = named(own)?;
    if let Some(side) = all
        && mention.is_none()
        && !context.reply
    {
        return Ok(Scope::All { side });
    }
    if context.reply {
        return Ok(Scope::Reply { base: mention.map(|mention| mention.base) });
    }
    if let Some(mention) = mention {
        return Ok(Scope::Symbol { base: mention.base, side: side(own) });
    }
    let quoted = tokens(context.quoted, context.words);
    let quoted = pieces(&quoted);
    Ok(match named(&quoted)? {
        Some(mention) => Scope::Symbol { base: mention.base, side: side(&quoted) },
        None => Scope::Last,
    })
}

/// The symbol that a text names, if any; several are refused.
fn named(pieces: &Pieces<'_>) -> Result<Option<Mention>, Refusal> {
    let mut mentions = pieces.list.iter().filter_map(|piece| match &piece.what {
        What::Ticker(mention) => Some(mention),
        _ => None,
    });
    let Some(first) = mentions.next() else { return Ok(None) };
    if mentions.any(|mention| mention.base != first.base) {
        return Err(Some("several symbols are named, and it is not clear which one is meant"));
    }
    the_symbol(pieces).map(Some).map_err(|_| Some("the symbol is no crypto market"))
}

/// The side, if exactly one is named.
fn side(pieces: &Pieces<'_>) -> Option<Side> {
    let has = |side| pieces.list.iter().any(|piece| piece.what.is(Meaning::Side(side)));
    match (has(Side::Long), has(Side::Short)) {
        (true, false) => Some(Side::Long),
        (false, true) => Some(Side::Short),
        _ => None,
    }
}

/// Ticks behind the levels of a card that is posted again, whatever words announce them.
fn ticked(block: &Block<'_, '_>, actions: &mut Vec<Action>) -> Result<Vec<Mark>, Refusal> {
    let roles = Roles::of(block);
    let kinds = roles.filled(block);
    if kinds >= 3 && block.has_levels(Opener::Close) && actions.contains(&Action::Close) {
        return Err(Some("close may only announce the targets"));
    }
    let sided = side(block.pieces).is_some();
    let of = |openers: &[Opener]| -> Vec<Item<'_>> {
        let counts = |opener: Opener| match opener {
            Opener::Label(_) => true,
            Opener::Header => kinds >= 2 && sided,
            _ => kinds >= 2,
        };
        let fields =
            block.fields.iter().filter(|(field, _)| openers.contains(&field.opener) && counts(field.opener));
        fields.flat_map(|(_, values)| values.items.iter().copied()).collect()
    };
    let (entries, targets) = (of(&roles.entry), of(&roles.targets));
    let known = actions.iter().any(|action| matches!(action, Action::TargetHit { .. }));
    let in_part = targets.iter().any(|item| item.bullet.is_none());
    let is_hit = |item: &Item<'_>| item.ticked || item.has_tick_before() && in_part;
    let hit = targets.iter().enumerate().filter(|(_, item)| is_hit(item) && !known);
    let numbers: Result<Vec<u8>, _> = hit.map(|(nth, _)| u8::try_from(nth + 1)).collect();
    let numbers = numbers.map_err(|_| Some("too many targets"))?;
    if entries.iter().any(is_hit) && !is_told_filled(actions) {
        actions.push(Action::EntryFilled { entries: Vec::new(), price: None });
    }
    if !numbers.is_empty() {
        targets::add_targets(actions, &numbers);
    }
    let hit = entries.iter().chain(&targets).filter(|item| is_hit(item));
    Ok(hit.flat_map(|item| marks::of_item(&block.pieces.list, Field::Action, item)).collect())
}

/// True when the actions say already that an entry was filled.
fn is_told_filled(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::EntryFilled { .. }))
}

/// The stop and the targets that follow a bare entry in a reply.
fn second_half(block: &Block<'_, '_>, numbers: &Numbers) -> Result<Vec<Action>, Refusal> {
    let sided =
        block.pieces.list.iter().any(|piece| {
            matches!(piece.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _))
        });
    if sided || block.has_levels(Opener::Label(Slot::Entry)) {
        return Ok(Vec::new());
    }
    let mut actions = Vec::new();
    for slot in [Slot::Target, Slot::Stop] {
        let arrow = |piece: &Piece<'_>| matches!(piece.what, What::Icon('→' | '←'));
        if block
            .with(Opener::Label(slot))
            .any(|(field, _)| block.pieces.list[field.range.clone()].iter().any(arrow))
        {
            return Err(Some("an arrow between levels"));
        }
        let items = block.with(Opener::Label(slot)).flat_map(|(_, values)| &values.items);
        let mut prices = Vec::new();
        for item in items {
            let Level::Price(number) = item.level else { return Err(Some("a level that is no price")) };
            prices.push(price(number, numbers)?);
        }
        match (slot, prices.as_slice()) {
            (_, []) => {}
            (Slot::Target, _) => actions.push(Action::SetTargets { prices }),
            (_, [price]) => actions.push(Action::MoveStop { to: StopMove::Price { price: *price } }),
            _ => return Err(Some("several stops are named")),
        }
    }
    Ok(actions)
}

/// One price of an update: it must have one reading only, because there is no geometry to check it against.
fn price(number: Number<'_>, numbers: &Numbers) -> Result<Price, Refusal> {
    let read = |separators| Way { separators, spaced_thousands: false }.values(number.text);
    let (point, comma) = (read(Separators::Point), read(Separators::Comma));
    let plain_point = !numbers.decimal_comma && !number.text.contains(',');
    let possible = |values: &[Decimal]| is_in_band(numbers.base.as_ref()?, *values.first()?);
    let values = match (point, comma) {
        (Some(point), Some(comma)) if possible(&point) == Some(true) && possible(&comma) == Some(false) => {
            point
        }
        (Some(point), Some(comma)) if possible(&point) == Some(false) && possible(&comma) == Some(true) => {
            comma
        }
        (Some(point), Some(comma)) if point == comma || plain_point => point,
        (Some(values), None) | (None, Some(values)) => values,
        _ => return Err(Some("a number can be read in two ways")),
    };
    let [value] = values.as_slice() else { return Err(Some("a number cannot be read")) };
    let scale = if number.unit == Unit::Kilo { Decimal::ONE_THOUSAND } else { Decimal::ONE };
    let value = value.checked_mul(scale).ok_or(Some("a number cannot be read"))?;
    Price::new(value).map_err(|_| Some("a number is no price"))
}

/// True when the text holds a side and levels of its own.
fn holds_plan(block: &Block<'_, '_>) -> bool {
    side(block.pieces).is_some() && block.labelled_levels() >= 2
}

fn changes_levels(action: &Action) -> bool {
    matches!(action, Action::SetTargets { .. } | Action::MoveStop { to: StopMove::Price { .. } })
}

/// Two actions of which only one can be meant.
fn contradiction(actions: &[Action]) -> Result<(), Refusal> {
    let stops = actions.iter().filter(|action| matches!(action, Action::MoveStop { .. })).count();
    let closes = actions.contains(&Action::Close) && actions.contains(&Action::Cancel);
    if stops > 1 || closes {
        return Err(Some("the actions contradict each other"));
    }
    Ok(())
}
