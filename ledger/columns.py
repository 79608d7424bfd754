"""The column types that mean the same on SQLite and on PostgreSQL."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.bulk import plain

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""A growing row number (SQLite grows only INTEGER keys)."""

Json = JSON().with_variant(JSONB(), "postgresql")


class CleanText(TypeDecorator[str]):
    """Text. A NUL character, which PostgreSQL's text cannot hold, becomes U+FFFD."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time: ``timestamptz`` on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Texts(TypeDecorator[Iterable[str]]):
    """Any number of texts as one parameter (see `ledger.sql.among`); no column is of it."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        one: TypeEngine[Any] = ARRAY(String()) if dialect.name == "postgresql" else String()
        return dialect.type_descriptor(one)

    def process_bind_param(
        self, value: Iterable[str] | None, dialect: Dialect
    ) -> list[str] | str | None:
        if value is None:
            return None
        wanted = sorted(set(value))
        return wanted if dialect.name == "postgresql" else msgspec.json.encode(wanted).decode()
