//! The English vocabulary, and what all languages share: venues, candles, abbreviations.
//!
//! Entry point: [`ENGLISH`]. Sorted by meaning in the order of [`Meaning`]; add a phrase where its meaning stands.

use super::{Meaning, Slot, Vocabulary};
use crate::signal::Side;

/// The English vocabulary.
pub(super) static ENGLISH: Vocabulary = Vocabulary { decimal_comma: false, phrases: PHRASES };

const PHRASES: &[(Meaning, &str)] = &[
    (
        Meaning::Label(Slot::Entry),
        "entry | entries | enter | entry price | entry point | entry points | entry target | \
         entry targets | entry level | entry order | limit entry | buy entry | sell entry | \
         buy setup | sell setup | dca | ep | open price",
    ),
    (
        Meaning::Label(Slot::Target),
        "target | targets | tgt | tgts | tp | tps | t p | take profit | take profits | takeprofit | \
         takeprofits | take profit target | take profit targets | profit target | profit targets | \
         sell target | sell targets | sell at | price target | price targets | exit targets | \
         exit target | aiming | aiming for | short term targets | mid term targets | \
         long term targets",
    ),
    (
        Meaning::Label(Slot::Stop),
        "stop | stops | sl | s l | stop loss | stoploss | stop target | stop targets | \
         global stop loss | invalidation | invalid | invalidated | hard stop | cut loss | stop price",
    ),
    (Meaning::Label(Slot::Leverage), "leverage | lev | levrage | max leverage"),
    (Meaning::Label(Slot::Margin), "margin | margin mode | margin type"),
    (Meaning::Label(Slot::Risk), "risk | risking | risk per trade"),
    (Meaning::Label(Slot::Size), "size | position size | amount | allocation"),
    (Meaning::Label(Slot::Timeframe), "timeframe | time frame | tf | interval | chart"),
    (
        Meaning::Label(Slot::Pair),
        "pair | coin | coin name | symbol | ticker | asset | market pair | trading pair | instrument",
    ),
    (
        Meaning::Label(Slot::Side),
        "side | direction | position | call type | trade type | order type | type | action | trend | \
         bias",
    ),
    (Meaning::Label(Slot::Kind), "signal type | regular"),
    (Meaning::Label(Slot::Expiry), "valid | valid for | good for | expires in | expiry"),
    (Meaning::Label(Slot::Confidence), "confidence | probability | accuracy"),
    (
        Meaning::Label(Slot::Decoy),
        "signal id | trade id | id | ote | risk reward | reward risk | risk level | risk score | \
         rr | r r | r r ratio | current price | current rate | current market price | last price | \
         mark price | price now | average | avg | new average | average entry price | \
         average price | profit | profits | loss | period | duration | date | \
         time | volume | volume 24h | rsi | ema | ma | atr | macd | adx | cci | strategy | high | \
         low | support | resistance | ticket | funding | market cap | mc | mcap | win rate | \
         winrate | signal | signals | call | trade # | score | order id | posted | exchange | \
         exchanges | client | clients | opened",
    ),
    (Meaning::Label(Slot::Outcome), "pnl | p l | roi | roe | p n l | unrealized | unrealised | running"),
    (Meaning::Label(Slot::Appendix), "trailing configuration | trailing config | trailing settings"),
    (Meaning::Side(Side::Long), "long | bullish"),
    (Meaning::Side(Side::Short), "short | bearish"),
    (Meaning::Buy, "buy | buying"),
    (Meaning::Sell, "sell | selling"),
    (Meaning::Market, "market | cmp | market price | market order | at market | market entry"),
    (Meaning::Limit, "limit"),
    (Meaning::Above, "above | over"),
    (Meaning::Below, "below | under | beneath"),
    (
        Meaning::Break,
        "break | breaks | breakout | breaking | crosses | on a break | if we break | if it breaks",
    ),
    (Meaning::StopOrder(Side::Long), "buy stop"),
    (Meaning::StopOrder(Side::Short), "sell stop"),
    (Meaning::Zone, "zone | range | between | area"),
    (Meaning::To, "to"),
    (Meaning::From, "from"),
    (Meaning::And, "and | then"),
    (
        Meaning::Runner,
        "open | moonbag | runner | runners | rest runs | rest run | let it run | the rest runs",
    ),
    (
        Meaning::NoStop,
        "no stop | no sl | no stop loss | no stoploss | without stop | without sl | without stop loss",
    ),
    (
        Meaning::Placeholder,
        "tba | tbd | hidden | locked | soon | null | none | n a | vip only | premium only | unlock | \
         coming soon",
    ),
    (Meaning::Candle("1d"), "daily | day | 1day | d1"),
    (Meaning::Candle("1w"), "weekly | w1"),
    (Meaning::Candle("1h"), "hourly | h1"),
    (Meaning::Candle("2h"), "h2"),
    (Meaning::Candle("4h"), "h4"),
    (Meaning::Candle("15m"), "m15"),
    (Meaning::Candle("30m"), "m30"),
    (Meaning::CandleWord, "candle | candles"),
    (Meaning::Venue("binance"), "binance"),
    (Meaning::Venue("bybit"), "bybit"),
    (Meaning::Venue("okx"), "okx | okex"),
    (Meaning::Venue("bitget"), "bitget"),
    (Meaning::Venue("mexc"), "mexc"),
    (Meaning::Venue("kucoin"), "kucoin"),
    (Meaning::Venue("hyperliquid"), "hyperliquid"),
    (Meaning::Venue("bitmex"), "bitmex"),
    (Meaning::Venue("deribit"), "deribit"),
    (Meaning::Cross, "cross | crossed"),
    (Meaning::Isolated, "isolated | iso"),
    (Meaning::Spot, "spot"),
    (Meaning::Futures, "futures | future | perp | perps | perpetual | swap"),
    (
        Meaning::Capital,
        "account | fund | funds | portfolio | capital | wallet | balance | equity | port | bankroll",
    ),
    (Meaning::UpTo, "up to | max | maximum | at most"),
    (
        Meaning::Filler,
        "at | around | near | price | prices | level | levels | usdt | usd | usdc | dollars | is | \
         are | on | for | of | the | a | an | whole | your | my | here | now | only | \
         trade | term | in | put | set | global | this | we | i | order | orders | ones | \
         name | me | use | as | our | with | vip | premium | free | alert | moon | too far | too \
         late | too close",
    ),
    (Meaning::Row, "short term | mid term | long term | midterm"),
    (Meaning::OfProfit, "of profit | of profits | of the profit | of the profits | of gains | of the gains"),
    (
        Meaning::Hit,
        "hit | hits | reached | done | smashed | achieved | touched | complete | completed | \
         cleared | tagged | banked | taken | secured",
    ),
    (Meaning::Filled, "filled | triggered | activated | fill"),
    (
        Meaning::Move,
        "move | moved | moving | raise | raised | trail | trailing | shift | shifted | bring | \
         bump | tighten | lower | lowered | adjust | adjusted | pull up | pulled to | \
         drag | lock",
    ),
    (Meaning::New, "new"),
    (Meaning::BreakEven, "be | b e | breakeven | break even | bep | entry level be | cost"),
    (Meaning::Close, "close | closes | exit"),
    (Meaning::Closed, "closed | closing | exited | exiting"),
    (Meaning::Out, "out | cut | dump"),
    (
        Meaning::Cancel,
        "cancel | cancelled | canceled | cancelling | cancels | scrap | scrapped | void | pulled | \
         order pulled | setup invalidated | call invalidated | withdrawn",
    ),
    (
        Meaning::StoppedOut,
        "stopped out | stopped | closed at stoploss | closed at trailing stoploss | closed at trailing stop loss | closed at stop loss | closed by stop",
    ),
    (Meaning::Part, "booked | book | take | taking | took | secure | off | profit on | profits on"),
    (
        Meaning::Partial,
        "partial | partials | partial close | part profits | partial profits | trim | trimmed | \
         trimming | reduce | reduced | reducing | scale out | scaled out | cut size",
    ),
    (Meaning::Half, "half | by half"),
    (Meaning::Third, "a third | one third | third of"),
    (Meaning::Quarter, "a quarter | one quarter | quarter"),
    (Meaning::All, "all | everything | every | each"),
    (Meaning::Positions(Side::Long), "longs"),
    (Meaning::Positions(Side::Short), "shorts"),
    (
        Meaning::Trade,
        "trades | positions | one  | limits | it | this trade | \
         this position | the trade | the position | my position | the rest |  limit order | \
         limit orders | pending orders | the order | this order | that order | this limit | that limit",
    ),
    (
        Meaning::Tracker,
        "open trades | open positions | active trades | running trades | current positions | active positions",
    ),
    (Meaning::Nth(1), "first | 1st"),
    (Meaning::Nth(2), "second"),
    (Meaning::Nth(3), "third"),
    (Meaning::Nth(4), "fourth"),
    (Meaning::Was, "was | previously | instead of | prev"),
    (
        Meaning::Again,
        "re entering | reentering | re entry | reentry | re enter | adding | add | added more | \
         averaging",
    ),
    (Meaning::Changed, "update | updated | changed | modified | edited order"),
    (
        Meaning::Negation,
        "don't | dont | do not | not | no | never | avoid | nobody | neither | doesn't | isn't | \
         won't | can't | cannot | without | no longs | no shorts | skip | skipped | almost | nearly",
    ),
    (
        Meaning::Hedge,
        "if | unless | would | should | could | might | may | maybe | perhaps | wait | waiting | \
         watch | watching | wish | anyone | someone | somebody | who | thinking | thinking about | \
         considering | possible | potential | potentially | until | he | she | they | imagine | \
         suppose | had | were | if you | on confirmation | only on | confirmation | friend | friends | everyone | everybody | people | \
         about to",
    ),
    (
        Meaning::Bystander,
        "mine | too | congrats | congratulations | thanks | thank you | me too | gz | nice trade",
    ),
    (Meaning::Later, "once | when | after | later | upon | at every | then move"),
    (
        Meaning::Report,
        "recap | summary | results | result | yesterday | yesterday's | last week | last month | \
         weekly results | this week's | liquidated | whale | whales | tracker | backtested | \
         reminder | poll | watchlist | liquidation | liquidations",
    ),
    (
        Meaning::Unreal,
        "example | for example | hypothetical | hypothetically | backtest | paper trade | paper trading | on paper | template | \
         simulation | lesson | education | joke | kidding | lol",
    ),
    (
        Meaning::Advert,
        "join | discount | subscribe | subscription | giveaway | promo | use code | bonus | dm me | \
         sign up | limited spots",
    ),
    (Meaning::Satoshi, "sats | satoshi | satoshis"),
    (Meaning::Option, "puts | strike | bto | sto | stc | call option | put option | options"),
    (
        Meaning::NotCrypto,
        "gold | xau | xauusd | xagusd | silver | xag | us30 | nas100 | nasdaq | spx | spx500 | \
         ger40 | dax | usoil | wti | brent | crude | tsla | aapl | nvda | msft | amzn | ca | \
         contract address | pips | forex | shares | stock | stocks",
    ),
];
