"""The VictoriaMetrics door on a real one: written, read back, what it would drop is refused."""

import secrets
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx_door import influx_door
from servers import VictoriaMetrics

from timeseries import refusals
from timeseries.influx_client import InfluxClient
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected, to_ns
from timeseries.victoria import VictoriaStore

pytestmark = pytest.mark.real

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
START = NOW - timedelta(days=90)


def flush(server: VictoriaMetrics) -> None:
    """What was written is shown to readers only after a second, or now."""
    urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=10).close()


def fresh() -> str:
    return f"readings{secrets.token_hex(4)}"


@pytest.mark.parametrize("gzip", [True, False])
def test_written_is_read_back(victoria: VictoriaMetrics, gzip: bool) -> None:
    store = VictoriaStore(InfluxClient(victoria.url, gzip=gzip))
    name = fresh()
    tags = {"region": "440705", "device": "探头 1,=\"'", "探 头": "温\\度", "empty": ""}
    points = [
        Point(name, tags, {"value": n / 2}, to_ns(START + timedelta(minutes=n))) for n in range(300)
    ]
    store.write(points)
    store.write(points[:50])
    store.write([Point(name, tags | {"device": "b"}, {"value": 8}, to_ns(START))])
    flush(victoria)
    end = START + timedelta(minutes=240)
    read = store.samples(name, "value", tags, START, end)
    assert read == [Sample(START + timedelta(minutes=n), n / 2) for n in range(240)]
    every = store.samples(name, "value", tags, START + timedelta(minutes=30), NOW, 3600)
    first_hour = [n / 2 for n in range(30, 300) if (START.minute + n) < 60]
    if first_hour:
        assert every[0].value == sum(first_hour) / len(first_hour)
    assert all(sample.at.minute == 0 for sample in every)
    assert len(store.samples(name, "value", {"region": "440705"}, START, NOW)) == 301
    assert store.samples(name, "value", {"探 头": "另"}, START, NOW) == []
    assert store.latest(name, "value", tags) == Sample(START + timedelta(minutes=299), 149.5)
    assert store.latest(name, "value", {"device": "b"}) == Sample(START, 8.0)
    assert store.latest(name, "nothing", tags) is None
    store.close()


def test_yes_and_no_come_back_as_such(
    victoria: VictoriaMetrics, victoria_store: VictoriaStore
) -> None:
    tags = {"device": secrets.token_hex(4)}
    for n, positive in enumerate((True, False)):
        fields = {"positive": positive, "number": 49.99}
        victoria_store.write([Point("tests", tags, fields, to_ns(NOW) + n * 10**6)])
    flush(victoria)
    later = NOW + timedelta(minutes=1)
    assert [s.value for s in victoria_store.samples("tests", "positive", tags, NOW, later)] == [
        True,
        False,
    ]
    last = victoria_store.latest("tests", "number", tags)
    assert last == Sample(NOW + timedelta(milliseconds=1), 49.99)


def test_what_it_would_drop_in_silence_is_refused(tmp_path: object) -> None:
    class Short(VictoriaMetrics):
        def command(self) -> list[str]:
            command = super().command()
            return [part for part in command if "retention" not in part] + ["-retentionPeriod=10d"]

    with Short(tmp_path) as server:  # type: ignore[arg-type]
        store = VictoriaStore(InfluxClient(server.url))
        name, now = fresh(), datetime.now(UTC)
        points = [
            Point(name, {}, {"value": 1.0}, to_ns(now - timedelta(days=9.9))),
            Point(name, {}, {"value": 2.0}, to_ns(now - timedelta(days=11))),
            Point(name, {}, {"value": 3.0}, to_ns(now + timedelta(days=1.9))),
            Point(name, {}, {"value": 4.0}, to_ns(now + timedelta(days=3))),
            Point(name, {}, {"value": "text"}, to_ns(now)),
            Point(name, {}, {"value": float("inf")}, to_ns(now)),
            Point(name, {"__name__": "x"}, {"value": 5.0}, to_ns(now)),
            Point(name, {}, {"value": 6.0}, to_ns(now)),
        ]
        with pytest.raises(SeriesRejected) as rejected:
            store.write(points)
        told = dict(rejected.value.rejected)
        assert [*told] == [1, 3, 4, 5, 6]
        assert [refusals.why(reason) for reason in told.values()] == [
            "too_old", "too_new", "fault", "fault", "fault",
        ]  # fmt: skip
        flush(server)
        read = store.samples(name, "value", {}, now - timedelta(20), now + timedelta(20))
        assert [sample.value for sample in read] == [1.0, 6.0, 3.0]
        store.close()


letters = st.sampled_from([*"aZ09_-:/,= \"'\\{}[]();$%#\t\n\r~", *"温度℃，·𨋢＼␛"])
words = st.text(letters, min_size=1, max_size=10)


@given(st.dictionaries(words, words, max_size=3), words, st.floats(-1e300, 1e300))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_names_are_read_back(
    victoria: VictoriaMetrics,
    victoria_store: VictoriaStore,
    tags: dict[str, str],
    field: str,
    value: float,
) -> None:
    name = fresh()
    if field in tags:
        return
    try:
        victoria_store.write([Point(name, tags, {field: value}, to_ns(NOW))])
    except SeriesRejected:
        assert '"' in field
        return
    flush(victoria)
    read = victoria_store.samples(name, field, tags, NOW, NOW + timedelta(minutes=1))
    assert [sample.at for sample in read] == [NOW]
    # It keeps twelve digits or so of very large numbers: documented as "up to 15 decimal digits".
    assert read[0].value == pytest.approx(value, rel=1e-12)
    assert victoria_store.latest(name, field, tags) == read[0]


def test_v2_writes_reach_it_too(victoria: VictoriaMetrics, victoria_store: VictoriaStore) -> None:
    store = influx_door(api="v2", url=victoria.url, database="b", org="o", token="t")
    name = fresh()
    store.write([Point(name, {"device": "d"}, {"value": 2}, to_ns(NOW))])
    store.close()
    flush(victoria)
    assert victoria_store.latest(name, "value", {}) == Sample(NOW, 2.0)


def test_gone(tmp_path: object) -> None:
    with VictoriaMetrics(tmp_path) as server:  # type: ignore[arg-type]
        store = VictoriaStore(InfluxClient(server.url))
        store.write([Point("m", {}, {"value": 2}, time.time_ns())])
        server.kill()
        with pytest.raises(SeriesDown, match=r"\(v2\)"):
            store.write([Point("m", {}, {"value": 2}, time.time_ns())])
        with pytest.raises(SeriesDown, match=r"\(victoria\)"):
            store.latest("m", "value", {})
        store.close()
