"""Making room: old readings thin out to one in eight, then go; nothing else is ever touched.

Oldest first, each device on its own, so that a long outage leaves a coarser curve of every probe
and not a hole. When no reading is left at full density, the oldest of the thinned go.
"""

import sqlite3
from collections import defaultdict

CHUNK = 1000
"""Rows looked at in one step; a step is one short transaction."""
KEEP_ONE_IN = 8


def thin_step(connection: sqlite3.Connection) -> int:
    """Drop some readings in the open transaction; returns how many, 0 if none are left to drop."""
    dropped = 0
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
            connection.executemany("DELETE FROM events WHERE key = ?", [row[:1] for row in rows])
            dropped = len(rows)
    connection.execute(
        "INSERT INTO counters VALUES ('thinned', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (dropped,),
    )
    return dropped


def _keep_some(connection: sqlite3.Connection, rows: list[tuple[int, str]]) -> int:
    seen: dict[str, int] = defaultdict(int)
    kept: list[tuple[int]] = []
    dropped: list[tuple[int]] = []
    for key, topic in rows:
        (dropped if seen[topic] % KEEP_ONE_IN else kept).append((key,))
        seen[topic] += 1
    connection.executemany("DELETE FROM events WHERE key = ?", dropped)
    connection.executemany("UPDATE events SET thin = 1 WHERE key = ?", kept)
    return len(dropped)
