//! Symbols: the one place where `$X`, `X/USDT`, `X-PERP`, `XUSDT.P` and plain names become a base and a quote.
//!
//! Entry points: [`at`] for a symbol written with a marker or a quote, [`named`] for a bare name.
//! Invariants: a prefix is not a symbol (`BTCDOM` is not BTC); a ticker that is also a word needs a marker, a quote or
//! the header's place (`shared/tickers.toml` says which are words); multipliers such as `1000PEPE` stay, because prices
//! are per contract.

use super::tokens::{Kind, Token, Tokens};
use super::words::{Lexicon, Meaning, Slot, TickerKind};
use crate::signal::{OptionTerms, Symbol};

/// How sure it is that a word is meant as a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A well-known ticker or name, somewhere.
    Bare,
    /// An upper-case word that no list knows, beside the side or after a label such as "Pair:".
    Guess,
    /// A well-known ticker or name there.
    Header,
    /// With `$`, `#` or a quote currency.
    Marked,
}

impl Strength {
    /// How sure another mention must be to count beside one of this strength: beside a marked symbol, an unknown word in
    /// capitals is only a word.
    pub(super) fn least_beside(self) -> Self {
        if self == Strength::Marked { Strength::Header } else { self.min(Strength::Guess) }
    }
}

/// A symbol found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// The asset.
    pub(super) base: Symbol,
    /// The currency of its prices, if written.
    pub(super) quote: Option<Symbol>,
    /// True when the form names a perpetual.
    pub(super) perpetual: bool,
    /// The terms, when it is an option.
    pub(super) option: Option<Box<OptionTerms>>,
    /// True for currencies against each other: `EURUSD`.
    pub(super) foreign: bool,
    /// How sure it is.
    pub(super) strength: Strength,
}

/// Quotes that may be glued to a base, longest first.
const GLUED_QUOTES: &[&str] = &["fdusd", "usdt", "usdc", "perp", "usd"];
/// Quotes that need a separator: `LINK/BTC`.
const SPACED_QUOTES: &[&str] =
    &["usdt", "usdc", "usd", "fdusd", "busd", "tusd", "btc", "eth", "eur", "bnb", "try", "brl"];
/// A symbol with a marker or a quote at token `at`, and how many tokens it covers.
pub(super) fn at(tokens: &Tokens<'_>, at: usize) -> Option<(Mention, usize)> {
    let marked = matches!(tokens[at].kind, Kind::Mark('$' | '#'));
    let start = if marked { at + 1 } else { at };
    let Kind::Word(word) = tokens.get(start)?.kind else { return None };
    if marked && !tokens[start].glued || !is_ticker(word) {
        return None;
    }
    let (found, next) = paired(tokens, start, word);
    let (mention, next) = match found {
        Some(mention) => (mention, next),
        None if marked => (cashtag(tokens, start, word)?, start + 1),
        None => return None,
    };
    Some((mention, next - at))
}

