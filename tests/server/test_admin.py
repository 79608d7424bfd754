"""Administration: lists, forms, what is wrong at its field, second writers, retiring, accounts."""

import re
from collections.abc import Callable

import pytest
from console_app import NOW, Clock, TestClient, csrf_of
from fastapi import FastAPI
from httpx import Response

from ledger import audit, broker_accounts, devices, loaded_rules
from ledger.engine import Engine, reading, writing
from ledger.loaded_rules import Loaded, RuleFile
from ledger.sheets.kinds import SHEETS
from server.rule_check import check_rules
from server.rule_files import CONFIGS

Enter = Callable[[str], TestClient]
SHOWN = ("rules", "limits", "calendars", "escalation")


def send(client: TestClient, path: str, **cells: str) -> Response:
    return client.post(path, data=cells | {"csrf": csrf_of(client)}, follow_redirects=False)


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("login", ["admin", "shiju", "pengjiang"])
def test_every_page_opens_for_who_administers(as_officer: Enter, login: str) -> None:
    client = as_officer(login)
    for path in ("", *SHEETS, *SHOWN, *(f"{kind}/new" for kind in SHEETS)):
        answer = client.get(f"/admin/{path}".rstrip("/"))
        assert answer.status_code == 200, path
    for kind in SHEETS:
        assert client.get(f"/admin/import/{kind}").status_code == 200
        assert client.get(f"/admin/export/{kind}").status_code == 200
    assert 'href="/admin"' in client.get("/alerts").text


def test_others_are_refused_and_have_no_link(as_officer: Enter) -> None:
    for login in ("baisha", "shichang", "shenji"):
        client = as_officer(login)
        assert client.get("/admin").status_code == 403
        assert client.get("/admin/export/contacts").status_code == 403
        assert 'href="/admin"' not in client.get("/alerts").text


def test_what_is_wrong_stands_at_its_field_in_both_languages(as_officer: Enter) -> None:
    client = as_officer("pengjiang")
    path = "/admin/establishments/rows/baisha-market"
    page = client.get(path).text
    wrong = {"credit_code": "92440703MA4W000009", "officer": "nobody", "version": version_in(page)}
    answer = send(client, path, **wrong)
    assert answer.status_code == 422
    assert "校验位应为" in answer.text and "&#39;nobody&#39; 不存在" in answer.text
    assert 'value="92440703MA4W000009"' in answer.text, "what was written is still there"
    client.cookies.set("fs_language", "en")
    assert "the others ask for" in send(client, path, **wrong).text
    assert send(client, "/admin/establishments/new", name="", kind="船").status_code == 422


def test_the_second_writer_sees_both_values(as_officer: Enter, engine: Engine) -> None:
    first, second = as_officer("pengjiang"), as_officer("shiju")
    path = "/admin/establishments/rows/baisha-market"
    seen = version_in(first.get(path).text)
    assert send(first, path, address="新址 1 号", version=seen).status_code == 303
    answer = send(second, path, address="新址 2 号", name="白沙市场", version=seen)
    assert answer.status_code == 409
    assert 'value="新址 2 号"' in answer.text and "<b>新址 1 号</b>" in answer.text
    again = send(second, path, address="新址 2 号", version=version_in(answer.text))
    assert again.status_code == 303
    with reading(engine) as conn:
        told = [one for one in audit.entries(conn) if one.action == "establishments.changed"]
    assert [one.actor for one in told] == ["officer-shiju", "officer-pengjiang"]
    assert '"before":{"address":"新址 1 号"}' in told[0].detail
    assert told[0].subject == "establishment/baisha-market"


def test_an_officer_in_charge_takes_it_off_the_list_of_orphans(as_officer: Enter) -> None:
    client = as_officer("admin")
    assert "2 家主体没有在岗的监管责任人" in client.get("/admin").text
    orphans = client.get("/admin/establishments?show=orphans").text
    assert "会城东甲农贸市场" in orphans and "白沙农贸市场" not in orphans
    answer = send(client, "/admin/establishments/rows/huicheng-market", officer="xinhui")
    assert answer.status_code == 303
    assert "会城东甲农贸市场" not in client.get("/admin/establishments?show=orphans").text


