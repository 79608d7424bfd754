"""The files that a city's judgement rests on, read to be shown: rules, limits, days, escalation.

They are the gateway's; whether they are right is its to check. What is shown is what this console's
settings name, and beside it what each gateway says that it has loaded.
"""

import csv
import hashlib
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from contracts.effect import in_effect
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from server.settings import ServerSettings

CONFIGS = Path(__file__).parent.parent / "firmware_configs"


class RuleLine(msgspec.Struct, frozen=True):
    """A version of a rule, as far as a page shows it."""

    id: str
    version: str
    severity: int
    title_zh: str
    title_en: str
    summary_zh: str = ""
    summary_en: str = ""
    basis: str = ""
    source: str = ""
    effective_from: date | None = None
    effective_until: date | None = None
    notify: str = "push"
    regions: tuple[str, ...] = ()
    when: dict[str, Any] = {}
    example: tuple[Any, ...] = ()
    file: str = ""

    def state(self, on: date) -> str:
        """Whether it holds on a day: now, later or over."""
        if in_effect(self, on):
            return "now"
        return "later" if self.effective_from and self.effective_from > on else "over"


class File(msgspec.Struct, frozen=True):
    """A file by name and content."""

    name: str
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """A file of limits, as it stands."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Step(msgspec.Struct, frozen=True):
    """How long an alert of a class may wait for something."""

    due: str
    within: str
    again: str
    cards: bool
    source: str
    mark: str


class PolicyLine(msgspec.Struct, frozen=True):
    """An escalation policy."""

    id: str
    version: str
    regions: tuple[str, ...]
    effective_from: date | None
    effective_until: date | None
    hours: str
    classes: tuple[tuple[int, tuple[Step, ...]], ...]


class Packs(msgspec.Struct, frozen=True):
    """What was read when the process began."""

    rules: tuple[RuleLine, ...]
    files: tuple[File, ...]
    tables: tuple[Table, ...]
    calendar: Calendar
    policies: tuple[PolicyLine, ...]


def packs_of(settings: ServerSettings, base: Path) -> Packs:
    """What the files say that the settings name, relative to `base`. Raises SettingsError."""
    named = {
        "rules": settings.rules,
        "limits": settings.limits,
        "calendars": settings.calendars,
        "escalation": settings.escalation,
    }
    return read_packs(**{key: base / path for key, path in named.items() if path})


def read_packs(
    rules: Path = CONFIGS / "rules",
    limits: Path = CONFIGS / "limits",
    calendars: Path = CONFIGS / "calendars",
    escalation: Path = CONFIGS / "escalation",
) -> Packs:
    """Read the files. Raises SettingsError that names the file."""
    rule_files = _files(rules, "*.toml")
    lines = [line for file in rule_files for line in _rules(file)]
    folder = limits if limits.is_dir() else limits.parent
    return Packs(
        rules=tuple(sorted(lines, key=lambda one: (one.severity, one.id, one.version))),
        files=tuple(File(one.name, sha256_of(one)) for one in rule_files),
        tables=tuple(_table(one) for one in _files(folder, "*.csv")),
        calendar=Calendar.read(calendars),
        policies=tuple(_policy(one) for one in _files(escalation, "*.toml")),
    )


def sha256_of(file: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _files(path: Path, pattern: str) -> list[Path]:
    return sorted(path.glob(pattern)) if path.is_dir() else [path]


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None


def _rules(file: Path) -> list[RuleLine]:
    try:
        return [
            msgspec.convert({**rule, "file": file.name}, RuleLine)
            for rule in _toml(file).get("rule", [])
        ]
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: rule: {error}") from None


def _table(file: Path) -> Table:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = (tuple(row) for row in csv.reader(lines) if row)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None
    return Table(file.name, header, tuple(rows))


def _policy(file: Path) -> PolicyLine:
    told = _toml(file)
    try:
        return PolicyLine(
            id=told["id"],
            version=told["version"],
            regions=tuple(told.get("regions", ())),
            effective_from=told.get("effective_from"),
            effective_until=told.get("effective_until"),
            hours=", ".join(
                f"{begins:%H:%M}–{ends:%H:%M}" for begins, ends in told["hours"]["spans"]
            ),
            classes=tuple(
                (
                    one["severity"],
                    tuple(_step(due, one[due]) for due in ("acknowledge", "dispose", "review")
                          if due in one),
                )
                for one in told["class"]
            ),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{file}: {error!r}") from None


def _step(due: str, told: dict[str, Any]) -> Step:
    return Step(
        due, told["within"], told["again"], told.get("cards", False), told["source"], told["mark"]
    )
