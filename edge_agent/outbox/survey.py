"""A look into an outbox from outside, beside a running agent: what waits, since when, and why."""

import sqlite3
from pathlib import Path

import msgspec

from edge_agent.outbox import quarantine, schema
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.quarantine import Quarantined
from edge_agent.outbox.state import OutboxState, read_state
from edge_agent.ports import OutboxError


class Waiting(msgspec.Struct, frozen=True):
    """The events of one lane."""

    lane: str
    count: int
    oldest_put_at: float
    newest_put_at: float


class Survey(msgspec.Struct, frozen=True):
    """An outbox as found in its file."""

    state: OutboxState
    waiting: list[Waiting]
    quarantine: list[Quarantined]
    notes: dict[str, bytes]


def survey(path: Path) -> Survey:
    """Read the file without changing it. Raises OutboxError."""
    if not path.exists():
        raise OutboxError(f"outbox {path} does not exist yet: no agent has run with these settings")
    try:
        connection = schema.open_reader(path)
    except sqlite3.Error as error:
        raise OutboxError(schema.explain(error, path, 0)) from None
    try:
        return Survey(
            state=read_state(connection, "", None, _count(connection), "", ""),
            waiting=[_waiting(connection, lane, count) for lane, count in _lanes(connection)],
            quarantine=quarantine.newest(connection, 5),
            notes=dict(connection.execute("SELECT name, value FROM notes")),
        )
    except sqlite3.Error as error:
        raise OutboxError(schema.explain(error, path, 0)) from None
    finally:
        connection.close()


def _count(connection: sqlite3.Connection) -> int:
    return sum(count for _, count in _lanes(connection))


def _lanes(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT lane, COUNT(*) FROM events GROUP BY lane").fetchall()


def _waiting(connection: sqlite3.Connection, lane: int, count: int) -> Waiting:
    ends = [
        connection.execute(
            f"SELECT put_at FROM events WHERE lane = ? ORDER BY key {order} LIMIT 1",  # noqa: S608
            (lane,),
        ).fetchone()[0]
        for order in ("ASC", "DESC")
    ]
    return Waiting(Lane(lane).name.lower(), count, ends[0], ends[1])
