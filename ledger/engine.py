"""Opens the ledger's database and runs its transactions: SQLite (WAL) or PostgreSQL.

Nobody outside `ledger/` imports SQLAlchemy: they take `Engine` and `Connection` from here, run
transactions with `writing` and `reading`, and meet trouble as `LedgerDown` and `LedgerRefused`.

On SQLite a writing transaction begins with BEGIN IMMEDIATE, so that two processes queue up instead
of failing half-way; a reading one sees a snapshot and never waits for writers. Threads that share
an engine take turns besides (`ledger.turns`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, exc, make_url

from ledger import journal_buffer
from ledger.bulk import to_json
from ledger.turns import Turns

__all__ = [
    "Connection",
    "Engine",
    "LedgerDown",
    "LedgerRefused",
    "open_engine",
    "reading",
    "writing",
]

BUSY_TIMEOUT_S = 15.0
"""Longest wait for another transaction's lock, for a pooled connection, for a dead link."""
FORSAKEN_S = 60.0
"""PostgreSQL ends a transaction that its process has left alone this long, and its locks."""
LOG_PAGES = 16_384
"""A log of so many pages (64 MB) is moved by whoever made it so long, unless `ledger.checkpoints`
has moved it before."""
CONNECTIONS = 15
"""Of one process to PostgreSQL at most; they stay open, so that a rush does not open each anew."""
_READING = "ledger_reading"
_TURNS: "WeakKeyDictionary[Engine, Turns]" = WeakKeyDictionary()


class LedgerDown(Exception):
    """The database is away, locked, full or chose this transaction as a deadlock's victim.

    The transaction has left nothing behind; it may be tried again.
    """


class LedgerRefused(ValueError):
    """The database will never take these values; to try again is no use.

    A reference to what does not exist, a key that is taken, a number or text out of range.
    """


def open_engine(url: str, *, echo: bool = False) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql+psycopg://…``. Does not connect yet.

    SQLite waits for a lock for ``?timeout=`` seconds (default: BUSY_TIMEOUT_S).

    Raises ValueError for other databases and unreadable URLs.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ValueError("cannot be read; write sqlite:///path or postgresql+psycopg://…") from None
    options: dict[str, Any] = {
        "echo": echo,
        "json_serializer": to_json,
        "json_deserializer": msgspec.json.decode,
    }
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        arguments: dict[str, Any] = {"isolation_level": None}
        if "timeout" not in parsed.query:
            arguments["timeout"] = BUSY_TIMEOUT_S
        engine = create_engine(parsed, connect_args=arguments, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        _TURNS[engine] = Turns()
    elif parsed.drivername == "postgresql+psycopg":
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=BUSY_TIMEOUT_S,
            connect_args=_postgresql_arguments(),
            **options,
        )
    else:
        raise ValueError(f"{parsed.drivername!r} is neither sqlite nor postgresql+psycopg")
    event.listen(engine, "handle_error", _translate)
    journal_buffer.attach(engine)
    return engine


@contextmanager
def writing(engine: Engine, *, first: bool = False) -> Iterator[Connection]:
    """One writing transaction: committed at the end, rolled back on any exception.

    Where one writes at a time (SQLite), `first` goes before this process's other threads.

    Raises LedgerDown when it may be tried again, LedgerRefused when not.
    """
    try:
        with turn(engine, first=first), engine.begin() as connection:
            yield connection
    except (exc.TimeoutError, exc.PendingRollbackError) as error:
        raise LedgerDown(_reason(error)) from error


@contextmanager
def turn(engine: Engine, *, first: bool = False) -> Iterator[None]:
    """Among this engine's threads, one writes at a time on SQLite. Raises LedgerDown."""
    turns = _TURNS.get(engine)
    if turns is None:
        yield
    elif turns.take(first=first, timeout_s=BUSY_TIMEOUT_S):
        try:
            yield
        finally:
            turns.give_back()
    else:
        raise LedgerDown(f"another thread has been writing for {BUSY_TIMEOUT_S:g} s")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that cannot write, and on SQLite never waits. Raises LedgerDown."""
    try:
        with engine.connect() as connection:
            yield connection.execution_options(**{_READING: True, "postgresql_readonly": True})
    except (exc.TimeoutError, exc.PendingRollbackError) as error:
        raise LedgerDown(_reason(error)) from error


def _postgresql_arguments() -> dict[str, Any]:
    wait_ms, forsaken_ms = round(BUSY_TIMEOUT_S * 1000), round(FORSAKEN_S * 1000)
    return {
        "connect_timeout": 10,
        "tcp_user_timeout": wait_ms,
        "keepalives_idle": 30,
        "options": f"-c timezone=UTC -c lock_timeout={wait_ms} "
        f"-c idle_in_transaction_session_timeout={forsaken_ms}",
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: a receipt that left this machine survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_READING):
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _translate(context: ExceptionContext) -> Exception | None:
    """Our own word for a database's trouble; None leaves a defect of ours as it is."""
    error = context.sqlalchemy_exception or context.original_exception
    if context.is_disconnect or isinstance(error, exc.OperationalError | exc.InterfaceError):
        where = context.engine.url.render_as_string() if context.engine else context.dialect.name
        return LedgerDown(f"{where}: {_reason(error)}")
    refusals = (exc.IntegrityError, exc.DataError)
    if isinstance(error, refusals) or isinstance(
        context.original_exception, ValueError | OverflowError
    ):
        return LedgerRefused(_reason(error))
    return None


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None)
    return " ".join(str(original or error).split())[:400]
