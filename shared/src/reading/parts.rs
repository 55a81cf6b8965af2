//! Parts: a post's text and each of its embeds are read on their own, then put together.
//!
//! Entry point: [`read`]. Invariants: an advertisement beside a card does not touch the card's levels; what the text
//! repeats from its embed is one signal; two parts that disagree make the reader abstain.

use rust_decimal::Decimal;

use super::beside::{self, Lack};
use super::chatter::{Objection, objection, second_thoughts};
use super::clean::{Cleaned, Text, clean};
use super::evidence::{Evidence, Field, Part};
use super::habits::Habits;
use super::levels::Roles;
use super::marks::evidence;
use super::mixed::mixed;
use super::numbers::Way;
use super::pieces::{Pieces, What, pieces};
use super::plausible;
use super::several;
use super::signals::{Block, Outcome};
use super::source::Source;
use super::symbols::Strength;
use super::tokens::tokens;
use super::updates;
use super::values::is_price;
use super::verdict::Verdict;
use super::words::{Lexicon, Meaning, Meant};
use crate::post::Post;
use crate::signal::{Side, Signal};
use crate::update::{Scope, SignalUpdate};

/// The most text of one post that is read. Discord ends at 4,000 characters of content and 6,000 in all embeds, and as much
/// again in what is forwarded; four bytes each make 80 KiB.
pub(super) const MAX_READ_BYTES: usize = 128 * 1024;

/// Reads a post with the words that hold for it.
pub(super) fn read(post: &Post, words: Lexicon<'_>, habits: Habits<'_>) -> Found {
    if post.deleted_at.is_some() {
        return noise("the post was deleted");
    }
    let reply = post.reply_to.is_some();
    let reader = Reader { words, habits, reply, edited: post.edited_at.is_some() };
    let mut parts = sources(post);
    parts.retain(|part| !part.is_blank());
    if parts.iter().map(Source::bytes).sum::<usize>() > MAX_READ_BYTES {
        return abstained("more text than any call has: nothing of it is read");
    }
    match parts.as_slice() {
        [] => noise("no text"),
        [part] => reader.read(part),
        [first, others @ ..] if !post.content.trim().is_empty() && reader.is_objected(first) => {
            let found = reader.read(&joined(first, others));
            match found.verdict {
                Verdict::Signals { .. } => abstained("the text beside the card puts it in doubt"),
                _ => found,
            }
        }
        [first, others @ ..] => {
            let apart: Vec<Found> = parts.iter().map(|part| reader.read(part)).collect();
            let silent: Vec<bool> = apart.iter().map(|found| found.evidence.is_empty()).collect();
            let found = put_together(apart).unwrap_or_else(|| reader.read(&joined(first, others)));
            let mut unread = parts.iter().zip(silent).filter(|(_, silent)| *silent);
            if unread.any(|(part, _)| reader.contradicts(part, found.verdict.signals())) {
                return abstained("the text beside the card names another side or symbol");
            }
            found
        }
    }
}

/// A verdict with the evidence for it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) evidence: Vec<Evidence>,
}

/// The texts of a post that are read on their own: the content, each embed, and likewise of what it forwards.
fn sources(post: &Post) -> Vec<Source<'_>> {
    let mut sources = vec![Source::of_text(Part::Content, &post.content)];
    for (embed, at) in post.embeds.iter().zip(0..=u8::MAX) {
        sources.push(Source::of_embed(embed, |place| Part::Embed(at, place)));
    }
    for (copy, of) in post.forwarded.iter().zip(0..=u8::MAX) {
        sources.push(Source::of_text(Part::Forwarded(of), &copy.content));
        for (embed, at) in copy.embeds.iter().zip(0..=u8::MAX) {
            sources.push(Source::of_embed(embed, |place| Part::ForwardedEmbed(of, at, place)));
        }
    }
    sources
}

