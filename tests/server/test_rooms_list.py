"""The list of testing rooms: as many statements for many rooms as for one, and the same numbers."""

from collections.abc import Callable
from datetime import timedelta

from console_app import NOW, TestClient
from console_places import MARKET
from sqlalchemy import event

from contracts.room import SampleRecord
from contracts.topics import Identity
from ledger import regions, room_days, samples, sites
from ledger.engine import Engine, reading, writing
from ledger.samples import ToldSample
from ledger.sites import Site, SiteKind
from server.formats import local

Enter = Callable[[str], TestClient]
DAY = local(NOW).date()


def add_rooms(engine: Engine, count: int) -> None:
    with writing(engine) as conn:
        below = sorted(regions.subtree(conn, "440703"))
        for number in range(count):
            region = below[number % len(below)]
            room = f"room-{number}"
            sites.add(conn, Site(room, region, f"第 {number} 号快检室", SiteKind.TESTING_ROOM))
            told = [
                ToldSample(
                    Identity(region, room, "agent"), "agent",
                    SampleRecord(
                        sample_id=f"{room}-{n}", revision=1, number=f"{n}", product="菜心",
                        registered_at=NOW - timedelta(minutes=n),
                    ),
                    NOW,
                )
                for n in range(number % 3 + 1)
            ]  # fmt: skip
            samples.take_in(conn, told)


def asked(engine: Engine, client: TestClient) -> tuple[list[str], str]:
    said: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        # What follows the journal asks on its own, beside the page.
        if statement.startswith("SELECT") and "FROM journal" not in statement:
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        page = client.get(f"/rooms?day={DAY}").text
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return said, page


def test_many_rooms_take_as_many_statements_as_a_few(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("pengjiang")
    add_rooms(engine, 2)
    few, _ = asked(engine, client)
    with writing(engine) as conn:
        for number in range(2, 40):
            region = MARKET.region
            sites.add(conn, Site(f"more-{number}", region, f"{number}", SiteKind.TESTING_ROOM))
    many, page = asked(engine, client)
    assert page.count("more-") == 38
    assert len(many) == len(few), [one for one in many if one not in few]


def test_a_rooms_day_is_the_same_alone_and_among_others(engine: Engine) -> None:
    add_rooms(engine, 7)
    with reading(engine) as conn:
        places = {
            one.id: one.region for one in sites.list_in(conn, regions.subtree(conn, "440700"))
        }
        together = room_days.read_all(conn, places, DAY)
        assert len(places) > 7 and set(together) == set(places)
        for site, region in places.items():
            assert together[site] == room_days.read(conn, region, site, DAY), site
    assert [len(together[f"room-{n}"].lines) for n in range(4)] == [1, 2, 3, 1]
