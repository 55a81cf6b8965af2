//! Fields: which stretch of a text belongs to which label. A label opens a field, the next one closes it.
//!
//! Entry point: [`fields`]. Invariants: a field ends with its line, unless the lines below it begin with values; what
//! stands in no field is loose, and loose numbers are a reason for doubt later on.

use std::ops::Range;

use super::exits;
use super::labels_behind;
use super::pieces::{Piece, Pieces, What};
use super::tokens::Unit;
use super::values::{is_price, small_integer};
use super::words::{Meaning, Slot};

/// What opened a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// A label.
    Label(Slot),
    /// The side or the symbol: what follows may be the entry.
    Header,
    /// "Buy".
    Buy,
    /// "Sell".
    Sell,
    /// "Close" before prices.
    Close,
    /// "Market" or "CMP" without another label.
    Market,
    /// "Out", "cut" before a price.
    Exit,
    /// "Buy stop", "sell stop".
    StopOrder,
    /// Nothing: text between fields.
    Loose,
}

/// A stretch of pieces behind one opener.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// What opened it.
    pub(super) opener: Opener,
    /// The pieces behind the label.
    pub(super) range: Range<usize>,
}

/// Cuts a text into fields. Together they cover every piece but the labels.
pub(super) fn fields(pieces: &Pieces<'_>) -> Vec<Field> {
    if let Some(fields) = labels_behind::fields(pieces) {
        return fields;
    }
    let mut cutter = Cutter { pieces, done: Vec::new(), open: loose(0), has_number: false, is_listed: false };
    for at in 0..pieces.list.len() {
        if cutter.is_price_before_side(at) {
            cutter.open(Opener::Header, (at, at));
        } else if cutter.is_stop_clause(at) {
            cutter.open(Opener::Label(Slot::Stop), (at, at));
        } else if cutter.starts_line(at) {
            if cutter.is_profit_line(at) || cutter.is_bare_target_line(at) {
                cutter.open(Opener::Label(Slot::Target), (at, at));
            } else if cutter.goes_on(at) {
                cutter.is_listed |= !cutter.has_number;
            } else {
                cutter.open(Opener::Loose, (at, at));
            }
        }
        if pieces.list[at].what.slot() == Some(Slot::Appendix) {
            cutter.open(Opener::Label(Slot::Appendix), (at, at));
            return cutter.done_with(pieces.list.len());
        }
        if cutter.open.opener != Opener::Label(Slot::Stop) && exits::begins(&pieces.list, at) {
            let waits = matches!(pieces.list[at].what, What::Term(Meaning::Hedge | Meaning::Later, _));
            cutter.open(Opener::Label(Slot::Stop), (at, at + usize::from(waits)));
        } else if let Some(opener) = cutter.opener(at) {
            let own = matches!(opener, Opener::Header | Opener::Buy | Opener::Sell | Opener::Market);
            cutter.open(opener, (at, if own { at } else { at + 1 }));
        }
        cutter.has_number |=
            matches!(&pieces.list[at].what, What::Number(number) if number.unit != Unit::Times);
    }
    cutter.done_with(pieces.list.len())
}

fn loose(at: usize) -> Field {
    Field { opener: Opener::Loose, range: at..at }
}

struct Cutter<'p, 't> {
    pieces: &'p Pieces<'t>,
    done: Vec<Field>,
    open: Field,
    has_number: bool,
    /// True when the first value stands below the label, so that more may follow.
    is_listed: bool,
}

impl Cutter<'_, '_> {
    /// Ends the open field before piece `end` and opens the next one at piece `start`.
    fn open(&mut self, opener: Opener, (end, start): (usize, usize)) {
        let next = Field { opener, range: start..start };
        let mut ended = std::mem::replace(&mut self.open, next);
        ended.range.end = end.max(ended.range.start);
        self.has_number = false;
        self.is_listed = false;
        self.done.push(ended);
    }

    fn done_with(mut self, end: usize) -> Vec<Field> {
        self.open.range.end = end.max(self.open.range.start);
        self.done.push(self.open);
        self.done.retain(|field| !field.range.is_empty() || field.opener != Opener::Loose);
        self.done
    }

