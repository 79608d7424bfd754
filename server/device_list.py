"""Devices and their health, site by site; what has not been heard of is not taken for well."""

from datetime import datetime

import msgspec

from contracts.words import DeviceState
from ledger import regions, standings
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.sites import Site
from server.access import Scope

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


class DeviceList(msgspec.Struct, frozen=True):
    """A page of the sites, and what can be said of all of them."""

    found: list[SiteDevices]
    sites: int
    """How many there are on all pages."""
    numbers: dict[str, int]
    """How many devices are in each state."""


def read_devices(conn: Connection, scope: Scope, now: datetime, page: int, size: int) -> DeviceList:
    """The sites of the scope with their devices, sites in trouble first: page 1, 2 … of them."""
    told = standings.state_counts(conn, scope.listed, now, scope.sites)
    found, total = standings.troubled_sites(
        conn, scope.listed, now, size, (page - 1) * size, scope.sites
    )
    own = standings.at_sites(conn, [site.id for site in found])
    towns = regions.names(conn, {site.region for site in found})
    made = [
        SiteDevices(
            site=site,
            region=towns.get(site.region, (site.region, site.region)),
            lines=[device_line(device, now) for device in sorted(own[site.id], key=_order)],
        )
        for site in found
    ]
    return DeviceList(made, total, {one.value: told.get(one, 0) for one in DeviceState})


def _order(device: Device) -> tuple[bool, str, str]:
    return device.kind is not DeviceKind.AGENT, device.kind.value, device.device
