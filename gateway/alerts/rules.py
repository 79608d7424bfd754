"""What an alert rule is, and the reader of rule files (``firmware_configs/rules/*.toml``).

A rule file is a list of ``[[rule]]`` tables. Errors name the file, the rule and the key.
"""

import string
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.events import Name
from contracts.settings import SettingsError, convert_settings
from contracts.words import Severity, Verdict, ZoneKind

Seconds = Annotated[float, Meta(ge=0)]
Globs = tuple[str, ...]
"""Shell patterns (``cold*``); empty means any."""


class _When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule waits for."""


class VerdictIs(_When, frozen=True, tag="verdict"):
    """A test result with one of these verdicts."""

    verdicts: tuple[Verdict, ...]
    items: Globs = ()
    """Patterns of item codes; a result without a code has the code ``""``."""
    except_items: Globs = ()


class ObservationOf(_When, frozen=True, tag="observation"):
    """An episode that a camera saw; firing while it is open."""

    kinds: tuple[str, ...]
    zone_kinds: tuple[ZoneKind, ...] = ()
    """Kinds of zone where this counts; empty means anywhere."""


class BeyondLimit(_When, frozen=True, tag="threshold"):
    """A reading outside a limit for some time; over when it is well inside again."""

    metrics: tuple[str, ...]
    limit: Name
    """Id of the limit in the limits file."""
    devices: Globs = ()
    for_s: Seconds = 0.0
    """How long readings must be outside, by measured time, before it fires."""
    clear_by: Annotated[float, Meta(ge=0)] = 0.0
    """Hysteresis: how far inside the limit a value must be to end it."""
    clear_for_s: Seconds = 0.0
    """How long it must be that far inside."""
    gap_s: Annotated[float, Meta(gt=0)] = 3600.0
    """Two readings further apart than this prove nothing about the time between them."""


class DeviceSilent(_When, frozen=True, tag="silence"):
    """A device of one of these kinds was not heard of for longer than it may be silent."""

    device_kinds: tuple[str, ...]


class AgentOffline(_When, frozen=True, tag="agent_offline"):
    """A site's agent said farewell, or is silent: one alert for the site."""

    for_s: Seconds = 20.0


class EvidenceKeyNew(_When, frozen=True, tag="evidence_key"):
    """An agent signs its pictures with another key than the one that the city knows."""


class DataWaiting(_When, frozen=True, tag="data_waiting"):
    """A site's agent is heard, but its events are not receipted: for too long, or too many."""

    age_s: Annotated[float, Meta(gt=0)] = 1800.0
    """How long the oldest may wait. Over when it is half of that, and the backlog is, too."""
    backlog: Annotated[int, Meta(gt=0)] = 100_000


class DataLost(_When, frozen=True, tag="data_lost"):
    """Events that an agent holds for receipted are not in the ledger."""


