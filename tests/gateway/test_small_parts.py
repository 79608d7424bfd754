"""Tests of the small parts: points, receipts, inbox, back-off, health, HTTP."""

import itertools
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
from gateway_town import (
    CAMERA,
    COLD,
    NOON,
    READER,
    inbound,
    market,
    observation,
    readings,
    registry,
    result,
)
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import decode
from contracts.events import Reading, Readings, Receipt
from contracts.settings import SettingsError
from contracts.words import Verdict
from gateway.backoff import pauses
from gateway.broker import Inbound
from gateway.health import Health
from gateway.http import HttpServer
from gateway.intake.inbox import Inbox
from gateway.intake.points import lines_of, points_of
from gateway.metrics import Metrics
from gateway.receipts import receipts
from gateway.unpack import Accepted, unpack
from timeseries.lines import line
from timeseries.names import fault
from timeseries.port import Point, to_ns


def points(message: Inbound) -> list[Point]:
    unpacked = unpack(message, registry())
    assert isinstance(unpacked, Accepted)
    return points_of(unpacked.who, unpacked.event)


def test_points_of_readings() -> None:
    first, second = points(inbound(COLD, readings((0, 4.5), (1.5, 5.0)), 1))
    assert first == Point(
        "readings",
        {
            "region": "440703",
            "site": "canteen1",
            "device": "coldstore1",
            "metric": "temperature",
        },
        {"value": 4.5},
        to_ns(NOON),
    )
    assert second.at_ns - first.at_ns == 1_500_000_000


def test_points_of_results_of_one_moment_stay_apart() -> None:
    one, two = (points(inbound(READER, result(), number))[0] for number in (1001, 1002))
    assert one.at_ns == to_ns(NOON) + 1 and two.at_ns == to_ns(NOON) + 2
    assert one.fields == {"number": 52.31, "positive": True}
    assert one.tags["item"] == "pesticide_inhibition"
    (passed,) = points(inbound(READER, result(Verdict.PASS, "1.00"), 1))
    assert passed.fields["positive"] is False


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=128),
            st.floats(allow_nan=False, allow_infinity=False),
            st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_lines_are_those_of_the_points(told: list[tuple[str, float, datetime]]) -> None:
    data = Readings([Reading(metric, value, "Cel", at) for metric, value, at in told])
    unpacked = unpack(inbound(COLD, data, 1), registry())
    assert isinstance(unpacked, Accepted)
    made = points_of(unpacked.who, unpacked.event)
    wanted = None if any(fault(one) for one in made) else [line(one) for one in made]
    assert lines_of(unpacked.who, unpacked.event) == wanted


def test_lines_of_results_are_those_of_their_points() -> None:
    unpacked = unpack(inbound(READER, result(), 1001), registry())
    assert isinstance(unpacked, Accepted)
    (point,) = points_of(unpacked.who, unpacked.event)
    assert lines_of(unpacked.who, unpacked.event) == [line(point)]


def test_other_kinds_have_no_points() -> None:
    assert points(inbound(CAMERA, observation(), 1)) == []


def test_receipts_are_ranges_by_agent_and_epoch() -> None:
    numbers = {(market("agent"), "e1"): [3, 1, 2, 7, 7], (market("agent"), "e2"): [1]}
    one, two = receipts(numbers, NOON)
    assert one.topic == two.topic == "fs/v1/440703/market1/agent/receipts"
    assert decode(one.payload).data == Receipt("e1", [(1, 3), (7, 7)])
    assert decode(two.payload).data == Receipt("e2", [(1, 1)])


def test_inbox_batches_by_size_and_age() -> None:
    dropped: list[int] = []
    inbox = Inbox(3, lambda: dropped.append(1))
    assert inbox.take(10, 0.01, 0.01) == []
    inbox.put([Inbound("t", bytes([number]), NOON) for number in range(5)])
    assert [message.payload for message in inbox.take(3, 1, 1)] == [b"\x00", b"\x01", b"\x02"]
    inbox.put([Inbound("t", b"\x05", NOON)])
    assert [message.payload for message in inbox.take(3, 0.01, 1)] == [b"\x03", b"\x04", b"\x05"]
    inbox.put([Inbound("t", b"", NOON, qos=0)] * 2)
    inbox.put([Inbound("t", b"", NOON, qos=qos) for qos in (0, 0, 1)])
    assert len(dropped) == 1 and len(inbox) == 4


def test_inbox_closes_a_batch_of_large_messages() -> None:
    inbox = Inbox(3, lambda: None)
    inbox.put([Inbound("t", bytes(300_000), NOON)] * 10)
    assert inbox.full()
    assert [len(inbox.take(100, 0.01, 0.01)) for _ in range(3)] == [7, 3, 0]
    assert not inbox.full()
    inbox = Inbox(100, lambda: None)
    inbox.put([Inbound("t", bytes(1_000_000), NOON)] * 16)
    assert inbox.full()
    inbox.take(1, 0.01, 0.01)
    assert not inbox.full()


def test_pauses_double_up_to_their_bound() -> None:
    made = list(itertools.islice(pauses(1.0), 10))
    assert made[0] < 0.14 and all(pause_s <= 1.3 for pause_s in made)
    assert all(pause_s >= 0.7 for pause_s in made[5:])


def test_http_says_health_and_figures() -> None:
    health, metrics = Health(), Metrics()
    server = HttpServer("127.0.0.1", 0, health, metrics)
    server.start()
    base = f"http://127.0.0.1:{server.port}"
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=5) as answer:
            assert json.load(answer) == {"status": "ok", "reasons": {}}
        assert health.trouble("series", "away") and not health.trouble("series", "still away")
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{base}/healthz", timeout=5)
        with error.value as answer:
            assert answer.code == 503
            assert json.load(answer) == {"status": "degraded", "reasons": {"series": "still away"}}
        metrics.dead_letters.labels("forged").inc()
        with urllib.request.urlopen(f"{base}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        assert 'foodsentry_gateway_dead_letters_total{reason="forged"} 1.0' in text
        assert "foodsentry_gateway_alert_latency_seconds" in text
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{base}/else", timeout=5)
        error.value.close()
        assert error.value.code == 404
        with pytest.raises(SettingsError, match=f"http: cannot listen on 127.0.0.1:{server.port}"):
            HttpServer("127.0.0.1", server.port, health, metrics).start()
    finally:
        server.stop()