fn is_ticker(word: &str) -> bool {
    word.len() <= 20
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// `X/USDT`, `X-PERP`, `XUSDT`, with what may follow: `.P`, `:USDT`, `-SWAP`.
fn paired(tokens: &Tokens<'_>, start: usize, word: &str) -> (Option<Mention>, usize) {
    let next = start + 1;
    if let Some(pair) = of_currencies(tokens, start, word) {
        return pair;
    }
    let stable = tokens.words.ticker(word) == Some(TickerKind::Stable);
    let glued = GLUED_QUOTES.iter().find_map(|quote| {
        let base = word.strip_suffix(quote).filter(|base| base.len() >= 2)?;
        Some((base, *quote))
    });
    // `ETHUSD_PERP` has its quote already.
    if let Some((quote, after)) = spaced_quote(tokens, next)
        && !stable
        && (quote != "perp" || glued.is_none())
    {
        let (perpetual, end) = suffix(tokens, after);
        let perpetual = perpetual || quote == "perp";
        return (mention(tokens.words, word, Some(quote).filter(|quote| *quote != "perp"), perpetual), end);
    }
    // `ETHBTC`, but not `WBTC`.
    let coin =
        |word: &str| matches!(tokens.words.ticker(word), Some(TickerKind::Coin | TickerKind::CoinOrWord));
    if let Some(base) = word.strip_suffix("btc").filter(|base| coin(base)) {
        return (mention(tokens.words, base, Some("btc"), false), next);
    }
    match glued {
        Some((base, quote)) if !stable && tokens.phrase(start).is_none() => {
            let (perpetual, end) = suffix(tokens, next);
            (
                mention(
                    tokens.words,
                    base,
                    Some(quote).filter(|quote| *quote != "perp"),
                    perpetual || quote == "perp",
                ),
                end,
            )
        }
        _ => (None, start),
    }
}

/// `GBPJPY`, `GBP/JPY`: two currencies, which are no crypto market.
fn of_currencies(tokens: &Tokens<'_>, start: usize, word: &str) -> Option<(Option<Mention>, usize)> {
    let money = |word: &str| word == "usd" || tokens.words.ticker(word) == Some(TickerKind::Currency);
    let foreign = |end: usize| {
        Some((mention(tokens.words, word, None, false).map(|m| Mention { foreign: true, ..m }), end))
    };
    if word.len() == 6 && word.is_ascii() {
        let (base, quote) = word.split_at(3);
        return if money(base) && money(quote) { foreign(start + 1) } else { None };
    }
    if word.len() != 3 || !money(word) {
        return None;
    }
    let joined =
        tokens.get(start + 1).is_some_and(|mark| mark.glued && matches!(mark.kind, Kind::Mark('/' | '-')));
    let quote = tokens.get(start + 2).filter(|quote| joined && quote.glued)?;
    matches!(quote.kind, Kind::Word(quote) if money(quote)).then(|| foreign(start + 3)).flatten()
}

/// A separator and a quote. Only `/` may have spaces around it, and only `/` takes a coin as the quote.
fn spaced_quote<'t>(tokens: &Tokens<'t>, at: usize) -> Option<(&'t str, usize)> {
    let separator = tokens.get(at)?;
    let Kind::Mark(mark @ ('/' | '-' | '_')) = separator.kind else { return None };
    let quote = tokens.get(at + 1).filter(|quote| quote.line == separator.line)?;
    let Kind::Word(word) = quote.kind else { return None };
    let coin = matches!(word, "btc" | "eth" | "bnb");
    let known = SPACED_QUOTES.contains(&word) || mark != '/' && word == "perp";
    let tight = separator.glued && quote.glued;
    let fits = if mark == '/' { tight || !coin || separator.line == quote.line } else { tight && !coin };
    (known && fits).then_some((word, at + 2))
}

/// `.P`, `:USDT`, `-SWAP`, `-PERP`, `_PERP` behind a pair: whether they name a perpetual, and where they end.
fn suffix(tokens: &Tokens<'_>, at: usize) -> (bool, usize) {
    let glued_word = |at: usize| match tokens.get(at).map(|token| (&token.kind, token.glued)) {
        Some((Kind::Word(word), true)) => Some(*word),
        _ => None,
    };
    let mark = tokens.get(at).filter(|token| token.glued).map(|token| &token.kind);
    match (mark, glued_word(at + 1)) {
        (Some(Kind::Mark('.')), Some("p")) => (true, at + 2),
        (Some(Kind::Mark(':')), Some("usdt" | "usdc" | "usd" | "btc")) => (true, at + 2),
        (Some(Kind::Mark('-' | '_' | '.')), Some("perp" | "swap")) => (true, at + 2),
        _ => (false, at),
    }
}

/// `$X` or `#X`. Hashtags may also be plain words or channel names.
fn cashtag(tokens: &Tokens<'_>, at: usize, word: &str) -> Option<Mention> {
    let goes_on = tokens.get(at + 1).is_some_and(|next| {
        next.glued
            && matches!(next.kind, Kind::Mark('-' | '_' | '.' | '\''))
            && tokens.get(at + 2).is_some_and(|t| t.glued)
    });
    let dollar = matches!(tokens[at - 1].kind, Kind::Mark('$'));
    let is_side =
        |meaning| matches!(meaning, Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::Venue(_));
    let plain_word =
        tokens.phrase(at).is_some_and(|found| is_side(found.meaning) || !dollar && !is_upper(tokens[at].raw));
    let barred = tokens.words.ticker(word).is_some_and(is_no_base);
    if goes_on || plain_word || barred || word.len() > 12 {
        return None;
    }
    mention(tokens.words, word, None, false)
}

