//! Nearby: what stands around a piece of a field, which decides what the piece means there.
//!
//! Entry points: the questions of [`Scan`]. Invariant: they look at a few pieces of the same line, or at the field's start.

use super::super::exits::trigger_length;
use super::super::pieces::{Piece, What};
use super::super::tokens::{Number, Unit};
use super::super::words::{Meaning, Slot};
use super::Joint;
use super::{MAX_ICONS, Scan, is_price, small_integer};

impl<'t> Scan<'_, 't> {
    /// "Filecoin (FIL)": a word right before a symbol in brackets is the coin's name.
    pub(super) fn names_coin(&self, at: usize) -> bool {
        let what = |at: usize| self.pieces.get(at).map(|piece| &piece.what);
        matches!((what(at + 1), what(at + 2)), (Some(What::Mark('(')), Some(What::Ticker(_))))
    }

    pub(super) fn starts_line(&self, at: usize) -> bool {
        at == 0 || self.pieces[at - 1].line != self.pieces[at].line
    }

    /// "Stop if a 4h candle closes below": a condition on the candle belongs to the stop.
    pub(super) fn is_close_condition(&self, at: usize) -> bool {
        let line = self.pieces[at].line;
        let mut behind =
            self.pieces[at + 1..].iter().take_while(|piece| piece.line == line && !is_price(&piece.what));
        self.is_stop
            && self.found.items.is_empty()
            && behind.any(|piece| {
                matches!(piece.what, What::Term(Meaning::Candle(_) | Meaning::CandleWord | Meaning::Close, _))
            })
    }

    /// "Long, only if we break above 7.92": the condition is the trigger's own.
    pub(super) fn is_trigger(&self, at: usize) -> bool {
        !self.is_stop && self.found.items.is_empty() && trigger_length(&self.pieces[at + 1..]).is_some()
    }

    /// "98500 above buy", "2,26 üstünde long": where the verb comes last, the word for the break stands behind its price.
    pub(super) fn is_postposed(&self, at: usize) -> bool {
        let line = self.pieces[at].line;
        let follows = at
            .checked_sub(1)
            .is_some_and(|before| self.pieces[before].line == line && is_price(&self.pieces[before].what));
        let mut next = self.pieces[at + 1..].iter().take_while(|piece| piece.line == line);
        let passed = [Meaning::Filler, Meaning::At, Meaning::CandleWord];
        let next = next.find(|piece| !passed.iter().any(|meaning| piece.what.is(*meaning)));
        let closes = next.is_none_or(|next| {
            matches!(
                next.what,
                What::Mark(',' | ';' | '.') | What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _)
            )
        });
        follows && closes && self.is_entry && self.blind.is_none() && self.found.items.len() == 1
    }

    /// True where "at" and a price follow a side with few words between, in the same clause.
    pub(super) fn resumes_at(&self, at: usize) -> bool {
        let next = self.pieces[at + 1..].iter().find(|piece| !matches!(piece.what, What::Mark('$' | '@')));
        self.resumes.is_some()
            && self.brackets == 0
            && self.found.items.is_empty()
            && next.is_some_and(|next| is_price(&next.what))
    }

    /// True in brackets behind a level, where remarks stand: "31.4 (now 31.6)".
    #[inline]
    pub(super) fn is_remark(&self) -> bool {
        self.brackets > 0 && !self.found.items.is_empty() && !self.opened_with_bracket()
    }

    /// True behind a list number, where the price is missing.
    pub(super) fn awaits_value(&self, at: usize) -> bool {
        let line = self.pieces[at].line;
        let before = self.pieces[..at].iter().rev().take(MAX_ICONS).take_while(|piece| piece.line == line);
        let mut values = before.filter(|piece| !matches!(piece.what, What::Mark(_) | What::Icon(_)));
        self.joint == Joint::Line
            && values.next().is_some_and(|piece| matches!(piece.what, What::Number(_) | What::Index(_)))
    }

    /// `1:2.4` in brackets: a gain for a risk.
    pub(super) fn is_ratio(&self, at: usize) -> bool {
        let colon = |at: Option<usize>| {
            let piece = at.and_then(|at| self.pieces.get(at));
            piece.is_some_and(|piece| piece.glued && matches!(piece.what, What::Mark(':')))
        };
        colon(at.checked_sub(1)) && self.pieces[at].glued
            || colon(Some(at + 1)) && self.pieces.get(at + 2).is_some_and(|next| next.glued)
    }

    /// `(31.4 - 31.8)`, `[32.5, 33.8]`: all levels of the field stand in brackets.
    pub(super) fn opened_with_bracket(&self) -> bool {
        let mut first = self.pieces.iter().take(MAX_ICONS);
        let first = first.find(|piece| !matches!(piece.what, What::Mark(':' | '=' | '"' | '\'')));
        first.is_some_and(|piece| matches!(piece.what, What::Mark('(' | '[')))
    }

    /// "30% at $10.2": the share stands before "at" and its price.
    pub(super) fn price_is_next(&self, at: usize) -> bool {
        let line = self.pieces[at].line;
        let mut next = self.pieces[at + 1..].iter().take_while(|piece| piece.line == line);
        let said =
            next.next().is_some_and(|next| matches!(next.what, What::Mark('@')) || next.what.is(Meaning::At));
        let price =
            next.find(|piece| !matches!(piece.what, What::Mark('$')) && !piece.what.is(Meaning::Filler));
        said && price.is_some_and(|piece| is_price(&piece.what))
    }

    /// "0.5% risk": the label of the next field is this number's own, unless a value of its own follows.
    pub(super) fn is_labelled_behind(&self, at: usize) -> bool {
        at + 1 == self.pieces.len() && matches!(bare_label(self.behind), Some(Slot::Risk | Slot::Size))
    }

    /// The unit of the second number of a range written without spaces.
    pub(super) fn range_unit(&self, at: usize) -> Option<Unit> {
        match self.pieces.get(at + 1..at + 3)? {
            [
                Piece { what: What::Mark('-'), glued: true, .. },
                Piece { what: What::Number(number), glued: true, .. },
            ] => Some(number.unit),
            _ => None,
        }
    }

    /// `1)`, `#1`, `1:`, `2. ` and, right behind a label, `1 - ` are list numbers.
    pub(super) fn is_list_number(&mut self, at: usize, number: &Number<'t>) -> bool {
        if small_integer(number).is_none() {
            return false;
        }
        let hash = at > 0 && self.pieces[at].glued && matches!(self.pieces[at - 1].what, What::Mark('#'));
        let line = self.pieces[at].line;
        let same_line = |at: usize| self.pieces.get(at).filter(|piece| piece.line == line);
        let next = same_line(at + 1);
        match next.map(|piece| (&piece.what, piece.glued)) {
            _ if hash => true,
            // "Entry 2 (DCA): 1.08": the bracket opens another label.
            Some((What::Mark('('), _)) if at == 0 && self.pieces.len() == 2 => true,
            Some((What::Mark(')' | ']'), true)) => true,
            Some((What::Mark('.'), true)) => {
                matches!(same_line(at + 2).map(|p| &p.what), Some(What::Number(_)))
            }
            Some((What::Mark(':' | '='), _)) => true,
            Some((
                What::Mark('-' | '$' | '@' | '(')
                | What::Number(_)
                | What::Icon(_)
                | What::Term(Meaning::Filler | Meaning::At | Meaning::Now, _),
                _,
            )) if at == 0 => {
                let prices = self.pieces[1..].iter().take_while(|piece| piece.line == line);
                let single = prices.filter(|piece| is_price(&piece.what)).count() == 1;
                self.found.weak_index = small_integer(number).filter(|_| single);
                single
            }
            _ => false,
        }
    }
}

/// The label that begins these pieces and has no value of its own.
fn bare_label(pieces: &[Piece<'_>]) -> Option<Slot> {
    let label = pieces.first()?;
    let valued = pieces.get(1).is_some_and(|next| {
        next.line == label.line && matches!(next.what, What::Number(_) | What::Mark(':' | '=' | '-'))
    });
    label.what.slot().filter(|_| !valued)
}
