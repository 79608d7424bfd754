"""Framers without length or check: rows with guards, series of blocks; and one with two checks."""

import pytest

from contracts.profile_framing import Check, Guard, LengthFramer, RowsFramer, SeriesFramer
from edge_agent.protocols.checks import xor8
from edge_agent.protocols.events import Discarded, Frame
from edge_agent.protocols.framing import make_framer

SERIES = SeriesFramer(
    open="1BC1", close="1BFE", words=("1B05",), size=12,
    guards=(Guard(at=2, length=4, low=0x30, high=0x39),),
)  # fmt: skip
OPEN, CLOSE = b"\x1b\xc1", b"\x1b\xfe"
ONE, TWO = b"\x00\x012026......", b"\x1b\x052027......"


def frames(spec: SeriesFramer | RowsFramer | LengthFramer, *reads: bytes) -> list[bytes]:
    framer = make_framer(spec)
    told = [event for each in reads for event in framer.receive(each)]
    return [event.content for event in told if isinstance(event, Frame)]


def test_a_series_ends_at_once() -> None:
    assert frames(SERIES, b"\x1b\x05" + OPEN + ONE + TWO + CLOSE) == [
        b"\x1b\x05", OPEN, ONE, TWO, CLOSE,
    ]  # fmt: skip


def test_blocks_are_only_looked_for_inside_a_series() -> None:
    assert frames(SERIES, ONE + b"\x1b\x05") == [b"\x1b\x05"]


@pytest.mark.parametrize("lost", range(12))
def test_a_block_that_lost_a_byte_costs_only_itself(lost: int) -> None:
    stream = OPEN + ONE[:lost] + ONE[lost + 1 :] + TWO + CLOSE
    got = frames(SERIES, stream)
    assert TWO in got
    assert got[-1] == CLOSE


def test_noise_after_a_block_does_not_cost_it() -> None:
    assert frames(SERIES, OPEN + ONE + b"\x80\x81\x82" + TWO + CLOSE) == [OPEN, ONE, TWO, CLOSE]


def test_silence_before_the_first_block_does_not_end_a_series() -> None:
    framer = make_framer(SERIES)
    framer.receive(OPEN)
    assert framer.flush() == []
    assert framer.receive(ONE + CLOSE) == [Frame(2, ONE), Frame(14, CLOSE)]
    framer.receive(OPEN + ONE[:5])
    (lost,) = framer.flush()
    assert isinstance(lost, Discarded)
    assert framer.receive(b"\x1b\x05") == [Frame(23, b"\x1b\x05")], "the series is over"


def test_rows_end_where_the_guards_hold() -> None:
    spec = RowsFramer(head="73", row=4, trailer=2, tail="65", guards=(Guard(at=-3, bcd=True),))
    frame = b"s" + b"aabe" + b"\xffbee" + b"\x26\x00e"
    assert frames(spec, frame) == [frame]
    assert frames(spec, b"s", frame[1:]) == [frame]


def test_rows_are_not_made_of_noise() -> None:
    spec = RowsFramer(
        head="73", row=4, trailer=1, tail="65", guards=(Guard(at=-2, bcd=True),),
        each_size=2, each=(Guard(at=0, high=9),),
    )  # fmt: skip
    frame = b"s" + b"\x01a\x02b" + b"vvvv" + b"\x26e"
    assert frames(spec, frame) == [frame]
    assert frames(spec, b"sxyz" + frame) == [frame]


def test_header_check_comes_before_the_length() -> None:
    spec = LengthFramer(
        head="03FE", length_at=8, length_size=2, length_adds=12, min_bytes=12, max_bytes=1000,
        head_check=Check(kind="xor8", at=10), check=Check(kind="xor8", at=11, start=12),
    )  # fmt: skip
    head = bytes.fromhex("03FE4300000000000200")
    good = head + bytes((xor8(head), 0x03)) + b"\x01\x02"
    long = bytearray(good)
    long[9] = 0x01  # a length of 258: without the header's check it would be waited for
    assert frames(spec, bytes(long) + good) == [good]
    assert frames(spec, good[:-1] + b"\x03" + good) == [good]