/// Words that name no asset, whatever stands before them.
fn is_no_base(kind: TickerKind) -> bool {
    matches!(kind, TickerKind::Never | TickerKind::Stable)
}

fn mention(words: Lexicon<'_>, base: &str, quote: Option<&str>, perpetual: bool) -> Option<Mention> {
    let foreign =
        base == "usd" || matches!(words.ticker(base), Some(TickerKind::Currency | TickerKind::Foreign));
    let name = words.coin(base).unwrap_or(base);
    let quote = quote.and_then(|quote| quote.parse().ok());
    let base = name.parse().ok()?;
    Some(Mention { base, quote, perpetual, option: None, foreign, strength: Strength::Marked })
}

/// A ticker that is also a word of the vocabulary, upper case and in the header's place.
pub(super) fn word_ticker(tokens: &Tokens<'_>, at: usize) -> Option<Mention> {
    let Kind::Word(word) = tokens[at].kind else { return None };
    let meant = match tokens.words.ticker(word)? {
        TickerKind::Word | TickerKind::Noun if is_upper(tokens[at].raw) => {
            (is_header(tokens, at) || is_listed(tokens, at) || is_foreign(tokens, at))
                && !labels_id(tokens, at)
        }
        TickerKind::Noun => stands_in_call(tokens, at),
        // "Short ALGO": a word of the vocabulary too, but in capitals beside the side it is the coin.
        TickerKind::Coin => is_upper(tokens[at].raw) && tokens.phrase(at).is_some() && is_header(tokens, at),
        _ => false,
    };
    let found = mention(tokens.words, word, None, false).filter(|_| meant)?;
    Some(Mention { strength: Strength::Header, ..found })
}

/// `ID: A12`, `ID 4410`: the word announces the author's own number.
fn labels_id(tokens: &Tokens<'_>, at: usize) -> bool {
    let next = tokens.get(at + 1).map(|next| &next.kind);
    tokens.phrase(at).is_some_and(|found| found.meaning == Meaning::Label(Slot::Reference))
        && matches!(next, Some(Kind::Mark(':' | '#' | '=') | Kind::Number(_)))
}

/// An English word in capitals means the coin where the words around it are of another language and not in capitals. Words
/// of calls and follow-ups are borrowed: "OPEN" and "MOVE" stay words.
fn is_foreign(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let is_other = |token: &Token<'_>| matches!(token.kind, Kind::Word(_)) && !is_upper(token.raw);
    let in_line = |token: &&Token<'_>| token.line == line;
    let before = tokens[..at].iter().rev().take(MAX_AROUND).take_while(in_line);
    let mut around = before.chain(tokens[at..].iter().take(MAX_AROUND).take_while(in_line));
    tokens.foreign
        && tokens.phrase(at).is_none_or(|found| found.meaning == Meaning::Filler)
        && around.any(is_other)
}

/// How far around a word in capitals others are looked for.
const MAX_AROUND: usize = 64;

/// `long link now sl 17.88 tp 18.39`: right beside the side, with nothing but levels behind it in the same line.
fn stands_in_call(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let sided = |at: usize| tokens[at].line == line && is_trade_side(tokens, at);
    let beside = at.checked_sub(1).is_some_and(sided) || at + 1 < tokens.len() && sided(at + 1);
    let (mut stop, mut target) = (false, false);
    for next in (at + 1..tokens.len().min(at + MAX_CALL)).take_while(|next| tokens[*next].line == line) {
        match tokens.phrase(next).map(|found| found.meaning) {
            Some(Meaning::Label(Slot::Stop)) => stop = true,
            Some(Meaning::Label(Slot::Target)) => target = true,
            None if matches!(tokens[next].kind, Kind::Word(_)) => break,
            _ => {}
        }
    }
    beside && stop && target
}

/// How far behind its symbol a one-line call is searched for its levels.
const MAX_CALL: usize = 32;

fn is_trade_side(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens
        .phrase(at)
        .is_some_and(|found| matches!(found.meaning, Meaning::Side(_) | Meaning::Buy | Meaning::Sell))
}

