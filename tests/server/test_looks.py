"""Looks on the console: who may ask, what it costs, what is written down, what comes."""

import re

import pytest
from console_app import NOW, Clock, TestClient, csrf_of, sign_in
from look_steps import CAMERA, JPEG, come, trail

from contracts.words import LookState
from ledger import looks
from ledger.engine import Engine, reading

ASK = f"/kitchens/cameras/{CAMERA.site}/{CAMERA.device}"


def ask(client: TestClient, reason: str = "复核刚才的预警") -> str:
    body = {"csrf": csrf_of(client), "reason": reason}
    answer = client.post(f"{ASK}/look", data=body, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_look_from_the_button_to_the_picture(
    stranger: TestClient, engine: Engine, clock: Clock
) -> None:
    sign_in(stranger, "tangxia")
    where = ask(stranger)
    look_id = where.rpartition("/")[2]
    page = stranger.get(where).text
    assert "复核刚才的预警" in page and "正在请求" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert stranger.get(f"{where}/picture").status_code == 404
    come(engine, look_id, LookState.LIVE, clock)
    part = stranger.get(where, headers={"HX-Request": "true"}).text
    assert f"{where}/picture?n=1" in part
    shown = stranger.get(f"{where}/picture")
    assert (shown.content, shown.headers["cache-control"]) == (JPEG, "no-store")
    assert [action for action, _ in trail(engine)] == ["look_asked"]  # who asked has said why
    come(engine, look_id, LookState.BLIND, clock)
    assert "镜头被遮挡" in stranger.get(where).text
    stranger.get(f"{where}/picture")
    assert [action for action, _ in trail(engine)] == ["look_viewed", "look_asked"]
    wall = stranger.get("/kitchens").text
    assert f"{where}/picture?size=small" in wall  # it is the newest picture now


def test_a_look_needs_a_reason_and_comes_from_our_own_page(stranger: TestClient) -> None:
    sign_in(stranger, "tangxia")
    body = {"csrf": csrf_of(stranger), "reason": "  x "}
    short = stranger.post(f"{ASK}/look", data=body)
    assert short.status_code == 422 and "请写明查看原因" in short.text
    assert stranger.post(f"{ASK}/look", data={"reason": "抽查一下"}).status_code == 403


def test_one_at_a_time_and_not_too_often(
    stranger: TestClient, engine: Engine, clock: Clock
) -> None:
    sign_in(stranger, "tangxia")
    first = ask(stranger)
    body = {"csrf": csrf_of(stranger), "reason": "抽查一下"}
    assert stranger.post(f"{ASK}/look", data=body).status_code == 409
    assert first in stranger.get(ASK).text
    for _ in range(7):
        clock.forward(120)
        ask(stranger)
    clock.forward(120)
    body["csrf"] = csrf_of(stranger)
    refused = stranger.post(f"{ASK}/look", data=body)
    assert refused.status_code == 429 and "已达上限" in refused.text
    with reading(engine) as conn:
        assert len(looks.list_in(conn, [CAMERA.region])) == 8


@pytest.mark.parametrize(("login", "status"), [("shiju", 303), ("xinhui", 404), ("shichang", 404)])
def test_only_within_sight(stranger: TestClient, login: str, status: int) -> None:
    sign_in(stranger, login)
    body = {"csrf": csrf_of(stranger), "reason": "抽查一下"}
    answer = stranger.post(f"{ASK}/look", data=body, follow_redirects=False)
    assert answer.status_code == status


def test_the_list_says_who_looked_and_why(
    stranger: TestClient, engine: Engine, clock: Clock
) -> None:
    sign_in(stranger, "tangxia")
    where = ask(stranger)
    clock.forward(40)  # nobody has answered
    page = stranger.get(f"/kitchens/looks?site={CAMERA.site}&camera={CAMERA.device}").text
    assert "复核刚才的预警" in page and "现场没有回应" in page and where in page
    assert re.search(r"已过期", stranger.get(where).text)
    assert stranger.get("/kitchens/looks?camera=cam-2").text.count(where) == 0
    assert clock() > NOW
