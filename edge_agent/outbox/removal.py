"""Removing receipted rows in short transactions, so that a put never waits long for a removal."""

import sqlite3
from collections import deque

_REMOVE_AT_ONCE = 2000
_REMOVE = (
    "DELETE FROM events WHERE key IN "
    "(SELECT key FROM events WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?)"
)


def remove_some(courier: sqlite3.Connection, waiting: deque[tuple[int, int]]) -> int:
    """Remove a bounded number of rows in one transaction; takes from `waiting` what is done."""
    courier.execute("BEGIN IMMEDIATE")
    left = deque(waiting)
    gone = looked_at = 0
    while left and gone < _REMOVE_AT_ONCE and looked_at < _REMOVE_AT_ONCE:
        first, last = left.popleft()
        row_limit = _REMOVE_AT_ONCE - gone
        rows = courier.execute(_REMOVE, (first, last, row_limit)).rowcount
        if rows == row_limit:
            left.appendleft((first, last))  # there may be more of it
        gone += rows
        looked_at += 1
    courier.execute("COMMIT")
    waiting.clear()
    waiting.extend(left)
    return gone
