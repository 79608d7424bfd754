"""What a city has of a testing room's samples: that it came once, and stands once in a ledger."""

from datetime import datetime
from pathlib import Path

from fake_city import FakeCity
from room_parts import AGENT, READER

from contracts.envelope import decode, decode_envelope
from contracts.room import SampleRecord
from contracts.topics import Channel, device_topic
from gateway.broker import Inbound
from gateway.intake.store import take_in
from gateway.run import read_book
from gateway.settings import AlertSettings
from gateway.unpack import Accepted, unpack
from ledger import devices, establishments, migrate, regions, results, samples, sites
from ledger.devices import Device, DeviceKind
from ledger.engine import open_engine, reading, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.regions import Region
from ledger.samples import RegisteredSample
from ledger.sites import Site, SiteKind


def samples_in(city: FakeCity) -> dict[str, SampleRecord]:
    """The newest revision of each sample, by number; fails if any revision came as two events."""
    found: dict[str, SampleRecord] = {}
    seen: set[tuple[str, int]] = set()
    for payloads in list(city.events.values()):
        assert len(payloads) == 1, "what is sent again is the same bytes"
        data = decode(next(iter(payloads))).data
        if isinstance(data, SampleRecord):
            assert (data.sample_id, data.revision) not in seen, "one revision is one event"
            seen.add((data.sample_id, data.revision))
            known = found.get(data.number)
            assert known is None or known.sample_id == data.sample_id
            if known is None or known.revision < data.revision:
                found[data.number] = data
    return found


def booked(city: FakeCity, folder: Path, now: datetime) -> list[tuple[RegisteredSample, list[str]]]:
    """The room's samples in a ledger that took in all that came, as often and in the order it came.

    Each with its results' ids as the ledger links them; oldest first.
    """
    known = {
        who: Device(AGENT.region, AGENT.site, who.device, kind, who.device, now)
        for who, kind in ((AGENT, DeviceKind.AGENT), (READER, DeviceKind.PESTICIDE_READER))
    }
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        regions.add(conn, Region(AGENT.region, "江海区", "Jianghai"))
        owner = Establishment(
            name="市场", kind=EstablishmentKind.MARKET, region=AGENT.region, id="e1"
        )
        establishments.add(conn, owner)
        sites.add(conn, Site(AGENT.site, AGENT.region, "快检室", SiteKind.TESTING_ROOM, owner.id))
        for device in known.values():
            devices.add(conn, device)
    came = [next(iter(city.events[epoch, sequence])) for epoch, sequence, _ in city.order]
    rules = read_book(AlertSettings(), Path())
    for payload in came:
        envelope = decode_envelope(payload)
        topic = device_topic(envelope.identity, Channel(envelope.kind))
        message = unpack(Inbound(topic, payload, now), known)
        assert isinstance(message, Accepted), message
        with writing(engine) as conn:
            take_in(conn, [message], [], rules, now)
    with reading(engine) as conn:
        kept = samples.list_at(conn, AGENT.site)[::-1]
        linked = [
            [
                row.result_id
                for row in results.list_in(conn, [AGENT.region], 100)
                if row.sample_id == one.id
            ]
            for one in kept
        ]
    engine.dispose()
    return list(zip(kept, linked, strict=True))
