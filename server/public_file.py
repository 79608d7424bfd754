"""What anyone may know of an establishment: no person, no picture, no unreviewed lead.

Every statement comes with how old it is; what cannot be seen, or was not heard of, is said so.
"""

import re
from datetime import date, datetime, timedelta

import msgspec

from contracts.words import DeviceState, Phase
from ledger import case_lists, observations, place_tests, regions, results, sites
from ledger.case_types import Publication
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.establishments import Establishment
from ledger.place_findings import SIGHT
from ledger.place_tests import TestFigures
from ledger.results import ResultRow
from server.charts import METRIC
from server.device_list import device_line
from server.establishment_file import DAYS, devices_of
from server.formats import local
from server.limit_lines import LimitLines
from server.public_day import Day, read_day
from timeseries.port import SeriesDown, SeriesStore

STALE_S = 1800.0
"""A temperature older than this is not the present one."""
LONGEST = timedelta(hours=6)
"""What is older than this is told no more while nothing can be learnt."""
TESTS_SHOWN = 8
_NUMBERS = re.compile(r"[0-9０-９][0-9０-９ -]{5,}[0-9０-９]")
"""Seven digits or more in what people typed: a telephone, an identity card."""


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
    licence: str
    """How the food licence stands, a word of `Establishment.licence`."""
    read_at: datetime
    day: Day | None = None
    """Of a kitchen with cameras; None: it has none, or nothing is known of its day."""
    good_until: datetime | None = None
    """The code that was scanned is an old one, and opens the page so long yet."""
    then: bool = False
    """Nothing can be learnt at present: this is how it stood at `read_at`."""

    @property
    def unknown(self) -> int:
        """Of how many things nothing can be said at present."""
        blind = sum(camera.state != "sees" for camera in self.cameras)
        return blind + sum(one.state == "unknown" for one in self.temperatures)


_INSTRUMENTS = (DeviceKind.PESTICIDE_READER, DeviceKind.ANALYZER)


def read_public_file(
    conn: Connection,
    store: SeriesStore,
    limits: LimitLines,
    one: Establishment,
    now: datetime,
    good_until: datetime | None = None,
) -> PublicFile:
    """Gather it. A time-series store that is away makes temperatures unknown, nothing worse."""
    own_sites = sites.of_establishment(conn, one.id)
    own = devices_of(conn, own_sites)
    path = [regions.get(conn, code) for code in reversed(regions.ancestors(conn, one.region))]
    blind = {
        row.device
        for row in observations.for_establishment(conn, one.id, 100)
        if row.kind.startswith(SIGHT) and row.phase is Phase.OPEN
    }
    cameras = [device for device in own if device.kind is DeviceKind.CAMERA]
    since = now - timedelta(days=DAYS)
    newest = results.for_establishment(conn, one.id, TESTS_SHOWN)
    return PublicFile(
        establishment=one,
        region_path=[(region.name_zh, region.name_en) for region in path if region],
        figures=place_tests.since(conn, one.id, since),
        tests=[test for test in newest if test.captured_at >= since],
        self_test=any(site.self_test for site in own_sites),
        cameras=[_camera(device, blind, now) for device in cameras],
        temperatures=[
            _temperature(store, limits, device, now)
            for device in own
            if device.kind is DeviceKind.PROBE
        ],
        cases=case_lists.publications(conn, one.id, now),
        tests_here=any(device.kind in _INSTRUMENTS for device in own),
        licence=one.licence(local(now).date()),
        read_at=now,
        day=read_day(conn, one.id, cameras, now) if cameras else None,
        good_until=good_until,
    )


def as_of_then(file: PublicFile, now: datetime) -> PublicFile | None:
    """A file that was read before `now`, for when nothing can be learnt: what can have changed
    since is unknown, and what the law lets be shown no longer is left out.

    None: it is too old to be told at all, or its code was good for a time only.
    """
    if now - file.read_at > LONGEST or (file.good_until is not None and now >= file.good_until):
        return None
    return msgspec.structs.replace(
        file,
        then=True,
        cameras=[msgspec.structs.replace(one, state="unknown") for one in file.cameras],
        temperatures=[
            msgspec.structs.replace(one, state="unknown", value=None) for one in file.temperatures
        ],
        cases=[one for one in file.cases if now < one.expires_at],
        licence=file.establishment.licence(local(now).date()),
        day=None,
    )


def without_numbers(text: str) -> str:
    """What somebody typed, without anything that could be a telephone or a person's number."""
    return _NUMBERS.sub("…", text)


def _camera(device: Device, blind: set[str], now: datetime) -> Camera:
    state = device_line(device, now).state
    name = without_numbers(device.name) or device.device
    if state is DeviceState.UNKNOWN:
        return Camera(name, "unknown", device.last_seen_at)
    if state is not DeviceState.ONLINE or device.device in blind:
        return Camera(name, "blind", device.last_seen_at)
    return Camera(name, "sees", device.last_seen_at)


def _temperature(
    store: SeriesStore, limits: LimitLines, device: Device, now: datetime
) -> Temperature:
    name = without_numbers(device.name) or device.device
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
