"""The JSON API: its document, pages, problems and changes."""

from collections.abc import Callable
from typing import Any

import alert_steps
import pytest
from console_app import NOW, TestClient, csrf_of
from fastapi import FastAPI

from ledger import audit
from ledger.engine import Engine, reading, writing

pytestmark = pytest.mark.slow


@pytest.fixture
def city(as_officer: Callable[[str], TestClient]) -> TestClient:
    return as_officer("shiju")


def test_the_document_holds_the_api_and_no_page(app: FastAPI) -> None:
    document = app.openapi()
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    nouns = {path.split("/")[3] for path in document["paths"]}
    assert nouns == {
        "me", "admin", "alerts", "cases", "case-confirmations", "establishments", "devices",
        "results", "missing", "notifications", "silences", "scorecards", "alert-times",
        "proposals", "push-subscriptions", "webhooks", "tasks", "indicators", "indicator-months",
        "kitchens",
    }  # fmt: skip
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"] and operation["description"] and operation["tags"], where
            assert operation["security"], where
            for status in ("401", "422", "503"):
                content = operation["responses"][status]["content"]
                assert set(content) == {"application/problem+json"}, f"{where} {status}"


def test_every_field_of_the_document_has_an_example(app: FastAPI) -> None:
    for name, schema in app.openapi()["components"]["schemas"].items():
        if "properties" not in schema or name.startswith("Page_"):
            continue
        for field, told in schema["properties"].items():
            linked = {"$ref", "items", "anyOf"} & set(told)
            assert "examples" in told or linked, f"{name}.{field}"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/alerts/none", 404, "not-found"),
        ("/api/v1/alerts?limit=0", 422, "invalid-request"),
        ("/api/v1/alerts?state=perhaps", 422, "invalid-request"),
        ("/api/v1/establishments/none", 404, "not-found"),
        ("/api/v1/results/none", 404, "not-found"),
        ("/api/v1/nothing", 404, "not-found"),
    ],
)
def test_errors_are_problem_details(city: TestClient, path: str, status: int, kind: str) -> None:
    answer = city.get(path)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"]) == (status, status)
    assert body["type"] == f"urn:foodsentry:problem:{kind}"
    assert body["title"] and body["detail"]
    if status == 422:
        assert body["errors"][0]["in"] == "query"
        assert body["errors"][0]["parameter"] in path


def test_wrong_method_is_a_problem_too(city: TestClient) -> None:
    answer = city.put("/api/v1/alerts")
    assert answer.status_code == 405
    assert answer.json()["type"] == "urn:foodsentry:problem:method-not-allowed"


def _walk(client: TestClient, path: str, size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        glue = "&" if "?" in path else "?"
        page = client.get(f"{path}{glue}limit={size}{before}").json()
        assert len(page["items"]) <= size
        found += page["items"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_pages_join_to_the_whole(city: TestClient, size: int) -> None:
    alerts = _walk(city, "/api/v1/alerts", size)
    assert len(alerts) == 8 and len({one["alert_id"] for one in alerts}) == 8
    assert [one["raised_at"] for one in alerts] == sorted(
        (one["raised_at"] for one in alerts), reverse=True
    )
    grave = _walk(city, "/api/v1/alerts?severity=1", size)
    assert [one["rule"] for one in grave] == ["pesticide_positive", "pesticide_positive"]
    open_ones = _walk(city, "/api/v1/alerts?state=firing&state=acknowledged", size)
    assert {one["state"] for one in open_ones} == {"firing", "acknowledged"}
    assert len(_walk(city, "/api/v1/establishments", size)) == 6


def test_results_come_in_pages_and_alone_with_their_bytes(city: TestClient, engine: Engine) -> None:
    found = _walk(city, "/api/v1/establishments/baisha-market/results", 50)
    assert len(found) == 120
    assert all("raw_base64" not in one for one in found)
    one = city.get(f"/api/v1/results/{found[0]['result_id']}").json()
    assert one["raw_base64"].startswith("fhEU")
    with reading(engine) as conn:
        newest = audit.entries(conn, 1)[0]
    assert (newest.action, newest.subject) == ("evidence_viewed", f"result/{one['result_id']}")


def test_acknowledge_and_close_are_recorded(
    city: TestClient, engine: Engine, alert_ids: dict[str, str]
) -> None:
    token = {"x-csrf-token": csrf_of(city)}
    path = f"/api/v1/alerts/{alert_ids['cold']}"
    once = city.post(f"{path}/acknowledge", headers=token).json()
    assert (once["state"], once["acknowledged_by"]) == ("acknowledged", "officer-shiju")
    again = city.post(f"{path}/acknowledge", headers=token)
    assert again.status_code == 200 and again.json() == once, "twice is once"
    assert city.post(f"{path}/close", headers=token, json={"note": ""}).status_code == 422
    early = city.post(f"{path}/close", headers=token, json={"note": "已更换门封"})
    assert (early.status_code, early.json()["type"]) == (
        409,
        "urn:foodsentry:problem:alert-unready",
    )
    with writing(engine) as conn:
        alert_steps.review(conn, alert_ids["cold"], "officer-shiju", NOW)
    closed = city.post(f"{path}/close", headers=token, json={"note": "已更换门封"}).json()
    assert (closed["state"], closed["close_note"]) == ("closed", "已更换门封")
    late = city.post(f"{path}/close", headers=token, json={"note": "再来"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:foodsentry:problem:alert-closed")
    kinds = [one["kind"] for one in city.get(path).json()["timeline"]]
    assert kinds == ["raised", "acknowledged", "disposing", "reviewed", "closed"]
    with reading(engine) as conn:
        actions = [entry.action for entry in audit.entries(conn, 4)]
        assert actions[:2] == ["alert_closed", "alert_acknowledged"]
        assert audit.verify(conn).broken_id is None


def test_a_ledger_that_is_away_is_a_503(
    city: TestClient, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    from ledger.engine import LedgerDown
    from server.routes import health

    def down(*_: object) -> None:
        raise LedgerDown("away")

    monkeypatch.setattr("server.needs.find_visit", down)
    answer = city.get("/api/v1/alerts")
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert answer.json()["type"] == "urn:foodsentry:problem:ledger-down"
    page = city.get("/alerts")
    assert page.status_code == 503 and "台账暂时连不上" in page.text
    monkeypatch.setattr(health, "reading", down)
    assert city.get("/healthz").status_code == 503
