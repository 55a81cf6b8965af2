"""The posts of the channel `swing-desk`, in the order of their times: a bot's cards and three people."""

from .post import Post, card

DESK_FOOTER = "Tidewatch · not financial advice"

JUNE_1 = [
    Post("06-01 08:00:12", "ines", "chat", "noise", "Morning all. Tidewatch posts its cards here, Grisha, Deniz and me add our own when we have one."),
    Post("06-01 12:11:30", "tidewatch", "L18", "signal", "", coin="RVN", key="rvn-1", embeds=[card(
        title="RVN/USDT LONG",
        fields=[("Entry", "{+0.1}"), ("Targets", "{+0.8}\n{+1.3}"), ("Stop loss", "{-2.4}"), ("Leverage", "2x")],
        footer=DESK_FOOTER)]),
    Post("06-01 15:19:55", "tidewatch", "target hit", "update", "", coin="RVN", embeds=[card(
        title="RVN/USDT", description="Target 1 reached ✅", footer=DESK_FOOTER, color="#3BA55D")]),
    Post("06-01 15:32:47", "ines", "L39", "signal", "/call short SOLUSDT e={0} s={+1.5} t={-1.8},{-3.6}", coin="SOL", key="sol-1"),
    Post("06-01 16:21:04", "tidewatch", "stopped out", "update", "", coin="SOL", embeds=[card(
        title="SOL/USDT", description="Stop loss hit ❌", footer=DESK_FOOTER, color="#C23B22")]),
    Post("06-01 22:41:19", "grisha", "L24", "signal", """#ETH/USDT лонг
Вход: {-0.8} - {-0.2}
Тейк: {+1.8} / {+4.2}
Стоп: {-2.6}""", coin="ETH", key="eth-ru"),
]

JUNE_2 = [
    Post("06-02 06:31:02", "ines", "L38", "signal",
         '```json\n{"symbol": "AVAXUSDT", "side": "buy", "type": "limit", "entry": {-0.1}, '
         '"stop": {-2.8}, "targets": [{+1.8}, {+3.3}], "leverage": 2}\n```', coin="AVAX", key="avax-2"),
    Post("06-02 07:45:20", "tidewatch", "bot report", "noise", "", embeds=[card(
        title="Funding overview", description="BTC +0.008% · ETH +0.011% · SOL +0.014%\nLongs pay shorts, nothing unusual.",
        footer=DESK_FOOTER)]),
    Post("06-02 10:13:33", "grisha", "target hit", "update", "ETH: тейк 1 взят ✅ стоп в б/у", coin="ETH"),
    Post("06-02 13:22:41", "ines", "part close", "update", "AVAX close 50% here, rest to the second target", coin="AVAX"),
    Post("06-02 14:22:09", "tidewatch", "L19", "signal", "<@&1237400000000000321>", coin="DOGE", key="doge", embeds=[card(
        title="DOGE/USDT",
        description="Direction: LONG\nEntry: {0}\nTP1: {+1.5}\nTP2: {+3.5}\nSL: {-2}",
        footer=DESK_FOOTER)]),
    Post("06-02 18:05:13", "deniz", "chat", "noise", "bugün piyasa güzel, herkese bol kazanç 🙏"),
]

JUNE_3 = [
    Post("06-03 03:21:37", "tidewatch", "L18", "signal", "", coin="ICX", key="icx-3", embeds=[card(
        title="ICX/USDT LONG",
        fields=[("Entry zone", "{-0.4} - {+0.3}"), ("Targets", "{+2}\n{+4}\n{+5.2}"), ("Stop loss", "{-2.2}"), ("Leverage", "2x")],
        footer=DESK_FOOTER)]),
    Post("06-03 09:32:26", "ines", "L02", "signal", """📍SIGNAL ID: 0412📍
COIN: $BTC/USDT (2-3x)
Direction: LONG📈
➖➖➖➖➖➖
ENTRY: {-1.2} - {-0.9}
TARGET 1: {+0.8}
TARGET 2: {+2}
STOP LOSS: {-2.4}""", coin="BTC", key="btc-0412"),
    Post("06-03 10:15:48", "tidewatch", "target hit", "update", "", coin="ICX", embeds=[card(
        title="ICX/USDT", description="Target 1 reached ✅\nTarget 2 reached ✅", footer=DESK_FOOTER, color="#3BA55D")]),
    Post("06-03 14:44:52", "deniz", "question", "noise", "ICX bu hacimle nasıl doldu, kısmi mi aldınız?"),
    Post("06-03 20:02:30", "ines", "cancel", "update", "Cancelled, it ran without us.", reply_to="btc-0412"),
]

