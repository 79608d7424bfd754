"""A small city whose true numbers are known by construction, for the tests of indicators.

Month: March 2026, with 22 school days; a camera owes 150 minutes on each. As of 10 April.
"""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from contracts.events import ProfileRef, RawFrame, Sample, TestResult, Value
from contracts.indicators import FOLDER, read_indicators
from contracts.periods import read_period
from contracts.school_days import read_terms, school_days
from contracts.topics import Identity
from contracts.words import Severity, Verdict
from contracts.workdays import CHINA, Calendar
from ledger import (
    alerts,
    camera_meals,
    devices,
    establishments,
    officers,
    regions,
    results,
    samplings,
    sites,
)
from ledger.alerts import NewAlert
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.establishments import Establishment, EstablishmentKind
from ledger.indicator_basis import Basis
from ledger.indicators import Figure, Figures, Question
from ledger.officers import Officer, Role
from ledger.regions import Region
from ledger.results import NewResult
from ledger.samplings import Sampling
from ledger.sites import Site, SiteKind

CITY, EAST, WEST = "440700", "440703", "440705"
A, B, C = "440703-a", "440703-b", "440705-c"
BASIS = Basis(Calendar.read(FOLDER.parent / "calendars"), read_terms())
INDICATORS = read_indicators()
MARCH = read_period("2026-03")
NOW = datetime(2026, 4, 10, 9, 0, tzinfo=CHINA)
BEFORE = datetime(2026, 1, 1, tzinfo=CHINA)
DAYS = school_days(BASIS.terms, BASIS.calendar, date(2026, 3, 1), date(2026, 3, 31))
WHOLE = 150.0 * len(DAYS)

TRUTH: dict[str, tuple[float, float]] = {
    "town_rooms": (1, 3),
    "market_rooms": (2, 3),
    "kitchens_live": (2, 4),
    "camera_truth": (WHOLE + 7 * 150, 2 * WHOLE + 7 * 150),
    "quick_tests": (6, 8),
    "quick_test_pass": (6, 8),
    "quick_test_disposal": (0, 2),
    "case_disposal": (0, 0),
    "case_publication": (0, 0),
    "sampling_pass": (3, 4),
    "sampling_disposal": (0, 1),
    "sampling_publication": (0, 1),
}
"""Numerator and denominator of the city in March."""


