"""Removing receipted rows in short transactions, so that a put never waits long for a removal."""

import sqlite3
from collections import deque

from edge_agent.outbox.schema import note_gone

_REMOVE_AT_ONCE = 2000
_REMOVE = (
    "DELETE FROM events WHERE key IN "
    "(SELECT key FROM events WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?) RETURNING key"
)


def remove_some(courier: sqlite3.Connection, waiting: deque[tuple[int, int]]) -> int:
    """Remove a bounded number of rows in one transaction; takes from `waiting` what is done."""
    courier.execute("BEGIN IMMEDIATE")
    left = deque(waiting)
    gone: list[int] = []
    looked_at = 0
    while left and len(gone) < _REMOVE_AT_ONCE and looked_at < _REMOVE_AT_ONCE:
        first, last = left.popleft()
        row_limit = _REMOVE_AT_ONCE - len(gone)
        keys = [key for (key,) in courier.execute(_REMOVE, (first, last, row_limit))]
        if len(keys) == row_limit:
            left.appendleft((first, last))  # there may be more of it
        gone += keys
        looked_at += 1
    note_gone(courier, gone)
    courier.execute("COMMIT")
    waiting.clear()
    waiting.extend(left)
    return len(gone)
