//! Tickers: what `shared/tickers.toml` says of tickers and of words that look like one.
//!
//! Entry point: [`Words::add_tickers`]. Invariant: a word stands in one list only.

use serde::Deserialize;

use super::Words;
use super::load::BadLanguage;

/// What is known of a word that may be a ticker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reading) enum TickerKind {
    /// A coin, wherever it stands.
    Coin,
    /// A coin and a word: in lower case it must stand beside the side.
    CoinOrWord,
    /// A word and a coin: only in upper case in the header's place.
    Word,
    /// The same, but a noun, which in a one-line call may be in lower case.
    Noun,
    /// Never a coin.
    Never,
    /// A stablecoin: a quote, never a base.
    Stable,
    /// A currency or a metal.
    Currency,
    /// A share, an index, a commodity.
    Foreign,
}

/// The form of the file; the comments there say what the lists are for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    coins: Vec<String>,
    coins_that_are_words: Vec<String>,
    words: Vec<String>,
    nouns: Vec<String>,
    never: Vec<String>,
    stable: Vec<String>,
    currencies: Vec<String>,
    foreign: Vec<String>,
}

impl Words {
    /// Adds the lists.
    pub(super) fn add_tickers(&mut self, file: &str, text: &str) -> Result<(), BadLanguage> {
        let lists: Lists = toml::from_str(text)
            .map_err(|error| BadLanguage::Shape { file: file.to_owned(), problem: error.to_string() })?;
        let named = [
            ("coins", TickerKind::Coin, lists.coins),
            ("coins_that_are_words", TickerKind::CoinOrWord, lists.coins_that_are_words),
            ("words", TickerKind::Word, lists.words),
            ("nouns", TickerKind::Noun, lists.nouns),
            ("never", TickerKind::Never, lists.never),
            ("stable", TickerKind::Stable, lists.stable),
            ("currencies", TickerKind::Currency, lists.currencies),
            ("foreign", TickerKind::Foreign, lists.foreign),
        ];
        for (name, kind, words) in named {
            for word in words {
                if self.phrases.note(&word).ticker.replace(kind).is_some() {
                    return Err(BadLanguage::Twice {
                        file: file.to_owned(),
                        name: name.to_owned(),
                        phrase: word,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_two_lists_is_refused() {
        let lists = |coins: &str, never: &str| {
            format!(
                "coins = [{coins}]\nnever = [{never}]\ncoins_that_are_words = []\nwords = []\nnouns = []\n\
                 stable = []\ncurrencies = []\nforeign = []"
            )
        };
        let mut words = Words::default();
        words.add_tickers("t.toml", &lists("\"abc\"", "\"now\"")).unwrap();
        assert_eq!(words.phrases.note("abc").ticker, Some(TickerKind::Coin));
        let error = words.add_tickers("t.toml", &lists("\"abc\"", "")).unwrap_err().to_string();
        assert!(error.contains("`abc` stands under two"), "{error}");
    }
}
