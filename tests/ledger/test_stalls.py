"""Stalls: one code a site however it is written, closed and never removed, with their history."""

import io

import pytest
from ledger_town import AT, MARKET

from contracts.products import Products
from contracts.room import SampleRecord
from contracts.topics import Identity
from ledger import audit, devices, journal, room_books, samples, sites, stall_events
from ledger.audit_places import region_of
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, LedgerRefused, reading, writing
from ledger.samples import ToldSample
from ledger.schema import stalls
from ledger.sheets.cells import Row, write_rows
from ledger.sheets.lists import all_rows, list_rows
from ledger.sheets.plan import Plan, apply_plan, make_plan
from ledger.sheets.retire import bring_back, retire
from ledger.sheets.sheet import EVERYWHERE, Bounds
from ledger.sheets.stalls import Stalls
from ledger.sites import Site, SiteKind

TOWN = "440703-tangxia"
ROOM, VAN, CANTEEN = "room-1", "van-1", "canteen-1"
FILE = (
    "点位编号,摊位号,摊位名称,经营者,常用供货商\n"
    f"{ROOM},A1,陈记菜档,陈,鹤山合作社\n"
    f"{ROOM},A2,,李,\n"
    f"{VAN},A1,,,\n"
)


@pytest.fixture
def rooms(town: Engine) -> Engine:
    with writing(town) as conn:
        for name, kind in (
            (ROOM, SiteKind.TESTING_ROOM), (VAN, SiteKind.QUICK_TEST_VAN),
            (CANTEEN, SiteKind.CANTEEN),
        ):  # fmt: skip
            sites.add(conn, Site(name, TOWN, name, kind, MARKET))
        devices.add(conn, Device(TOWN, ROOM, "agent", DeviceKind.AGENT, "a", AT))
    return town


def plan(conn: Connection, text: str, bounds: Bounds = EVERYWHERE) -> Plan:
    return make_plan(conn, "stalls", io.BytesIO(text.encode()), bounds)


def take(conn: Connection, text: str) -> Plan:
    made = plan(conn, text)
    apply_plan(conn, made, "wang", AT, source="stalls.csv", token=made.token)
    return made


def faults(conn: Connection, text: str, bounds: Bounds = EVERYWHERE) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.kind) for one in plan(conn, text, bounds).faults]


def stall_id(conn: Connection, code: str) -> str:
    (found,) = list_rows(conn, "stalls", EVERYWHERE, search=code).rows
    return found.standing.id


def test_a_file_goes_in_and_out_and_the_same_again_is_nothing(rooms: Engine) -> None:
    with writing(rooms) as conn:
        first = take(conn, FILE)
        assert (first.new, first.changed, first.same) == (3, 0, 0)
        given: list[Row] = list(all_rows(conn, "stalls"))
        written = b"".join(write_rows(given, Stalls.columns))
        again = make_plan(conn, "stalls", io.BytesIO(written))
        assert (again.new, again.changed, again.same, again.faults) == (0, 0, 3, [])
        renamed = take(conn, FILE.replace("陈记菜档", "新陈记").replace("A1", "ａ 1"))
        assert (renamed.new, renamed.changed, renamed.same) == (0, 1, 2)
        assert [one["code"] for one in all_rows(conn, "stalls")] == ["A1", "A2", "A1"]
        (one,) = [one for one in given if one["code"] == "A2"]
        assert one == {"site": ROOM, "code": "A2", "name": "", "keeper": "李", "supplier": ""}


def test_a_code_stands_once_at_a_site_and_only_rooms_have_stalls(rooms: Engine) -> None:
    with writing(rooms) as conn:
        take(conn, FILE)
        text = (
            "site,code,name\n"
            f"{ROOM},B1,甲\n{ROOM},ｂ1,乙\n{CANTEEN},B1,丙\nnone,B1,丁\n{ROOM},,戊\n{VAN},B1,己\n"
        )
        assert faults(conn, text) == [
            (3, "code", "same"), (4, "site", "no_room"), (5, "site", "unknown"),
            (6, "code", "needed"),
        ]  # fmt: skip
        elsewhere = Bounds("440705", frozenset({"440705"}))
        assert faults(conn, f"site,code\n{ROOM},B1\n", elsewhere) == [(2, "site", "unknown")]
        assert list_rows(conn, "stalls", elsewhere).rows == []


def test_a_closed_stall_stays_with_its_history_and_comes_back(rooms: Engine) -> None:
    with writing(rooms) as conn:
        take(conn, FILE)
        take(conn, FILE.replace("陈记菜档", "新陈记"))
        one = stall_id(conn, "新陈记")
        retire(conn, "stalls", one, "wang", AT)
        assert faults(conn, FILE) == [(2, "code", "retired")]
        assert [
            row.standing.id for row in list_rows(conn, "stalls", EVERYWHERE, which="retired").rows
        ] == [one]
        assert region_of(conn, "wang", f"stall/{one}") == TOWN
        bring_back(conn, "stalls", one, "wang", AT)
        retire(conn, "sites", ROOM, "wang", AT)
        with pytest.raises(ValueError, match="parent_retired"):
            bring_back(conn, "stalls", one, "wang", AT)
        told = stall_events.history(conn, one)
        assert [step.kind for step in told] == ["brought_back", "retired", "changed", "registered"]
        assert told[2].body == {"before": {"name": "陈记菜档"}, "after": {"name": "新陈记"}}
        actions = {entry.action for entry in audit.entries(conn)}
        assert {
            "stalls.import",
            "stalls.changed",
            "stalls.retired",
            "stalls.brought_back",
        } <= actions
    with pytest.raises(LedgerRefused), writing(rooms) as conn:
        conn.execute(stalls.delete())
    with reading(rooms) as conn:
        assert len(sites.stalls(conn, ROOM)) == 2


def test_the_rooms_book_has_what_is_registered_and_not_what_is_closed(rooms: Engine) -> None:
    def told(number: str, stall: str, supplier: str) -> ToldSample:
        record = SampleRecord(
            sample_id=number, revision=1, number=number, registered_at=AT, stall=stall,
            supplier=supplier,
        )  # fmt: skip
        return ToldSample(Identity(TOWN, ROOM, "agent"), "agent", record, AT)

    def book(conn: Connection) -> list[tuple[str, str, str]]:
        (kept,) = room_books.compose(conn, room_books.rooms(conn, {ROOM}), Products(), [], AT)
        return [(one.code, one.name, one.supplier) for one in kept.book.stalls]

    with writing(rooms) as conn:
        take(conn, FILE)
        samples.take_in(conn, [told("s1", "ａ1", ""), told("s2", "C9", "开平农场")])
        assert book(conn) == [
            ("A1", "陈记菜档", "鹤山合作社"),
            ("A2", "", ""),
            ("C9", "", "开平农场"),
        ]
        samples.take_in(conn, [told("s3", "A1", "恩平农场")])
        assert book(conn)[0] == ("A1", "陈记菜档", "恩平农场")
        retire(conn, "stalls", stall_id(conn, "陈记菜档"), "wang", AT)
        assert [code for code, _, _ in book(conn)] == ["A2", "C9"], "though samples name it"
    with reading(rooms) as conn:
        told_of = [row.site for row in journal.told_after(conn, 0, 99) if row.kind == journal.STALL]
    assert sorted(told_of) == [ROOM, ROOM, VAN]
