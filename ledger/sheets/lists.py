"""Rows of a sheet as they stand: page by page, one, or all for a file; and their versions."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, func, or_, tuple_

from ledger.schema import officers
from ledger.sheets.cells import Row
from ledger.sheets.kinds import ROADS
from ledger.sheets.sheet import EVERYWHERE, Bounds, Sheet, Standing

Which = Literal["in_use", "retired", "orphans", "now"]


_ORPHANED = or_(officers.c.id.is_(None), ~officers.c.active)


class Listed(msgspec.Struct, frozen=True):
    """A row of a list."""

    standing: Standing
    name: str
    """Of the officer, for duties and contacts."""

    @property
    def version(self) -> str:
        """What the row is known by to be the same as when it was looked at."""
        return version_of(self.standing)


class Part(msgspec.Struct, frozen=True):
    """A page of a list."""

    rows: list[Listed]
    next: str | None
    """Give this as `after` to go on; None at the end."""


def version_of(standing: Standing) -> str:
    """A short hash of what a row says."""
    said = msgspec.json.encode([standing.cells, standing.retired_at is not None], order="sorted")
    return hashlib.sha256(said).hexdigest()[:16]


def list_rows(
    conn: Connection,
    kind: str,
    bounds: Bounds,
    *,
    search: str = "",
    which: Which = "in_use",
    after: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> Part:
    """A page of what lies within the bounds. Raises ValueError for an `after` of no page."""
    sheet = ROADS[kind](conn, bounds)
    table = sheet.table
    order = [table.c[name] for name in sheet.order]
    found = sheet.listing().where(sheet.within()).order_by(*order)
    if "retired_at" in table.c:
        retired = table.c.retired_at
        found = found.where(retired.is_not(None) if which == "retired" else retired.is_(None))
    if which == "orphans":
        found = found.where(_ORPHANED)
    if which == "now" and now is not None:
        found = found.where(table.c.ends_at > now)
    if search:
        looked = [table.c[name].icontains(search, autoescape=True) for name in sheet.searched]
        if kind in ("duties", "contacts"):
            looked += [
                officers.c[name].icontains(search, autoescape=True) for name in ("login", "name")
            ]
        found = found.where(or_(*looked))
    if after:
        found = found.where(tuple_(*order) > tuple_(*_cursor(after, sheet)))
    rows = conn.execute(found.limit(limit + 1)).all()
    listed = [_listed(sheet, row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Part(listed, None if last is None else _place(last, sheet))


def count_rows(conn: Connection, kind: str, bounds: Bounds, which: Which = "in_use") -> int:
    """How many lie within the bounds."""
    sheet = ROADS[kind](conn, bounds)
    found = sheet.listing().where(sheet.within(), sheet.in_use())
    if which == "orphans":
        found = found.where(_ORPHANED)
    counted = found.with_only_columns(func.count(), maintain_column_froms=True)
    return conn.scalar(counted) or 0


def get_row(conn: Connection, kind: str, bounds: Bounds, row_id: str) -> Listed | None:
    """One row by its id, if it lies within the bounds."""
    sheet = ROADS[kind](conn, bounds)
    table = sheet.table
    found = sheet.listing().where(sheet.within())
    if kind == "devices":
        site, _, device = row_id.partition("/")
        found = found.where(table.c.site == site, table.c.device == device)
    else:
        found = found.where((table.c.code if kind == "regions" else table.c.id) == row_id)
    row = conn.execute(found).one_or_none()
    return None if row is None else _listed(sheet, row)


def all_rows(conn: Connection, kind: str, bounds: Bounds = EVERYWHERE) -> Iterator[Row]:
    """The cells of everything in use within the bounds, in order, read in a stream."""
    sheet = ROADS[kind](conn, bounds)
    order = [sheet.table.c[name] for name in sheet.order]
    found = sheet.listing().where(sheet.within(), sheet.in_use()).order_by(*order)
    for row in conn.execute(found, execution_options={"yield_per": 500}):
        yield sheet.standing(row).cells


def _listed(sheet: Sheet, row: Any) -> Listed:
    name = row.name if sheet.name in ("duties", "contacts") else ""
    return Listed(sheet.standing(row), name)


def _place(row: Any, sheet: Sheet) -> str:
    place = [getattr(row, name) for name in sheet.order]
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _cursor(after: str, sheet: Sheet) -> list[Any]:
    try:
        padded = after + "=" * (-len(after) % 4)
        place = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[str | int])
    except (ValueError, msgspec.DecodeError) as error:
        raise ValueError(f"after: {error}") from None
    if len(place) != len(sheet.order):
        raise ValueError("after: is of another list")
    made: list[Any] = list(place)
    for number, name in enumerate(sheet.order):
        if name == "starts_at":
            made[number] = datetime.fromisoformat(str(place[number]))
    return made
