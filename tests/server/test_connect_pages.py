"""Pages for other systems: a secret is shown once, what is kept is shown, every step works."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from api_client import make_token, system
from console_app import NOW, TestClient, csrf_of
from fastapi import FastAPI

from foodsentry.cli import main
from ledger import api_tokens, audit, journal, webhook_deliveries, webhooks
from ledger.engine import Engine, reading, writing
from ledger.hook_events import FAMILIES
from server.scopes import SCOPES

pytestmark = pytest.mark.slow
URL = "https://hooks.city.example/foodsentry"


@pytest.fixture
def city(as_officer: Callable[[str], TestClient]) -> TestClient:
    return as_officer("shiju")


def post(client: TestClient, path: str, **fields: object) -> tuple[int, str]:
    body = {"csrf": csrf_of(client), **fields}
    answer = client.post(path, data=body, follow_redirects=False)
    return answer.status_code, answer.text


def test_a_token_is_shown_once_and_works_and_is_revoked(
    app: FastAPI, city: TestClient, engine: Engine
) -> None:
    status, text = post(
        city, "/admin/tokens", name="市一网统管平台", region="440703", days=30,
        scope=["alerts:read", "alerts:move"],
    )  # fmt: skip
    secret = re.search(r"fst_[A-Za-z0-9_-]{40,}", text)
    assert status == 200 and secret is not None
    client = system(app, secret[0])
    assert client.get("/api/v1/me").json()["region"] == "440703"
    again = city.get("/admin/tokens").text
    assert "市一网统管平台" in again and secret[0] not in again and secret[0][:10] in again
    with reading(engine) as conn:
        (made,) = api_tokens.list_in(conn, ["440703"])
        assert audit.entries(conn, 1)[0].action == "token_made"
    assert post(city, f"/admin/tokens/{made.id}/revoke")[0] == 303
    assert client.get("/api/v1/me").status_code == 401
    assert "已吊销" in city.get("/admin/tokens").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "", "scope": ["alerts:read"]}, "请填写名称"),
        ({"name": "x"}, "请至少选择一项权限"),
        ({"name": "x", "scope": ["all"]}, "请至少选择一项权限"),
        ({"name": "x", "scope": ["alerts:read"], "days": 9999}, "有效天数超出"),
        ({"name": "x", "scope": ["alerts:read"], "region": "110000"}, "请选择本人范围内"),
    ],
)
def test_a_form_says_what_is_wrong_and_keeps_what_was_written(
    city: TestClient, fields: dict[str, object], said: str
) -> None:
    status, text = post(city, "/admin/tokens", **fields)
    assert status == 422 and said in text
    assert not fields.get("name") or f'value="{fields["name"]}"' in text


def test_a_webhook_from_its_making_to_its_end(city: TestClient, engine: Engine) -> None:
    status, text = post(
        city, "/admin/webhooks", name="市平台", url=URL, region="440703", event=["alert.*"]
    )
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{40,}", text)
    assert status == 200 and secret is not None
    with reading(engine) as conn:
        (hook,) = webhooks.list_in(conn, ["440703"])
        assert hook.position == journal.last_id(conn), "what was before is not told"
    page = f"/admin/webhooks/{hook.id}"
    assert secret[0] not in city.get("/admin/webhooks").text + city.get(page).text
    assert post(city, f"{page}/test")[0] == 303
    assert "webhook.test" in city.get(page).text and "1 条待发" in city.get(page).text
    with writing(engine) as conn:
        (one,) = webhook_deliveries.due(conn, hook.id, NOW, 9)
        webhook_deliveries.settle(conn, one, "dead", NOW, status=500, answer="<b>broken</b>")
    text = city.get(page).text
    assert "已放弃" in text and "&lt;b&gt;broken" in text
    assert post(city, f"{page}/deliveries/{one.message_id}/redeliver")[0] == 303
    assert post(city, f"{page}/deliveries/{one.message_id}/redeliver")[0] == 409
    assert post(city, f"{page}/pause")[0] == 303 and "人工停发" in city.get(page).text
    assert post(city, f"{page}/test")[0] == 409
    assert post(city, f"{page}/resume")[0] == 303
    assert post(city, f"{page}/remove")[0] == 303
    assert city.get(page).status_code == 404
    with reading(engine) as conn:
        told = [entry.action for entry in audit.entries(conn, 6)]
    assert told == [
        "webhook_removed", "webhook_resumed", "webhook_paused", "webhook_redelivered",
        "webhook_tested", "webhook_made",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://hooks.example/", "event": ["alert.*"]}, "地址须为 https"),
        ({"url": "https://10.0.0.8/", "event": ["alert.*"]}, "地址须为 https"),
        ({"url": "https://127.0.0.1/", "event": ["alert.*"]}, "地址须为 https"),
        ({"url": URL}, "请至少选择一类事件"),
        ({"url": URL, "event": ["alert.*"], "region": "110000"}, "请选择本人范围内"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(
    city: TestClient, fields: dict[str, object], said: str
) -> None:
    status, text = post(city, "/admin/webhooks", name="x", **fields)
    assert status == 422 and said in text


def test_a_token_subscribes_to_nothing_that_it_may_not_read(app: FastAPI, engine: Engine) -> None:
    held = ("webhooks:write", "webhooks:read", "alerts:read")
    _, secret = make_token(engine, "shiju", held, "440703")
    client = system(app, secret)
    body = {"name": "x", "url": URL, "events": ["alert.*"]}
    made = client.post("/api/v1/webhooks", json=body)
    assert made.status_code == 200 and made.json()["region"] == "440703"
    assert made.json()["secret"].startswith("whsec_")
    shown = client.get(f"/api/v1/webhooks/{made.json()['id']}").json()
    assert "secret" not in shown and shown["state"] == "active"
    for more in ({"events": ["result.*"]}, {"region": "440700"}, {"url": "https://[::1]/"}):
        refused = client.post("/api/v1/webhooks", json=body | more)
        assert refused.status_code == 422, more
        assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(more))}"
    assert set(FAMILIES.values()) <= set(SCOPES)


def test_the_document_is_a_page_for_whoever_is_signed_in(
    as_officer: Callable[[str], TestClient], stranger: TestClient
) -> None:
    answer = stranger.get("/api/v1/docs", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/signin")
    baisha = as_officer("baisha")
    text = baisha.get("/api/v1/docs").text
    assert 'id="list_alerts"' in text and "alerts:read" in text and "invalid-cursor" in text
    assert "/admin/tokens" not in text, "who may make none is not sent there"
    assert 'href="/api/v1/docs"' in baisha.get("/alerts").text
    assert "//" not in re.sub(r'https://[^"\s<]*example', "", "".join(
        re.findall(r'(?:src|href)="([^"]*)"', text)))  # fmt: skip


def test_tokens_by_command_line(
    town: Path, engine: Engine, app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    file = town / "server.toml"
    file.write_text(
        f'[ledger]\nurl = "sqlite:///{town / "ledger.sqlite"}"\n[series]\npath = "series.sqlite"\n'
    )
    base = ["server", "token"]
    make = [*base, "make", str(file), "shiju", "--name", "平台", "--scope", "alerts:read"]
    assert main([*make, "--region", "440703"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("fst_")
    assert main([*base, "list", str(file)]) == 0
    line = capsys.readouterr().out.strip().split("\t")
    assert line[1] == secret[:10] + "…" and line[2] == "usable" and secret not in "".join(line)
    assert main([*base, "revoke", str(file), line[0]]) == 0
    assert main([*base, "revoke", str(file), line[0]]) == 1
    assert main([*base, "revoke", str(file), "none"]) == 1
    assert main([*make[:4], "baisha", *make[5:]]) == 1, "a town's officer may make none"
    assert main([*make, "--region", "110000"]) == 1
    assert main([*make, "--scope", "everything"]) == 1
    with reading(engine) as conn:
        told = [(one.actor, one.action) for one in audit.entries(conn, 2)]
    assert told == [("command line", "token_revoked"), ("command line", "token_made")]


def _secret(page: str) -> str:
    found = re.search(r"whsec_[A-Za-z0-9+/=]{40,}", page)
    assert found is not None
    return found[0]


def test_a_secret_is_changed_with_an_overlap(city: TestClient, engine: Engine) -> None:
    _, page = post(city, "/admin/webhooks", name="一网统管", url=URL, event="case.*")
    first = _secret(page)
    with reading(engine) as conn:
        (hook,) = webhooks.list_in(conn, ["440700"])
    status, page = post(city, f"/admin/webhooks/{hook.id}/secret", overlap_hours=2)
    second = _secret(page)
    assert status == 200 and second != first and first not in page
    with reading(engine) as conn:
        found = webhooks.get(conn, hook.id)
        (entry,) = [one for one in audit.entries(conn) if one.action == "webhook_secret_rotated"]
    assert found is not None and found.old_secret_until is not None
    until = found.old_secret_until
    assert found.secrets_at(until - timedelta(seconds=1)) == (second, first)
    assert found.secrets_at(until) == (second,)
    assert second not in str(entry.detail) and entry.subject == f"webhook/{hook.id}"
    shown = city.get(f"/admin/webhooks/{hook.id}").text
    assert second not in shown and "旧密钥" in shown
    csrf = {"x-csrf-token": csrf_of(city)}
    path = f"/api/v1/webhooks/{hook.id}/secret"
    assert city.post(path, json={"overlap_hours": 169}, headers=csrf).status_code == 422
    told = city.post(path, json={"overlap_hours": 0}, headers=csrf)
    third = told.json()["secret"]
    assert told.status_code == 200 and third not in (first, second)
    with reading(engine) as conn:
        found = webhooks.get(conn, hook.id)
    assert found is not None and found.old_secret_until is not None
    assert found.secrets_at(found.old_secret_until) == (third,)
    assert "secret" not in city.get(f"/api/v1/webhooks/{hook.id}").json()
