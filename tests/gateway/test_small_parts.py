"""Tests of the small parts: points, receipts, inbox, back-off, health, HTTP."""

import itertools
import json
import urllib.error
import urllib.request

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

from contracts.envelope import decode
from contracts.events import Receipt
from contracts.settings import SettingsError
from contracts.words import Verdict
from gateway.backoff import pauses
from gateway.broker import Inbound
from gateway.health import Health
from gateway.http import HttpServer
from gateway.intake.inbox import Inbox
from gateway.intake.points import points_of
from gateway.metrics import Metrics
from gateway.receipts import receipts
from gateway.unpack import Accepted, Numbered, unpack
from timeseries.port import Point, to_ns


def points(message: Inbound) -> list[Point]:
    unpacked = unpack(message, registry())
    assert isinstance(unpacked, Accepted)
    return points_of(unpacked)


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


def test_other_kinds_have_no_points() -> None:
    assert points(inbound(CAMERA, observation(), 1)) == []


def test_receipts_are_ranges_by_agent_and_epoch() -> None:
    numbers = [Numbered(market("agent"), "e1", number) for number in (3, 1, 2, 7, 7)]
    numbers.append(Numbered(market("agent"), "e2", 1))
    one, two = receipts(numbers, NOON)
    assert one.topic == two.topic == "fs/v1/440703/market1/agent/receipts"
    assert decode(one.payload).data == Receipt("e1", [(1, 3), (7, 7)])
    assert decode(two.payload).data == Receipt("e2", [(1, 1)])


def test_inbox_batches_by_size_and_age() -> None:
    dropped: list[int] = []
    inbox = Inbox(3, lambda: dropped.append(1))
    assert inbox.take(10, 0.01, 0.01) == []
    for number in range(5):
        inbox.put(Inbound("t", bytes([number]), NOON))
    assert [message.payload for message in inbox.take(3, 1, 1)] == [b"\x00", b"\x01", b"\x02"]
    assert len(inbox.take(3, 0.01, 1)) == 2
    for _ in range(4):
        inbox.put(Inbound("t", b"", NOON, qos=0))
    assert len(dropped) == 1 and len(inbox) == 3


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