/// A bare name at token `at`: well-known, or in the header's place.
pub(super) fn named(tokens: &Tokens<'_>, at: usize) -> Option<Mention> {
    let Kind::Word(word) = tokens[at].kind else { return None };
    let upper = is_upper(tokens[at].raw);
    let kind = tokens.words.ticker(word);
    let in_header = is_header(tokens, at) || kind.is_some_and(is_coin) && heads_line(tokens, at);
    let known = match kind {
        Some(TickerKind::Coin | TickerKind::Foreign) => true,
        Some(TickerKind::CoinOrWord) => upper || in_header,
        _ => tokens.words.coin(word).is_some(),
    };
    let possible = is_ticker(word) && (2..=10).contains(&word.len()) && !kind.is_some_and(is_no_base);
    let unknown = possible && upper && in_header && tokens.phrase(at).is_none();
    if !known && !unknown || is_amount(tokens, at) {
        return None;
    }
    let strength = match (known, in_header) {
        (true, true) => Strength::Header,
        (true, false) => Strength::Bare,
        (false, _) => Strength::Guess,
    };
    let quote = quote_behind(tokens, at);
    mention(tokens.words, word, quote, false).map(|found| Mention { strength, ..found })
}

/// `MANTA USDT`: a stablecoin right behind the name.
fn quote_behind<'t>(tokens: &Tokens<'t>, at: usize) -> Option<&'t str> {
    let next = tokens.get(at + 1).filter(|next| next.line == tokens[at].line)?;
    let Kind::Word(word) = next.kind else { return None };
    (tokens.words.ticker(word) == Some(TickerKind::Stable) && word != "perp" && word != "usdtperp")
        .then_some(word)
}

/// A word in capitals that may be a ticker which no list knows. `known` says that it is a word of the vocabulary: then
/// only those count that are tickers too.
pub(super) fn in_capitals(words: Lexicon<'_>, raw: &str, known: bool) -> Option<Mention> {
    let lower = raw.to_ascii_lowercase();
    let possible = is_upper(raw) && is_ticker(raw) && (2..=10).contains(&raw.len());
    let kind = words.ticker(&lower);
    let ticker = match kind {
        Some(TickerKind::Word | TickerKind::Noun | TickerKind::Coin) => true,
        Some(TickerKind::CoinOrWord) | None => !known,
        Some(_) => false,
    };
    if possible && ticker { mention(words, &lower, None, false) } else { None }
}

fn is_upper(raw: &str) -> bool {
    raw.bytes().any(|b| b.is_ascii_uppercase()) && !raw.bytes().any(|b| b.is_ascii_lowercase())
}

/// `15 AVAX` is an amount. `1) BTC` and `64k BTC long` are not.
fn is_amount(tokens: &Tokens<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    before.is_some_and(|before| {
        before.line == tokens[at].line
            && matches!(&before.kind, Kind::Number(n)
                if !matches!(n.unit, super::tokens::Unit::Ordinal | super::tokens::Unit::Percent))
    }) && !is_header(tokens, at)
        && !heads_line(tokens, at)
}

/// Beside a side, after a label for the symbol, or alone in its line.
fn is_header(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let decoration = |token: &&Token<'_>| matches!(token.kind, Kind::Icon(_) | Kind::Mark(_));
    let beside = |token: Option<&Token<'_>>, index: Option<usize>| {
        token.filter(|token| token.line == line).is_some()
            && index.is_some_and(|index| is_side(tokens, index))
    };
    let filler = |i: usize| tokens.phrase(i).is_some_and(|found| found.meaning.is_small());
    let next = (at + 1..tokens.len()).take(4).find(|i| !decoration(&&tokens[*i]));
    let previous = (0..at).rev().take(4).find(|i| !decoration(&&tokens[*i]) && !filler(*i));
    let alone =
        next.is_none_or(|i| tokens[i].line != line) && previous.is_none_or(|i| tokens[i].line != line);
    (at == 0 && next.is_some_and(|i| tokens[i].line == line && is_level(tokens, i)))
        || beside(next.map(|i| &tokens[i]), next)
        || beside(previous.map(|i| &tokens[i]), previous)
        || alone
}

/// `LINK 18.2 / SL 17.5`: it begins its line before a price, and is no word that announces one.
fn is_listed(tokens: &Tokens<'_>, at: usize) -> bool {
    heads_line(tokens, at) && tokens.words.head(tokens, at).is_none()
}

fn is_coin(kind: TickerKind) -> bool {
    matches!(kind, TickerKind::Coin | TickerKind::CoinOrWord)
}

