#!/usr/bin/env python3
"""Writes `exports/*.json` and `expected.tsv` from the posts in `source/` and the prices in `candles/`.

Usage: `python3 demo/generate_exports.py`, after `generate_candles.py` (standard library only). Everybody and everything in
the posts is invented. The shape is that of DiscordChatExporter run with `--utc --markdown false`. Nothing here depends on
the clock or on chance: the same sources give the same bytes.
"""

import csv
import json
import re
import sys
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True  # must come before the next two lines: keeps the folder free of caches
from source import swing_desk, vip_calls
from source.post import Post

FOLDER = Path(__file__).resolve().parent
# Discord's ids count milliseconds from the start of 2015, shifted left by 22 bits.
DISCORD_EPOCH_MS = 1_420_070_400_000
PLACEHOLDER = re.compile(r"\{(?:([A-Z]+):)?([+-]?\d+(?:\.\d+)?)(?:\|(\w+|,))?\}")
# To what a person rounds a price of each coin.
ROUNDING = {
    "BTC": "10", "ETH": "1", "SOL": "0.1", "XRP": "0.001", "DOGE": "0.0001",
    "ADA": "0.0005", "LINK": "0.01", "AVAX": "0.01", "ICX": "0.0001", "RVN": "0.00005",
}

GUILD = {"id": "1237400000000000000", "name": "Harbour Lantern", "iconUrl": "https://cdn.discordapp.com/embed/avatars/0.png"}
ROLES = {
    "caller": {"id": "1237400000000000321", "name": "Caller", "color": "#E2B93B", "position": 3},
    "member": {"id": "1237400000000000322", "name": "Member", "color": None, "position": 1},
}
# key: (id, name, nickname, role)
AUTHORS = {
    "kestrel": ("1237410000000000001", "kestrel.fx", "Kestrel", "caller"),
    "noria": ("1237410000000000002", "noria", "Noria 🌾", "caller"),
    "tobi": ("1237410000000000003", "tobi_k", "tobi", "caller"),
    "chenxing": ("1237410000000000004", "chenxing", "晨星", "caller"),
    "rook": ("1237410000000000005", "rook", "rook 🦀", "caller"),
    "ines": ("1237410000000000006", "ines.m", "Ines", "caller"),
    "grisha": ("1237410000000000007", "grisha", "Гриша", "caller"),
    "deniz": ("1237410000000000008", "deniz.t", "Deniz", "caller"),
    "tidewatch": ("1237410000000000009", "Tidewatch", "Tidewatch", "caller"),
    "pim": ("1237410000000000011", "pim", "pim", "member"),
    "mossy": ("1237410000000000012", "mossy", "mossy", "member"),
    "lowtide": ("1237410000000000013", "lowtide", "lowtide", "member"),
    "jun": ("1237410000000000014", "jun", "Jun", "member"),
}
BOTS = {"tidewatch"}


class Channel(NamedTuple):
    """One channel and its posts."""

    id: str
    name: str
    topic: str
    posts: list


VIP_CALLS = Channel("1237400000000000101", "vip-calls", "Calls and follow-ups. Chat a little, not a lot.", vip_calls.POSTS)
SWING_DESK = Channel("1237400000000000102", "swing-desk", "Slower trades, and Tidewatch's cards.", swing_desk.POSTS)


def main() -> None:
    """Writes the three exports, and the table of what a careful reader makes of them."""
    prices = load_prices()
    check_order(VIP_CALLS)
    check_order(SWING_DESK)
    (FOLDER / "exports").mkdir(exist_ok=True)
    first = moment(vip_calls.FIRST_EXPORT)
    last = moment("06-06 06:05:41")
    write_export(VIP_CALLS, "vip-calls-1", first, prices)
    write_export(VIP_CALLS, "vip-calls-2", last, prices)
    write_export(SWING_DESK, "swing-desk", last + timedelta(seconds=94), prices)
    write_expected(first)


def load_prices() -> dict:
    """For each coin the opening price of each candle, by time."""
    prices = {}
    for coin in ROUNDING:
        with open(FOLDER / "candles" / f"{coin}USDT-15m.csv", encoding="utf-8", newline="") as lines:
            prices[coin] = {row["opened_at"]: Decimal(row["open"]) for row in csv.DictReader(lines)}
    return prices


def check_order(channel: Channel) -> None:
    """Refuses posts that are not in the order of their times: ids would not ascend."""
    times = [posted_at(post) for post in channel.posts]
    for earlier, later in zip(times, times[1:]):
        if earlier >= later:
            raise ValueError(f"{channel.name}: the post of {later} stands behind that of {earlier}")


