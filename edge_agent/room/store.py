"""What the testing room remembers: samples with every revision, results, and what was answered.

One SQLite file beside the outbox. Each `writing` block is one transaction, on the disk when it
ends: a number that was given, and an answer that was promised, survive a power cut.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.room import RoomBook, SampleRecord
from edge_agent.ports import OutboxError
from edge_agent.room.kept import Kept, KeptResult, NotYet, Told, Waiting
from edge_agent.room.numbers import LAST_OF_DAY, LONGEST_WAIT_S, due_by
from edge_agent.room.schema import open_store

_record = msgspec.json.Decoder(SampleRecord)
_told = msgspec.json.Decoder(Told)
_encode = msgspec.json.Encoder().encode
_KEPT = "SELECT record, put_revision, put_key, city_revision FROM samples "
_RESULT = "SELECT told, sample_id, state FROM results "


class RoomStore:
    """One agent's room. Any thread may call any method; `writing` is for one at a time."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Open or create; `now` in the room's time. Raises OutboxError that says why it cannot."""
        self.path = path
        self._lock = threading.RLock()
        self.failing = ""
        """Why the last change could not be stored; empty if it was."""
        try:
            self._db = open_store(path, now)
        except (sqlite3.Error, OSError) as error:
            raise OutboxError(f"room {path} cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction. Raises OutboxError when the disk cannot take it; then nothing is."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
                self.failing = ""
            except sqlite3.Error as error:
                self.failing = f"room {self.path}: {error}"
                raise OutboxError(self.failing) from error
            finally:
                with suppress(sqlite3.Error):
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several looks at one state. Raises OutboxError."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise OutboxError(f"room {self.path}: {error}") from error

    # Inside `writing`

    def next_running(self, now: datetime) -> int:
        """The day's next running number, never given before by this file nor by one before it.

        `now` in the room's time. Raises NotYet if it is not due yet; then none is given.
        """
        day = now.date().isoformat()
        (value,) = self._db.execute(
            "INSERT INTO days VALUES (?, ?) "
            "ON CONFLICT (day) DO UPDATE SET given = given + 1 RETURNING given",
            (day, self._first(day)),
        ).fetchone()
        early_s = int(value) - due_by(now)
        if 0 < early_s <= LONGEST_WAIT_S:
            raise NotYet(early_s)
        return int(value)

    def _first(self, day: str) -> int:
        row = self._db.execute("SELECT value FROM notes WHERE name = 'made'").fetchone()
        made = datetime.fromisoformat(row[0]) if row else None
        if made is None or made.date().isoformat() < day:
            return 1
        return (due_by(made) if made.date().isoformat() == day else LAST_OF_DAY) + 1

    def write(self, record: SampleRecord, day: str, by: str, at: datetime) -> None:
        """A new sample, or a new revision of one."""
        blob = _encode(record)
        self._db.execute(
            "INSERT INTO samples (sample_id, number, day, registered_at, revision, record) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sample_id) DO UPDATE SET "
            "revision = excluded.revision, record = excluded.record",
            (
                record.sample_id,
                record.number,
                day,
                record.registered_at.timestamp(),
                record.revision,
                blob,
            ),
        )
        self._db.execute(
            "INSERT INTO revisions VALUES (?, ?, ?, ?, ?)",
            (record.sample_id, record.revision, at.isoformat(), by, blob),
        )

    def add_result(self, told: Told, same_as: str, sample_id: str | None) -> None:
        """A result that was not known, attached or open."""
        self._db.execute(
            "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)",
            (
                told.result_id,
                told.result.captured_at.timestamp(),
                same_as,
                sample_id,
                "attached" if sample_id else "open",
                _encode(told),
            ),
        )

    def knows_result(self, result_id: str, same_as: str) -> bool:
        """True if it came before, under this id or as the same record of the instrument."""
        row = self._db.execute(
            "SELECT 1 FROM results WHERE result_id = ? OR (same_as <> '' AND same_as = ?)",
            (result_id, same_as),
        ).fetchone()
        return row is not None

    def place(self, result_id: str, sample_id: str | None, state: str) -> None:
        """Where a result is now."""
        self._db.execute(
            "UPDATE results SET sample_id = ?, state = ? WHERE result_id = ?",
            (sample_id, state, result_id),
        )

    def answer(self, submit_id: str, answer: object, at: datetime) -> None:
        """What was answered to a submit, for whoever sends it again."""
        self._db.execute(
            "INSERT INTO submits VALUES (?, ?, ?)", (submit_id, at.timestamp(), _encode(answer))
        )

    def sent(self, sample_id: str, revision: int, key: int) -> None:
        """This revision is in the outbox under `key`."""
        self._db.execute(
            "UPDATE samples SET put_revision = ?, put_key = ? "
            "WHERE sample_id = ? AND put_revision <= ?",
            (revision, key, sample_id, revision),
        )

    def in_city(self, sample_id: str, revision: int) -> None:
        """This revision was receipted."""
        self._db.execute(
            "UPDATE samples SET city_revision = MAX(city_revision, ?) WHERE sample_id = ?",
            (revision, sample_id),
        )

    def send_all_again(self) -> None:
        """The outbox has forgotten what it had."""
        self._db.execute(
            "UPDATE samples SET put_revision = city_revision WHERE city_revision < revision"
        )

    def note_book(self, book: RoomBook) -> None:
        """The city's newest book."""
        self._db.execute("INSERT OR REPLACE INTO notes VALUES ('book', ?)", (_encode(book),))

    def forget(self, before: float) -> None:
        """Drop what is older than `before` (seconds since 1970) and in the city."""
        old = "registered_at < ? AND city_revision >= revision"
        self._db.execute(
            f"DELETE FROM revisions WHERE sample_id IN (SELECT sample_id FROM samples WHERE {old})",  # noqa: S608
            (before,),
        )
        self._db.execute(f"DELETE FROM samples WHERE {old}", (before,))  # noqa: S608
        self._db.execute("DELETE FROM results WHERE captured_at < ?", (before,))
        self._db.execute("DELETE FROM submits WHERE at < ?", (before,))

    # Looking

    def answered(self, submit_id: str) -> bytes | None:
        """What was answered to this submit before, as JSON."""
        row = self._db.execute(
            "SELECT answer FROM submits WHERE submit_id = ?", (submit_id,)
        ).fetchone()
        return row and bytes(row[0])

    def sample(self, sample_id: str) -> Kept | None:
        """One sample."""
        rows = self._kept("WHERE sample_id = ?", (sample_id,))
        return rows[0] if rows else None

    def sample_numbered(self, number: str) -> Kept | None:
        """The sample of a number as printed."""
        rows = self._kept("WHERE number = ?", (number,))
        return rows[0] if rows else None

    def samples_since(self, since: float) -> list[Kept]:
        """Samples registered since then (seconds since 1970), newest first."""
        where = "WHERE registered_at >= ? ORDER BY registered_at DESC, number DESC"
        return self._kept(where, (since,))

    def numbers_since(self, since: float) -> list[tuple[str, str, float]]:
        """Ids, numbers and times of registration (seconds since 1970) of samples since then."""
        query = "SELECT sample_id, number, registered_at FROM samples WHERE registered_at >= ?"
        return self._db.execute(query, (since,)).fetchall()

    def samples_named(self, sample_ids: Sequence[str]) -> list[Kept]:
        """These samples, oldest first."""
        marks = ",".join("?" * len(sample_ids))
        return self._kept(f"WHERE sample_id IN ({marks}) ORDER BY registered_at", sample_ids)

    def unsent(self) -> list[Waiting]:
        """Samples whose newest revision is not known to be in the city, oldest first.

        A month of them is looked at every second: what they say is not read.
        """
        rows = self._db.execute(
            "SELECT sample_id, revision, put_revision, put_key FROM samples "
            "WHERE city_revision < revision ORDER BY registered_at"
        ).fetchall()
        return [Waiting(*row) for row in rows]

    def result(self, result_id: str) -> KeptResult | None:
        """One result."""
        rows = self._results("WHERE result_id = ?", (result_id,))
        return rows[0] if rows else None

    def results_of(self, sample_ids: Sequence[str]) -> list[KeptResult]:
        """Results of these samples, in order of their coming."""
        marks = ",".join("?" * len(sample_ids))
        return self._results(f"WHERE sample_id IN ({marks}) ORDER BY captured_at", sample_ids)

    def results_open(self) -> list[KeptResult]:
        """Results that a person must be asked about, oldest first."""
        return self._results("WHERE state = 'open' ORDER BY captured_at", ())

    def items_since(self, since: float) -> set[str]:
        """Codes and names of the items of results since then (seconds since 1970)."""
        rows = self._db.execute(
            "SELECT DISTINCT json_extract(told, '$.result.item'), "
            "json_extract(told, '$.result.item_code') FROM results WHERE captured_at >= ?",
            (since,),
        )
        return {item for row in rows for item in row if item}

    def book(self) -> RoomBook | None:
        """The newest book that came, None if none did."""
        row = self._db.execute("SELECT value FROM notes WHERE name = 'book'").fetchone()
        return row and msgspec.json.decode(row[0], type=RoomBook)

    def _kept(self, where: str, values: Sequence[object]) -> list[Kept]:
        rows = self._db.execute(_KEPT + where, tuple(values)).fetchall()
        return [Kept(_record.decode(row[0]), *row[1:]) for row in rows]

    def _results(self, where: str, values: Sequence[object]) -> list[KeptResult]:
        rows = self._db.execute(_RESULT + where, tuple(values)).fetchall()
        return [KeptResult(_told.decode(row[0]), row[1], row[2]) for row in rows]
