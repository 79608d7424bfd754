"""What people read: title and text, when it happened, and where to look, cut to what fits."""

from datetime import datetime

import msgspec

from gateway.alerts.outcomes import LOCAL
from gateway.notify.channels.channel import Message
from gateway.notify.settings import Language
from gateway.notify.words import LINK, TIME

_MORE = "…"


class Text(msgspec.Struct, frozen=True):
    """A message as it is shown."""

    title: str
    body: str


def local_time(at: datetime) -> str:
    """A time as the city reads it, to the minute."""
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def text_for(message: Message, language: Language, most_bytes: int) -> Text:
    """Title and body of at most `most_bytes` (UTF-8); time and link stay, the middle is cut."""
    language = message.language or language
    happened = min((one.raised_at for one in message.alerts), default=message.at)
    end = TIME[language].format(local_time(happened))
    if message.url:
        end += "\n" + LINK[language].format(message.url)
    title = cut(" ".join(_printable(message.title).split()), most_bytes // 3)
    room = most_bytes - _size(title) - _size(end) - 2
    body = cut(_printable(message.body).strip(), max(0, room))
    whole = f"{body}\n{end}" if body else end
    return Text(title, cut(whole, most_bytes - _size(title)))


def cut(text: str, most_bytes: int) -> str:
    """The beginning of `text` in at most so many bytes of UTF-8, with an ellipsis if it was cut."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most_bytes:
        return text
    room = most_bytes - len(_MORE.encode())
    if room < 0:
        return ""
    return encoded[:room].decode("utf-8", "ignore").rstrip() + _MORE


def _printable(text: str) -> str:
    """Without what steers terminals, mail headers and printers; lines stay lines."""
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
