//! Parts: a post's text and each of its embeds are read on their own, then put together.
//!
//! Entry point: [`read`]. Invariants: an advertisement beside a card does not touch the card's levels; what the text
//! repeats from its embed is one signal; two parts that disagree make the reader abstain.

use rust_decimal::Decimal;

use super::Verdict;
use super::chatter::{Objection, objection};
use super::clean::{Cleaned, clean};
use super::levels::Roles;
use super::numbers::{Separators, Way};
use super::pieces::{Pieces, What, pieces};
use super::plausible;
use super::several;
use super::signals::{Block, Outcome};
use super::symbols::Strength;
use super::tokens::tokens;
use super::updates;
use super::values::is_price;
use super::words::Meaning;
use crate::post::{Embed, Post};
use crate::signal::Signal;

/// Reads a post.
pub(super) fn read(post: &Post) -> Verdict {
    if post.deleted_at.is_some() {
        return noise("the post was deleted");
    }
    let mut texts: Vec<String> = vec![post.content.clone()];
    texts.extend(post.embeds.iter().map(embed_text));
    for copy in &post.forwarded {
        texts.push(copy.content.clone());
        texts.extend(copy.embeds.iter().map(embed_text));
    }
    texts.retain(|text| !text.trim().is_empty());
    let reply = post.reply_to.is_some();
    match texts.as_slice() {
        [] => noise("no text"),
        [text] => read_text(text, reply),
        [first, ..] if !post.content.trim().is_empty() && is_objected(first) => {
            match read_text(&texts.join("\n"), reply) {
                Verdict::Signals { .. } => abstained("the text beside the card puts it in doubt"),
                other => other,
            }
        }
        several => {
            let apart = several.iter().map(|text| read_text(text, reply)).collect();
            put_together(apart).unwrap_or_else(|| read_text(&several.join("\n"), reply))
        }
    }
}

/// An embed as lines. Its footer is left out: it holds the poster's name, a date, an advertisement, never a level.
fn embed_text(embed: &Embed) -> String {
    let mut text = String::new();
    for line in [&embed.author, &embed.title, &embed.description].into_iter().flatten() {
        text.push_str(line);
        text.push('\n');
    }
    for field in &embed.fields {
        let name = field.name.trim_end_matches([':', ' ']);
        let bare = clean(name).own.trim().is_empty();
        text.push_str(if bare { "" } else { name });
        text.push_str(if bare { "" } else { ": " });
        text.push_str(&field.value);
        text.push('\n');
    }
    text
}

/// Joins the readings of the parts of one post; none if only the whole can tell.
fn put_together(apart: Vec<Verdict>) -> Option<Verdict> {
    let mut signals: Vec<Signal> = Vec::new();
    let mut others = Vec::new();
    for reading in apart {
        match reading {
            Verdict::Signals { signals: more, .. } => {
                for signal in more {
                    if !signals.contains(&signal) {
                        signals.push(signal);
                    }
                }
            }
            Verdict::Noise { .. } => {}
            other => others.push(other),
        }
    }
    let repeated = signals
        .iter()
        .enumerate()
        .any(|(at, signal)| signals[at + 1..].iter().any(|other| other.base() == signal.base()));
    if repeated {
        return Some(abstained("text and embed name different levels for one symbol"));
    }
    match (signals.is_empty(), others.as_slice()) {
        (false, []) => Some(Verdict::Signals { signals, updates: Vec::new() }),
        (false, _) => Some(abstained("one part is a signal, another one is unclear or an update")),
        (true, [update @ Verdict::Updates { .. }]) => Some(update.clone()),
        (true, _) => None,
    }
}

fn read_text(text: &str, reply: bool) -> Verdict {
    let cleaned = clean(text);
    if cleaned.own.trim().is_empty() {
        return read_without_own(&cleaned);
    }
    let tokens = tokens(&cleaned.own);
    let pieces = pieces(&tokens);
    let block = Block::new(&pieces);
    let context = updates::Context { reply, quoted: &cleaned.quoted };
    match objection(&block) {
        Some(Objection::Noise(reason)) => noise(reason),
        Some(Objection::Doubt(reason)) if block.looks_like_signal() => abstained(reason),
        Some(Objection::Doubt(reason)) => noise(reason),
        Some(Objection::Running(reason)) => {
            let holds_levels = block.labelled_levels() >= 2 || Roles::of(&block).filled(&block) >= 2;
            let known = if holds_levels { abstained(reason) } else { nothing(&pieces) };
            read_update(&block, &context).unwrap_or(known)
        }
        None => match accept(several::signals(&pieces)) {
            Some(reading @ Verdict::Signals { .. }) => reading,
            // In a reply, a stop and targets alone complete an earlier entry.
            Some(doubtful) if reply => match read_update(&block, &context) {
                Some(update @ Verdict::Updates { .. }) => update,
                _ => doubtful,
            },
            Some(doubtful) => doubtful,
            None => read_update(&block, &context).unwrap_or_else(|| nothing(&pieces)),
        },
    }
}

fn read_update(block: &Block<'_, '_>, context: &updates::Context<'_>) -> Option<Verdict> {
    match updates::update(block, context) {
        updates::Outcome::Update(update) => Some(Verdict::Updates { updates: vec![update] }),
        updates::Outcome::Doubtful(reason) => Some(abstained(reason)),
        updates::Outcome::Nothing => None,
    }
}

fn nothing(pieces: &Pieces<'_>) -> Verdict {
    let sells = pieces.list.iter().any(|piece| piece.what.is(Meaning::Advert));
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
    let named = any(|what| matches!(what, What::Ticker(mention) if mention.strength >= Strength::Header));
    if !sided || !named {
        return false;
    }
    let way = Way { separators: Separators::Point, spaced_thousands: false };
    let mut prices: Vec<Decimal> = pieces
        .list
        .iter()
        .filter_map(|piece| match &piece.what {
            What::Number(number) if is_price(&piece.what) => way.values(number.text)?.pop(),
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

/// True when a text beside a card questions, negates or doubts it.
fn is_objected(text: &str) -> bool {
    let cleaned = clean(text);
    let tokens = tokens(&cleaned.own);
    let pieces = pieces(&tokens);
    let objected = objection(&Block::new(&pieces));
    objected.is_some()
}

fn read_without_own(cleaned: &Cleaned) -> Verdict {
    let tokens = tokens(&cleaned.quoted);
    let pieces = pieces(&tokens);
    if Block::new(&pieces).labelled_levels() >= 2 {
        return abstained("only a quotation, perhaps of an old signal");
    }
    noise(if cleaned.struck { "everything is struck out" } else { "no text of its own" })
}

fn accept(outcomes: Vec<Outcome>) -> Option<Verdict> {
    let mut signals = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Signal(signal) => signals.push(*signal),
            Outcome::Doubtful(reason) => return Some(abstained(&reason)),
            Outcome::Nothing => {}
        }
    }
    (!signals.is_empty()).then_some(Verdict::Signals { signals, updates: Vec::new() })
}

fn noise(reason: &str) -> Verdict {
    Verdict::Noise { reason: reason.to_owned() }
}

fn abstained(reason: &str) -> Verdict {
    Verdict::Abstained { reason: reason.to_owned() }
}