    fn starts_line(&self, at: usize) -> bool {
        at > 0 && self.pieces.list[at].line != self.pieces.list[at - 1].line
    }

    /// True when the line that starts at `at` holds further values of the open field.
    fn goes_on(&self, at: usize) -> bool {
        // Targets may go on line by line. An entry with a value in its own line does not: what follows is something else.
        let lists = matches!(self.open.opener, Opener::Label(Slot::Target) | Opener::Sell | Opener::Close);
        let heads = matches!(self.open.opener, Opener::Label(_) | Opener::Buy | Opener::Header);
        let may = lists || heads && (!self.has_number || self.is_listed || self.is_numbered(at));
        let line = self.pieces.list[at].line;
        let first = self.pieces.list[at..].iter().take_while(|piece| piece.line == line).find(|piece| {
            !matches!(piece.what, What::Mark(_) | What::Icon(_))
                && !matches!(piece.what, What::Term(Meaning::Row, _))
                && (self.has_number || !is_preposition(&piece.what))
        });
        let value = first.is_some_and(|piece| {
            matches!(
                piece.what,
                What::Number(_)
                    | What::Index(_)
                    | What::Term(Meaning::Runner | Meaning::Placeholder | Meaning::Market, _)
            )
        });
        let rockets = first.is_none() && self.has_number;
        may && (value || rockets) && self.is_near(line)
    }

    /// `1. 0.24` and below it `2. 0.25`: an entry that is a list from its first value on.
    fn is_numbered(&self, at: usize) -> bool {
        let number_at = |at: usize| {
            let [first, mark, ..] = self.pieces.list.get(at..)? else { return None };
            match (&first.what, &mark.what) {
                (What::Index(index), _) => Some(*index),
                (What::Number(number), What::Mark('.' | ')')) if mark.glued => small_integer(number),
                _ => None,
            }
        };
        let values = self.open.range.start..at;
        let is_value = |at: &usize| !matches!(self.pieces.list[*at].what, What::Mark(_) | What::Icon(_));
        let first = values.into_iter().take(MAX_BULLETS).find(is_value).and_then(number_at);
        self.open.opener == Opener::Label(Slot::Entry)
            && first == Some(1)
            && number_at(at).is_some_and(|n| n > 1)
    }

