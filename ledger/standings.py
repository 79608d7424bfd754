"""How a city's devices stand, counted and sifted by the database: thousands of which few are shown.

`state_counts` and `troubled_sites` are the head and the order of a list of devices; `in_question`
names the few agents of which something may be missing, for `ledger.missing` to look at.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)

from contracts.words import DeviceState
from ledger.devices import IN_USE, Device, DeviceKind, silent_for_too_long
from ledger.schema import devices, sites
from ledger.sites import Site
from ledger.sql import among, among_these, typed

_WELL = (DeviceState.ONLINE.value, DeviceState.DEGRADED.value)


def state_counts(
    conn: Connection, regions: Sequence[str], at: datetime, only: Collection[str] | None = None
) -> dict[DeviceState, int]:
    """How many devices in use are in which state at `at`: one that is silent too long is unknown.

    `only`: those at these sites.
    """
    state = _shown(conn, at).label("shown")
    found = (
        select(state, func.count())
        .select_from(devices.join(sites, sites.c.id == devices.c.site))
        .where(IN_USE, *_in_sight(regions, only))
        .group_by(state)
    )
    return {DeviceState(shown): n for shown, n in conn.execute(found)}


def troubled_sites(
    conn: Connection,
    regions: Sequence[str],
    at: datetime,
    limit: int,
    offset: int = 0,
    only: Collection[str] | None = None,
) -> tuple[list[Site], int]:
    """Sites in use, those with a device that is not online first, and how many there are in all.

    Within the two by region and id; `only`: of these sites.
    """
    ill = _shown(conn, at) != DeviceState.ONLINE.value
    troubled = select(devices.c.site).where(IN_USE, devices.c.region.in_(regions), ill)
    well = case((sites.c.id.in_(troubled), 0), else_=1)
    seen = _in_sight(regions, only)
    page = select(sites).where(*seen).order_by(well, sites.c.region, sites.c.id)
    count = select(func.count()).select_from(sites).where(*seen)
    rows = conn.execute(page.limit(limit).offset(offset))
    return [typed(row, Site) for row in rows], conn.scalar(count) or 0


def at_sites(conn: Connection, wanted: Iterable[str]) -> dict[str, list[Device]]:
    """The devices in use at each of these sites, by id."""
    found: dict[str, list[Device]] = {site: [] for site in wanted}
    for row in conn.execute(_AT_SITES, {"sites": list(found)}):
        found[row.site].append(typed(row, Device))
    return found


def in_question(
    conn: Connection,
    at: datetime,
    waiting_since: datetime,
    regions: Sequence[str] | None = None,
    site: str | None = None,
) -> list[Device]:
    """The agents in use (in `regions`, at `site`) of which something may be missing.

    Those that are silent as of `at`, those where something waits since before `waiting_since`, and
    those that gave numbers that were not taken in; by region, site and id.
    """
    lacking = _LACKING_POSTGRESQL if conn.dialect.name == "postgresql" else _LACKING_SQLITE
    found = select(devices).where(
        IN_USE,
        devices.c.kind == DeviceKind.AGENT.value,
        or_(
            devices.c.state == DeviceState.OFFLINE.value,
            silent_for_too_long(conn, at),
            devices.c.waiting_since < waiting_since,
            lacking,
        ),
    )
    if regions is not None:
        found = found.where(devices.c.region.in_(regions))
    if site is not None:
        found = found.where(devices.c.site == site)
    found = found.order_by(devices.c.region, devices.c.site, devices.c.device)
    return [typed(row, Device) for row in conn.execute(found)]


# Whether an agent has given a number that was not taken in, or might have: of each of its epochs,
# what is below the lowest unreceipted number (of its present one) or all that was given must be one
# range that begins at 1.
_LACKING_POSTGRESQL: ColumnElement[bool] = literal_column(
    """EXISTS (
  SELECT 1 FROM jsonb_array_elements(devices.numbering) AS given
  LEFT JOIN intake ON intake.site = devices.site AND intake.agent = devices.device
    AND intake.epoch = given ->> 'epoch'
  CROSS JOIN LATERAL (SELECT CASE WHEN given ->> 'epoch' = devices.epoch
    THEN coalesce(devices.lowest_unreceipted, 1) - 1
    ELSE (given ->> 'given')::bigint END AS upto) AS due
  WHERE due.upto > 0 AND NOT coalesce(jsonb_array_length(intake.ranges) = 1
    AND (intake.ranges -> 0 ->> 0)::bigint = 1
    AND (intake.ranges -> 0 ->> 1)::bigint >= due.upto, false))""",
    Boolean(),
)
_LACKING_SQLITE: ColumnElement[bool] = literal_column(
    """EXISTS (
  SELECT 1 FROM json_each(devices.numbering) AS given
  LEFT JOIN intake ON intake.site = devices.site AND intake.agent = devices.device
    AND intake.epoch = json_extract(given.value, '$.epoch')
  WHERE CASE WHEN json_extract(given.value, '$.epoch') = devices.epoch
    THEN coalesce(devices.lowest_unreceipted, 1) - 1
    ELSE json_extract(given.value, '$.given') END
    > CASE WHEN json_array_length(intake.ranges) = 1 AND json_extract(intake.ranges, '$[0][0]') = 1
    THEN json_extract(intake.ranges, '$[0][1]') ELSE 0 END)""",
    Boolean(),
)
_AT_SITES = select(devices).where(IN_USE, among(devices.c.site, "sites"))
_AT_SITES = _AT_SITES.order_by(devices.c.site, devices.c.device)


def _shown(conn: Connection, at: datetime) -> ColumnElement[str]:
    """The state that can be said now: silence beyond its limit makes a device unknown."""
    never = and_(devices.c.silent_after_s.is_not(None), devices.c.last_seen_at.is_(None))
    silent = or_(never, silent_for_too_long(conn, at))
    unknown = (and_(devices.c.state.in_(_WELL), silent), DeviceState.UNKNOWN.value)
    return case(unknown, else_=devices.c.state)


def _in_sight(regions: Sequence[str], only: Collection[str] | None) -> list[ColumnElement[bool]]:
    """What a site must be."""
    wanted: list[ColumnElement[bool]] = [sites.c.region.in_(regions), sites.c.retired_at.is_(None)]
    return wanted if only is None else [*wanted, among_these(sites.c.id, only)]