JUNE_4 = [
    Post("06-04 00:32:11", "tidewatch", "L18", "signal", "", coin="AVAX", key="avax-3", embeds=[card(
        title="AVAX/USDT LONG",
        fields=[("Entry", "{0}"), ("Targets", "{+1.6}\n{+3.4}"), ("Stop loss", "{-1.4}"), ("Leverage", "3x")],
        footer=DESK_FOOTER)]),
    Post("06-04 06:04:50", "tidewatch", "stopped out", "update", "", coin="AVAX", embeds=[card(
        title="AVAX/USDT", description="Stop loss hit ❌", footer=DESK_FOOTER, color="#C23B22")]),
    Post("06-04 10:02:25", "tidewatch", "L33", "signal", "", coin="XRP", key="xrp-5", embeds=[card(
        title="📊 XRP/USDT · Trend Rider",
        description="Signal: LONG\nTimeframe: 1h\nConfidence: 58%\nEntry: {+0.1}\nStop loss: {-1}\n"
                    "TP1: {+1.4}\nTP2: {+3}\nATR(14): 0.021",
        footer=DESK_FOOTER)]),
    Post("06-04 15:20:36", "tidewatch", "stopped out", "update", "", coin="XRP", embeds=[card(
        title="XRP/USDT", description="Stop loss hit ❌", footer=DESK_FOOTER, color="#C23B22")]),
    Post("06-04 16:52:07", "deniz", "L26", "signal", """LINK/USDT short
Giriş: {0|,}
Hedef: {-1.5|,} / {-3|,}
Stop: {+1.9|,}
Kaldıraç: 2x""", coin="LINK", key="link-tr"),
    Post("06-04 17:30:40", "ines", "chat", "noise", "Days like this are why there is a daily loss limit. Close the laptop, go outside."),
]

JUNE_5 = [
    Post("06-05 06:11:21", "tidewatch", "L33", "signal", "", coin="SOL", key="sol-5", embeds=[card(
        title="📊 SOL/USDT · Trend Rider",
        description="Signal: LONG\nTimeframe: 1h\nConfidence: 71%\nEntry: {0}\nStop loss: {-2}\n"
                    "TP1: {+1.1}\nTP2: {+2.4}\nATR(14): 1.3",
        footer=DESK_FOOTER)]),
    # The decimal point of the second target slipped by one place.
    Post("06-05 11:31:58", "deniz", "L03", "abstain", """Pair: AVAX/USDT
Side: Long
Entry: {0}
TP1: {+1.5}
TP2: {+3.2|x10}
SL: {-2}""", coin="AVAX", key="slip"),
    Post("06-05 11:38:10", "ines", "chat", "noise", "Deniz, check your second target please 😅", reply_to="slip"),
    Post("06-05 12:21:33", "ines", "L39", "signal", "/call short ADAUSDT e={0} s={+1.7} t={-1.5},{-3}", coin="ADA", key="ada-4"),
    Post("06-05 13:05:26", "tidewatch", "target hit", "update", "", coin="SOL", embeds=[card(
        title="SOL/USDT", description="Target 1 reached ✅", footer=DESK_FOOTER, color="#3BA55D")]),
    Post("06-05 14:02:08", "ines", "stop to price", "update", "SOL: move SL to {-1}", coin="SOL"),
    Post("06-05 16:00:15", "tidewatch", "bot report", "noise", "", embeds=[card(
        title="Market mood", description="Fear & Greed 52, yesterday 47.\nBTC dominance 56.3%", footer=DESK_FOOTER)]),
    Post("06-05 20:12:44", "tidewatch", "L19", "signal", "<@&1237400000000000321>", coin="RVN", key="rvn-2", embeds=[card(
        title="RVN/USDT",
        description="Direction: LONG\nEntry: {-0.9}\nTP1: {+2}\nTP2: {+4}\nSL: {-2.9}",
        footer=DESK_FOOTER)]),
    Post("06-05 20:45:31", "grisha", "chat", "noise", "Всем хороших выходных, рынок никуда не денется 🙂"),
]

POSTS = JUNE_1 + JUNE_2 + JUNE_3 + JUNE_4 + JUNE_5
