#!/usr/bin/env python3
"""Writes the demo's invented market: `candles/PAIR-15m.csv` for the pairs below.

Usage: `python3 demo/generate_candles.py` (standard library only).

NO PRICE HERE IS REAL. Each pair is a random walk of one-minute steps: a share of a common market step, plus a step of its
own, plus the drift of the day. Fifteen steps make a candle. Only whole numbers are used and the random numbers are hashes
of a seed, so every machine and every version of Python writes the same bytes.
"""

import hashlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

SEED = "callboard demo 7"
START = datetime(2026, 6, 1, tzinfo=timezone.utc)
CANDLE_MINUTES = 15
CANDLES_PER_DAY = 24 * 60 // CANDLE_MINUTES
# One billionth: steps are counted in it, so that a step of 0.08 % still has six digits.
ONE = 10**9
# The standard deviation of a one-minute step that adds up to 2.4 % a day: 2.4 % divided by the root of 1440.
MARKET_STEP = 632_000
# What the market does on each day, in per cent: calm, up, sideways, a bad day, a recovery, calm.
MOOD = [1, 2, 0, -4, 3, 0]


class Pair(NamedTuple):
    """A pair: its first price in ticks, the tick's and the lot's decimals, and how it behaves."""

    name: str
    first: int  # the first price, in ticks
    tick_decimals: int
    lot_decimals: int
    beta: int  # how much of the market's step it follows, in per cent
    own_step: int  # the standard deviation of its own one-minute step, in billionths
    value: int  # the usual value traded in one candle, in USDT


PAIRS = [
    Pair("BTCUSDT", 942_000, 1, 3, 80, 190_000, 28_000_000),
    Pair("ETHUSDT", 318_000, 2, 3, 100, 320_000, 14_000_000),
    Pair("SOLUSDT", 16_800, 2, 2, 110, 480_000, 5_200_000),
    Pair("XRPUSDT", 23_100, 4, 1, 95, 480_000, 3_900_000),
    Pair("DOGEUSDT", 18_400, 5, 0, 115, 560_000, 1_700_000),
    Pair("ADAUSDT", 7_420, 4, 1, 100, 520_000, 900_000),
    Pair("LINKUSDT", 17_200, 3, 2, 100, 520_000, 420_000),
    Pair("AVAXUSDT", 2_460, 2, 2, 105, 520_000, 260_000),
    # Two small coins: an order of 1,000 USDT is a large part of one of their thin candles.
    Pair("ICXUSDT", 1_485, 4, 1, 85, 600_000, 16_000),
    Pair("RVNUSDT", 2_150, 5, 0, 85, 620_000, 11_000),
]


class Dice:
    """Random numbers that depend on nothing but the name of the throw."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.throws = 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        self.throws += 1
        digest = hashlib.sha256(f"{SEED}/{self.name}/{self.throws}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % limit

    def bell(self, deviation: int) -> int:
        """Nearly normal around 0: the sum of four even throws, scaled."""
        fine = 10**6  # a throw of 0 to 1 in millionths
        total = sum(self.below(fine) for _ in range(4)) - 2 * fine
        # The sum of four has a variance of 4/12: the root of 3 makes it 1.
        return total * deviation * 1732 // (1000 * fine)


def main() -> None:
    """Writes one file for each pair."""
    folder = Path(__file__).resolve().parent / "candles"
    folder.mkdir(exist_ok=True)
    minutes = len(MOOD) * 24 * 60
    dice = Dice("market")
    market = [dice.bell(MARKET_STEP) for _ in range(minutes)]
    for pair in PAIRS:
        text = "opened_at,open,high,low,close,volume\n" + "".join(candles(pair, market))
        (folder / f"{pair.name}-15m.csv").write_text(text, encoding="utf-8", newline="\n")


def candles(pair: Pair, market: list[int]):
    """The lines of one pair's file."""
    dice = Dice(pair.name)
    # The walk is finer than the tick, so that rounding to ticks does not stick.
    walk = pair.first * ONE
    opened = pair.first
    for number in range(len(market) // CANDLE_MINUTES):
        high = low = opened
        for minute in range(number * CANDLE_MINUTES, (number + 1) * CANDLE_MINUTES):
            walk = walk * (ONE + step(pair, market[minute], minute, dice)) // ONE
            price = (walk + ONE // 2) // ONE
            high, low = max(high, price), min(low, price)
        volume = traded(pair, number, (high, low), dice)
        at = START + timedelta(minutes=number * CANDLE_MINUTES)
        prices = ",".join(decimal(ticks, pair.tick_decimals) for ticks in (opened, high, low, price))
        yield f"{at:%Y-%m-%dT%H:%M:%SZ},{prices},{decimal(volume, pair.lot_decimals)}\n"
        opened = price


def step(pair: Pair, market: int, minute: int, dice: Dice) -> int:
    """What the price does in one minute, in billionths."""
    drift = MOOD[minute // (24 * 60)] * ONE // (100 * 24 * 60)
    return (market + drift) * pair.beta // 100 + dice.bell(pair.own_step)


def traded(pair: Pair, number: int, edges: tuple[int, int], dice: Dice) -> int:
    """The quantity traded in a candle, in lots: more when the price moves, less at night, and uneven."""
    high, low = edges
    # Three factors in per cent. By the hour: the American day is the busiest, the European night the calmest.
    hour = (number % CANDLES_PER_DAY) * 24 // CANDLES_PER_DAY
    busy = 140 if 13 <= hour < 20 else 60 if hour < 6 else 100
    # By the move: 60 for a candle whose low lies 0.6 % below its high, and 40 more for every candle.
    moved = 40 + (high - low) * 60 * 1000 // (high * 6)
    # By chance: the product of two throws is small more often than large, so that some candles are thin.
    uneven = 25 + (dice.below(100) * dice.below(100)) // 40
    value = pair.value * busy * moved * uneven // 100**3
    return value * 10**pair.tick_decimals * 10**pair.lot_decimals * 2 // (high + low)


def decimal(count: int, decimals: int) -> str:
    """A count of ticks or lots as a decimal number."""
    if decimals == 0:
        return str(count)
    whole, part = divmod(count, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


if __name__ == "__main__":
    main()
