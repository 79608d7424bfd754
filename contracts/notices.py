"""How a message about several alerts is put together, so that one can be taken out again."""

from collections.abc import Sequence

import msgspec

TITLE_MOST = 200
"""Characters of a message's title: what a phone shows of it is less."""


LINES_MOST = 20
"""Lines of a message's body; what is beyond is counted."""


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
    shown, left = parts[:LINES_MOST], len(parts) - LINES_MOST
    lines_zh = [part.line_zh for part in shown]
    lines_en = [part.line_en for part in shown]
    if left > 0:
        lines_zh.append(f"……另有 {left} 条")
        lines_en.append(f"… and {left} more")
    return Wording(
        _cut(first.title_zh, f" 等 {more + 1} 条" if more else ""),
        _cut(first.title_en, f" and {more} more" if more else ""),
        "\n".join(lines_zh),
        "\n".join(lines_en),
    )


def _cut(text: str, end: str) -> str:
    room = TITLE_MOST - len(end)
    return (text if len(text) <= room else text[: room - 1] + "…") + end
