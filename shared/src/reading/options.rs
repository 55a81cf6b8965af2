//! Options: contracts as venues name them (`BTC-26SEP26-95000-P`) and as people do (`BTC 95000P 26SEP`), and who buys them.
//!
//! Entry points: [`contract`], [`side`]. Invariants: a contract has a symbol, a strike, a right and a day of expiry, or it is
//! none; only bought options are read, because a sold one has other risks than a stop can bound.

use rust_decimal::Decimal;

use super::doubt::Doubt;
use super::numbers::Way;
use super::pieces::{Piece, Pieces, What};
use super::tokens::{Kind, Token, Tokens, Unit};
use super::words::Meaning;
use crate::money::Price;
use crate::signal::{OptionRight, OptionTerms, Side};

/// How many tokens behind the symbol may belong to the contract: `ETH 3200 strike call, expiring 28 November 2025`.
const MAX_TOKENS: usize = 14;
/// The three-letter months of instrument names.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Months in full, where they are longer than three letters.
const FULL_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Words inside a contract that say nothing more.
const LINKS: &[&str] = &[
    "strike",
    "exp",
    "expiry",
    "expiring",
    "expires",
    "expiration",
    "option",
    "options",
    "the",
    "usdc",
    "usdt",
];

/// The terms that follow a symbol, and how many tokens they cover.
pub(super) fn terms(tokens: &Tokens<'_>, start: usize) -> Option<(OptionTerms, usize)> {
    let line = tokens.get(start)?.line;
    let end = tokens.len().min(start + MAX_TOKENS);
    let mut parts = Parts::default();
    let (mut at, mut covered) = (start, start);
    while at < end && tokens[at].line == line && !parts.is_whole() {
        at += parts.take(&tokens[at..end])?;
        covered = at;
    }
    let is_option =
        |at: usize| matches!(tokens.get(at).map(|t| t.kind), Some(Kind::Word("option" | "options")));
    covered += usize::from(is_option(covered));
    Some((parts.terms()?, covered - start))
}

/// What was found of a contract so far.
#[derive(Default)]
struct Parts {
    right: Option<OptionRight>,
    strike: Option<Decimal>,
    expiry: Option<String>,
}

impl Parts {
    fn is_whole(&self) -> bool {
        self.right.is_some() && self.strike.is_some() && self.expiry.is_some()
    }

    fn terms(self) -> Option<OptionTerms> {
        let strike = Price::new(self.strike?).ok()?;
        Some(OptionTerms { right: self.right?, strike, expiry: self.expiry? })
    }

    /// Takes the next part; none where something else stands.
    fn take(&mut self, tokens: &[Token<'_>]) -> Option<usize> {
        let first = tokens.first()?;
        if self.expiry.is_none()
            && let Some((expiry, length)) = day(tokens)
        {
            self.expiry = Some(expiry);
            return Some(length);
        }
        match first.kind {
            Kind::Mark('-' | '_' | '/' | '$' | ',' | '(' | ')' | '\'') => Some(1),
            Kind::Word(word) if LINKS.contains(&word) => Some(1),
            Kind::Word(word) => self.word(word),
            Kind::Number(number)
                if self.strike.is_none() && matches!(number.unit, Unit::None | Unit::Kilo) =>
            {
                self.strike = Some(scaled(number.text, number.unit == Unit::Kilo)?);
                Some(1)
            }
            _ => None,
        }
    }

    /// `p`, `calls`, `95000p`, `95kp`, and `0d55` for a strike of 0.55.
    fn word(&mut self, word: &str) -> Option<usize> {
        if self.right.is_none()
            && let Some(right) = right(word)
        {
            self.right = Some(right);
            return Some(1);
        }
        if self.strike.is_some() {
            return None;
        }
        if let Some((whole, fraction)) = word.split_once('d') {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if !digits(whole) || !digits(fraction) {
                return None;
            }
            self.strike = Decimal::from_str_exact(&format!("{whole}.{fraction}")).ok();
            return self.strike.map(|_| 1);
        }
        let (number, last) = word.split_at_checked(word.len().checked_sub(1)?)?;
        let right = right(last).filter(|_| self.right.is_none())?;
        let (number, kilo) = number.strip_suffix('k').map_or((number, false), |number| (number, true));
        self.strike = Some(scaled(number, kilo)?);
        self.right = Some(right);
        Some(1)
    }
}

fn right(word: &str) -> Option<OptionRight> {
    match word {
        "c" | "call" | "calls" => Some(OptionRight::Call),
        "p" | "put" | "puts" => Some(OptionRight::Put),
        _ => None,
    }
}

/// A strike: whole thousands may be grouped by commas.
fn scaled(number: &str, kilo: bool) -> Option<Decimal> {
    let value = Way::PLAIN.value(number)?;
    if kilo { value.checked_mul(Decimal::ONE_THOUSAND) } else { Some(value) }
}

/// A day of expiry, and how many tokens it covers: `26sep26`, `5dec`, `28 Nov 2025`, `Dec 5`, `2025-11-28`.
fn day(tokens: &[Token<'_>]) -> Option<(String, usize)> {
    let first = tokens.first()?;
    match first.kind {
        Kind::Clock => iso_day(first.raw).map(|day| (day, 1)),
        Kind::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
            glued_day(word).map(|day| (day, 1))
        }
        Kind::Word(word) => {
            let month = month(word)?;
            let (number, after) = number_at(tokens, 1)?;
            let (year, end) = year_at(tokens, after);
            dated(number, month, year).map(|day| (day, end))
        }
        Kind::Number(_) => {
            let (number, after) = number_at(tokens, 0)?;
            let Kind::Word(word) = tokens.get(after)?.kind else { return None };
            let month = month(word)?;
            let (year, end) = year_at(tokens, after + 1);
            dated(number, month, year).map(|day| (day, end))
        }
        _ => None,
    }
}

fn number_at<'t>(tokens: &[Token<'t>], at: usize) -> Option<(&'t str, usize)> {
    match tokens.get(at)?.kind {
        Kind::Number(number) if matches!(number.unit, Unit::None | Unit::Ordinal) => {
            Some((number.text, at + 1))
        }
        _ => None,
    }
}

