//! Symbols: the one place where `$X`, `X/USDT`, `X-PERP`, `XUSDT.P` and plain names become a base and a quote.
//!
//! Entry points: [`at`] for a symbol written with a marker or a quote, [`named`] for a bare name.
//! Invariants: a prefix is not a symbol (`BTCDOM` is not BTC); a ticker that is also a word needs a marker, a quote or
//! the header's place; multipliers such as `1000PEPE` stay, because prices are per contract.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::tokens::{Kind, Token, Tokens};
use super::words::{Lexicon, Meaning, Slot};
use crate::signal::{OptionTerms, Symbol};

/// How sure it is that a word is meant as a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A well-known ticker or name, somewhere.
    Bare,
    /// An upper-case word beside the side, or after a label such as "Pair:".
    Header,
    /// With `$`, `#` or a quote currency.
    Marked,
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
/// Currencies, which are no crypto assets.
const FIAT: &[&str] = &["eur", "gbp", "jpy", "chf", "aud", "nzd", "cad", "usd", "try", "xau", "xag"];
/// Stablecoins: quotes, never bases.
const STABLE: &[&str] = &["usdt", "usdc", "fdusd", "busd", "tusd", "dai", "usd", "perp", "usdtperp"];

/// Tickers that mean nothing else, so that they may stand anywhere.
static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "aave ada algo ankr apt arb atom avax axs bch bel blur bnb bonk bsv btc btcdom cake celo chz comp \
    crv dash doge dot dydx dym egld ena enj ens eos etc eth fet fil floki ftm gala gmt gmx grt hbar \
    hnt icp icx imx inj iost iotx jasmy jto jup kava knc ksm ldo lpt lrc ltc luna lunc manta matic mkr \
    neo ondo ordi pendle pepe pol portal pyth qnt qtum rndr rune rvn saga sei shib skl snx sol stg \
    storj strk stx sui sushi tao theta tia tlm ton trb trx uni vet wif wld woo xlm xmr xrp xtz yfi zec \
    zil zrx 1inch rose audio flow bnx c98 api3 1000pepe 1000bonk 1000shib 1000floki hype xai ar"
        .split(' ')
        .collect()
});
/// Those of the list above that are also words: they must be upper case.
static UPPER_ONLY: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "dot apt ton uni sui saga portal rose audio flow dash comp cake neo etc vet hype ar celo manta blur \
    sei wif luna arb ena ens gala bel woo sol"
        .split(' ')
        .collect()
});

/// Words that are tickers too: upper case in the header's place, they are meant as tickers.
const WORD_TICKERS: &[&str] = &[
    "near", "one", "op", "me", "gas", "move", "link", "data", "home", "people", "hot", "bat", "core", "mask",
    "magic", "open", "bond", "super", "major", "form", "act",
];

/// Those that are nouns only, so that in lower case, right beside a side and before stop and target, they mean the coin.
const LOWER_TICKERS: &[&str] = &["link", "bat", "mask", "magic"];

