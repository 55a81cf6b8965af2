//! Updates: a follow-up's actions, and which signals it is about.
//!
//! Entry point: [`updates`]. A text is read clause by clause (`clauses`, `deeds`), ticks beside levels that were posted
//! before count too (`cards`), and what is said is sorted by symbol (`scopes`). Invariants: questions never come here; a
//! condition, or a number with two readings, makes the reader abstain; without a symbol, an id or a reply, only words
//! that name a stop, a target or a trade count.

mod cards;
mod clauses;
mod closing;
mod deeds;
mod entries;
mod names;
mod neighbours;
mod scopes;
mod stops;
mod strangers;
mod targets;

use std::borrow::Cow;
use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::clean::Text;
use super::evidence::Field;
use super::fields::Opener;
use super::ids;
use super::marks::Mark;
use super::numbers::{Separators, Way};
use super::pieces::{Piece, Pieces, What, pieces};
use super::plausible::is_in_band;
use super::seen::{Sight, arrow};
use super::signals::{Block, the_symbol};
use super::symbols::Mention;
use super::tokens::{Number, tokens};
use super::values::is_tick;
use super::words::{Lexicon, Meaning, Meant, Slot};
use crate::money::Price;
use crate::signal::{Side, Symbol};
use crate::update::{Action, Scope, SignalUpdate, StopMove};
use deeds::Said;
use scopes::Share;

/// What stands around the text.
pub(super) struct Context<'c> {
    /// True when the post answers another one.
    pub(super) reply: bool,
    /// True when the post was edited.
    pub(super) edited: bool,
    /// The lines that it quotes.
    pub(super) quoted: &'c Text,
    /// The words that hold for the post.
    pub(super) words: Lexicon<'c>,
}

/// What a text is, as far as updates go.
pub(super) enum Outcome {
    /// Updates, and where each stands; several only for several symbols.
    Updates(Vec<(SignalUpdate, Vec<Mark>)>),
    /// It looks like one, but is not to be vouched for.
    Doubtful(&'static str),
    /// It does not look like one.
    Nothing,
}

/// What is known about the numbers of a text.
#[derive(Debug, Clone, Copy)]
struct Numbers<'s> {
    decimal_comma: bool,
    base: Option<&'s Symbol>,
}

/// Why an update is not accepted; `None` stands for "it is none".
type Refusal = Option<&'static str>;

/// Reads a text as an update.
pub(super) fn updates(block: &Block<'_, '_>, context: &Context<'_>) -> Outcome {
    if !may_follow_up(block.pieces) {
        return Outcome::Nothing;
    }
    let named = names::with_names(block.pieces, context.words);
    let pieces = named.as_ref().unwrap_or(block.pieces);
    let id = ids::labelled(pieces).or_else(|| ids::numbered(pieces)).or_else(|| ids::heading(pieces));
    let read = match (id, &named) {
        (Some((id, at)), _) => {
            read(&Block::new(&without_number(pieces, (id.len(), at))), context, Some((id, at)))
        }
        (None, Some(pieces)) => read(&Block::new(pieces), context, None),
        (None, None) => read(block, context, None),
    };
    match read {
        Ok(updates) => Outcome::Updates(updates),
        Err(Some(reason)) => Outcome::Doubtful(reason),
        Err(None) => Outcome::Nothing,
    }
}

/// The cancellation of a call that was struck out: symbol, side and levels tell that it was one.
pub(super) fn withdrawal(block: &Block<'_, '_>) -> Option<(SignalUpdate, Vec<Mark>)> {
    let mention = named(block.pieces).ok().flatten()?;
    let side = side(block.pieces)?;
    let mut share = Share { mention: Some(&mention), ..Share::default() };
    share.mark_names(block.pieces);
    let marks = share.marks;
    let scope = Scope::Symbol { base: mention.base.clone(), side: Some(side) };
    let update = SignalUpdate { scope, actions: vec![Action::Cancel] };
    (block.labelled_levels() >= 1).then_some((update, marks))
}

/// True for words, ticks and labels without which no follow-up is written.
pub(super) fn may_follow_up(pieces: &Pieces<'_>) -> bool {
    let tick = |piece: &Piece<'_>| matches!(piece.what, What::Icon(icon) if is_tick(icon));
    pieces.meant.meets(*LABELS_OR_DEEDS) || pieces.seen.has(Sight::Tick) && pieces.list.iter().any(tick)
}

