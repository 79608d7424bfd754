"""The API of bright kitchens: the page's wall and looks, with the same rights, limits and logs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from api_client import make_token, system
from console_app import Clock, TestClient, csrf_of
from console_places import CANTEEN
from fastapi import FastAPI
from look_steps import CAMERA, JPEG, come
from sqlalchemy import event

from contracts.words import LookState
from ledger import audit
from ledger.engine import Engine, reading

pytestmark = pytest.mark.slow
ROOT = "/api/v1/kitchens"
ASK = f"{ROOT}/cameras/{CAMERA.site}/{CAMERA.device}/looks"


@pytest.fixture
def city(as_officer: Callable[[str], TestClient]) -> TestClient:
    return as_officer("shiju")


def walk(client: TestClient, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        page = client.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{before}").json()
        found += page["items"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def test_the_wall_is_the_pages_wall(city: TestClient) -> None:
    cameras = walk(city, f"{ROOT}/cameras", 1)
    assert cameras == walk(city, f"{ROOT}/cameras", 200)
    page = city.get("/kitchens").text
    shown = re.findall(r'<article class="kitchen" data-sight="(\w+)">', page)
    assert sorted(one["state"] for one in cameras) == sorted(shown) and shown
    whole, *parts = walk(city, f"{ROOT}/regions", 1)
    assert (whole["part"], whole["cameras"]) == ("whole", len(cameras))
    assert sum(one["cameras"] for one in parts) == len(cameras)
    for state in ("live", "blind", "unknown"):
        assert whole[state] == shown.count(state)
        asked = walk(city, f"{ROOT}/cameras?state={state}", 200)
        assert len(asked) == shown.count(state)


def test_who_cannot_be_seen_since_when_and_why(city: TestClient) -> None:
    blind = walk(city, f"{ROOT}/blind", 1)
    assert blind and blind == walk(city, f"{ROOT}/blind", 200)
    assert {one["state"] for one in blind} <= {"blind", "unknown"}
    assert [one["since"] for one in blind] == sorted(one["since"] for one in blind)
    one = next(one for one in blind if one["state"] == "blind")
    assert one["alert_id"] and one["alert_rule"]
    whole = city.get(f"{ROOT}/cameras/{one['site']}/{one['camera']}").json()
    assert whole["since"] == one["since"] and whole["blind"][0]["kind"] == one["kind"]


def test_a_look_is_asked_for_by_token_as_on_the_page(
    app: FastAPI, engine: Engine, clock: Clock
) -> None:
    token, secret = make_token(engine, "shiju", ("kitchens:read", "kitchens:look"))
    client = system(app, secret)
    assert client.post(ASK, json={"reason": "x"}).status_code == 422
    blank = client.post(ASK, json={"reason": "    "}).json()
    assert blank["errors"][0]["pointer"] == "/reason"
    made = client.post(ASK, json={"reason": "联动抽查"})
    assert made.status_code == 201 and made.json()["running"]
    look_id = made.json()["id"]
    again = client.post(ASK, json={"reason": "再看一次"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:foodsentry:problem:look-running")
    assert client.get(f"{ROOT}/looks/{look_id}/picture").status_code == 404
    come(engine, look_id, LookState.LIVE, clock)
    look = client.get(f"{ROOT}/looks/{look_id}").json()
    assert (look["state"], look["pictures"]) == ("live", 1)
    assert client.get(f"{ROOT}/looks/{look_id}/picture").content == JPEG
    camera = client.get(f"{ROOT}/cameras/{CAMERA.site}/{CAMERA.device}").json()
    assert camera["picture"]["id"] == camera["look_id"] == look_id
    with reading(engine) as conn:
        noted = [one for one in audit.entries(conn, 50) if one.subject == f"look/{look_id}"]
    assert [(one.action, token.id in one.actor) for one in noted] == [("look_asked", True)]


def test_too_many_looks_say_until_when(city: TestClient, clock: Clock) -> None:
    for _ in range(8):
        sent = {"json": {"reason": "联动抽查"}, "headers": {"x-csrf-token": csrf_of(city)}}
        assert city.post(ASK, **sent).status_code == 201
        clock.forward(120)
    refused = city.post(ASK, **sent)
    assert refused.status_code == 429
    assert 3600 - 8 * 120 <= int(refused.headers["retry-after"]) <= 3600 - 8 * 120 + 1
    looks = walk(city, f"{ROOT}/looks?site={CAMERA.site}", 3)
    assert len(looks) == len({one["id"] for one in looks}) == 8
    assert [one["asked_at"] for one in looks] == sorted(
        (one["asked_at"] for one in looks), reverse=True
    )


def test_scopes_rights_and_places(
    app: FastAPI, engine: Engine, as_officer: Callable[[str], TestClient]
) -> None:
    reader = system(app, make_token(engine, "shiju", ("kitchens:read",))[1])
    refused = reader.post(ASK, json={"reason": "联动抽查"})
    assert (refused.status_code, refused.json()["type"]) == (
        403,
        "urn:foodsentry:problem:scope-missing",
    )
    elsewhere = as_officer("xinhui")
    assert elsewhere.get(f"{ROOT}/cameras/{CANTEEN.site}/cam-1").status_code == 404
    assert elsewhere.get(f"{ROOT}/cameras").json()["items"] == []
    assert elsewhere.get(f"{ROOT}/cameras?region={CANTEEN.region}").status_code == 404
    for path in ("cameras", "blind", "regions", "looks"):
        assert reader.get(f"{ROOT}/{path}?before=x").status_code == 422


@pytest.mark.parametrize("path", ["cameras", "blind", "looks"])
def test_a_longer_page_takes_no_more_statements(
    city: TestClient, engine: Engine, clock: Clock, path: str
) -> None:
    for camera in ("cam-1", "cam-2"):
        body = {"csrf": csrf_of(city), "reason": "联动抽查"}
        city.post(f"/kitchens/cameras/{CAMERA.site}/{camera}/look", data=body)
    clock.forward(300)  # everything is unknown now
    asked: list[str] = []

    def note(*told: Any) -> None:
        # Not what the follower of the journal asks meanwhile.
        if told[2].startswith("SELECT") and "journal.at" not in told[2]:
            asked.append(told[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        counts = []
        for limit in (1, 200):
            del asked[:]
            found = city.get(f"{ROOT}/{path}?limit={limit}").json()["items"]
            counts.append((len(found), len(asked)))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    (one, few), (many, all_) = counts
    assert one == 1 < many and few == all_, counts
