//! Symbols: the one place where `$X`, `X/USDT`, `X-PERP`, `XUSDT.P` and plain names become a base and a quote.
//!
//! Entry points: [`marked`] and [`quoted`] for a symbol written with a marker or a quote, [`word_ticker`] and [`named`] for a
//! bare name.
//! Invariants: a prefix is not a symbol (`BTCDOM` is not BTC); a ticker that is also a word needs a marker, a quote or
//! the header's place (`shared/tickers.toml` says which are words); multipliers such as `1000PEPE` stay, because prices
//! are per contract.

mod places;

use std::cell::OnceCell;

use super::tokens::{Kind, Tokens};
use super::words::{Lexicon, Meaning, TickerKind};
use crate::signal::{OptionTerms, Symbol};
use places::{
    heads_line, is_amount, is_beside_side, is_foreign, is_header, is_listed, labels_id, stands_in_call,
};

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

/// Quotes that need a separator: `LINK/BTC`.
const SPACED_QUOTES: &[&str] =
    &["usdt", "usdc", "usd", "fdusd", "busd", "tusd", "btc", "eth", "eur", "bnb", "try", "brl"];

/// A word that may name an asset, with what is known of it: that is looked up once, and only where it matters.
#[derive(Debug)]
pub(super) struct Name<'t> {
    /// The word, in lower case.
    pub(super) word: &'t str,
    /// Its token.
    at: usize,
    words: Lexicon<'t>,
    kind: OnceCell<Option<TickerKind>>,
}

impl<'t> Name<'t> {
    /// The word at token `at`.
    pub(super) fn at(tokens: &Tokens<'t>, at: usize) -> Option<Self> {
        let Kind::Word(word) = tokens.get(at)?.kind else { return None };
        let kind = OnceCell::from(tokens.noted(at).ticker);
        Some(Self { word, at, words: tokens.words, kind })
    }

    fn of(word: &'t str, at: usize, words: Lexicon<'t>) -> Self {
        Self { word, at, words, kind: OnceCell::new() }
    }

    /// A part of the word as a name of its own.
    fn part(&self, part: &'t str) -> Self {
        Self::of(part, self.at, self.words)
    }

    fn kind(&self) -> Option<TickerKind> {
        *self.kind.get_or_init(|| self.words.ticker(self.word))
    }

    fn is_stable(&self) -> bool {
        self.kind() == Some(TickerKind::Stable)
    }

    fn is_money(&self) -> bool {
        self.word == "usd" || self.kind() == Some(TickerKind::Currency)
    }

    fn is_coin(&self) -> bool {
        matches!(self.kind(), Some(TickerKind::Coin | TickerKind::CoinOrWord))
    }

    /// Words that name no asset, whatever stands before them.
    fn is_no_base(&self) -> bool {
        matches!(self.kind(), Some(TickerKind::Never | TickerKind::Stable))
    }

    fn mention(&self, quote: Option<&str>, perpetual: bool) -> Option<Mention> {
        let foreign = self.is_money() || self.kind() == Some(TickerKind::Foreign);
        let name = self.words.coin(self.word).unwrap_or(self.word);
        let quote = quote.and_then(|quote| quote.parse().ok());
        let base = name.parse().ok()?;
        Some(Mention { base, quote, perpetual, option: None, foreign, strength: Strength::Marked })
    }
}

/// A symbol behind the marker at token `at`, `$X` or `#X`, and how many tokens it covers.
pub(super) fn marked(tokens: &Tokens<'_>, at: usize) -> Option<(Mention, usize)> {
    if !matches!(tokens[at].kind, Kind::Mark('$' | '#')) || !tokens.get(at + 1)?.glued {
        return None;
    }
    let name = Name::at(tokens, at + 1).filter(|name| is_ticker(name.word))?;
    let (mention, end) = match paired(tokens, &name) {
        Some(pair) => pair,
        None => (cashtag(tokens, &name)?, name.at + 1),
    };
    Some((mention, end - at))
}

