"""The InfluxDB door on a real InfluxDB 1.x: errors taken apart, sign-in, a server gone and slow."""

import secrets
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx_door import influx_door
from servers import Influx, ask, free_port

from timeseries.influx import InfluxStore
from timeseries.names import (
    EARLIEST_NS,
    EXACT,
    LATEST_NS,
    plain_measurement,
    plain_tags,
    plain_text,
)
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected, Value, to_ns

pytestmark = pytest.mark.real

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def point(n: int, value: Value = 1.5, measurement: str = "m") -> Point:
    return Point(measurement, {"device": "p"}, {"value": value}, to_ns(AT) + n * 1_000_000)


@pytest.mark.parametrize("bad", [[0], [7], [19], [0, 19], [3, 4, 5], list(range(1, 20, 2))])
@pytest.mark.parametrize("gzip", [True, False])
def test_a_type_conflict_costs_only_the_points_that_have_it(
    influx: Influx, database: str, bad: list[int], gzip: bool
) -> None:
    store = influx_door(api="v1", url=influx.url, database=database, gzip=gzip)
    store.write([point(100)])
    points = [point(n, "x" if n in bad else n + 0.5) for n in range(20)]
    with pytest.raises(SeriesRejected) as rejected:
        store.write(points)
    assert [index for index, _ in rejected.value.rejected] == bad
    assert all("field type conflict" in reason for _, reason in rejected.value.rejected)
    read = store.samples("m", "value", {}, AT, LATER)
    assert [s.value for s in read] == [n + 0.5 for n in range(20) if n not in bad] + [1.5]
    store.close()


def test_whole_and_broken_numbers_never_conflict(influx_store: InfluxStore) -> None:
    influx_store.write([point(1, 3), point(2, 3.5), point(3, -(2**53)), point(4, 0)])
    read = [sample.value for sample in influx_store.samples("m", "value", {}, AT, LATER)]
    assert read == [3, 3.5, -(2**53), 0]


def test_a_batch_that_is_bad_throughout_is_told_by_one_answer(influx_store: InfluxStore) -> None:
    influx_store.write([point(100)])
    with pytest.raises(SeriesRejected) as rejected:
        influx_store.write([point(n, "x") for n in range(5000)])
    assert [index for index, _ in rejected.value.rejected] == list(range(5000))


def test_faults_that_we_find_and_those_the_server_finds_are_told_together(
    influx_store: InfluxStore,
) -> None:
    influx_store.write([point(100)])
    points = [point(0, "x"), point(1), point(2, float("nan")), point(3), point(4, True)]
    with pytest.raises(SeriesRejected) as rejected:
        influx_store.write(points)
    assert [index for index, _ in rejected.value.rejected] == [0, 2, 4]
    assert len(influx_store.samples("m", "value", {}, AT, LATER)) == 3


def test_a_tag_that_is_too_long_costs_one_point(influx_store: InfluxStore) -> None:
    long = Point("m", {"t": "长" * 30_000}, {"value": 1.0}, to_ns(AT))
    with pytest.raises(SeriesRejected, match=r"point 1: .*max key length") as rejected:
        influx_store.write([point(0), long, point(1)])
    assert len(rejected.value.rejected) == 1
    assert len(influx_store.samples("m", "value", {}, AT, LATER)) == 2


def test_what_the_retention_policy_does_not_reach_is_rejected(
    influx_store: InfluxStore, influxql: Callable[[str], str], database: str
) -> None:
    influxql(f'CREATE RETENTION POLICY short ON "{database}" DURATION 1h REPLICATION 1 DEFAULT')
    now_ns = to_ns(datetime.now(UTC))
    old = Point("m", {}, {"value": 1.0}, now_ns - 7200 * 10**9)
    with pytest.raises(SeriesRejected, match="points beyond retention policy"):
        influx_store.write([old, Point("m", {}, {"value": 2.0}, now_ns)])
    latest = influx_store.latest("m", "value", {})
    assert latest is not None and latest.value == 2.0


# Characters that names and values meet in the field, and those that could end one.
letters = st.sampled_from(
    [*"abAZ09_-.:/,= \"'\\{}[]();$%#\t\n\r\0\x7f", *"温度℃菜，。·𨋢\u200b\u00a0\ufeff"]
)
words = st.text(letters, max_size=12) | st.text(max_size=6).filter(str.isprintable)
names = words.filter(lambda text: text not in ("", "time"))
values = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-EXACT, EXACT)
    | st.booleans()
    | words
)


