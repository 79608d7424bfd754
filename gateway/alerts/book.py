"""The rule book: rules sorted by what they can match, so that an event meets only its own.

First by device, once for each: region, site, kind and name leave few of the rules. Then by
verdict, kind of observation or metric. Only what is left is asked for its days, its schedule, its
expression.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from functools import lru_cache
from typing import TypeVar

import msgspec

from contracts.effect import in_effect
from contracts.topics import Identity
from contracts.words import Verdict
from contracts.workdays import day_began
from gateway.alerts.check import channel_of, expressions_of
from gateway.alerts.day_times import LOCAL, Timetable
from gateway.alerts.expression import Expression, Fields, Scene
from gateway.alerts.fields import SAMPLES
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
    ReadingIs,
    TrendTo,
    VerdictIs,
)
from gateway.alerts.limits import StorageLimit, StorageLimits
from gateway.alerts.outcomes import Outcome, Raise
from gateway.alerts.rule import Rule, matches
from ledger.devices import Device

Rules = tuple[Rule, ...]
Key = tuple[str, str]
"""Rule id, series."""
ANY = ""
"""Key of rules that any kind of observation may meet."""
DEVICES_MOST = 100_000


class _Day(msgspec.Struct, frozen=True, gc=False):
    """A local day, and the limit that holds on it."""

    begin: datetime
    end: datetime
    limit: StorageLimit | None


class Own(msgspec.Struct, frozen=True, gc=False):
    """The rules that may judge what one device tells."""

    device: Device
    verdicts: dict[Verdict, Rules]
    observations: dict[str, Rules]
    readings: dict[str, Rules]
    """By metric; empty for most devices."""
    test_counts: Rules
    observation_counts: dict[str, Rules]
    versioned: Set[str] = frozenset()
    """Ids of rules of which there are several versions: each remembers by itself."""
    _series: dict[str, tuple[tuple[Key, Rule], ...]] = {}

    def series(self, metric: str) -> tuple[tuple[Key, Rule], ...]:
        """The rules that judge a metric, each with the key of its state; named once."""
        found = self._series.get(metric)
        if found is None:
            name = f"{self.device.identity.source}|{metric}"
            found = tuple(
                ((rule.id, f"{name}|{rule.version}" if rule.id in self.versioned else name), rule)
                for rule in self.readings.get(metric, ())
            )
            if metric in self.readings:
                self._series[metric] = found
        return found


class RuleBook:
    """Rules, limits and timetable of a gateway."""

    def __init__(
        self, rules: Iterable[Rule], limits: StorageLimits, timetable: Timetable | None = None
    ) -> None:
        self.rules = tuple(rules)
        self.limits = limits
        self.timetable = timetable or Timetable()
        self.on_fault: Callable[[str, str], None] = lambda _rule, _fault: None
        """Is told when an expression fails on an event: the rule's id and why."""
        self.silences = self._of(DeviceSilent)
        self.offlines = self._of(AgentOffline)
        self.keys = self._of(EvidenceKeyNew)
        self.waitings = self._of(DataWaiting)
        self.losses = self._of(DataLost)
        self.counts = self._of(CountOf)
        self.expected = self._of(Expected)
        self.conditions = self._of(DeviceIs)
        self.combinations = self._of(Combination)
        self.parts = self._parts()
        """Rule id → the combinations that it is part of, and which part."""
        self._expressions = {
            (rule.id, rule.version, key): Expression(source)
            for rule in self.rules
            for key, source in expressions_of(rule.when).items()
        }
        self._names = {channel: self._names_of(channel) for channel in SAMPLES}
        self._patterns = {(rule.id, rule.version): _Pattern(rule) for rule in self.rules}
        told = Counter(rule.id for rule in self.rules)
        self._versioned = frozenset(rule_id for rule_id, times in told.items() if times > 1)
        self._devices = [
            (rule, self._patterns[rule.id, rule.version]) for rule in self.rules if _of_events(rule)
        ]
        self._own: dict[Identity, Own] = {}
        self._days: dict[tuple[str, str], _Day] = {}
        self._shared = lru_cache(maxsize=4096)(self._sorted)

    def own(self, device: Device) -> Own:
        """The rules that may judge what `device` tells; found once, and anew when it changes."""
        who = device.identity
        own = self._own.get(who)
        if own is None or (own.device is not device and _changed(own.device, device)):
            if len(self._own) >= DEVICES_MOST:
                self._own.clear()
            mine = tuple(
                index for index, (_, pattern) in enumerate(self._devices) if pattern(device)
            )
            own = self._own[who] = Own(device, *self._shared(mine), self._versioned)
        return own

    def fits(self, rule: Rule, device: Device) -> bool:
        """Whether a rule concerns a device, by region and scope."""
        return self._patterns[rule.id, rule.version](device)

    def in_force(self, rule: Rule, at: datetime) -> bool:
        """Whether the rule holds at the time of a fact: its days of effect, its schedule."""
        dated = rule.effective_from or rule.effective_until
        if dated and not in_effect(rule, at.astimezone(LOCAL).date()):
            return False
        return rule.schedule is None or self.timetable.holds(rule.schedule, at)

    def limit_at(self, rule: Rule, limit_id: str, at: datetime) -> StorageLimit | None:
        """The limit by which a rule judges what was measured `at`; None where it does not judge.

        Found once for each rule and day.
        """
        day = self._days.get((rule.id, rule.version))
        if day is None or not day.begin <= at < day.end:
            begin = day_began(at)
            on = begin.date()
            limit = self.limits.on(limit_id, on) if in_effect(rule, on) else None
            # In UTC: equal zones compare fast.
            begin = begin.astimezone(UTC)
            day = self._days[rule.id, rule.version] = _Day(begin, begin + timedelta(days=1), limit)
        if rule.schedule is not None and not self.timetable.holds(rule.schedule, at):
            return None
        return day.limit

    def combined(self, outcome: Outcome) -> Iterator[tuple[Rule, int, str]]:
        """The combinations that an alert is part of: rule, which part, and site."""
        rule_id, source, _ = outcome.fingerprint.split("|", 2)
        for rule, part in self.parts.get(rule_id, ()):
            region, _, site = source.strip("/").rpartition("/")[0].partition("/")
            if matches(rule.regions, region) and (
                not isinstance(outcome, Raise) or self.in_force(rule, outcome.at)
            ):
                yield rule, part, f"{region}/{site}"

    def expression(self, rule: Rule, key: str = "if") -> Expression | None:
        """The compiled expression of a rule, if it has one."""
        return self._expressions.get((rule.id, rule.version, key))

    def says(self, rule: Rule, scene: "LazyScene", key: str = "if") -> bool:
        """Whether a rule's expression is true of an event; True if it has none."""
        expression = self.expression(rule, key)
        if expression is None:
            return True
        return expression.holds(scene.get(self), rule.id, self.on_fault)

    def scene(self, channel: str, fields: Fields) -> Scene:
        """An event, ready for every expression over its channel."""
        return Scene(fields, self._names[channel])

    def _of(self, kind: type[msgspec.Struct]) -> Rules:
        return tuple(rule for rule in self.rules if isinstance(rule.when, kind))

    def _names_of(self, channel: str) -> frozenset[str]:
        known = SAMPLES[channel].keys()
        names: frozenset[str] = frozenset()
        for rule in self.rules:
            if channel_of(rule.when) == channel:
                for key in expressions_of(rule.when):
                    names |= self._expressions[rule.id, rule.version, key].names
        return names & known

    def _parts(self) -> dict[str, list[tuple[Rule, int]]]:
        found: dict[str, list[tuple[Rule, int]]] = {}
        for rule in self.combinations:
            if isinstance(rule.when, Combination):
                for index, part in enumerate(rule.when.of):
                    for other in dict.fromkeys(other.id for other in self.rules):
                        if other != rule.id and matches(part.rules, other):
                            found.setdefault(other, []).append((rule, index))
        return found

    def _sorted(
        self, mine: tuple[int, ...]
    ) -> tuple[dict[Verdict, Rules], dict[str, Rules], dict[str, Rules], Rules, dict[str, Rules]]:
        """Devices that the same rules concern share what is found for them."""
        verdicts: dict[Verdict, Rules] = {}
        observations: dict[str, Rules] = {}
        readings: dict[str, Rules] = {}
        tests: Rules = ()
        counted: dict[str, Rules] = {}
        for rule in (self._devices[index][0] for index in mine):
            match rule.when:
                case VerdictIs(verdicts=told):
                    _add(verdicts, told, rule)
                case ObservationOf(kinds=kinds):
                    _add(observations, kinds, rule)
                case CountOf(event="tests"):
                    tests = (*tests, rule)
                case CountOf(kinds=kinds, share=share):
                    # A share needs to see the others, too.
                    _add(counted, (ANY,) if share else (kinds or (ANY,)), rule)
                case (
                    BeyondLimit(metrics=metrics)
                    | ReadingIs(metrics=metrics)
                    | TrendTo(metrics=metrics)
                ):
                    _add(readings, metrics, rule)
        return verdicts, observations, readings, tests, counted


