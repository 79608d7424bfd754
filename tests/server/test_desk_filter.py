"""The desk's filters: read from the address, said where they are wrong, counted, paged."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from console_app import NOW, TestClient
from console_district import add_district
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from contracts.words import AlertState, Severity
from ledger import alert_search, alerts
from ledger.engine import Engine, reading, writing
from server.access import Scope
from server.desk_filter import NAMES, DeskFilter, read_filter

pytestmark = pytest.mark.slow
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)]

Enter = Callable[[str], TestClient]
SCOPE = Scope(frozenset({"440703", "440703-baisha"}))
SAID = st.sampled_from(NAMES)


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """What is asked of the ledger is SQL: it runs on either database."""
    told: str = request.param
    return told


def shown(client: TestClient, query: str = "") -> list[str]:
    """Ids of the lines on the desk, in order."""
    return re.findall(r'id="alert-([0-9a-f]+)"', client.get(f"/alerts{query}").text)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    told: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # Not what the follower of the journal asks meanwhile.
        if statement.startswith("SELECT") and "journal.at" not in statement:
            told.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", note)


@given(st.dictionaries(st.one_of(SAID, st.text(max_size=5)), st.text(max_size=150)))
def test_whatever_an_address_says_is_a_filter_or_a_trouble(told: dict[str, str]) -> None:
    asked = read_filter(told, SCOPE)
    named = {name for name in told if name in NAMES and told[name].strip()}
    left = {one.name for one in asked.troubles}
    assert left <= named
    # What the filter says of itself is read as the same filter, and names all that was no trouble.
    assert read_filter(asked.wanted.parts, SCOPE) == type(asked)(asked.wanted)
    assert set(asked.wanted.parts) | left | {"state"} >= named


def test_a_filter_writes_itself_in_one_order() -> None:
    asked = read_filter({"q": "白沙 & 市场", "class": "1", "state": "open", "mine": "1"}, SCOPE)
    assert asked.wanted == DeskFilter(severity=Severity.AT_ONCE, mine=True, text="白沙 & 市场")
    assert asked.wanted.query() == "?class=1&mine=1&q=" + quote("白沙 & 市场").replace("%20", "+")
    assert asked.wanted.query(mine=None, q=None, state="closed") == "?state=closed&class=1"
    assert DeskFilter().query() == ""


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=perhaps", "状态"), ("class=9", "级别"), ("class=x", "级别"),
        ("region=999999", "区县、镇街"), ("region=440705", "区县、镇街"), ("kind=ship", "点位类型"),
        ("device=alone", "设备"), ("overdue=yes", "超期"), ("mine=2", "办理"),
        ("since=2026-02-30", "起始日"), ("until=1066-10-14", "截止日"), ("q=a%00b", "搜索"),
        ("since=2026-03-12&until=2026-03-01", "截止日"), ("before=nothing", "翻页起点"),
        ("q=" + "x" * 65, "搜索"), ("rule=" + "x" * 200, "规则"),
    ],
)  # fmt: skip
def test_what_names_nothing_valid_is_said_and_left_out(
    as_officer: Enter, query: str, said: str
) -> None:
    client = as_officer("pengjiang")
    answer = client.get(f"/alerts?{query}")
    assert answer.status_code == 200
    troubles = re.findall(r'role="alert">([^<]+)<', answer.text)
    assert len(troubles) == 1 and f"“{said}”" in troubles[0] and "无效" in troubles[0]
    everything = set(shown(client))
    if "since" not in query:
        assert set(shown(client, f"?{query}")) == everything


def test_each_filter_shows_what_it_names_and_can_be_taken_out(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("shiju")
    with writing(engine) as conn:
        late = {"overdue_since": NOW - timedelta(hours=1)}
        conn.execute(
            alert_search.alerts.update()
            .where(alert_search.alerts.c.alert_id == alert_ids["cold"])
            .values(**late)
        )
    expected = {
        "region=440705": {"van"},
        "region=440703-baisha": {"positive", "suspect"},
        "rule=cold_store_warm": {"cold", "super"},
        "kind=canteen": {"cold", "hat", "blind"},
        "kind=quick_test_van": {"van"},
        "site=waihai-room": {"super"},
        "device=tangxia-kitchen/cam-1": {"hat"},
        "overdue=1": {"cold"},
        f"q={quote('棠下中学')}": {"cold", "hat", "blind"},
        f"q={quote('厨师帽')}": {"hat"},
        "q=COLD+store": {"cold", "super"},
        "q=100%25": set(),
        "since=2026-03-12": {"hat", "cold", "van", "blind"},
        "until=2026-03-11": {"suspect"},
        "class=2&region=440703": {"cold", "suspect", "blind"},
    }
    for query, names in expected.items():
        found = set(shown(client, f"?{query}"))
        wanted = {alert_ids[name] for name in names}
        if query.startswith(("since", "until")):
            wanted |= found & {alert_ids["positive"], alert_ids["super"]}
        assert found == wanted, query
        page = client.get(f"/alerts?{query}").text
        name = query.partition("&")[2].partition("=")[0] or query.partition("=")[0]
        left = query.replace(query[query.index(f"{name}=") :], "").rstrip("&")
        off = re.findall(r'class="chip on" href="/alerts([^"]*)"', page)
        assert off == [f"?{left}" if left else ""], query


def test_mine_is_what_the_ledgers_own_answer_says(
    as_officer: Enter, engine: Engine, alert_ids: dict[str, str]
) -> None:
    assert set(shown(as_officer("tangxia"), "?mine=1")) == {
        alert_ids[name] for name in ("cold", "hat", "blind")
    }
    # The market has an officer of its own; the county's took one on before, which is closed.
    assert shown(as_officer("pengjiang"), "?mine=1") == []
    assert shown(as_officer("pengjiang"), "?mine=1&state=closed") == [alert_ids["older"]]
    assert shown(as_officer("xinhui"), "?mine=1") == [alert_ids["van"]]
    assert shown(as_officer("shenji"), "?mine=1") == []


def test_choices_are_counted_given_the_others(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("shiju")
    part = client.get("/alerts/choices?kind=canteen", headers={"hx-request": "true"}).text
    assert "<html" not in part

    def count(href: str) -> str:
        found = re.search(
            rf'href="/alerts\?{re.escape(href)}"[^>]*>[^<]*<span class="n">(\d+)', part
        )
        return found[1] if found else ""

    assert count("region=440703&amp;kind=canteen") == "3"
    assert count("region=440703-tangxia&amp;kind=canteen") == "3"
    assert "440705" not in part, "nothing of it would be left"
    assert count("rule=no_hat&amp;kind=canteen") == "1"
    assert count("kind=quick_test_van") == "1", "another kind, given the rest"
    whole = client.get("/alerts/choices?kind=canteen")
    assert "<html" in whole.text and whole.status_code == 200
    outside = as_officer("tangxia").get("/alerts/choices").text
    assert "白沙" not in outside and "新会" not in outside


def test_a_page_takes_the_same_statements_however_many_lines(
    as_officer: Enter, engine: Engine
) -> None:
    client = as_officer("shiju")
    with counted(engine) as few:
        client.get("/alerts?state=firing&class=1")
    add_district(engine, NOW, places=120, open_alerts=400)
    with counted(engine) as many:
        lines = shown(client, "?state=firing")
    assert len(lines) == 25
    assert len(many) <= len(few) + 2 <= 16
    with counted(engine) as narrowed:
        client.get(
            "/alerts?region=440703&kind=canteen&q=%E6%83%A0&mine=1&overdue=1&since=2026-03-01"
        )
    assert len(narrowed) <= len(many) + 8


def test_repeated_lines_are_one_and_open_to_all_of_them(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("pengjiang")
    ids = add_district(engine, NOW, places=60, open_alerts=600)
    lines: list[str] = []
    query = "?region=440703"
    while True:
        page = client.get(f"/alerts{query}").text
        lines += re.findall(r'id="alert-([0-9a-f]+)"', page)
        more = re.search(r'id="more"><a class="button" href="/alerts([^"]+)"', page)
        if not more:
            break
        query = more[1].replace("&amp;", "&")
    with reading(engine) as conn:
        every = {
            row.alert_id: row
            for row in alerts.list_in(conn, client_regions(client), None, 1000)
            if row.state is not AlertState.CLOSED
        }
    heads: dict[object, tuple[object, str]] = {}
    for row in every.values():
        key = row.alert_id if row.severity == 1 else (row.site, row.rule)
        heads[key] = max(
            heads.get(key, (NOW - timedelta(days=999), "")), (row.raised_at, row.alert_id)
        )
    newest = sorted(heads.values(), reverse=True)
    assert [every[one].raised_at for one in lines] == [at for at, _ in newest], (
        "each once, in order"
    )
    assert set(lines) == {key for _, key in newest}
    assert len(lines) < len(every) / 2
    # One group whole: its count is said, and its other lines come when it is opened.
    site, rule = max(
        ((every[one].site, every[one].rule) for one in ids if every[one].severity != 1),
        key=lambda key: sum((row.site, row.rule) == key for row in every.values()),
    )
    members = [row for row in every.values() if (row.site, row.rule) == (site, rule)]
    part = client.get(f"/alerts/members?site={site}&rule={rule}").text
    opened = re.findall(r'id="alert-([0-9a-f]+)"', part)
    assert set(opened) | {max(members, key=lambda row: row.raised_at).alert_id} == {
        row.alert_id for row in members
    }
    assert f"同类 {len(members)} 条" in client.get(f"/alerts?site={site}").text
    assert len(shown(client, f"?site={site}&rule={rule}")) == min(25, len(members)), "no group"


def client_regions(client: TestClient) -> list[str]:
    page = client.get("/api/v1/me").json()
    return [
        page["region"],
        *(f"440703-t{index}" for index in range(8)),
        "440703-baisha",
        "440703-tangxia",
    ]
