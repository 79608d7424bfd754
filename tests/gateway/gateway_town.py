"""A small town for the gateway's tests: two sites with their devices, and events of theirs."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from contracts import events
from contracts.envelope import encode
from contracts.room import SampleRecord
from contracts.topics import Channel, Identity, device_topic
from contracts.words import DeviceState, Phase, Verdict
from gateway.broker import Inbound
from ledger import devices, establishments, migrate, regions, sites
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, open_engine, writing

REGION = "440703"
MARKET, CANTEEN = "market1", "canteen1"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def market(device: str) -> Identity:
    return Identity(REGION, MARKET, device)


def canteen(device: str) -> Identity:
    return Identity(REGION, CANTEEN, device)


READER, COLD, CAMERA = market("reader1"), canteen("coldstore1"), canteen("cam1")
KINDS = {
    market("agent"): DeviceKind.AGENT,
    READER: DeviceKind.PESTICIDE_READER,
    canteen("agent"): DeviceKind.AGENT,
    COLD: DeviceKind.PROBE,
    CAMERA: DeviceKind.CAMERA,
}
NAMES = {COLD: "一号冷库", READER: "农残仪", CAMERA: "切配间摄像头"}


def device(
    who: Identity, silent_after_s: float | None = None, registered_at: datetime = NOON
) -> Device:
    return Device(
        region=who.region,
        site=who.site,
        device=who.device,
        kind=KINDS[who],
        name=NAMES.get(who, who.device),
        registered_at=registered_at,
        silent_after_s=silent_after_s,
    )


def make_ledger(url: str, fill: Callable[[Connection], None]) -> None:
    """The tables of a ledger that is empty yet, and what `fill` writes into it."""
    engine = open_engine(url)
    migrate.upgrade(engine)
    with writing(engine) as conn:
        fill(conn)
    engine.dispose()


def build(conn: Connection, silent_after_s: dict[Identity, float] | None = None) -> None:
    """Fill an empty ledger."""
    regions.add(conn, regions.Region(REGION, "蓬江区", "Pengjiang"))
    for site, kind in ((MARKET, "testing_room"), (CANTEEN, "canteen")):
        owner = establishments.Establishment(
            name=site,
            kind=establishments.EstablishmentKind("market" if site == MARKET else "canteen"),
            region=REGION,
            id=f"e-{site}",
        )
        establishments.add(conn, owner)
        sites.add(conn, sites.Site(site, REGION, site, sites.SiteKind(kind), owner.id))
    for who in KINDS:
        devices.add(conn, device(who, (silent_after_s or {}).get(who)))


def registry() -> dict[Identity, Device]:
    return {who: device(who) for who in KINDS}


def result(
    verdict: Verdict = Verdict.POSITIVE, text: str = "52.31", at: datetime = NOON
) -> events.TestResult:
    raw = text.encode()
    return events.TestResult(
        sample=events.Sample(number="7", name="菜心", stall="A12"),
        item="农药残留",
        item_code="pesticide_inhibition",
        value=events.Value(text=text, number=float(text), unit="%"),
        verdict=verdict,
        captured_at=at,
        limit_text="< 50 %",
        profile=events.ProfileRef("lz4000t", "1"),
        raw=events.RawFrame(raw, hashlib.sha256(raw).hexdigest()),
    )


def readings(*values: tuple[float, float], metric: str = "temperature") -> events.Readings:
    """Readings of (seconds after NOON, value)."""
    return events.Readings(
        [
            events.Reading(metric, value, "Cel", NOON + timedelta(seconds=after_s))
            for after_s, value in values
        ]
    )


def observation(
    observation_id: str = "o1",
    phase: Phase = Phase.OPEN,
    kind: str = "no_hat",
    zone_kind: str = "",
    evidence: tuple[str, ...] = (),
    after_s: float = 0,
) -> events.Observation:
    closed = phase is Phase.CLOSED
    return events.Observation(
        observation_id=observation_id,
        kind=kind,
        phase=phase,
        started_at=NOON,
        captured_at=NOON + timedelta(seconds=after_s + (60 if closed else 0)),
        ended_at=NOON + timedelta(seconds=60) if closed else None,
        reason="seen",
        zone="切配间",
        zone_kind=zone_kind,
        people=1,
        confidence=0.9,
        evidence=evidence,
    )


def picture(
    evidence_id: str = "p1", observation_id: str = "", content: bytes = b"jpeg"
) -> events.Evidence:
    return events.Evidence(
        evidence_id=evidence_id,
        media_type="image/jpeg",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        width=640,
        height=480,
        captured_at=NOON,
        blurred=True,
        observation_id=observation_id,
    )


def status(state: DeviceState = DeviceState.ONLINE, at: datetime = NOON) -> events.Status:
    return events.Status(state=state, at=at, epoch="e1")


CHANNELS = {
    events.Readings: Channel.READINGS,
    events.TestResult: Channel.TESTS,
    events.Observation: Channel.OBSERVATIONS,
    events.Evidence: Channel.EVIDENCE,
    events.Status: Channel.STATUS,
    SampleRecord: Channel.SAMPLES,
}


def inbound(
    who: Identity,
    data: object,
    sequence: int = 0,
    *,
    epoch: str = "e1",
    agent: str = "agent",
    at: datetime = NOON,
    received_at: datetime = NOON,
    topic_of: Identity | None = None,
    retained: bool = False,
) -> Inbound:
    """A message as the broker hands it over; `sequence` 0 for status."""
    channel = CHANNELS[type(data)]  # type: ignore[index]
    numbered = channel is not Channel.STATUS
    payload = encode(
        channel.value,
        who,
        data,  # type: ignore[arg-type]
        event_id=f"{epoch}-{sequence}" if numbered else f"s-{at.isoformat()}",
        at=at,
        agent=agent,
        epoch=epoch,
        sequence=sequence,
    )
    topic = device_topic(topic_of or who, channel)
    return Inbound(topic, payload, received_at, retained=retained)
