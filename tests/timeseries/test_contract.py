"""The v2 door against what InfluxDB 2.x and 3 Core are documented to answer (our own server)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx_contract import TOKEN, InfluxContract
from influx_door import influx_door

from timeseries import influx, refusals
from timeseries.influx import InfluxStore
from timeseries.lines import line
from timeseries.names import plain_tags
from timeseries.port import LineStore, Point, SeriesDown, SeriesRejected, Value, to_ns

NOW = datetime.now(UTC).replace(microsecond=0)


def store(server: InfluxContract, token: str = TOKEN, **others: object) -> InfluxStore:
    return influx_door(
        api="v2",
        url=server.url,
        database="b",
        bucket="b",
        org="city",
        token=token,
        **others,  # type: ignore[arg-type]
    )


def point(n: int, value: Value = 1.5, **tags: str) -> Point:
    return Point("m", {"device": "p"} | tags, {"value": value}, to_ns(NOW) + n)


@pytest.fixture(params=[2, 3])
def server(request: pytest.FixtureRequest) -> Iterator[InfluxContract]:
    with InfluxContract(request.param) as made:
        made.buckets["b"] = {"id": "b1", "name": "b"}
        yield made


def writes(server: InfluxContract) -> int:
    return sum("/api/v2/write" in where for _, where, _ in server.requests)


@pytest.mark.parametrize("gzip", [True, False])
def test_a_write_says_where_it_goes(server: InfluxContract, gzip: bool) -> None:
    door = store(server, gzip=gzip)
    door.write([point(n) for n in range(3)])
    door.close()
    assert len(server.points) == 3
    where = server.requests[0][1]
    assert "bucket=b" in where and "org=city" in where and "precision=ns" in where


def test_a_large_batch_goes_in_parts(
    server: InfluxContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "MOST_LINES", 40)
    door = store(server)
    points = [point(n, "x" if n in (3, 99) else 1.5) for n in range(100)]
    points[0] = point(0)
    with pytest.raises(SeriesRejected) as rejected:
        door.write(points)
    door.close()
    assert [index for index, _ in rejected.value.rejected] == [3, 99]
    assert len(server.points) == 98


def test_ready_lines_go_at_once_or_not(
    server: InfluxContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "MOST_BYTES", 400)
    door = store(server)
    points = [point(n) for n in range(50)]
    assert isinstance(door, LineStore)
    assert door.write_lines("\n".join(line(one) for one in points).encode())
    assert len(server.points) == 50 and writes(server) > 3
    assert not door.write_lines(f"{line(point(1))}\n{line(point(2, 'x'))}".encode())
    assert door.write_lines(b"")
    server.failing.append((503, {}, b""))
    with pytest.raises(SeriesDown):
        door.write_lines(line(point(1)).encode())
    door.close()


@pytest.mark.parametrize("bad", [{5}, set(range(3, 300)), set(range(1, 300, 2))])
def test_what_the_answer_tells_saves_requests(server: InfluxContract, bad: set[int]) -> None:
    door = store(server)
    with pytest.raises(SeriesRejected) as rejected:
        door.write([point(n, "text" if n in bad else 1.5) for n in range(300)])
    door.close()
    assert {index for index, _ in rejected.value.rejected} == bad
    assert all(refusals.why(reason) == "type" for _, reason in rejected.value.rejected)
    assert len(server.points) == 300 - len(bad)
    assert writes(server) <= 5


def test_too_old_is_told_with_three_requests() -> None:
    with InfluxContract(2, retention_s=3600) as server:
        server.buckets["b"] = {"id": "b1"}
        door = store(server)
        old = [point(-n * 10**9 - 7200 * 10**9) for n in range(500)]
        points = [
            one for pair in zip(old, [point(n) for n in range(500)], strict=True) for one in pair
        ]
        with pytest.raises(SeriesRejected) as rejected:
            door.write(points)
        door.close()
        assert [index for index, _ in rejected.value.rejected] == list(range(0, 1000, 2))
        assert {refusals.why(reason) for _, reason in rejected.value.rejected} == {"too_old"}
        assert writes(server) == 3


def test_a_line_that_breaks_the_server_does_not_hold_up_the_others(server: InfluxContract) -> None:
    server.poison = "killer"
    door = store(server)
    points = [point(n, device="killer" if n in (2, 7) else "d") for n in range(10)]
    with pytest.raises(SeriesRejected, match="HTTP 500 for this, while others") as rejected:
        door.write(points)
    assert [index for index, _ in rejected.value.rejected] == [2, 7]
    stored = [key for (key, _) in server.points if key[0] == "m"]
    assert len(stored) == 8
    with pytest.raises(SeriesRejected):  # alone, too
        door.write([point(1, device="killer")])
    server.poison = "e"  # in every line: the server is broken, not the points
    with pytest.raises(SeriesDown, match="HTTP 500"):
        door.write(points)
    door.close()


def test_a_server_that_asks_for_time(server: InfluxContract) -> None:
    for status, header, told in ((429, "7", 7.0), (503, "2", 2.0), (503, "soon", None)):
        server.failing.append((status, {"retry-after": header}, b'{"message":"too many requests"}'))
        door = store(server)
        with pytest.raises(SeriesDown, match=f"HTTP {status}: too many") as down:
            door.write([point(1)])
        assert down.value.retry_after_s == told
        door.write([point(1)])
        door.close()


def test_what_a_person_can_do_is_said(server: InfluxContract) -> None:
    door = store(server, "wrong")
    with pytest.raises(SeriesDown, match=r"HTTP 401: unauthorized access \(check series.token"):
        door.write([point(1)])
    door.close()
    later = store(server, "wrong", clock=lambda: datetime.now(UTC) + timedelta(hours=2))
    with pytest.raises(SeriesDown, match=r"clock is 7\d\d\d s ahead of the server's"):
        later.write([point(1)])
    later.close()
    door = store(server)
    if server.version == 2:
        server.buckets.clear()
        with pytest.raises(SeriesDown, match=r'bucket "b" not found \(`foodsentry gateway setup-'):
            door.write([point(1)])
    door.close()


def test_a_wrong_line_number_costs_no_good_point() -> None:
    """A server that counts lines otherwise is not believed: what it quotes must be our line."""
    with InfluxContract(3) as server:
        wrong = b'{"error":"partial write of line protocol occurred","data":[{"error_message":"no",'
        server.failing.append((400, {}, wrong + b'"line_number":1,"original_line":"other"}]}'))
        door = store(server)
        door.write([point(n) for n in range(4)])
        door.close()
        assert len(server.points) == 4


letters = st.sampled_from([*"ab ,=\\\"'#\n\r\t{}", *"温℃，＼␛"])
words = st.text(letters, min_size=1, max_size=8)
values: st.SearchStrategy[Value] = (
    st.floats(width=32) | st.integers(-(2**60), 2**60) | st.booleans() | words
)


@given(
    st.lists(st.tuples(st.dictionaries(words, words, max_size=2), values), max_size=30),
    st.sampled_from([2, 3]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_batch_loses_only_its_bad_points(
    drawn: list[tuple[dict[str, str], Value]], version: int
) -> None:
    """Whatever is in a batch: each point is stored as it was given, or named."""
    points = [Point("m", tags, {"value": value}, n) for n, (tags, value) in enumerate(drawn)]
    with InfluxContract(version) as server:
        server.buckets["b"] = {"id": "b1"}
        server.types["m", "value"] = "float"
        door = store(server)
        lost = set()
        try:
            door.write(points)
        except SeriesRejected as error:
            lost = {index for index, _ in error.rejected}
        door.close()
        read = {at_ns: (key, fields) for (key, at_ns), fields in server.points.items()}
    for n, one in enumerate(points):
        number = one.fields["value"]
        good = isinstance(number, float | int) and not isinstance(number, bool)
        good = good and abs(number) <= (2**53 if isinstance(number, int) else 1e300)
        assert (n in lost) == (not good or "time" in one.tags or "value" in one.tags)
        if n not in lost:
            key, fields = read.pop(n)
            assert key == ("m", plain_tags(one.tags))
            assert fields == {"value": number} and type(fields["value"]) is float
    assert not read
