//! Words: what the reader's vocabulary means, as tables. Everything language-specific is here and nowhere else.
//!
//! Entry points: [`phrase`] for the longest known phrase at a place, [`unspaced_length`] for scripts without spaces.
//! Invariants: phrases are in the form that clean-up leaves (lower case, simplified Chinese, no joiners); the longest
//! phrase wins, so that `short term` is never a side; every phrase stands in the tables once.

mod english;
mod others;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::tokens::{Kind, Token};
use crate::signal::Side;

/// What a phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Opens a slot.
    Label(Slot),
    /// A direction.
    Side(Side),
    /// Buying: a long, or the entry beside a `sell` that holds the targets.
    Buy,
    /// Selling: a short, or the targets beside a `buy`.
    Sell,
    /// At the market, at the current price.
    Market,
    /// A limit order.
    Limit,
    /// Above a price.
    Above,
    /// Below a price.
    Below,
    /// A break through a price.
    Break,
    /// A stop order that opens a position.
    StopOrder(Side),
    /// Two prices are the ends of a range.
    Zone,
    /// Joins the ends of a range.
    To,
    /// The first end of a range, or an earlier value.
    From,
    /// Joins equal things.
    And,
    /// A target without a price.
    Runner,
    /// Expressly no stop.
    NoStop,
    /// A value that is kept back.
    Placeholder,
    /// A candle's length in words: `daily`.
    Candle(&'static str),
    /// A candle, as in "candle close".
    CandleWord,
    /// A trading venue.
    Venue(&'static str),
    /// Cross margin.
    Cross,
    /// Isolated margin.
    Isolated,
    /// The spot market.
    Spot,
    /// Futures or perpetuals.
    Futures,
    /// The own capital.
    Capital,
    /// "Up to", "max".
    UpTo,
    /// May stand between a label and its value.
    Filler,
    /// Names a row of targets: "short term".
    Row,
    /// Makes a percentage a share of the profit, which has no field.
    OfProfit,
    /// Something was reached.
    Hit,
    /// An order was filled.
    Filled,
    /// To move a stop.
    Move,
    /// What follows is new.
    New,
    /// The entry price as a place for the stop.
    BreakEven,
    /// To close.
    Close,
    /// Was closed.
    Closed,
    /// Out of a trade; weaker than `Close`.
    Out,
    /// To cancel, or cancelled.
    Cancel,
    /// The stop was hit.
    StoppedOut,
    /// Taking something off, with a share.
    Part,
    /// Taking a part off, perhaps without saying how much.
    Partial,
    /// Half of something.
    Half,
    /// A third of something.
    Third,
    /// A quarter of something.
    Quarter,
    /// All of something.
    All,
    /// All longs or all shorts.
    Positions(Side),
    /// Positions of either direction, and orders.
    Trade,
    /// A list of trades that run already.
    Tracker,
    /// Ordinals in words, from 1.
    Nth(u8),
    /// An earlier value follows.
    Was,
    /// A further entry into a running trade: no new signal.
    Again,
    /// Something about an earlier call is different now.
    Changed,
    /// Turns what follows into its opposite.
    Negation,
    /// The words of a member who talks about the own trade, or thanks for one.
    Bystander,
    /// Only perhaps: if, would, might.
    Hedge,
    /// Introduces what is to be done later: once, after.
    Later,
    /// Tells of results or the past.
    Report,
    /// An example, a test, a joke: nobody is told to trade.
    Unreal,
    /// Sells something to the reader.
    Advert,
    /// Prices in hundred-millionths of a bitcoin.
    Satoshi,
    /// Options, whose prices and words mean other things.
    Option,
    /// Shares, currencies, metals, contract addresses.
    NotCrypto,
}

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// Entry prices.
    Entry,
    /// Target prices.
    Target,
    /// The stop.
    Stop,
    /// Leverage and margin mode.
    Leverage,
    /// Risk per trade.
    Risk,
    /// Margin mode, or the money put in: a bare number here is no leverage.
    Margin,
    /// Capital per trade.
    Size,
    /// The chart's timeframe.
    Timeframe,
    /// The symbol.
    Pair,
    /// The direction.
    Side,
    /// How long the entry is valid.
    Expiry,
    /// The author's confidence.
    Confidence,
    /// Numbers that are none of the above: ids, ratios, prices now.
    Decoy,
    /// What a trade made: it runs already, or it is over.
    Outcome,
    /// A part of a bot's card that repeats the other labels with other meanings; it runs to the end.
    Appendix,
    /// The kind of the call, regular or breakout.
    Kind,
}

/// One language's vocabulary.
pub(super) struct Vocabulary {
    /// True where decimal commas are usual.
    pub(super) decimal_comma: bool,
    /// Phrases by their meaning, divided by `|`.
    pub(super) phrases: &'static [(Meaning, &'static str)],
}

/// A phrase found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// What it means.
    pub(super) meaning: Meaning,
    /// How many tokens it covers.
    pub(super) length: usize,
    /// The list number glued to it: 2 in `TP2`.
    pub(super) index: Option<u8>,
    /// True if its language usually has decimal commas.
    pub(super) decimal_comma: bool,
}

struct Phrase {
    rest: Vec<&'static str>,
    meaning: Meaning,
    decimal_comma: bool,
}

static PHRASES: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&'static str, Vec<Phrase>> = HashMap::new();
    let languages = [&english::ENGLISH].into_iter().chain(others::OTHERS);
    for vocabulary in languages {
        for (meaning, texts) in vocabulary.phrases {
            for text in texts.split('|') {
                let mut words = text.trim().split(' ');
                let first = words.next().unwrap_or_default();
                let phrase = Phrase {
                    rest: words.collect(),
                    meaning: *meaning,
                    decimal_comma: vocabulary.decimal_comma,
                };
                phrases.entry(first).or_default().push(phrase);
            }
        }
    }
    for same_start in phrases.values_mut() {
        same_start.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
    }
    phrases
});

