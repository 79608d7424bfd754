"""Files taken over: every fault at once, a dry run that is what is done, no circles."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AT, MARKET, OFFICER, build
from test_commands import _run

from contracts.identifiers import credit_code_check
from ledger import audit, devices, migrate, officers, regions
from ledger.engine import Connection, Engine, open_engine, reading, writing
from ledger.officers import Officer, Role
from ledger.sheets.cells import Row, write_rows
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import all_rows, get_row, list_rows, version_of
from ledger.sheets.plan import Plan, PlanRefused, apply_plan, make_plan, plan_of_rows
from ledger.sheets.retire import bring_back, hanging, retire
from ledger.sheets.sheet import EVERYWHERE, Bounds

TOWN, COUNTY, CITY = "440703-tangxia", "440703", "440700"


def code(number: int) -> str:
    body = f"9144070{number:010d}"
    return body + credit_code_check(body)


def plan(conn: Connection, kind: str, text: str, bounds: Bounds = EVERYWHERE) -> Plan:
    return make_plan(conn, kind, io.BytesIO(text.encode()), bounds)


def faults(conn: Connection, kind: str, text: str, bounds: Bounds = EVERYWHERE) -> list[object]:
    return [(one.row, one.column, one.kind) for one in plan(conn, kind, text, bounds).faults]


def take(conn: Connection, kind: str, text: str) -> Plan:
    made = plan(conn, kind, text)
    apply_plan(conn, made, "test", AT, source="file.csv")
    return made


def cells(conn: Connection, kind: str) -> list[Row]:
    return list(all_rows(conn, kind))


def test_a_file_of_establishments_is_taken_over_and_the_same_again_is_nothing(
    town: Engine,
) -> None:
    text = (
        "名称,类型,行政区划,统一社会信用代码,食品经营许可证号,监管责任人,风险等级\n"
        f"好又多,超市,{TOWN},{code(1).lower()},,li,B\n"
        f"第二食堂,canteen,{TOWN},,JY12345678901234,,\n"
    )
    with writing(town) as conn:
        first = take(conn, "establishments", text)
        assert (first.new, first.changed, first.same, first.faults) == (2, 0, 0, [])
        again = plan(conn, "establishments", text)
        assert (again.new, again.changed, again.same) == (0, 0, 2)
        changed = take(conn, "establishments", text.replace("好又多", "好又少"))
        assert (changed.new, changed.changed, changed.same) == (0, 1, 1)
        assert changed.shown[0].fields == ["name"]
        told = {one["name"]: one for one in cells(conn, "establishments")}
        assert told["好又少"]["credit_code"] == code(1) and told["好又少"]["officer"] == "li"
        actions = [one.action for one in audit.entries(conn)]
        assert actions[:2] == ["establishments.changed", "establishments.import"]
        detail = audit.entries(conn, 1)[0].detail
        assert '"before":{"name":"好又多"}' in detail and '"after":{"name":"好又少"}' in detail


def test_a_column_that_a_file_has_not_is_left_as_it_is(town: Engine) -> None:
    with writing(town) as conn:
        take(
            conn,
            "establishments",
            f"id,name,kind,region,risk_grade\n{MARKET},新名,market,{TOWN},C\n",
        )
        (row,) = cells(conn, "establishments")
        assert (row["name"], row["risk_grade"], row["officer"]) == ("新名", "C", "li")
        take(conn, "establishments", f"id,name,kind,region,officer\n{MARKET},新名,market,{TOWN},\n")
        (row,) = cells(conn, "establishments")
        assert (row["risk_grade"], row["officer"]) == ("C", "")


def test_every_fault_of_establishments_is_told_at_once(town: Engine) -> None:
    wrong = code(1)[:17] + ("0" if code(1)[17] != "0" else "1")
    text = (
        "id,name,kind,region,credit_code,licence_number,officer,risk_grade\n"
        f",,船,440799,{wrong},JY1,nobody,E\n"
        f",甲,market,{TOWN},,,,\n"
        f",乙,market,{TOWN},{code(2)},,,\n"
        f",丙,market,{TOWN},{code(2)},,,\n"
        f"a/b,丁,market,{TOWN},I23456789012345678,,,\n"
        f",戊,market,440705,{code(3)},,li,\n"
        f",己,market,{TOWN},{code(4)},,shop,\n"
    )
    with writing(town) as conn:
        officers.add(conn, Officer("shop", "店", Role.OPERATOR, TOWN))
        assert faults(conn, "establishments", text) == [
            (2, "kind", "choice"),
            (2, "risk_grade", "choice"),
            (2, "name", "needed"),
            (2, "region", "unknown"),
            (2, "credit_code", "credit_check"),
            (2, "licence_number", "licence"),
            (2, "officer", "unknown"),
            (3, "credit_code", "nameless"),
            (5, "credit_code", "same"),
            (6, "id", "id"),
            (6, "credit_code", "credit_code"),
            (7, "officer", "elsewhere"),
            (8, "officer", "role"),
        ]
        with pytest.raises(PlanRefused, match="faults"):
            take(conn, "establishments", text)
        assert len(cells(conn, "establishments")) == 1
        take(conn, "establishments", f"name,kind,region,credit_code\n甲,market,{TOWN},{code(5)}\n")
        take(
            conn,
            "establishments",
            f"name,kind,region,licence_number\n乙,market,{TOWN},JY12345678901234\n",
        )
        both = "name,kind,region,credit_code,licence_number\n"
        both += f"丙,market,{TOWN},{code(5)},JY12345678901234\n"
        assert faults(conn, "establishments", both) == [(2, "licence_number", "taken")]
        own = f"id,name,kind,region,credit_code\n{MARKET},丁,market,{TOWN},{code(5)}\n"
        assert faults(conn, "establishments", own) == [(2, "credit_code", "taken")]


def test_rows_of_a_tree_name_each_other_in_any_order(town: Engine) -> None:
    head = "code,parent,name_zh,name_en\n"
    with writing(town) as conn:
        made = take(conn, "regions", f"{head}g-1,t-1,格,G\nt-1,d-1,镇,T\nd-1,{CITY},区,D\n")
        assert made.new == 3
        assert regions.ancestors(conn, "g-1") == ["g-1", "t-1", "d-1", CITY]
        assert faults(conn, "regions", f"{head}x-1,y-1,甲,A\n") == [(2, "parent", "unknown")]
        assert faults(conn, "regions", f"{head}x-1,x-1,甲,A\n") == [(2, "parent", "circle")]
        circle = f"{head}x-1,x-2,甲,A\nx-2,x-3,乙,B\nx-3,x-1,丙,C\n"
        assert [one[2] for one in plan_kinds(conn, circle)] == ["circle"] * 3
        below_itself = f"{head}d-1,g-1,区,D\n"
        assert faults(conn, "regions", below_itself) == [(2, "parent", "circle")]
        # Turned round in one file, it is no circle.
        turned = f"{head}t-1,{CITY},镇,T\nd-1,t-1,区,D\ng-1,d-1,格,G\n"
        take(conn, "regions", turned)
        assert regions.ancestors(conn, "g-1") == ["g-1", "d-1", "t-1", CITY]
        twice = f"{head}x-1,{CITY},甲,A\nx-1,{CITY},甲,A\n"
        assert faults(conn, "regions", twice) == [(3, "code", "same")]


def plan_kinds(conn: Connection, text: str) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.kind) for one in plan(conn, "regions", text).faults]


def test_nobody_reaches_out_of_their_region(town: Engine) -> None:
    head = "code,parent,name_zh,name_en\n"
    with writing(town) as conn:
        bounds = Bounds.below(conn, COUNTY, keeps_root=False)
        own = f"{head}{COUNTY},{CITY},蓬江,P\n"
        assert faults(conn, "regions", own, bounds) == [(2, "code", "own")]
        moved = f"{head}{COUNTY},,蓬江区,Pengjiang\n"
        assert faults(conn, "regions", moved, bounds) == [(2, "parent", "fixed")]
        for line, kind in (
            (f"x,{CITY},甲,A", ("parent", "unknown")),
            ("x,,甲,A", ("parent", "top")),
            ("440705,440703,新会区,Xinhui", ("code", "taken")),
            (f"{TOWN},440705,棠下镇,Tangxia", ("parent", "unknown")),
        ):
            assert faults(conn, "regions", f"{head}{line}\n", bounds) == [(2, *kind)], line
        inside = f"{head}y,x,甲,A\nx,{TOWN},乙,B\n"
        assert faults(conn, "regions", inside, bounds) == []
        other = Bounds.below(conn, "440705")
        market = f"id,name,kind,region\n{MARKET},我的,market,440705\n"
        assert faults(conn, "establishments", market, other) == [(2, "id", "taken")]
        site = "id,name,kind,region\npj-market-1,我的,canteen,440705\n"
        assert faults(conn, "sites", site, other) == [(2, "id", "taken")]
        device = "site,device,kind,name\npj-market-1,x,probe,我的\n"
        assert faults(conn, "devices", device, other) == [(2, "site", "unknown")]
        contact = "login,channel,address\nli,sms,138\n"
        assert faults(conn, "contacts", contact, other) == [(2, "login", "unknown")]
        duty = f"region,login,starts_at,ends_at\n{TOWN},li,2026-10-01,2026-10-02\n"
        assert faults(conn, "duties", duty, other) == [
            (2, "login", "unknown"),
            (2, "region", "unknown"),
        ]
        for kind in SHEETS:
            assert list_rows(conn, kind, other).rows == [] or kind == "regions"
            assert get_row(conn, "establishments", other, MARKET) is None


def test_sites_and_devices_stand_where_they_belong(town: Engine) -> None:
    head = "id,name,kind,region,establishment,self_test\n"
    with writing(town) as conn:
        assert faults(conn, "sites", f"{head}s-1,室,testing_room,440705,{MARKET},\n") == [
            (2, "region", "outside")
        ]
        assert faults(conn, "sites", f"{head}s-1,室,testing_room,{TOWN},nowhere,也许\n") == [
            (2, "self_test", "choice"),
            (2, "establishment", "unknown"),
        ]
        moved = f"id,name,kind,region,establishment\npj-market-1,快检室,testing_room,{COUNTY},\n"
        assert faults(conn, "sites", moved) == [(2, "region", "speaking")]
        take(conn, "sites", f"{head}s-1,后厨,食堂后厨,{TOWN},{MARKET},否\n")
        rows = "site,device,kind,name,silent_after_s\n"
        assert faults(
            conn, "devices", f"{rows}s-1,alerts,agent,网关,60\ns-1,a b,agent,网关,0\n"
        ) == [
            (2, "device", "reserved"),
            (3, "device", "id"),
            (3, "silent_after_s", "number"),
        ]
        take(conn, "devices", f"{rows}s-1,agent,agent,网关,90\ns-1,cold-1,温度探头,冷库,120.5\n")
        known = {
            who.device: one for who, one in devices.registry(conn).items() if who.site == "s-1"
        }
        assert known["agent"].silent_after_s == 90 and known["cold-1"].region == TOWN


def test_what_is_retired_is_out_of_use_and_comes_back_from_the_top(town: Engine) -> None:
    with writing(town) as conn:
        also = hanging(conn, "establishments", MARKET)
        assert also.sites == ["pj-market-1"] and len(also.devices) == 3
        assert retire(conn, "establishments", MARKET, "test", AT) == also
        assert devices.registry(conn) == {} == devices.registered(conn)
        assert devices.silent(conn, AT.replace(year=2030)) == []
        assert list_rows(conn, "devices", EVERYWHERE).rows == []
        assert len(list_rows(conn, "devices", EVERYWHERE, which="retired").rows) == 3
        again = "site,device,kind,name\npj-market-1,agent,agent,网关\n"
        assert faults(conn, "devices", again) == [(2, "site", "retired")]
        gone = f"id,name,kind,region\n{MARKET},甲,market,{TOWN}\n"
        assert faults(conn, "establishments", gone) == [(2, "id", "retired")]
        for kind, one in (("devices", "pj-market-1/agent"), ("sites", "pj-market-1")):
            with pytest.raises(ValueError, match="parent_retired"):
                bring_back(conn, kind, one, "test", AT)
        for kind, one in (
            ("establishments", MARKET),
            ("sites", "pj-market-1"),
            ("devices", "pj-market-1/agent"),
        ):
            bring_back(conn, kind, one, "test", AT)
        assert len(devices.registry(conn)) == 1
        with pytest.raises(ValueError, match="inhabited"):
            retire(conn, "regions", TOWN, "test", AT)
        retire(conn, "regions", "440705", "test", AT)
        assert faults(conn, "establishments", "id,name,kind,region\nx,甲,market,440705\n") == [
            (2, "region", "unknown")
        ]
        assert audit.verify(conn).broken_id is None


def test_a_dry_run_binds_file_and_ledger(town: Engine) -> None:
    text = f"id,name,kind,region\n{MARKET},甲,market,{TOWN}\nnew,乙,van,{TOWN}\n"
    with writing(town) as conn:
        seen = plan(conn, "establishments", text)
        assert plan(conn, "establishments", text).token == seen.token
        for other in (text.replace("甲", "丙"), text + "\n"):
            made = plan(conn, "establishments", other)
            with pytest.raises(PlanRefused, match="changed"):
                apply_plan(conn, made, "test", AT, token=seen.token)
        take(conn, "establishments", f"id,name,kind,region\n{MARKET},丁,market,{TOWN}\n")
        later = plan(conn, "establishments", text)
        assert later.token != seen.token
        with pytest.raises(PlanRefused, match="changed"):
            apply_plan(conn, later, "test", AT, token=seen.token)
        apply_plan(conn, later, "test", AT, token=later.token)


def test_lists_are_searched_and_paged(town: Engine) -> None:
    text = "name,kind,region,credit_code\n" + "".join(
        f"店{number:03d} 100%,supermarket,{TOWN},{code(number)}\n" for number in range(1, 60)
    )
    with writing(town) as conn:
        take(conn, "establishments", text)
        seen: list[str] = []
        after: str | None = None
        while True:
            part = list_rows(
                conn, "establishments", EVERYWHERE, search="100%", after=after, limit=7
            )
            seen += [one.standing.cells["name"] for one in part.rows]
            after = part.next
            if after is None:
                break
        assert seen == sorted(f"店{number:03d} 100%" for number in range(1, 60))
        assert list_rows(conn, "establishments", EVERYWHERE, search="100_").rows == []
        orphans = list_rows(conn, "establishments", EVERYWHERE, which="orphans", limit=100)
        assert len(orphans.rows) == 59
        officers.set_active(conn, OFFICER, False)
        assert (
            len(list_rows(conn, "establishments", EVERYWHERE, which="orphans", limit=99).rows) == 60
        )
        for wrong in ("x", "W10", "WzFd"):
            with pytest.raises(ValueError, match="after"):
                list_rows(conn, "establishments", EVERYWHERE, after=wrong)
        people = "region,login,starts_at,ends_at\n"
        officers.set_active(conn, OFFICER, True)
        take(
            conn,
            "duties",
            f"{people}{TOWN},li,2026-10-01 08:00,2026-10-02 08:00\n"
            f"{TOWN},li,2026-11-01,2026-11-02\n",
        )
        first = list_rows(conn, "duties", EVERYWHERE, limit=1)
        second = list_rows(conn, "duties", EVERYWHERE, limit=1, after=first.next)
        assert second.rows[0].standing.cells["starts_at"] == "2026-11-01 00:00"
        assert second.next is None and second.rows[0].name == "李国华"


def test_a_version_follows_what_a_row_says(town: Engine) -> None:
    with writing(town) as conn:
        before = get_row(conn, "establishments", EVERYWHERE, MARKET)
        assert before is not None and before.version == version_of(before.standing)
        apply_plan(conn, plan_of_rows(conn, "establishments", [before.standing.cells]), "t", AT)
        same = get_row(conn, "establishments", EVERYWHERE, MARKET)
        assert same is not None and same.version == before.version
        changed = before.standing.cells | {"address": " 新路 1 号 "}
        apply_plan(conn, plan_of_rows(conn, "establishments", [changed]), "t", AT)
        after = get_row(conn, "establishments", EVERYWHERE, MARKET)
        assert after is not None and after.version != before.version
        assert after.standing.cells["address"] == "新路 1 号"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('small') / 'ledger.db'}")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        build(conn)
    yield engine
    engine.dispose()


CODES = st.sampled_from(["", code(1), code(2), code(3), "X"])
ROWS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", MARKET, "e-1", "e-2", "bad id"]),
        "name": st.sampled_from(["甲", "=乙", "", "'丙"]),
        "kind": st.sampled_from(["market", "食堂", "船"]),
        "region": st.sampled_from([TOWN, COUNTY, "440799"]),
        "credit_code": CODES,
        "licence_number": st.sampled_from(["", "JY00000000000001", "JY1"]),
        "address": st.sampled_from(["", "路 1 号"]),
        "officer": st.sampled_from(["", "li", "nobody"]),
        "risk_grade": st.sampled_from(["", "A"]),
        "licence_from": st.sampled_from(["", "2023-05-01", "2023-5-1", "never"]),
        "licence_until": st.sampled_from(["", "2028/04/30", "2020-01-01"]),
    }
)


class Undone(Exception):
    """Rolls a transaction back."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=6), st.booleans())