    /// Below a header with its entry, before a labelled stop: a line of nothing but prices holds the targets.
    fn is_bare_target_line(&self, at: usize) -> bool {
        if self.open.opener != Opener::Header || !self.has_number {
            return false;
        }
        let list = &self.pieces.list;
        let labelled = |slot: Slot| list.iter().any(|piece| piece.what.slot() == Some(slot));
        let plain = |piece: &Piece<'_>| {
            is_price(&piece.what)
                || matches!(piece.what, What::Mark('-' | '/' | '|' | ',' | '~' | '$') | What::Icon(_))
        };
        let line = list[at].line;
        let mut line = list[at..].iter().take_while(|piece| piece.line == line);
        is_price(&list[at].what)
            && line.all(plain)
            && labelled(Slot::Stop)
            && !labelled(Slot::Target)
            && !labelled(Slot::Entry)
    }

    /// `17.4 | 50% of profit`: a price that begins a line and has a share of the profit is a target without a label.
    fn is_profit_line(&self, at: usize) -> bool {
        let line = self.pieces.list[at].line;
        let mut values = self.pieces.list[at..]
            .iter()
            .take_while(|piece| piece.line == line)
            .filter(|piece| !matches!(piece.what, What::Mark(_) | What::Icon(_) | What::Index(_)));
        values.next().is_some_and(|piece| is_price(&piece.what))
            && values.any(|piece| piece.what.is(Meaning::OfProfit))
    }

    /// `18.36 附近做多`, `0.52 long`, `突破93200做多`: a clause of prices and a side, the prices first.
    fn is_price_before_side(&self, at: usize) -> bool {
        let begins = at == 0 || self.starts_line(at);
        let list = &self.pieces.list;
        let priced = |at: usize| list.get(at).is_some_and(|piece| is_price(&piece.what));
        let starts = priced(at) || is_relation(&list[at].what) && priced(at + 1);
        if !begins || !starts || self.goes_on(at) {
            return false;
        }
        let line = list[at].line;
        let mut sided = false;
        for piece in list[at..].iter().take_while(|piece| piece.line == line) {
            match piece.what {
                What::Term(Meaning::Side(_), _) => sided = true,
                // The clause ends; what follows has labels of its own.
                What::Mark(',') | What::Term(Meaning::Label(_), _) if sided => return true,
                What::Mark('-' | '/' | '~' | ',' | '$') | What::Icon(_) | What::Ticker(_) => {}
                What::Term(
                    Meaning::Filler | Meaning::At | Meaning::Now | Meaning::To | Meaning::Limit,
                    _,
                ) => {}
                _ if is_price(&piece.what) || is_relation(&piece.what) => {}
                _ => return false,
            }
        }
        sided
    }

    /// "跌破138止损", "4 saatlik kapanış 37,5 üstünde stop": a clause of nothing but a break, its candle and its price, with the
    /// label of the stop at its end.
    fn is_stop_clause(&self, at: usize) -> bool {
        let list = &self.pieces.list;
        let divides = |piece: &Piece<'_>| matches!(piece.what, What::Mark(',' | ';' | '.' | '。'));
        let line = list[at].line;
        let begins =
            at.checked_sub(1).is_none_or(|before| list[before].line != line || divides(&list[before]));
        if !begins || !is_condition(&list[at].what) && !is_price(&list[at].what) {
            return false;
        }
        let clause =
            list[at..].iter().take(MAX_CLAUSE).take_while(|piece| piece.line == line && !divides(piece));
        let (mut prices, mut relations, mut ended) = (0, 0, false);
        for piece in clause {
            match &piece.what {
                _ if ended => return false,
                what if what.slot() == Some(Slot::Stop) => ended = true,
                what if is_price(what) => prices += 1,
                what if is_condition(what) => relations += usize::from(is_relation(what)),
                _ => return false,
            }
        }
        ended && prices == 1 && relations == 1
    }

    /// Values stand close to their label: a later paragraph that begins with a number is something else.
    fn is_near(&self, line: usize) -> bool {
        let last = self.pieces.list[..self.open.range.start.max(1)].last().map_or(0, |piece| piece.line);
        line <= last + MAX_FIELD_LINES
    }

    fn opener(&self, at: usize) -> Option<Opener> {
        let what = &self.pieces.list[at].what;
        let open = self.open.opener;
        let in_stop = open == Opener::Label(Slot::Stop);
        match what {
            What::Term(Meaning::Label(Slot::Side), _) if !self.is_label(at) => None,
            // "TP 0.2395 (R:R 1:1.2), 0.254": a remark in brackets ends no list.
            What::Term(Meaning::Label(Slot::Decoy), _) if self.is_remark_in_list(at) => None,
            // "Side: long, if it breaks above 7.92".
            What::Term(Meaning::Above | Meaning::Below | Meaning::Break, _)
                if open == Opener::Label(Slot::Side) && self.price_follows_words(at) =>
            {
                Some(Opener::Header)
            }
            What::Term(Meaning::Label(slot), _) => Some(Opener::Label(*slot)),
            What::Term(Meaning::Row, _) if self.is_line_start(at) && self.price_follows(at) => {
                Some(Opener::Label(Slot::Target))
            }
            What::Term(Meaning::NoStop, _) => Some(Opener::Label(Slot::Stop)),
            What::Term(Meaning::StopOrder(_), _) => Some(Opener::StopOrder),
            What::Term(Meaning::Market, _) if self.may_be_header() && !self.holds_entry() => {
                Some(Opener::Market)
            }
            What::Term(Meaning::Buy, _) if self.may_be_header() => Some(Opener::Buy),
            What::Term(Meaning::Sell, _) if self.may_be_header() => Some(Opener::Sell),
            What::Term(Meaning::Side(_), _) | What::Ticker(_)
                if self.may_be_header() && open != Opener::Header =>
            {
                Some(Opener::Header)
            }
            What::Term(Meaning::Close, _)
                if !in_stop
                    && (self.is_line_start(at) && self.price_follows(at) || self.is_share_at_price(at)) =>
            {
                Some(Opener::Close)
            }
            What::Term(Meaning::Out | Meaning::Aim, _) if self.price_follows_words(at) => Some(Opener::Exit),
            What::Icon(icon) if self.leads(at, *icon) => self.labelled_by(at, *icon).map(Opener::Label),
            _ => None,
        }
    }

    /// True in brackets behind which the list goes on.
    fn is_remark_in_list(&self, at: usize) -> bool {
        let list = &self.pieces.list;
        let opens =
            at.checked_sub(1).is_some_and(|before| matches!(list[before].what, What::Mark('(' | '[')));
        let line = list[at].line;
        let mut behind = list[at..].iter().take(MAX_ICON_DISTANCE).take_while(|piece| piece.line == line);
        opens
            && behind.any(|piece| matches!(piece.what, What::Mark(')' | ']')))
            && behind.find(|piece| !divides(&piece.what)).is_some_and(|piece| is_price(&piece.what))
    }

    /// Inside an empty entry, or behind "Side:", the side is a value and opens nothing.
    fn may_be_header(&self) -> bool {
        match self.open.opener {
            Opener::Loose | Opener::Header => true,
            Opener::Label(Slot::Side | Slot::Kind | Slot::Pair | Slot::Leverage | Slot::Margin) => false,
            Opener::Label(
                Slot::Decoy
                | Slot::Outcome
                | Slot::Reference
                | Slot::Timeframe
                | Slot::Confidence
                | Slot::Size
                | Slot::Risk,
            ) => true,
            _ => self.has_number,
        }
    }

    /// True where "market" says something about the entry that stands there already.
    fn holds_entry(&self) -> bool {
        matches!(
            self.open.opener,
            Opener::Label(Slot::Entry) | Opener::Header | Opener::Buy | Opener::Sell | Opener::Market
        )
    }

    /// "Position" and its like are ordinary words unless a value is announced.
    fn is_label(&self, at: usize) -> bool {
        let line = self.pieces.list[at].line;
        self.pieces.list.get(at + 1).is_none_or(|next| {
            next.line != line
                || matches!(next.what, What::Mark(':' | '-' | '=' | '|' | '"') | What::Icon(_))
                || matches!(next.what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _))
        })
    }

    fn is_line_start(&self, at: usize) -> bool {
        let line = self.pieces.list[at].line;
        let before = self.pieces.list[..at].iter().rev().take_while(|piece| piece.line == line);
        before.into_iter().all(|piece| matches!(piece.what, What::Mark(_) | What::Icon(_)))
    }

    /// `1️⃣ close 40% at $32.8`, `2. close at 34.1`: behind a list number, with or without a share.
    fn is_share_at_price(&self, at: usize) -> bool {
        let list = &self.pieces.list;
        let line = list[at].line;
        let before = list[..at].iter().rev().take(MAX_BULLETS).take_while(|piece| piece.line == line);
        let listed = before
            .filter(|piece| !matches!(piece.what, What::Mark(_) | What::Icon(_)))
            .map(|piece| &piece.what);
        let mut listed = listed.peekable();
        let counted = listed.peek().is_some_and(|what| match what {
            What::Index(_) => true,
            What::Number(number) => small_integer(number).is_some(),
            _ => false,
        });
        let mut behind = list[at + 1..].iter().take_while(|piece| piece.line == line);
        let passed = |piece: &&Piece<'_>| {
            matches!(&piece.what, What::Number(number) if number.unit == Unit::Percent)
                || matches!(piece.what, What::Mark('$' | '@') | What::Term(Meaning::At | Meaning::Filler, _))
        };
        counted
            && listed.count() == 1
            && behind.find(|piece| !passed(piece)).is_some_and(|piece| is_price(&piece.what))
    }

    /// True for an icon before its price. Where the last one of a line has no price, they stand behind their prices.
    fn leads(&self, at: usize, icon: char) -> bool {
        let divides = |at: usize| matches!(self.pieces.list.get(at), Some(piece) if divides(&piece.what));
        let line = self.pieces.list[at].line;
        let onwards = self.pieces.list[at..].iter().take(MAX_ICON_DISTANCE).enumerate();
        let last = onwards
            .take_while(|(_, piece)| piece.line == line)
            .filter(|(_, piece)| matches!(piece.what, What::Icon(other) if other == icon))
            .last()
            .map_or(at, |(offset, _)| at + offset);
        let leads = |at: usize| self.price_follows(at) && !divides(at + 1);
        leads(at) && (self.is_line_start(at) || leads(last))
    }

    /// The slot that an icon stands for. A banknote before all prices is the entry, a siren before the last one the stop: both
    /// also decorate, so that their place must tell.
    fn labelled_by(&self, at: usize, icon: char) -> Option<Slot> {
        let list = &self.pieces.list;
        let before = || list[..at].iter().any(|piece| is_price(&piece.what));
        match icon {
            '💵' if !before() => Some(Slot::Entry),
            '🚨' => {
                let behind = list[at..].iter().filter(|piece| is_price(&piece.what)).count();
                let targets = list[..at].iter().any(|piece| matches!(piece.what, What::Icon('🎯' | '🥇')));
                (before() && targets && behind == 1).then_some(Slot::Stop)
            }
            _ => labelled_by(icon),
        }
    }

    /// "Out below 2.33", "cut at 0.025": a price, with at most the words between that belong to it.
    fn price_follows_words(&self, at: usize) -> bool {
        let line = self.pieces.list[at].line;
        let links = |what: &What<'_>| {
            matches!(what, What::Mark('@' | '$' | ':' | '-'))
                || matches!(
                    what,
                    What::Term(Meaning::Filler | Meaning::At | Meaning::Above | Meaning::Below, _)
                )
        };
        let next = self.pieces.list[at + 1..].iter().find(|piece| !links(&piece.what));
        next.is_some_and(|piece| piece.line == line && is_price(&piece.what))
    }

    /// A price stands behind the piece, with at most marks between.
    fn price_follows(&self, at: usize) -> bool {
        let line = self.pieces.list[at].line;
        let next = self.pieces.list[at + 1..].iter().find(|piece| !matches!(piece.what, What::Mark(_)));
        next.is_some_and(|piece| piece.line == line && is_price(&piece.what))
    }
}

