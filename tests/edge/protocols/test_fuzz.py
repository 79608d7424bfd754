"""Fuzz of every framer and core: damaged, cut, doubled and noisy streams, under random splits.

Ten thousand inputs by default; `FOODSENTRY_FUZZ=1000000` for a night.
"""

import os
import random
from collections.abc import Callable

import pytest

from contracts.profile_framing import (
    Check,
    FixedFramer,
    Framer,
    Guard,
    IdleFramer,
    LengthFramer,
    LineFramer,
    RowsFramer,
    SeriesFramer,
    StartEndFramer,
    UntilFramer,
)
from edge_agent.protocols.checks import crc8, xor8
from edge_agent.protocols.e1381 import E1381Receiver
from edge_agent.protocols.e1381_frames import FrameReceived
from edge_agent.protocols.e1381_sender import frames_of
from edge_agent.protocols.events import FrameEvent
from edge_agent.protocols.framing import make_framer
from edge_agent.protocols.modbus import (
    AsciiReplyReader,
    ModbusEvent,
    Request,
    RtuReplyReader,
    ascii_frame,
    rtu,
)

pytestmark = pytest.mark.slow

INPUTS = int(os.environ.get("FOODSENTRY_FUZZ", "10000"))


def dayuan(rng: random.Random) -> bytes:
    data = rng.randbytes(rng.randrange(30))
    body = bytes((rng.randrange(256),)) + len(data).to_bytes(2, "little") + data
    return b"\x7e" + body + bytes((crc8(body),)) + b"\xaa"


def meat(rng: random.Random) -> bytes:
    records = [b"\x6a" + rng.randbytes(7) + b"\x69" for _ in range(rng.randrange(4))]
    return b"".join(records) + b"\x6a" + b"\x99" * 8


def line(rng: random.Random) -> bytes:
    return b"S S %9.2f g\r\n" % rng.uniform(-9, 999)


def strip(rng: random.Random) -> bytes:
    return b"\x02" + bytes(rng.choices(range(0x20, 0x7F), k=rng.randrange(30))) + b"\x03"


def two_checks(rng: random.Random) -> bytes:
    data = rng.randbytes(rng.randrange(30))
    head = b"\x03\xfe" + rng.randbytes(6) + len(data).to_bytes(2, "little")
    return head + bytes((xor8(head), xor8(data))) + data


def plate(rng: random.Random) -> bytes:
    return b"s" + rng.randbytes(11 * rng.randrange(1, 5)) + b"\x26\x11" + rng.randbytes(4) + b"e"


def series(rng: random.Random) -> bytes:
    blocks = [rng.randbytes(4) + b"20" + rng.randbytes(14) for _ in range(rng.randrange(4))]
    return b"\x1b\x05\x1b\xc1" + b"".join(blocks) + b"\x1b\xfe"


KINDS: list[tuple[Framer, Callable[[random.Random], bytes]]] = [
    (
        LengthFramer(
            head="7E", length_at=2, length_size=2, length_adds=6, min_bytes=6, max_bytes=262,
            tail="AA", check=Check(kind="crc8", start=1, at=-2),
        ),
        dayuan,
    ),
    (FixedFramer(size=9, head="6A", tail="69"), meat),
    (UntilFramer(size=9, head="6A", tail="69", end="6A" + "99" * 8, max_bytes=90), meat),
    (LineFramer(max_bytes=40), line),
    (StartEndFramer(head="02", tail="03", max_bytes=40), strip),
    (
        LengthFramer(
            head="03FE", length_at=8, length_size=2, length_adds=12, min_bytes=12, max_bytes=60,
            head_check=Check(kind="xor8", at=10), check=Check(kind="xor8", at=11, start=12),
        ),
        two_checks,
    ),
    (
        RowsFramer(
            head="73", row=11, trailer=6, tail="65", max_rows=6,
            guards=(Guard(at=-7, length=2, bcd=True), Guard(at=-6, low=1, high=0x12)),
        ),
        plate,
    ),
    (
        SeriesFramer(
            open="1BC1", close="1BFE", words=("1B05",), size=20,
            guards=(Guard(at=4, length=2, low=0x30, high=0x39),),
        ),
        series,
    ),
    (IdleFramer(max_bytes=64), line),
]  # fmt: skip


def damaged(rng: random.Random, stream: bytes) -> bytes:
    """The stream after a few accidents."""
    content = bytearray(stream)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(content) + 1)
        match rng.randrange(5):
            case 0:
                content[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 1:
                del content[at : at + rng.randrange(1, 9)]
            case 2 if at < len(content):
                content[at] ^= 1 << rng.randrange(8)
            case 3:
                content[at:at] = content[at : at + rng.randrange(1, 20)]
            case _:
                content[at:at] = rng.choices(b"\x02\x03\x04\x05\x0a\x7e\xaa\x6a", k=2)
    return bytes(content)


def pieces(rng: random.Random, stream: bytes) -> list[bytes]:
    cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(5)))
    places = [0, *cuts, len(stream)]
    return [stream[a:b] for a, b in zip(places, places[1:], strict=False)]  # noqa: RUF007


@pytest.mark.parametrize(("spec", "make"), KINDS, ids=lambda each: type(each).__name__)
def test_framers(spec: Framer, make: Callable[[random.Random], bytes]) -> None:
    rng = random.Random(1)
    for _ in range(INPUTS):
        stream = damaged(rng, b"".join(make(rng) for _ in range(rng.randrange(1, 4))))
        results: list[list[FrameEvent]] = []
        for reads in ([stream], pieces(rng, stream)):
            framer = make_framer(spec)
            told = [event for each in reads for event in framer.receive(each)]
            results.append(told + framer.flush())
        assert results[0] == results[1], stream.hex()
        covered = sum(len(event.content) for event in results[0])
        empty_lines = len(stream) - covered if isinstance(spec, LineFramer) else 0
        assert covered + empty_lines == len(stream), stream.hex()


def test_e1381() -> None:
    rng = random.Random(2)
    for _ in range(INPUTS):
        records = [line(rng).strip() for _ in range(rng.randrange(1, 4))]
        stream = damaged(rng, b"\x05" + b"".join(frames_of(records)) + b"\x04")
        strict = rng.random() < 0.5
        results = []
        for reads in ([stream], pieces(rng, stream)):
            core, told = E1381Receiver(needs_enquiry=strict), []
            for each in reads:
                core.feed(each, 0.0)
                while (event := core.next_event()) is not None:
                    told.append(event)
                    if isinstance(event, FrameReceived):
                        core.accept()
            core.flush()
            while (event := core.next_event()) is not None:
                told.append(event)
                if isinstance(event, FrameReceived):
                    core.accept()
            results.append(told)
        assert results[0] == results[1], stream.hex()


def test_modbus() -> None:
    rng = random.Random(3)
    request = Request(1, 4, 1, 2)
    for _ in range(INPUTS):
        body = b"\x01\x04\x04" + rng.randbytes(4)
        for kind, good in ((RtuReplyReader, rtu(body)), (AsciiReplyReader, ascii_frame(body))):
            stream = damaged(rng, rng.randbytes(rng.randrange(5)) + good)
            results: list[list[ModbusEvent]] = []
            for reads in ([stream], pieces(rng, stream)):
                reader = kind(request)
                told = [event for each in reads for event in reader.receive(each)]
                results.append(told + reader.flush())
            assert results[0] == results[1], stream.hex()
