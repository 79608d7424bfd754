"""What anyone may know of an establishment: no person, no picture, no unreviewed lead.

Every statement comes with how old it is; what cannot be seen, or was not heard of, is said so.
"""

from datetime import date, datetime

import msgspec

from contracts.words import DeviceState, Phase
from ledger import case_lists, observations, regions, sites
from ledger.case_types import Publication
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.establishments import Establishment
from ledger.results import ResultRow
from server.charts import METRIC
from server.device_list import device_line
from server.establishment_file import TestFigures, count_tests, devices_of, recent_tests
from server.formats import local
from server.limit_lines import LimitLines
from timeseries.port import SeriesDown, SeriesStore

STALE_S = 1800.0
"""A temperature older than this is not the present one."""
TESTS_SHOWN = 8
CANNOT_SEE = "camera_"
"""Observations of kinds that begin so say that a camera could not see."""


class Temperature(msgspec.Struct, frozen=True):
    """What a probe last said: ``ok``, ``over``, ``unknown``; ``plain`` where there is no limit."""

    name: str
    state: str
    value: float | None = None
    at: datetime | None = None
    limit: str = ""


class Camera(msgspec.Struct, frozen=True):
    """A camera: ``sees``, ``blind`` or ``unknown``."""

    name: str
    state: str
    seen_at: datetime | None


class PublicFile(msgspec.Struct, frozen=True):
    """What the public page shows."""

    establishment: Establishment
    region_path: list[tuple[str, str]]
    figures: TestFigures
    tests: list[ResultRow]
    self_test: bool
    cameras: list[Camera]
    temperatures: list[Temperature]
    cases: list[Publication]
    """Published ones, as long as the law says; the newest first."""
    tests_here: bool
    """Whether there is an instrument at all."""

    @property
    def unknown(self) -> int:
        """Of how many things nothing can be said at present."""
        blind = sum(camera.state != "sees" for camera in self.cameras)
        return blind + sum(one.state == "unknown" for one in self.temperatures)


_INSTRUMENTS = (DeviceKind.PESTICIDE_READER, DeviceKind.ANALYZER)


def read_public_file(
    conn: Connection, store: SeriesStore, limits: LimitLines, one: Establishment, now: datetime
) -> PublicFile:
    """Gather it. A time-series store that is away makes temperatures unknown, nothing worse."""
    own_sites = sites.of_establishment(conn, one.id)
    own = devices_of(conn, own_sites)
    tests = recent_tests(conn, one.id, now)
    path = [regions.get(conn, code) for code in reversed(regions.ancestors(conn, one.region))]
    blind = {
        row.device
        for row in observations.for_establishment(conn, one.id, 100)
        if row.kind.startswith(CANNOT_SEE) and row.phase is Phase.OPEN
    }
    return PublicFile(
        establishment=one,
        region_path=[(region.name_zh, region.name_en) for region in path if region],
        figures=count_tests(tests),
        tests=tests[:TESTS_SHOWN],
        self_test=any(site.self_test for site in own_sites),
        cameras=[_camera(device, blind, now) for device in own if device.kind is DeviceKind.CAMERA],
        temperatures=[
            _temperature(store, limits, device, now)
            for device in own
            if device.kind is DeviceKind.PROBE
        ],
        cases=case_lists.publications(conn, one.id, now),
        tests_here=any(device.kind in _INSTRUMENTS for device in own),
    )


def _camera(device: Device, blind: set[str], now: datetime) -> Camera:
    state = device_line(device, now).state
    name = device.name or device.device
    if state is DeviceState.UNKNOWN:
        return Camera(name, "unknown", device.last_seen_at)
    if state is not DeviceState.ONLINE or device.device in blind:
        return Camera(name, "blind", device.last_seen_at)
    return Camera(name, "sees", device.last_seen_at)


def _temperature(
    store: SeriesStore, limits: LimitLines, device: Device, now: datetime
) -> Temperature:
    name = device.name or device.device
    today: date = local(now).date()
    tags = {
        "region": device.region,
        "site": device.site,
        "device": device.device,
        "metric": METRIC,
    }
    try:
        last = store.latest("readings", "value", tags)
    except SeriesDown:
        last = None
    limit = limits.of(device.device, METRIC, today, device.name)
    text = limit.text if limit else ""
    if last is None or (now - last.at).total_seconds() > STALE_S:
        return Temperature(name, "unknown", None, last.at if last else None, text)
    value = float(last.value)
    if limit is None:
        return Temperature(name, "plain", value, last.at)
    return Temperature(name, "ok" if limit.allows(value) else "over", value, last.at, text)
