"""Long spans from kept means and values: the sans-IO core, and a real InfluxDB."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeseries import means
from timeseries.influx import InfluxStore
from timeseries.means import Part, Parts
from timeseries.port import Point, from_ns, to_ns
from timeseries.schema import MEANS_EVERY_S

S = 10**9
ROW = MEANS_EVERY_S * S


def grouped(values: dict[int, float], every_ns: int, start_ns: int, end_ns: int) -> Parts:
    held = defaultdict(list)
    for at_ns, value in values.items():
        if start_ns <= at_ns < end_ns:
            held[at_ns // every_ns * every_ns].append(value)
    return {at_ns: Part(sum(one), len(one)) for at_ns, one in held.items()}


@given(
    values=st.dictionaries(st.integers(0, 30 * ROW), st.integers(-50, 50).map(float), max_size=60),
    kept=st.sets(st.integers(0, 29)),
    span=st.tuples(st.integers(0, 30 * ROW), st.integers(0, 30 * ROW)).map(sorted),
    rows=st.integers(1, 5),
)
def test_the_mean_is_the_values_own_whichever_means_are_there(
    values: dict[int, float], kept: set[int], span: list[int], rows: int
) -> None:
    """Any rows of means may be missing: as long as the values are there, nothing else is told."""
    start_ns, end_ns = span
    every_ns = rows * ROW

    def ask_means(first: int, last: int) -> Parts:
        assert first % ROW == last % ROW == 0 and start_ns <= first and last <= end_ns
        parts: Parts = {}
        for at_ns, part in grouped(values, ROW, first, last).items():
            if at_ns // ROW in kept:
                bucket = at_ns // every_ns * every_ns
                old = parts.get(bucket, Part(0, 0))
                parts[bucket] = Part(old.total + part.total, old.count + part.count, old.rows + 1)
        return parts

    def ask_values(first: int, last: int) -> Parts:
        assert start_ns <= first < last <= end_ns
        return grouped(values, every_ns, first, last)

    told = means.combined(start_ns, end_ns, rows * MEANS_EVERY_S, ask_means, ask_values)
    wanted = grouped(values, every_ns, start_ns, end_ns)
    assert [(to_ns(sample.at), sample.value) for sample in told] == [
        (at_ns, part.total / part.count) for at_ns, part in sorted(wanted.items())
    ]


def test_what_outlived_the_values_is_told_by_the_means() -> None:
    def ask_means(first: int, last: int) -> Parts:
        return {0: Part(20.0, 10, 2), 2 * ROW: Part(3.0, 1, 1)}

    def ask_values(first: int, last: int) -> Parts:
        assert (first, last) == (2 * ROW, 6 * ROW)  # what the means have whole is not read again
        return {4 * ROW: Part(8.0, 2)}

    told = means.combined(0, 6 * ROW, 2 * MEANS_EVERY_S, ask_means, ask_values)
    assert [sample.value for sample in told] == [2.0, 3.0, 4.0]
    assert told[2].at == from_ns(4 * ROW)


@pytest.mark.parametrize(
    ("measurement", "every_s", "serves"),
    [
        ("readings", 600, True),
        ("readings", 1800.0, True),
        ("readings", 700, False),
        ("readings", None, False),
        ("tests", 600, False),
    ],
)
def test_only_whole_means_serve(measurement: str, every_s: float | None, serves: bool) -> None:
    assert means.serves(measurement, "value", every_s) is serves


@pytest.mark.real
def test_without_any_setup_long_spans_are_read_all_the_same(
    influx_store: InfluxStore, influxql: Callable[[str], str]
) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    tags = {"region": "440703", "device": "探头 1"}
    influx_store.write(
        [
            Point("readings", tags, {"value": float(n)}, to_ns(at) + n * 60 * S)
            for n in range(3 * 1440)
        ]
    )
    read = influx_store.samples("readings", "value", tags, at, at + timedelta(days=3), 3600)
    assert [sample.value for sample in read] == [29.5 + 60 * n for n in range(72)]
    assert read[1].at == at + timedelta(hours=1)
