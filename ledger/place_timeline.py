"""The timeline of an establishment: all that happened there, in one order, in pages.

Every source is asked for one page behind the last line seen, so that a page costs the same number
of statements however long the timeline is.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from heapq import merge
from itertools import islice

import msgspec
from sqlalchemy import Connection, select

from ledger import timeline_books, timeline_facts
from ledger.establishments import Establishment
from ledger.place_lines import Line, LineKind, Window
from ledger.schema import sites

EVERY = frozenset(LineKind)
REGISTER, LIVES, SILENCES, TESTS, CROSSINGS, SCENES, ALERTS, CASES, PUBLIC, CARDS = range(1, 11)
"""Ranks of the sources; what was given a place once keeps it, for cursors carry it."""


def lines(
    conn: Connection,
    one: Establishment,
    window: Window,
    now: datetime,
    *,
    kinds: Iterable[LineKind] = EVERY,
    internal: bool = True,
    moves: Collection[str] | None = None,
) -> list[Line]:
    """The newest lines of these kinds in the window, at most its limit.

    Without `internal` nobody is named, no note is told, and steps that are the authority's own are
    left out; `moves` are the steps of cases that are told (None: every one).
    """
    wanted = frozenset(kinds)
    owner = one.id
    parts: list[list[Line]] = []
    if wanted & {LineKind.LICENCE, LineKind.SCORE}:
        told = timeline_books.register(conn, one, REGISTER, now)
        parts.append(timeline_books.small(told, wanted, window))
    if LineKind.DEVICE in wanted:
        own = list(conn.scalars(select(sites.c.id).where(sites.c.establishment_id == owner)))
        lives = timeline_books.device_lives(conn, own, LIVES)
        parts.append(timeline_books.small(lives, wanted, window))
        parts.append(timeline_books.silences_of_devices(conn, own, window, SILENCES))
    if LineKind.TEST in wanted:
        parts.append(timeline_facts.tests(conn, owner, window, TESTS))
    if LineKind.READING in wanted:
        parts.append(timeline_facts.crossings(conn, owner, window, CROSSINGS))
    if LineKind.OBSERVATION in wanted:
        parts.append(timeline_facts.scenes(conn, owner, window, SCENES))
    if LineKind.ALERT in wanted:
        parts.append(timeline_facts.alert_steps(conn, owner, window, ALERTS, internal=internal))
    if LineKind.CASE in wanted:
        parts.append(timeline_facts.case_steps(conn, owner, window, CASES, moves))
    if LineKind.PUBLICATION in wanted:
        told = timeline_books.publications(conn, owner, PUBLIC, now)
        parts.append(timeline_books.small(told, wanted, window))
    if LineKind.SCORE in wanted:
        told = timeline_books.cards_given(conn, owner, CARDS)
        parts.append(timeline_books.small(told, wanted, window))
    # Within a source its rows stand as the database ordered them.
    ordered = merge(*parts, key=lambda line: (line.at, line.place.rank), reverse=True)
    found = list(islice(ordered, window.limit))
    return found if internal else [_without_names(line) for line in found]


def _without_names(line: Line) -> Line:
    return msgspec.structs.replace(line, actor="", note="")
