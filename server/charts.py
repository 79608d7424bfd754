"""What the charts of an establishment's file draw: temperatures with their limit, inhibition.

A stretch without readings stays a gap: a line across it would claim what nobody measured.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.words import Verdict
from ledger.devices import Device
from ledger.results import ResultRow
from server import crossings
from server.formats import local
from server.languages import Words
from server.limit_lines import LimitLines
from timeseries.port import Sample, SeriesStore
from timeseries.schema import MEANS_EVERY_S

METRIC = "temperature"
POINTS = 360
"""A line has at most about so many points."""
GAP_BUCKETS = 3
SHORTEST = timedelta(minutes=5)
"""A chart shows at least this long, however young the probe is."""
INHIBITION = "pesticide_inhibition"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def with_gaps(samples: Sequence[Sample], every_s: float) -> list[tuple[int, float | None]]:
    """Points (milliseconds, value), with an empty one wherever buckets are missing."""
    points: list[tuple[int, float | None]] = []
    before: datetime | None = None
    for sample in samples:
        if before is not None and (sample.at - before).total_seconds() > GAP_BUCKETS * every_s:
            points.append((_ms(before + timedelta(seconds=every_s)), None))
        points.append((_ms(sample.at), round(float(sample.value), 2)))
        before = sample.at
    return points


def temperatures(
    store: SeriesStore,
    probes: Sequence[Device],
    limits: LimitLines,
    words: Words,
    now: datetime,
    days: float,
) -> dict[str, Any]:
    """The lines of these probes over the last `days`. Raises SeriesDown."""
    longest = timedelta(days=days)
    start = now - min(longest, max(SHORTEST, now - _first(store, probes, now - longest, now)))
    every_s = _every_s((now - start).total_seconds())
    series: list[dict[str, Any]] = []
    for probe in probes:
        samples = store.samples("readings", "value", _tags(probe), start, now, every_s)
        limit = limits.of(probe.device, METRIC, local(now).date(), probe.name)
        crossed = crossings.look(store, [probe], limits, start, now).found
        series.append(
            {
                "name": probe.name or probe.device,
                "points": with_gaps(samples, every_s),
                "limit": limit and {"value": limit.limit, "label": limit.text},
                "crossings": [[_ms(one.began_at), _ms(one.ended_at)] for one in crossed],
            }
        )
    return {
        "kind": "readings",
        "unit": "°C",
        "days": days,
        "start": _ms(start),
        "end": _ms(now),
        "description": words("chart.temperature.say"),
        "filled": any(line["points"] for line in series),
        "series": series,
    }


def _every_s(span_s: float) -> float:
    """How long a point of the line is; long ones are such that the store's kept means serve."""
    every_s = max(10, round(span_s / POINTS / 10) * 10)
    if every_s >= MEANS_EVERY_S:
        every_s = -(-every_s // MEANS_EVERY_S) * MEANS_EVERY_S
    return float(every_s)


def _tags(probe: Device) -> dict[str, str]:
    return {
        "region": probe.region,
        "site": probe.site,
        "device": probe.device,
        "metric": METRIC,
    }


def _first(
    store: SeriesStore, probes: Sequence[Device], start: datetime, end: datetime
) -> datetime:
    """When the readings in a stretch of time begin: a young probe's chart has no empty day."""
    coarse_s = _every_s((end - start).total_seconds())
    first = end
    for probe in probes:
        samples = store.samples("readings", "value", _tags(probe), start, end, coarse_s)
        first = min([first, *(sample.at for sample in samples[:1])])
    return first


def inhibition(
    tests: Sequence[ResultRow], limits: LimitLines, words: Words, now: datetime, days: int
) -> dict[str, Any]:
    """The inhibition values of these results, grouped by verdict. Censored values are left out.

    The limit is only drawn here; the verdicts are the ledger's.
    """
    limit = limits.tests.find("", INHIBITION, local(now).date())
    at = limit.positive_at if limit else None
    grey = limit.suspect_from if limit else None
    groups: list[dict[str, Any]] = []
    for verdict in (Verdict.PASS, Verdict.SUSPECT, Verdict.POSITIVE, Verdict.INVALID, Verdict.NONE):
        points = [
            (_ms(test.captured_at), test.value_number, test.sample_name)
            for test in tests
            if test.verdict is verdict
            and test.item_code == INHIBITION
            and test.value_number is not None
        ]
        if points:
            name = words(f"verdict.{verdict.value}")
            groups.append({"verdict": verdict.value, "name": name, "points": points})
    return {
        "kind": "inhibition",
        "unit": "%",
        "days": days,
        "start": _ms(now - timedelta(days=days)),
        "end": _ms(now),
        "min": 0,
        "max": 100,
        "description": words("chart.inhibition.say"),
        "filled": bool(groups),
        "groups": groups,
        "limit": at and {"value": at, "label": f"{at:g} %"},
        "grey": at and grey and [grey, at],
    }
