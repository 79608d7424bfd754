"""Sites 点位: where devices stand (a testing room, a van, a canteen), and a market's stalls."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, select

from contracts.topics import checked_segment
from ledger.ids import new_id
from ledger.schema import sites
from ledger.schema import stalls as stalls_table
from ledger.sql import among, among_these, plain, typed, typed_or_none


class SiteKind(StrEnum):
    """What sort of place it is."""

    TESTING_ROOM = "testing_room"
    QUICK_TEST_VAN = "quick_test_van"
    CANTEEN = "canteen"


ROOM_KINDS = (SiteKind.TESTING_ROOM.value, SiteKind.QUICK_TEST_VAN.value)
"""Those that test, and may have stalls to test at."""


class Site(msgspec.Struct, frozen=True):
    """A place with devices. `id` is unique everywhere and stands in topics."""

    id: str
    region: str
    name: str
    kind: SiteKind
    establishment_id: str | None = None
    self_test: bool = False
    """True if the tested party runs it itself: lower trust, and said so."""
    retired_at: datetime | None = None
    """Out of use since then."""


class Stall(msgspec.Struct, frozen=True):
    """A stall of a market site."""

    site: str
    label: str
    """Its code, as samples name it; unique at the site."""
    id: str = msgspec.field(default_factory=new_id)
    keeper: str = ""
    name: str = ""
    supplier: str = ""
    """Whom it usually buys from."""
    retired_at: datetime | None = None
    """Closed since then."""


def add(conn: Connection, new: Site) -> None:
    """Add one. Raises TopicError for an id that could not stand in a topic."""
    checked_segment("site", new.id)
    conn.execute(sites.insert(), plain(new))


def get(conn: Connection, site_id: str) -> Site | None:
    """The site of that id."""
    row = conn.execute(select(sites).where(sites.c.id == site_id)).one_or_none()
    return typed_or_none(row, Site)


_NAMES = select(sites.c.id, sites.c.name).where(among(sites.c.id, "sites"))


def names(conn: Connection, site_ids: Collection[str]) -> dict[str, str]:
    """What people call these sites; those that are not known are left out."""
    return dict(conn.execute(_NAMES, {"sites": site_ids}).all())


def list_in(
    conn: Connection,
    regions: Sequence[str],
    limit: int | None = None,
    only: Collection[str] | None = None,
) -> list[Site]:
    """Sites in use in any of `regions`, by region and id: the first `limit`, of these `only`."""
    found = select(sites).where(sites.c.region.in_(regions), sites.c.retired_at.is_(None))
    if only is not None:
        found = found.where(among_these(sites.c.id, only))
    found = found.order_by(sites.c.region, sites.c.id).limit(limit)
    return [typed(row, Site) for row in conn.execute(found)]


def of_establishment(conn: Connection, establishment_id: str) -> list[Site]:
    """The sites of one establishment, by id."""
    found = select(sites).where(sites.c.establishment_id == establishment_id).order_by(sites.c.id)
    return [typed(row, Site) for row in conn.execute(found)]


def add_stalls(conn: Connection, new: Sequence[Stall]) -> None:
    """Add stalls."""
    if new:
        conn.execute(stalls_table.insert(), [plain(stall) for stall in new])


def stalls(conn: Connection, site_id: str) -> list[Stall]:
    """The stalls of a site, by label."""
    found = (
        select(stalls_table).where(stalls_table.c.site == site_id).order_by(stalls_table.c.label)
    )
    return [typed(row, Stall) for row in conn.execute(found)]
