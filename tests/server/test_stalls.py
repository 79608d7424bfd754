"""Stalls in the administration: pages, history, a file with its dry run, the API; rights."""

import re
from collections.abc import Callable

from console_app import TestClient, csrf_of
from httpx import Response

from ledger import audit
from ledger.engine import Engine, reading

Enter = Callable[[str], TestClient]
FILE = "site,code,name\nbaisha-room,B1,区记\nbaisha-room,B2,麦记\n"


def send(client: TestClient, path: str, **cells: str) -> Response:
    return client.post(path, data=cells | {"csrf": csrf_of(client)}, follow_redirects=False)


def test_a_stall_is_registered_renamed_closed_and_keeps_its_history(
    as_officer: Enter, engine: Engine
) -> None:
    client = as_officer("pengjiang")
    stall = {"site": "baisha-room", "code": "A12", "name": "陈记", "supplier": "鹤山合作社"}
    made = send(client, "/admin/stalls/new", **stall)
    assert made.status_code == 303
    path = made.headers["location"].partition("?")[0]
    again = send(client, "/admin/stalls/new", **stall | {"code": "ａ12"})
    assert again.status_code == 422 and "已被占用" in again.text
    assert send(client, path, name="新陈记", code="Z1").status_code == 303
    page = client.get(path).text
    assert "<h1>新陈记</h1>" in page and 'value="A12" readonly' in page
    assert "陈记 → 新陈记" in page
    assert send(client, f"{path}/retire").status_code == 303
    assert "新陈记" not in client.get("/admin/stalls").text
    assert "新陈记" in client.get("/admin/stalls?show=retired").text
    closed = send(client, "/admin/stalls/new", **stall)
    assert closed.status_code == 422 and "A12 已停用" in closed.text
    assert send(client, f"{path}/bring-back").status_code == 303
    kinds = re.findall(r'<span class="chip kind">([^<]+)</span>', client.get(path).text)
    assert kinds == ["恢复使用", "关闭", "修改", "登记"]
    with reading(engine) as conn:
        told = [one for one in audit.entries(conn) if one.action.startswith("stalls.")]
    assert {one.actor for one in told} == {"officer-pengjiang"}
    assert 'href="/admin/stalls?q=baisha-room"' in client.get("/rooms/baisha-room").text
    assert "/admin/stalls" not in as_officer("baisha").get("/rooms/baisha-room").text


def test_a_file_is_looked_at_first_then_taken_over(as_officer: Enter) -> None:
    client = as_officer("pengjiang")
    looked = send(client, "/admin/import/stalls", text=FILE)
    assert looked.status_code == 200 and "区记" in looked.text
    assert "区记" not in client.get("/admin/stalls").text, "a dry run"
    token = re.search(r'name="token" value="([0-9a-f]+)"', looked.text)
    assert token is not None
    done = send(client, "/admin/import/stalls/apply", token=token[1])
    assert done.status_code in (200, 303)
    assert "区记" in client.get("/admin/stalls").text
    assert "baisha-room,B2,麦记" in client.get("/admin/export/stalls").text
    elsewhere = send(as_officer("xinhui"), "/admin/import/stalls", text=FILE)
    assert "baisha-room" in elsewhere.text and "不存在" in elsewhere.text


def test_a_known_key_without_an_id_is_said_to_be_taken(as_officer: Enter) -> None:
    client = as_officer("pengjiang")
    cells = {"name": "甲", "kind": "market", "region": "440703-baisha"}
    known = cells | {"licence_number": "JY14407030099991"}
    assert send(client, "/admin/establishments/new", **known).status_code == 303
    answer = send(client, "/admin/establishments/new", **known)
    assert answer.status_code == 422 and "已被占用" in answer.text
