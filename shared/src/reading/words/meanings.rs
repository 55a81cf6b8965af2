//! Meanings: what a phrase of the vocabulary can mean, and the name of each meaning in the language files.
//!
//! Entry points: [`Meaning`], [`Slot`], [`by_name`]. The names are explained in `shared/languages/README.md`.

use super::super::tokens::Unit;
use super::named::Named;
use crate::signal::Side;

/// What a phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reading) enum Meaning {
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
    Candle(Named),
    /// A candle, as in "candle close".
    CandleWord,
    /// A trading venue.
    Venue(Named),
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
    /// "At", "around": what follows is the price of what was said before.
    At,
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
    /// What its author says when the idea has failed: "I was wrong".
    GivenUp,
    /// Laughter: a joke, unless it stands apart from a whole call.
    Laugh,
    /// What a price is hoped to reach: a target where an entry is stated.
    Aim,
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
    /// Two thirds of something.
    TwoThirds,
    /// Three quarters of something.
    ThreeQuarters,
    /// So many tenths of something.
    Tenths(u8),
    /// All of something.
    All,
    /// All longs or all shorts.
    Positions(Side),
    /// One position or order, of either direction.
    Trade,
    /// Several positions or orders.
    Trades,
    /// A list of trades that run already.
    Tracker,
    /// Ordinals in words, from 1.
    Nth(u8),
    /// An earlier value follows.
    Was,
    /// The trade is entered again after it ended.
    Again,
    /// More is bought or sold for a position that is open.
    Add,
    /// The stop follows the price.
    Trail,
    /// Further ones of a kind: extra, one more.
    More,
    /// As of now: what stands here is the new value.
    Now,
    /// A number in words, behind its noun or before several.
    Count(u8),
    /// Something about an earlier call is different now.
    Changed,
    /// Turns what follows into its opposite.
    Negation,
    /// The words of a member who talks about the own trade, or thanks for one.
    Bystander,
    /// Opinions, hopes, habits and plans: they keep an update from being one, never a call.
    Musing,
    /// What charts have and do: no position that could be closed.
    Scenery,
    /// Only on a condition, or somebody's: if, would, he.
    Hedge,
    /// Only perhaps: may, maybe, possible. Weaker than `Hedge`.
    Perhaps,
    /// Somebody else's trade: friends, other groups, newspapers, and the verbs that quote them.
    Others,
    /// Verbs of trading in the past: an unknown word before one is its subject.
    Acted,
    /// Words with which callers introduce a call; they say nothing by themselves.
    Caller,
    /// What should or could have been done.
    Hindsight,
    /// What the number before it counts, as a word of its own: "24 hours".
    Counts(Counted),
    /// Asks for something, also without a question mark.
    Asks,
    /// A remark with a word of another kind that leaves the call alone: "not financial advice".
    Aside,
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
    /// Another currency than dollars, or cents.
    Currency,
    /// Options, whose prices and words mean other things.
    Option,
    /// Buying an option to open a position.
    OptionBuy,
    /// Selling an option, or closing one.
    OptionOther,
    /// Was bought: counts as buying where an option is named in full.
    Bought,
    /// Shares, currencies, metals, contract addresses.
    NotCrypto,
}

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::reading) enum Slot {
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
    /// The author's own number or id of a call.
    Reference,
    /// A part of a bot's card that repeats the other labels with other meanings; it runs to the end.
    Appendix,
    /// The kind of the call, regular or breakout.
    Kind,
}

impl Meaning {
    /// True for small words, which may stand between a label and its value.
    pub(in crate::reading) fn is_small(self) -> bool {
        matches!(self, Meaning::Filler | Meaning::At | Meaning::Now)
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reading) enum Counted {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
    /// Leverage.
    Times,
    /// Thousands.
    Thousands,
}

impl Counted {
    /// The unit of the number.
    pub(in crate::reading) fn unit(self) -> Unit {
        match self {
            Counted::Minutes => Unit::Span('m'),
            Counted::Hours => Unit::Span('h'),
            Counted::Days => Unit::Span('d'),
            Counted::Weeks => Unit::Span('w'),
            Counted::Times => Unit::Times,
            Counted::Thousands => Unit::Kilo,
        }
    }
}

impl Slot {
    /// True for labels that announce levels, or ends of a range, so that a value inside them is one of theirs.
    pub(in crate::reading) fn may_be_listed(self) -> bool {
        matches!(self, Slot::Entry | Slot::Target | Slot::Stop | Slot::Leverage)
    }
}

/// The meaning with this name in the language files.
pub(super) fn by_name(name: &str) -> Option<Meaning> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}

