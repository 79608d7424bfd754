"""Many small writes in one go, for what a gateway writes with every batch.

SQLAlchemy's own work on a row (names, types, one parameter after the other) costs several times
what the database does with it. So these rows go to the driver as they are: to SQLite as one
statement with many rows, to PostgreSQL as one with whole columns. What column types do elsewhere
(UTC times, JSON, no NUL in texts) is done by hand.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def write_rows(
    conn: Connection, sqlite: str, postgresql: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Run a statement for all of `rows`: row by row on SQLite, on PostgreSQL with its columns."""
    if conn.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        conn.exec_driver_sql(postgresql, columns)
    else:
        conn.exec_driver_sql(sqlite, [tuple(row) for row in rows])


def pour(
    conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Put very many rows into a table that others do not write to meanwhile: what fills a ledger.

    Values go in as they are: JSON as `to_json` makes it, texts without NUL. On PostgreSQL a key
    that was given leaves its sequence behind; see `past_given_keys`.
    """
    named = ", ".join(columns)
    if conn.dialect.name == "postgresql":
        driver = conn.connection.driver_connection
        assert driver is not None
        with driver.cursor().copy(f"COPY {table} ({named}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" * len(columns))
    # Table and columns are the program's own words; every value is bound.
    statement = f"INSERT INTO {table} ({named}) VALUES ({places})"  # noqa: S608
    made = iter(rows)
    while some := [tuple(map(_for_sqlite, row)) for row in islice(made, 5000)]:
        conn.exec_driver_sql(statement, some)


def past_given_keys(conn: Connection, table: str, key: str) -> None:
    """Let a growing key go on after the greatest that was given (SQLite does so by itself)."""
    if conn.dialect.name == "postgresql":
        greatest = f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), max({key}))"
        conn.exec_driver_sql(f"{greatest} FROM {table}")


def _for_sqlite(value: Any) -> Any:
    return sqlite_time(value) if isinstance(value, datetime) else value


def to_json(value: object) -> str:
    """A value as JSON. As in every text, U+FFFD stands for NUL, which no jsonb can hold."""
    text = msgspec.json.encode(value).decode()
    return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def sqlite_time(at: datetime) -> str:
    """A time as SQLite keeps it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def plain(text: str) -> str:
    """A text as both databases keep it: U+FFFD in place of NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