When = (
    VerdictIs
    | ObservationOf
    | BeyondLimit
    | DeviceSilent
    | AgentOffline
    | EvidenceKeyNew
    | DataWaiting
    | DataLost
)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule: what it waits for, how grave that is, and how to say it."""

    id: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
    version: Name
    severity: Severity
    when: When
    title_zh: Name
    title_en: Name
    summary_zh: Annotated[str, Meta(max_length=300)]
    summary_en: Annotated[str, Meta(max_length=300)]
    basis: str = ""
    """Legal or technical basis, in words."""
    source: str = ""
    """Where the numbers in this rule come from, with their mark: [V], [S] or [U]."""
    effective_from: date | None = None
    effective_until: date | None = None
    """Last day on which the rule holds."""
    regions: Globs = ()
    routes: tuple[Name, ...] = ()
    """Names of the routes that its alerts take; none: the one of its class."""
    evidence: tuple[Name, ...] = ()
    """What an alert should be proved by (roles of pictures, ``retest``, ``readings`` …)."""
    inhibits: Globs = ()
    """Rules that are not notified at the same site while this one fires."""
    notify: Literal["push", "digest", "none"] = "push"
    """Whether people are told at once, in the day's digest, or find it on the console only."""

    def holds(self, on: date, region: str) -> bool:
        """Whether the rule is in force on that day in that region."""
        if self.effective_from and on < self.effective_from:
            return False
        if self.effective_until and on > self.effective_until:
            return False
        return matches(self.regions, region)


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a rule file."""

    rule: tuple[Rule, ...]


COMMON_WORDS = frozenset({"region", "site", "device", "device_name"})
WORDS: Mapping[type[msgspec.Struct], frozenset[str]] = {
    VerdictIs: COMMON_WORDS
    | {"sample", "sample_number", "details", "item", "value", "limit", "stall", "verdict"},
    ObservationOf: COMMON_WORDS | {"observation", "zone", "people", "reason", "confidence"},
    BeyondLimit: COMMON_WORDS | {"metric", "value", "limit", "limit_meaning", "duration"},
    DeviceSilent: COMMON_WORDS | {"duration"},
    AgentOffline: COMMON_WORDS | {"duration"},
    EvidenceKeyNew: COMMON_WORDS | {"fingerprint"},
    DataWaiting: COMMON_WORDS | {"backlog", "duration", "reason"},
    DataLost: COMMON_WORDS | {"events", "numbers", "epoch"},
}
"""What a template of each kind of rule may name in braces."""


def matches(patterns: Globs, text: str) -> bool:
    """Whether `text` fits one of the patterns; no patterns fit everything."""
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def read_rules(path: Path) -> list[Rule]:
    """Rules of a file, or of every ``*.toml`` in a folder. Raises SettingsError."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise SettingsError(f"{path}: no *.toml rule files here")
    rules: dict[str, Rule] = {}
    for file in files:
        for rule in _read_file(file):
            if rule.id in rules:
                raise SettingsError(f"{file}: rule {rule.id}: this id is already taken")
            rules[rule.id] = rule
    found = list(rules.values())
    check_inhibits(found, str(path))
    return found


def check_inhibits(rules: Sequence[Rule], where: str) -> None:
    """See that what a rule inhibits exists, and class 1 is not named. Raises SettingsError.

    A pattern may fit rules of class 1, too: they are notified all the same.
    """
    for rule in rules:
        for pattern in rule.inhibits:
            here = f"{where}: rule {rule.id}: inhibits: {pattern!r}"
            hidden = [one for one in rules if one.id != rule.id and fnmatchcase(one.id, pattern)]
            if not hidden:
                raise SettingsError(f"{here}: there is no such rule")
            if all(one.severity is Severity.AT_ONCE for one in hidden):
                raise SettingsError(f"{here}: class 1 always passes")


def check_limits(rules: Iterable[Rule], known: Iterable[str], where: str) -> None:
    """See that every limit that a rule names exists. Raises SettingsError."""
    ids = set(known)
    for rule in rules:
        if isinstance(rule.when, BeyondLimit) and rule.when.limit not in ids:
            raise SettingsError(f"{where}: rule {rule.id}: limit {rule.when.limit!r} is not known")


def _read_file(file: Path) -> tuple[Rule, ...]:
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not TOML: {error}") from None
    rules = convert_settings(table, RuleFile, str(file)).rule
    for rule in rules:
        _check_words(rule, f"{file}: rule {rule.id}")
    return rules


def _check_words(rule: Rule, where: str) -> None:
    allowed = WORDS[type(rule.when)]
    for key in ("title_zh", "title_en", "summary_zh", "summary_en"):
        try:
            parsed = list(string.Formatter().parse(getattr(rule, key)))
        except ValueError as error:
            raise SettingsError(f"{where}: {key}: {error}") from None
        for _, word, form, conversion in parsed:
            if word is None:
                continue
            if word not in allowed or form or conversion:
                known = ", ".join(sorted(allowed))
                raise SettingsError(f"{where}: {key}: {{{word}}} is not known here; use {known}")