/// Upper-case words that stand beside a side without being a symbol.
static NO_SYMBOLS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "swing scalp risky high degen aggressive quick go going opened signal signals idea trade setup call \
    now lets another next hedge intraday day breakout counter safe vip premium usdt usd usdc coin \
    altcoin alt alts both crypto hold small big low mid final entered test tp sl be pnl roi atr ema \
    rsi hot urgent atm wow just still super mega ultra exit strong fresh strategy bot confirmed ath \
    atl"
    .split(' ')
    .collect()
});

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
    if let Some((quote, after)) = spaced_quote(tokens, next)
        && !STABLE.contains(&word)
    {
        let (perpetual, end) = suffix(tokens, after);
        let perpetual = perpetual || quote == "perp";
        return (mention(tokens.words, word, Some(quote).filter(|quote| *quote != "perp"), perpetual), end);
    }
    // `ETHBTC`, but not `WBTC`.
    if let Some(base) = word.strip_suffix("btc").filter(|base| KNOWN.contains(base)) {
        return (mention(tokens.words, base, Some("btc"), false), next);
    }
    let glued = GLUED_QUOTES.iter().find_map(|quote| {
        let base = word.strip_suffix(quote).filter(|base| base.len() >= 2)?;
        Some((base, *quote))
    });
    match glued {
        Some((base, quote)) if !STABLE.contains(&word) && tokens.phrase(start).is_none() => {
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
    if goes_on || plain_word || NO_SYMBOLS.contains(word) || word.len() > 12 {
        return None;
    }
    mention(tokens.words, word, None, false)
}

fn mention(words: Lexicon<'_>, base: &str, quote: Option<&str>, perpetual: bool) -> Option<Mention> {
    let foreign = FIAT.contains(&base);
    let name = words.coin(base).unwrap_or(base);
    let quote = quote.and_then(|quote| quote.parse().ok());
    let base = name.parse().ok()?;
    Some(Mention { base, quote, perpetual, option: None, foreign, strength: Strength::Marked })
}

/// A ticker that is also a word of the vocabulary, upper case and in the header's place.
pub(super) fn word_ticker(tokens: &Tokens<'_>, at: usize) -> Option<Mention> {
    let Kind::Word(word) = tokens[at].kind else { return None };
    let upper = is_upper(tokens[at].raw);
    let meant = WORD_TICKERS.contains(&word) && upper && is_header(tokens, at)
        || LOWER_TICKERS.contains(&word) && !upper && stands_in_call(tokens, at);
    let found = mention(tokens.words, word, None, false).filter(|_| meant)?;
    Some(Mention { strength: Strength::Header, ..found })
}

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
    let name = tokens.words.coin(word).is_some();
    let in_header = is_header(tokens, at);
    let known = name || KNOWN.contains(word) && (upper || in_header || !UPPER_ONLY.contains(word));
    let possible = is_ticker(word) && (2..=10).contains(&word.len()) && !NO_SYMBOLS.contains(word);
    let unknown = possible && upper && in_header && tokens.phrase(at).is_none();
    if !known && !unknown || is_amount(tokens, at) {
        return None;
    }
    let strength = if in_header { Strength::Header } else { Strength::Bare };
    mention(tokens.words, word, None, false).map(|found| Mention { strength, ..found })
}

fn is_upper(raw: &str) -> bool {
    raw.bytes().any(|b| b.is_ascii_uppercase()) && !raw.bytes().any(|b| b.is_ascii_lowercase())
}

/// `15 AVAX` is an amount. `1) BTC` and `64k BTC long` are not.
fn is_amount(tokens: &Tokens<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    before.is_some_and(|before| {
        before.line == tokens[at].line
            && matches!(&before.kind, Kind::Number(n) if n.unit != super::tokens::Unit::Ordinal)
    }) && !is_header(tokens, at)
}

/// Beside a side, after a label for the symbol, or alone in its line.
fn is_header(tokens: &Tokens<'_>, at: usize) -> bool {
    let line = tokens[at].line;
    let decoration = |token: &&Token<'_>| matches!(token.kind, Kind::Icon(_) | Kind::Mark(_));
    let beside = |token: Option<&Token<'_>>, index: Option<usize>| {
        token.filter(|token| token.line == line).is_some()
            && index.is_some_and(|index| is_side(tokens, index))
    };
    let filler = |i: usize| tokens.phrase(i).is_some_and(|found| found.meaning == Meaning::Filler);
    let next = (at + 1..tokens.len()).take(4).find(|i| !decoration(&&tokens[*i]));
    let previous = (0..at).rev().take(4).find(|i| !decoration(&&tokens[*i]) && !filler(*i));
    let alone =
        next.is_none_or(|i| tokens[i].line != line) && previous.is_none_or(|i| tokens[i].line != line);
    (at == 0 && next.is_some_and(|i| tokens[i].line == line && is_level(tokens, i)))
        || beside(next.map(|i| &tokens[i]), next)
        || beside(previous.map(|i| &tokens[i]), previous)
        || alone
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