/// `2025`, `'25`, `, 2025`: only a number of four digits is a year by itself.
fn year_at<'t>(tokens: &[Token<'t>], at: usize) -> (Option<&'t str>, usize) {
    let mark = tokens.get(at).map(|token| token.kind);
    let skipped = usize::from(matches!(mark, Some(Kind::Mark(',' | '\''))));
    match number_at(tokens, at + skipped) {
        Some((year, after)) if year.len() == 4 && year.starts_with("20") => (Some(year), after),
        Some((year, after)) if year.len() == 2 && mark == Some(Kind::Mark('\'')) => (Some(year), after),
        _ => (None, at),
    }
}

/// `26sep26`, `5dec`, `27mar2026`.
fn glued_day(word: &str) -> Option<String> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (day, rest) = word.split_at_checked(digits)?;
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, year) = rest.split_at_checked(letters)?;
    dated(day, month(name)?, Some(year).filter(|year| !year.is_empty()))
}

/// `2025-11-28`.
fn iso_day(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    dated(day, month.parse().ok()?, Some(year))
}

fn month(name: &str) -> Option<u8> {
    let short = || MONTHS.iter().position(|month| *month == name);
    let at = short().or_else(|| FULL_MONTHS.iter().position(|month| *month == name))?;
    u8::try_from(at + 1).ok()
}

fn dated(day: &str, month: u8, year: Option<&str>) -> Option<String> {
    let day: u8 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let digits = |year: &str| year.bytes().all(|b| b.is_ascii_digit());
    if !(1..=12).contains(&month) || year.is_some_and(|year| !digits(year)) {
        return None;
    }
    match year {
        None => Some(format!("{month:02}-{day:02}")),
        Some(year) if year.len() == 2 => Some(format!("20{year}-{month:02}-{day:02}")),
        Some(year) if year.len() == 4 => Some(format!("{year}-{month:02}-{day:02}")),
        Some(_) => None,
    }
}

/// The one contract of a text, if its only symbol is one.
pub(super) fn contract<'p>(list: &'p [Piece<'_>]) -> Option<&'p OptionTerms> {
    list.iter().find_map(|piece| match &piece.what {
        What::Ticker(mention) => mention.option.as_deref(),
        _ => None,
    })
}

/// The side of a trade in options: long for a bought one, a put too. "Short" and "sell" may mean a sold option.
pub(super) fn side(pieces: &Pieces<'_>, sells_are_targets: bool) -> Result<Side, Doubt> {
    let has = |meaning: Meaning| pieces.has(meaning);
    if has(Meaning::Side(Side::Short)) || has(Meaning::Sell) && !sells_are_targets {
        return Err(Doubt::Unclear("a sold option, or a hedge: only bought ones are read"));
    }
    let bought = [Meaning::Bought, Meaning::OptionBuy, Meaning::Buy, Meaning::Side(Side::Long)];
    if bought.into_iter().any(has) { Ok(Side::Long) } else { Err(Doubt::NoSide) }
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::source::Source;
    use super::super::tokens::tokens;
    use super::super::words::{Lexicon, Words};
    use super::*;

    fn found(text: &str) -> Option<String> {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        let cleaned = clean(&Source::of_text(Part::Content, text), words);
        let (terms, _) = terms(&tokens(&cleaned.own, words), 1)?;
        Some(format!("{:?} {} {}", terms.right, terms.strike, terms.expiry))
    }

    #[test]
    fn contracts_are_known_in_the_forms_of_venues_and_people() {
        for (text, terms) in [
            ("BTC-26SEP26-95000-P", "Put 95000 2026-09-26"),
            ("XRP_USDC-5DEC25-2d4-C", "Call 2.4 2025-12-05"),
            ("BTC 95000P 26SEP @ 0.0385", "Put 95000 09-26"),
            ("SOL 140p 5DEC @ 6.20", "Put 140 12-05"),
            ("BTC 27MAR26 110000 calls for 0.052", "Call 110000 2026-03-27"),
            ("ETH $3,200 call, expiring 28 November 2025 at 0.04", "Call 3200 2025-11-28"),
            ("BTC 95k put Dec 5", "Put 95000 12-05"),
            ("BTC Dec 26 '25 95kp", "Put 95000 2025-12-26"),
            ("ETH 2025-11-28 3200C", "Call 3200 2025-11-28"),
            ("SOL 137.5 put 28nov25", "Put 137.5 2025-11-28"),
        ] {
            assert_eq!(found(text).as_deref(), Some(terms), "{text}");
        }
    }

    #[test]
    fn without_strike_right_and_day_there_is_no_contract() {
        for text in
            ["BTC 95000P @ 0.03", "BTC 26SEP 0.03", "BTC calls 26SEP", "ETH long 3200", "SOL 140P 5DEX"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
