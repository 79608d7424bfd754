"""What a set of records looks like to whoever counts or lists it: one shape for all."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.sql.expression import FromClause

COLUMNS = (
    *("region", "establishment_id", "key", "at", "title_zh", "title_en", "detail"),
    *("part", "whole"),
)
"""`part` of `whole` is what a record adds to the numerator; of a duration it is the seconds."""


class Record(msgspec.Struct, frozen=True):
    """A record behind a number."""

    region: str
    establishment_id: str | None
    key: str
    """Its id: of an establishment, a camera (``site/device``), a result, a case, an alert …"""
    at: datetime | None
    title_zh: str
    title_en: str
    detail: str
    part: float
    whole: float


def rows(
    source: FromClause,
    *where: ColumnElement[bool],
    region: ColumnElement[Any],
    establishment_id: ColumnElement[Any],
    key: ColumnElement[Any],
    at: ColumnElement[Any],
    title: ColumnElement[Any],
    part: ColumnElement[Any],
    whole: ColumnElement[Any],
    title_en: ColumnElement[Any] | None = None,
    detail: ColumnElement[Any],
) -> Select[Any]:
    """A statement whose rows are `Record`s."""
    english = title if title_en is None else title_en
    given = (region, establishment_id, key, at, title, english, detail, part, whole)
    named = [column.label(name) for name, column in zip(COLUMNS, given, strict=True)]
    return select(*named).select_from(source).where(*where)
