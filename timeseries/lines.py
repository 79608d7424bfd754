"""InfluxDB's line protocol: how points become lines.

Source of the rules: InfluxData's "Line protocol reference" (1.x and 2.x).
"""

from collections.abc import Mapping

from timeseries.port import Point, Value

_LOOKALIKES = str.maketrans({"\\": "＼", "\n": "␊", "\r": "␍", "\0": "␀"})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})


def plain_text(text: str) -> str:
    """`text` as it stands in a measurement, tag or field name, in every store alike.

    Line protocol has no way to write a line break there, and servers differ on backslashes:
    look-alikes take their places.
    """
    return text.translate(_LOOKALIKES)


def plain_tags(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """The tags that a series has: plain, sorted, without empty ones."""
    return sorted((plain_text(name), plain_text(value)) for name, value in tags.items() if value)


def line(point: Point) -> str:
    """One point as a line, without a line end."""
    tags = "".join(
        f",{name.translate(_KEY)}={value.translate(_KEY)}" for name, value in plain_tags(point.tags)
    )
    fields = ",".join(
        f"{plain_text(name).translate(_KEY)}={_value(value)}"
        for name, value in point.fields.items()
    )
    measurement = plain_text(point.measurement).translate(_MEASUREMENT)
    return f"{measurement}{tags} {fields} {point.at_ns}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        return repr(value)
    return f'"{value.translate(_STRING)}"'
