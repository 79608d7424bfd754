"""Many small writes in one go, for what a gateway writes with every batch.

SQLAlchemy's own work on a row (names, types, one parameter after the other) costs several times
what the database does with it. So these rows go to the driver as they are: to SQLite as one
statement with many rows, to PostgreSQL as one with whole columns. What column types do elsewhere
(UTC times, JSON, no NUL in texts) is done by hand.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
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