fn joined<'p>(first: &Source<'p>, others: &[Source<'p>]) -> Source<'p> {
    others.iter().fold(first.clone(), Source::followed_by)
}

/// Joins the readings of the parts of one post; none if only the whole can tell.
fn put_together(apart: Vec<Found>) -> Option<Found> {
    let mut signals: Vec<Signal> = Vec::new();
    let mut evidence = Vec::new();
    let mut others = Vec::new();
    let mut updates = Vec::new();
    for found in apart {
        match found.verdict {
            Verdict::Signals { signals: more, updates: told } => {
                let earlier = updates.len();
                updates.extend(told);
                evidence.extend(found.evidence.iter().filter_map(|e| of_update(e, earlier)));
                // The same signal in text and embed is one; both places are evidence for it.
                for (nth, signal) in more.into_iter().enumerate() {
                    let known = signals.iter().position(|known| *known == signal);
                    let place = known.unwrap_or(signals.len());
                    if known.is_none() {
                        signals.push(signal);
                    }
                    let of = |e: &&Evidence| usize::from(e.of) == nth && !tells_of_update(e.field);
                    let renumbered = |e: &Evidence| Some(Evidence { of: u16::try_from(place).ok()?, ..*e });
                    evidence.extend(found.evidence.iter().filter(of).filter_map(renumbered));
                }
            }
            Verdict::Noise { .. } => {}
            _ => others.push(found),
        }
    }
    let repeated = signals
        .iter()
        .enumerate()
        .any(|(at, signal)| signals[at + 1..].iter().any(|other| other.base() == signal.base()));
    if repeated {
        return Some(abstained("text and embed name different levels for one symbol"));
    }
    match (signals.is_empty(), others.len()) {
        (false, 0) => Some(Found { verdict: Verdict::Signals { signals, updates }, evidence }),
        (false, _) => Some(abstained("one part is a signal, another one is unclear or an update")),
        (true, 1) => others.pop().filter(|found| matches!(found.verdict, Verdict::Updates { .. })),
        (true, _) => None,
    }
}

/// True for the fields whose evidence is numbered by updates.
fn tells_of_update(field: Field) -> bool {
    matches!(field, Field::Scope | Field::Action)
}

/// The evidence of an update that others stand before.
fn of_update(evidence: &Evidence, earlier: usize) -> Option<Evidence> {
    let of = u16::try_from(earlier).ok()?.checked_add(evidence.of)?;
    tells_of_update(evidence.field).then_some(Evidence { of, ..*evidence })
}

/// Reads one source at a time.
struct Reader<'w> {
    words: Lexicon<'w>,
    habits: Habits<'w>,
    /// True when the post answers another one.
    reply: bool,
    /// True when the post was edited.
    edited: bool,
}

impl Reader<'_> {
    fn read(&self, source: &Source<'_>) -> Found {
        let cleaned = clean(source, self.words);
        if cleaned.own.is_blank() {
            return self.read_without_own(source, &cleaned);
        }
        let own_tokens = tokens(&cleaned.own, self.words);
        let own = Pieces { habits: self.habits, ..pieces(&own_tokens) };
        if !cleaned.quoted.is_blank() && self.heads_body(&own, &cleaned.quoted) {
            let whole = cleaned.own.followed_by(&cleaned.quoted);
            let tokens = tokens(&whole, self.words);
            let pieces = Pieces { habits: self.habits, ..pieces(&tokens) };
            return self.read_pieces(source, &pieces, (&whole, &Text::default()));
        }
        if let Some(whole) = self.completed(source, &own) {
            return self.read(&whole);
        }
        self.read_pieces(source, &own, (&cleaned.own, &cleaned.quoted))
    }

    fn read_pieces(&self, source: &Source<'_>, pieces: &Pieces<'_>, (own, quoted): (&Text, &Text)) -> Found {
        let text = ReadText {
            block: Block::new(pieces),
            place: (source, own),
            context: updates::Context { reply: self.reply, edited: self.edited, quoted, words: self.words },
        };
        text.read()
    }

    fn heads_body(&self, own: &Pieces<'_>, quoted: &Text) -> bool {
        let tokens = tokens(quoted, self.words);
        beside::heads_body(own, &pieces(&tokens))
    }

    /// The source with its footer, where that supplies the symbol or the side that the rest lacks; or without the name
    /// of its author, where that only sounds like a symbol or a side.
    fn completed<'p>(&self, source: &Source<'p>, own: &Pieces<'_>) -> Option<Source<'p>> {
        if let Some((author, rest)) = source.without_author() {
            let speaks = self.with_pieces(&author, |author| beside::speaks(&author.list));
            if speaks && self.with_pieces(&rest, |rest| beside::is_complete(&rest.list)) {
                return Some(rest);
            }
        }
        let (footer, whole) = source.with_footer()?;
        let lack = Lack::of(&Block::new(own))?;
        self.with_pieces(&footer, |footer| lack.is_met_by(&footer.list)).then_some(whole)
    }

    /// What `look` sees in the pieces of a source's own lines.
    fn with_pieces(&self, source: &Source<'_>, look: impl Fn(&Pieces<'_>) -> bool) -> bool {
        let cleaned = clean(source, self.words);
        let tokens = tokens(&cleaned.own, self.words);
        look(&pieces(&tokens))
    }

    /// True when a part that holds no signal names another side or symbol than the signals beside it.
    fn contradicts(&self, part: &Source<'_>, signals: &[Signal]) -> bool {
        !signals.is_empty() && self.with_pieces(part, |part| beside::contradicts(&part.list, signals))
    }

    /// True when a text beside a card questions, negates or doubts it.
    fn is_objected(&self, source: &Source<'_>) -> bool {
        self.with_pieces(source, |pieces| objection(&Block::new(pieces)).is_some())
    }

    fn read_without_own(&self, source: &Source<'_>, cleaned: &Cleaned) -> Found {
        if self.edited
            && let Some(found) = self.withdrawn(source, &cleaned.gone)
        {
            return found;
        }
        let tokens = tokens(&cleaned.quoted, self.words);
        let pieces = pieces(&tokens);
        if Block::new(&pieces).labelled_levels() >= 2 {
            return abstained("only a quotation, perhaps of an old signal");
        }
        noise(if cleaned.struck { "everything is struck out" } else { "no text of its own" })
    }

    /// A call that was struck out in an edit is cancelled.
    fn withdrawn(&self, source: &Source<'_>, gone: &Text) -> Option<Found> {
        let tokens = tokens(gone, self.words);
        let pieces = pieces(&tokens);
        let (update, marks) = updates::withdrawal(&Block::new(&pieces))?;
        let verdict = Verdict::Updates { updates: vec![update] };
        Some(Found { verdict, evidence: evidence(&marks, 0, (source, gone)) })
    }
}

