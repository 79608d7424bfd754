"""Devices and their health, site by site; what has not been heard of is not taken for well."""

from datetime import datetime

import msgspec

from contracts.words import DeviceState
from ledger import devices, sites
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.sites import Site
from server.access import Scope
from server.desk import Names

CLOCK_OFF_S = 5.0
"""An offset beyond this is pointed out."""


class DeviceLine(msgspec.Struct, frozen=True):
    """A device as its line shows it."""

    device: Device
    state: DeviceState
    """What can be said now: silence beyond its limit makes it unknown, whatever it last said."""
    silent_s: float | None
    """How long nothing was heard; None if it never was."""

    @property
    def clock_off(self) -> bool:
        """Whether its clock is off by more than a little."""
        return abs(self.device.clock_offset_s or 0.0) > CLOCK_OFF_S

    @property
    def plain(self) -> bool:
        """Whether nothing more can be said of it than that it is well."""
        return (
            self.state is DeviceState.ONLINE
            and not self.clock_off
            and self.device.kind is not DeviceKind.AGENT
        )


class SiteDevices(msgspec.Struct, frozen=True):
    """A site with its devices, the agent first."""

    site: Site
    region: tuple[str, str]
    lines: list[DeviceLine]

    @property
    def told(self) -> list[DeviceLine]:
        """The agent, whose figures are the site's, and what is in trouble: a line each."""
        return [line for line in self.lines if not line.plain]

    @property
    def well(self) -> list[DeviceLine]:
        """The others, named in one line."""
        return [line for line in self.lines if line.plain]

    @property
    def trouble(self) -> int:
        """How many devices are not online."""
        return sum(line.state is not DeviceState.ONLINE for line in self.lines)


def device_line(device: Device, now: datetime) -> DeviceLine:
    """A device's line at `now`."""
    heard_at = device.last_seen_at
    silent_s = (now - heard_at).total_seconds() if heard_at else None
    state = device.state
    too_long = device.silent_after_s is not None and (
        silent_s is None or silent_s > device.silent_after_s
    )
    if too_long and state in (DeviceState.ONLINE, DeviceState.DEGRADED):
        state = DeviceState.UNKNOWN
    return DeviceLine(device, state, silent_s)


def read_devices(conn: Connection, scope: Scope, now: datetime) -> list[SiteDevices]:
    """Every site of the scope with its devices; sites in trouble first."""
    by_site: dict[str, list[Device]] = {}
    for device in devices.list_in(conn, scope.listed):
        by_site.setdefault(device.site, []).append(device)
    names = Names(conn)
    made = []
    for site in sites.list_in(conn, scope.listed):
        if not scope.covers_site(site.region, site.id):
            continue
        own = sorted(
            by_site.get(site.id, ()),
            key=lambda one: (one.kind is not DeviceKind.AGENT, one.kind.value, one.device),
        )
        lines = [device_line(device, now) for device in own]
        made.append(SiteDevices(site, names.region(site.region), lines))
    return sorted(made, key=lambda one: (one.trouble == 0, one.site.region, one.site.id))
