"""The posts of the channel `vip-calls`, in the order of their times."""

from .post import Edit, Post

# Everything before this moment is in the first export; the second one has all that was not deleted.
FIRST_EXPORT = "06-02 22:30:14"

JUNE_1 = [
    Post("06-01 06:48:03", "pim", "chat", "noise", "gm traders ☕ new week, new charts"),
    Post("06-01 06:55:40", "kestrel", "watchlist", "noise",
         "Watchlist for today: ETH, LINK, ADA, XRP. Nothing to do yet, I post when there is a trade."),
    Post("06-01 07:16:22", "kestrel", "L03", "signal", """**Pair:** ETH/USDT
**Side:** Long
**Entry:** {-0.1}
**TP1:** {+1.1}
**TP2:** {+2.2}
**SL:** {-1.5}
**Lev:** 3x""", coin="ETH", key="eth-1", reactions=(("🔥", 9), ("🫡", 4))),
    Post("06-01 07:24:57", "mossy", "question", "noise", "is 3x on top of my own margin or total? first week here", reply_to="eth-1"),
    Post("06-01 08:41:10", "noria", "L01", "signal", """⚡⚡ #BTC/USDT ⚡⚡
Exchanges: Binance Futures
Signal Type: Regular (Long)
Leverage: Cross (3X)

Entry Zone:
{-0.5} - {+0.05}

Take-Profit Targets:
1) {+0.9} (40%)
2) {+1.6} (30%)
3) {+2.6} (30%)

Stop Targets:
1) {-1.7}""", coin="BTC", key="btc-1", reactions=(("⚡", 12),)),
    Post("06-01 10:17:31", "tobi", "L05", "signal", "long xrp now sl {-1.5} tp {+1.2} / {+2}", coin="XRP", key="xrp-1"),
    Post("06-01 10:19:02", "lowtide", "chat", "noise", "in with tobi on that one, lets gooo 🌊"),
    Post("06-01 11:22:48", "kestrel", "target hit", "update", "TP1 ✅ hit. Stop to entry from here.", coin="ETH", reply_to="eth-1"),
    Post("06-01 11:34:15", "noria", "L13", "signal", """🔥 #LINK | Long📈, x3 |
Entry = {+0.1}
{+1.1} | 50% of profit |
{+1.9} | 50% of profit |
SL = {-2}""", coin="LINK", key="link-1"),
    Post("06-01 12:20:09", "rook", "meme", "noise", "SL = sleep later 😴😂", images=("trader-sleeping.png",)),
    Post("06-01 13:22:36", "kestrel", "L04", "signal", """#ADAUSDT SHORT {-1}-{-0.2}
Targets {-1.7}-{-2.4}-{-3}
Leverage 3x
Stop {+2.3}""", coin="ADA", key="ada-1"),
    Post("06-01 13:51:44", "tobi", "all targets hit", "update", "#XRP/USDT all targets hit ✅✅ easy one", coin="XRP"),
    Post("06-01 14:40:12", "jun", "question", "noise",
         "would you still long ETH here at {0} with stop {-1.5} and target {+2} or is it too late?", coin="ETH"),
    Post("06-01 15:41:11", "kestrel", "part close", "update", "First target reached. Close 50% here, rest keeps running.",
         reply_to="ada-1"),
    Post("06-01 16:18:27", "noria", "stop to entry", "update", "Second target done as well, moving the stop to entry on this one 🔒",
         coin="BTC", reply_to="btc-1"),
    Post("06-01 16:47:55", "tobi", "L11", "signal", """SOL long idea

Entry
• {0}
Targets
• {+2}
• {+4}""", coin="SOL", key="sol-nostop"),
    Post("06-01 17:02:31", "pim", "question", "noise", "no stop on the SOL one? 🤨", reply_to="sol-nostop",
         edit=Edit("06-01 17:03:05", "no stop on the SOL idea? 🤨", "question", "noise")),
    Post("06-01 17:26:26", "noria", "stop to price", "update", "Raise the stop to {-0.9}", coin="LINK", reply_to="link-1"),
    Post("06-01 17:48:20", "kestrel", "L09", "signal", """#AVAX/USDT
Call type: SHORT
Sell limit {+2.2} - {+2.7}
Targets: {+0.6}, {-1.2}
Stop loss: {+4.4}""", coin="AVAX", key="avax-1"),
    Post("06-01 18:31:09", "noria", "L12", "signal", """🚨 NEW VIP SIGNAL 🚨
🪙 ICX/USDT
📈 Direction: LONG
💰 Entry: {0}
🎯 Target 1: {+2}
🎯 Target 2: {+4.5}
🛑 Stop loss: {-1.9}
Good luck everybody 🍀""", coin="ICX", key="icx-1"),
    Post("06-01 19:52:18", "kestrel", "cancel", "update", "never came up to us, cancel this one", reply_to="avax-1"),
    Post("06-01 20:17:40", "tobi", "L10", "noise",
         "Would not chase anything tonight, but I like buying a little #XRP around {-2.8}. "
         "Stop below {-5}, first target {-0.5}, second target {+1.5}. Patience pays.", coin="XRP", key="xrp-2"),
    # The trap: the stop of this short lies below its entry.
    Post("06-01 21:06:33", "noria", "L03", "abstain", """Pair: SOL/USDT
Side: SHORT
Entry: {0}
TP1: {-2.8}
TP2: {-4.9}
SL: {-1.6}""", coin="SOL", key="trap-stop"),
    Post("06-01 21:48:02", "rook", "advert", "noise",
         "🎁 Only this week: lifetime VIP seat for 99 USDT instead of 249. Last month 31 wins out of 38! DM @rook to join"),
]

