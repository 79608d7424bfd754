"""The few turns that all queries share: typed rows, conflict clauses, lists in parts."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Row, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ledger.columns import Texts

T = TypeVar("T")

IN_LIMIT = 5000
"""Bound parameters in one IN list; SQLite takes 32,766 and PostgreSQL 65,535 in a statement."""


def typed(row: Row[Any], kind: type[T]) -> T:
    """A row as the Struct `kind`; columns that it has no field for are ignored."""
    return msgspec.convert(dict(zip(_names(row._fields), row, strict=True)), kind)


@lru_cache(maxsize=1024)
def _names(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Columns' names as plain texts: they are of a subclass, which msgspec takes for no key."""
    return tuple(map(str, fields))


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


@cache
def replacing(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of whole rows, each in place of the one with its key; built once for a table."""
    statement = insert_in(dialect, table)
    keys = [column.name for column in table.primary_key]
    given = {column.name: statement.excluded[column.name] for column in table.columns}
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: value for name, value in given.items() if name not in keys},
    )


class _Among(FunctionElement[bool]):
    """Whether a column is one of the texts of a parameter: an IN list costs for each of them."""

    inherit_cache = True


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({texts})"


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - no value in it


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether `column` is one of the texts that are given as the parameter `name`."""
    return _Among(column, bindparam(name, type_=Texts()))


def among_these(column: Column[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether `column` is one of these texts, for a statement that is built to be run once."""
    return _Among(column, bindparam(None, list(texts), type_=Texts(), unique=True))


def chunks(values: Iterable[T], size: int = IN_LIMIT) -> Iterator[Sequence[T]]:
    """`values` in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk
