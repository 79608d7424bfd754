"""Casework as data: the keys of ``firmware_configs/casework/*.toml`` and the rules made of them."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.casework import CaseKind, Finding, Need
from contracts.effect import in_effect
from contracts.workdays import china_day

Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Words = Annotated[str, Meta(min_length=1, max_length=200)]
Mark = Literal["V", "S", "U"]
AlertStep = Literal["", "dispose", "return", "review", "close", "pause", "resume"]
PartySees = Literal["", "step", "whole"]
Told = Literal["assignee", "party", "officers"]
GIVEN = "given"
_LENGTH = re.compile(r"(\d+) (h|working days?|months?|years?)")
SomeHours = Annotated[str, Meta(pattern=r"^([1-9]\d{0,3} h)?$")]
Length = Annotated[str, Meta(pattern=r"^(given|[1-9]\d{0,3} (h|working days?|months?|years?))$")]


class Basis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provision of the law, or a choice of ours; `mark` says how far it has been checked."""

    id: Annotated[Id, Meta(description="What moves, outcomes and clocks call it.")]
    zh: Annotated[Words, Meta(description="Name and article, in Chinese.")]
    en: Annotated[Words, Meta(description="Name and article, in English.")]
    source: Annotated[Words, Meta(description="Where it was read, and what it says.")]
    mark: Annotated[
        Mark, Meta(description="V: read in a primary text; S: in a secondary one; U: unverified.")
    ]
    source_zh: Annotated[
        str, Meta(max_length=200, description="The same in Chinese; empty: there is none.")
    ] = ""
    effective_from: Annotated[date | None, Meta(description="First day (China's).")] = None
    effective_until: Annotated[date | None, Meta(description="Last day (China's).")] = None


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a case can stand."""

    id: Annotated[Id, Meta(description="Stands in the books for ever; words may change.")]
    zh: Annotated[Words, Meta(description="Its name in Chinese.")]
    en: Annotated[Words, Meta(description="Its name in English.")]
    end: Annotated[bool, Meta(description="Whether a case may rest here for good.")] = False


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people closed a case."""

    id: Annotated[Id, Meta(description="Stands in the books for ever.")]
    zh: Annotated[Words, Meta(description="Its name in Chinese.")]
    en: Annotated[Words, Meta(description="Its name in English.")]
    publish: Annotated[bool, Meta(description="Whether it is published.")]
    basis: Annotated[tuple[str, ...], Meta(min_length=1, description="Ids of legal bases.")]
    warning: Annotated[bool, Meta(description="Only a warning: by law it is never published.")] = (
        False
    )
    finding: Annotated[
        tuple[Finding, ...], Meta(description="What must have been found; empty: anything.")
    ] = ()
    needs: Annotated[tuple[Need, ...], Meta(description="What closing so asks for besides.")] = ()


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of a case: from which states, by whom, with what."""

    id: Annotated[Id, Meta(description="Stands in the books for ever.")]
    zh: Annotated[Words, Meta(description="Its name in Chinese.")]
    en: Annotated[Words, Meta(description="Its name in English.")]
    sources: Annotated[tuple[str, ...], Meta(min_length=1, description="From which states.")] = (
        msgspec.field(name="from")
    )
    by: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Roles; `clock`: nobody but a clock that ran out."),
    ]
    to: Annotated[str, Meta(description="The state after it; empty: as before.")] = ""
    kinds: Annotated[
        tuple[CaseKind, ...], Meta(description="Kinds of cases that have it; empty: all.")
    ] = ()
    needs: Annotated[tuple[Need, ...], Meta(description="What whoever makes it must give.")] = ()
    takes: Annotated[tuple[Need, ...], Meta(description="What may be given besides.")] = ()
    action: Annotated[bool, Meta(description="A measure 处置措施.")] = False
    after_action: Annotated[bool, Meta(description="Not before a measure was recorded.")] = False
    once: Annotated[bool, Meta(description="Made once in a case only.")] = False
    answers: Annotated[
        tuple[str, ...],
        Meta(
            description="Moves that it answers: one must be open. They cannot be made again "
            "before they are answered."
        ),
    ] = ()
    settles: Annotated[
        tuple[str, ...], Meta(description="Moves that it answers as well, if they are open.")
    ] = ()
    while_open: Annotated[
        tuple[str, ...],
        Meta(description="Only while one of these waits for its answer; it goes on waiting."),
    ] = ()
    within: Annotated[str, Meta(description="A party's right: only while this clock runs.")] = ""
    not_before: Annotated[
        tuple[str, ...], Meta(description="`time` may not be before the last of these moves.")
    ] = ()
    finding: Annotated[
        tuple[Finding, ...], Meta(description="What must be held; empty: anything.")
    ] = ()
    finds: Annotated[bool, Meta(description="Its verdict establishes or clears.")] = False
    outcomes: Annotated[tuple[str, ...], Meta(description="Only with these; empty: any.")] = ()
    settled: Annotated[bool, Meta(description="Not while something asked is unanswered.")] = False
    quiet: Annotated[bool, Meta(description="Not while a party's right runs.")] = False
    pauses: Annotated[bool, Meta(description="Holds clocks up until it is answered.")] = False
    while_paused: Annotated[bool, Meta(description="Whether an appeal leaves it possible.")] = True
    assignee: Annotated[bool, Meta(description="Only the officer it is dispatched to.")] = False
    not_by: Annotated[
        tuple[str, ...], Meta(description="Not by who made the last of these moves, or was second.")
    ] = ()
    publishes: Annotated[bool, Meta(description="From here on the public can read it.")] = False
    unpublishes: Annotated[bool, Meta(description="From here on it cannot any more.")] = False
    reopens: Annotated[
        bool, Meta(description="Brings a case back that had come to an end; it stays counted.")
    ] = False
    alert: Annotated[AlertStep, Meta(description="What it does to the case's alerts.")] = ""
    party: Annotated[
        PartySees,
        Meta(
            description="What the establishment's own people see of it: nothing; `step`: that it "
            "was made, when, with outcome and deadline; `whole`: note and files as well."
        ),
    ] = ""
    tells: Annotated[
        tuple[Told, ...],
        Meta(
            description="Who is told of it, because something waits for them: `assignee`, the "
            "`party`, the `officers` (in charge, or who is responsible there)."
        ),
    ] = ()
    basis: Annotated[tuple[str, ...], Meta(description="Ids of legal bases.")] = ()

    def is_of(self, kind: CaseKind) -> bool:
        """Whether cases of that kind have it."""
        return not self.kinds or kind in self.kinds


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time that the law or the city sets; of several with one id, the first day chooses."""

    id: Annotated[Id, Meta(description="What it is called.")]
    zh: Annotated[Words, Meta(description="Its name in Chinese.")]
    en: Annotated[Words, Meta(description="Its name in English.")]
    role: Annotated[
        Literal["duty", "right", "expiry"],
        Meta(description="Whose: an officer's duty, a party's right, the end of a publication."),
    ]
    starts: Annotated[
        tuple[str, ...], Meta(min_length=1, description="Moves that begin it; or `opened`.")
    ]
    ends: Annotated[tuple[str, ...], Meta(min_length=1, description="Moves that end it.")]
    length: Annotated[
        Length,
        Meta(
            description="`4 h`, `7 working days`, `3 months`, `3 years`, or `given`: the "
            "deadline that the beginning move sets."
        ),
    ]
    missed_zh: Annotated[Words, Meta(description="What missing it means, in Chinese.")]
    missed_en: Annotated[Words, Meta(description="What missing it means, in English.")]
    basis: Annotated[tuple[str, ...], Meta(min_length=1, description="Ids of legal bases.")]
    kinds: Annotated[
        tuple[CaseKind, ...], Meta(description="Kinds of cases that have it; empty: all.")
    ] = ()
    outcomes: Annotated[tuple[str, ...], Meta(description="Only with these; empty: any.")] = ()
    reopens: Annotated[
        tuple[str, ...], Meta(description="Moves after which it goes on with what was left.")
    ] = ()
    pauses: Annotated[bool, Meta(description="Whether an appeal holds it up.")] = False
    last_day: Annotated[
        Literal["midnight", "work"], Meta(description="When the last day ends.")
    ] = "midnight"
    makes: Annotated[str, Meta(description="The move that it makes when it runs out.")] = ""
    party: Annotated[
        bool, Meta(description="A duty that is the establishment's to do: it sees it, and is told.")
    ] = False
    soon: Annotated[
        SomeHours,
        Meta(
            description="How long before its end whoever owes the duty, or has the right, is told."
        ),
    ] = ""
    again: Annotated[
        SomeHours,
        Meta(description="A missed duty: after how long the level above the next is told, too."),
    ] = ""
    effective_from: Annotated[date | None, Meta(description="First day (China's).")] = None
    effective_until: Annotated[date | None, Meta(description="Last day (China's).")] = None

    @property
    def span(self) -> tuple[int, str]:
        """Count and unit: ``h``, ``working day`` or ``month``; (0, ``given``)."""
        if self.length == GIVEN:
            return 0, GIVEN
        found = _LENGTH.fullmatch(self.length)
        assert found is not None
        count, unit = int(found[1]), found[2].removesuffix("s")
        return (count * 12, "month") if unit == "year" else (count, unit)

    @property
    def soon_before(self) -> timedelta | None:
        """How long before its end it is told of; None: not."""
        return _hours(self.soon)

    @property
    def again_after(self) -> timedelta | None:
        """How long after its end one level more is told; None: not."""
        return _hours(self.again)

    @property
    def is_party(self) -> bool:
        """Whether it is the establishment's: its right, or its to do."""
        return self.role == "right" or self.party

    def is_of(self, kind: CaseKind, outcome: str) -> bool:
        """Whether a case of that kind, closed so, has it."""
        return (not self.kinds or kind in self.kinds) and (
            not self.outcomes or outcome in self.outcomes
        )


