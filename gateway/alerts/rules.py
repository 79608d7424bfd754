"""The reader of rule files (``firmware_configs/rules/*.toml``): lists of ``[[rule]]`` tables.

Errors name the file, the rule and the key.
"""

import tomllib
from pathlib import Path
from typing import Any

from contracts.settings import SettingsError, convert_settings
from gateway.alerts.check import check_limits, check_names, check_rule, check_version
from gateway.alerts.kinds import (
    AgentOffline,
    BeyondLimit,
    Combination,
    CountOf,
    DataLost,
    DataWaiting,
    DeviceIs,
    DeviceSilent,
    EvidenceKeyNew,
    Expected,
    Globs,
    ObservationOf,
    OfReadings,
    Part,
    ReadingIs,
    TrendTo,
    VerdictIs,
    When,
)
from gateway.alerts.rule import Example, Rule, RuleFile, Scope, json_schema, matches

__all__ = [
    "AgentOffline",
    "BeyondLimit",
    "Combination",
    "CountOf",
    "DataLost",
    "DataWaiting",
    "DeviceIs",
    "DeviceSilent",
    "EvidenceKeyNew",
    "Example",
    "Expected",
    "Globs",
    "ObservationOf",
    "OfReadings",
    "Part",
    "ReadingIs",
    "Rule",
    "RuleFile",
    "Scope",
    "TrendTo",
    "VerdictIs",
    "When",
    "check_limits",
    "json_schema",
    "matches",
    "read_rules",
]


def read_rules(path: Path) -> list[Rule]:
    """Rules of a file, or of every ``*.toml`` in a folder. Raises SettingsError.

    Several versions of one rule may follow each other in time.
    """
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise SettingsError(f"{path}: no *.toml rule files here")
    found: list[Rule] = []
    for file in files:
        for rule in _read_file(file):
            check_version(rule, found, f"{file}: rule {rule.id}")
            check_rule(rule, f"{file}: rule {rule.id}")
            found.append(rule)
    check_names(found, str(path))
    return found


def _read_file(file: Path) -> tuple[Rule, ...]:
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not TOML: {error}") from None
    return convert_settings(table, RuleFile, str(file)).rule
