"""What can be said of an outbox at a glance: the figures of the agent's health."""

import sqlite3
from datetime import datetime

import msgspec

from contracts.events import Numbering
from edge_agent.outbox.schema import KEPT_EPOCHS, SEQUENCE_MASK


class OutboxState(msgspec.Struct, frozen=True):
    """What the agent's health says of its outbox. Everything before (epoch, lowest) is stored in
    the city or was thinned."""

    epoch: str
    lowest_unreceipted: int | None
    oldest_put_at: float | None
    """POSIX time; None if nothing waits."""
    backlog: int
    used_bytes: int
    thinned: int
    quarantined: int
    failing: str
    """Why the last fact could not be stored; empty if it was."""
    set_aside: str
    """Where a broken outbox was moved to when this one was opened; empty if there was none."""
    numbering: tuple[Numbering, ...] = ()
    """The latest epochs, newest first."""


def read_state(
    connection: sqlite3.Connection,
    epoch: str,
    next_sequence: int | None,
    backlog: int,
    failing: str,
    set_aside: str,
) -> OutboxState:
    """Read the state in constant time; the epoch and number given stand where nothing waits."""
    oldest = connection.execute(
        "SELECT key, put_at, (SELECT name FROM epochs WHERE id = key >> 40) "
        "FROM events ORDER BY key LIMIT 1"
    ).fetchone()
    counters = dict(connection.execute("SELECT name, value FROM counters"))
    (quarantined,) = connection.execute(
        "SELECT COALESCE(MAX(id) - MIN(id) + 1, 0) FROM quarantine"
    ).fetchone()
    lowest = next_sequence
    if oldest is not None:
        epoch, lowest = oldest[2], oldest[0] & SEQUENCE_MASK
    return OutboxState(
        epoch=epoch,
        lowest_unreceipted=lowest,
        oldest_put_at=oldest and oldest[1],
        backlog=backlog,
        used_bytes=used_bytes(connection),
        thinned=counters.get("thinned", 0),
        quarantined=quarantined,
        failing=failing,
        set_aside=set_aside,
    )


def read_numbering(connection: sqlite3.Connection) -> tuple[Numbering, ...]:
    """How many numbers each of the latest epochs has given, newest first; in constant time."""
    found = connection.execute(
        "SELECT name, begun_at, thinned, MAX(given, COALESCE((SELECT key & ? FROM events "
        "WHERE key BETWEEN id << 40 AND (id << 40) + ? ORDER BY key DESC LIMIT 1), 0)) "
        "FROM epochs ORDER BY id DESC LIMIT ?",
        (SEQUENCE_MASK, SEQUENCE_MASK, KEPT_EPOCHS),
    )
    return tuple(
        Numbering(epoch, datetime.fromisoformat(begun_at), given, thinned)
        for epoch, begun_at, thinned, given in found
    )


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something (its size on the disk never shrinks)."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page_bytes)


def free_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold nothing and will be used before it grows."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int(free * page_bytes)
