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


def kind_of(value: Value) -> Kind:
    """The kind of a value."""
    if isinstance(value, bool):
        return "yes/no"
    return "text" if isinstance(value, str) else "number"