def test_a_dry_run_is_what_is_done(small: Engine, rows: list[Row], everywhere: bool) -> None:
    columns = SHEETS["establishments"].columns
    content = b"".join(write_rows(rows, columns, chinese=False))
    with pytest.raises(Undone), writing(small) as conn:
        bounds = EVERYWHERE if everywhere else Bounds.below(conn, TOWN)
        seen = make_plan(conn, "establishments", io.BytesIO(content), bounds)
        before = {one["id"]: one for one in cells(conn, "establishments")}
        if seen.faults:
            with pytest.raises(PlanRefused):
                apply_plan(conn, seen, "t", AT, bounds=bounds, token=seen.token)
            after = {one["id"]: one for one in cells(conn, "establishments")}
            assert after == before
            assert {one.row for one in seen.faults} <= set(range(2, len(rows) + 2))
            raise Undone
        apply_plan(conn, seen, "t", AT, bounds=bounds, token=seen.token)
        after = {one["id"]: one for one in cells(conn, "establishments")}
        expected = dict(before)
        fresh = iter(sorted(set(after) - set(before) - {one["id"] for one in rows}))
        told = []
        for change in seen.changes():
            assert change.before is None or before[change.id] == change.before
            told.append({name: cell for name, cell in change.after.items() if name != "id"})
        assert seen.new == len(after) - len(before)
        assert seen.new + seen.changed + seen.same == len(rows)
        changed = [one for key, one in after.items() if expected.get(key) != one]
        assert sorted(map(str, told)) == sorted(
            str({name: cell for name, cell in one.items() if name != "id"}) for one in changed
        )
        assert list(fresh) == sorted(
            one["id"] for one in changed if one["id"] not in {row["id"] for row in rows} | {MARKET}
        )
        again = make_plan(conn, "establishments", io.BytesIO(content), bounds)
        assert (again.new, again.changed, again.same) == (0, 0, len(rows))
        for kind, sheet in SHEETS.items():
            for chinese in (False, True):
                out = b"".join(write_rows(all_rows(conn, kind), sheet.columns, chinese=chinese))
                back = make_plan(conn, kind, io.BytesIO(out))
                assert (back.new, back.changed, back.faults) == (0, 0, [])
                assert back.same == len(cells(conn, kind))
        raise Undone


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d", TOWN, COUNTY]),
            st.sampled_from(["a", "b", "c", "d", TOWN, COUNTY, CITY, "nowhere"]),
        ),
        max_size=6,
    )
)
def test_no_file_makes_a_circle_of_the_tree(small: Engine, rows: list[tuple[str, str]]) -> None:
    text = "code,parent,name_zh,name_en\n" + "".join(f"{one},{up},名,N\n" for one, up in rows)
    with pytest.raises(Undone), writing(small) as conn:
        tree = {one.code: one.parent for one in regions.all_regions(conn)}
        wanted = tree | dict(rows)
        made = plan(conn, "regions", text)
        twice = len({one for one, _ in rows}) < len(rows)
        lost = any(up not in wanted for _, up in rows)
        round_ = any(_comes_back(wanted, one) for one, _ in rows)
        assert bool(made.faults) == (twice or lost or round_)
        if made.clean:
            apply_plan(conn, made, "t", AT)
            assert {one.code: one.parent for one in regions.all_regions(conn)} == wanted
            assert all(regions.ancestors(conn, one)[-1] == CITY for one in wanted)
        raise Undone


