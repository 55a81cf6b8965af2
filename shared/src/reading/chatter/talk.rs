//! Talk: what the words around a call say about who speaks, when, what for and in what mood.
//!
//! Entry point: [`objection`]. Each kind of word has a reach: some count wherever they stand, some only where they
//! introduce the call or share its sentence. Invariant: without such a word the text is looked at only once.

use super::super::exits::{self, trigger_length};
use super::super::options;
use super::super::pieces::{Piece, What};
use super::super::seen::{JOKING, Sight};
use super::super::tokens::Unit;
use super::super::values::is_price;
use super::super::words::{Meaning, Slot};
use super::Objection;
use super::text::{Text, governs, is_aside, is_past, names_side};
use crate::signal::Side;

/// How far a word reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It counts wherever it stands.
    Anywhere,
    /// It counts before the end of the levels, and behind them where no plan is complete.
    Levels,
    /// It counts before the first level and in the sentence that holds the call, elsewhere where no plan is complete.
    Lead,
    /// It counts in the sentence that holds the call, unless it is about a stop or a target.
    Sentence,
    /// It counts behind a word that nobody knows: who did it.
    Acted,
    /// It counts in the sentence that holds the call, behind the levels, and where no plan is complete.
    Beside,
    /// Likewise as `Sentence`, and only before the levels if the plan is complete.
    Weak,
}

/// What kinds of words say, and how far they reach.
fn judged(meaning: Meaning) -> Option<(Reach, Objection)> {
    Some(match meaning {
        Meaning::NotCrypto => (Reach::Anywhere, Objection::Doubt("not a crypto market")),
        Meaning::Option | Meaning::OptionBuy => {
            (Reach::Anywhere, Objection::Doubt("an option without its strike or its day of expiry"))
        }
        Meaning::OptionOther => {
            (Reach::Anywhere, Objection::Doubt("a sold option, or several together: not read"))
        }
        Meaning::Unreal => {
            (Reach::Anywhere, Objection::Noise("an example, a test or a joke: nobody is told to trade"))
        }
        Meaning::Laugh => {
            (Reach::Beside, Objection::Noise("an example, a test or a joke: nobody is told to trade"))
        }
        Meaning::Asks => (Reach::Anywhere, Objection::Noise("a question: nobody is told to trade")),
        Meaning::Hindsight => (Reach::Anywhere, Objection::Noise("a trade that was not made")),
        Meaning::Report => (Reach::Levels, Objection::Noise("a report: nobody is told to trade")),
        Meaning::Others => (Reach::Lead, Objection::Noise("somebody else's trade")),
        Meaning::Bystander => (Reach::Lead, Objection::Noise("a member's remark")),
        Meaning::Negation => (Reach::Sentence, Objection::Governed("the trade is negated")),
        Meaning::Acted => (Reach::Acted, Objection::Noise("somebody else's trade")),
        Meaning::Hedge => (Reach::Sentence, Objection::Governed("the trade is only considered")),
        Meaning::Perhaps => (Reach::Weak, Objection::Governed("the trade is only considered")),
        _ => return None,
    })
}

/// The words that count wherever they stand.
const ANYWHERE: &[Meaning] = &[
    Meaning::NotCrypto,
    Meaning::Option,
    Meaning::OptionBuy,
    Meaning::OptionOther,
    Meaning::Unreal,
    Meaning::Asks,
    Meaning::Hindsight,
];

/// The words that count near the call.
const NEARBY: &[Meaning] = &[
    Meaning::Laugh,
    Meaning::Report,
    Meaning::Others,
    Meaning::Bystander,
    Meaning::Negation,
    Meaning::Acted,
    Meaning::Hedge,
    Meaning::Perhaps,
    Meaning::Was,
];

/// The first objection, in the order of the text; words that count anywhere come first. Most texts hold none of them.
pub(super) fn objection(text: &Text<'_, '_>) -> Option<Objection> {
    let pieces = text.pieces;
    let shown = pieces.seen.has(Sight::Question) || pieces.seen.has(Sight::Face);
    if (shown || pieces.may_have_any(ANYWHERE))
        && let Some(objection) = anywhere(text)
    {
        return Some(objection);
    }
    if is_told_of_somebody(text.list) {
        return Some(Objection::Noise("somebody else's trade"));
    }
    let near = if pieces.may_have_any(NEARBY) { near_call(text) } else { None };
    near.or_else(|| if pieces.has(Meaning::Advert) { advert(text) } else { None }).or_else(|| row(text))
}

