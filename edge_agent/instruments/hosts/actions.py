"""What a host asks to be done, and what every host can be asked.

A host's answers are iterators: each action is carried out before the next is asked for. So a `Send`
that acknowledges comes after the action that stores, and is never reached if storing fails.
"""

from collections.abc import Generator
from datetime import datetime
from typing import Protocol

import msgspec

from edge_agent.instruments.decoder import Row
from edge_agent.instruments.logbook import HeldFrame
from edge_agent.protocols.events import Discarded

NEVER = float("inf")


class Send(msgspec.Struct, frozen=True):
    """Write to the line."""

    content: bytes


class Take(msgspec.Struct, frozen=True):
    """Records have arrived: make them facts, durably."""

    rows: list[Row]
    fresh: bool = False
    """True if they were measured since the last poll: then the instrument's clock can be judged."""
    began_at: datetime | None = None
    """Our clock at the last byte of the frame that bears the instrument's time of sending."""


class Hold(msgspec.Struct, frozen=True):
    """Keep an acknowledged frame durably until `Release`."""

    frame: HeldFrame


class Release(msgspec.Struct, frozen=True):
    """What was held is stored elsewhere now."""


class SetAside(msgspec.Struct, frozen=True):
    """Bytes in good frames that can't be read: quarantine them."""

    content: bytes
    reason: str
    offset: int
    """Where they began, in bytes since the line was opened."""


class Noise(msgspec.Struct, frozen=True):
    """Bytes that belong to no frame."""

    discarded: Discarded
    harmless: bool = False
    """An echo, for example: part of the line's ways, not counted against it."""


class Answered(msgspec.Struct, frozen=True):
    """The instrument is there. `problem` is what it complains of."""

    problem: str = ""


class NoAnswer(msgspec.Struct, frozen=True):
    """A request went unanswered."""

    detail: str


class Missing(msgspec.Struct, frozen=True):
    """Records that the instrument counts but does not give."""

    count: int
    detail: str


Action = Send | Take | Hold | Release | SetAside | Noise | Answered | NoAnswer | Missing
Actions = Generator[Action, None, None]


class Host(Protocol):
    """One instrument's host. `now` is monotonic seconds, `at` the wall clock in UTC."""

    @property
    def busy(self) -> bool:
        """In the middle of an exchange: no other unit of the bus may speak."""

    def due(self) -> float:
        """When `wake` has something to do (monotonic), or NEVER."""

    def open(self, now: float) -> Actions:
        """The line has just been opened."""

    def wake(self, now: float, at: datetime) -> Actions:
        """The time that `due` named has come."""

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        """Bytes have arrived."""

    def refused(self, now: float) -> Actions:
        """The last action could not be carried out (storage failed)."""

    def finish(self) -> Actions:
        """The stream has ended: give up what is incomplete."""
