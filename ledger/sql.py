"""The few turns that all queries share: typed rows, conflict clauses, lists in parts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    String,
    Table,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

T = TypeVar("T")

IN_LIMIT = 5000
"""Bound parameters in one IN list; SQLite takes 32,766 and PostgreSQL 65,535 in a statement."""


def typed(row: Row[Any], kind: type[T]) -> T:
    """A row as the Struct `kind`; columns that it has no field for are ignored."""
    # The names are of a str subclass, which msgspec does not take for a key.
    return msgspec.convert(dict(zip(map(str, row._fields), row, strict=True)), kind)


def typed_or_none(row: Row[Any] | None, kind: type[T]) -> T | None:
    """The same for a row that may be missing."""
    return None if row is None else typed(row, kind)


def plain(value: msgspec.Struct) -> dict[str, Any]:
    """A Struct as a row: its fields by name, nested values left as they are."""
    return msgspec.structs.asdict(value)


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of `connection`."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The same by the dialect's name, for a statement that is built once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def among(
    connection: Connection, column: Column[Any], values: Iterable[str]
) -> ColumnElement[bool]:
    """Whether `column` is one of many texts, sent as one parameter: an IN list costs per item."""
    wanted = sorted(set(values))
    if connection.dialect.name == "postgresql":
        return column == any_(literal(wanted, ARRAY(String)))
    listed = func.json_each(msgspec.json.encode(wanted).decode()).table_valued("value")
    return column.in_(select(listed.c.value))


def chunks(values: Iterable[T], size: int = IN_LIMIT) -> Iterator[Sequence[T]]:
    """`values` in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk
