"""LIS01-A2 / ASTM E1381: control bytes, frames built and read, and what a receiver tells."""

import re

import msgspec

from edge_agent.protocols.events import Discarded

STX, ETX, EOT, ENQ, ACK, LF, CR, NAK, ETB = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0D, 0x15, 0x17
_FRAME = re.compile(rb"\x02([0-7][^\x02\x03\x17]*[\x03\x17])([0-9A-Fa-f]{2})\r?\n?")


class Started(msgspec.Struct, frozen=True):
    """A new message begins with the frame that follows."""


class FrameReceived(msgspec.Struct, frozen=True):
    """A good new frame. Store it, then `accept`; or `refuse` it."""

    offset: int
    number: int
    text: bytes
    last: bool
    """True for ETX, False for ETB."""
    raw: bytes


class Gap(msgspec.Struct, frozen=True):
    """In a recording: so many frames (modulo 8) are not there before the one that follows."""

    lost: int


class FrameRepeated(msgspec.Struct, frozen=True):
    """The last accepted frame once more; it has been answered ACK."""

    number: int


class Reply(msgspec.Struct, frozen=True):
    """Bytes to send now."""

    content: bytes


class Ended(msgspec.Struct, frozen=True):
    """The transfer is over: by EOT (empty reason), or because nothing came in time."""

    reason: str = ""


Event = Started | Gap | FrameReceived | FrameRepeated | Reply | Ended | Discarded


def check_digits(body: bytes) -> bytes:
    """The two digits for `body` = number, text and ETX/ETB."""
    return b"%02X" % (sum(body) & 0xFF)


def build_frame(number: int, text: bytes, *, last: bool) -> bytes:
    """A whole frame."""
    body = b"%d" % (number % 8) + text + (b"\x03" if last else b"\x17")
    return b"\x02" + body + check_digits(body) + b"\r\n"


def good_frames(content: bytes) -> list[FrameReceived]:
    """Every frame with a right check in stored bytes, whatever its number."""
    found = []
    for match in _FRAME.finditer(content):
        body = match[1]
        if int(match[2], 16) == sum(body) & 0xFF:
            number, text, last = body[0] - 0x30, body[1:-1], body[-1] == ETX
            found.append(FrameReceived(match.start(), number, text, last, match[0]))
    return found