class LazyScene:
    """A scene that is made when the first expression asks for it."""

    def __init__(self, channel: str, make: Callable[[], Fields]) -> None:
        self._channel = channel
        self._make = make
        self._scene: Scene | None = None

    def get(self, book: RuleBook) -> Scene:
        """The scene."""
        if self._scene is None:
            self._scene = book.scene(self._channel, self._make())
        return self._scene


K = TypeVar("K")


def _add(table: dict[K, Rules], keys: Iterable[K], rule: Rule) -> None:
    for key in dict.fromkeys(keys):
        table[key] = (*table.get(key, ()), rule)


def _of_events(rule: Rule) -> bool:
    return isinstance(rule.when, VerdictIs | ObservationOf | CountOf | OfReadings)


def _changed(old: Device, new: Device) -> bool:
    return (old.kind, old.name, old.site_kind, old.establishment_kind) != (
        new.kind,
        new.name,
        new.site_kind,
        new.establishment_kind,
    )


class _Pattern:
    """Whom a rule concerns, compiled."""

    def __init__(self, rule: Rule) -> None:
        scope, when = rule.scope, rule.when
        self._region = _compiled(rule.regions)
        self._site = _compiled(scope.sites)
        self._devices = [
            found
            for patterns in (scope.devices, getattr(when, "devices", ()))
            if (found := _compiled(patterns))
        ]
        self._kinds = scope.device_kinds
        self._site_kinds = scope.site_kinds
        self._establishment_kinds = scope.establishment_kinds

    def __call__(self, device: Device) -> bool:
        """Whether the rule concerns this device."""
        return (
            (self._region is None or self._region(device.region) is not None)
            and (self._site is None or self._site(device.site) is not None)
            and (not self._kinds or device.kind.value in self._kinds)
            and (not self._site_kinds or device.site_kind in self._site_kinds)
            and (
                not self._establishment_kinds
                or device.establishment_kind in self._establishment_kinds
            )
            and all(found(device.device) or found(device.name) for found in self._devices)
        )


def _compiled(patterns: Globs) -> Callable[[str], "re.Match[str] | None"] | None:
    """One expression for all patterns; None if there are none, which fits everything."""
    return re.compile("|".join(map(translate, patterns))).match if patterns else None
