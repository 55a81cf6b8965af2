//! Deeds: what each clause of a follow-up says happened, or asks for.
//!
//! Entry point: [`read`]. Invariants: a negated clause says nothing; what is said under a condition is left out, and if
//! nothing else is said the whole is doubtful; a share belongs to closing only when it stands in the same clause.

use super::super::marks::Mark;
use super::super::pieces::{Piece, Pieces, What};
use super::super::symbols::Mention;
use super::super::words::{Meaning, Slot};
use super::clauses::{Clause, Holds, clauses, unknown};
use super::{Numbers, Refusal};
use crate::signal::Side;
use crate::update::{Action, StopMove};

/// What one clause says.
#[derive(Debug, Default)]
pub(super) struct Said<'p> {
    /// What happened or is asked for.
    pub(super) actions: Vec<Action>,
    /// Where.
    pub(super) mark: Option<Mark>,
    /// Set when every open signal is meant, or every one of a side.
    pub(super) all: Option<Option<Side>>,
    /// True when a stop, a target or a trade is named, and little else.
    pub(super) has_object: bool,
    /// The symbols that it names.
    pub(super) names: Vec<&'p Mention>,
    /// True when these are named together: "SAND and GALA".
    pub(super) together: bool,
    /// The side that it names.
    pub(super) side: Option<Side>,
    /// True when it says something only under a condition.
    pub(super) conditional: bool,
}

/// The most unexplained words of a clause that still counts: beyond that it is prose about something.
const MAX_UNKNOWN: usize = 6;

/// Likewise where neither a symbol nor a reply says that a trade is meant.
const MAX_UNKNOWN_ALONE: usize = 1;

/// The most actions of one update.
pub(super) const MAX_ACTIONS: usize = 16;

/// Reads all clauses of a text. `named` says that something beside symbols tells which call is meant.
pub(super) fn read<'p>(pieces: &'p Pieces<'_>, reply: bool, named: bool) -> Result<Vec<Said<'p>>, Refusal> {
    let named = named || pieces.seen.tickers > 0;
    let mut pending: Vec<u8> = Vec::new();
    let mut base = first_name(&pieces.list);
    let (mut governed, mut count) = (false, 0);
    let ranges = clauses(&pieces.list);
    let mut told = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (onwards, list) = (&pieces.list[range.start..], &pieces.list[range.clone()]);
        let holds = Holds::of(list);
        base = first_name(list).filter(|_| holds.seen.tickers > 0).or(base);
        let numbers =
            Numbers { decimal_comma: pieces.decimal_comma, base: base.map(|mention| &mention.base) };
        let before = told.last().filter(|_| goes_on(&pieces.list, range.start));
        let after_deed = before.is_some_and(takes_no_stop);
        let clause = Clause { pieces: list, holds, onwards, numbers, reply, named, after_deed };
        let mut said = clause.read(&mut pending)?;
        if let Some(before) = before.filter(|before| clause.repeats(before)) {
            said.actions = clause.repeated(before)?;
            said.mark = clause.mark();
        }
        if !said.actions.is_empty()
            && !said.conditional
            && let Some(doubt) = clause.doubt(&said.actions)
        {
            return Err(Some(doubt));
        }
        if said.actions == [Action::Close] && clause.is_market_close(pieces) {
            return Err(Some("a symbol and its closing price: perhaps the market's, not a trade's"));
        }
        if clause.only_muses() && told.last().is_some_and(|last| !last.actions.is_empty()) {
            return Err(Some("what is done is told as a habit or an opinion"));
        }
        if said.actions.is_empty() && told.last().is_some_and(closes_part) && clause.is_further_share() {
            return Err(Some("a share for a further place is left over"));
        }
        if governed && said.actions.iter().any(is_instruction)
            || !said.actions.is_empty() && clause.is_conditional()
        {
            said.actions.clear();
            said.conditional = true;
        }
        if let Some(last) = told.last_mut().filter(|_| clause.bears_on_last()) {
            withdraw(last);
        }
        governed = clause.governs_next(governed, pieces.list.get(range.end));
        count += said.actions.len();
        if count > MAX_ACTIONS {
            return Err(Some("more actions than any update has"));
        }
        told.push(said);
    }
    Ok(told)
}

