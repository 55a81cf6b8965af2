"""One invented post, as it is written by hand in `vip_calls.py` and `swing_desk.py`.

Prices are placeholders, so that the posts fit the generated candles: `{-1.2}` is the price of the post's coin when it was
posted, moved by -1.2 % and rounded as a person would. `{BTC:+2}` names another coin. A letter after a bar asks for another
way to write it: `|t` 94,150 · `|k` 94.15k · `|,` 17,42 · `|x10` the price with its decimal point slipped by one place.
"""

from dataclasses import dataclass, field


@dataclass
class Edit:
    """What a post became later."""

    at: str
    text: str
    layout: str
    kind: str


@dataclass
class Post:
    """A post: `layout` and `kind` say what a careful reader should make of it; they are not exported."""

    at: str  # "06-01 07:12:41", in 2026, UTC
    by: str  # a key of AUTHORS in generate_exports.py
    layout: str  # a tag of signal layouts (L03), or what sort of update or noise it is
    kind: str  # signal, update, noise, abstain
    text: str
    coin: str = ""  # whose price the placeholders mean
    key: str = ""  # a name for replies to this post
    reply_to: str = ""
    embeds: list = field(default_factory=list)
    images: tuple = ()  # file names of attachments
    reactions: tuple = ()  # ("🔥", 7)
    edit: Edit | None = None
    deleted: bool = False  # missing in the later export


def card(title="", description="", fields=(), footer="", author="", color="#2F80C2"):
    """An embed card; fields are (name, value) pairs."""
    return {
        "title": title,
        "description": description,
        "fields": list(fields),
        "footer": footer,
        "author": author,
        "color": color,
    }
