"""From events to time-series points: measurements, tags and times that never collide.

* ``readings``: tags region, site, device, metric; field value; time of measurement.
* ``tests``: tags region, site, device, item; fields number (where there is one) and positive; time
  of capture in microseconds, with sequence % 1000 as nanoseconds, so that two results of one moment
  stay two points.

The same event always gives the same points: writing it twice is writing it once.
"""

from contracts.events import Readings, TestResult
from contracts.words import Verdict
from gateway.unpack import Accepted
from timeseries.port import Point, Value, to_ns


def has_points(accepted: Accepted) -> bool:
    """Whether the event's kind has a series."""
    return isinstance(accepted.event.data, Readings | TestResult)


def points_of(accepted: Accepted) -> list[Point]:
    """The points of one event; none for kinds that have no series."""
    data, who = accepted.event.data, accepted.who
    tags = {"region": who.region, "site": who.site, "device": who.device}
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
        sequence = accepted.event.envelope.sequence
        at_ns = to_ns(data.captured_at) + sequence % 1000
        return [Point("tests", {**tags, "item": data.item_code or data.item}, fields, at_ns)]
    return []
