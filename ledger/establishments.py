"""Establishments 经营主体: who is supervised, one file each."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, func, or_, select, tuple_

from contracts.identifiers import checked_credit_code, checked_food_licence
from ledger.ids import new_id, new_public_code
from ledger.schema import establishments, officers
from ledger.sql import among, among_these, plain, typed, typed_or_none

LICENCE_ENDS_SOON = timedelta(days=30)
"""A licence that ends within this is pointed out."""


class EstablishmentKind(StrEnum):
    """What sort of business it is."""

    MARKET = "market"
    CANTEEN = "canteen"
    VAN = "van"
    SUPERMARKET = "supermarket"


class Establishment(msgspec.Struct, frozen=True):
    """A business or canteen. `officer_id` None means that nobody is responsible: a finding."""

    name: str
    kind: EstablishmentKind
    region: str
    id: str = msgspec.field(default_factory=new_id)
    credit_code: str | None = None
    """统一社会信用代码, GB 32100."""
    licence_number: str | None = None
    """食品经营许可证: JY and 14 digits."""
    address: str = ""
    officer_id: str | None = None
    public_code: str = msgspec.field(default_factory=new_public_code)
    risk_grade: str = ""
    """A to D, empty while not graded."""
    retired_at: datetime | None = None
    """Out of use since then; its file stays."""
    registered_at: datetime | None = None
    """When it was entered, from when on it counts; None: before this was kept."""
    licence_from: date | None = None
    licence_until: date | None = None
    """The last day on which the licence holds."""

    def licence(self, day: date) -> Literal["none", "early", "valid", "ending", "over", "undated"]:
        """How the licence stands on a day of China; ``ending``: within LICENCE_ENDS_SOON."""
        if self.licence_number is None:
            return "none"
        if self.licence_from is not None and day < self.licence_from:
            return "early"
        if self.licence_until is None:
            return "undated"
        if day > self.licence_until:
            return "over"
        return "ending" if self.licence_until - day <= LICENCE_ENDS_SOON else "valid"


def add(conn: Connection, new: Establishment) -> None:
    """Add one. Raises IdentifierError for a credit code or a licence that cannot be right."""
    if new.credit_code is not None:
        checked_credit_code(new.credit_code)
    if new.licence_number is not None:
        checked_food_licence(new.licence_number)
    conn.execute(establishments.insert(), plain(new))


def get(conn: Connection, establishment_id: str) -> Establishment | None:
    """The establishment of that id."""
    found = select(establishments).where(establishments.c.id == establishment_id)
    return typed_or_none(conn.execute(found).one_or_none(), Establishment)


_NAMES = select(establishments.c.id, establishments.c.name).where(among(establishments.c.id, "ids"))


def names(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Names of establishments by id; those that are not known are left out."""
    return dict(conn.execute(_NAMES, {"ids": ids}).all())


def by_public_code(conn: Connection, code: str) -> Establishment | None:
    """The establishment in use whose public page `code` opens."""
    found = select(establishments).where(
        establishments.c.public_code == code, establishments.c.retired_at.is_(None)
    )
    return typed_or_none(conn.execute(found).one_or_none(), Establishment)


def list_in(
    conn: Connection, regions: Sequence[str], limit: int = 100, offset: int = 0
) -> list[Establishment]:
    """Those in use in any of `regions`, by region and name."""
    found = (
        select(establishments)
        .where(establishments.c.region.in_(regions), establishments.c.retired_at.is_(None))
        .order_by(establishments.c.region, establishments.c.name, establishments.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [typed(row, Establishment) for row in conn.execute(found)]


def list_after(
    conn: Connection,
    regions: Sequence[str],
    limit: int,
    after: tuple[str, str, str] | None = None,
    *,
    words: str = "",
    establishment_id: str | None = None,
) -> list[Establishment]:
    """Those in any of `regions` whose name or address holds `words`, by region, name and id.

    `after`: region, name and id of the last one seen.
    """
    place = (establishments.c.region, establishments.c.name, establishments.c.id)
    found = select(establishments).where(establishments.c.region.in_(regions))
    if establishment_id is not None:
        found = found.where(establishments.c.id == establishment_id)
    if words:
        said = func.lower(establishments.c.name + " " + establishments.c.address)
        found = found.where(said.contains(words.lower(), autoescape=True))
    if after is not None:
        found = found.where(tuple_(*place) > tuple_(*after))
    rows = conn.execute(found.order_by(*place).limit(limit))
    return [typed(row, Establishment) for row in rows]


class Orphan(msgspec.Struct, frozen=True):
    """An establishment that nobody is responsible for: a finding of its own."""

    establishment: Establishment
    why: Literal["none", "gone", "inactive"]
    """Nobody was named; the one who was is not known any more; they are not active."""


def orphans(conn: Connection, regions: Sequence[str]) -> list[Orphan]:
    """Those in `regions` without an active officer, by region and name."""
    joined = establishments.outerjoin(officers, officers.c.id == establishments.c.officer_id)
    found = (
        select(establishments, officers.c.active.label("officer_active"))
        .select_from(joined)
        .where(
            establishments.c.region.in_(regions),
            establishments.c.retired_at.is_(None),
            or_(officers.c.id.is_(None), ~officers.c.active),
        )
        .order_by(establishments.c.region, establishments.c.name, establishments.c.id)
    )
    return [Orphan(typed(row, Establishment), _why(row)) for row in conn.execute(found)]


def _why(row: Row[Any]) -> Literal["none", "gone", "inactive"]:
    if row.officer_id is None:
        return "none"
    return "gone" if row.officer_active is None else "inactive"


def count_in(conn: Connection, regions: Sequence[str]) -> int:
    """How many are in use in `regions`."""
    counted = select(func.count()).where(
        establishments.c.region.in_(regions), establishments.c.retired_at.is_(None)
    )
    return conn.scalar(counted.select_from(establishments)) or 0


def of_ids(conn: Connection, ids: Collection[str]) -> list[Establishment]:
    """The establishments of these ids that are in use, by name."""
    found = select(establishments).where(
        among_these(establishments.c.id, sorted(ids)), establishments.c.retired_at.is_(None)
    )
    rows = conn.execute(found.order_by(establishments.c.name, establishments.c.id))
    return [typed(row, Establishment) for row in rows]
