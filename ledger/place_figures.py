"""What a list of establishments says of each: names and counts, in a fixed number of statements."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, cast, func, select

from contracts.words import OPEN_STATES, DeviceState
from ledger import officers, regions
from ledger.establishments import Establishment
from ledger.schema import alerts, devices, establishments, sites
from ledger.sql import among, typed

BLIND = frozenset({DeviceState.OFFLINE, DeviceState.UNKNOWN})


class PlaceFigures(msgspec.Struct, frozen=True):
    """An establishment with what its line shows."""

    establishment: Establishment
    region: tuple[str, str]
    """Chinese and English name."""
    officer: str
    open_alerts: int
    devices: int
    blind: int
    """Devices that are offline or of which nothing is known."""


_OPEN_ALERTS = (
    select(alerts.c.establishment_id, func.count())
    .where(
        among(alerts.c.establishment_id, "ids"),
        alerts.c.state.in_([state.value for state in OPEN_STATES]),
    )
    .group_by(alerts.c.establishment_id)
)
_DEVICES = (
    select(
        sites.c.establishment_id,
        func.count(),
        func.sum(cast(devices.c.state.in_([state.value for state in BLIND]), Integer)),
    )
    .select_from(sites.join(devices, devices.c.site == sites.c.id))
    .where(among(sites.c.establishment_id, "ids"))
    .group_by(sites.c.establishment_id)
)


def figures_of(conn: Connection, found: Sequence[Establishment]) -> list[PlaceFigures]:
    """The same establishments, in the same order."""
    if not found:
        return []
    ids = {"ids": [one.id for one in found]}
    names = regions.names(conn, {one.region for one in found})
    called = officers.names(conn, {one.officer_id for one in found if one.officer_id})
    open_alerts = {row[0]: row[1] for row in conn.execute(_OPEN_ALERTS, ids)}
    own = {row[0]: (row[1], row[2]) for row in conn.execute(_DEVICES, ids)}
    return [
        PlaceFigures(
            establishment=one,
            region=names.get(one.region, (one.region, one.region)),
            officer=called.get(one.officer_id or "", ""),
            open_alerts=open_alerts.get(one.id, 0),
            devices=own.get(one.id, (0, 0))[0],
            blind=own.get(one.id, (0, 0))[1],
        )
        for one in found
    ]


def find(
    conn: Connection, codes: Sequence[str], words: str, limit: int, offset: int = 0
) -> tuple[list[Establishment], int]:
    """Establishments of these regions with `words` in name or address, and how many there are.

    By region and name; letters of either case fit.
    """
    text = establishments.c.name + " " + establishments.c.address
    wanted: list[ColumnElement[bool]] = [establishments.c.region.in_(codes)]
    if words:
        wanted.append(text.icontains(words, autoescape=True))
    page = (
        select(establishments)
        .where(*wanted)
        .order_by(establishments.c.region, establishments.c.name, establishments.c.id)
        .limit(limit)
        .offset(offset)
    )
    total = conn.scalar(select(func.count()).select_from(establishments).where(*wanted)) or 0
    return [typed(row, Establishment) for row in conn.execute(page)], total