/// The first objection that counts wherever it stands.
fn anywhere(text: &Text<'_, '_>) -> Option<Objection> {
    text.list.iter().enumerate().find_map(|(at, piece)| match piece.what {
        What::Mark('?') if !is_prefix(text, at) => {
            Some(Objection::Noise("a question: nobody is told to trade"))
        }
        What::Icon('🔒' | '🔐') if is_locked(&text.list[..at]) => {
            Some(Objection::Noise("its levels are locked"))
        }
        What::Icon(icon) if JOKING.contains(&icon) => {
            Some(Objection::Doubt("an emoji says that it is not meant"))
        }
        What::Term(Meaning::Option | Meaning::OptionBuy, _) if options::contract(text.list).is_some() => None,
        What::Term(meaning, _) => match judged(meaning) {
            Some((Reach::Anywhere, objection)) => Some(objection),
            _ => None,
        },
        _ => None,
    })
}

/// True where a lock stands in the place of a level.
fn is_locked(before: &[Piece<'_>]) -> bool {
    let label = before.iter().rev().find(|piece| !matches!(piece.what, What::Mark(_)));
    label.is_some_and(|label| matches!(label.what.slot(), Some(Slot::Entry | Slot::Stop)))
}

/// `?open BTC …`: the sign of a command.
fn is_prefix(text: &Text<'_, '_>, at: usize) -> bool {
    at == 0 && text.list.get(1).is_some_and(|next| next.glued)
}

fn may_count(piece: &Piece<'_>) -> bool {
    matches!(piece.what, What::Term(meaning, _) if meaning == Meaning::Was || judged(meaning).is_some())
}

/// The first word that says so within its reach.
fn near_call(text: &Text<'_, '_>) -> Option<Objection> {
    text.sentences().find_map(|(start, sentence)| {
        if !sentence.iter().any(may_count) {
            return None;
        }
        let governs = governs(sentence);
        if governs && is_past(sentence) {
            return Some(Objection::Noise("a trade that was not made"));
        }
        sentence.iter().enumerate().find_map(|(nth, piece)| {
            let What::Term(meaning, _) = piece.what else { return None };
            let (reach, objection) = judged(meaning)?;
            let at = start + nth;
            let counts = match reach {
                Reach::Anywhere => true,
                Reach::Levels => governs || at < text.levels_end || !text.is_plan,
                Reach::Lead if is_aside(text.list, text.first_level, at) => false,
                Reach::Lead => governs || at < text.first_level || !text.is_plan,
                Reach::Beside => governs || at >= text.levels_end || !text.is_plan,
                Reach::Sentence => {
                    let waits = meaning == Meaning::Hedge && text.is_plan && is_trigger(sentence, nth);
                    governs && !waits && !is_about_level(sentence, nth, meaning)
                }
                Reach::Acted => has_subject(&sentence[..nth]),
                Reach::Weak => {
                    let before = !text.is_plan || at < text.first_level;
                    governs
                        && before
                        && !leads_over(&sentence[nth..])
                        && !is_about_level(sentence, nth, meaning)
                }
            };
            counts.then_some(objection)
        })
    })
}

/// "Kevin longed ARB at 0.83, stopped": the side is a verb behind a name, and the trade is over.
fn is_told_of_somebody(list: &[Piece<'_>]) -> bool {
    let [name, side, symbol, rest @ ..] = list else { return false };
    matches!(name.what, What::Unknown)
        && matches!(side.what, What::Term(Meaning::Side(_), _))
        && matches!(symbol.what, What::Ticker(_))
        && rest.iter().any(|piece| piece.what.is(Meaning::StoppedOut))
}

/// "Kevin longed": a word that nobody knows begins the sentence, right before the verb or with one between. Where the verb
/// comes last, "Kevin eth 2410 girdi", the price stands before it.
fn has_subject(before: &[Piece<'_>]) -> bool {
    let is_name = |piece: &Piece<'_>| matches!(piece.what, What::Unknown | What::Ticker(_) | What::Mark('_'));
    let is_price = |piece: &Piece<'_>| is_price(&piece.what);
    let (first, last) = (before.first(), before.last());
    let named = last.is_some_and(is_name)
        || first.is_some_and(|first| matches!(first.what, What::Unknown)) && last.is_some_and(is_price);
    named && before.iter().all(|piece| is_name(piece) || is_price(piece) || piece.what.is(Meaning::Filler))
}

/// "Thinking about it: I buy": what stands before a colon leads over to the call.
fn leads_over(onwards: &[Piece<'_>]) -> bool {
    let colon = onwards.iter().position(|piece| matches!(piece.what, What::Mark(':')));
    let side = onwards.iter().position(names_side);
    matches!((colon, side), (Some(colon), Some(side)) if colon < side)
}

/// "No target", "stop if it closes below", "I am out if": that is about a stop or a target, not about the trade.
fn is_about_level(sentence: &[Piece<'_>], at: usize, meaning: Meaning) -> bool {
    let slot = |place: Option<usize>| place.and_then(|place| sentence.get(place)?.what.slot());
    let levels = [Slot::Stop, Slot::Target, Slot::Leverage, Slot::Risk, Slot::Size, Slot::Margin];
    if meaning == Meaning::Negation {
        return slot(Some(at + 1)).is_some_and(|slot| levels.contains(&slot));
    }
    let of_stop = slot(at.checked_sub(1)) == Some(Slot::Stop);
    let is_comma = |piece: &Piece<'_>| matches!(piece.what, What::Mark(','));
    let start = sentence[..at].iter().rposition(is_comma).unwrap_or(0);
    let end = sentence[at..].iter().position(is_comma).map_or(sentence.len(), |length| at + length);
    let exited = sentence[start..at].iter().any(|piece| {
        matches!(piece.what, What::Term(Meaning::Label(Slot::Stop) | Meaning::Out | Meaning::Closed, _))
    });
    let after_entry = sentence[..start].iter().any(|piece| is_price(&piece.what));
    let fails = sentence[at..].iter().any(|piece| piece.what.is(Meaning::GivenUp));
    of_stop
        || after_entry
            && (exited
                || fails
                || exits::begins(sentence, at)
                || closes_against(&sentence[..start], &sentence[at..end]))
}

/// "Long, only if we break above 7.92": the condition of a whole plan is its trigger, when it goes the way of the side.
fn is_trigger(sentence: &[Piece<'_>], at: usize) -> bool {
    let Some(length) = trigger_length(&sentence[at + 1..]) else { return false };
    let stretch = &sentence[at + 1..at + 1 + length];
    let has = |meaning: Meaning| stretch.iter().any(|piece| piece.what.is(meaning));
    let sided = |side: Side| sentence[..at].iter().any(|piece| piece.what.is(Meaning::Side(side)));
    match (sided(Side::Long), sided(Side::Short)) {
        (true, false) => !has(Meaning::Below),
        (false, true) => !has(Meaning::Above),
        _ => false,
    }
}

/// A candle that closes below is the stop of a long, one that closes above that of a short.
fn closes_against(call: &[Piece<'_>], clause: &[Piece<'_>]) -> bool {
    let has = |pieces: &[Piece<'_>], meaning: Meaning| pieces.iter().any(|piece| piece.what.is(meaning));
    let candle =
        |piece: &Piece<'_>| matches!(piece.what, What::Term(Meaning::Candle(_) | Meaning::CandleWord, _));
    let against = has(call, Meaning::Side(Side::Long)) && has(clause, Meaning::Below)
        || has(call, Meaning::Side(Side::Short)) && has(clause, Meaning::Above);
    against && clause.iter().any(candle)
}

/// `| BTC | long | … | closed |`: a row of a table lists trades, also where it is alone.
fn row(text: &Text<'_, '_>) -> Option<Objection> {
    let is_rule = |piece: Option<&Piece<'_>>| matches!(piece.map(|piece| &piece.what), Some(What::Mark('|')));
    let row = text.labelled == 0 && is_rule(text.list.first()) && is_rule(text.list.last());
    row.then_some(Objection::Doubt("a row of a table"))
}

/// An advert that boasts with a gain, or that keeps most levels back.
fn advert(text: &Text<'_, '_>) -> Option<Objection> {
    let gained = text.list.windows(2).any(|pair| {
        matches!(pair[0].what, What::Mark('+'))
            && matches!(&pair[1].what, What::Number(number) if number.unit == Unit::Percent)
    });
    (gained || text.labelled < 2).then_some(Objection::Noise("an advertisement"))
}