def write_export(channel: Channel, name: str, exported_at: datetime, prices: dict) -> None:
    """Writes what an export of the channel at that moment holds."""
    is_last = exported_at > moment("06-06 00:00:00")
    seen = [post for post in channel.posts if moment(post.at) < exported_at and not (post.deleted and is_last)]
    messages = [message(channel, post, exported_at, prices) for post in seen]
    export = {
        "guild": GUILD,
        "channel": {
            "id": channel.id,
            "type": "GuildTextChat",
            "categoryId": "1237400000000000100",
            "category": "Trading",
            "name": channel.name,
            "topic": channel.topic,
        },
        "dateRange": {"after": stamp(moment("06-01 00:00:00")), "before": None},
        "exportedAt": stamp(exported_at),
        "messages": messages,
        "messageCount": len(messages),
    }
    text = json.dumps(export, ensure_ascii=False, indent=2) + "\n"
    (FOLDER / "exports" / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


def message(channel: Channel, post: Post, exported_at: datetime, prices: dict) -> dict:
    """One message as it stood when it was exported."""
    edit = post.edit if post.edit and moment(post.edit.at) < exported_at else None

    def write(text: str) -> str:
        return with_prices(text, post, prices)

    body = {
        "id": post_id(post),
        "type": "Reply" if post.reply_to else "Default",
        "timestamp": stamp(posted_at(post)),
        "timestampEdited": stamp(moment(edit.at)) if edit else None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": write(edit.text if edit else post.text),
        "author": author(post.by),
        "attachments": [attachment(post, number) for number in range(len(post.images))],
        "embeds": [embed(card, write) for card in post.embeds],
        "stickers": [],
        "reactions": [reaction(emoji, count) for emoji, count in post.reactions],
        "mentions": [],
    }
    if post.reply_to:
        answered = next(other for other in channel.posts if other.key == post.reply_to)
        body["mentions"] = [author(answered.by)]
        body["reference"] = {
            "type": "Default",
            "messageId": post_id(answered),
            "channelId": channel.id,
            "guildId": GUILD["id"],
        }
    body["inlineEmojis"] = []
    return body


def author(key: str) -> dict:
    """A member of the community."""
    user, name, nickname, role = AUTHORS[key]
    return {
        "id": user,
        "name": name,
        "discriminator": "0000",
        "nickname": nickname,
        "color": ROLES[role]["color"],
        "isBot": key in BOTS,
        "roles": [ROLES[role]],
        "avatarUrl": f"https://cdn.discordapp.com/embed/avatars/{int(user) % 6}.png",
    }


def attachment(post: Post, number: int) -> dict:
    """An image; its bytes are no part of the demo."""
    name = post.images[number]
    return {
        "id": str(int(post_id(post)) + 1 + number),
        "url": f"files/{name}",
        "fileName": name,
        "fileSizeBytes": 40_000 + 977 * len(name),
    }


def embed(card: dict, write) -> dict:
    """A card, with its keys in the exporter's order."""
    body = {
        "title": write(card["title"]),
        "url": None,
        "timestamp": None,
        "description": write(card["description"]),
        "color": card["color"],
    }
    if card["footer"]:
        body["footer"] = {"text": card["footer"]}
    fields = [{"name": name, "value": write(value), "isInline": True} for name, value in card["fields"]]
    return body | {"images": [], "fields": fields, "inlineEmojis": []}


def reaction(emoji: str, count: int) -> dict:
    """How often an emoji was clicked; the exporter was not asked for names."""
    described = {"id": "", "name": emoji, "code": emoji, "isAnimated": False, "imageUrl": ""}
    return {"emoji": described, "count": count, "users": []}


def with_prices(text: str, post: Post, prices: dict) -> str:
    """Fills in the placeholders that `source/post.py` describes."""
    return PLACEHOLDER.sub(lambda found: written_price(found, post, prices), text)


def written_price(found: re.Match, post: Post, prices: dict) -> str:
    """The price at the time of the post, moved, rounded, and written as asked."""
    coin, moved, style = found[1] or post.coin, Decimal(found[2]), found[3]
    at = moment(post.at)
    opened_at = at.replace(minute=at.minute // 15 * 15, second=0)
    price = prices[coin][f"{opened_at:%Y-%m-%dT%H:%M:%SZ}"] * (100 + moved) / 100
    step = Decimal(ROUNDING[coin])
    price = (price / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step
    match style:
        case "t":
            return f"{price:,}"
        case "k":
            return f"{(price / 1000).normalize():f}k"
        case ",":
            return str(price).replace(".", ",")
        case "x10":
            return f"{(price * 10).normalize():f}"
        case None:
            return str(price)
    raise ValueError(f"unknown style {style!r} in the post of {post.at}")


def write_expected(first_export: datetime) -> None:
    """What a careful reader makes of each revision that the exports show."""
    rows = [row for channel in (VIP_CALLS, SWING_DESK) for post in channel.posts for row in revisions(post, first_export)]
    lines = ["external_id\trevision\tlayout\tkind"] + ["\t".join(row) for row in rows]
    (FOLDER / "expected.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def revisions(post: Post, first_export: datetime):
    """The rows of one post. An edit that came before the first export hides the original."""
    if not post.edit or moment(post.edit.at) > first_export:
        yield post_id(post), "original", post.layout, post.kind
    if post.edit:
        yield post_id(post), "edited", post.edit.layout, post.edit.kind
    if post.deleted:
        yield post_id(post), "deleted", "-", "-"


def moment(text: str) -> datetime:
    """`06-01 07:12:41` as a time."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)


def posted_at(post: Post) -> datetime:
    """The time of a post with milliseconds, so that it looks like Discord's."""
    at = moment(post.at)
    return at + timedelta(milliseconds=(at.minute * 61 + at.second) * 137 % 1000)


def post_id(post: Post) -> str:
    """The snowflake of the post's time, with a small sequence number as Discord adds one."""
    since = posted_at(post) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    milliseconds = since // timedelta(milliseconds=1)
    return str(((milliseconds - DISCORD_EPOCH_MS) << 22) + milliseconds % 64)


def stamp(at: datetime) -> str:
    """A time as the exporter writes it."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")


if __name__ == "__main__":
    main()
