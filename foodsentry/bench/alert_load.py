"""A city for the benchmark of the rules: 200 rules, 10,000 devices, and accepted events."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from contracts.envelope import Data, Envelope, Event
from contracts.events import (
    Observation,
    ProfileRef,
    RawFrame,
    Reading,
    Readings,
    Sample,
    Status,
    TestResult,
    Value,
)
from contracts.topics import Identity
from contracts.words import DeviceState, Phase, Severity, Verdict
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import (
    BeyondLimit,
    Combination,
    CountOf,
    DeviceIs,
    ObservationOf,
    Part,
    ReadingIs,
    TrendTo,
    VerdictIs,
    When,
)
from gateway.alerts.limits import read_limits
from gateway.alerts.rule import Rule, Scope
from gateway.broker import Inbound
from gateway.run import CONFIGS
from gateway.unpack import Accepted, Numbered
from ledger import devices, regions, sites
from ledger.devices import Device, DeviceKind
from ledger.engine import Engine, writing
from ledger.migrate import upgrade

REGIONS = [f"4407{number:02d}" for number in (3, 4, 5, 81, 83, 84, 85, 90)]
SITES = 2000
PROBES = ("cold1", "freezer1")
OTHERS = ("reader1", "cam1")
"""Besides these four and its agent a site has nothing: 10,000 devices."""
EPISODES = ("no_hat", "no_mask", "camera_dark", "off_hours_person", "smoking")
STEP = timedelta(seconds=1)
EPOCH = "00000000a1e47500"


def rules() -> list[Rule]:
    """200 rules of every kind that judges events; of each kind some for every region."""
    made: list[Rule] = []

    def add(count: int, kind: str, when: When, *regional: str) -> None:
        for number in range(count):
            made.append(
                Rule(
                    id=f"{kind}_{number}",
                    version="1",
                    severity=Severity.AT_ONCE,
                    when=when,
                    title_zh="规则：{device_name}",
                    title_en="Rule: {device_name}",
                    summary_zh="{device_name}",
                    summary_en="{device_name}",
                    regions=(REGIONS[number % 8],),
                    scope=Scope(sites=(f"site-{number // 8 % 10}*",) if number >= 8 else ()),
                )
            )

    add(16, "cold", BeyondLimit(("temperature",), "cold_store", ("cold*",), 600, 0.5, 60))
    add(16, "freezer", BeyondLimit(("temperature",), "freezer", ("freezer*",), 600, 0.5, 60))
    add(8, "trend", TrendTo(("temperature",), "cold_store", 3600, 3600, ("cold*",)))
    add(16, "reading", ReadingIs(("humidity",), 'value > 95.0 && unit == "%"', for_s=600))
    add(24, "positive", VerdictIs((Verdict.POSITIVE,), ("pesticide_*",)))
    add(16, "suspect", VerdictIs((Verdict.SUSPECT,)))
    add(16, "typed", VerdictIs((Verdict.POSITIVE,), condition='operator != "" && value > 90.0'))
    for kind in EPISODES:
        add(8, kind, ObservationOf((kind,)))
    add(16, "sure", ObservationOf(EPISODES, condition="confidence > 0.95 && people > 2"))
    add(16, "supplier", CountOf("tests", 604_800, 3, ("supplier",), verdicts=(Verdict.POSITIVE,)))
    add(8, "episodes", CountOf("observations", 86_400, 30, ("site",), kinds=("no_hat",)))
    add(4, "together", Combination((Part(("cold_*",)), Part(("freezer_*",)))))
    add(4, "clock", DeviceIs("clock_offset_s != null && clock_offset_s > 60.0"))
    return made


def book() -> RuleBook:
    """The rules, with the limits that come with FoodSentry."""
    return RuleBook(rules(), read_limits(CONFIGS / "limits" / "storage_temperatures.csv"))


def register(engine: Engine, at: datetime) -> list[list[Device]]:
    """Make the schema, and write every site with its devices; returns them by site, agent first."""
    upgrade(engine)
    kinds = {"agent": DeviceKind.AGENT, "reader1": DeviceKind.PESTICIDE_READER}
    kinds |= dict.fromkeys(PROBES, DeviceKind.PROBE) | {"cam1": DeviceKind.CAMERA}
    with writing(engine) as conn:
        regions.add(conn, *(regions.Region(code, code, code) for code in REGIONS))
        for number in range(SITES):
            region, site = REGIONS[number % 8], f"site-{number:04d}"
            sites.add(conn, sites.Site(site, region, site, sites.SiteKind.CANTEEN))
            for name, kind in kinds.items():
                devices.add(conn, Device(region, site, name, kind, name, registered_at=at))
        known = devices.registry(conn)
    by_site: dict[str, list[Device]] = {}
    for device in sorted(known.values(), key=lambda one: (one.site, one.kind != DeviceKind.AGENT)):
        by_site.setdefault(device.site, []).append(device)
    return list(by_site.values())


def events(town: list[list[Device]], begun: datetime, received_at: datetime) -> Iterator[Accepted]:
    """Events without end: of 1,000, 985 are readings, 12 tests, 2 episodes that open, 1 status.

    Of 100 tests two are positive and two suspect; each device tells its own time on.
    """
    known = {device.identity: device for site in town for device in site}
    sequences = dict.fromkeys(range(len(town)), 0)
    number = 0
    while True:
        place = number % len(town)
        agent = town[place][0].identity
        sequences[place] += 1
        sequence = sequences[place]
        at = begun + sequence * STEP
        who, data = _event(agent, number, sequence, at)
        kind = _KINDS[type(data)]
        numbered = Numbered(agent, EPOCH, sequence) if kind != "status" else None
        envelope = Envelope(
            id=f"{EPOCH}-{sequence}",
            source=who.source,
            type=f"foodsentry.{kind}.v1",
            time=at,
            data=msgspec.Raw(b"{}"),
            agent=agent.device,
            epoch=EPOCH,
            sequence=sequence,
        )
        message = Inbound(f"fs/v1/{who.place}/{who.device}/{kind}", b"", received_at)
        yield Accepted(message, who, known[who], Event(envelope, kind, data), numbered)
        number += 1


_KINDS: dict[type[msgspec.Struct], str] = {
    Readings: "readings",
    TestResult: "tests",
    Observation: "observations",
    Status: "status",
}
_SMALL = RawFrame(b"bench", hashlib.sha256(b"bench").hexdigest())


def _event(agent: Identity, number: int, sequence: int, at: datetime) -> tuple[Identity, Data]:
    turn = number * 7919 % 1000  # the sorts are strewn among all sites
    if turn < 985:
        name = PROBES[sequence % 2]
        value = (3.0 if name == "cold1" else -20.0) + number % 7 / 10
        told = [
            Reading("temperature", value, "Cel", at),
            Reading("humidity", 60.0 + number % 20, "%", at),
        ]
        return agent.sibling(name), Readings(told)
    if turn < 997:
        return agent.sibling("reader1"), _test(number, at)
    if turn < 999:
        return agent.sibling("cam1"), _episode(number, at)
    return agent, Status(state=DeviceState.ONLINE, at=at, epoch=EPOCH)


def _test(number: int, at: datetime) -> TestResult:
    turn = number // 1000 % 50
    verdict = {0: Verdict.POSITIVE, 1: Verdict.SUSPECT}.get(turn, Verdict.PASS)
    value = {Verdict.POSITIVE: 87.5, Verdict.SUSPECT: 45.0}.get(verdict, 12.5)
    return TestResult(
        sample=Sample(number=str(number), name="菜心", stall="A12", supplier=f"s{number % 500}"),
        item="农药残留",
        item_code="pesticide_inhibition",
        value=Value(text=str(value), number=value, unit="%"),
        verdict=verdict,
        captured_at=at,
        profile=ProfileRef("bench", "1"),
        raw=_SMALL,
    )


def _episode(number: int, at: datetime) -> Observation:
    return Observation(
        observation_id=f"o{number}",
        kind=EPISODES[number // 1000 % len(EPISODES)],
        phase=Phase.OPEN,
        started_at=at,
        captured_at=at,
        reason="三次都没有 / three looks",
        people=1,
        confidence=0.9,
    )


BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
