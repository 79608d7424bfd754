"""On a real InfluxDB: whatever a batch holds, each point is stored as given or named, none else."""

import json
import secrets
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx_door import influx_door
from servers import Influx, ask

from timeseries.influx import InfluxStore
from timeseries.names import plain_tags
from timeseries.port import Point, SeriesRejected, Value
from timeseries.refusals import why

pytestmark = pytest.mark.real

S = 10**9
letters = st.sampled_from([*"ab ,=\\\"'#\n\r\t{}", *"温℃，＼␛"])
words = st.text(letters, min_size=1, max_size=8)
tags = st.dictionaries(words.filter(lambda name: name not in ("time", "value")), words, max_size=2)
good: st.SearchStrategy[Value] = st.floats(-1e300, 1e300) | st.integers(-(2**53), 2**53)
KINDS = ("good", "text", "too_old", "nan", "too_long", "nameless")


@pytest.fixture(scope="module")
def door(influx: Influx) -> Iterator[InfluxStore]:
    ask(influx.url, 'CREATE DATABASE "any" WITH DURATION 100d NAME "kept"')
    store = influx_door(api="v1", url=influx.url, database="any")
    yield store
    store.close()


@given(st.lists(st.tuples(st.sampled_from(KINDS), tags, good), min_size=1, max_size=40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_bad_points_are_lost(
    influx: Influx, door: InfluxStore, drawn: list[tuple[str, dict[str, str], Value]]
) -> None:
    measurement = f"m{secrets.token_hex(6)}"
    now_ns = time.time_ns() // S * S
    door.write([Point(measurement, {"first": "1"}, {"value": 0.5}, now_ns)])
    points = []
    for n, (kind, named, number) in enumerate(drawn, 1):
        value: Value = {"text": "x", "nan": float("nan")}.get(kind, number)
        at_ns = now_ns - n * S - (200 * 86400 * S if kind == "too_old" else 0)
        more = {"long": "长" * 30_000} if kind == "too_long" else {}
        name = "" if kind == "nameless" else measurement
        points.append(Point(name, named | more, {"value": value}, at_ns))
    lost: dict[int, str] = {}
    try:
        door.write(points)
    except SeriesRejected as error:
        lost = dict(error.rejected)
    assert [n for n, (kind, _, _) in enumerate(drawn) if kind != "good"] == [*lost]
    whys = {"text": "type", "too_old": "too_old"}
    for n, reason in lost.items():
        assert why(reason) == whys.get(drawn[n][0], "fault"), reason
    body = ask(influx.url, f'SELECT "value" FROM "{measurement}" GROUP BY *', db="any", epoch="ns")
    read = {
        table["values"][0][0]: (dict(table.get("tags", {})), table["values"])
        for table in json.loads(body)["results"][0]["series"]
        for table in [{**table, "values": [row]} for row in table["values"]]
    }
    assert len(read) == 1 + len(points) - len(lost)
    for n, point in enumerate(points):
        if n not in lost:
            told, ((_, value),) = read[point.at_ns]
            assert {name: text for name, text in told.items() if text} == dict(
                plain_tags(point.tags)
            )
            assert float(value) == float(point.fields["value"])
