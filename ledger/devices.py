"""Devices: what is registered to speak, what state it is in, and what has fallen silent."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, tuple_, update

from contracts.events import Numbering, Status
from contracts.topics import Identity, checked_segment
from contracts.words import DeviceState
from ledger.bulk import sqlite_time, write_rows
from ledger.schema import devices, establishments, sites
from ledger.sql import among, plain, typed, typed_or_none
from ledger.statuses import Told, locked, note, take_over


class DeviceKind(StrEnum):
    """What sort of device it is."""

    AGENT = "agent"
    PESTICIDE_READER = "pesticide_reader"
    ANALYZER = "analyzer"
    PROBE = "probe"
    CAMERA = "camera"


class Device(msgspec.Struct, frozen=True):
    """A registered device with its latest state and health."""

    region: str
    site: str
    device: str
    kind: DeviceKind
    name: str
    registered_at: datetime
    model: str = ""
    silent_after_s: float | None = None
    """Silence of this long is a finding; None: it may be silent as long as it likes."""
    state: DeviceState = DeviceState.UNKNOWN
    state_detail: str = ""
    state_at: datetime | None = None
    """When the edge said so, by its own clock."""
    status_received_at: datetime | None = None
    last_seen_at: datetime | None = None
    """When anything of it was last received."""
    software: str = ""
    epoch: str = ""
    lowest_unreceipted: int | None = None
    oldest_unsent_age_s: float = 0.0
    backlog: int = 0
    outbox_bytes: int = 0
    thinned: int = 0
    discarded_bytes: int = 0
    clock_offset_s: float | None = None
    figures: dict[str, float] = {}
    numbering: tuple[Numbering, ...] = ()
    """An agent's latest epochs, newest first."""
    waiting_since: datetime | None = None
    """An agent's oldest unreceipted event was put then; None if none waits."""
    retired_at: datetime | None = None
    """Out of use since then: it is no longer heard, watched or listed."""
    site_kind: str = ""
    """Kind of its site, and of its establishment: known in the `registry` only."""
    establishment_kind: str = ""

    @property
    def identity(self) -> Identity:
        """How it speaks on the wire."""
        return Identity(self.region, self.site, self.device)


def add(conn: Connection, new: Device) -> None:
    """Register one. Raises TopicError for an id that could not stand in a topic."""
    checked_segment("device", new.device)
    row = plain(new)
    del row["site_kind"], row["establishment_kind"]
    conn.execute(devices.insert(), row)


def get(conn: Connection, who: Identity) -> Device | None:
    """The device of that identity (its region must match)."""
    row = conn.execute(select(devices).where(_is(who))).one_or_none()
    return typed_or_none(row, Device)


def registry(conn: Connection) -> dict[Identity, Device]:
    """Every registered device in use, with the kinds of its site and establishment."""
    made = (typed(row, Device) for row in conn.execute(_PLACED))
    return {device.identity: device for device in made}


def registered(conn: Connection) -> dict[Identity, Device]:
    """The `registry` without what is said of devices' state: read much faster."""
    made = {}
    for site_kind, owner_kind, *row in conn.execute(_AS_REGISTERED):
        region, site, device, kind, name, registered_at, model, silent_after_s = row
        made[Identity(region, site, device)] = Device(
            region, site, device, DeviceKind(kind), name, registered_at, model, silent_after_s,
            site_kind=site_kind, establishment_kind=owner_kind,
        )  # fmt: skip
    return made


def agents(conn: Connection) -> list[Device]:
    """The agents of the `registry`, by site."""
    found = _PLACED.where(devices.c.kind == DeviceKind.AGENT.value)
    return [typed(row, Device) for row in conn.execute(found.order_by(devices.c.site))]


def doubtful(conn: Connection, at: datetime, also: Iterable[Identity]) -> list[Device]:
    """Those of the `registry` whose absence is in question, by site and id; usually hardly anyone.

    Silent devices as of `at`, agents that said farewell, those of `also` that are registered; and
    the agents of all their sites.
    """
    farewell = and_(
        devices.c.kind == DeviceKind.AGENT.value, devices.c.state == DeviceState.OFFLINE.value
    )
    rows = conn.execute(_PLACED.where(or_(farewell, silent_for_too_long(conn, at))))
    made = [typed(row, Device) for row in rows]
    found = {one.identity: one for one in made}
    more = set(also) - found.keys()
    at_sites = {who.site for who in (*found, *more)}
    if at_sites:
        neighbours = _PLACED.where(among(devices.c.site, "sites"))
        if not more:
            neighbours = neighbours.where(devices.c.kind == DeviceKind.AGENT.value)
        for row in conn.execute(neighbours, {"sites": at_sites}):
            who = Identity(row.region, row.site, row.device)
            if who in more or (row.kind == DeviceKind.AGENT.value and who not in found):
                found[who] = typed(row, Device)
    return sorted(found.values(), key=lambda one: (one.site, one.device))


def list_in(
    conn: Connection, regions: Sequence[str] | None = None, site: str | None = None
) -> list[Device]:
    """Devices in use in `regions` and/or at `site`, by region, site and id."""
    found = select(devices).where(IN_USE)
    found = found.order_by(devices.c.region, devices.c.site, devices.c.device)
    if regions is not None:
        found = found.where(devices.c.region.in_(regions))
    if site is not None:
        found = found.where(devices.c.site == site)
    return [typed(row, Device) for row in conn.execute(found)]