@given(data=st.data(), at_ns=st.integers(EARLIEST_NS + 10**13, LATEST_NS - 10**13))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_written_is_read_back(
    influx_store: InfluxStore, influxql: Callable[[str], str], data: st.DataObject, at_ns: int
) -> None:
    tags = data.draw(st.dictionaries(names, words, max_size=3))
    fields = data.draw(st.dictionaries(names, values, min_size=1, max_size=3))
    plain = {plain_text(name) for name in (*tags, *fields)}
    if len(plain) < len(tags) + len(fields):  # a tag and a field, or two lookalikes, of one name
        return
    measurement = data.draw(names) + secrets.token_hex(6)
    made = Point(measurement, tags, fields, at_ns)
    try:
        influx_store.write([made])
    except SeriesRejected as error:
        raise AssertionError(f"{made} {error}") from None
    body = influxql(f"SELECT * FROM {_quoted(plain_measurement(measurement))} GROUP BY *")
    (series,) = msgspec.json.decode(body)["results"][0]["series"]
    assert series["name"] == plain_measurement(measurement)
    assert series.get("tags", {}) == dict(plain_tags(tags))
    (row,) = series["values"]
    told = dict(zip(series["columns"], row, strict=True))
    assert told.pop("time") == at_ns
    assert told.keys() == {plain_text(name) for name in fields}
    for name, value in fields.items():
        assert _as(value, told[plain_text(name)]) == value
    for name, value in fields.items():
        sample = influx_store.latest(measurement, name, tags)
        assert sample is not None and _as(value, sample.value) == value


def _as(like: Value, told: Value) -> Value:
    """InfluxDB writes a whole float as JSON without a point: an integer for every reader."""
    return float(told) if isinstance(like, float) else told


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_sign_in(tmp_path: Path) -> None:
    with Influx(tmp_path, user="yes") as server:
        ask(server.url, "CREATE USER admin WITH PASSWORD 'p:w d' WITH ALL PRIVILEGES")
        ask(server.url, "CREATE DATABASE d", u="admin", p="p:w d")

        def store(username: str, token: str) -> InfluxStore:
            return influx_door(
                api="v1", url=server.url, database="d", username=username, token=token
            )

        good = store("admin", "p:w d")
        good.write([point(1)])
        assert good.latest("m", "value", {}) is not None
        good.close()
        for username, token in (("admin", "wrong"), ("", "")):
            refused = store(username, token)
            with pytest.raises(SeriesDown, match="HTTP 401") as error:
                refused.write([point(1)])
            assert token == "" or token not in str(error.value)
            with pytest.raises(SeriesDown, match="HTTP 401"):
                refused.latest("m", "value", {})
            refused.close()


def test_a_database_that_does_not_exist(influx: Influx) -> None:
    store = influx_door(api="v1", url=influx.url, database="nothing")
    with pytest.raises(SeriesDown, match='HTTP 404: database not found: "nothing"'):
        store.write([point(1)])
    with pytest.raises(SeriesDown, match="database not found: nothing"):
        store.latest("m", "value", {})
    store.close()


def _wait_until_stopped(server: Influx) -> None:
    assert server.process is not None
    tasks = Path(f"/proc/{server.process.pid}/task")
    until = time.monotonic() + 10
    while not all(" T " in (task / "stat").read_text("utf-8") for task in tasks.iterdir()):
        assert time.monotonic() < until


def test_gone_slow_and_back(tmp_path: Path) -> None:
    with Influx(tmp_path) as server:
        ask(server.url, "CREATE DATABASE d")
        store = influx_door(api="v1", url=server.url, database="d", timeout_s=0.4)
        store.write([point(1)])
        server.signal(signal.SIGSTOP)
        _wait_until_stopped(server)
        with pytest.raises(SeriesDown, match="timed out"):
            store.write([point(2)])
        with pytest.raises(SeriesDown, match="timed out"):
            store.latest("m", "value", {})
        server.signal(signal.SIGCONT)
        store.write([point(2)])
        server.kill()
        with pytest.raises(SeriesDown, match=f"http://127.0.0.1:{server.port}"):
            store.write([point(3)])
        with pytest.raises(SeriesDown):
            store.samples("m", "value", {}, AT, LATER)
        server.start()
        store.write([point(3)])
        assert len(store.samples("m", "value", {}, AT, LATER)) == 3
        store.close()


def test_full_is_down_and_not_a_fault_of_the_points(tmp_path: Path) -> None:
    class Small(Influx):
        def command(self) -> list[str]:
            command = super().command()
            conf = self.folder / "influxdb.conf"
            text = conf.read_text("utf-8").replace("[data]", "[data]\nmax-series-per-database = 3")
            conf.write_text(text, "utf-8")
            return command

    with Small(tmp_path) as server:
        ask(server.url, "CREATE DATABASE d")
        store = influx_door(api="v1", url=server.url, database="d")
        with pytest.raises(SeriesDown, match="max-series-per-database"):
            store.write([point(n, 1.5, f"m{n}") for n in range(5)])
        store.write([point(9, 2.5, "m0")])
        assert store.latest("m0", "value", {}) == Sample(AT + timedelta(milliseconds=9), 2.5)
        store.close()


def test_nobody_there_and_somebody_else_there() -> None:
    store = influx_door(api="v2", url=f"http://127.0.0.1:{free_port()}", database="d", bucket="b")
    with pytest.raises(SeriesDown):
        store.write([point(1)])
    store.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = influx_door(api="v2", url=url, database="d", bucket="b", timeout_s=0.2)
        with pytest.raises(SeriesDown, match="timed out"):
            store.write([point(1)])
        store.close()