def _comes_back(tree: dict[str, str | None], code: str) -> bool:
    at: str | None = tree.get(code)
    for _ in range(len(tree) + 1):
        if at is None or at == code:
            break
        at = tree.get(at)
    return at is not None


def test_on_the_command_line(
    file_book: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(file_book) as conn:
        build(conn)
    url, file = str(file_book.url), tmp_path / "区划.csv"
    for kind in SHEETS:
        for more in ((), ("--gb18030", "--header", "en"), ("--region", CITY)):
            assert _run(url, "export", kind, str(file), *more) == 0
            assert _run(url, "import", kind, str(file), "--dry-run") == 0
            told = capsys.readouterr()
            assert told.out.startswith("0 new, 0 changed, ")
            expected = "gb18030" if "--gb18030" in more and kind in ("regions",) else ""
            assert f"read as {expected}" in told.err or kind != "regions"
    file.write_text(f"code,parent,name_zh,name_en\nx-1,{TOWN},格,Cell\n", "utf-8")
    assert _run(url, "import", "regions", str(file), "--dry-run") == 0
    told = capsys.readouterr()
    assert "row 2: code: '' → 'x-1'" in told.err
    token = told.err.split("--token ")[1].split()[0]
    assert _run(url, "import", "regions", str(file), "--token", "other") == 1
    assert "not what the dry run saw" in capsys.readouterr().err
    assert _run(url, "import", "regions", str(file), "--token", token) == 0
    with reading(file_book) as conn:
        assert regions.get(conn, "x-1") is not None
    file.write_text("code,parent,name_zh,name_en\nx-2,none,格,Cell\n", "utf-8")
    assert _run(url, "import", "regions", str(file)) == 2
    assert f"{file}: row 2: parent: 'none' is not known" in capsys.readouterr().err
