"""The outbox's SQLite file: its tables, how it is opened, and what its errors mean.

An event's key is its epoch's number and its sequence in one integer, so that "oldest first" and "a
range of sequences" are both ranges of the primary key.
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

FORMAT = 2
_SEQUENCE_BITS = 40
SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1
KEPT_EPOCHS = 20
"""Epochs that are remembered after their last event has left: the city is told of them."""

_TABLES = """
CREATE TABLE epochs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    begun_at TEXT NOT NULL,
    given INTEGER NOT NULL DEFAULT 0,
    thinned INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE events (
    key INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    thin INTEGER NOT NULL DEFAULT 0,
    put_at REAL NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX events_by_lane ON events (lane);
CREATE INDEX events_to_thin ON events (thin) WHERE lane = 2;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    length INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


def key_of(epoch_id: int, sequence: int) -> int:
    """The key of an event."""
    return epoch_id << _SEQUENCE_BITS | sequence


def epoch_and_sequence(key: int) -> tuple[int, int]:
    """The epoch's number and the sequence in a key."""
    return key >> _SEQUENCE_BITS, key & SEQUENCE_MASK


def open_writer(path: Path, max_bytes: int) -> sqlite3.Connection:
    """The connection that makes facts durable: each commit is on the disk when it returns.

    Raises sqlite3.Error; DatabaseError with SQLITE_CORRUPT or SQLITE_NOTADB for a broken file.
    """
    connection = _connect(path, "rwc")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(64, max_bytes // page_bytes)}")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        elif version == 1:
            connection.execute("ALTER TABLE epochs ADD COLUMN given INTEGER NOT NULL DEFAULT 0")
            connection.execute("ALTER TABLE epochs ADD COLUMN thinned INTEGER NOT NULL DEFAULT 0")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        elif version != FORMAT:
            raise sqlite3.DatabaseError(f"outbox format {version} is not known, {FORMAT} is")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS overheard "
            "(key INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL)"
        )
        connection.execute("COMMIT")
        # Touch both ends, so that a broken file is found now and not at the next test result.
        connection.execute("SELECT * FROM events ORDER BY key LIMIT 1").fetchone()
        connection.execute("SELECT * FROM events ORDER BY key DESC LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def open_courier(path: Path) -> sqlite3.Connection:
    """The connection that reads and removes: losing a removal to a power cut costs a resend."""
    connection = _connect(path, "rw")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, beside a running agent. Raises sqlite3.Error."""
    connection = _connect(path, "ro")
    try:
        connection.execute("SELECT 1 FROM epochs LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{path}-wal").exists() and Path(f"{path}-wal").stat().st_size:
            raise
        # A read-only file system has no place for the shared memory; nobody writes there either.
        connection = _connect(path, "ro&immutable=1")
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=10,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )


def begin_epoch(writer: sqlite3.Connection, name: str, at: datetime) -> int:
    """Add an epoch in the open transaction, and forget old ones that have no events left."""
    writer.execute(
        "DELETE FROM epochs WHERE id <= (SELECT MAX(id) FROM epochs) - ? AND NOT EXISTS "
        "(SELECT 1 FROM events WHERE key BETWEEN id << 40 AND (id << 40) + ?)",
        (KEPT_EPOCHS, SEQUENCE_MASK),
    )
    cursor = writer.execute(
        "INSERT INTO epochs (name, begun_at) VALUES (?, ?)", (name, at.isoformat())
    )
    return int(cursor.lastrowid or 0)


def note_gone(
    connection: sqlite3.Connection, keys: Sequence[int], *, thinned: bool = False
) -> None:
    """Remember, in the transaction that deletes these events, that their numbers were given."""
    if not keys:
        return
    epochs = {key >> _SEQUENCE_BITS: key & SEQUENCE_MASK for key in sorted(keys)}
    counts = Counter(key >> _SEQUENCE_BITS for key in keys) if thinned else Counter[int]()
    connection.executemany(
        "UPDATE epochs SET given = MAX(given, ?), thinned = thinned + ? WHERE id = ?",
        [(highest, counts[epoch], epoch) for epoch, highest in epochs.items()],
    )


def is_broken(error: sqlite3.Error) -> bool:
    """True if the file itself is damaged (not merely locked, full or read-only)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def is_full(error: sqlite3.Error) -> bool:
    """True if there was no room to write."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def set_aside(path: Path, at: datetime) -> Path:
    """Move a broken outbox out of the way, with its journal; returns its new name."""
    aside = path.with_name(f"{path.name}.broken-{at:%Y%m%dT%H%M%S}")
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.replace(f"{aside}{suffix}")
    return aside


def explain(error: sqlite3.Error, path: Path, max_bytes: int) -> str:
    """What went wrong with the outbox, in words that name the file and the way out."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        free = _free_bytes(path)
        if free is not None and free > 4 << 20:
            return f"outbox {path} has reached its bound of {max_bytes >> 20} MiB (outbox.max_mb)"
        return f"outbox {path}: the disk is full ({(free or 0) >> 10} KiB free)"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return f"outbox {path} is read-only: {error}"
    if code == sqlite3.SQLITE_CANTOPEN:
        return f"outbox {path} cannot be opened: its folder is missing, read-only or not ours"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"outbox {path} is locked by another process"
    if code == sqlite3.SQLITE_IOERR:
        name = getattr(error, "sqlite_errorname", "")
        return f"outbox {path}: the disk fails ({name}, {(_free_bytes(path) or 0) >> 10} KiB free)"
    return f"outbox {path}: {error}"


def _free_bytes(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None
