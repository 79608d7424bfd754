"""What one instrument's line must remember across a power cut: one SQLite file per instrument.

`held` keeps frames that have been acknowledged but are not facts yet. `records` names the records
that were taken, so that a history that is replayed is passed over.

Order of writing, so that a crash can repeat but never lose:

1. `begin` notes the records' keys as *begun*;
2. the sink stores the facts;
3. `finish` marks the keys as *done* and, for held frames, lets them go.

A crash between 1 and 3 leaves *begun* keys. Their records are taken again when the instrument sends
them again (or from `held`), and then carry the flag ``may_be_repeat``: same device, same record
number, same bytes, so that who counts can tell.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import Clock
from contracts.sequences import RangeSet
from edge_agent.instruments.gaps import Gap, RecordNumbers

_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (id INTEGER PRIMARY KEY, at TEXT NOT NULL, last INTEGER NOT NULL,
  text BLOB NOT NULL, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, state INTEGER NOT NULL, at TEXT NOT NULL)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_at ON records (at);
CREATE TABLE IF NOT EXISTS numbers (series TEXT PRIMARY KEY, ranges TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS gaps (series TEXT NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, told_at TEXT NOT NULL, PRIMARY KEY (series, first, last));
"""
_BEGUN, _DONE = 0, 1


class HeldFrame(msgspec.Struct, frozen=True):
    """An acknowledged frame of a message that is not complete."""

    at: datetime
    last: bool
    text: bytes
    raw: bytes


class Known(msgspec.Struct, frozen=True):
    """What is remembered of some keys."""

    done: frozenset[str]
    begun: frozenset[str]


class Logbook:
    """Of one thread. Raises sqlite3.Error when it can't write; then nothing is acknowledged."""

    def __init__(self, path: Path, clock: Clock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def hold(self, frame: HeldFrame) -> None:
        """Keep a frame; when this returns it may be acknowledged."""
        self._connection.execute(
            "INSERT INTO held (at, last, text, raw) VALUES (?, ?, ?, ?)",
            (frame.at.isoformat(), frame.last, frame.text, frame.raw),
        )

    def held(self) -> list[HeldFrame]:
        """All held frames, in order."""
        rows = self._connection.execute("SELECT at, last, text, raw FROM held ORDER BY id")
        return [HeldFrame(datetime.fromisoformat(at), bool(last), text, raw)
                for at, last, text, raw in rows]  # fmt: skip

    def release(self) -> None:
        """Let all held frames go: they are facts now, or in quarantine."""
        self._connection.execute("DELETE FROM held")

    def known(self, keys: Sequence[str]) -> Known:
        """Which of these records were taken, and which may have been."""
        states: dict[str, int] = {}
        for first in range(0, len(keys), 500):
            some = keys[first : first + 500]
            marks = ",".join("?" * len(some))
            states.update(
                self._connection.execute(
                    f"SELECT key, state FROM records WHERE key IN ({marks})",  # noqa: S608
                    some,
                )
            )
        return Known(
            frozenset(key for key, state in states.items() if state == _DONE),
            frozenset(key for key, state in states.items() if state == _BEGUN),
        )

    def begin(self, keys: Sequence[str]) -> None:
        """These records are about to become facts."""
        self._write(keys, _BEGUN)

    def finish(self, keys: Sequence[str]) -> None:
        """These records are facts."""
        self._write(keys, _DONE)

    def forget_before(self, at: datetime) -> None:
        """Drop the memory of records taken before `at`."""
        self._connection.execute("DELETE FROM records WHERE at < ?", (at.isoformat(),))

    def numbers(self) -> RecordNumbers:
        """Record numbers that came, and gaps that were told."""
        held = {
            series: RangeSet(msgspec.json.decode(ranges, type=list[tuple[int, int]]))
            for series, ranges in self._connection.execute("SELECT series, ranges FROM numbers")
        }
        told = {
            Gap(series, first, last): datetime.fromisoformat(at)
            for series, first, last, at in self._connection.execute("SELECT * FROM gaps")
        }
        return RecordNumbers(held, told)

    def note_numbers(self, series: str, numbers: RangeSet) -> None:
        """Keep which numbers of a series came."""
        ranges = msgspec.json.encode(numbers.ranges()).decode()
        self._connection.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?)", (series, ranges))

    def note_gap(self, gap: Gap, told_at: datetime) -> None:
        """A gap was told."""
        row = (gap.series, gap.first, gap.last, told_at.isoformat())
        self._connection.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)", row)

    def drop_gap(self, gap: Gap) -> None:
        """A told gap was closed."""
        self._connection.execute(
            "DELETE FROM gaps WHERE series = ? AND first = ? AND last = ?",
            (gap.series, gap.first, gap.last),
        )

    def _write(self, keys: Sequence[str], state: int) -> None:
        if not keys:
            return
        now = self._clock().isoformat()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT INTO records (key, state, at) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET state = max(state, excluded.state)",
                [(key, state, now) for key in keys],
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
