//! Values: what stands in one field, still as written: prices with their joints, shares, distances, flags.
//!
//! Entry point: [`values`]. Invariants: nothing after an unexplained word counts as a value; such numbers are `loose`
//! and make the reader doubt the whole when they look like a price.

mod explained;
mod flags;
mod nearby;

use super::fields::{Field, Opener};
use super::pieces::{MAX_LIST, Piece, What};
use super::tokens::{Number, Unit};
use super::words::{Meaning, Slot};
use explained::explains;
pub(super) use flags::Flags;

/// What stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Nothing before the first value.
    Start,
    /// Only space.
    Space,
    /// A dash, "to".
    Range,
    /// `/`, `,`, `;`, `|`, "and", an arrow.
    List,
    /// A new line, or a list number.
    Line,
}

/// A level as written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level<'t> {
    /// A price.
    Price(Number<'t>),
    /// A distance in per cent.
    Percent(Number<'t>),
    /// A multiple of the risk.
    Multiple(Number<'t>),
    /// A runner without a price.
    Runner,
}

/// How a share was written; a bare bracket may also hold a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShareForm {
    /// Behind a dash, or in brackets with "close".
    Plain,
    /// In brackets.
    Bracket,
}

/// One level with what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'t> {
    /// The level.
    pub(super) level: Level<'t>,
    /// What stands before it.
    pub(super) joint: Joint,
    /// The share written behind it.
    pub(super) share: Option<(Number<'t>, ShareForm)>,
    /// True when a tick stands behind it.
    pub(super) ticked: bool,
    /// The icon that begins its line: a bullet, or a tick at what was reached.
    pub(super) bullet: Option<char>,
}

/// The contents of one field.
#[derive(Debug, Default)]
pub(super) struct Values<'t> {
    /// The levels in order.
    pub(super) items: Vec<Item<'t>>,
    /// Numbers that nothing explains.
    pub(super) loose: Vec<Number<'t>>,
    /// Phrases that change what the levels mean.
    pub(super) flags: Flags,
    /// A candle's length: a stop on its close.
    pub(super) candle: Option<String>,
    /// Why the field cannot be read, if so.
    pub(super) unclear: Option<&'static str>,
    /// A list number that might be a price: `Target 1 - 2`.
    pub(super) weak_index: Option<u8>,
    /// True when something stands in the place of the first level that is no level and that nothing explains.
    pub(super) unread: bool,
}

impl Values<'_> {
    /// True when one of the flags has this meaning.
    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.flags.has(meaning)
    }
}

/// Reads the pieces of a field.
pub(super) fn values<'t>(pieces: &[Piece<'t>], field: &Field) -> Values<'t> {
    let mut scan = Scan {
        pieces: &pieces[field.range.clone()],
        found: Values::default(),
        line: 0,
        joint: Joint::Start,
        brackets: 0,
        blind: None,
        bracket_closes: false,
        relation: None,
        bullet: None,
        parted: None,
        leading_share: None,
        is_stop: field.opener == Opener::Label(Slot::Stop),
        behind: &pieces[field.range.end.min(pieces.len())..],
        is_entry: !matches!(field.opener, Opener::Label(Slot::Target | Slot::Stop) | Opener::Close),
        relation_behind: false,
        clause_ended: false,
        is_header: matches!(field.opener, Opener::Header | Opener::Buy | Opener::Sell),
        resumes: matches!(field.opener, Opener::Header | Opener::Buy | Opener::Sell).then_some(MAX_ASIDE),
    };
    for (at, piece) in scan.pieces.iter().enumerate() {
        scan.piece(at, piece);
    }
    scan.found
}

/// How many marks and icons may stand before a field's first value, or between a list number and its rocket.
const MAX_ICONS: usize = 8;

/// Room for the levels of most fields.
const USUAL_ITEMS: usize = 4;

/// How many unexplained words may stand between a side and its price: "buying the retest at 0.22".
const MAX_ASIDE: usize = 3;