/// "Above", "below", "break".
fn is_relation(what: &What<'_>) -> bool {
    matches!(what, What::Term(Meaning::Above | Meaning::Below | Meaning::Break, _))
}

/// What a stop on a candle's close is made of, but for its price.
fn is_condition(what: &What<'_>) -> bool {
    is_relation(what)
        || matches!(
            what,
            What::Term(Meaning::CandleWord | Meaning::Candle(_) | Meaning::Filler | Meaning::Close, _)
        )
        || matches!(what, What::Number(number) if matches!(number.unit, Unit::Span(_)))
}

/// The longest clause of a stop: candle, close, break and price, with small words between.
const MAX_CLAUSE: usize = 10;

/// How many marks and icons may stand before a field's first value.
const MAX_BULLETS: usize = 8;

/// How far below its label a value may stand: lists of targets have at most ten or twelve lines.
const MAX_FIELD_LINES: usize = 24;

/// How far ahead an icon's likes are looked for: ten targets with their icons.
const MAX_ICON_DISTANCE: usize = 64;

/// Marks that part two levels, so that what stands before them belongs to the first.
fn divides(what: &What<'_>) -> bool {
    matches!(what, What::Mark('/' | ',' | ';' | '|'))
}

/// "Above 0.0094" in the line below "Entry:".
fn is_preposition(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Term(Meaning::Above | Meaning::Below | Meaning::Limit | Meaning::Filler | Meaning::At, _)
    )
}

/// Icons that serve as labels when a price follows at once.
fn labelled_by(icon: char) -> Option<Slot> {
    match icon {
        '🎯' | '📤' | '🏁' | '🥅' | '💵' | '🥇' | '🥈' | '🥉' => Some(Slot::Target),
        '🛑' | '⛔' | '🚫' | '🛡' | '❌' | '☠' => Some(Slot::Stop),
        '💰' | '📥' | '🚪' | '📍' | '▶' => Some(Slot::Entry),
        _ => None,
    }
}
