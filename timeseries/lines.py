"""InfluxDB's line protocol: how points become lines.

Source of the rules: InfluxData's "Line protocol reference" (1.x and 2.x).
"""

from functools import lru_cache

from timeseries.names import KEPT, Series, fault, plain_text, series_of
from timeseries.port import Point, Value

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})


def line(point: Point) -> str:
    """One point as a line, without a line end. Only for points without `fault`."""
    fields = ",".join(f"{_field(name)}={_value(value)}" for name, value in point.fields.items())
    return f"{_start(series_of(point))} {fields} {point.at_ns}"


def line_start(measurement: str, tags: dict[str, str], field: str) -> str | None:
    """A line up to its only value, which is to be a finite float: ``readings,device=a value=``.

    None if no store could take such a series. With the value's `repr`, a space and the time in
    nanoseconds it is what `line` makes.
    """
    point = Point(measurement, tags, {field: 0.0}, 0)
    if fault(point):
        return None
    return f"{_start(series_of(point))} {_field(field)}="


@lru_cache(KEPT)
def _start(series: Series) -> str:
    tags = "".join(f",{n.translate(_KEY)}={v.translate(_KEY)}" for n, v in series.tags)
    return series.measurement.translate(_MEASUREMENT) + tags


@lru_cache(1024)
def _field(name: str) -> str:
    return plain_text(name).translate(_KEY)


def _value(value: Value) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Every number is a float, so that none meets a field of the other kind.
        return f"{value}.0"
    return f'"{value.translate(_STRING)}"'
