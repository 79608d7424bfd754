"""What every store of series does, on the SQLite door and on a real InfluxDB."""

from datetime import UTC, datetime, timedelta

import pytest

from timeseries.port import Point, Sample, SeriesRejected, SeriesStore, Value, to_ns

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
PROBE = {"region": "440705", "site": "xh-canteen-1", "device": "probe-1", "metric": "温度"}
LATER = AT + timedelta(days=400)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def point(seconds: float, value: Value = 1.5, field: str = "value", **tags: str) -> Point:
    return Point("readings", PROBE | tags, {field: value}, to_ns(at(seconds)))


def test_what_was_written_is_read_by_time(store: SeriesStore) -> None:
    store.write([point(20, 2.5), point(10, 1.5), point(30, 3.0)])
    read = store.samples("readings", "value", PROBE, at(10), at(30))
    assert read == [Sample(at(10), 1.5), Sample(at(20), 2.5)]
    assert store.latest("readings", "value", PROBE) == Sample(at(30), 3.0)
    assert store.samples("readings", "value", PROBE, at(31), LATER) == []
    store.write([])


def test_what_is_not_there_is_no_error(store: SeriesStore) -> None:
    assert store.samples("readings", "value", PROBE, AT, LATER) == []
    assert store.latest("readings", "value", {}) is None
    store.write([point(1)])
    assert store.latest("readings", "nothing", PROBE) is None
    assert store.latest("nothing", "value", PROBE) is None
    assert store.latest("readings", "value", {"device": "nobody"}) is None


def test_writing_again_changes_nothing_and_a_new_value_replaces(store: SeriesStore) -> None:
    points = [point(n, n / 2) for n in range(50)]
    store.write(points)
    store.write(points[::-1])
    assert len(store.samples("readings", "value", PROBE, AT, LATER)) == 50
    store.write([point(7, 99.0), point(7, 77.0)])
    assert store.samples("readings", "value", PROBE, at(7), at(8)) == [Sample(at(7), 77.0)]


def test_every_kind_of_value(store: SeriesStore) -> None:
    values: dict[str, Value] = {
        "f": -1.25,
        "i": 2**53,
        "t": True,
        "n": False,
        "s": '"引号" \\ 换行\n,= ',
    }
    store.write([Point("kinds", PROBE, values, to_ns(AT))])
    for field, value in values.items():
        sample = store.latest("kinds", field, PROBE)
        assert sample is not None
        assert sample.value == value and isinstance(sample.value, type(value))


def test_a_field_added_later_joins_the_point(store: SeriesStore) -> None:
    store.write([point(1, 1.5)])
    store.write([point(1, 4, field="count")])
    assert store.latest("readings", "value", PROBE) == Sample(at(1), 1.5)
    assert store.latest("readings", "count", PROBE) == Sample(at(1), 4)


def test_tags_choose_series(store: SeriesStore) -> None:
    store.write(
        [point(1, 1.0, device="a"), point(2, 2.0, device="b"), point(3, 3.0, metric="湿度")]
    )
    assert [s.value for s in store.samples("readings", "value", {"metric": "温度"}, AT, LATER)] == [
        1.0,
        2.0,
    ]
    assert len(store.samples("readings", "value", {}, AT, LATER)) == 3
    assert store.latest("readings", "value", {"device": "a"}) == Sample(at(1), 1.0)
    assert store.latest("readings", "value", {"site": PROBE["site"]}) == Sample(at(3), 3.0)
    # An empty tag is no tag, when writing and when asking.
    store.write([point(4, 4.0, device="a", lot="")])
    assert store.latest("readings", "value", {"device": "a", "lot": ""}) == Sample(at(4), 4.0)


def test_buckets_hold_means_and_stand_on_the_epoch(store: SeriesStore) -> None:
    store.write([point(n, float(n)) for n in (0, 59, 60, 119, 300)])
    read = store.samples("readings", "value", PROBE, AT, at(301), every_s=60)
    assert read == [Sample(at(0), 29.5), Sample(at(60), 89.5), Sample(at(300), 300.0)]
    # A span that begins within a bucket: the bucket keeps its place, with what lies in the span.
    read = store.samples("readings", "value", PROBE, at(30), at(301), every_s=3600)
    assert read == [Sample(at(-1800), 134.5)]
    assert store.samples("readings", "value", PROBE, at(50), at(70), every_s=0.5) == [
        Sample(at(59), 59.0),
        Sample(at(60), 60.0),
    ]
    with pytest.raises(ValueError, match="not positive"):
        store.samples("readings", "value", PROBE, AT, LATER, every_s=0)


def test_times_before_1970_and_whole_numbers(store: SeriesStore) -> None:
    early = datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC)
    store.write([Point("old", {}, {"count": n}, to_ns(early) + n) for n in range(2)])
    read = store.samples("old", "count", {}, early - timedelta(1), early + timedelta(1), 60)
    assert read == [Sample(early - timedelta(seconds=30), 0.5)]


def test_bad_points_are_named_and_the_rest_is_stored(store: SeriesStore) -> None:
    points = [point(n) for n in range(20)]
    points[3] = point(3, float("nan"))
    points[11] = Point("", {}, {"value": 1.0}, 0)
    points[19] = Point("readings", PROBE, {}, 0)
    with pytest.raises(SeriesRejected, match="3 points rejected; point 3: field value: nan") as bad:
        store.write(points)
    assert [index for index, _ in bad.value.rejected] == [3, 11, 19]
    assert bad.value.rejected[2][1] == "no fields"
    assert len(store.samples("readings", "value", PROBE, AT, LATER)) == 17


HOSTILE = [
    "' OR 1=1 --",
    '" ; DROP MEASUREMENT readings --',
    "\\' OR ''='",
    "\\",
    "a\\",
    "a\\' ; DROP MEASUREMENT readings --",
    "x\n; DROP MEASUREMENT readings",
    "%' OR '1'='1",
    "/.*/",
    ")",
    "蓬江 区,=\"'",
    " ",
    "𨋢\u200b\u00a0",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_or_value_becomes_a_command(store: SeriesStore, text: str) -> None:
    store.write([point(1, 1.0, device="other"), point(2, 2.0, device=text)])
    named = {f"t{text}": text}
    store.write([Point(text, named, {text: 3.0}, to_ns(at(3)))])
    assert store.samples("readings", "value", {"device": text}, AT, LATER) == [Sample(at(2), 2.0)]
    assert store.latest("readings", "value", {"device": text}) == Sample(at(2), 2.0)
    assert store.samples(text, text, named, AT, LATER) == [Sample(at(3), 3.0)]
    assert len(store.samples("readings", "value", {}, AT, LATER)) == 2


def test_more_than_ten_thousand(store: SeriesStore) -> None:
    store.write([point(n / 1000, float(n)) for n in range(12_000)])
    read = store.samples("readings", "value", PROBE, AT, LATER)
    assert [sample.value for sample in read] == [float(n) for n in range(12_000)]
    assert store.samples("readings", "value", PROBE, AT, LATER, every_s=86400)[0].value == 5999.5
