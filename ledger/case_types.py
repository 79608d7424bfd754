"""What cases are made of in the ledger: row, publication, refusal; imported from `cases`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from contracts.casework import CaseKind, Finding, Reason, Refusal
from ledger.engine import Connection


class CaseRow(msgspec.Struct, frozen=True):
    """A case as it stands."""

    number: int
    case_id: str
    case_number: str
    """县区, year and serial: ``440703-2026-0001``."""
    kind: CaseKind
    state: str
    finding: Finding
    outcome: str
    """Empty until it is closed."""
    severity: int | None
    """The class of the alert that it was opened from."""
    title_zh: str
    title_en: str
    region: str
    site: str
    establishment_id: str | None
    opened_at: datetime
    opened_by: str
    known_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    """When it first came to an end, whichever; None: it never has. That stays if it is reopened."""
    version: int
    """A mover says which version they saw."""
    assignee: str
    """Officer id; empty: nobody yet."""
    paused_since: datetime | None
    due_at: datetime | None
    """The last moment in time for what officers owe next; None: nothing, or it is held up."""
    due_clock: str
    """The clock that is due then."""
    due_unknown: bool
    """A working calendar is missing: something is due, and nobody can say when."""
    rules_version: str
    reopened: int = 0
    """How often it was brought back from an end."""
    reopened_at: datetime | None = None
    """Since when it is open again; None: it is not."""
    remind_at: datetime | None = None
    """When somebody is next told of what is due."""

    @property
    def is_open(self) -> bool:
        """Whether officers have to do with it."""
        return self.closed_at is None or self.reopened_at is not None


class CaseCount(msgspec.Struct, frozen=True):
    """How many cases there are of one kind in one state."""

    state: str
    kind: CaseKind
    count: int


class Publication(msgspec.Struct, frozen=True):
    """What the public may read of a case, or could until it ended."""

    case_id: str
    establishment_id: str | None
    case_number: str
    title_zh: str
    title_en: str
    outcome: str
    decided_at: datetime | None
    published_at: datetime
    published_by: str
    expires_at: datetime
    """From this moment on it is shown no longer."""
    ended_at: datetime | None
    ended_by_move: str
    """``expire`` or ``annul``; empty while it is shown."""
    reason: str
    """Why it was withdrawn."""


class StoredFile(Protocol):
    """What a case must know of a file that was handed in."""

    @property
    def id(self) -> str:
        """What a move refers to it by."""

    @property
    def kind(self) -> str:
        """``photo``, ``document`` or ``report``."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""


FilesOf = Callable[[Connection, str], Sequence[StoredFile]]
"""The files of a case, by its id."""


class CaseRefused(ValueError):
    """A case was not opened or not moved; `refusal` says why, in both languages."""

    def __init__(self, *reasons: Reason) -> None:
        self.refusal = Refusal(reasons)
        super().__init__(self.refusal.en)

    @property
    def changed(self) -> bool:
        """Whether somebody else was first: load it again."""
        return any(reason.code == "changed" for reason in self.refusal.reasons)
