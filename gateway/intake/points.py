"""From events to time-series points: measurements, tags and times that never collide.

* ``readings``: tags region, site, device, metric; field value; time of measurement.
* ``tests``: tags region, site, device, item; fields number (where there is one) and positive; time
  of capture in microseconds, with sequence % 1000 as nanoseconds, so that two results of one moment
  stay two points.

The same event always gives the same points: writing it twice is writing it once.
"""

from datetime import UTC, datetime
from functools import lru_cache

from contracts.envelope import Event
from contracts.events import Readings, TestResult
from contracts.topics import Identity
from contracts.words import Verdict
from gateway.unpack import Accepted
from timeseries.lines import line, line_start
from timeseries.names import fault
from timeseries.port import Point, Value, to_ns

METRICS = 200
"""Metrics of one device whose names are kept ready."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def has_points(accepted: Accepted) -> bool:
    """Whether the event's kind has a series."""
    return isinstance(accepted.event.data, Readings | TestResult)


def points_of(who: Identity, event: Event) -> list[Point]:
    """The points of one event; none for kinds that have no series."""
    data = event.data
    tags = _tags(who)
    if isinstance(data, Readings):
        return [
            Point(
                "readings",
                {**tags, "metric": reading.metric},
                {"value": float(reading.value)},
                to_ns(reading.measured_at),
            )
            for reading in data.readings
        ]
    if isinstance(data, TestResult):
        fields: dict[str, Value] = {"positive": data.verdict is Verdict.POSITIVE}
        if data.value.number is not None:
            fields["number"] = float(data.value.number)
        sequence = event.envelope.sequence
        at_ns = to_ns(data.captured_at) + sequence % 1000
        return [Point("tests", {**tags, "item": data.item_code or data.item}, fields, at_ns)]
    return []


def lines_of(who: Identity, event: Event) -> list[str] | None:
    """The same points as lines of line protocol; None if a store would have to be asked.

    This is the quick way: a line costs a third of a point.
    """
    data = event.data
    if not isinstance(data, Readings):
        points = points_of(who, event)
        return None if any(fault(point) for point in points) else [line(one) for one in points]
    starts = _starts(who)
    lines = []
    for reading in data.readings:
        start = starts.get(reading.metric) or _learn(starts, who, reading.metric)
        if start is None:
            return None
        since = reading.measured_at - _EPOCH
        at_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        lines.append(f"{start}{reading.value!r} {at_us * 1000}")
    return lines


@lru_cache(65_536)
def _starts(who: Identity) -> dict[str, str]:
    """How the lines of a device begin, by metric; filled as they come."""
    return {}


def _learn(starts: dict[str, str], who: Identity, metric: str) -> str | None:
    start = line_start("readings", _tags(who) | {"metric": metric}, "value")
    if start is not None:
        if len(starts) >= METRICS:
            starts.clear()
        starts[metric] = start
    return start


def _tags(who: Identity) -> dict[str, str]:
    return {"region": who.region, "site": who.site, "device": who.device}
