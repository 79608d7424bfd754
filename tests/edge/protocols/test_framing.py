"""Framers under any split of reads and any noise: same result, nothing lost, nothing uncounted."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.profile_framing import (
    Check,
    FixedFramer,
    Framer,
    IdleFramer,
    LengthFramer,
    LineFramer,
    StartEndFramer,
    UntilFramer,
)
from edge_agent.protocols.checks import CHECKS, crc8, written
from edge_agent.protocols.events import Discarded, Frame, FrameEvent
from edge_agent.protocols.framing import make_framer

CRC8 = Check(kind="crc8", start=1, at=-2)
LENGTH = LengthFramer(
    head="7E", length_at=2, length_size=2, length_adds=6, min_bytes=6, max_bytes=262, tail="AA",
    check=CRC8,
)  # fmt: skip
FRAMERS: dict[str, Framer] = {
    "length": LENGTH,
    "two-byte head": LengthFramer(
        head="03FE", length_at=2, length_adds=4, max_bytes=64, check=Check(kind="xor8", at=-1)
    ),
    "fixed": FixedFramer(size=9, head="6A", tail="69"),
    "start-end": StartEndFramer(head="02", tail="03", max_bytes=40),
    "start-end, long marks": StartEndFramer(head="0202", tail="0303", max_bytes=40),
    "line": LineFramer(max_bytes=30),
    "line, CR LF": LineFramer(end="0D0A", max_bytes=30),
    "until": UntilFramer(head="6A", size=3, end="6A9999", max_bytes=60),
    "idle": IdleFramer(max_bytes=20),
}
# Bytes that matter to the framers above are likely; so are all others.
alphabet = st.one_of(
    st.sampled_from(b"\x7e\xaa\x00\x01\x02\x03\x0a\x0d\x69\x6a\x99\xfe"), st.integers(0, 255)
)
streams = st.lists(alphabet, max_size=300).map(bytes)


def frame_7e(command: int, data: bytes) -> bytes:
    body = bytes((command,)) + len(data).to_bytes(2, "little") + data
    return b"\x7e" + body + bytes((crc8(body),)) + b"\xaa"


def read(spec: Framer, reads: Sequence[bytes]) -> list[FrameEvent]:
    framer = make_framer(spec)
    told: list[FrameEvent] = []
    for each in reads:
        told += framer.receive(each)
    return told + framer.flush()


def split(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(content) + 1) for cut in cuts} | {0, len(content)})
    return [content[a:b] for a, b in itertools.pairwise(places)]


@pytest.mark.parametrize("name", FRAMERS)
@settings(max_examples=150, deadline=None)
@given(content=streams, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_split_makes_no_difference(name: str, content: bytes, cuts: list[int]) -> None:
    spec = FRAMERS[name]
    whole = read(spec, [content])
    assert read(spec, split(content, cuts)) == whole
    assert read(spec, [content[at : at + 1] for at in range(len(content))]) == whole


@pytest.mark.parametrize("name", FRAMERS)
@settings(max_examples=150, deadline=None)
@given(content=streams)
def test_every_byte_is_accounted_for(name: str, content: bytes) -> None:
    place = 0
    for event in read(FRAMERS[name], [content]):
        gap = content[place : event.offset]
        assert not gap.strip(b"\r\n \t\x0b\x0c"), "only empty lines are passed over"
        assert content[event.offset : event.offset + len(event.content)] == event.content
        assert event.content
        place = event.offset + len(event.content)
    assert not content[place:].strip(b"\r\n \t\x0b\x0c")


@settings(max_examples=300, deadline=None)
@given(
    frames=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=6),
    noise=st.lists(st.binary(max_size=12), min_size=7, max_size=7),
    cuts=st.lists(st.integers(0, 600), max_size=12),
)
def test_noise_costs_no_frame(
    frames: list[tuple[int, bytes]], noise: list[bytes], cuts: list[int]
) -> None:
    # Noise that is itself a good frame, or begins a longer one that checks out, can't be told.
    built = [frame_7e(command, data) for command, data in frames]
    stream = noise[-1]
    for each, before in zip(built, noise, strict=False):
        stream += before + each
    got = [event.content for event in read(LENGTH, split(stream, cuts)) if isinstance(event, Frame)]
    lost = [each for each in built if each not in got]
    swallowed = [each for each in got if each not in built]
    assert not lost or swallowed


def test_damaged_frame_costs_only_itself() -> None:
    good = frame_7e(0x11, b"\x7e\xaa" * 9)
    bad = bytearray(good)
    bad[10] ^= 1
    told = read(LENGTH, [bytes(bad) + good])
    assert [type(event) for event in told] == [Discarded, Frame]
    assert isinstance(told[0], Discarded)
    assert told[0].offset == 0
    assert told[0].content == bytes(bad)
    assert "check" in told[0].reason


def test_false_head_is_given_up_when_the_line_falls_silent() -> None:
    good = frame_7e(0x13, b"12345")
    framer = make_framer(LENGTH)
    assert framer.receive(b"\x7e\x11\xf0\x00" + good) == []  # a head that promises 246 bytes
    assert framer.pending
    told = framer.flush()
    assert [event.content for event in told] == [b"\x7e\x11\xf0\x00", good]


@pytest.mark.parametrize("name", FRAMERS)
def test_memory_is_bounded(name: str) -> None:
    framer = make_framer(FRAMERS[name])
    for _ in range(200):
        framer.receive(b"\x02\x7e\x11\x6a" * 50)
    held = getattr(framer, "_buffer")  # noqa: B009
    assert len(held) <= 600


def test_warning_check_lets_pass_and_says_so() -> None:
    spec = FixedFramer(size=4, head="7E", check=Check(kind="sum8", at=-1, verify="warn"))
    (event,) = read(spec, [b"\x7e\x01\x02\x00"])
    assert isinstance(event, Frame)
    assert event.flags == ("bad_check",)


def test_vectors_of_checks() -> None:
    assert crc8(bytes.fromhex("0002000000")) == 0x07
    assert crc8(bytes.fromhex("1003001A0B17")) == 0x75
    assert crc8(b"123456789") == 0xA2
    assert CHECKS["crc16_modbus"](b"123456789") == 0x4B37
    assert CHECKS["crc16_ccitt"](b"123456789") == 0x29B1
    assert CHECKS["xor8"](bytes.fromhex("03FF4300000000000800")) == 0xB7
    assert CHECKS["complement8"](b"\x01\x03\x00\x00\x00\x01") == 0xFB
    assert written(Check(kind="sum8", at=-1, encoding="hex"), b"\xf0\x0f\x01") == b"00"
