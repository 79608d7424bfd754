"""What a line of an establishment's timeline is, in which order lines stand, and where one begins.

Lines stand by time, the newest first; at the same moment by the rank of their source and the key of
their row, so that the order is one and a page can begin behind any line, whatever is added later.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_


class LineKind(StrEnum):
    """What a line tells of."""

    LICENCE = "licence"
    """The licence and what else the register says."""
    DEVICE = "device"
    TEST = "test"
    READING = "reading"
    """A limit that readings crossed, not every reading."""
    OBSERVATION = "observation"
    ALERT = "alert"
    CASE = "case"
    PUBLICATION = "publication"
    SCORE = "score"
    """Risk grade, yellow and red cards."""


class Place(msgspec.Struct, frozen=True):
    """Where a line stands: lines before it in a list have a greater one."""

    at: datetime
    rank: int
    key: str


class Window(msgspec.Struct, frozen=True):
    """Which part of a timeline: from `since` up to before `until`, behind the line at `before`."""

    since: datetime | None = None
    until: datetime | None = None
    before: Place | None = None
    limit: int = 50


class Line(msgspec.Struct, frozen=True):
    """One thing that happened."""

    place: Place
    kind: LineKind
    event: str
    """What of its kind: ``retired``, ``offline``, ``positive``, a move of a case …"""
    record: str
    """The ledger's own name of it: ``result/0c4e…``, ``case/9f2c…/3``."""
    subject: str = ""
    """The id of what its page shows."""
    title_zh: str = ""
    title_en: str = ""
    values: dict[str, str] = {}
    """Facts as text: value, unit, limit, device, zone, before, after."""
    ended_at: datetime | None = None
    """Of what lasts: when it ended; None: it goes on, or has no length."""
    lasts: bool = False
    actor: str = ""
    """Officer id; internal."""
    note: str = ""
    """Internal."""
    proof: str = ""
    """A hash that the ledger keeps of it: the instrument's bytes, a case's step, a picture."""

    @property
    def at(self) -> datetime:
        """When it was."""
        return self.place.at


def within(
    query: Select[Any],
    window: Window,
    rank: int,
    at: Any,
    key: Any,
    of_key: Callable[[str], Any] = int,
) -> Select[Any]:
    """The newest rows of a source of this rank that stand in the window, in their order."""
    conditions: list[ColumnElement[bool]] = []
    if window.since is not None:
        conditions.append(at >= window.since)
    if window.until is not None:
        conditions.append(at < window.until)
    seen = window.before
    if seen is not None and rank > seen.rank:
        conditions.append(at < seen.at)
    elif seen is not None and rank < seen.rank:
        conditions.append(at <= seen.at)
    elif seen is not None:
        conditions.append(at <= seen.at)
        conditions.append(or_(at < seen.at, and_(at == seen.at, key < of_key(seen.key))))
    return query.where(*conditions).order_by(at.desc(), key.desc()).limit(window.limit)


def standing_in(lines: Iterable[Line], window: Window) -> list[Line]:
    """The same for lines that are at hand, of a source that is small."""
    seen = window.before
    found = [
        one
        for one in lines
        if (window.since is None or one.at >= window.since)
        and (window.until is None or one.at < window.until)
        and (seen is None or order_of(one.place) < order_of(seen))
    ]
    found.sort(key=lambda one: order_of(one.place), reverse=True)
    return found[: window.limit]


def order_of(place: Place) -> tuple[datetime, int, str]:
    """What places of one small source, or of different ones, are compared by."""
    return (place.at, place.rank, place.key)


def text_of(value: object) -> str:
    """A fact as text: numbers without needless zeros."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)
