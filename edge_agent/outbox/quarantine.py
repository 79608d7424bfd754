"""The shelf for bytes that could not be read: kept with their reason, bounded, oldest out first."""

import hashlib
import sqlite3
from datetime import datetime

import msgspec

from contracts.topics import Identity

MAX_CONTENT_BYTES = 1 << 20
"""Longer content is cut; its full length and hash are kept."""


class Quarantined(msgspec.Struct, frozen=True):
    """One entry, without its bytes."""

    id: int
    source: str
    at: str
    reason: str
    length: int
    sha256: str


def shelve(
    connection: sqlite3.Connection,
    who: Identity,
    content: bytes,
    reason: str,
    at: datetime,
    max_bytes: int,
) -> None:
    """Add an entry in the open transaction, dropping (and counting) the oldest beyond the bound."""
    connection.execute(
        "INSERT INTO quarantine (source, at, reason, length, sha256, content) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            who.source,
            at.isoformat(),
            reason[:2000],
            len(content),
            hashlib.sha256(content).hexdigest(),
            content[:MAX_CONTENT_BYTES],
        ),
    )
    held = _count(connection, "quarantine_bytes", min(len(content), MAX_CONTENT_BYTES) + 256)
    while held > max_bytes:
        row = connection.execute(
            "SELECT id, LENGTH(content) FROM quarantine ORDER BY id LIMIT 1"
        ).fetchone()
        if row is None:
            return
        connection.execute("DELETE FROM quarantine WHERE id = ?", row[:1])
        held = _count(connection, "quarantine_bytes", -(row[1] + 256))
        _count(connection, "quarantine_dropped", 1)


def _count(connection: sqlite3.Connection, name: str, more: int) -> int:
    (value,) = connection.execute(
        "INSERT INTO counters VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value",
        (name, more),
    ).fetchone()
    return int(value)


def newest(connection: sqlite3.Connection, limit: int) -> list[Quarantined]:
    """The newest entries, newest first."""
    rows = connection.execute(
        "SELECT id, source, at, reason, length, sha256 FROM quarantine ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [Quarantined(*row) for row in rows]