JUNE_2 = [
    Post("06-02 06:20:45", "noria", "stopped out", "update", "ICX stopped out ❌ small loss, next one", coin="ICX"),
    Post("06-02 08:12:50", "tobi", "L08", "signal", """ICX/USDT
Buy {0}
Sell {+1.3}, {+1.9}
Stop {-1.9}""", coin="ICX", key="icx-2",
         edit=Edit("06-03 00:41:30", """ICX/USDT
Buy {0}
Sell {+1.3} ✅, {+1.9} ✅
Stop {-1.9}""", "ticks added", "update")),
    Post("06-02 09:11:37", "kestrel", "L36", "signal", """BTCUSDT: long above {+1.1|t}
SL {-0.5|t}
TP {+2.2|t} / {+3.6|t}""", coin="BTC", key="btc-2"),
    Post("06-02 10:02:04", "lowtide", "chat", "noise", "kestrel sleeping with one eye open again 👁️"),
    Post("06-02 10:43:59", "noria", "L07", "signal", """#SOL LONG SETUP 📈
Targets: {+1.6} - {+3.4}
Stop: {-2.1}""", coin="SOL", key="sol-2"),
    # Not a coin: must not become a signal.
    Post("06-02 12:07:21", "rook", "reject", "abstain", """XAUUSD BUY 4212
SL 4196
TP 4228 / 4245""", key="gold"),
    Post("06-02 12:55:10", "pim", "image", "noise", "", images=("btc-4h-lines.png",)),
    Post("06-02 13:32:08", "kestrel", "entry filled", "update", "BTC breakout went off, entry filled ✅", coin="BTC"),
    Post("06-02 13:37:46", "noria", "L03", "signal", """Coin: KAVA/USDT
Direction: Long
Entry: 0.4120
Targets: 0.4205 / 0.4310
Stop: 0.4015
Leverage: 2x""", key="kava"),
    Post("06-02 14:33:15", "noria", "target hit", "update", "SOL TP1 ✅ SL to BE", coin="SOL"),
    Post("06-02 15:12:30", "tobi", "L04", "signal", """#ETHUSDT SHORT {-0.1}-{+0.3}
Tgt {-1}-{-2.3}
Leverge 50x
Stop {+1.4}""", coin="ETH", key="eth-2",
         edit=Edit("06-03 00:12:44", """#ETHUSDT SHORT {-0.1}-{+0.3}
Tgt {-1}-{-2.3}
Leverage 50x
Stop {+1.4}""", "L04", "signal")),
    Post("06-02 15:20:18", "jun", "chat", "noise", "50x?? tobi wants to see the liquidation engine from the inside 💀"),
    Post("06-02 17:06:52", "chenxing", "L21", "signal", """#LINK/USDT
{0} 附近做多
目标：{+1.6}、{+3}
止损：{-1.4}""", coin="LINK", key="link-2"),
    Post("06-02 20:26:04", "noria", "chat", "noise", "SOL plan in a minute, still drawing ✍️", coin="SOL", key="sol-late",
         edit=Edit("06-03 01:15:38", """SOL/USDT LONG
Entry {+0.2}
TP {+2} / {+3.5}
SL {-1.8}""", "L03", "signal")),
    Post("06-02 20:58:41", "kestrel", "recap", "noise",
         "Recap of the day: BTC +2.1% ✅ SOL +3.4% ✅ XRP +3.2% ✅ ICX -1.9% ❌ Not bad for a Tuesday."),
    # Its author deletes this one when it goes wrong; the database keeps it.
    Post("06-02 21:08:27", "rook", "L03", "signal", """🟢 ADA/USDT LONG
Entry: {0}
Target 1: {+1.8}
Target 2: {+3.6}
Stop loss: {-1.3}""", coin="ADA", key="ada-2", deleted=True),
    Post("06-02 21:40:15", "mossy", "chat", "noise", "best channel on the server, thank you all 💛"),
]

