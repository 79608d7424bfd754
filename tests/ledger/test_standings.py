"""How devices stand, told by the database: sites in trouble first, whose data may be missing."""

import random
from collections.abc import Iterator
from datetime import timedelta

from ledger_town import AGENT, AT, CAMERA, READER, after
from sqlalchemy import update

from contracts.events import Numbering
from contracts.topics import Identity
from contracts.words import DeviceState
from ledger import devices, intake, missing, sites, standings
from ledger.devices import Device, DeviceKind
from ledger.engine import Engine, reading, writing
from ledger.schema import devices as devices_table
from ledger.schema import sites as sites_table
from ledger.sites import Site, SiteKind

TOWN = AGENT.region
NOW = after(7200)
KNOWN = ("e1", "e2", "e3")


def put_site(book: Engine, name: str, *states: DeviceState, region: str = TOWN) -> None:
    """A site with a probe in each of these states, just heard."""
    with writing(book) as conn:
        sites.add(conn, Site(name, region, name, SiteKind.CANTEEN))
        for number, state in enumerate(states):
            one = Device(
                region, name, f"probe-{number}", DeviceKind.PROBE, "", AT,
                silent_after_s=60.0, state=state, last_seen_at=NOW,
            )  # fmt: skip
            devices.add(conn, one)


def retire(book: Engine, site: str, device: str) -> None:
    with writing(book) as conn:
        row = (devices_table.c.site == site, devices_table.c.device == device)
        conn.execute(update(devices_table).where(*row).values(retired_at=AT))


def test_states_are_those_of_now_and_of_what_is_in_use(town: Engine) -> None:
    well, ill = DeviceState.ONLINE, DeviceState.OFFLINE
    put_site(town, "well", well, well)
    put_site(town, "ill", well, ill)
    put_site(town, "elsewhere", ill, region="440705")
    with writing(town) as conn:
        # Said "online" and fell silent; said nothing ever, and may be silent; retired.
        marks = {
            CAMERA: {"state": "online", "last_seen_at": after(10)},
            READER: {"state": "online", "last_seen_at": None},
            AGENT: {"state": "degraded", "last_seen_at": None},
        }
        for who, values in marks.items():
            of = (devices_table.c.site == who.site, devices_table.c.device == who.device)
            conn.execute(update(devices_table).where(*of).values(**values))
    told = {DeviceState.ONLINE: 4, DeviceState.OFFLINE: 1, DeviceState.UNKNOWN: 2}
    with reading(town) as conn:
        assert standings.state_counts(conn, [TOWN], NOW) == told
        assert standings.state_counts(conn, [TOWN], NOW, {"ill"}) == {well: 1, ill: 1}
        assert standings.state_counts(conn, [TOWN], NOW, set()) == {}
    retire(town, "ill", "probe-1")
    with reading(town) as conn:
        told.pop(ill)
        assert standings.state_counts(conn, [TOWN], NOW) == told


def test_sites_in_trouble_come_first_page_by_page(town: Engine) -> None:
    well, ill = DeviceState.ONLINE, DeviceState.DEGRADED
    for name in ("a-well", "b-ill", "c-well", "d-ill"):
        put_site(town, name, well, ill if name.endswith("ill") else well)
    put_site(town, "e-empty")
    put_site(town, "elsewhere", ill, region="440705")
    with writing(town) as conn:
        conn.execute(update(sites_table).where(sites_table.c.id == AGENT.site)
                     .values(retired_at=AT))  # fmt: skip
    with reading(town) as conn:
        pages = [standings.troubled_sites(conn, [TOWN], NOW, 2, offset) for offset in (0, 2, 4, 6)]
        own, _ = standings.troubled_sites(conn, [TOWN, "440705"], NOW, 9, 0, {"a-well", "d-ill"})
        later, _ = standings.troubled_sites(conn, [TOWN], NOW + timedelta(hours=1), 9)
    assert [[site.id for site in found] for found, _ in pages] == [
        ["b-ill", "d-ill"], ["a-well", "c-well"], ["e-empty"], [],
    ]  # fmt: skip
    assert {total for _, total in pages} == {5}
    assert [site.id for site in own] == ["d-ill", "a-well"]
    assert [site.id for site in later] == ["a-well", "b-ill", "c-well", "d-ill", "e-empty"]
    retire(town, "b-ill", "probe-1")
    with reading(town) as conn:
        found, _ = standings.troubled_sites(conn, [TOWN], NOW, 1)
        at = standings.at_sites(conn, ["b-ill", "e-empty"])
    assert found[0].id == "d-ill"
    assert {site: [one.device for one in own] for site, own in at.items()} == {
        "b-ill": ["probe-0"], "e-empty": [],
    }  # fmt: skip


def agents(count: int) -> Iterator[tuple[Device, dict[str, list[int]]]]:
    """Agents of every sort, each with what was taken in of its epochs."""
    dice = random.Random(5)
    for number in range(count):
        names = dice.sample(KNOWN, dice.randrange(4))
        numbering = tuple(Numbering(name, AT, dice.randrange(7), dice.choice((0, 0, 2)))
                          for name in names)  # fmt: skip
        whole = {one.epoch: list(range(1, one.given + 1)) for one in numbering}
        taken = {
            name: [one for one in numbers if dice.random() > 0.15]
            for name, numbers in whole.items()
        }
        epoch = dice.choice((*names, *names, "", "e9"))
        given = next((one.given for one in numbering if one.epoch == epoch), 3)
        waits = dice.random() < 0.3
        yield (
            Device(
                TOWN, f"site-{number}", "agent", DeviceKind.AGENT, "", AT, silent_after_s=60.0,
                state=dice.choice((DeviceState.ONLINE,) * 5 + (DeviceState.OFFLINE,)),
                last_seen_at=dice.choice((NOW,) * 5 + (AT, None)), epoch=epoch,
                lowest_unreceipted=dice.choice((given + 1, given + 1, max(1, given - 2), None)),
                backlog=dice.choice((0, 3)), numbering=numbering,
                waiting_since=NOW - timedelta(seconds=dice.choice((5, 900))) if waits else None,
            ),
            taken if dice.random() < 0.5 else whole,
        )  # fmt: skip


def test_nothing_is_missing_of_those_that_are_not_in_question(town: Engine) -> None:
    retire(town, AGENT.site, AGENT.device)
    made = list(agents(150))
    with writing(town) as conn:
        for one, taken in made:
            sites.add(conn, Site(one.site, TOWN, one.site, SiteKind.CANTEEN))
            devices.add(conn, one)
            for epoch, numbers in taken.items():
                intake.claim(conn, Identity(TOWN, one.site, "agent"), epoch, numbers)
    with reading(town) as conn:
        everybody = [one for one in devices.list_in(conn) if one.kind is DeviceKind.AGENT]
        known = missing.gaps_of(conn, everybody, NOW)
        told = missing.find(conn, NOW, [TOWN])
        since = NOW - timedelta(seconds=missing.WAITING_AFTER_S)
        asked = standings.in_question(conn, NOW, since, [TOWN])
        (alone,) = {one.agent.site for one in missing.find(conn, NOW, site=told[0].agent.site)}
    assert len(everybody) == 150
    assert told == known, "looking at some of them finds what looking at all of them does"
    assert 30 < len({one.agent for one in told}) <= len(asked) < 130
    assert alone == told[0].agent.site
    assert {one.kind for one in told} == set(missing.MissingKind)
