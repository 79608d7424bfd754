"""Holds a transaction's journal rows back until its commit, and writes them there in one go.

Ids must become visible in order, or a reader's cursor would pass by a row that commits late. On
PostgreSQL that takes a lock; taken only at the very end, it is held for a moment and can't stand in
a circle of waiting with the row locks of the rest of the transaction. On SQLite writers queue up
anyway.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event, func, insert, select

from ledger.schema import journal

LOCK_KEY = 0x66730001
"""PostgreSQL advisory lock under which journal rows get their ids."""

_ROWS = "ledger_journal_rows"
_MARKS = "ledger_journal_marks"


_INSERT = insert(journal)
_LOCK = select(func.pg_advisory_xact_lock(LOCK_KEY))


def attach(engine: Engine) -> None:
    """Let `engine`'s transactions flush their journal rows before they commit."""
    event.listen(engine, "commit", flush)
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "savepoint", _mark)
    event.listen(engine, "rollback_savepoint", _forget_since)


def hold(connection: Connection, row: dict[str, Any]) -> None:
    """Keep one row (a dict of the journal's columns without `id`) for this transaction's commit."""
    connection.info.setdefault(_ROWS, []).append(row)


def flush(connection: Connection) -> None:
    """Write the rows held so far, in the order in which they came."""
    rows = connection.info.pop(_ROWS, None)
    connection.info.pop(_MARKS, None)
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    connection.execute(_INSERT, rows)


def _forget(connection: Connection) -> None:
    if connection.invalidated:  # the link broke, and what was held went with it
        return
    connection.info.pop(_ROWS, None)
    connection.info.pop(_MARKS, None)


def _mark(connection: Connection, name: str | None) -> None:
    connection.info.setdefault(_MARKS, {})[name] = len(connection.info.get(_ROWS, ()))


def _forget_since(connection: Connection, name: str, _context: None) -> None:
    if connection.invalidated:
        return
    rows = connection.info.get(_ROWS)
    if rows:
        del rows[connection.info.get(_MARKS, {}).get(name, 0) :]