/// `1. XLM 0.2871, sl 0.2790`: a coin that begins its line, perhaps behind a list number, before a price.
fn heads_line(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let listed = |token: &Token<'_>| match &token.kind {
        Kind::Mark(_) | Kind::Icon(_) | Kind::Index(_) => true,
        Kind::Number(number) => number.text.len() <= 2 && number.unit == super::tokens::Unit::None,
        _ => false,
    };
    let begins = tokens[..at].iter().rev().take(4).take_while(|token| token.line == line).all(listed);
    let mut next = tokens[at + 1..].iter().take_while(|token| token.line == line);
    begins
        && next
            .find(|token| !matches!(token.kind, Kind::Mark(_)))
            .is_some_and(|t| matches!(t.kind, Kind::Number(_)))
}

/// "LINK stop to entry": the first word of a follow-up.
fn is_level(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.phrase(at).is_some_and(|found| {
        matches!(found.meaning, Meaning::Label(Slot::Stop | Slot::Target) | Meaning::Close | Meaning::Closed)
    })
}

/// A side, or a label for the symbol, ends at token `at` or begins there.
fn is_side(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.phrase(at).is_some_and(|found| {
        matches!(
            found.meaning,
            Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::Label(Slot::Pair) | Meaning::Limit
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::source::Source;
    use super::super::tokens::tokens;
    use super::super::words::Words;
    use super::*;

    fn first(text: &str, find: impl Fn(&Tokens<'_>, usize) -> Option<Mention>) -> Option<Mention> {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        let cleaned = clean(&Source::of_text(Part::Content, text), words);
        let tokens = tokens(&cleaned.own, words);
        (0..tokens.len()).find_map(|at| find(&tokens, at))
    }

    fn marked(text: &str) -> Option<String> {
        first(text, |tokens, start| Some(at(tokens, start)?.0)).map(|mention| {
            let quote = mention.quote.map_or(String::from("-"), |quote| quote.to_string());
            format!("{}/{quote}{}", mention.base, if mention.perpetual { " perp" } else { "" })
        })
    }

    #[test]
    fn every_way_to_write_a_pair_is_one_symbol() {
        for (text, symbol) in [
            ("$KSM", "KSM/-"),
            ("#ksm", "KSM/-"),
            ("KSM/USDT", "KSM/USDT"),
            ("KSM / USDT", "KSM/USDT"),
            ("KSM-USDT", "KSM/USDT"),
            ("#KSM_USDT", "KSM/USDT"),
            ("ksmusdt", "KSM/USDT"),
            ("KSMUSDT.P", "KSM/USDT perp"),
            ("KSM-PERP", "KSM/- perp"),
            ("KSM-USDT-SWAP", "KSM/USDT perp"),
            ("KSM/USDT:USDT", "KSM/USDT perp"),
            ("BYBIT:KSMUSDT.P", "KSM/USDT perp"),
            ("KSMUSD_PERP", "KSM/USD perp"),
            ("KSMUSDT-PERP", "KSM/USDT perp"),
            ("XBTUSD", "BTC/USD"),
            ("1000BONKUSDT", "1000BONK/USDT"),
            ("$1INCH", "1INCH/-"),
            ("LINK / BTC", "LINK/BTC"),
            ("#BTCDOM/USDT", "BTCDOM/USDT"),
        ] {
            assert_eq!(marked(text).as_deref(), Some(symbol), "{text}");
        }
    }

    #[test]
    fn what_is_no_symbol_is_left_alone() {
        for text in ["#long", "#crypto-calls", "$49", "USDT", "and/or", "30,000 USDT", "link in bio"] {
            assert_eq!(marked(text), None, "{text}");
        }
    }

    #[test]
    fn bare_words_need_the_place_of_a_header() {
        let name = |text: &str| {
            first(text, |tokens, at| word_ticker(tokens, at).or_else(|| named(tokens, at)))
                .map(|mention| mention.base.to_string())
        };
        assert_eq!(name("short sol 201").as_deref(), Some("SOL"));
        assert_eq!(name("NEAR long").as_deref(), Some("NEAR"));
        assert_eq!(name("bitcoin is fine").as_deref(), Some("BTC"));
        assert_eq!(name("one move at a time"), None);
        assert_eq!(name("SWING LONG"), None);
        assert_eq!(name("size 15 AVAX today"), None);
    }
}
