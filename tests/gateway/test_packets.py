"""Tests of MQTT packets read in bulk, against the packets that paho writes and in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.buffered_socket import BufferedSocket
from gateway.packets import (
    Malformed,
    Publication,
    packet_length,
    read_publications,
    write_pubacks,
)

PINGRESP = b"\xd0\x00"


class Paho(Client):
    """paho, whose packets are kept instead of sent."""

    def __init__(self) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, protocol=5)
        self.packets: list[bytes] = []
        self._sock = object()  # type: ignore[assignment]

    def _packet_queue(self, command: int, packet: bytes, *_: object, **__: object) -> int:  # type: ignore[override]
        self.packets.append(bytes(packet))
        return 0

    def _reset_sockets(self, sockpair_only: bool = False) -> None:
        self._sock = None


def packet(one: Publication, with_properties: bool = False) -> bytes:
    topic, payload, number, qos, retained = one
    paho, properties = Paho(), None
    if with_properties:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = "application/json" * 20
    paho._send_publish(
        number, topic.encode(), payload, qos, retained, qos == 1, properties=properties
    )
    return paho.packets[0]


TOPICS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
SIZES = st.sampled_from([0, 1, 100, 127, 128, 16_300, 16_383, 16_384, 70_000])
PUBLICATIONS = st.builds(
    lambda topic, size, number, qos, retained: (
        topic, b"x" * size, number if qos else 0, qos, retained
    ),
    TOPICS, SIZES, st.integers(1, 65_535), st.sampled_from([0, 1]), st.booleans(),
)  # fmt: skip


class Pieces:
    """A socket that gives what it has in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def recv(self, _size: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


@given(st.lists(st.tuples(PUBLICATIONS, st.booleans(), st.booleans()), max_size=6), st.data())
def test_reads_what_paho_writes_in_any_pieces(
    sent: list[tuple[Publication, bool, bool]], data: st.DataObject
) -> None:
    stream = b"".join(packet(one, props) + PINGRESP * ping for one, props, ping in sent)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=5)))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(bounds) if stream[a:b]]
    reader = BufferedSocket(Pieces(pieces))  # type: ignore[arg-type]
    taken: list[Publication] = []
    pings = 0
    with pytest.raises(EOFError):
        while True:
            taken += reader.publications()
            if reader.whole_packet():
                assert reader.recv(1) + reader.recv(1) == PINGRESP
                pings += 1
    assert taken == [one for one, _, _ in sent]
    assert pings == sum(ping for _, _, ping in sent)


@given(PUBLICATIONS, st.data())
def test_a_packet_that_is_not_whole_is_left(one: Publication, data: st.DataObject) -> None:
    whole = packet(one)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    taken: list[Publication] = []
    assert read_publications(part, 0, taken) == 0 and taken == []
    assert packet_length(whole, 0) == len(whole)


@pytest.mark.parametrize(
    "broken",
    [
        b"\x32\x00",  # nothing in it
        b"\x32\x05\x00\x09abc",  # a topic that reaches beyond
        b"\x32\x05\x00\x03abc",  # no packet id
        b"\x32\x07\x00\x03abc\x00\x01",  # no properties
        b"\x32\x08\x00\x03abc\x00\x01\x09",  # properties that reach beyond
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
    ],
)
def test_what_breaks_the_protocol_is_told(broken: bytes) -> None:
    with pytest.raises(Malformed):
        read_publications(broken, 0, [])
    with pytest.raises(Malformed):
        BufferedSocket(Pieces([broken])).publications()  # type: ignore[arg-type]


@given(st.binary(max_size=60))
def test_garbage_never_does_anything_else(garbage: bytes) -> None:
    taken: list[Publication] = []
    try:
        at = read_publications(garbage, 0, taken)
    except Malformed:
        return
    assert 0 <= at <= len(garbage)


def test_qos_2_is_left_to_the_library() -> None:
    assert read_publications(packet(("t", b"x", 1, 2, False)), 0, []) == 0


def test_pubacks_are_those_of_paho() -> None:
    paho = Paho()
    numbers = [1, 255, 256, 65_535]
    for number in numbers:
        paho._send_puback(number)
    assert write_pubacks(numbers) == b"".join(paho.packets)