def march(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment in March, by China's clock."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA)


def build(conn: Connection) -> None:
    """The places; `facts` are told apart, so that they can be told in any order."""
    regions.add(
        conn,
        Region(CITY, "江门市", "Jiangmen"),
        Region(EAST, "蓬江区", "Pengjiang", CITY),
        Region(WEST, "新会区", "Xinhui", CITY),
        Region(A, "甲镇", "Town A", EAST),
        Region(B, "乙镇", "Town B", EAST),
        Region(C, "丙镇", "Town C", WEST),
    )
    for name, role, region in (
        ("li", Role.TOWN, A),
        ("wang", Role.COUNTY, EAST),
        ("planner", Role.COUNTY, EAST),
        ("zhao", Role.CITY, CITY),
    ):
        officers.add(conn, Officer(name, name, role, region, id=name))
    _place(conn, "k1", EstablishmentKind.CANTEEN, A, cameras=1)
    _place(conn, "k2", EstablishmentKind.CANTEEN, A, cameras=1)
    _place(conn, "k3", EstablishmentKind.CANTEEN, B)
    _place(conn, "k4", EstablishmentKind.CANTEEN, C, cameras=1, retired_at=march(11, 0))
    _place(conn, "m1", EstablishmentKind.MARKET, A, room=True)
    _place(conn, "m2", EstablishmentKind.MARKET, B, room=True, self_test=True)
    _place(conn, "m3", EstablishmentKind.SUPERMARKET, C)
    # Entered after the month: it is none of March's.
    _place(conn, "m4", EstablishmentKind.MARKET, C, registered_at=NOW)


def _place(
    conn: Connection,
    name: str,
    kind: EstablishmentKind,
    region: str,
    *,
    cameras: int = 0,
    room: bool = False,
    self_test: bool = False,
    retired_at: datetime | None = None,
    registered_at: datetime = BEFORE,
) -> None:
    establishments.add(
        conn,
        Establishment(
            name, kind, region, id=name, registered_at=registered_at, retired_at=retired_at
        ),
    )
    site = SiteKind.TESTING_ROOM if room else SiteKind.CANTEEN
    sites.add(conn, Site(name, region, f"{name} 点位", site, name, self_test=self_test))
    for count in range(cameras):
        _device(conn, Identity(region, name, f"cam{count}"), DeviceKind.CAMERA, retired_at)
    if room:
        _device(conn, Identity(region, name, "reader"), DeviceKind.PESTICIDE_READER, None)


def _device(conn: Connection, who: Identity, kind: DeviceKind, retired_at: datetime | None) -> None:
    devices.add(
        conn,
        Device(who.region, who.site, who.device, kind, who.device, BEFORE, retired_at=retired_at),
    )


def result(
    sequence: int, region: str, site: str, verdict: Verdict, at: datetime, number: str, **more: Any
) -> NewResult:
    """A quick test of the sample `number`; `late` hours until it was received."""
    content = f"{sequence}".encode()
    test = TestResult(
        sample=Sample(number=number, name="菜心"),
        item=more.get("item", "农药残留"),
        item_code="pesticide_inhibition",
        value=Value(text="12.0", number=12.0, unit="%"),
        verdict=verdict,
        captured_at=at,
        profile=ProfileRef("dayuan_lz_4000t", "1"),
        raw=RawFrame(content, hashlib.sha256(content).hexdigest()),
    )
    received_at = at + timedelta(hours=more.get("late", 0.01))
    who = Identity(region, site, "reader")
    return NewResult(who, "agent", "e1", sequence, f"e1-{sequence}", test, received_at)


PASS, POSITIVE, SUSPECT = Verdict.PASS, Verdict.POSITIVE, Verdict.SUSPECT
TESTS = (
    # Batches of town a: a1 with two items, a2 with its rerun, a3; a4 positive and then passed.
    result(1, A, "m1", PASS, march(3), "a1"),
    result(2, A, "m1", PASS, march(3, 10), "a1", item="孔雀石绿"),
    result(3, A, "m1", PASS, march(3), "a2"),
    result(4, A, "m1", PASS, march(3, 11), "a2"),
    result(5, A, "m1", PASS, march(4), "a3"),
    result(6, A, "m1", POSITIVE, march(4), "a4"),
    result(7, A, "m1", PASS, march(4, 10), "a4"),
    result(8, A, "m1", SUSPECT, march(5), "a5"),
    # None of these is a batch: late by a minute, invalid, dated ahead, of February, of April.
    result(9, A, "m1", PASS, march(6), "a6", late=24.02),
    result(10, A, "m1", Verdict.INVALID, march(6), "a7"),
    result(11, A, "m1", PASS, march(20), "a8", late=-24.0),
    result(12, A, "m1", PASS, datetime(2026, 2, 28, 23, 59, tzinfo=CHINA), "a9"),
    result(13, A, "m1", PASS, datetime(2026, 4, 1, 0, 0, tzinfo=CHINA), "a10"),
    # Town b: two that passed, of one of them the number is used again on the next day; a late
    # positive is no batch, and must be disposed of all the same.
    result(14, B, "m2", PASS, march(9), "1"),
    result(15, B, "m2", PASS, march(10), "1"),
    result(16, B, "m2", POSITIVE, march(11), "2", late=72.0),
    # Exactly a day later is in time.
    result(17, B, "m2", PASS, march(12), "3", late=24.0),
)


def meals() -> list[camera_meals.Meal]:
    """k1 and k4 were live throughout, k2 never said a word."""
    told = []
    for region, name in ((A, "k1"), (C, "k4")):
        for day in DAYS:
            if name == "k4" and day >= date(2026, 3, 11):
                break
            ends_at = datetime(day.year, day.month, day.day, 13, 0, tzinfo=CHINA)
            who = Identity(region, name, "cam0")
            told.append(camera_meals.Meal(who, ends_at, 150.0, 150.0, ends_at))
    return told


def sampled() -> list[Sampling]:
    """Four supervision samplings with a conclusion, one pending, one of monitoring, one of 2025."""
    made = []
    for number, (region, verdict) in enumerate(((A, "pass"), (A, "fail"), (B, "pass"), (C, ""))):
        made.append(_sampling(f"s{number}", region, march(2), verdict))
    made.append(_sampling("s5", A, march(2), "pass", kind="evaluation"))
    made.append(_sampling("s6", A, datetime(2025, 12, 31, 23, 59, tzinfo=CHINA), ""))
    return made


def _sampling(
    name: str, region: str, at: datetime, verdict: str, kind: str = "supervision"
) -> Sampling:
    return Sampling(
        id=name,
        region=region,
        kind=kind,
        sampled_at=at,
        food="鲜鸡蛋",
        sampled_from="某某超市",
        lab="江门市检验中心",
        report_number=f"R-{name}" if verdict else None,
        reported_at=at + timedelta(days=9) if verdict else None,
        verdict=verdict or "pending",
        failed_items="恩诺沙星" if verdict == "fail" else "",
        entered_at=at,
    )


def tell(conn: Connection, tests: Iterable[NewResult] = TESTS) -> None:
    """Everything that happened in March, alerts apart."""
    results.add(conn, list(tests))
    camera_meals.add(conn, meals())
    for one in sampled():
        samplings.add(conn, one)


def raise_alerts(conn: Connection) -> None:
    """Three alerts: acknowledged after 60 s and 300 s, and never."""
    for count, wait_s in enumerate((60, 300, None)):
        at = march(5, 10, count)
        alert_id, _ = alerts.raise_alert(
            conn,
            NewAlert(
                fingerprint=f"f{count}",
                rule="pesticide-positive",
                rule_version="1",
                severity=Severity.AT_ONCE,
                title_zh="农残阳性",
                title_en="Pesticide positive",
                who=Identity(A, "m1", "reader"),
                raised_at=at,
                facts={},
            ),
            at,
        )
        if wait_s is not None:
            alerts.acknowledge(conn, alert_id, "li", at + timedelta(seconds=wait_s))


def figures(conn: Connection, code: str = CITY, **asked: Any) -> dict[str, Figure]:
    """Every indicator's number of a region in March."""
    period, at = asked.pop("period", MARCH), asked.pop("at", NOW)
    found = Figures(conn, INDICATORS, BASIS, Question(period, at, **asked))
    return {one.id: found.of(one, [code])[0] for one in found.definitions}


def shares(found: dict[str, Figure]) -> dict[str, tuple[float, float]]:
    """Numerator and denominator of what `TRUTH` tells."""
    return {name: (found[name].part, found[name].whole) for name in TRUTH}
