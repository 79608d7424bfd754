"""Devices: what is registered to speak, what state it is in, and what has fallen silent."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, and_, bindparam, false, func, or_, select, update

from contracts.events import Numbering, Status
from contracts.topics import Identity, checked_segment
from contracts.words import DeviceState
from ledger import journal
from ledger.bulk import sqlite_time
from ledger.schema import devices
from ledger.sql import plain, typed, typed_or_none


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

    @property
    def identity(self) -> Identity:
        """How it speaks on the wire."""
        return Identity(self.region, self.site, self.device)


def add(conn: Connection, new: Device) -> None:
    """Register one. Raises TopicError for an id that could not stand in a topic."""
    checked_segment("device", new.device)
    conn.execute(devices.insert(), plain(new))


def get(conn: Connection, who: Identity) -> Device | None:
    """The device of that identity (its region must match)."""
    row = conn.execute(select(devices).where(_is(who))).one_or_none()
    return typed_or_none(row, Device)


def registry(conn: Connection) -> dict[Identity, Device]:
    """Every registered device."""
    made = (typed(row, Device) for row in conn.execute(select(devices)))
    return {device.identity: device for device in made}


def list_in(
    conn: Connection, regions: Sequence[str] | None = None, site: str | None = None
) -> list[Device]:
    """Devices in `regions` and/or at `site`, by region, site and id."""
    found = select(devices).order_by(devices.c.region, devices.c.site, devices.c.device)
    if regions is not None:
        found = found.where(devices.c.region.in_(regions))
    if site is not None:
        found = found.where(devices.c.site == site)
    return [typed(row, Device) for row in conn.execute(found)]


def mark_seen(conn: Connection, seen: Mapping[Identity, datetime]) -> None:
    """Note when devices were last heard (time of receipt); an older time changes nothing."""
    # In one order, so that two gateways don't block each other for good.
    if not seen:
        return
    marks = sorted(seen.items())
    if conn.dialect.name == "postgresql":
        named = [{"key_site": w.site, "key_device": w.device, "seen_at": at} for w, at in marks]
        conn.execute(_MARK_SEEN, named)
    else:
        times = [(sqlite_time(at), who) for who, at in marks]
        rows = [(at, who.site, who.device, at) for at, who in times]
        conn.exec_driver_sql(_MARK_SEEN_SQLITE, rows)


def set_status(conn: Connection, who: Identity, status: Status, received_at: datetime) -> bool:
    """Take over a device's own word; True if its state or its detail changed (journalled).

    A status received before the one on file is ignored. An unknown device changes nothing. A last
    will knows nothing of the outbox: what was last said of it stays.
    """
    found = select(devices.c.state, devices.c.state_detail, devices.c.status_received_at)
    old = conn.execute(found.where(_is(who)).with_for_update()).one_or_none()
    if old is None or (old.status_received_at and old.status_received_at > received_at):
        return False
    told: dict[str, object] = {name: getattr(status, name) for name in _HEALTH}
    if status.state is not DeviceState.OFFLINE or status.epoch or status.numbering:
        told |= {name: getattr(status, name) for name in _OUTBOX}
        age = timedelta(seconds=max(0.0, min(status.oldest_unsent_age_s, _AGE_MOST_S)))
        told["waiting_since"] = received_at - age if status.backlog else None
    told |= {
        "state": status.state.value,
        "state_detail": status.detail,
        "state_at": status.at,
        "status_received_at": received_at,
    }
    conn.execute(update(devices).where(_is(who)).values(told))
    changed = (old.state, old.state_detail) != (status.state.value, status.detail)
    if changed:
        _note(conn, who, status.state, status.detail, received_at)
    return changed


def set_site_unknown(conn: Connection, agent: Identity, detail: str, at: datetime) -> int:
    """The agent can't be heard: whatever it last said of its site's devices no longer holds.

    Returns how many devices became ``unknown`` (each journalled).
    """
    others = (
        devices.c.site == agent.site,
        devices.c.device != agent.device,
        devices.c.state != DeviceState.UNKNOWN.value,
    )
    # Statuses of a batch lock devices in this order, too.
    conn.execute(
        select(devices.c.device).where(*others).order_by(devices.c.device).with_for_update()
    )
    changed = (
        update(devices)
        .where(*others)
        .values(state=DeviceState.UNKNOWN.value, state_detail=detail, state_at=at)
        .returning(devices.c.device)
    )
    names = sorted(conn.scalars(changed))
    for name in names:
        _note(conn, agent.sibling(name), DeviceState.UNKNOWN, detail, at)
    return len(names)


def silent(conn: Connection, at: datetime) -> list[Device]:
    """Watched devices that were not heard for longer than they may be silent, as of `at`.

    One that was never heard counts from its registration.
    """
    limits = select(devices.c.silent_after_s).where(devices.c.silent_after_s.is_not(None))
    heard_at = func.coalesce(devices.c.last_seen_at, devices.c.registered_at)
    too_long = (
        and_(devices.c.silent_after_s == limit, heard_at < at - timedelta(seconds=limit))
        for limit in conn.scalars(limits.distinct())
        if limit is not None
    )
    found = select(devices).where(or_(false(), *too_long))
    found = found.order_by(devices.c.region, devices.c.site, devices.c.device)
    return [typed(row, Device) for row in conn.execute(found)]


_HEALTH = ("software", "discarded_bytes", "clock_offset_s", "figures")
_OUTBOX = (
    "epoch",
    "lowest_unreceipted",
    "oldest_unsent_age_s",
    "backlog",
    "outbox_bytes",
    "thinned",
    "numbering",
)
_AGE_MOST_S = 10 * 366 * 86_400.0

_MARK_SEEN = (
    update(devices)
    .where(
        devices.c.site == bindparam("key_site"),
        devices.c.device == bindparam("key_device"),
        or_(devices.c.last_seen_at.is_(None), devices.c.last_seen_at < bindparam("seen_at")),
    )
    .values(last_seen_at=bindparam("seen_at"))
)
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


def _note(conn: Connection, who: Identity, state: DeviceState, detail: str, at: datetime) -> None:
    journal.append(
        conn,
        journal.DEVICE,
        at=at,
        region=who.region,
        site=who.site,
        ref=who.source,
        body={"device": who.device, "state": state.value, "detail": detail},
    )
