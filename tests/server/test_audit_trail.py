"""The audit trail's page: scope, filters, pages, its file, its chain, and that looks count."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, TestClient, csrf_of
from sqlalchemy import update

from ledger import audit
from ledger.engine import Engine, reading, writing
from ledger.schema import audit as trail

pytestmark = pytest.mark.slow
Enter = Callable[[str], TestClient]


def test_an_auditor_reads_what_happened_in_the_subtree_and_nothing_beside_it(
    as_officer: Enter, engine: Engine, alert_ids: dict[str, str]
) -> None:
    as_officer("baisha").get(f"/alerts/{alert_ids['positive']}")
    as_officer("xinhui").get("/alerts")
    city = as_officer("shiju")
    city.get(f"/alerts/{alert_ids['hat']}")
    city.get("/evidence/tangxia-kitchen/o-1-1")
    with writing(engine) as conn:
        audit.append(conn, "command line", "rules.load", "rules.toml", {}, NOW)
    text = as_officer("shenji").get("/audit").text
    assert "黄嘉敏" in text and "梁伟明" in text, "who looked at what lies here"
    assert "evidence/tangxia-kitchen/o-1-1" in text
    assert "林少芳" not in text, "another county's officer"
    assert "rules.toml" not in text, "lies nowhere: for the whole tree only"
    assert "rules.toml" in city.get("/audit").text


def test_looking_at_the_trail_is_in_the_trail(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("shenji")
    client.get("/audit?who=baisha")
    client.get("/audit/file.csv?action=signed_in")
    with reading(engine) as conn:
        exported, viewed = audit.entries(conn, 2)
    assert (viewed.action, viewed.detail) == ("audit_viewed", '{"who":"baisha"}')
    assert (exported.action, exported.actor) == ("audit_exported", "officer-shenji")


def test_filters_narrow_and_pages_follow_by_key(as_officer: Enter, engine: Engine) -> None:
    with writing(engine) as conn:
        for number in range(130):
            at = NOW - timedelta(days=number)
            audit.append(conn, "officer-baisha", "alert_closed", f"alert/{number:03d}", {}, at)
    city = as_officer("shiju")
    seen: list[str] = []
    path = "/audit?action=alert_closed&who=baisha"
    while path:
        text = city.get(path).text
        seen += [part[:9] for part in text.split('href="/alerts/')[1:] if part[3] == '"']
        _, _, rest = text.partition('class="alerts-end"')
        path = rest.partition('href="')[2].partition('"')[0].replace("&amp;", "&") if rest else ""
    assert len(seen) == 130
    day = (NOW - timedelta(days=5)).date().isoformat()
    one_day = city.get(f"/audit?from={day}&to={day}&subject=alert/").text
    assert one_day.count('href="/alerts/0') == 1 and "alert/005" in one_day
    assert "没有符合条件" in city.get("/audit?who=nobody-of-that-name").text
    assert city.get("/audit?from=yesterday").status_code == 200


def test_the_file_holds_what_the_page_shows_and_no_formula(
    as_officer: Enter, engine: Engine
) -> None:
    with writing(engine) as conn:
        audit.append(conn, "=cmd()", "alert_closed", "alert/x", {"note": 'a,b\n"c"'}, NOW)
    answer = as_officer("shiju").get("/audit/file.csv?action=alert_closed&subject=alert/x")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["actor"] for row in rows] == ["'=cmd()"]
    assert rows[0]["detail"] == '{"note":"a,b\\n\\"c\\""}'


def test_the_chain_is_followed_and_a_broken_one_is_said(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("shenji")
    for _ in range(3):
        client.get("/audit")
    body = {"csrf": csrf_of(client)}
    assert "完整" in client.post("/audit/verify", data=body).text
    with writing(engine) as conn:
        third = update(trail).where(trail.c.id == 3)
        conn.execute(third.values(detail='{"who":"somebody else"}'))
    text = client.post("/audit/verify", data=body).text
    assert "第 3 条与哈希链不符，其前 2 条完整" in text


def test_an_entry_cannot_be_moved_out_of_an_auditors_sight(engine: Engine) -> None:
    with writing(engine) as conn:
        audit.append(conn, "officer-baisha", "alert_closed", "alert/x", {}, NOW)
        last = audit.entries(conn, 1)[0]
        assert last.region == "440703-baisha"
        assert audit.verify(conn).broken_id is None
        conn.execute(update(trail).where(trail.c.id == last.id).values(region="440705"))
        assert audit.verify(conn).broken_id == last.id
        conn.execute(update(trail).where(trail.c.id == last.id).values(region=None))
        assert audit.verify(conn).broken_id == last.id


def test_what_costs_much_and_what_changes_is_limited_by_session(as_officer: Enter) -> None:
    first, second = as_officer("shenji"), as_officer("shiju")
    csrf = csrf_of(first)
    answers = [first.get("/audit/file.csv").status_code for _ in range(41)]
    assert answers == [200] * 40 + [429]
    limited = first.get("/audit/file.csv")
    assert "请稍" in limited.text and int(limited.headers["retry-after"]) >= 1
    assert first.get("/audit").status_code == 200, "what costs little goes on"
    assert second.get("/audit/file.csv").status_code == 200, "and so do others"
    del csrf
    csrf = csrf_of(second)
    path = "/api/v1/silences/preview"
    told = [
        second.post("/me/language", data={"csrf": csrf, "language": "zh"}).status_code
        for _ in range(61)
    ]
    assert told[-1] == 429 and told[:60] == [200] * 60
    refused = second.post(path, json={}, headers={"x-csrf-token": csrf})
    assert (refused.status_code, refused.json()["status"]) == (429, 429)
