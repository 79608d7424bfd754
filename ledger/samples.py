"""Samples 样品 as a testing room registers them; results find theirs by site and number."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, tuple_

from ledger.ids import new_id
from ledger.schema import samples
from ledger.sql import chunks, plain, typed, typed_or_none


class RegisteredSample(msgspec.Struct, frozen=True):
    """What was taken where. `number` is unique at its site."""

    site: str
    number: str
    product: str
    registered_at: datetime
    id: str = msgspec.field(default_factory=new_id)
    stall: str = ""
    lot: str = ""
    supplier: str = ""
    origin: str = ""
    registered_by: str | None = None
    """Officer id of who registered it."""


def add(conn: Connection, new: RegisteredSample) -> None:
    """Register one."""
    conn.execute(samples.insert(), plain(new))


def get(conn: Connection, sample_id: str) -> RegisteredSample | None:
    """The sample of that id."""
    row = conn.execute(select(samples).where(samples.c.id == sample_id)).one_or_none()
    return typed_or_none(row, RegisteredSample)


def list_at(conn: Connection, site: str, limit: int = 100) -> list[RegisteredSample]:
    """A site's samples, newest first."""
    found = (
        select(samples)
        .where(samples.c.site == site)
        .order_by(samples.c.registered_at.desc(), samples.c.number.desc())
        .limit(limit)
    )
    return [typed(row, RegisteredSample) for row in conn.execute(found)]


def ids_by_number(
    conn: Connection, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Ids of the registered ones among the given (site, number) pairs."""
    found: dict[tuple[str, str], str] = {}
    for part in chunks(sorted(set(wanted)), 1000):
        query = select(samples.c.site, samples.c.number, samples.c.id).where(
            tuple_(samples.c.site, samples.c.number).in_(part)
        )
        found |= {(row.site, row.number): row.id for row in conn.execute(query)}
    return found
