"""The room's SQLite file: its tables, and how it is opened."""

import logging
import sqlite3
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

_log = logging.getLogger(__name__)

LOCKED_S = 3.0
"""So long another program may hold the file; a page waits longer than this for its answer."""
FORMAT = 1
_TABLES = """
CREATE TABLE samples (
    sample_id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    day TEXT NOT NULL,
    registered_at REAL NOT NULL,
    revision INTEGER NOT NULL,
    record BLOB NOT NULL,
    put_revision INTEGER NOT NULL DEFAULT 0,
    put_key INTEGER NOT NULL DEFAULT 0,
    city_revision INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX samples_by_time ON samples (registered_at);
CREATE INDEX samples_to_send ON samples (sample_id) WHERE city_revision < revision;
CREATE TABLE revisions (
    sample_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (sample_id, revision)
) WITHOUT ROWID;
CREATE TABLE results (
    result_id TEXT PRIMARY KEY,
    captured_at REAL NOT NULL,
    same_as TEXT NOT NULL,
    sample_id TEXT,
    state TEXT NOT NULL,
    told BLOB NOT NULL
);
CREATE INDEX results_by_time ON results (captured_at);
CREATE INDEX results_by_sample ON results (sample_id);
CREATE UNIQUE INDEX results_once ON results (same_as) WHERE same_as <> '';
CREATE TABLE days (day TEXT PRIMARY KEY, given INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE submits (
    submit_id TEXT PRIMARY KEY, at REAL NOT NULL, answer BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


def open_store(path: Path, now: datetime) -> sqlite3.Connection:
    """Open or create, durable at each commit; a broken file is moved aside. `now`: the room's time.

    Raises sqlite3.Error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path, now)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        ):
            raise
        aside = f"{path}.broken-{now:%Y%m%dT%H%M%S}"
        _log.error("room %s is broken (%s): moved to %s", path, error, aside)
        for end in ("", "-wal", "-shm"):
            part = Path(f"{path}{end}")
            if part.exists():
                part.rename(f"{aside}{end}")
        return _open(path, now)


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, beside a running agent. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5)


def _open(path: Path, now: datetime) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=LOCKED_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            made = now.replace(microsecond=0).isoformat()
            connection.execute("INSERT INTO notes VALUES ('made', ?)", (made,))
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        elif version != FORMAT:
            raise sqlite3.OperationalError(f"room format {version} is not known, {FORMAT} is")
        connection.execute("COMMIT")
        connection.execute("SELECT * FROM samples ORDER BY registered_at DESC LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
