"""The envelope: round trips, tolerance of newer writers, and errors that name the field."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import events
from contracts.envelope import (
    MAX_PAYLOAD_BYTES,
    EnvelopeError,
    decode,
    decode_envelope,
    encode,
    encode_data,
)
from contracts.topics import identity
from contracts.words import Quality

WHO = identity("440703", "room-1", "probe-1")
AT = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
FACT = events.Readings([events.Reading("temperature", 3.5, "Cel", AT)])


def message(**changes: object) -> bytes:
    """A good message with some outer attributes changed; None takes one away."""
    table = json.loads(encode("readings", WHO, FACT, event_id="e-1", at=AT, sequence=7, epoch="e"))
    table.update(changes)
    return json.dumps({k: v for k, v in table.items() if v is not None}).encode()


texts = st.text(max_size=40)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
readings = st.builds(
    events.Reading,
    texts.filter(bool),
    st.floats(allow_nan=False, allow_infinity=False),
    texts.filter(bool),
    times,
    st.sampled_from(Quality),
)


@given(st.lists(readings, min_size=1, max_size=5), st.integers(0, 2**53), times)
def test_what_is_written_is_read(items: list[events.Reading], sequence: int, at: datetime) -> None:
    data = events.Readings(items)
    payload = encode(
        "readings", WHO, data, event_id="x", at=at, agent="agent", epoch="e", sequence=sequence
    )
    event = decode(payload)
    assert event.data == data
    assert event.envelope.identity == WHO
    assert (event.envelope.sequence, event.envelope.time) == (sequence, at)
    assert json.loads(payload)["specversion"] == "1.0"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with pytest.raises(EnvelopeError):
        decode(payload)


def test_data_may_be_given_as_bytes() -> None:
    assert decode(encode("readings", WHO, encode_data(FACT), event_id="x", at=AT)).data == FACT


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    table = json.loads(message(traceparent="00-1"))
    table["data"]["readings"][0]["colour"] = "red"
    assert decode(json.dumps(table).encode()).data == FACT


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": None}, "source"),
        ({"id": ""}, r"\$\.id"),
        ({"specversion": "2.0"}, "specversion"),
        ({"time": "yesterday"}, r"\$\.time"),
        ({"time": "2026-11-23T01:02:03"}, "time: has no time zone"),
        ({"sequence": -1}, "sequence"),
        ({"type": "foodsentry.readings.v2"}, "version v2 of readings is not known"),
        ({"type": "foodsentry.gossip.v1"}, "not a foodsentry event type"),
        ({"data": {"readings": []}}, "data of readings"),
        ({"data": {"readings": [{"metric": "t", "value": "3"}]}}, r"\$\.readings\[0\]\.value"),
    ],
)
def test_an_error_names_the_field(changes: dict[str, object], says: str) -> None:
    with pytest.raises(EnvelopeError, match=says):
        decode(message(**changes))


def test_an_unknown_version_still_tells_who_sent_it() -> None:
    envelope = decode_envelope(message(type="foodsentry.readings.v9"))
    assert (envelope.identity, envelope.epoch, envelope.sequence) == (WHO, "e", 7)


def test_other_time_zones_are_the_same_instant() -> None:
    local = AT.astimezone(timezone(timedelta(hours=8))).isoformat()
    assert decode_envelope(message(time=local)).time == AT


def test_an_oversized_message_is_refused_unread() -> None:
    with pytest.raises(EnvelopeError, match=f"exceeds {MAX_PAYLOAD_BYTES}"):
        decode(b" " * (MAX_PAYLOAD_BYTES + 1))


def test_bytes_travel_as_base64() -> None:
    frame = events.RawFrame(b"\x7e\x00\xaa", "0" * 64)
    assert json.loads(encode_data(frame))["content"] == "fgCq"