/// True for what was done to a position whose stop may be told next.
fn takes_no_stop(said: &Said<'_>) -> bool {
    said.actions.iter().any(|action| {
        matches!(action, Action::TargetHit { .. } | Action::PartClose { .. } | Action::EntryFilled { .. })
    })
}

fn closes_part(said: &Said<'_>) -> bool {
    said.actions.iter().any(|action| matches!(action, Action::PartClose { .. }))
}

/// True when a clause begins in the line of the one before it.
fn goes_on(list: &[Piece<'_>], start: usize) -> bool {
    start > 0 && list[start].line == list[start - 1].line
}

fn first_name<'p>(list: &'p [Piece<'_>]) -> Option<&'p Mention> {
    list.iter().find_map(|piece| match &piece.what {
        What::Ticker(mention) => Some(mention.as_ref()),
        _ => None,
    })
}

/// "Stop to entry, if TP1 hits": the condition behind takes the instruction back.
fn withdraw(said: &mut Said<'_>) {
    if said.actions.iter().any(is_instruction) {
        said.actions.clear();
        said.conditional = true;
    }
}

/// Something to be done, rather than told.
pub(super) fn is_instruction(action: &Action) -> bool {
    !matches!(
        action,
        Action::TargetHit { .. }
            | Action::EntryFilled { .. }
            | Action::StoppedOut
            | Action::StoppedAtBreakEven
    )
}

impl<'p> Clause<'p, '_> {
    fn read(&self, pending: &mut Vec<u8>) -> Result<Said<'p>, Refusal> {
        let mut said = Said { names: self.names(), together: self.names_together(), ..Said::default() };
        said.side = self.side();
        let prose = || self.is_negated() || self.is_remembered() || self.unknown() > MAX_UNKNOWN;
        if !self.holds.may_say || prose() {
            pending.clear();
            return Ok(said);
        }
        let moved = self.moved_stop()?;
        let has_moved = moved.is_some();
        let stopped = if has_moved { None } else { self.stopped() };
        if moved.is_none() && stopped.is_none() && self.acts_at_target() {
            said.conditional = true;
            return Ok(said);
        }
        self.targets(&mut said.actions, pending);
        said.actions.extend(moved);
        let free = !has_moved && stopped.is_none();
        said.actions.extend(stopped);
        if free {
            self.new_targets(&mut said.actions)?;
        }
        let levelled = !said.actions.is_empty();
        if free && !levelled {
            self.entries(&mut said.actions)?;
        }
        if said.actions.iter().all(|action| !matches!(action, Action::Add { .. } | Action::Reenter { .. })) {
            self.closing(&mut said.actions, free)?;
        }
        if !said.actions.is_empty() {
            said.mark = self.mark();
            let alone = said.actions == [Action::Close] && self.pieces.len() <= 2;
            said.has_object =
                alone || self.unknown() <= MAX_UNKNOWN_ALONE && self.names_object(&said.actions);
            said.all = self.all();
        }
        Ok(said)
    }

    fn names(&self) -> Vec<&'p Mention> {
        let mut names: Vec<&Mention> = Vec::new();
        let pieces = if self.has_ticker() { self.pieces } else { &[] };
        for piece in pieces {
            if let What::Ticker(mention) = &piece.what
                && !names.iter().any(|known| known.base == mention.base)
            {
                names.push(mention);
            }
        }
        names
    }

    /// True when nothing but "and", commas and the like stands between the symbols.
    fn names_together(&self) -> bool {
        if self.holds.seen.tickers < 2 {
            return self.has_ticker();
        }
        let is_name = |piece: &Piece<'_>| matches!(piece.what, What::Ticker(_));
        let (Some(first), Some(last)) =
            (self.pieces.iter().position(is_name), self.pieces.iter().rposition(is_name))
        else {
            return false;
        };
        self.pieces[first..=last].iter().all(|piece| {
            is_name(piece)
                || matches!(piece.what, What::Mark(',' | '&' | '+' | '/') | What::Term(Meaning::And, _))
        })
    }

    /// The side, if exactly one is named.
    fn side(&self) -> Option<Side> {
        let has = |side| self.has_any([Meaning::Side(side), Meaning::Positions(side)]);
        match (has(Side::Long), has(Side::Short)) {
            (true, false) => Some(Side::Long),
            (false, true) => Some(Side::Short),
            _ => None,
        }
    }

    /// "Every long", "shorts", "all positions"; but not "all of it".
    fn all(&self) -> Option<Option<Side>> {
        let positions = |side| self.has(Meaning::Positions(side));
        let several = positions(Side::Long) || positions(Side::Short);
        let every = self.has_any([Meaning::All, Meaning::Tracker])
            && !self.has(Meaning::Trade)
            && self.place(Slot::Target).is_none();
        (several || every).then(|| self.side())
    }

    /// "Don't close". "Cancel what is not filled" cancels all the same.
    fn is_negated(&self) -> bool {
        if !self.has(Meaning::Negation) {
            return false;
        }
        let cancel = self.at(Meaning::Cancel);
        let unfilled =
            |at: usize| self.pieces[at..].iter().take(3).any(|piece| piece.what.is(Meaning::Filled));
        let mut negations =
            self.pieces.iter().enumerate().filter(|(_, piece)| piece.what.is(Meaning::Negation));
        negations.any(|(at, _)| !(cancel.is_some_and(|cancel| cancel < at) && unfilled(at)))
    }

    /// "LINK closing at 18.2 was the best decision": the deed is what the clause tells about. In "the rest that was left"
    /// it is not.
    fn is_remembered(&self) -> bool {
        let Some(was) = self.at(Meaning::Was).filter(|was| *was > 0) else { return false };
        let (before, behind) = self.pieces.split_at(was);
        let deeds = [
            Meaning::Close,
            Meaning::Closed,
            Meaning::Out,
            Meaning::Part,
            Meaning::Partial,
            Meaning::Move,
            Meaning::Trail,
            Meaning::Cancel,
            Meaning::Add,
        ];
        let deed = |piece: &Piece<'_>| deeds.iter().any(|deed| piece.what.is(*deed));
        let word = |piece: &Piece<'_>| matches!(piece.what, What::Unknown | What::Term(..));
        before.iter().any(deed)
            && !before[was - 1].what.is(Meaning::Filler)
            && behind[1..].iter().any(word)
            && !behind.iter().any(|piece| deed(piece) || matches!(piece.what, What::Number(_)))
    }

    /// "If", "cancel below", or "once", "after" around something that is to be done. "Closed after the first target" is a report.
    fn is_conditional(&self) -> bool {
        let report = self.has(Meaning::StoppedOut)
            || self.has(Meaning::Closed) && !self.has(Meaning::Move) && self.place(Slot::Stop).is_none()
            || self.has(Meaning::Cancel) && self.place(Slot::Target).is_none();
        let relation = self.has_any([Meaning::Above, Meaning::Below, Meaning::Break]);
        let until = self.has_any([Meaning::Cancel, Meaning::Close, Meaning::Out]) && relation;
        self.has_any([Meaning::Hedge, Meaning::Perhaps, Meaning::Others, Meaning::Hindsight])
            || until
            || self.has(Meaning::Later) && !report
    }

    /// "If TP1 hits" behind an instruction.
    fn bears_on_last(&self) -> bool {
        let event = [Meaning::Hit, Meaning::Above, Meaning::Below, Meaning::Break, Meaning::Filled];
        self.has_any([Meaning::Hedge, Meaning::Perhaps, Meaning::Later])
            && (self.has_any(event) || self.place(Slot::Target).is_some())
            && !self.has_any([Meaning::Again, Meaning::Add])
    }

    /// True when what follows in the same sentence hangs on a condition.
    fn governs_next(&self, governed: bool, next: Option<&Piece<'_>>) -> bool {
        let Some(last) = self.pieces.last() else { return governed };
        let goes_on = next.is_some_and(|next| next.line == last.line)
            && !matches!(last.what, What::Mark('.' | ';' | '|' | '!') | What::Icon(_));
        goes_on && (governed || self.has_any([Meaning::Hedge, Meaning::Later]))
    }

    /// "Close 25% at TP2", "sell a third at every target": advice for later, unless that target was reached.
    fn acts_at_target(&self) -> bool {
        let acts = self.has_any([Meaning::Close, Meaning::Part, Meaning::Partial]);
        acts && self.place(Slot::Target).is_some()
            && !self.has(Meaning::Hit)
            && !self.ticked()
            && !self.changes_targets()
    }

    /// "... and on HBAR to 0.2065": nothing but another symbol, behind a clause that says what is done with one.
    fn repeats(&self, before: &Said<'_>) -> bool {
        if before.actions.is_empty() || !self.has_ticker() {
            return false;
        }
        let plain = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Ticker(_)
                    | What::Number(_)
                    | What::Mark(_)
                    | What::Icon(_)
                    | What::Term(Meaning::Filler | Meaning::To | Meaning::At | Meaning::And, _)
            )
        };
        let others = match (self.names().as_slice(), before.names.as_slice()) {
            ([mine], [other]) => mine.base != other.base,
            _ => false,
        };
        others && self.pieces.iter().all(plain)
    }

    /// What the clause before does, at this clause's price.
    fn repeated(&self, before: &Said<'_>) -> Result<Vec<Action>, Refusal> {
        let unclear = Some("it is not clear what is done with the second symbol");
        let again = |action: &Action| match action {
            Action::MoveStop { to: StopMove::Price { .. } } => {
                match self.numbers.prices(self.pieces)?.as_slice() {
                    [price] => Ok(Action::MoveStop { to: StopMove::Price { price: *price } }),
                    _ => Err(unclear),
                }
            }
            Action::Close
            | Action::Cancel
            | Action::StoppedOut
            | Action::StoppedAtBreakEven
            | Action::TargetHit { .. }
            | Action::PartClose { .. }
            | Action::MoveStop { .. } => Ok(action.clone()),
            _ => Err(unclear),
        };
        before.actions.iter().map(again).collect()
    }

    /// "Took 25% off": two words of taking and a share, and nothing else.
    fn takes_plainly(&self) -> bool {
        let known = |piece: &Piece<'_>| {
            matches!(
                piece.what,
                What::Number(_)
                    | What::Mark(_)
                    | What::Icon(_)
                    | What::Term(Meaning::Part | Meaning::Filler, _)
            )
        };
        let taking = self.pieces.iter().filter(|piece| piece.what.is(Meaning::Part)).count();
        taking == 2 && self.count_prices() == 0 && self.pieces.iter().all(known)
    }

    fn names_object(&self, actions: &[Action]) -> bool {
        let parts = actions.iter().any(|action| matches!(action, Action::PartClose { .. }));
        let taken = [Meaning::Close, Meaning::Closed, Meaning::Partial, Meaning::Now];
        self.has_any([Slot::Stop, Slot::Target, Slot::Entry].map(Meaning::Label))
            || self.has_any([Meaning::BreakEven, Meaning::StoppedOut])
            || self.names_trade()
            || parts && (self.has_any(taken) || self.takes_plainly())
    }

    /// How many words of the clause's end nobody explained.
    pub(super) fn unknown_behind(&self, at: usize) -> usize {
        unknown(&self.pieces[at + 1..])
    }
}
