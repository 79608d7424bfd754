"""The file of an establishment 一户一档: facts, devices, tests, observations, open alerts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.looks import KEPT_KIND
from contracts.words import OPEN_STATES
from ledger import (
    alerts,
    cards,
    case_lists,
    devices,
    establishments,
    evidence,
    observations,
    officers,
    place_figures,
    place_tests,
    regions,
)
from ledger import results as results_book
from ledger import sites as sites_book
from ledger.cards import Card
from ledger.case_types import CaseRow
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.establishments import Establishment
from ledger.evidence import EvidenceRow
from ledger.observations import ObservationRow
from ledger.place_figures import BLIND, PlaceFigures
from ledger.place_tests import TestFigures
from ledger.results import ResultRow
from ledger.sites import Site
from server.access import Scope
from server.desk import AlertLine, alert_lines

DAYS = 30
"""The quick tests of so many days are counted."""
CASES_SHOWN = 8
TESTS_COUNTED = 2000
TESTS_SHOWN = 12
SEEN_SHOWN = 8
SEEN_COUNTED = 500
ALERTS_SHOWN = 6


class Seen(msgspec.Struct, frozen=True):
    """An observation with its picture."""

    row: ObservationRow
    picture: EvidenceRow | None


class EstablishmentFile(msgspec.Struct, frozen=True):
    """What the page shows."""

    establishment: Establishment
    region_path: list[tuple[str, str]]
    """Chinese and English names from the city down."""
    officer: str
    sites: list[Site]
    devices: list[Device]
    figures: TestFigures
    tests: list[ResultRow]
    seen: list[Seen]
    alerts: list[AlertLine]
    open_alerts: int
    cards: list[Card]
    cases: list[CaseRow]
    """The newest first."""
    """Yellow and red ones, newest first; annulled ones, too."""
    seen_today: int
    """Observations that began in the last 24 hours."""

    @property
    def instruments(self) -> list[Device]:
        """Devices that test samples."""
        kinds = (DeviceKind.PESTICIDE_READER, DeviceKind.ANALYZER)
        return [device for device in self.devices if device.kind in kinds]

    @property
    def blind(self) -> int:
        """Devices that are offline or of which nothing is known."""
        return sum(device.state in BLIND for device in self.devices)

    @property
    def probes(self) -> list[Device]:
        """Devices that measure temperature over time."""
        return [device for device in self.devices if device.kind is DeviceKind.PROBE]

    @property
    def cameras(self) -> list[Device]:
        """Devices that see."""
        return [device for device in self.devices if device.kind is DeviceKind.CAMERA]


def devices_of(conn: Connection, sites: Sequence[Site]) -> list[Device]:
    """Every device at these sites."""
    return [device for site in sites for device in devices.list_in(conn, None, site.id)]


def recent_tests(conn: Connection, establishment_id: str, now: datetime) -> list[ResultRow]:
    """The results of the last days, newest first."""
    rows = results_book.for_establishment(conn, establishment_id, TESTS_COUNTED)
    since = now - timedelta(days=DAYS)
    return [row for row in rows if row.captured_at >= since]


def read_establishment_file(
    conn: Connection, one: Establishment, now: datetime
) -> EstablishmentFile:
    """Gather it."""
    own_sites = sites_book.of_establishment(conn, one.id)
    path = [regions.get(conn, code) for code in reversed(regions.ancestors(conn, one.region))]
    officer = officers.get(conn, one.officer_id) if one.officer_id else None
    rows = alerts.list_in(conn, None, OPEN_STATES, 500, establishment_id=one.id)
    seen = observations.for_establishment(conn, one.id, SEEN_COUNTED)
    return EstablishmentFile(
        establishment=one,
        region_path=[(region.name_zh, region.name_en) for region in path if region],
        officer=officer.name if officer else "",
        sites=own_sites,
        devices=devices_of(conn, own_sites),
        figures=place_tests.since(conn, one.id, now - timedelta(days=DAYS)),
        tests=results_book.for_establishment(conn, one.id, TESTS_SHOWN),
        seen=[Seen(row, _picture(conn, row)) for row in seen[:SEEN_SHOWN]],
        seen_today=sum(
            row.started_at >= now - timedelta(days=1) and row.kind != KEPT_KIND for row in seen
        ),
        alerts=alert_lines(conn, rows[:ALERTS_SHOWN]),
        open_alerts=len(rows),
        cards=cards.of_establishment(conn, one.id),
        cases=case_lists.list_in(conn, None, establishment_id=one.id, limit=CASES_SHOWN),
    )


def _picture(conn: Connection, row: ObservationRow) -> EvidenceRow | None:
    pictures = evidence.for_observation(conn, row.observation_id, row.site)
    return evidence.best_of(pictures)


def find_establishments(
    conn: Connection, scope: Scope, words: str, limit: int, offset: int
) -> tuple[list[Establishment], int]:
    """Establishments in the scope whose name or address holds `words`, and how many there are."""
    if scope.establishment_id is not None:
        own = establishments.get(conn, scope.establishment_id)
        found = [own] if own and scope.covers(own.region, own.id) else []
        wanted = [one for one in found if words.lower() in f"{one.name} {one.address}".lower()]
        return wanted[offset : offset + limit], len(wanted)
    return place_figures.find(conn, scope.listed, words, limit, offset)


def places(conn: Connection, found: Sequence[Establishment]) -> list[PlaceFigures]:
    """The lines of these establishments."""
    return place_figures.figures_of(conn, found)
