"""Old values leave a SQLite file, a few with every write, so that nothing waits for it for long.

A walk goes over the series, some at each step, and removes at most twice as many values as were
just written: so it keeps up with what comes in, and a step takes about as long as the write did.
After a walk it rests. A clock that has run away removes nothing: the time is what the clock says or
that of the newest value just written, whichever is earlier.
"""

import sqlite3
import time
from collections.abc import Callable

from contracts.clock import Clock, utc_now
from timeseries.keep import seconds
from timeseries.port import to_ns

STEP_SERIES = 100
"""Series that are looked at in one step, at most."""
STEP_VALUES = 1_000
"""Values that a step may remove, however few were written."""
REST_S = 3_600.0


class Expiry:
    """Where the walk through one file stands. For one thread at a time."""

    def __init__(
        self,
        keep_days: int,
        clock: Clock = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep_ns = seconds(keep_days) * 1_000_000_000
        self._clock = clock
        self._ticks = ticks
        self._done = 0
        """The last series that is done with; 0 at the beginning of a walk."""
        self._rests_until = 0.0

    def step(self, connection: sqlite3.Connection, written: int, newest_ns: int) -> int:
        """After `written` values, the newest of `newest_ns`: remove some; returns how many.

        The connection is in no transaction. Raises sqlite3.Error; the walk rests after that, too.
        """
        now = self._ticks()
        if not self._keep_ns or now < self._rests_until:
            return 0
        self._rests_until = now + REST_S  # unless there is more to do
        before_ns = min(to_ns(self._clock()), newest_ns) - self._keep_ns
        query = "SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?"
        series = [row[0] for row in connection.execute(query, (self._done, STEP_SERIES))]
        fields = [row[0] for row in connection.execute("SELECT id FROM fields")]
        removed, most = 0, max(STEP_VALUES, 2 * written)
        with connection:
            for one in series:
                for field in fields:
                    removed += _remove(connection, one, field, before_ns, most - removed)
                if removed >= most:  # there may be more of this series: again, next time
                    break
                self._done = one
        if removed < most and len(series) < STEP_SERIES:
            self._done = 0
        else:
            self._rests_until = 0.0
        return removed


def _remove(
    connection: sqlite3.Connection, series: int, field: int, before_ns: int, most: int
) -> int:
    """Remove the oldest values from before `before_ns` of one series, at most `most`."""
    mine = "FROM samples WHERE series = ? AND field = ? AND at_ns < ?"
    oldest = f"SELECT at_ns {mine} ORDER BY at_ns LIMIT 1"
    if most <= 0 or not connection.execute(oldest, (series, field, before_ns)).fetchone():
        return 0
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    beyond = connection.execute(f"{oldest} OFFSET ?", (series, field, before_ns, most)).fetchone()
    until_ns = beyond[0] if beyond else before_ns
    return connection.execute(f"DELETE {mine}", (series, field, until_ns)).rowcount
