"""Escalation policies: how long an alert of a class may wait for what, and what a miss costs.

Files ``firmware_configs/escalation/*.toml``, one policy each; errors name file and key. Every time
is written with its kind: ``15 min`` and ``72 h`` pass at any time of day, ``4 working h`` within
working hours only, ``2 working days`` end with the last of these days' work.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.effect import in_effect
from contracts.settings import SettingsError, load_settings
from contracts.words import Due, Severity
from contracts.workdays import china_day
from gateway.alerts.rule import matches

_SPAN = r"^([1-9][0-9]{0,3}) (min|h|working h|working days?)$"
SpanText = Annotated[str, Meta(pattern=_SPAN, examples=["15 min", "72 h", "2 working days"])]
Mark = Annotated[
    Literal["V", "S", "U"],
    Meta(description="V read in a primary text, S seen in a secondary one, U our choice."),
]


class Unit(StrEnum):
    """The kinds of time that deadlines are counted in."""

    MINUTES = "min"
    HOURS = "h"
    WORKING_HOURS = "working h"
    WORKING_DAYS = "working days"

    @property
    def is_working(self) -> bool:
        """Whether it passes within working hours only."""
        return self in (Unit.WORKING_HOURS, Unit.WORKING_DAYS)


class Span(msgspec.Struct, frozen=True):
    """A length of time of one kind."""

    count: int
    unit: Unit

    @classmethod
    def read(cls, text: str) -> "Span":
        """``4 working h``. Raises ValueError."""
        found = re.match(_SPAN, text)
        if found is None:
            raise ValueError(f"{text!r} is no time like 15 min, 72 h, 4 working h, 2 working days")
        unit = Unit.WORKING_DAYS if found[2] == "working day" else Unit(found[2])
        return cls(int(found[1]), unit)

    @property
    def length(self) -> timedelta:
        """Its length; raises ValueError for working days, which have none of their own."""
        if self.unit is Unit.WORKING_DAYS:
            raise ValueError("working days are counted by the calendar")
        return timedelta(minutes=self.count * (1 if self.unit is Unit.MINUTES else 60))


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something may take."""

    within: Annotated[SpanText, Meta(description="From the step before until this is done.")]
    again: Annotated[
        SpanText, Meta(description="Once missed: how long each next level has for the same.")
    ]
    source: Annotated[str, Meta(min_length=1, description="Where the figures are from.")]
    mark: Mark
    cards: Annotated[bool, Meta(description="Whether a miss costs the establishment a card.")] = (
        False
    )


class ClassPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The deadlines of one class of alerts; one that is left out does not run."""

    severity: Severity
    ends_when_resolved: Annotated[
        bool,
        Meta(
            description="Whether nothing is due any more once the data say that it is over and "
            "nobody has disposed of it yet."
        ),
    ]
    acknowledge: Deadline | None = None
    dispose: Deadline | None = None
    review: Deadline | None = None

    def deadline(self, kind: Due) -> Deadline | None:
        """The deadline of that kind."""
        deadline: Deadline | None = getattr(self, kind.value)
        return deadline


class WorkingHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When work is done on a working day."""

    spans: Annotated[
        tuple[tuple[time, time], ...],
        Meta(min_length=1, description="From, until; in order; China's time."),
    ]
    source: Annotated[str, Meta(min_length=1)]
    mark: Mark


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy file."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[str, Meta(min_length=1, max_length=32)]
    hours: WorkingHours
    yellow_stands_days: Annotated[
        int, Meta(ge=1, description="How many days a yellow card makes the next one red.")
    ]
    classes: Annotated[tuple[ClassPolicy, ...], Meta(min_length=1)] = msgspec.field(name="class")
    regions: Annotated[
        tuple[str, ...], Meta(description="Patterns of region codes; none: everywhere.")
    ] = ()
    effective_from: Annotated[date | None, Meta(description="First day (China's).")] = None
    effective_until: Annotated[date | None, Meta(description="Last day (China's).")] = None

    def of_class(self, severity: Severity) -> ClassPolicy:
        """What holds for a class."""
        return next(one for one in self.classes if one.severity is severity)

    def holds(self, region: str, at: datetime) -> bool:
        """Whether it holds there, then."""
        return matches(self.regions, region) and in_effect(self, china_day(at))


class NoPolicy(LookupError):
    """No policy holds for a place and day; the text says which."""


class PolicyBook:
    """All policies; where several hold, one that names regions before one for all; the first id."""

    def __init__(self, policies: Iterable[Policy], where: str) -> None:
        self.policies = sorted(policies, key=lambda one: (not one.regions, one.id))
        self._where = where

    def policy(self, region: str, at: datetime) -> Policy:
        """What holds in a region at a moment. Raises NoPolicy."""
        for policy in self.policies:
            if policy.holds(region, at):
                return policy
        raise NoPolicy(f"{self._where}: no escalation policy for {region} on {china_day(at)}")


def read_policies(path: Path) -> PolicyBook:
    """A policy file, or all ``*.toml`` of a folder. Raises SettingsError with file and key."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise SettingsError(f"{path}: there is no policy file (*.toml)")
    policies: dict[str, Policy] = {}
    for file in files:
        policy = load_settings(file, Policy)
        _check(policy, file)
        if policy.id in policies:
            raise SettingsError(f"{file}: id: {policy.id} stands in another file, too")
        policies[policy.id] = policy
    return PolicyBook(policies.values(), str(path))


def _check(policy: Policy, file: Path) -> None:
    classes = sorted(one.severity for one in policy.classes)
    if classes != sorted(Severity):
        raise SettingsError(f"{file}: class: classes 1, 2 and 3 must stand once each")
    last = time.min
    for begins, ends in policy.hours.spans:
        if not last <= begins < ends:
            raise SettingsError(f"{file}: hours.spans: {begins}–{ends} is out of order")
        last = ends
    begins_on, ends_on = policy.effective_from, policy.effective_until
    if begins_on and ends_on and ends_on < begins_on:
        raise SettingsError(f"{file}: effective_until: {ends_on} is before {begins_on}")