/// Where the thoughts of a text begin.
pub(super) fn starts(list: &[Piece<'_>]) -> Vec<usize> {
    clauses::clauses(list).into_iter().map(|range| range.start).collect()
}

/// True for words of doing or changing something, beyond the labels of a call.
pub(super) fn tells(pieces: &Pieces<'_>) -> bool {
    pieces.meant.meets(*DEEDS_OR_CHANGES) || pieces.seen.has(Sight::Arrow)
}

/// Likewise, for a part of a text.
pub(super) fn tells_in(list: &[Piece<'_>]) -> bool {
    list.iter().any(|piece| {
        matches!(piece.what, What::Term(meaning, _) if DEEDS_OR_CHANGES.may_hold(meaning))
            || arrow(&piece.what).is_some()
    })
}

/// The words of follow-ups.
const DEEDS: [Meaning; 22] = [
    Meaning::Hit,
    Meaning::Filled,
    Meaning::Move,
    Meaning::Trail,
    Meaning::BreakEven,
    Meaning::Close,
    Meaning::Closed,
    Meaning::Out,
    Meaning::Cancel,
    Meaning::StoppedOut,
    Meaning::Part,
    Meaning::Partial,
    Meaning::Half,
    Meaning::Third,
    Meaning::Quarter,
    // This stands for all tenths: families have one place in a set.
    Meaning::Tenths(1),
    Meaning::TwoThirds,
    Meaning::ThreeQuarters,
    Meaning::Add,
    Meaning::Again,
    Meaning::Changed,
    Meaning::Limit,
];

/// These and the labels of levels.
static LABELS_OR_DEEDS: LazyLock<Meant> = LazyLock::new(|| {
    let labels = [Slot::Stop, Slot::Target, Slot::Entry].map(Meaning::Label);
    labels.into_iter().chain(DEEDS).collect()
});

/// These and the words of changing something.
static DEEDS_OR_CHANGES: LazyLock<Meant> = LazyLock::new(|| {
    let changes = [Meaning::New, Meaning::More, Meaning::Now, Meaning::Was, Meaning::To, Meaning::UpTo];
    changes.into_iter().chain(DEEDS).collect()
});

type Read = Result<Vec<(SignalUpdate, Vec<Mark>)>, Refusal>;

/// The pieces with an id that looks like a price taken for what it is.
fn without_number<'t>(pieces: &Pieces<'t>, (length, id): (usize, &Piece<'_>)) -> Pieces<'t> {
    let mut list = pieces.list.clone();
    let end = id.bytes.start + length;
    for piece in list.iter_mut().filter(|piece| (id.bytes.start..end).contains(&piece.bytes.start)) {
        piece.what = What::Clock;
    }
    pieces.with(list)
}

/// True when longs and shorts are spoken of.
fn names_both_sides(pieces: &Pieces<'_>) -> bool {
    [Side::Long, Side::Short].into_iter().all(|side| pieces.has(Meaning::Side(side)))
}

type Id<'p> = Option<(&'p str, &'p Piece<'p>)>;

fn read(block: &Block<'_, '_>, context: &Context<'_>, id: Id<'_>) -> Read {
    let has = |meaning: Meaning| block.pieces.has(meaning);
    if has(Meaning::Bystander) || has(Meaning::Advert) || strangers::acts(block.pieces) {
        return Err(None);
    }
    let told = deeds::read(block.pieces, context.reply, id.is_some())?;
    let mut shares = scopes::sorted(&told)?;
    if let [share] = shares.as_mut_slice() {
        complete(share, (block, &told), context)?;
        if share.actions.is_empty() {
            let conditional = told.iter().any(|said| said.conditional);
            return Err(conditional.then_some("the update is conditional"));
        }
        let scope = scope(&told, share, (block, context), id)?;
        return Ok(vec![finished(share, scope, (block, context))?]);
    }
    let finish = |share: &mut Share<'_>| {
        let scope = match share.mention {
            Some(mention) if !mention.foreign => {
                Scope::Symbol { base: mention.base.clone(), side: share.side }
            }
            _ => return Err(Some("the symbol is no crypto market")),
        };
        finished(share, scope, (block, context))
    };
    shares.iter_mut().map(finish).collect()
}

/// Adds what ticks say, and the levels of a second half.
fn complete(
    share: &mut Share<'_>,
    (block, told): (&Block<'_, '_>, &[Said<'_>]),
    context: &Context<'_>,
) -> Result<(), Refusal> {
    share.marks.extend(cards::ticked(block, &mut share.actions)?);
    let only_stop =
        share.actions.iter().all(|action| matches!(action, Action::MoveStop { to: StopMove::Price { .. } }));
    let conditional = told.iter().any(|said| said.conditional);
    if context.reply && only_stop && !conditional && cards::holds_levels_only(&block.pieces.list) {
        let base = share.mention.map(|mention| &mention.base);
        let numbers = Numbers { decimal_comma: block.pieces.decimal_comma, base };
        match cards::second_half(block, numbers) {
            Ok((actions, marks)) if actions.len() > share.actions.len() => {
                share.actions = actions;
                share.marks.extend(marks);
            }
            Err(refusal) if share.actions.is_empty() => return Err(refusal),
            _ => {}
        }
    }
    Ok(())
}

fn finished(
    share: &mut Share<'_>,
    scope: Scope,
    (block, context): (&Block<'_, '_>, &Context<'_>),
) -> Result<(SignalUpdate, Vec<Mark>), Refusal> {
    share.settle()?;
    let corrected = context.edited && block.pieces.has(Meaning::Was);
    if holds_plan(block) && !corrected && share.actions.iter().any(changes_levels) {
        return Err(Some("a plan and a change of it stand in one post"));
    }
    if share.actions.contains(&Action::Close)
        && names_both_sides(block.pieces)
        && block.labelled_levels() >= 2
    {
        return Err(Some("a call is closed, and the plan of another one is left over"));
    }
    if matches!(scope, Scope::Symbol { .. } | Scope::Last)
        && is_unsaid_plan(&block.pieces.list, &share.actions)
    {
        return Err(Some("a stop and targets, but nothing says that they change an earlier call"));
    }
    if is_told_as_plan(block.pieces, &share.actions) {
        return Err(Some("an entry, a stop and targets: perhaps a call, not what became of one"));
    }
    if is_unread_entry(&block.pieces.list, &share.actions) {
        return Err(Some("a further entry is spoken of, but not where it is"));
    }
    share.mark_names(block.pieces);
    let (actions, marks) = (std::mem::take(&mut share.actions), std::mem::take(&mut share.marks));
    Ok((SignalUpdate { scope, actions }, marks))
}

/// True for a stop and targets at once without a word of change: perhaps a call whose side or entry was not understood.
fn is_unsaid_plan(list: &[Piece<'_>], actions: &[Action]) -> bool {
    let stop = |action: &Action| matches!(action, Action::MoveStop { to: StopMove::Price { .. } });
    let targets = |action: &Action| matches!(action, Action::SetTargets { .. });
    let changes = |piece: &Piece<'_>| {
        let word = matches!(
            piece.what,
            What::Term(Meaning::New | Meaning::Move | Meaning::Changed | Meaning::Was, _)
        );
        word || arrow(&piece.what).is_some()
    };
    actions.iter().any(stop) && actions.iter().any(targets) && !list.iter().any(changes)
}

/// True where a stop was read of a text that holds three prices and a direction or targets: it has levels of a call left.
fn is_told_as_plan(pieces: &Pieces<'_>, actions: &[Action]) -> bool {
    let stop = |action: &Action| matches!(action, Action::MoveStop { to: StopMove::Price { .. } });
    let little = actions.iter().all(|action| stop(action) || matches!(action, Action::EntryFilled { .. }));
    let sides = [Meaning::Side(Side::Long), Meaning::Side(Side::Short), Meaning::Buy, Meaning::Sell];
    let ahead = [Meaning::Aim, Meaning::Label(Slot::Target), Meaning::Label(Slot::Entry)];
    let changes = [Meaning::Was, Meaning::From, Meaning::New, Meaning::Changed];
    let (sided, aimed) = (pieces.meant.meets(Meant::of(sides)), pieces.meant.meets(Meant::of(ahead)));
    let told = pieces.meant.meets(Meant::of(changes)) || pieces.seen.has(Sight::Arrow);
    let moved = pieces.has(Meaning::Move) && !(sided && aimed);
    let prices = || pieces.list.iter().filter(|piece| clauses::is_plain_number(&piece.what)).count();
    actions.iter().any(stop) && little && (sided || aimed) && !told && !moved && prices() >= 3
}

/// True for levels beside words of entering again that nothing was made of: they may be those of that entry.
fn is_unread_entry(list: &[Piece<'_>], actions: &[Action]) -> bool {
    let spoken = list.iter().any(|piece| piece.what.is(Meaning::Again));
    let read = |action: &Action| matches!(action, Action::Reenter { .. } | Action::Add { .. });
    spoken && !actions.iter().any(read) && actions.iter().any(changes_levels)
}

/// Which signal an update of at most one symbol is about.
fn scope(
    told: &[Said<'_>],
    share: &mut Share<'_>,
    (block, context): (&Block<'_, '_>, &Context<'_>),
    id: Id<'_>,
) -> Result<Scope, Refusal> {
    let own = block.pieces;
    // Of several symbols, those that are only remarked on have no share.
    let mention = match share.mention {
        Some(mention) if is_one_of_several(own, mention) => {
            Some(Cow::Borrowed(mention)).filter(|mention| !mention.foreign)
        }
        _ => named(own)?,
    };
    if context.reply {
        return Ok(Scope::Reply { base: mention.map(|mention| mention.into_owned().base) });
    }
    if let Some((reference, piece)) = id {
        share.marks.push(Mark::of(Field::Scope, piece));
        let base = mention.map(|mention| mention.into_owned().base);
        return Ok(Scope::Reference { reference: reference.to_owned(), base });
    }
    // "Second target reached, closing everything": all of that one trade.
    let of_one = |action: &Action| matches!(action, Action::TargetHit { .. } | Action::EntryFilled { .. });
    if let Some(side) = every(told).filter(|_| !share.actions.iter().any(of_one)) {
        if share.actions.contains(&Action::StoppedOut) {
            return Err(Some("many trades were stopped at once: perhaps those of a market"));
        }
        return Ok(Scope::All { side });
    }
    if let Some(mention) = mention {
        let side = share.side.or_else(|| side(own));
        return Ok(Scope::Symbol { base: mention.into_owned().base, side });
    }
    let quoted = tokens(context.quoted, context.words);
    let quoted = pieces(&quoted);
    match named(&quoted)? {
        Some(mention) => Ok(Scope::Symbol { base: mention.into_owned().base, side: side(&quoted) }),
        None if names_both_sides(own) => Err(None),
        None if told.iter().any(|said| said.has_object) => Ok(Scope::Last),
        None => Err(None),
    }
}

/// All signals of a side, or of both: unless a symbol was named by then.
fn every(told: &[Said<'_>]) -> Option<Option<Side>> {
    told.iter().take_while(|said| said.names.is_empty()).find_map(|said| said.all)
}

/// True when the text names another symbol too.
fn is_one_of_several(pieces: &Pieces<'_>, mention: &Mention) -> bool {
    let other = |piece: &Piece<'_>| matches!(&piece.what, What::Ticker(other) if other.base != mention.base);
    pieces.seen.tickers > 1 && pieces.list.iter().any(other)
}

/// The symbol that a text names, if any; several are refused.
fn named<'p>(pieces: &'p Pieces<'_>) -> Result<Option<Cow<'p, Mention>>, Refusal> {
    if pieces.seen.tickers == 0 {
        return Ok(None);
    }
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
    let has = |side| pieces.has(Meaning::Side(side)) || pieces.has(Meaning::Positions(side));
    match (has(Side::Long), has(Side::Short)) {
        (true, false) => Some(Side::Long),
        (false, true) => Some(Side::Short),
        _ => None,
    }
}

impl Numbers<'_> {
    /// The prices among some pieces.
    fn prices(self, pieces: &[Piece<'_>]) -> Result<Vec<Price>, Refusal> {
        let numbers = pieces.iter().filter_map(|piece| match piece.what {
            What::Number(number) if clauses::is_plain_number(&piece.what) => Some(number),
            _ => None,
        });
        numbers.map(|number| self.price(number)).collect()
    }

    /// One price: it must have one reading only, because there is no geometry to check it against.
    fn price(self, number: Number<'_>) -> Result<Price, Refusal> {
        let read = |separators| Way { separators, spaced_thousands: false }.value(number.text);
        let (point, comma) = (read(Separators::Point), read(Separators::Comma));
        let plain_point = !self.decimal_comma && !number.text.contains(',');
        let possible = |value: Decimal| is_in_band(self.base?, value);
        let value = match (point, comma) {
            (Some(point), Some(comma)) => match (possible(point), possible(comma)) {
                (Some(true), Some(false)) => point,
                (Some(false), Some(true)) => comma,
                _ if plain_point || point == comma => point,
                _ => return Err(Some("a number can be read in two ways")),
            },
            (Some(value), None) | (None, Some(value)) => value,
            (None, None) => return Err(Some("a number can be read in two ways")),
        };
        let value = value.checked_mul(number.unit.scale()).ok_or(Some("a number cannot be read"))?;
        Price::new(value).map_err(|_| Some("a number is no price"))
    }
}

/// True when the text holds a side and levels of its own.
fn holds_plan(block: &Block<'_, '_>) -> bool {
    let further = block.pieces.has(Meaning::Again) || block.pieces.has(Meaning::Add);
    let sided = side(block.pieces).is_some();
    sided && block.labelled_levels() >= 2 && (!further || block.has_levels(Opener::Label(Slot::Target)))
}

/// True for an action that brings a price of its own.
pub(super) fn changes_levels(action: &Action) -> bool {
    matches!(
        action,
        Action::SetTargets { .. }
            | Action::AddTargets { .. }
            | Action::ReplaceTarget { .. }
            | Action::SetEntry { .. }
            | Action::Add { .. }
            | Action::Reenter { .. }
            | Action::MoveStop { to: StopMove::Price { .. } }
    )
}
