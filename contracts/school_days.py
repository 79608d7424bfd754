"""School days: working days within a term of ``firmware_configs/limits/school_terms.csv``."""

import csv
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError, convert_settings
from contracts.workdays import DAY, Calendar

FILE = Path(__file__).parent.parent / "firmware_configs" / "limits" / "school_terms.csv"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A school term, first and last day; a row of the CSV."""

    id: str
    first: date
    last: date
    source: Annotated[str, Meta(min_length=1)]
    mark: Annotated[str, Meta(pattern="^[VSU]$")]


def read_terms(path: Path = FILE) -> tuple[Term, ...]:
    """The terms of a file. Raises SettingsError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    return tuple(
        convert_settings(dict(row), Term, f"{path}: row {place}")
        for place, row in enumerate(rows, 2)
    )


def school_days(
    terms: tuple[Term, ...], calendar: Calendar, first: date, last: date
) -> tuple[date, ...]:
    """The school days from `first` through `last`. Raises CalendarMissing."""
    found = []
    day = first
    while day <= last:
        if calendar.is_workday(day) and any(one.first <= day <= one.last for one in terms):
            found.append(day)
        day += DAY
    return tuple(found)