/// One cleaned text, cut into fields, with the way back to the post.
struct ReadText<'c, 't> {
    block: Block<'c, 't>,
    place: (&'c Source<'c>, &'c Text),
    context: updates::Context<'c>,
}

impl ReadText<'_, '_> {
    fn read(&self) -> Found {
        let block = &self.block;
        match objection(block) {
            Some(Objection::Noise(reason)) => noise(reason),
            Some(Objection::Governed(reason)) => self.told().unwrap_or_else(|| noise(reason)),
            Some(Objection::Doubt(reason)) if block.looks_like_signal() => abstained(reason),
            Some(Objection::Doubt(reason)) => noise(reason),
            Some(Objection::Running(reason)) => {
                self.read_mixed().or_else(|| self.read_update()).unwrap_or_else(|| {
                    let holds_levels = block.labelled_levels() >= 2 || Roles::of(block).filled(block) >= 2;
                    if holds_levels { abstained(reason) } else { nothing(block.pieces) }
                })
            }
            None => self.read_new(),
        }
    }

    fn read_new(&self) -> Found {
        let block = &self.block;
        let outcomes = several::signals(block);
        if let [Outcome::Unfinished(reason)] = outcomes.as_slice() {
            return self.read_update().unwrap_or_else(|| abstained(reason));
        }
        let Some(new) = self.accept(outcomes) else {
            let told = self.read_mixed().or_else(|| self.read_update());
            return told.unwrap_or_else(|| nothing(block.pieces));
        };
        // In a reply, a stop and targets alone complete an earlier entry; a bare entry there rather belongs to that one.
        let bare = self.context.reply && is_bare(&new);
        let new = if bare { abstained("a bare entry in an answer") } else { new };
        let doubtful = new.evidence.is_empty();
        if !(updates::tells(block.pieces) || self.context.reply && doubtful) || self.is_whole_call() {
            return if doubtful {
                self.read_mixed().or_else(|| self.correction()).unwrap_or(new)
            } else {
                new
            };
        }
        let update = self.read_update();
        update.filter(|found| matches!(found.verdict, Verdict::Updates { .. })).unwrap_or(new)
    }

    /// What is told of a running trade beside a negation or a condition. A plan of its own is nothing told.
    fn told(&self) -> Option<Found> {
        let found = if self.block.labelled_levels() < 2 { self.read_update() } else { None };
        let plain = |update: &SignalUpdate| {
            let one = !matches!(update.scope, Scope::All { .. } | Scope::Last);
            one && !update.actions.iter().any(updates::changes_levels)
        };
        found.filter(|found| !found.verdict.updates().is_empty() && found.verdict.updates().iter().all(plain))
    }

    /// A call that was edited, with the old value beside the new one.
    fn correction(&self) -> Option<Found> {
        let corrected = self.context.edited && self.block.pieces.has(Meaning::Was);
        let found = if corrected { self.read_update() } else { None };
        found.filter(|found| matches!(found.verdict, Verdict::Updates { .. }))
    }

    /// True for a side with two kinds of levels: what such a text says about moving a stop is advice.
    fn is_whole_call(&self) -> bool {
        let pieces = self.block.pieces;
        let sides = [Meaning::Side(Side::Long), Meaning::Side(Side::Short), Meaning::Buy, Meaning::Sell];
        pieces.meant.meets(Meant::of(sides)) && Roles::of(&self.block).filled(&self.block) >= 2
    }

