"""Whether rules are sound: words of templates, expressions, schedules, names of limits and rules.

Everything raises SettingsError, which says where (file and rule) and which key.
"""

import string
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from contracts.effect import overlap
from contracts.settings import SettingsError
from contracts.words import Severity
from gateway.alerts.day_times import Timetable, minutes
from gateway.alerts.expression import Expression, WrongExpression
from gateway.alerts.fields import samples
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
    ObservationOf,
    ReadingIs,
    TrendTo,
    VerdictIs,
    When,
)
from gateway.alerts.rule import Rule

_ENDLESS = VerdictIs | EvidenceKeyNew | CountOf | Combination
"""Kinds that may not be a part of a combination."""
COMMON_WORDS = frozenset({"region", "site", "device", "device_name"})
WORDS: Mapping[type[msgspec.Struct], frozenset[str]] = {
    VerdictIs: COMMON_WORDS
    | {"sample", "sample_number", "details", "item", "value", "limit", "stall", "verdict"},
    ObservationOf: COMMON_WORDS | {"observation", "zone", "people", "reason", "confidence"},
    BeyondLimit: COMMON_WORDS | {"metric", "value", "limit", "limit_meaning", "duration"},
    ReadingIs: COMMON_WORDS | {"metric", "value", "duration"},
    TrendTo: COMMON_WORDS | {"metric", "value", "limit", "limit_meaning", "duration", "per_hour"},
    CountOf: COMMON_WORDS | {"count", "all", "group", "duration", "latest"},
    Expected: COMMON_WORDS | {"by"},
    Combination: COMMON_WORDS | {"devices", "count"},
    DeviceIs: COMMON_WORDS
    | {"state", "detail", "backlog", "thinned", "clock_offset", "duration", "grown"},
    DeviceSilent: COMMON_WORDS | {"duration"},
    AgentOffline: COMMON_WORDS | {"duration"},
    EvidenceKeyNew: COMMON_WORDS | {"fingerprint"},
    DataWaiting: COMMON_WORDS | {"backlog", "duration", "reason"},
    DataLost: COMMON_WORDS | {"events", "numbers", "epoch"},
}
"""What a template of each kind of rule may name in braces."""


def channel_of(when: When) -> str:
    """Whose fields the expressions of a rule are over; empty for kinds that have none."""
    match when:
        case VerdictIs():
            return "tests"
        case ObservationOf():
            return "observations"
        case ReadingIs():
            return "readings"
        case CountOf():
            return when.event
        case DeviceIs():
            return "device"
    return ""


def expressions_of(when: When) -> dict[str, str]:
    """The expressions of a rule by key; those that are empty are left out."""
    found = {"if": getattr(when, "condition", ""), "until": getattr(when, "until", "")}
    return {key: source for key, source in found.items() if source}


def check_rule(rule: Rule, where: str) -> None:
    """See that one rule is sound in itself."""
    _check_words(rule, where)
    _check_times(rule, where)
    for key, source in expressions_of(rule.when).items():
        try:
            Expression(source).check(samples(channel_of(rule.when)))
        except WrongExpression as error:
            raise SettingsError(f"{where}: when.{key}: {error}") from None


def check_version(rule: Rule, others: Iterable[Rule], where: str) -> None:
    """See that a rule is the only one of its id on every day; versions may follow each other."""
    for other in others:
        if other.id != rule.id:
            continue
        if other.version == rule.version or overlap(other, rule):
            raise SettingsError(
                f"{where}: this id is already taken; versions of a rule need days of effect of "
                "their own"
            )
        if type(other.when) is not type(rule.when):
            raise SettingsError(f"{where}: when.kind: not as in version {other.version}")


def check_names(rules: Sequence[Rule], where: str) -> None:
    """See that what rules name exists: rules that one inhibits, or combines.

    A pattern of `inhibits` may fit rules of class 1, too: they are notified all the same.
    """
    for rule in rules:
        for pattern in rule.inhibits:
            here = f"{where}: rule {rule.id}: inhibits: {pattern!r}"
            hidden = _fitting(rules, rule, pattern, here)
            if all(one.severity is Severity.AT_ONCE for one in hidden):
                raise SettingsError(f"{here}: class 1 always passes")
        if isinstance(rule.when, Combination):
            for part in rule.when.of:
                for pattern in part.rules:
                    here = f"{where}: rule {rule.id}: when.of.rules: {pattern!r}"
                    for one in _fitting(rules, rule, pattern, here):
                        if isinstance(one.when, _ENDLESS):
                            raise SettingsError(f"{here}: {one.id} does not end by itself")


def check_limits(rules: Iterable[Rule], known: Iterable[str], where: str) -> None:
    """See that every limit that a rule names exists."""
    ids = set(known)
    for rule in rules:
        if isinstance(rule.when, BeyondLimit | TrendTo) and rule.when.limit not in ids:
            raise SettingsError(f"{where}: rule {rule.id}: limit {rule.when.limit!r} is not known")


def check_schedules(rules: Iterable[Rule], timetable: Timetable, where: str) -> None:
    """See that every time of the day that a schedule names exists."""
    for rule in rules:
        if rule.schedule:
            try:
                timetable.spans(rule.schedule)
            except ValueError as error:
                raise SettingsError(f"{where}: rule {rule.id}: schedule.times: {error}") from None


def _fitting(rules: Sequence[Rule], rule: Rule, pattern: str, here: str) -> list[Rule]:
    found = [one for one in rules if one.id != rule.id and fnmatchcase(one.id, pattern)]
    if not found:
        raise SettingsError(f"{here}: there is no such rule")
    return found


def _check_times(rule: Rule, where: str) -> None:
    if rule.effective_from and rule.effective_until and rule.effective_until < rule.effective_from:
        raise SettingsError(f"{where}: effective_until: before effective_from")
    if isinstance(rule.when, Expected) and minutes(rule.when.since) >= minutes(rule.when.by):
        raise SettingsError(f"{where}: when.since: not before when.by")


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