/// The longest phrase of the vocabulary at token `at`.
pub(super) fn phrase(tokens: &[Token<'_>], at: usize) -> Option<Found> {
    let Kind::Word(word) = &tokens.get(at)?.kind else { return None };
    if let Some(found) = known(tokens, at, word) {
        return Some(found);
    }
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < word.len() && !stem.is_empty() {
        let index = word[stem.len()..].parse().ok()?;
        let found = known(tokens, at, stem).filter(|found| takes_index(found.meaning))?;
        return Some(Found { index: Some(index), ..found });
    }
    misspelt(word).map(|slot| Found {
        meaning: Meaning::Label(slot),
        length: 1,
        index: None,
        decimal_comma: false,
    })
}

fn takes_index(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Label(Slot::Entry | Slot::Target | Slot::Stop))
}

fn known(tokens: &[Token<'_>], at: usize, word: &str) -> Option<Found> {
    let phrases = PHRASES.get(word)?;
    phrases.iter().find_map(|phrase| {
        let length = covered(tokens, at, &phrase.rest)?;
        let last_word = match &tokens[at + length - 1].kind {
            Kind::Word(word) if length > 1 => word.as_str(),
            _ => "",
        };
        let index = last_word.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok();
        Some(Found { meaning: phrase.meaning, length, index, decimal_comma: phrase.decimal_comma })
    })
}

/// How many tokens `word rest…` covers from `at`; marks such as `-` and `/` may glue the words together.
fn covered(tokens: &[Token<'_>], at: usize, rest: &[&str]) -> Option<usize> {
    let line = tokens[at].line;
    let mut next = at + 1;
    for (position, wanted) in rest.iter().enumerate() {
        if tokens.get(next).is_some_and(|token| is_hyphen(&token.kind)) {
            next += 1;
        }
        let token = tokens.get(next).filter(|token| token.line == line)?;
        let Kind::Word(word) = &token.kind else { return None };
        let last = position + 1 == rest.len();
        let stem = if last { word.trim_end_matches(|c: char| c.is_ascii_digit()) } else { word };
        if word != wanted && stem != *wanted {
            return None;
        }
        next += 1;
    }
    Some(next - at)
}

fn is_hyphen(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::Mark('-' | '/' | '_' | '.'))
}

/// Long labels are recognised with one edit; short ones never, because `tp` is one edit from too much.
fn misspelt(word: &str) -> Option<Slot> {
    const LONG: &[(&str, Slot)] = &[
        ("stoploss", Slot::Stop),
        ("targets", Slot::Target),
        ("target", Slot::Target),
        ("takeprofit", Slot::Target),
        ("leverage", Slot::Leverage),
        ("entries", Slot::Entry),
    ];
    let close = |(label, _): &&(&str, Slot)| {
        word.is_ascii() && word.as_bytes()[0] == label.as_bytes()[0] && within_one_edit(word, label)
    };
    LONG.iter().find(close).map(|(_, slot)| *slot).or(is_clipped_stop(word).then_some(Slot::Stop))
}

/// "Stopl", "stopls": a stop loss that lost letters behind the stop, all others in order.
fn is_clipped_stop(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("stop").filter(|rest| !rest.is_empty()) else { return word == "stol" };
    let mut letters = "loss".chars();
    rest.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// True when one letter more, less or other turns one word into the other.
fn within_one_edit(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    a.len() - start - end <= 1 && b.len() - start - end <= 1
}

/// The longest known phrase of a script without spaces.
const MAX_UNSPACED: usize = 6;

/// The length in bytes of the longest known phrase at the start of a text without spaces.
pub(super) fn unspaced_length(text: &str) -> Option<usize> {
    let ends: Vec<usize> =
        text.char_indices().take(MAX_UNSPACED).map(|(at, character)| at + character.len_utf8()).collect();
    ends.into_iter().rev().find(|end| PHRASES.contains_key(&text[..*end]))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn meaning(text: &str) -> Option<Meaning> {
        phrase(&tokens(text), 0).map(|found| found.meaning)
    }

    #[test]
    fn every_phrase_stands_in_the_tables_once() {
        for (first, phrases) in PHRASES.iter() {
            for (at, phrase) in phrases.iter().enumerate() {
                let again =
                    phrases[at + 1..].iter().any(|o| o.rest == phrase.rest && o.meaning != phrase.meaning);
                assert!(!again, "`{first} {}` has two meanings", phrase.rest.join(" "));
            }
        }
    }

    #[test]
    fn the_longest_phrase_wins_and_hyphens_do_not_matter() {
        assert_eq!(meaning("short"), Some(Meaning::Side(Side::Short)));
        assert_eq!(meaning("short-term"), meaning("short term"));
        assert_ne!(meaning("short term"), Some(Meaning::Side(Side::Short)));
        for text in ["stop loss", "stop-loss", "S/L", "STOPLOSS", "stoplos", "Stopls"] {
            assert_eq!(meaning(text), Some(Meaning::Label(Slot::Stop)), "{text}");
        }
    }

    #[test]
    fn list_numbers_are_cut_off() {
        for text in ["tp3", "Target3", "take profit3"] {
            let found = phrase(&tokens(text), 0).unwrap();
            assert_eq!((found.meaning, found.index), (Meaning::Label(Slot::Target), Some(3)), "{text}");
        }
    }
}
