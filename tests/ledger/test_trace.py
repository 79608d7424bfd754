"""A trace: names the same but for width and spaces, never likenesses; indices on both databases."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_town import AT, MARKET, result
from sqlalchemy import event
from test_samples_told import name_of, take, told

from contracts.events import Sample
from contracts.names import name_key
from contracts.topics import Identity
from ledger import devices, sites, trace
from ledger.engine import Engine, reading, writing
from ledger.trace import Goods

HERE = ["440703-tangxia"]
SOLD = {"product": "菜心", "supplier": "鹤山 合作社", "lot": "L-7"}


@given(st.text())
def test_a_name_is_the_same_as_itself_however_wide_or_spaced(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    assert name_key(f"　{text} ") == key


def test_names_that_differ_in_a_letter_are_others() -> None:
    assert name_key("Ａ 区－１") == name_key("a区-1") != name_key("a区-2")
    assert name_key("鹤山合作社") != name_key("鹤山合作社有限公司")


def find(engine: Engine, goods: Goods, **changes: Any) -> trace.Trace:
    said = {"match": "any", "days": 7, "own": "440703-tangxia", "seen": HERE} | changes
    with reading(engine) as conn:
        return trace.find(
            conn, goods, said["match"], said["days"], AT, own=said["own"], seen=said["seen"]
        )


def elsewhere(engine: Engine) -> Identity:
    """A reader of another county's room."""
    who = Identity("440705", "xh-room", "reader-9")
    with writing(engine) as conn:
        room = sites.Site(who.site, who.region, "新会快检室", sites.SiteKind.TESTING_ROOM)
        sites.add(conn, room)
        kind = devices.DeviceKind.PESTICIDE_READER
        devices.add(
            conn,
            devices.Device(
                region=who.region,
                site=who.site,
                device=who.device,
                kind=kind,
                name="",
                registered_at=AT,
            ),
        )
    return who


def test_the_same_goods_are_found_by_lot_and_by_supplier(town: Engine) -> None:
    far = elsewhere(town)
    take(
        town,
        told("s1", 1, name_of(1), number="1", stall="Ａ12", **SOLD),
        told("s2", 1, number="2", stall="A 12", product="菜心", supplier="鹤山合作社", lot="other"),
        told("s3", 1, number="3", stall="B1", product="菜 心", supplier="another", lot="l-7"),
        told("s4", 1, number="4", stall="B2", product="白菜", supplier="nobody", lot="L-7"),
        told("s5", 1, number="5", stall="B3", product="菜心"),
        result(1, sample=Sample()),
        result(2, sample=Sample(number="x", name="菜心", supplier="鹤山合作社", stall="C1")),
        result(3, far, sample=Sample(number="y", name="菜心", lot="Ｌ-7")),
    )
    goods = Goods(**SOLD, at=AT)
    found = find(town, goods)
    (branch,) = found.branches
    assert branch.establishment_id == MARKET
    assert {one.label: len(one.finds) for one in branch.stalls} == {"A 12": 2, "B1": 1, "C1": 1}
    assert (found.elsewhere, found.ask) == (1, "440700")
    said = {one.id: one.same for stall in branch.stalls for one in stall.finds}
    assert said["s1"] == ("lot", "supplier", "product") and said["s3"] == ("lot", "product")
    assert [one.result_id for one in found.raised] == [name_of(1), name_of(2)]
    assert find(town, goods, match="lot").branches[0].stalls[-1].label == "B1"
    assert find(town, goods, days=0).elsewhere == 0
    assert find(town, Goods(product="菜心")) == trace.Trace((), 0, "", cut=False, held={})
    both = find(town, goods, own="440700", seen=[*HERE, "440705"])
    assert (len(both.branches), both.elsewhere) == (2, 0)


@pytest.mark.parametrize("match", trace.MATCHES)
def test_a_trace_looks_into_indices(town: Engine, match: trace.Match) -> None:
    seen: list[tuple[str, Any]] = []
    event.listen(town, "before_cursor_execute", lambda *told: seen.append((told[2], told[3])))
    find(town, Goods(**SOLD, at=AT), match=match)
    asked = [one for one in seen if "_key" in one[0] and "FROM" in one[0]]
    assert len(asked) == 2
    postgres = town.dialect.name == "postgresql"
    explain = "EXPLAIN " if postgres else "EXPLAIN QUERY PLAN "
    with reading(town) as conn:
        if postgres:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, values in asked:
            plan = " ".join(map(str, conn.exec_driver_sql(explain + statement, values)))
            # PostgreSQL takes any index for three rows; SQLite's plan goes by the conditions.
            assert "_key" in plan if not postgres else "Index" in plan, plan
            assert "SCAN samples" not in plan and "SCAN results" not in plan
