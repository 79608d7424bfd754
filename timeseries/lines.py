"""InfluxDB's line protocol: how points become lines.

Source of the rules: InfluxData's "Line protocol reference" (1.x and 2.x).
"""

from functools import lru_cache

from timeseries.names import KEPT, Series, plain_text, series_of
from timeseries.port import Point, Value

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})


def line(point: Point) -> str:
    """One point as a line, without a line end. Only for points without `fault`."""
    fields = ",".join(f"{_field(name)}={_value(value)}" for name, value in point.fields.items())
    return f"{_start(series_of(point))} {fields} {point.at_ns}"


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