struct Scan<'p, 't> {
    pieces: &'p [Piece<'t>],
    found: Values<'t>,
    /// The line of the piece that was looked at last.
    line: usize,
    /// What stands behind the field, from the label that ends it on.
    behind: &'p [Piece<'t>],
    joint: Joint,
    brackets: usize,
    /// The depth of brackets at which an unexplained word stood.
    blind: Option<usize>,
    bracket_closes: bool,
    /// "Above", "below" or "break", if it stands before the first price.
    relation: Option<Meaning>,
    /// The icon that begins the line.
    bullet: Option<char>,
    /// Why a further entry would make the field unclear.
    parted: Option<&'static str>,
    /// True in the field of a stop.
    is_stop: bool,
    /// True in a field that may hold entries.
    is_entry: bool,
    /// True when "above", "below" or "break" stood behind an entry: "around 16.85, if it loses 16.2".
    relation_behind: bool,
    /// The share before its price: "30% at 10.2".
    leading_share: Option<(Number<'t>, ShareForm)>,
    /// True behind the first clause of the field.
    clause_ended: bool,
    /// True beside symbol and side, in the field that no label opens.
    is_header: bool,
    /// How many further unexplained words may stand between the side and "at" with the price; none where they may not.
    resumes: Option<usize>,
}

