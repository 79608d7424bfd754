"""Tests of unpacking: what is accepted, and what is refused, why, and under which number."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from gateway_town import (
    COLD,
    READER,
    canteen,
    inbound,
    market,
    picture,
    readings,
    registry,
    result,
    status,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker import Inbound
from gateway.unpack import Accepted, Desk, Refused, unpack


def changed(message: Inbound, **attributes: Any) -> Inbound:
    """The message with attributes of its envelope replaced."""
    payload = json.dumps(json.loads(message.payload) | attributes).encode()
    return msgspec.structs.replace(message, payload=payload)


def refused(message: Inbound) -> Refused:
    unpacked = unpack(message, registry())
    assert isinstance(unpacked, Refused), "it was accepted"
    return unpacked


def test_accepts_what_is_right() -> None:
    unpacked = unpack(inbound(READER, result(), 3), registry())
    assert isinstance(unpacked, Accepted) and unpacked.numbered is not None
    assert (unpacked.numbered.agent, unpacked.numbered.sequence) == (market("agent"), 3)
    assert isinstance(unpack(inbound(READER, status()), registry()), Accepted)


@pytest.mark.parametrize(
    ("message", "kind", "said", "numbered"),
    [
        (inbound(READER, result(), 1, topic_of=COLD), "forged", "is not that of its topic", True),
        (inbound(market("x"), result(), 1), "unregistered", "market1/x is not registered", True),
        (inbound(READER, result(), 1, agent="reader1"), "unregistered", "as an agent", True),
        (inbound(READER, result(), 1, agent="ghost"), "unregistered", "as an agent", True),
        (inbound(READER, result(), 1, agent="a/b"), "unnumbered", "agent", False),
        (inbound(READER, result(), 0), "unnumbered", "sequence", False),
        (inbound(READER, result(), 2**60), "unnumbered", "out of range", False),
        (inbound(READER, result(), 1, epoch="e" * 65), "unnumbered", "epoch", False),
        (
            changed(inbound(READER, result(), 1), type="foodsentry.tests.v2"),
            "unreadable",
            "v2",
            True,
        ),
        (changed(inbound(READER, result(), 1), type="x"), "unreadable", "type", True),
        (changed(inbound(READER, result(), 1), data={}), "unreadable", "data of tests", True),
        (changed(inbound(READER, result(), 1), specversion="2.0"), "unreadable", "2.0", False),
        (
            changed(inbound(READER, result(), 1), type="foodsentry.readings.v1"),
            "forged",
            "type",
            True,
        ),
        (Inbound("fs/v1/a/b/c/tests/x", b"{}", datetime.now(UTC)), "topic", "is not fs/v1", False),
        (Inbound("fs/v1/a/b/c/config", b"{}", datetime.now(UTC)), "topic", "not for us", False),
        (Inbound("fs/v1/a/b/c/tests", b"\xff\xfe", datetime.now(UTC)), "unreadable", "JSON", False),
        (Inbound("fs/v1/a/b/c/tests", b"", datetime.now(UTC)), "unreadable", "JSON", False),
        (
            Inbound("fs/v1/a/b/c/tests", b" " * 1_000_001, datetime.now(UTC)),
            "oversized",
            "1000001 bytes",
            False,
        ),
    ],
)
def test_refusals_say_why(message: Inbound, kind: str, said: str, numbered: bool) -> None:
    unpacked = refused(message)
    assert unpacked.kind == kind
    assert said in unpacked.reason
    assert (unpacked.numbered is not None) is numbered


def test_forged_number_counts_under_the_topics_site() -> None:
    unpacked = refused(inbound(READER, result(), 7, topic_of=COLD))
    assert unpacked.numbered is not None
    assert unpacked.numbered.agent == canteen("agent")


def test_content_that_cannot_be_stored_is_refused() -> None:
    wrong_hash = msgspec.structs.replace(picture(), content=b"other")
    assert "SHA-256" in refused(inbound(canteen("cam1"), wrong_hash, 1)).reason
    late = readings((0, 1.0))
    late = msgspec.structs.replace(
        late,
        readings=[
            msgspec.structs.replace(late.readings[0], measured_at=datetime(2300, 1, 1, tzinfo=UTC))
        ],
    )
    assert "outside of" in refused(inbound(COLD, late, 1)).reason
    message = inbound(COLD, readings((0, 1.0)), 1)
    huge = msgspec.structs.replace(
        message, payload=message.payload.replace(b'"value":1.0', b'"value":1e999')
    )
    assert refused(huge).kind in ("content", "unreadable")
    naive = msgspec.structs.replace(
        message, payload=message.payload.replace(b'00Z","', b'00","').replace(b'00Z"}', b'00"}')
    )
    assert "time zone" in refused(naive).reason


@given(payload=st.binary(max_size=300), topic=st.text(max_size=60))
def test_garbage_never_raises(payload: bytes, topic: str) -> None:
    assert isinstance(unpack(Inbound(topic, payload, datetime.now(UTC)), registry()), Refused)
    assert isinstance(
        unpack(Inbound("fs/v1/440703/market1/reader1/tests", payload, datetime.now(UTC)), {}),
        Refused,
    )


@given(
    attributes=st.dictionaries(
        st.sampled_from(["id", "source", "type", "time", "data", "agent", "epoch", "sequence"]),
        st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.just({})),
    )
)
def test_mangled_envelopes_never_raise(attributes: dict[str, Any]) -> None:
    unpack(changed(inbound(READER, result(), 1), **attributes), registry())


_OF_COLD = inbound(COLD, readings((0, 4.0), (60, 5.0)), 1)


@pytest.mark.parametrize(
    "message",
    [
        _OF_COLD,
        inbound(COLD, readings((0, 4.0)), 7, epoch="e2"),
        inbound(COLD, readings((0, 4.0)), 1, agent="ghost"),
        inbound(COLD, readings((0, 4.0)), 1, agent="coldstore1"),
        inbound(READER, readings((0, 4.0)), 1, topic_of=COLD),
        changed(_OF_COLD, sequence=0),
        changed(_OF_COLD, sequence=2**53 + 1),
        changed(_OF_COLD, epoch=""),
        changed(_OF_COLD, epoch="e" * 65),
        changed(_OF_COLD, epoch="a\0b"),
        changed(_OF_COLD, time="1969-12-31T23:59:59Z"),
        changed(_OF_COLD, time="2026-03-02T04:00:00"),
        changed(_OF_COLD, type="foodsentry.readings.v2"),
        changed(_OF_COLD, type="foodsentry.tests.v1"),
        changed(_OF_COLD, specversion="2"),
        changed(_OF_COLD, data={"readings": []}),
        changed(_OF_COLD, data={"readings": [{"metric": "t"}]}),
        *(
            changed(
                _OF_COLD,
                data={"readings": [{"metric": "t", "value": 1, "unit": "Cel", "measured_at": at}]},
            )
            for at in ("2026-03-02T04:00:00", "2201-01-01T00:00:00Z", "2026-03-02T12:00:00+08:00")
        ),
        msgspec.structs.replace(_OF_COLD, payload=_OF_COLD.payload[:-5]),
        msgspec.structs.replace(_OF_COLD, payload=_OF_COLD.payload + b" " * 1_000_000),
        inbound(READER, result(), 3),
        inbound(READER, status()),
    ],
)
def test_the_desk_says_the_same_on_its_shorter_way(message: Inbound) -> None:
    desk = Desk(registry())
    assert isinstance(desk.unpack(inbound(COLD, readings((0, 1.0)), 9)), Accepted)
    for _ in range(2):
        assert desk.unpack(message) == unpack(message, registry())