/// A symbol with its quote at a word, and how many tokens it covers.
pub(super) fn quoted(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<(Mention, usize)> {
    if !may_be_quoted(tokens, name) {
        return None;
    }
    let (mention, end) = paired(tokens, name)?;
    is_ticker(name.word).then_some((mention, end - name.at))
}

/// False for most words: no mark stands behind them that joins a quote, and they neither end as one does nor are as long as
/// two currencies.
fn may_be_quoted(tokens: &Tokens<'_>, name: &Name<'_>) -> bool {
    let joined = tokens.get(name.at + 1).is_some_and(|next| matches!(next.kind, Kind::Mark('/' | '-' | '_')));
    joined || matches!(name.word.as_bytes(), [.., b't' | b'c' | b'd' | b'p'] | [_, _, _, _, _, _])
}

fn is_ticker(word: &str) -> bool {
    word.len() <= 20
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// `X/USDT`, `X-PERP`, `XUSDT`, with what may follow: `.P`, `:USDT`, `-SWAP`; and where it ends.
fn paired(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<(Mention, usize)> {
    let next = name.at + 1;
    if let Some(end) = end_of_currencies(tokens, name) {
        let pair = name.mention(None, false)?;
        return Some((Mention { foreign: true, ..pair }, end));
    }
    let glued = glued_quote(name.word);
    let with = |base: &Name<'_>, quote: &str, after: usize| {
        let (perpetual, end) = suffix(tokens, after);
        let currency = Some(quote).filter(|quote| *quote != "perp");
        Some((base.mention(currency, perpetual || quote == "perp")?, end))
    };
    // `ETHUSD_PERP` has its quote already.
    if let Some((quote, after)) = spaced_quote(tokens, next)
        && !name.is_stable()
        && (quote != "perp" || glued.is_none())
    {
        return with(name, quote, after);
    }
    // `ETHBTC`, but not `WBTC`.
    let base = name.word.strip_suffix("btc").map(|base| name.part(base));
    if let Some(base) = base.filter(Name::is_coin) {
        return Some((base.mention(Some("btc"), false)?, next));
    }
    let (base, quote) = glued.filter(|_| !name.is_stable() && tokens.phrase(name.at).is_none())?;
    with(&name.part(base), quote, next)
}

/// A base of two letters and more with the quote that is glued to it.
fn glued_quote(word: &str) -> Option<(&str, &'static str)> {
    let quote = match word.as_bytes() {
        [_, _, .., b'f', b'd', b'u', b's', b'd'] => "fdusd",
        [_, _, .., b'u', b's', b'd', b't'] => "usdt",
        [_, _, .., b'u', b's', b'd', b'c'] => "usdc",
        [_, _, .., b'p', b'e', b'r', b'p'] => "perp",
        [_, _, .., b'u', b's', b'd'] => "usd",
        _ => return None,
    };
    Some((word.strip_suffix(quote)?, quote))
}

/// `GBPJPY`, `GBP/JPY`: where a pair of two currencies ends, which is no crypto market.
fn end_of_currencies(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<usize> {
    let next = name.at + 1;
    match name.word.len() {
        3 => {
            let mark = tokens.get(next).filter(|mark| mark.glued)?;
            let quote = tokens.get(next + 1).filter(|quote| quote.glued)?;
            let joined = matches!(mark.kind, Kind::Mark('/' | '-'))
                && name.is_money()
                && matches!(quote.kind, Kind::Word(quote) if name.part(quote).is_money());
            joined.then_some(next + 2)
        }
        6 => {
            let (base, quote) = name.word.split_at_checked(3)?;
            let is_money = |part| name.part(part).is_money();
            (is_money(base) && is_money(quote)).then_some(next)
        }
        _ => None,
    }
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
fn cashtag(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<Mention> {
    let at = name.at;
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
    if goes_on || plain_word || name.is_no_base() || name.word.len() > 12 {
        return None;
    }
    name.mention(None, false)
}

/// A ticker that is also a word of the vocabulary, upper case and in the header's place.
pub(super) fn word_ticker(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<Mention> {
    let at = name.at;
    let upper = is_upper(tokens[at].raw);
    // In lower case only a noun can be one, right beside the side.
    if !upper && !is_beside_side(tokens, at) {
        return None;
    }
    let meant = match name.kind()? {
        TickerKind::Word | TickerKind::Noun if upper => {
            (is_header(tokens, at) || is_listed(tokens, at) || is_foreign(tokens, at))
                && !labels_id(tokens, at)
        }
        TickerKind::Noun => stands_in_call(tokens, at),
        // "Short ALGO": a word of the vocabulary too, but in capitals beside the side it is the coin.
        TickerKind::Coin => upper && tokens.phrase(at).is_some() && is_header(tokens, at),
        _ => false,
    };
    if !meant {
        return None;
    }
    let found = name.mention(None, false)?;
    Some(Mention { strength: Strength::Header, ..found })
}

/// A bare name: well-known, or in the header's place.
pub(super) fn named(tokens: &Tokens<'_>, name: &Name<'_>) -> Option<Mention> {
    let at = name.at;
    let upper = is_upper(tokens[at].raw);
    let in_header = || is_header(tokens, at) || name.is_coin() && heads_line(tokens, at);
    let possible = upper
        && is_ticker(name.word)
        && (2..=10).contains(&name.word.len())
        && !name.is_no_base()
        && tokens.phrase(at).is_none();
    let known = match name.kind() {
        Some(TickerKind::Coin | TickerKind::Foreign) => true,
        Some(TickerKind::CoinOrWord) => upper || in_header(),
        _ => tokens.noted(at).names_coin && tokens.words.coin(name.word).is_some(),
    };
    if !known && !possible || is_amount(tokens, at) {
        return None;
    }
    let strength = match (known, in_header()) {
        (true, true) => Strength::Header,
        (true, false) => Strength::Bare,
        (false, true) => Strength::Guess,
        (false, false) => return None,
    };
    let quote = quote_behind(tokens, at);
    name.mention(quote, false).map(|found| Mention { strength, ..found })
}

/// `MANTA USDT`: a stablecoin right behind the name.
fn quote_behind<'t>(tokens: &Tokens<'t>, at: usize) -> Option<&'t str> {
    let next = tokens.get(at + 1).filter(|next| next.line == tokens[at].line)?;
    let Kind::Word(word) = next.kind else { return None };
    let stable =
        word != "perp" && word != "usdtperp" && tokens.noted(at + 1).ticker == Some(TickerKind::Stable);
    stable.then_some(word)
}

/// A word in capitals that may be a ticker which no list knows. `known` says that it is a word of the vocabulary: then
/// only those count that are tickers too.
pub(super) fn in_capitals(words: Lexicon<'_>, raw: &str, known: bool) -> Option<Mention> {
    if !is_upper(raw) || !is_ticker(raw) || !(2..=10).contains(&raw.len()) {
        return None;
    }
    let lower = raw.to_ascii_lowercase();
    let name = Name::of(&lower, 0, words);
    let ticker = match name.kind() {
        Some(TickerKind::Word | TickerKind::Noun | TickerKind::Coin) => true,
        Some(TickerKind::CoinOrWord) | None => !known,
        Some(_) => false,
    };
    if ticker { name.mention(None, false) } else { None }
}

fn is_upper(raw: &str) -> bool {
    !raw.bytes().any(|b| b.is_ascii_lowercase()) && raw.bytes().any(|b| b.is_ascii_uppercase())
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
        let symbol = |tokens: &Tokens<'_>, at: usize| match Name::at(tokens, at) {
            Some(name) => super::quoted(tokens, &name),
            None => super::marked(tokens, at),
        };
        first(text, |tokens, at| Some(symbol(tokens, at)?.0)).map(|mention| {
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
            first(text, |tokens, at| {
                let name = Name::at(tokens, at)?;
                word_ticker(tokens, &name).or_else(|| named(tokens, &name))
            })
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