impl<'t> Scan<'_, 't> {
    fn piece(&mut self, at: usize, piece: &Piece<'t>) {
        let starts_line = at == 0 || piece.line != self.line;
        self.line = piece.line;
        if at > 0 && starts_line {
            self.blind = None;
            self.brackets = 0;
            self.bullet = None;
            self.join(Joint::Line);
        }
        match &piece.what {
            What::Number(number) => self.number(at, *number),
            What::Index(_) if !starts_line && matches!(self.pieces[at - 1].what, What::Index(_)) => {
                self.found.unclear = Some("keycaps side by side may be a price");
            }
            What::Index(_) => self.join(Joint::Line),
            What::Mark(mark) => self.mark(at, *mark),
            What::Icon('→') => self.lead_on(),
            What::Icon('🚀') if self.awaits_value(at) => self.runner(),
            What::Icon(icon) if starts_line => self.bullet = Some(*icon),
            What::Icon(icon) if is_tick(*icon) => self.tick(),
            What::Icon(_) => {}
            What::Ticker(_) => {}
            What::Unknown if self.names_coin(at) => {}
            What::Term(meaning @ (Meaning::Above | Meaning::Below | Meaning::Break), _)
                if self.is_postposed(at) =>
            {
                self.found.flags.add(*meaning);
            }
            What::Term(Meaning::At, _) if self.resumes_at(at) => self.blind = None,
            What::Term(Meaning::Hedge | Meaning::Perhaps | Meaning::Later, _)
                if self.is_close_condition(at) || self.is_trigger(at) => {}
            What::Term(meaning, _) => self.term(*meaning),
            What::Clock | What::Unknown => {
                self.resumes = self.resumes.and_then(|left| left.checked_sub(1));
                self.go_blind();
            }
            What::Tangle if self.is_remark() => {}
            What::Tangle => self.found.unclear = Some("letters or a list number stick to a price"),
        }
    }

    fn join(&mut self, joint: Joint) {
        if !self.found.items.is_empty() && matches!(self.joint, Joint::Space | Joint::Start | Joint::Line) {
            self.joint = joint;
        }
    }

    /// An arrow leads from one value to the next. Among entries it may show the way of the price.
    fn lead_on(&mut self) {
        self.join(Joint::List);
        if self.is_header {
            self.part("an arrow stands among the entries");
        }
    }

    /// What stands behind the entries so far is no further one of them: why a price there makes the field unclear.
    fn part(&mut self, why: &'static str) {
        if self.is_entry && !self.found.items.is_empty() {
            self.parted = self.parted.or(Some(why));
        }
    }

    fn mark(&mut self, at: usize, mark: char) {
        if matches!(mark, '.' | ';' | ',' | '!' | '(') {
            self.resumes = None;
            self.clause_ended |= mark != '(';
        }
        match mark {
            '>' if self.is_header && at > 0 && matches!(self.pieces[at - 1].what, What::Mark('-' | '=')) => {
                self.lead_on()
            }
            '.' | ';' | '!' if self.is_header => self.part("prices stand in two sentences"),
            '€' | '£' | '₹' | '₺' | '₽' | '₩' | '¥' => self.found.flags.add(Meaning::Currency),
            '(' | '[' => {
                self.brackets += 1;
                self.bracket_closes = false;
            }
            ')' | ']' => {
                self.blind = self.blind.filter(|depth| *depth < self.brackets);
                self.brackets = self.brackets.saturating_sub(1);
            }
            // At the start of a line it is a bullet.
            '-' | '_' | '~' if !self.starts_line(at) => self.join(Joint::Range),
            '/' | ',' | ';' | '|' | '&' | '\\' => self.join(Joint::List),
            _ => {}
        }
    }

    fn term(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::To => self.join(Joint::Range),
            Meaning::And => self.join(Joint::List),
            Meaning::Runner => self.runner(),
            Meaning::Close | Meaning::Closed if self.brackets > 0 => {
                self.bracket_closes = true;
                self.found.flags.add(Meaning::Close);
            }
            Meaning::Market if !self.found.items.is_empty() => {
                self.part("a market price stands among other entries");
                self.found.flags.add(meaning);
            }
            Meaning::Above | Meaning::Below | Meaning::Break => {
                self.relation = Some(meaning);
                self.relation_behind |= self.is_entry && !self.found.items.is_empty();
            }
            Meaning::Candle(length) => self.found.candle = Some(length.as_str().to_owned()),
            // Behind a level, or in brackets, "now" tells the time.
            Meaning::Now if self.brackets > 0 || !self.found.items.is_empty() => {}
            Meaning::Side(_) => self.part("a price stands before the side and another one behind it"),
            _ if explains(meaning) => self.found.flags.add(meaning),
            _ => self.go_blind(),
        }
    }

    /// What nothing explains hides the numbers behind it.
    fn go_blind(&mut self) {
        self.blind = self.blind.or(Some(self.brackets));
        self.leave_unread();
    }

    fn leave_unread(&mut self) {
        self.found.unread |= !self.clause_ended && self.found.items.is_empty();
    }

    fn runner(&mut self) {
        let again = matches!(self.found.items.last(), Some(Item { level: Level::Runner, .. }));
        if self.blind.is_none() && self.brackets == 0 && !again {
            self.push(Level::Runner);
        }
    }

    fn tick(&mut self) {
        if let Some(last) = self.found.items.last_mut() {
            last.ticked = true;
        }
    }

    fn push(&mut self, level: Level<'t>) {
        if self.found.items.is_empty() {
            self.relation.into_iter().for_each(|relation| self.found.flags.add(relation));
        }
        if self.relation_behind {
            self.found.unclear = Some("a condition stands among the entries");
        }
        self.found.unclear = self.found.unclear.or(self.parted);
        if self.found.items.capacity() == 0 {
            self.found.items = Vec::with_capacity(USUAL_ITEMS);
        }
        let share = self.leading_share.take();
        self.found.items.push(Item { level, joint: self.joint, share, ticked: false, bullet: self.bullet });
        self.joint = Joint::Space;
    }

    fn number(&mut self, at: usize, number: Number<'t>) {
        match number.unit {
            Unit::None | Unit::Kilo | Unit::Myriad => match self.range_unit(at) {
                // `25-30%`: one percentage with two ends.
                Some(Unit::Percent) => {
                    self.found.unclear = self.found.unclear.or(self.unless_blind("a range of percentages"));
                }
                // `3-5x`: one leverage with two ends.
                Some(Unit::Times) if number.unit == Unit::None => {}
                _ => self.price(at, number),
            },
            Unit::Percent => self.percent(at, number),
            Unit::Risk if self.blind.is_none() => self.push(Level::Multiple(number)),
            Unit::Span(letter) if self.blind.is_none() => {
                self.found.candle = Some(format!("{}{letter}", number.text));
            }
            Unit::Ordinal => self.join(Joint::Line),
            Unit::Risk | Unit::Span(_) | Unit::Times => self.leave_unread(),
        }
    }

    fn unless_blind(&self, why: &'static str) -> Option<&'static str> {
        self.blind.is_none().then_some(why)
    }

    fn price(&mut self, at: usize, number: Number<'t>) {
        if self.is_remark() && self.is_ratio(at) {
            return;
        }
        if self.blind.is_some() || self.is_remark() {
            self.found.loose.push(number);
        } else if is_pair(number.text) {
            self.found.unclear = Some("two prices may be joined by a point");
        } else if self.is_list_number(at, &number) {
            self.join(Joint::Line);
        } else {
            self.push(Level::Price(number));
        }
    }

    /// Behind a price, a percentage is its share or its return; alone, it is a distance.
    fn percent(&mut self, at: usize, number: Number<'t>) {
        let signed =
            at > 0 && self.pieces[at].glued && matches!(self.pieces[at - 1].what, What::Mark('+' | '-'));
        let of_profit = self.pieces.get(at + 1).is_some_and(|next| next.what.is(Meaning::OfProfit));
        if self.blind.is_some() || of_profit || self.is_labelled_behind(at) {
            return;
        }
        let joint = self.joint;
        let leads = self.brackets == 0 && self.price_is_next(at);
        let priced = matches!(self.found.items.last(), Some(Item { level: Level::Price(_), .. }));
        if leads && (!priced || joint != Joint::Range) {
            self.leading_share = Some((number, ShareForm::Plain));
            return;
        }
        let Some(last) = self.found.items.last_mut().filter(|_| priced) else {
            match self.brackets {
                0 => self.push(Level::Percent(number)),
                // "TP1 (50%): 5.6".
                _ => self.leading_share = Some((number, ShareForm::Bracket)),
            }
            return;
        };
        let form = match (self.brackets > 0, joint) {
            (true, _) if self.bracket_closes => Some(ShareForm::Plain),
            (true, _) if !signed => Some(ShareForm::Bracket),
            (false, Joint::Range) if !signed => Some(ShareForm::Plain),
            _ => None,
        };
        last.share = last.share.or(form.map(|form| (number, form)));
        self.joint = Joint::Space;
    }
}

/// `2500.2600`: no price of four digits has as many behind the point.
fn is_pair(number: &str) -> bool {
    number.len() > 2 * PAIRED_DIGITS
        && number.split_once('.').is_some_and(|(whole, fraction)| {
            whole.len() == fraction.len() && whole.len() >= PAIRED_DIGITS && !fraction.contains(['.', ','])
        })
}

/// So many digits have the prices of which one alone has no such fraction.
const PAIRED_DIGITS: usize = 4;

/// A number that may be a price.
pub(super) fn is_price(what: &What<'_>) -> bool {
    matches!(what, What::Number(number) if number.unit.is_of_price())
}

impl Item<'_> {
    /// True when a tick begins its line.
    pub(super) fn has_tick_before(&self) -> bool {
        self.bullet.is_some_and(is_tick)
    }
}

/// Icons that tick something off. Behind a level they say that it was reached.
pub(super) fn is_tick(icon: char) -> bool {
    matches!(icon, '✅' | '☑' | '✔' | '✓')
}

/// The value of a number that may be a list number.
pub(super) fn small_integer(number: &Number<'_>) -> Option<u8> {
    if number.unit != Unit::None {
        return None;
    }
    number.text.parse().ok().filter(|value| (1..=MAX_LIST).contains(value))
}