def test_a_new_agent_is_told_its_secret_once(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("admin")
    cells = {"site": "baisha-room", "device": "agent-2", "kind": "agent", "name": "二号网关"}
    made = send(client, "/admin/devices/new", **cells)
    path = made.headers["location"].partition("?")[0]
    assert path == "/admin/devices/rows/baisha-room/agent-2"
    assert "440703-baisha/baisha-room/agent-2" in client.get(path).text
    answer = send(client, f"{path}/secret")
    secret = re.search(r'class="secret mono">([\w-]{43})<', answer.text)
    assert secret is not None and answer.headers["cache-control"] == "no-store"
    assert secret[1] not in client.get(path).text
    with reading(engine) as conn:
        kept = broker_accounts.get(conn, "440703-baisha/baisha-room/agent-2")
        assert kept is not None and kept.changed_by == "officer-admin"
        assert secret[1] not in str(kept) and secret[1] not in str(audit.entries(conn))
        known = {one.device for one in devices.registered(conn)}
    assert "agent-2" in known, "a gateway reads it anew within a minute"
    assert send(as_officer("shiju"), f"{path}/secret").status_code == 403
    assert send(client, "/admin/devices/rows/baisha-room/atp/secret").status_code == 409


def test_what_is_retired_leaves_lists_and_comes_back(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("pengjiang")
    path = "/admin/devices/rows/baisha-room/atp"
    assert send(client, f"{path}/retire").status_code == 303
    assert "多功能快检仪" not in client.get("/admin/devices").text
    assert "多功能快检仪" in client.get("/admin/devices?show=retired").text
    assert "多功能快检仪" not in client.get("/devices").text
    with reading(engine) as conn:
        assert "atp" not in {one.device for one in devices.registry(conn)}
    assert send(client, path, name="改名").status_code == 422, "nothing of it changes meanwhile"
    assert send(client, f"{path}/bring-back").status_code == 303
    assert "多功能快检仪" in client.get("/devices").text
    assert send(client, "/admin/regions/rows/440703-baisha/retire").status_code == 403
    refused = send(as_officer("admin"), "/admin/regions/rows/440703-baisha/retire")
    assert refused.status_code == 409 and "项在用" in refused.text


def test_a_file_shows_what_it_would_do_and_does_that_or_asks_again(
    as_officer: Enter, engine: Engine, clock: Clock
) -> None:
    client = as_officer("pengjiang")
    csrf = csrf_of(client)
    text = "编号,名称,类型,行政区划\nbaisha-market,白沙市场,农贸市场,440703-baisha\n"
    text += "neu,新食堂,食堂,440703\n"
    path = "/admin/import/establishments"

    def look(content: str, encoding: str = "gb18030") -> str:
        sent = {"file": ("区.csv", content.encode(encoding), "text/csv")}
        return str(client.post(path, data={"csrf": csrf}, files=sent).text)

    page = look(text)
    assert "按 GB18030 读取" in page and "<del>白沙农贸市场</del>" in page
    token = re.search(r'name="token" value="(\w+)"', page)
    assert token is not None
    send(client, "/admin/establishments/rows/baisha-market", name="别名")
    changed = send(client, f"{path}/apply", token=token[1])
    assert changed.status_code == 409 and "<del>别名</del>" in changed.text
    token = re.search(r'name="token" value="(\w+)"', changed.text)
    assert token is not None
    done = send(client, f"{path}/apply", token=token[1])
    assert done.status_code == 200 and "新增 1 条，修改 1 条" in done.text
    assert send(client, f"{path}/apply", token=token[1]).status_code == 409, "only once"
    bad = look(text.replace("农贸市场,440703-baisha", "船,440799"))
    assert "不是以下之一" in bad and "token" not in bad and ">440799<" in bad
    assert look("\xff", "latin-1").count("既不是 UTF-8 也不是 GB18030") == 1
    page = look(text)
    assert "无需导入" in page and "token" not in page
    clock.forward(3 * 3600)
    assert send(client, f"{path}/apply", token=token[1]).status_code == 409
    exported = client.get("/admin/export/establishments?encoding=gb18030&header=en")
    assert exported.headers["content-type"] == "text/csv; charset=gb18030"
    assert "新食堂" in exported.content.decode("gb18030")
    sent = {"file": ("x.csv", exported.content, "text/csv")}
    assert "无需导入" in client.post(path, data={"csrf": csrf}, files=sent).text
    other = client.post("/admin/import/regions", data={"csrf": csrf, "text": "code"})
    assert other.status_code == 403


def test_rules_say_which_gateway_has_them_and_a_file_is_checked(
    as_officer: Enter, app: FastAPI, engine: Engine
) -> None:
    files = [RuleFile(one.name, one.sha256) for one in app.state.console.packs.files]
    with writing(engine) as conn:
        loaded_rules.put(conn, Loaded("gw-1", NOW, files, [("no_hat", "1")]))
        loaded_rules.put(conn, Loaded("gw-2", NOW, files[:1], []))
    client = as_officer("shiju")
    page = client.get("/admin/rules").text
    assert page.count(">一致<") == 1 and page.count(">不一致<") == 1
    sound = (CONFIGS / "rules" / "storage.toml").read_text("utf-8")
    answer = send(client, "/admin/rules/check", text=sound)
    assert answer.status_code == 200 and "没有发现错误" in answer.text
    faulty = send(client, "/admin/rules/check", text=sound.replace("severity = ", "severit = ", 1))
    assert "网关不会接受" in faulty.text and "severit" in faulty.text and "/tmp" not in faulty.text


def test_a_check_that_never_ends_is_ended() -> None:
    assert check_rules(b"", time_s=0.01).late


def test_a_year_that_nobody_has_told_is_said_loudly(as_officer: Enter, clock: Clock) -> None:
    client = as_officer("admin")
    year = client.get("/admin/calendars?year=2026").text
    assert 'data-kind="makeup"' in year and "国庆节" in year
    assert "没有 2031 年的工作日历" in client.get("/admin/calendars?year=2031").text
    clock.forward(250 * 86_400)
    client = as_officer("admin")
    assert "尚无 2027 年工作日历" in client.get("/admin").text
    clock.forward(60 * 86_400)
    assert "缺少 2027 年工作日历" in as_officer("admin").get("/admin").text


def test_by_the_api_rows_are_kept_and_a_file_is_taken_over(as_officer: Enter) -> None:
    client = as_officer("pengjiang")
    headers = {"x-csrf-token": csrf_of(client)}
    at = "/api/v1/admin/establishments"
    first = client.get(f"{at}?limit=1").json()
    second = client.get(f"{at}?limit=1&before={first['next']}").json()
    assert first["items"][0]["id"] != second["items"][0]["id"]
    wrong = client.post(at, json={"cells": {"kind": "ship"}}, headers=headers)
    assert wrong.status_code == 422
    assert {one["pointer"] for one in wrong.json()["errors"]} >= {"/cells/kind", "/cells/name"}
    cells = {"id": "neu", "name": "新店", "kind": "market", "region": "440703-baisha"}
    made = client.post(at, json={"cells": cells}, headers=headers).json()
    assert made["cells"]["name"] == "新店"
    assert client.post(at, json={"cells": cells}, headers=headers).status_code == 422
    row = f"{at}/rows/neu"
    body = {"cells": {"name": "店"}, "version": made["version"]}
    assert client.put(row, json=body, headers=headers).json()["cells"]["name"] == "店"
    stale = client.put(row, json=body, headers=headers)
    assert stale.status_code == 409 and stale.json()["type"].endswith(":row-changed")
    csv = "id,name,kind,region\nneu,改,market,440703-baisha\n"
    plan = client.post(f"{at}/import", json={"csv": csv}, headers=headers).json()
    assert (plan["applied"], plan["changed"]) == (False, 1)
    done = client.post(f"{at}/import", json={"csv": csv, "token": plan["token"]}, headers=headers)
    assert done.json()["applied"] is True
    old = client.post(f"{at}/import", json={"csv": csv, "token": plan["token"]}, headers=headers)
    assert old.status_code == 409 and old.json()["type"].endswith(":file-changed")
    assert client.post(f"{row}/retire", headers=headers).json() == {"sites": [], "devices": []}
    assert client.get(f"{at}?show=retired").json()["items"][0]["id"] == "neu"
    assert client.get(f"{at}/rows/huicheng-market").status_code == 404
