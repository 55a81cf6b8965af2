//! Fields: which stretch of a text belongs to which label. A label opens a field, the next one closes it.
//!
//! Entry point: [`fields`]. Invariants: a field ends with its line, unless the lines below it begin with values; what
//! stands in no field is loose, and loose numbers are a reason for doubt later on.

mod lines;

use std::ops::Range;

use super::exits;
use super::labels_behind;
use super::pieces::{Piece, Pieces, What};
use super::seen::Sight;
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
    let mut cutter = Cutter::new(pieces);
    for (at, piece) in pieces.list.iter().enumerate() {
        cutter.begin(at);
        match &piece.what {
            What::Number(number) => {
                // "4h close above 32.2" may be an exit.
                if matches!(number.unit, Unit::Span(_)) && cutter.is_exit(at) {
                    cutter.open(Opener::Label(Slot::Stop), (at, at));
                }
                cutter.has_number |= number.unit != Unit::Times;
            }
            What::Term(meaning, _) if cutter.is_exit(at) => {
                let waits = matches!(meaning, Meaning::Hedge | Meaning::Later);
                cutter.open(Opener::Label(Slot::Stop), (at, at + usize::from(waits)));
            }
            What::Term(Meaning::Label(Slot::Appendix), _) => {
                cutter.open(Opener::Label(Slot::Appendix), (at, at));
                break;
            }
            What::Term(..) | What::Ticker(_) | What::Icon(_) => {
                if let Some(opener) = cutter.opener(at) {
                    let own = matches!(opener, Opener::Header | Opener::Buy | Opener::Sell | Opener::Market);
                    cutter.open(opener, (at, if own { at } else { at + 1 }));
                }
            }
            What::Index(_) | What::Clock | What::Mark(_) | What::Unknown | What::Tangle => {}
        }
    }
    cutter.done_with(pieces.list.len())
}

struct Cutter<'p, 't> {
    pieces: &'p Pieces<'t>,
    done: Vec<Field>,
    open: Field,
    has_number: bool,
    /// True when the first value stands below the label, so that more may follow.
    is_listed: bool,
    /// True where an exit in words may stand at all.
    may_exit: bool,
    /// Likewise a clause with the label of the stop at its end.
    may_end_in_stop: bool,
    /// Likewise a clause with the side behind its price.
    may_end_in_side: bool,
    /// Likewise a target with its share of the profit.
    may_share_profit: bool,
}

/// Room for the fields of most texts.
const USUAL_FIELDS: usize = 16;

impl<'p, 't> Cutter<'p, 't> {
    fn new(pieces: &'p Pieces<'t>) -> Self {
        let may_have = |meanings: &[Meaning]| pieces.may_have_any(meanings);
        let priced = pieces.seen.has(Sight::Price);
        let relations = may_have(&[Meaning::Above, Meaning::Below, Meaning::Break]);
        Self {
            pieces,
            done: Vec::with_capacity(USUAL_FIELDS),
            open: Field { opener: Opener::Loose, range: 0..0 },
            has_number: false,
            is_listed: false,
            may_exit: priced && may_have(exits::GIVING_UP),
            may_end_in_stop: priced && relations && may_have(&[Meaning::Label(Slot::Stop)]),
            may_end_in_side: priced && pieces.seen.has(Sight::Side),
            may_share_profit: priced && may_have(&[Meaning::OfProfit]),
        }
    }

    /// What a line or a clause opens by its form.
    fn begin(&mut self, at: usize) {
        let starts_line = self.starts_line(at);
        if !starts_line && at > 0 && !self.may_end_in_stop {
            return;
        }
        if self.may_end_in_side && (starts_line || at == 0) && self.is_price_before_side(at) {
            self.open(Opener::Header, (at, at));
        } else if self.may_end_in_stop && self.is_stop_clause(at) {
            self.open(Opener::Label(Slot::Stop), (at, at));
        } else if starts_line {
            if self.is_profit_line(at) || self.is_bare_target_line(at) {
                self.open(Opener::Label(Slot::Target), (at, at));
            } else if self.goes_on(at) {
                self.is_listed |= !self.has_number;
            } else {
                self.open(Opener::Loose, (at, at));
            }
        }
    }

    /// True where a stop in words begins, unless the stop is open already.
    fn is_exit(&self, at: usize) -> bool {
        self.may_exit && self.open.opener != Opener::Label(Slot::Stop) && exits::begins(&self.pieces.list, at)
    }

    /// Ends the open field before piece `end` and opens the next one at piece `start`.
    fn open(&mut self, opener: Opener, (end, start): (usize, usize)) {
        let ended = std::mem::replace(&mut self.open, Field { opener, range: start..start });
        self.has_number = false;
        self.is_listed = false;
        self.close(ended, end);
    }

    fn close(&mut self, mut field: Field, end: usize) {
        field.range.end = end.max(field.range.start);
        if !field.range.is_empty() || field.opener != Opener::Loose {
            self.done.push(field);
        }
    }

    fn done_with(mut self, end: usize) -> Vec<Field> {
        let last = self.open.clone();
        self.close(last, end);
        self.done
    }

    fn starts_line(&self, at: usize) -> bool {
        at > 0 && self.pieces.list[at].line != self.pieces.list[at - 1].line
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
            What::Icon(icon) => self.labelled_by(at, *icon).map(Opener::Label),
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

    /// The slot that an icon before its price stands for. A banknote before all prices is the entry, a siren before the last one the stop: both
    /// also decorate, so that their place must tell.
    fn labelled_by(&self, at: usize, icon: char) -> Option<Slot> {
        let list = &self.pieces.list;
        let before = || list[..at].iter().any(|piece| is_price(&piece.what));
        if icon != '🚨' && labelled_by(icon).is_none() || !self.leads(at, icon) {
            return None;
        }
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

/// How many marks and icons may stand before a field's first value.
const MAX_BULLETS: usize = 8;

/// How far ahead an icon's likes are looked for: ten targets with their icons.
const MAX_ICON_DISTANCE: usize = 64;

/// Marks that part two levels, so that what stands before them belongs to the first.
fn divides(what: &What<'_>) -> bool {
    matches!(what, What::Mark('/' | ',' | ';' | '|'))
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
