"""The data that indicators go by, read from their files: definitions, calendars, school terms."""

from pathlib import Path

import msgspec

from contracts.indicators import FOLDER, Indicators, read_indicators
from contracts.school_days import read_terms
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from ledger.indicator_basis import Basis

CALENDARS = FOLDER.parent / "calendars"
TERMS = FOLDER.parent / "limits" / "school_terms.csv"


class IndicatorData(msgspec.Struct, frozen=True):
    """Definitions, and what they rest on."""

    indicators: Indicators
    basis: Basis


def read_data(
    folder: Path = FOLDER, calendars: Path = CALENDARS, terms: Path = TERMS
) -> IndicatorData:
    """Read all of it. Raises SettingsError."""
    if not folder.exists():
        raise SettingsError(f"indicators: {folder} does not exist")
    return IndicatorData(
        read_indicators(folder), Basis(Calendar.read(calendars), read_terms(terms))
    )
