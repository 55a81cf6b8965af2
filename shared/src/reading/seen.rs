//! Seen: what kinds of pieces stand in a text, noted while they are made, so that most searches end before they begin.
//!
//! Entry points: [`Seen::of`], [`Seen::add`], [`Seen::has`]. Invariant: exact, a place for each [`Sight`], also after heads
//! were settled.

use super::pieces::{Piece, What};
use super::tokens::Unit;
use super::values::is_tick;
use super::words::Meaning;

/// What may be seen at a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// A phrase for a side: long, short, buy, sell, or a stop order.
    Side,
    /// A symbol.
    Ticker,
    /// A number that may be a price.
    Price,
    /// A percentage.
    Percent,
    /// A multiple: leverage.
    Times,
    /// A span of time.
    Span,
    /// Any other number: a multiple of the risk, an ordinal.
    OtherNumber,
    /// A list number, as a circled digit.
    Index,
    /// A date or a time.
    Clock,
    /// Any icon.
    Icon,
    /// A tick, or a cross that ticks off.
    Tick,
    /// An arrow, as an icon or a mark.
    Arrow,
    /// The icon for ids: 🆔.
    Id,
    /// A face of doubt or laughter, or a lock.
    Face,
    /// A question mark.
    Question,
    /// A quotation mark.
    Quote,
    /// A number sign.
    Hash,
    /// A word outside the vocabulary.
    Unknown,
    /// Letters and digits that cannot be told apart.
    Tangle,
}

/// Faces of doubt and laughter. Nobody puts one beside a call that is meant.
pub(super) const JOKING: &[char] = &['🤔', '🤷', '🤣', '😂', '🤡', '🙃'];

/// True for the marks around what is quoted.
pub(super) fn is_quotation_mark(mark: char) -> bool {
    matches!(mark, '"' | '\'' | '「' | '」' | '『' | '』' | '《' | '》')
}

/// True for icons that tick something off, or cross it out.
pub(super) fn ticks_off(icon: char) -> bool {
    is_tick(icon) || matches!(icon, '❌' | '✖')
}

/// Which way an arrow points: `true` to the right.
pub(super) fn arrow(what: &What<'_>) -> Option<bool> {
    match what {
        What::Icon('→' | '⬆' | '⬇' | '↑' | '↓' | '➜' | '➡' | '➔' | '➝' | '⇒' | '⟶')
        | What::Mark('>' | '»') => Some(true),
        What::Icon('←' | '⬅' | '⇐' | '⟵') | What::Mark('<' | '«') => Some(false),
        _ => None,
    }
}

/// The kinds of pieces that stand in a text, and where its prices are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    sights: u32,
    /// How many symbols there are.
    pub(super) tickers: usize,
    /// How many numbers may be prices.
    pub(super) prices: usize,
    /// The piece with the first price; 0 where there is none.
    first_price: usize,
    /// The place behind the last price; 0 where there is none.
    pub(super) prices_end: usize,
}

impl Seen {
    /// Looks at all pieces.
    pub(super) fn of(list: &[Piece<'_>]) -> Self {
        let mut seen = Self::default();
        list.iter().enumerate().for_each(|(at, piece)| seen.add(at, &piece.what));
        seen
    }

    /// Notes piece number `at`; pieces come in order.
    pub(super) fn add(&mut self, at: usize, what: &What<'_>) {
        self.sights |= match what {
            What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell | Meaning::StopOrder(_), _) => {
                place(Sight::Side)
            }
            What::Term(..) => 0,
            What::Ticker(_) => {
                self.tickers += 1;
                place(Sight::Ticker)
            }
            What::Number(number) => self.number(at, number.unit),
            What::Index(_) => place(Sight::Index),
            What::Clock => place(Sight::Clock),
            What::Mark('?') => place(Sight::Question),
            What::Mark('#') => place(Sight::Hash),
            What::Mark(mark) if is_quotation_mark(*mark) => place(Sight::Quote),
            What::Mark('>' | '»' | '<' | '«') => place(Sight::Arrow),
            What::Mark(_) => 0,
            What::Icon(icon) => of_icon(*icon),
            What::Unknown => place(Sight::Unknown),
            What::Tangle => place(Sight::Tangle),
        }
    }

    fn number(&mut self, at: usize, unit: Unit) -> u32 {
        match unit {
            Unit::Percent => place(Sight::Percent),
            Unit::Times => place(Sight::Times),
            Unit::Span(_) => place(Sight::Span),
            Unit::Risk | Unit::Ordinal => place(Sight::OtherNumber),
            Unit::None | Unit::Kilo | Unit::Myriad => {
                if self.prices == 0 {
                    self.first_price = at;
                }
                self.prices += 1;
                self.prices_end = at + 1;
                place(Sight::Price)
            }
        }
    }

    /// True when it was seen.
    pub(super) fn has(self, sight: Sight) -> bool {
        self.sights & place(sight) != 0
    }

    /// The piece with the first price.
    pub(super) fn first_price(self) -> Option<usize> {
        (self.prices > 0).then_some(self.first_price)
    }
}

fn of_icon(icon: char) -> u32 {
    let tick = if ticks_off(icon) { place(Sight::Tick) } else { 0 };
    let face = matches!(icon, '🔒' | '🔐') || JOKING.contains(&icon);
    let arrow = if arrow(&What::Icon(icon)).is_some() { place(Sight::Arrow) } else { 0 };
    let id = if icon == '🆔' { place(Sight::Id) } else { 0 };
    place(Sight::Icon) | tick | arrow | id | if face { place(Sight::Face) } else { 0 }
}

fn place(sight: Sight) -> u32 {
    1 << sight as u8
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::pieces::pieces;
    use super::super::source::Source;
    use super::super::tokens::tokens;
    use super::super::words::{Lexicon, Words};
    use super::*;

    fn seen(text: &str) -> Seen {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        let cleaned = clean(&Source::of_text(Part::Content, text), words);
        let tokens = tokens(&cleaned.own, words);
        let pieces = pieces(&tokens);
        assert_eq!(pieces.seen, Seen::of(&pieces.list), "{text}");
        pieces.seen
    }

    #[test]
    fn what_stands_in_a_text_is_seen_and_nothing_else() {
        let call = seen("SOL long 8x, in 141.2, out 150.5 ✅");
        for sight in [Sight::Ticker, Sight::Side, Sight::Times, Sight::Price, Sight::Icon, Sight::Tick] {
            assert!(call.has(sight), "{sight:?}");
        }
        for sight in [Sight::Face, Sight::Question, Sight::Percent, Sight::Quote, Sight::Tangle] {
            assert!(!call.has(sight), "{sight:?}");
        }
        assert_eq!((call.tickers, call.prices), (1, 2));
        assert!(call.first_price() < Some(call.prices_end));
        let talk = seen("is \"everything\" fine? 🤔 #7 rose 12%");
        for sight in [Sight::Quote, Sight::Question, Sight::Face, Sight::Hash, Sight::Percent] {
            assert!(talk.has(sight), "{sight:?}");
        }
        let moved = seen("🆔 1842: SL → 0.215");
        assert!(moved.has(Sight::Arrow) && moved.has(Sight::Id) && !call.has(Sight::Arrow));
        assert_eq!(seen("gm").first_price(), None);
    }
}
