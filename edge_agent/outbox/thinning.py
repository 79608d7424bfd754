"""Making room: old readings thin out to one in eight, then go; nothing else is ever touched.

Oldest first, each device on its own, so that a long outage leaves a coarser curve of every probe
and not a hole. When no reading is left at full density, the oldest of the thinned go.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from edge_agent.outbox.schema import note_gone

CHUNK = 1000
"""Rows looked at in one step; a step is one short transaction."""
KEEP_ONE_IN = 8


def thin_step(connection: sqlite3.Connection) -> int:
    """Drop some readings in the open transaction; returns how many, 0 if none are left to drop."""
    dropped: list[int] = []
    while not dropped:
        rows = connection.execute(
            "SELECT key, thin, topic FROM events INDEXED BY events_to_thin "
            "WHERE lane = 2 ORDER BY thin, key LIMIT ?",
            (CHUNK,),
        ).fetchall()
        if not rows:
            return 0
        fresh = [(key, topic) for key, thin, topic in rows if thin == 0]
        if fresh:
            dropped = _keep_some(connection, fresh)
        else:
            dropped = [key for key, _, _ in rows]
            _delete(connection, dropped)
    connection.execute(
        "INSERT INTO counters VALUES ('thinned', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (len(dropped),),
    )
    note_gone(connection, dropped, thinned=True)
    return len(dropped)


def _keep_some(connection: sqlite3.Connection, rows: list[tuple[int, str]]) -> list[int]:
    seen: dict[str, int] = defaultdict(int)
    kept: list[tuple[int]] = []
    dropped: list[int] = []
    for key, topic in rows:
        if seen[topic] % KEEP_ONE_IN:
            dropped.append(key)
        else:
            kept.append((key,))
        seen[topic] += 1
    _delete(connection, dropped)
    connection.executemany("UPDATE events SET thin = 1 WHERE key = ?", kept)
    return dropped


def _delete(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    connection.executemany("DELETE FROM events WHERE key = ?", [(key,) for key in keys])