JUNE_3 = [
    Post("06-03 06:12:33", "tobi", "close", "update", "closing the rest here, good enough", reply_to="eth-2"),
    Post("06-03 06:44:09", "kestrel", "L16", "signal",
         "Long: SOL/USDT (2x-3x) Entry: {0} (CMP) DCA: {-1.3} TP ➊: {+1.6} ➋: {+2.8} SL: {-2.4}", coin="SOL", key="sol-3"),
    Post("06-03 07:30:48", "pim", "chat", "noise", "wasnt there an ADA call by rook last night? cant find it anymore 🕵️"),
    Post("06-03 11:17:20", "noria", "L37", "signal", """🟢 LONGS

1. LINK/USDT
Entry: {LINK:0}
Targets: {LINK:+1.3}, {LINK:+2.1}
Stop: {LINK:-1.4}

2. XRP/USDT
Entry: {XRP:-0.1}
Targets: {XRP:+1.6}, {XRP:+2.5}
Stop: {XRP:-1.7}""", key="multi-1"),
    Post("06-03 12:05:55", "jun", "question", "noise", "two at once, half size each or full?", reply_to="multi-1"),
    Post("06-03 13:41:02", "kestrel", "target hit", "update", "TP1 hit 🎯 sell half and stop to entry", reply_to="sol-3"),
    Post("06-03 15:31:44", "kestrel", "L09", "signal", """#ETH/USDT
Call type: LONG
Buy limit {-2.6} - {-2.2}
Targets: {-0.8}, {+0.6}
Stop loss: {-3.8}
Valid for 24h""", coin="ETH", key="eth-3"),
    Post("06-03 16:50:26", "lowtide", "image", "noise", "👇", images=("pnl-card.png",)),
    Post("06-03 17:13:17", "noria", "part close", "update", "XRP close 50% at market 💰", coin="XRP"),
    Post("06-03 21:15:08", "rook", "recap", "noise", "Results of the week so far: 9 signals, 7 targets hit, 2 stops. +184% with 10x 🚀🚀"),
]

