"""The whole guess about a line: protocol or framing, check, encoding, columns; without I/O.

Known protocols first (E1381, Modbus: their checks prove them), then framers, best fit first.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from contracts.profile_framing import Framer
from edge_agent.instruments.sniff.framing import Fit, fits, idle_fit
from edge_agent.instruments.sniff.text import (
    Columns,
    TextEncoding,
    guess_columns,
    guess_encoding,
    text_share,
    with_parity,
)
from edge_agent.protocols.checks import crc16_modbus
from edge_agent.protocols.e1381 import E1381Receiver
from edge_agent.protocols.e1381_frames import FrameReceived
from edge_agent.protocols.events import Frame
from edge_agent.protocols.framing import make_framer
from edge_agent.protocols.modbus import rtu

LOOKED_AT = 16 * 1024
"""Bytes that are looked at; more says nothing new."""
_ASCII = re.compile(rb":((?:[0-9A-Fa-f]{2}){4,256})\r\n")
ENOUGH = 0.45
"""Framing is believed from this score on."""


class ModbusRead(msgspec.Struct, frozen=True):
    """Registers or bits that a reply on the line held; `start` where a request was seen."""

    unit: int
    function: int
    count: int
    start: int | None = None


class Guess(msgspec.Struct, frozen=True):
    """What a line seems to say."""

    kind: Literal["nothing", "e1381", "modbus", "framed", "unclear"]
    score: float
    """0 to about 1.5; below `ENOUGH` it is little better than nothing."""
    framer: Framer | None = None
    frames: int = 0
    text: bool = False
    encoding: TextEncoding = "ascii"
    columns: Columns | None = None
    reads: tuple[ModbusRead, ...] = ()
    transport: Literal["rtu", "ascii"] = "rtu"
    notes: tuple[str, ...] = ()


def guess(content: bytes, bursts: Sequence[int] = ()) -> Guess:
    """Guess from what came; `bursts` are the offsets at which a silence ended. Never raises."""
    content = content[:LOOKED_AT]
    if not content:
        return Guess("nothing", 0.0)
    return _e1381(content) or _modbus(content) or _framed(content, bursts)


def _e1381(content: bytes) -> Guess | None:
    core, frames, covered = E1381Receiver(needs_enquiry=False), 0, 0
    core.feed(content, 0.0)
    core.flush()
    while (event := core.next_event()) is not None:
        if isinstance(event, FrameReceived):
            frames, covered = frames + 1, covered + len(event.raw)
            core.accept()
    if not frames or covered < 0.4 * len(content):
        return None
    encoding = guess_encoding(content)
    return Guess("e1381", 1 + covered / len(content), None, frames, True, encoding)


def modbus_reads(content: bytes) -> tuple[list[ModbusRead], int]:
    """Replies (and requests before them) that a CRC proves, and the bytes that they make up."""
    reads: list[ModbusRead] = []
    covered, at = 0, 0
    asked: tuple[int, int, int] | None = None
    while at + 5 <= len(content):
        unit, function, size = content[at : at + 3]
        reply = 5 + size
        if 1 <= function <= 4 and _crc(content, at, 8) and content[at + 4 : at + 6] != b"\0\0":
            asked = (unit, function, int.from_bytes(content[at + 2 : at + 4], "big"))
            covered, at = covered + 8, at + 8
        elif 1 <= function <= 4 and size and _crc(content, at, reply):
            count = size // 2 if function > 2 else size * 8
            start = asked[2] if asked is not None and asked[:2] == (unit, function) else None
            reads.append(ModbusRead(unit, function, count, start))
            covered, at, asked = covered + reply, at + reply, None
        elif 0x81 <= function <= 0x84 and _crc(content, at, 5):
            covered, at = covered + 5, at + 5
        else:
            at += 1
    return reads, covered


def _crc(content: bytes, at: int, size: int) -> bool:
    return at + size <= len(content) and crc16_modbus(content[at : at + size]) == 0


def _modbus(content: bytes) -> Guess | None:
    transport: Literal["rtu", "ascii"] = "rtu"
    reads, covered = modbus_reads(content)
    if not reads and b":" in content:
        transport = "ascii"
        reads, covered = modbus_reads(_ascii_as_rtu(content))
        covered = min(len(content), covered * 2)
    if not reads or covered < 0.4 * len(content):
        return None
    kinds = tuple(dict.fromkeys(reads))
    notes: tuple[str, ...] = ()
    if any(read.start is None for read in kinds):
        notes = ("the request was not heard: `start` of the registers is not known",)
    score = 1 + covered / len(content)
    return Guess("modbus", score, None, len(reads), reads=kinds, transport=transport, notes=notes)


def _ascii_as_rtu(content: bytes) -> bytes:
    """Modbus ASCII lines whose LRC is right, as RTU frames back to back."""
    frames = b""
    for found in _ASCII.finditer(content):
        frame = bytes.fromhex(found[1].decode("ascii"))
        if sum(frame) & 0xFF == 0:
            frames += rtu(frame[:-1])
    return frames


def _framed(content: bytes, bursts: Sequence[int]) -> Guess:
    found = fits(content, bursts)
    best: Fit | None = found[0] if found else None
    notes: list[str] = []
    parity = with_parity(content)
    if parity is not None:
        notes.append(f"looks like seven bits with parity read as eight bits: try 7{parity}1")
    if best is None or best.score < ENOUGH:
        idle = idle_fit(content, bursts)
        text = text_share(content) > 0.97
        notes.append("no framing found; if it is noise, try other speeds and parities")
        score = idle.covered if best is None else best.score
        encoding = guess_encoding(content)
        return Guess("unclear", score, idle.framer, len(idle.frames), text, encoding,
                     notes=tuple(notes))  # fmt: skip
    frames = b"".join(best.frames)
    text = text_share(frames) > 0.97 and parity is None
    encoding = guess_encoding(frames)
    if best.check is not None:
        held, of = best.check.held, best.check.of
        notes.append(f"check {best.check.check.kind} holds for {held} of {of} different frames")
    elif not text:
        notes.append("no known check fits the frames")
    for other in found[1:3]:
        if other.score > best.score - 0.1:
            kind = other.framer.__struct_config__.tag
            notes.append(f"a {kind} framer fits nearly as well ({other.score:.2f})")
    columns = guess_columns(text_lines(best.framer, content, encoding)) if text else None
    return Guess("framed", best.score, best.framer, len(best.frames), text, encoding, columns,
                 notes=tuple(notes))  # fmt: skip


def text_lines(framer: Framer, content: bytes, encoding: TextEncoding) -> list[str]:
    """The frames as text, without their ends, as a profile's text record sees them."""
    codec = "gb18030" if encoding == "gb2312" else encoding
    reader = make_framer(framer)
    events = [*reader.receive(content), *reader.flush()]
    frames = [event.content for event in events if isinstance(event, Frame)]
    return [frame.decode(codec, "replace").strip("\r\n\x00\x02\x03 \t") for frame in frames]
