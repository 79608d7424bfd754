"""How a message about several alerts is put together, so that one can be taken out again."""

from collections.abc import Sequence

import msgspec

TITLE_MOST = 200
"""Characters of a message's title: what a phone shows of it is less."""


class Part(msgspec.Struct, frozen=True):
    """What a message says of one alert, in both languages."""

    alert_id: str
    title_zh: str
    title_en: str
    line_zh: str
    line_en: str


class Wording(msgspec.Struct, frozen=True):
    """A message's title and body in both languages."""

    title_zh: str
    title_en: str
    body_zh: str
    body_en: str


def compose(parts: Sequence[Part]) -> Wording:
    """A message that tells `parts`: the first one's title, how many more, a line for each.

    Raises IndexError if there is none.
    """
    first, more = parts[0], len(parts) - 1
    return Wording(
        _cut(first.title_zh, f" 等 {more + 1} 条" if more else ""),
        _cut(first.title_en, f" and {more} more" if more else ""),
        "\n".join(part.line_zh for part in parts),
        "\n".join(part.line_en for part in parts),
    )


def _cut(text: str, end: str) -> str:
    room = TITLE_MOST - len(end)
    return (text if len(text) <= room else text[: room - 1] + "…") + end
