"""The limit lines of charts: read from the same rule and limit files that the gateway judges by.

Only what a chart needs is read here; whether the files are right is the gateway's to check.
"""

import csv
import tomllib
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from contracts.effect import in_effect
from contracts.limits import Limits, load_limits
from contracts.settings import SettingsError
from contracts.units import symbol

CONFIGS = Path(__file__).parent.parent / "firmware_configs"
RULES = CONFIGS / "rules"
LIMITS = CONFIGS / "limits" / "storage_temperatures.csv"
TESTS = CONFIGS / "limits"
_PRINTED = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


class LimitRow(msgspec.Struct, frozen=True):
    """A row of the limits file, as far as a chart shows it."""

    id: str
    comparator: str
    limit: float
    unit: str
    source: str = ""
    effective_from: date | None = None
    effective_until: date | None = None

    @property
    def text(self) -> str:
        """The limit in words, e.g. ``< 8 °C``."""
        sign = _PRINTED.get(self.comparator, self.comparator)
        return f"{sign} {self.limit:g} {symbol(self.unit)}".rstrip()

    def allows(self, value: float) -> bool:
        """Whether the value is inside the limit."""
        match self.comparator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case _:
                return value >= self.limit


class _Watch(msgspec.Struct, frozen=True):
    metrics: tuple[str, ...]
    devices: tuple[str, ...]
    limit: str
    effective_from: date | None = None
    effective_until: date | None = None


class LimitLines:
    """Which limit a device's metric has, and the limits of quick tests."""

    def __init__(self, watches: list[_Watch], limits: list[LimitRow], tests: Limits) -> None:
        self._watches = watches
        self._limits = limits
        self.tests = tests

    def of(self, device: str, metric: str, on: date, name: str = "") -> LimitRow | None:
        """The limit in force on that day for this device's metric, or None.

        A device is found by its id, or by the name that it is registered under.
        """
        for watch in self._watches:
            named = not watch.devices or any(
                fnmatchcase(device, one) or fnmatchcase(name, one) for one in watch.devices
            )
            if named and metric in watch.metrics and in_effect(watch, on):
                for row in self._limits:
                    if row.id == watch.limit and in_effect(row, on):
                        return row
        return None


def read_limit_lines(rules: Path = RULES, limits: Path = LIMITS, tests: Path = TESTS) -> LimitLines:
    """Read the files. Raises SettingsError that names the file."""
    files = sorted(rules.glob("*.toml")) if rules.is_dir() else [rules]
    watches: list[_Watch] = []
    for file in files:
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file}: cannot be read: {error}") from None
        for rule in table.get("rule", []):
            if (watch := _watch(rule)) is not None:
                watches.append(watch)
    try:
        with limits.open(encoding="utf-8", newline="") as lines:
            given = [
                {key: text for key, text in row.items() if text} for row in csv.DictReader(lines)
            ]
        rows = msgspec.convert(given, list[LimitRow], strict=False)
    except (OSError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{limits}: cannot be read: {error}") from None
    return LimitLines(watches, rows, load_limits(tests))


def _watch(rule: dict[str, Any]) -> _Watch | None:
    when = rule.get("when", {})
    if when.get("kind") != "threshold":
        return None
    days = (rule.get("effective_from"), rule.get("effective_until"))
    return _Watch(
        tuple(when.get("metrics", ())), tuple(when.get("devices", ())), when["limit"], *days
    )