def _hours(text: str) -> timedelta | None:
    return timedelta(hours=int(text.removesuffix(" h"))) if text else None


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When work is done on a working day."""

    spans: Annotated[
        tuple[tuple[time, time], ...],
        Meta(min_length=1, description="From, until; in order; China's time."),
    ]
    source: Annotated[Words, Meta(description="Where they are from.")]
    mark: Annotated[Mark, Meta(description="V, S or U.")]


class CaseworkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in a file of the folder; all files together are the rules."""

    version: Annotated[
        Annotated[str, Meta(min_length=1, max_length=32)] | None,
        Meta(description="In one file: recorded with every event."),
    ] = None
    start: Annotated[str | None, Meta(description="In one file: the state a case begins in.")] = (
        None
    )
    own_time: Annotated[
        tuple[str, ...],
        Meta(description="Roles that cannot say when something happened: it counts from now."),
    ] = ()
    hours: Annotated[Hours | None, Meta(description="In one file: working hours.")] = None
    state: Annotated[tuple[State, ...], Meta(description="States.")] = ()
    move: Annotated[tuple[Move, ...], Meta(description="Moves.")] = ()
    outcome: Annotated[tuple[Outcome, ...], Meta(description="Outcomes.")] = ()
    clock: Annotated[tuple[Clock, ...], Meta(description="Clocks.")] = ()
    basis: Annotated[tuple[Basis, ...], Meta(description="Legal bases.")] = ()


class Rules(msgspec.Struct, frozen=True):
    """Casework's data, checked."""

    version: str
    start: str
    own_time: frozenset[str]
    hours: tuple[tuple[time, time], ...]
    states: Mapping[str, State]
    moves: Mapping[str, Move]
    outcomes: Mapping[str, Outcome]
    clocks: tuple[Clock, ...]
    basis: Mapping[str, Basis]
    asking: frozenset[str]
    """Moves that wait for an answer."""
    pausing: frozenset[str]
    """Moves that hold clocks up."""
    resuming: frozenset[str]
    """Moves that let them go on."""
    final: frozenset[str]
    """States that no move leaves, unless it brings the case back."""

    def clock(self, clock_id: str, at: datetime) -> Clock | None:
        """The clock of that id that begins at a moment, by the rule of its day."""
        return next(
            (one for one in self.clocks if one.id == clock_id and in_effect(one, china_day(at))),
            None,
        )