def list_after(
    conn: Connection,
    regions: Sequence[str],
    limit: int,
    after: tuple[str, str, str] | None = None,
    sites: Collection[str] | None = None,
) -> list[Device]:
    """Devices in `regions` (at `sites` only, if given), by region, site and id.

    `after`: region, site and id of the last one seen.
    """
    place = (devices.c.region, devices.c.site, devices.c.device)
    found = select(devices).where(devices.c.region.in_(regions))
    if sites is not None:
        found = found.where(devices.c.site.in_(sites))
    if after is not None:
        found = found.where(tuple_(*place) > tuple_(*after))
    return [typed(row, Device) for row in conn.execute(found.order_by(*place).limit(limit))]


def mark_seen(conn: Connection, seen: Mapping[Identity, datetime]) -> None:
    """Note when devices were last heard (time of receipt); an older time changes nothing."""
    if not seen:
        return
    if conn.dialect.name == "postgresql":
        locked(conn, seen)
        rows = [(at, who.site, who.device) for who, at in seen.items()]
        write_rows(conn, "", _MARK_SEEN, rows)
    else:
        times = [(sqlite_time(at), who) for who, at in seen.items()]
        marks = [(at, who.site, who.device, at) for at, who in times]
        conn.exec_driver_sql(_MARK_SEEN_SQLITE, marks)


def set_status(conn: Connection, who: Identity, status: Status, received_at: datetime) -> bool:
    """`take_over` for a single status; True if its state or its detail changed."""
    return who in take_over(conn, [Told(who, status, received_at)])


def set_site_unknown(conn: Connection, agent: Identity, detail: str, at: datetime) -> int:
    """The agent can't be heard: whatever it last said of its site's devices no longer holds.

    Returns how many devices became ``unknown`` (each journalled).
    """
    others = (
        devices.c.site == agent.site,
        devices.c.device != agent.device,
        devices.c.state != DeviceState.UNKNOWN.value,
    )
    names_first = select(devices.c.region, devices.c.site, devices.c.device).where(*others)
    locked(conn, [Identity(*row) for row in conn.execute(names_first)])
    changed = (
        update(devices)
        .where(*others)
        .values(state=DeviceState.UNKNOWN.value, state_detail=detail, state_at=at)
        .returning(devices.c.device)
    )
    names = sorted(conn.scalars(changed))
    for name in names:
        note(conn, agent.sibling(name), DeviceState.UNKNOWN, detail, at)
    return len(names)


def silent(conn: Connection, at: datetime) -> list[Device]:
    """Watched devices that were not heard for longer than they may be silent, as of `at`.

    One that was never heard counts from its registration.
    """
    found = select(devices).where(IN_USE, silent_for_too_long(conn, at))
    found = found.order_by(devices.c.region, devices.c.site, devices.c.device)
    return [typed(row, Device) for row in conn.execute(found)]


IN_USE = devices.c.retired_at.is_(None)
"""Whether a device has not been retired."""
_PLACES = devices.join(sites, sites.c.id == devices.c.site).outerjoin(
    establishments, establishments.c.id == sites.c.establishment_id
)
_KINDS = (
    sites.c.kind.label("site_kind"),
    func.coalesce(establishments.c.kind, "").label("establishment_kind"),
)
_PLACED = select(devices, *_KINDS).select_from(_PLACES).where(IN_USE)
_REGISTERED = (
    *("region", "site", "device", "kind", "name"),
    *("registered_at", "model", "silent_after_s"),
)
"""Columns in the order of the fields of Device."""
_AS_REGISTERED = select(*_KINDS, *(devices.c[name] for name in _REGISTERED))
_AS_REGISTERED = _AS_REGISTERED.select_from(_PLACES).where(IN_USE)
_MARK_SEEN = """
UPDATE devices SET last_seen_at = new.at
FROM unnest(%s::timestamptz[], %s::text[], %s::text[]) AS new (at, of_site, of_device)
WHERE devices.site = new.of_site AND devices.device = new.of_device
  AND (last_seen_at IS NULL OR last_seen_at < new.at)
"""
_MARK_SEEN_SQLITE = """
UPDATE devices SET last_seen_at = ?
WHERE site = ? AND device = ? AND (last_seen_at IS NULL OR last_seen_at < ?)
"""


def _is(who: Identity):  # type: ignore[no-untyped-def]
    return and_(
        devices.c.site == who.site,
        devices.c.device == who.device,
        devices.c.region == who.region,
    )


def silent_for_too_long(conn: Connection, at: datetime) -> ColumnElement[bool]:
    """Whether a device was not heard for longer than it may be silent, as of `at`."""
    limits = select(devices.c.silent_after_s).where(devices.c.silent_after_s.is_not(None))
    heard_at = func.coalesce(devices.c.last_seen_at, devices.c.registered_at)
    too_long = (
        and_(devices.c.silent_after_s == limit, heard_at < at - timedelta(seconds=limit))
        for limit in conn.scalars(limits.distinct())
        if limit is not None
    )
    return or_(false(), *too_long)