    /// A follow-up and a new call beside each other.
    fn read_mixed(&self) -> Option<Found> {
        if !self.is_whole_call() || !updates::tells(self.block.pieces) {
            return None;
        }
        let found = mixed(self.block.pieces, &self.context)?;
        let calls = found.signals.iter().enumerate();
        let mut evidence_of: Vec<Evidence> =
            calls.flat_map(|(nth, accepted)| evidence(&accepted.marks, nth, self.place)).collect();
        let told = found.updates.iter().enumerate();
        evidence_of.extend(told.flat_map(|(nth, (_, marks))| evidence(marks, nth, self.place)));
        let signals = found.signals.into_iter().map(|accepted| accepted.signal).collect();
        let updates = found.updates.into_iter().map(|(update, _)| update).collect();
        Some(Found { verdict: Verdict::Signals { signals, updates }, evidence: evidence_of })
    }

    fn read_update(&self) -> Option<Found> {
        if self.block.pieces.has(Meaning::Satoshi)
            && self.block.pieces.list.iter().any(|piece| is_price(&piece.what))
        {
            return self.block.looks_like_signal().then(|| abstained("a follow-up with prices in satoshi"));
        }
        match updates::updates(&self.block, &self.context) {
            updates::Outcome::Updates(read) => {
                let places = read.iter().enumerate();
                let evidence =
                    places.flat_map(|(nth, (_, marks))| evidence(marks, nth, self.place)).collect();
                let updates = read.into_iter().map(|(update, _)| update).collect();
                Some(Found { verdict: Verdict::Updates { updates }, evidence })
            }
            updates::Outcome::Doubtful(reason) => Some(abstained(reason)),
            updates::Outcome::Nothing => None,
        }
    }

    fn accept(&self, outcomes: Vec<Outcome>) -> Option<Found> {
        let mut signals = Vec::new();
        let mut found = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Signal(accepted) => {
                    found.extend(evidence(&accepted.marks, signals.len(), self.place));
                    signals.push(accepted.signal);
                }
                Outcome::Doubtful(reason) | Outcome::Unfinished(reason) => return Some(abstained(&reason)),
                Outcome::Nothing => {}
            }
        }
        if signals.is_empty() {
            return None;
        }
        if let Some(doubt) = second_thoughts(&self.block) {
            return Some(abstained(doubt));
        }
        Some(Found { verdict: Verdict::Signals { signals, updates: Vec::new() }, evidence: found })
    }
}

fn is_bare(found: &Found) -> bool {
    let bare = |signal: &Signal| signal.fields().stop.is_none() && signal.fields().targets.is_empty();
    found.verdict.signals().iter().any(bare)
}

fn nothing(pieces: &Pieces<'_>) -> Found {
    let sells = pieces.has(Meaning::Advert);
    if !sells && looks_levelled(pieces) {
        return abstained("a symbol, a side and several prices, but nothing says which is which");
    }
    noise(if sells { "an advertisement" } else { "neither a signal nor an update" })
}

/// How many prices of one magnitude look like entry, stop and target.
const LEVELS_OF_SIGNAL: usize = 3;

/// True for a symbol and a side with prices enough for a signal, whatever stands between them.
fn looks_levelled(pieces: &Pieces<'_>) -> bool {
    let any = |is: fn(&What<'_>) -> bool| pieces.list.iter().any(|piece| is(&piece.what));
    let sided = any(|what| matches!(what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _)));
    let named = any(|what| matches!(what, What::Ticker(mention) if mention.strength >= Strength::Guess));
    if !sided || !named {
        return false;
    }
    let mut prices: Vec<Decimal> = pieces
        .list
        .iter()
        .filter_map(|piece| match &piece.what {
            What::Number(number) if is_price(&piece.what) => Way::PLAIN.value(number.text),
            _ => None,
        })
        .collect();
    let tangles = pieces.list.iter().filter(|piece| matches!(piece.what, What::Tangle)).count();
    if tangles + prices.len() >= LEVELS_OF_SIGNAL && tangles > 0 {
        return true;
    }
    prices.sort_unstable();
    prices.windows(LEVELS_OF_SIGNAL).any(|near| plausible::within_reach(near[0], near[LEVELS_OF_SIGNAL - 1]))
}

fn noise(reason: &str) -> Found {
    Found { verdict: Verdict::Noise { reason: reason.to_owned() }, evidence: Vec::new() }
}

fn abstained(reason: &str) -> Found {
    Found { verdict: Verdict::Abstained { reason: reason.to_owned() }, evidence: Vec::new() }
}
