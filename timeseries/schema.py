"""Which measurements there are, what kind of value each of their fields has, and what is thinned.

A field has one kind for ever, whoever writes it, in whatever order: numbers are always floats, and
what is declared here is checked before anything is sent.
"""

from typing import Literal

from timeseries.port import Value

Kind = Literal["number", "yes/no", "text"]

FIELDS: dict[str, dict[str, Kind]] = {
    "readings": {"value": "number"},
    "tests": {"number": "number", "positive": "yes/no"},
}

THINNED = (("readings", "value"),)
"""Measurement and field of which means are kept when the values themselves are old."""

MEANS = "means"
"""Retention policy (1.x) or second half of a bucket's name (2.x) that holds the means."""
MEANS_EVERY_S = 600
"""Length of a mean's bucket; aligned to the Unix epoch."""
MEANS_FIELDS = ("value", "min", "max", "sum", "count")
"""What is kept of a bucket; `value` is the mean."""


def kind_of(value: Value) -> Kind:
    """The kind of a value."""
    if isinstance(value, bool):
        return "yes/no"
    return "text" if isinstance(value, str) else "number"
