"""A case 处置单: its words, its events, what a mover gives, and why a move is refused.

Pure values. What may follow what is data (`casework_file`); who may do what now is worked out in
`casework_moves`, and what is due by when in `casework_clocks`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.casework_words import REASONS

OPENED = "opened"
"""The first event of every case; everything else is a move of the data."""
CLOCK = "clock"
"""The role under which a clock that ran out makes its move; no person has it."""


class CaseKind(StrEnum):
    """What a case rests on; the law gives each other rights."""

    PRODUCE_TEST = "produce_test"
    """食用农产品快检: objection within 4 hours of service."""
    FOOD_TEST = "food_test"
    """其他食品快检: a screen; objections are to the laboratory's report."""
    SCENE = "scene"
    """现场、视频、温度: established by an inspection on site."""


class Finding(StrEnum):
    """What is held of it. Nothing but a statutory test or inspection moves it from suspect."""

    SUSPECT = "suspect"
    ESTABLISHED = "established"
    CLEARED = "cleared"


class Need(StrEnum):
    """What a move asks of whoever makes it."""

    NOTE = "note"
    PHOTO = "photo"
    DOCUMENT = "document"
    REPORT = "report"
    FILE = "file"
    """A file of any kind."""
    SECOND = "second"
    """A second officer who was there."""
    TIME = "time"
    """When it really happened: service, receipt, decision."""
    DEADLINE = "deadline"
    """By when somebody else must have done it."""
    LAB = "lab"
    OTHER_LAB = "other_lab"
    """A laboratory that has not tested in this case."""
    STATUTORY = "statutory"
    """By a statutory method; the rapid one is barred."""
    VERDICT = "verdict"
    ASSIGNEE = "assignee"
    OUTCOME = "outcome"


FILE_KINDS = {Need.PHOTO: "photo", Need.DOCUMENT: "document", Need.REPORT: "report"}
Method = Literal["", "statutory", "rapid"]
Moment = Annotated[datetime, Meta(tz=True)]
CaseVerdict = Literal["", "fails", "passes"]


class FileRef(msgspec.Struct, frozen=True):
    """A file that a move refers to; its content is named by its hash."""

    id: str
    kind: str = ""
    """``photo``, ``document`` or ``report``."""
    sha256: str = ""


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a mover gives with a move; what the move does not take must be left empty."""

    note: str = ""
    files: tuple[FileRef, ...] = ()
    second: str = ""
    """Officer id."""
    happened_at: Moment | None = None
    deadline: Moment | None = None
    lab: str = ""
    method: Method = ""
    verdict: CaseVerdict = ""
    assignee: str = ""
    """Officer id."""
    outcome: str = ""


class Mover(msgspec.Struct, frozen=True):
    """Who moves a case: an officer's id and the word of their role."""

    id: str
    role: str


class CaseEvent(msgspec.Struct, frozen=True):
    """One step of a case; never changed, never removed.

    Its digest stands in the audit chain: a new field of `Given` leaves old ones as they are, one
    of this type would not.
    """

    seq: int
    """From 1 without gaps; the case's version after it."""
    event_id: str
    move: str
    at: datetime
    """When it was recorded."""
    actor: str
    """Officer id; empty: a clock."""
    role: str
    counts_at: datetime
    """When it happened; clocks count from here."""
    state: str
    """The case's state after it."""
    finding: Finding
    given: Given
    rules_version: str


class Case(msgspec.Struct, frozen=True):
    """A case: what it rests on, and all that happened to it, in order."""

    case_id: str
    kind: CaseKind
    events: tuple[CaseEvent, ...]

    @property
    def version(self) -> int:
        """How many events it has; a mover says which version they saw."""
        return len(self.events)

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.events[-1].state

    @property
    def finding(self) -> Finding:
        """Suspect until a statutory test says more."""
        return self.events[-1].finding

    @property
    def known_at(self) -> datetime:
        """When the city came to know of it."""
        return self.events[0].counts_at

    @property
    def occurred_at(self) -> datetime:
        """When the fact happened that it rests on."""
        return self.events[0].given.happened_at or self.known_at

    @property
    def outcome(self) -> str:
        """How it ended; empty: not yet."""
        return next((one.given.outcome for one in reversed(self.events) if one.given.outcome), "")

    @property
    def assignee(self) -> str:
        """The officer it is dispatched to; empty: nobody yet."""
        return next((one.given.assignee for one in reversed(self.events) if one.given.assignee), "")

    @property
    def labs(self) -> frozenset[str]:
        """Where was tested in this case, by `lab_name`."""
        return frozenset(lab_name(one.given.lab) for one in self.events if one.given.lab)

    def last(self, *moves: str) -> CaseEvent | None:
        """The last event of any of these moves."""
        return next((one for one in reversed(self.events) if one.move in moves), None)


def lab_name(text: str) -> str:
    """A laboratory's name as it is compared: without blanks and case."""
    return "".join(text.split()).casefold()


class Reason(msgspec.Struct, frozen=True):
    """Why a move cannot be made: a code, and what it is about."""

    code: str
    """A key of `casework_words.REASONS`."""
    args: Mapping[str, str] = {}

    @property
    def zh(self) -> str:
        """In Chinese; `args` that end in ``_en`` are for the other one."""
        return REASONS[self.code][0].format_map(dict(self.args))

    @property
    def en(self) -> str:
        """In English."""
        return REASONS[self.code][1].format_map(dict(self.args))


class Refusal(msgspec.Struct, frozen=True):
    """A move was not made; at least one reason."""

    reasons: tuple[Reason, ...]

    @property
    def zh(self) -> str:
        """All reasons in Chinese."""
        return "；".join(reason.zh for reason in self.reasons)

    @property
    def en(self) -> str:
        """All reasons in English."""
        return "; ".join(reason.en for reason in self.reasons)
