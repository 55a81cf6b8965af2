//! Lines: what a line or a clause opens by its form, without a label before it.
//!
//! Entry points: the questions of [`Cutter`]. Invariant: they look at one line, and at the field that is open.

use super::super::pieces::{Piece, What};
use super::super::tokens::Unit;
use super::super::values::{is_price, small_integer};
use super::super::words::{Meaning, Slot};
use super::{Cutter, MAX_BULLETS, Opener, is_relation};

impl Cutter<'_, '_> {
    /// True when the line that starts at `at` holds further values of the open field.
    pub(super) fn goes_on(&self, at: usize) -> bool {
        // Targets may go on line by line. An entry with a value in its own line does not: what follows is something else.
        let lists = matches!(self.open.opener, Opener::Label(Slot::Target) | Opener::Sell | Opener::Close);
        let heads = matches!(self.open.opener, Opener::Label(_) | Opener::Buy | Opener::Header);
        if !lists && !(heads && (!self.has_number || self.is_listed || self.is_numbered(at))) {
            return false;
        }
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
        (value || rockets) && self.is_near(line)
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
        if self.open.opener != Opener::Label(Slot::Entry) {
            return false;
        }
        let values = self.open.range.start..at;
        let is_value = |at: &usize| !matches!(self.pieces.list[*at].what, What::Mark(_) | What::Icon(_));
        let first = values.into_iter().take(MAX_BULLETS).find(is_value).and_then(number_at);
        first == Some(1) && number_at(at).is_some_and(|n| n > 1)
    }

    /// Below a header with its entry, before a labelled stop: a line of nothing but prices holds the targets.
    pub(super) fn is_bare_target_line(&self, at: usize) -> bool {
        let list = &self.pieces.list;
        if self.open.opener != Opener::Header || !self.has_number || !is_price(&list[at].what) {
            return false;
        }
        let labelled = |slot: Slot| list.iter().any(|piece| piece.what.slot() == Some(slot));
        let plain = |piece: &Piece<'_>| {
            is_price(&piece.what)
                || matches!(piece.what, What::Mark('-' | '/' | '|' | ',' | '~' | '$') | What::Icon(_))
        };
        let line = list[at].line;
        let mut line = list[at..].iter().take_while(|piece| piece.line == line);
        line.all(plain) && labelled(Slot::Stop) && !labelled(Slot::Target) && !labelled(Slot::Entry)
    }

    /// `17.4 | 50% of profit`: a price that begins a line and has a share of the profit is a target without a label.
    pub(super) fn is_profit_line(&self, at: usize) -> bool {
        if !self.may_share_profit {
            return false;
        }
        let line = self.pieces.list[at].line;
        let mut values = self.pieces.list[at..]
            .iter()
            .take_while(|piece| piece.line == line)
            .filter(|piece| !matches!(piece.what, What::Mark(_) | What::Icon(_) | What::Index(_)));
        values.next().is_some_and(|piece| is_price(&piece.what))
            && values.any(|piece| piece.what.is(Meaning::OfProfit))
    }

    /// `18.36 附近做多`, `0.52 long`, `突破93200做多`: a clause of prices and a side, the prices first.
    pub(super) fn is_price_before_side(&self, at: usize) -> bool {
        let list = &self.pieces.list;
        let priced = |at: usize| list.get(at).is_some_and(|piece| is_price(&piece.what));
        let starts = priced(at) || is_relation(&list[at].what) && priced(at + 1);
        if !starts || self.goes_on(at) {
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
    pub(super) fn is_stop_clause(&self, at: usize) -> bool {
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

/// How far below its label a value may stand: lists of targets have at most ten or twelve lines.
const MAX_FIELD_LINES: usize = 24;

/// "Above 0.0094" in the line below "Entry:".
fn is_preposition(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Term(Meaning::Above | Meaning::Below | Meaning::Limit | Meaning::Filler | Meaning::At, _)
    )
}
