"""Checkpoints of an SQLite ledger beside its transactions, instead of within some of them.

SQLite writes to a log (WAL), and moves it into the database file when it is long: by default within
the very commit that made it so, and every transaction of the process waits for some hundred
milliseconds. Here a connection of its own moves it, while others go on writing. A bound stays for
processes in which nobody does this (`ledger.engine`).
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from ledger.engine import LedgerDown, turn

BEGIN_ANEW_BYTES = 32 << 20
"""A log file of this size is begun anew, which keeps writers out for the moment that it takes."""
READERS_S = 0.05
"""So long that moment waits for those who still read the old log."""


class Moved(NamedTuple):
    """What stands in the log, and how much of it is in the database file, too."""

    pages: int
    moved: int
    begun_anew: bool
    """Whether the next page goes to the log's beginning."""


class Checkpoints:
    """Moves the log of one ledger; for one thread. Nothing to do for PostgreSQL."""

    def __init__(self, engine: Engine, *, begin_anew_bytes: int = BEGIN_ANEW_BYTES) -> None:
        """Opens no file yet."""
        name = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
        self._engine = engine
        self.file = Path(name) if name and name != ":memory:" else None
        self._begin_anew_bytes = begin_anew_bytes
        self._connection: sqlite3.Connection | None = None

    def look_once(self) -> Moved | None:
        """Move what nobody reads any more; None if there is no such log. Raises LedgerDown."""
        if self.file is None or not self.file.exists():
            return None
        try:
            return self._move()
        except sqlite3.Error as error:
            self.close()
            raise LedgerDown(f"{self.file}: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _move(self) -> Moved:
        if self._connection is None:
            self._connection = sqlite3.connect(
                str(self.file), isolation_level=None, timeout=READERS_S, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous = FULL")
        _, pages, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if moved < pages or self._log_bytes() < self._begin_anew_bytes:
            return Moved(pages, moved, begun_anew=False)
        with turn(self._engine):  # only what was written this very moment is left to move
            found = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        busy, pages, moved = found
        return Moved(pages, moved, begun_anew=not busy)

    def _log_bytes(self) -> int:
        try:
            return Path(f"{self.file}-wal").stat().st_size
        except FileNotFoundError:
            return 0
