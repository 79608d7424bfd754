"""When devices were out of use: once brought back, the time since they were retired is kept."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, select

from ledger.devices import DeviceKind
from ledger.schema import device_gaps, devices
from ledger.sql import among_these, typed


class Gap(msgspec.Struct, frozen=True):
    """A time in which a device was retired."""

    site: str
    device: str
    since: datetime
    until: datetime


def note(conn: Connection, site: str, device: str, until: datetime) -> None:
    """A retired device is about to be used again from `until` on: keep since when it was not."""
    since = conn.scalar(
        select(devices.c.retired_at).where(devices.c.site == site, devices.c.device == device)
    )
    if since is not None and since < until:
        row = {"site": site, "device": device, "since": since, "until": until}
        conn.execute(device_gaps.insert(), row)


def at_sites(conn: Connection, sites: Sequence[str]) -> list[Gap]:
    """All gaps of the devices at these sites, by device and time."""
    found = select(device_gaps).where(among_these(device_gaps.c.site, sites))
    order = (device_gaps.c.site, device_gaps.c.device, device_gaps.c.since)
    return [typed(row, Gap) for row in conn.execute(found.order_by(*order))]


def of_cameras(conn: Connection, since: datetime, until: datetime) -> list[Gap]:
    """Those of cameras, of which some time lies between `since` and `until`."""
    found = (
        select(device_gaps)
        .join(
            devices,
            and_(devices.c.site == device_gaps.c.site, devices.c.device == device_gaps.c.device),
        )
        .where(
            devices.c.kind == DeviceKind.CAMERA.value,
            device_gaps.c.since < until,
            device_gaps.c.until > since,
        )
    )
    return [typed(row, Gap) for row in conn.execute(found)]