JUNE_4 = [
    Post("06-04 05:52:39", "kestrel", "cancel", "update", "cancel this limit, we are too far away", reply_to="eth-3"),
    Post("06-04 06:16:20", "noria", "L12", "signal", """💎 NEW VIP SIGNAL 💎
🪙 ETH/USDT
📈 Direction: LONG
💰 Entry: {0}
🎯 Target 1: {+1.4}
🎯 Target 2: {+3}
🛑 Stop loss: {-1.3}""", coin="ETH", key="eth-4"),
    Post("06-04 07:11:48", "kestrel", "L11", "signal", """SOL/USDT long

Entry
• {0}
Take profit
• {+2.2}
• {+4}
Stop
• {-1.7}""", coin="SOL", key="sol-4"),
    Post("06-04 07:40:30", "mossy", "chat", "noise", "100k held! 🎉🎉"),
    Post("06-04 08:36:12", "tobi", "L05", "signal", "long ada {0} sl {-1.6} tp {+2} / {+4}", coin="ADA", key="ada-3"),
    Post("06-04 11:41:33", "tobi", "stopped out", "update", "ADA SL hit, my bad", coin="ADA"),
    Post("06-04 12:42:57", "lowtide", "question", "noise", "anyone else feeling that long is a four letter word today"),
    Post("06-04 13:22:10", "noria", "stopped out", "update", "Stop loss hit ❌", reply_to="eth-4"),
    Post("06-04 13:27:19", "tobi", "L05", "signal", "last try, long link now sl {-1.3} tp {+1.5} / {+3}", coin="LINK", key="link-3"),
    Post("06-04 14:48:45", "kestrel", "stopped out", "update", "SOL stopped out. Rough day, size down everybody.", coin="SOL"),
    Post("06-04 16:21:05", "kestrel", "L03", "signal", """**Pair:** BTC/USDT
**Side:** Short
**Entry:** {+0.1}
**TP1:** {-1.2}
**TP2:** {-2.5}
**SL:** {+1.6}
**Lev:** 2x""", coin="BTC", key="btc-3"),
    Post("06-04 18:05:29", "rook", "meme", "noise", "my portfolio today: 📉🕳️ anyway, dinner"),
]

JUNE_5 = [
    Post("06-05 06:31:16", "kestrel", "watchlist", "abstain",
         "Levels for Friday\nBTC 96.4k, 98.1k\nETH 3,330, 3,400\nNo trade in the middle of nowhere please."),
    Post("06-05 08:22:14", "kestrel", "L04", "signal", """#BTCUSDT LONG {-0.2|k}-{+0.2|k}
Targets {+1|k} - {+1.3|k} - {+3|k}
Leverage 3x
Stop {-1.3|k}""", coin="BTC", key="btc-4"),
    Post("06-05 09:41:52", "tobi", "L05", "signal", "xrp long {-0.1} stop {-1.7} targets {+0.9} / {+3.2}", coin="XRP", key="xrp-4"),
    Post("06-05 11:12:35", "jun", "chat", "noise", "tobi trades xrp like it owes him money"),
    Post("06-05 12:41:06", "tobi", "stop to entry", "update", "XRP first target hit, stop to breakeven", coin="XRP"),
    Post("06-05 13:14:40", "kestrel", "target hit", "abstain", "TP1 and TP2 hit ✅ close 40% and move the stop to {-1.6|t}",
         coin="BTC", reply_to="btc-4"),
    Post("06-05 15:26:31", "noria", "advert", "noise", "Reminder: fees are lower with our partner link, 20% off until Sunday. Link is pinned 📌"),
    Post("06-05 18:41:03", "noria", "L13", "signal", """🔥 #LINK | Short📉, x2 |
Entry = {0}
{-1.6} | 50% of profit |
{-3.4} | 50% of profit |
SL = {+2}""", coin="LINK", key="link-4"),
    Post("06-05 19:04:28", "kestrel", "close all longs", "update", "Weekend is coming, close all longs 🔔"),
    Post("06-05 19:20:50", "mossy", "chat", "noise", "have a good weekend you lot 🏖️"),
]

POSTS = JUNE_1 + JUNE_2 + JUNE_3 + JUNE_4 + JUNE_5
