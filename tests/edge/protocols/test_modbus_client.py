"""Modbus replies found among echo, noise, other units' replies and halves, under any split."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.protocols.events import Discarded
from edge_agent.protocols.modbus import (
    ECHO,
    AsciiReplyReader,
    ModbusEvent,
    Refusal,
    Reply,
    Request,
    RtuReplyReader,
    ascii_frame,
    rtu,
)

REQUEST = Request(unit=1, function=4, start=1, count=2)
GOOD = rtu(bytes.fromhex("01040400EA0237"))


def read(reader: RtuReplyReader | AsciiReplyReader, *reads: bytes) -> list[ModbusEvent]:
    told: list[ModbusEvent] = []
    for each in reads:
        told += reader.receive(each)
    return told + reader.flush()


def replies(events: list[ModbusEvent]) -> list[ModbusEvent]:
    return [event for event in events if not isinstance(event, Discarded)]


def test_request_on_the_line() -> None:
    assert RtuReplyReader(REQUEST).sent == bytes.fromhex("010400010002200B")
    assert AsciiReplyReader(REQUEST).sent == b":010400010002F8\r\n"


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\x00\xff",
        RtuReplyReader(REQUEST).sent,
        GOOD[:5],
        GOOD[:-1],
        b"\x01\x04\x04",
        rtu(bytes.fromhex("020404 00010002")),
        rtu(bytes.fromhex("010304 00010002")),
        GOOD[:-1] + b"\x00",
    ],
)
def test_what_comes_before_costs_nothing(before: bytes) -> None:
    stream = before + GOOD
    for reads in ([stream], [bytes((byte,)) for byte in stream]):
        told = read(RtuReplyReader(REQUEST), *reads)
        assert replies(told) == [Reply(len(before), bytes.fromhex("00EA0237"), GOOD)]
        lost = b"".join(event.content for event in told if isinstance(event, Discarded))
        assert lost == before


def test_echo_is_named() -> None:
    echo = RtuReplyReader(REQUEST).sent
    told = read(RtuReplyReader(REQUEST), echo + GOOD)
    assert told[0] == Discarded(0, echo, ECHO)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
def test_exceptions_are_answers(code: int) -> None:
    frame = rtu(bytes((1, 0x84, code)))
    (told,) = replies(read(RtuReplyReader(REQUEST), b"\x55" + frame))
    assert isinstance(told, Refusal)
    assert told.code == code
    assert str(code) in told.text


def test_truncated_reply_is_discarded_at_the_time_out() -> None:
    told = read(RtuReplyReader(REQUEST), GOOD[:6])
    assert [event.content for event in told if isinstance(event, Discarded)] == [GOOD[:6]]
    assert replies(told) == []


@settings(max_examples=300, deadline=None)
@given(
    noise=st.binary(max_size=20),
    values=st.tuples(st.integers(-32768, 32767), st.integers(0, 65535)),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_any_noise_and_split(noise: bytes, values: tuple[int, int], cuts: list[int]) -> None:
    data = values[0].to_bytes(2, "big", signed=True) + values[1].to_bytes(2, "big")
    stream = noise + rtu(b"\x01\x04\x04" + data)
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    reads = [stream[a:b] for a, b in itertools.pairwise(places)]
    told = read(RtuReplyReader(REQUEST), *reads)
    assert told == read(RtuReplyReader(REQUEST), stream)
    (reply,) = replies(told)
    assert isinstance(reply, Reply | Refusal)
    if isinstance(reply, Reply) and reply.offset == len(noise):
        assert reply.data == data


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=30), cut=st.integers(0, 60))
def test_ascii(noise: bytes, cut: int) -> None:
    frame = ascii_frame(bytes.fromhex("01040400EA0237"))
    stream = noise + AsciiReplyReader(REQUEST).sent + frame
    told = read(AsciiReplyReader(REQUEST), stream[:cut], stream[cut:])
    assert told == read(AsciiReplyReader(REQUEST), stream)
    (reply,) = replies(told)
    assert isinstance(reply, Reply)
    assert reply.data == bytes.fromhex("00EA0237")


def test_bits_have_their_own_byte_count() -> None:
    request = Request(unit=3, function=1, start=0, count=10)
    (reply,) = replies(read(RtuReplyReader(request), rtu(bytes.fromhex("030102CD01"))))
    assert isinstance(reply, Reply)
    assert reply.data == bytes.fromhex("CD01")