/// Every name, for messages and for the documentation's test.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

const NAMES: &[(&str, Meaning)] = &[
    ("entry", Meaning::Label(Slot::Entry)),
    ("target", Meaning::Label(Slot::Target)),
    ("stop", Meaning::Label(Slot::Stop)),
    ("leverage", Meaning::Label(Slot::Leverage)),
    ("margin", Meaning::Label(Slot::Margin)),
    ("risk", Meaning::Label(Slot::Risk)),
    ("size", Meaning::Label(Slot::Size)),
    ("timeframe", Meaning::Label(Slot::Timeframe)),
    ("pair", Meaning::Label(Slot::Pair)),
    ("side", Meaning::Label(Slot::Side)),
    ("kind", Meaning::Label(Slot::Kind)),
    ("expiry", Meaning::Label(Slot::Expiry)),
    ("confidence", Meaning::Label(Slot::Confidence)),
    ("decoy", Meaning::Label(Slot::Decoy)),
    ("outcome", Meaning::Label(Slot::Outcome)),
    ("reference", Meaning::Label(Slot::Reference)),
    ("appendix", Meaning::Label(Slot::Appendix)),
    ("long", Meaning::Side(Side::Long)),
    ("short", Meaning::Side(Side::Short)),
    ("buy", Meaning::Buy),
    ("sell", Meaning::Sell),
    ("market", Meaning::Market),
    ("limit", Meaning::Limit),
    ("above", Meaning::Above),
    ("below", Meaning::Below),
    ("break", Meaning::Break),
    ("buy_stop", Meaning::StopOrder(Side::Long)),
    ("sell_stop", Meaning::StopOrder(Side::Short)),
    ("zone", Meaning::Zone),
    ("to", Meaning::To),
    ("from", Meaning::From),
    ("and", Meaning::And),
    ("runner", Meaning::Runner),
    ("no_stop", Meaning::NoStop),
    ("placeholder", Meaning::Placeholder),
    ("candle_1d", Meaning::Candle(Named::Day)),
    ("candle_1w", Meaning::Candle(Named::Week)),
    ("candle_1h", Meaning::Candle(Named::Hour)),
    ("candle_2h", Meaning::Candle(Named::TwoHours)),
    ("candle_4h", Meaning::Candle(Named::FourHours)),
    ("candle_15m", Meaning::Candle(Named::QuarterHour)),
    ("candle_30m", Meaning::Candle(Named::HalfHour)),
    ("candle", Meaning::CandleWord),
    ("unit_minutes", Meaning::Counts(Counted::Minutes)),
    ("unit_hours", Meaning::Counts(Counted::Hours)),
    ("unit_days", Meaning::Counts(Counted::Days)),
    ("unit_weeks", Meaning::Counts(Counted::Weeks)),
    ("unit_thousands", Meaning::Counts(Counted::Thousands)),
    ("unit_times", Meaning::Counts(Counted::Times)),
    ("venue_binance", Meaning::Venue(Named::Binance)),
    ("venue_bybit", Meaning::Venue(Named::Bybit)),
    ("venue_okx", Meaning::Venue(Named::Okx)),
    ("venue_bitget", Meaning::Venue(Named::Bitget)),
    ("venue_mexc", Meaning::Venue(Named::Mexc)),
    ("venue_kucoin", Meaning::Venue(Named::Kucoin)),
    ("venue_hyperliquid", Meaning::Venue(Named::Hyperliquid)),
    ("venue_bitmex", Meaning::Venue(Named::Bitmex)),
    ("venue_deribit", Meaning::Venue(Named::Deribit)),
    ("cross", Meaning::Cross),
    ("isolated", Meaning::Isolated),
    ("spot", Meaning::Spot),
    ("futures", Meaning::Futures),
    ("capital", Meaning::Capital),
    ("up_to", Meaning::UpTo),
    ("filler", Meaning::Filler),
    ("at", Meaning::At),
    ("row", Meaning::Row),
    ("of_profit", Meaning::OfProfit),
    ("hit", Meaning::Hit),
    ("filled", Meaning::Filled),
    ("move", Meaning::Move),
    ("new", Meaning::New),
    ("break_even", Meaning::BreakEven),
    ("close", Meaning::Close),
    ("closed", Meaning::Closed),
    ("out", Meaning::Out),
    ("given_up", Meaning::GivenUp),
    ("laugh", Meaning::Laugh),
    ("aim", Meaning::Aim),
    ("cancel", Meaning::Cancel),
    ("stopped_out", Meaning::StoppedOut),
    ("part", Meaning::Part),
    ("partial", Meaning::Partial),
    ("half", Meaning::Half),
    ("third", Meaning::Third),
    ("quarter", Meaning::Quarter),
    ("two_thirds", Meaning::TwoThirds),
    ("three_quarters", Meaning::ThreeQuarters),
    ("tenths_1", Meaning::Tenths(1)),
    ("tenths_2", Meaning::Tenths(2)),
    ("tenths_3", Meaning::Tenths(3)),
    ("tenths_4", Meaning::Tenths(4)),
    ("tenths_5", Meaning::Tenths(5)),
    ("tenths_6", Meaning::Tenths(6)),
    ("tenths_7", Meaning::Tenths(7)),
    ("tenths_8", Meaning::Tenths(8)),
    ("tenths_9", Meaning::Tenths(9)),
    ("all", Meaning::All),
    ("longs", Meaning::Positions(Side::Long)),
    ("shorts", Meaning::Positions(Side::Short)),
    ("trade", Meaning::Trade),
    ("trades", Meaning::Trades),
    ("tracker", Meaning::Tracker),
    ("nth_1", Meaning::Nth(1)),
    ("nth_2", Meaning::Nth(2)),
    ("nth_3", Meaning::Nth(3)),
    ("nth_4", Meaning::Nth(4)),
    ("was", Meaning::Was),
    ("again", Meaning::Again),
    ("add", Meaning::Add),
    ("trail", Meaning::Trail),
    ("more", Meaning::More),
    ("now", Meaning::Now),
    ("count_1", Meaning::Count(1)),
    ("count_2", Meaning::Count(2)),
    ("count_3", Meaning::Count(3)),
    ("count_4", Meaning::Count(4)),
    ("count_5", Meaning::Count(5)),
    ("changed", Meaning::Changed),
    ("negation", Meaning::Negation),
    ("hedge", Meaning::Hedge),
    ("perhaps", Meaning::Perhaps),
    ("others", Meaning::Others),
    ("caller", Meaning::Caller),
    ("hindsight", Meaning::Hindsight),
    ("acted", Meaning::Acted),
    ("asks", Meaning::Asks),
    ("aside", Meaning::Aside),
    ("bystander", Meaning::Bystander),
    ("musing", Meaning::Musing),
    ("scenery", Meaning::Scenery),
    ("later", Meaning::Later),
    ("report", Meaning::Report),
    ("unreal", Meaning::Unreal),
    ("advert", Meaning::Advert),
    ("satoshi", Meaning::Satoshi),
    ("currency", Meaning::Currency),
    ("option", Meaning::Option),
    ("option_buy", Meaning::OptionBuy),
    ("option_other", Meaning::OptionOther),
    ("bought", Meaning::Bought),
    ("not_crypto", Meaning::NotCrypto),
];

#[cfg(test)]
mod tests {
    #[test]
    fn every_meaning_is_explained_where_people_write_words() {
        let guide = include_str!("../../../languages/README.md");
        // Families stand as their first and last member: `nth_1` … `nth_4`.
        let families = ["candle_", "venue_", "tenths_", "nth_", "count_"];
        let explained = |name: &str| guide.contains(&format!("`{name}`"));
        let in_family =
            |name: &str| families.iter().any(|family| name.starts_with(family) && guide.contains(family));
        let missing: Vec<&str> = super::names().filter(|name| !explained(name) && !in_family(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
