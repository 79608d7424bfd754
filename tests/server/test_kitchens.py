"""The wall of kitchens: what it says of each camera, its filters, who sees what."""

import re

import pytest
from console_app import NOW, Clock, TestClient, sign_in
from console_places import CANTEEN

from contracts.events import Status
from contracts.sights import RUNNING_DUE, RUNNING_LIVE
from contracts.words import DeviceState
from ledger import camera_meals, devices
from ledger.camera_meals import Meal
from ledger.engine import Engine, writing


@pytest.fixture
def live(engine: Engine) -> None:
    """One camera of the canteen is live, in the middle of a meal; the other one is blind."""
    one = CANTEEN.sibling("cam-1")
    figures = {RUNNING_LIVE: 12.0, RUNNING_DUE: 15.0}
    with writing(engine) as conn:
        devices.set_status(conn, one, Status(DeviceState.ONLINE, NOW, figures=figures), NOW)
        camera_meals.add(conn, [Meal(one, NOW.replace(hour=0, minute=30), 108, 120, NOW)])


@pytest.mark.usefixtures("live")
def test_the_wall_says_what_was_proven(stranger: TestClient) -> None:
    assert sign_in(stranger, "shiju") == 303
    page = stranger.get("/kitchens").text
    assert "棠下中学食堂" in page
    cards = re.findall(r'<article class="kitchen" data-sight="(\w+)">(.*?)</article>', page, re.S)
    states = dict.fromkeys(state for state, _ in cards)
    assert "live" in states
    (card,) = [body for state, body in cards if state == "live"]
    assert "88 %" in card  # (108 + 12) of (120 + 15)
    assert 'size=small"' in card and "前</span>" in card  # a picture, with its age on it


@pytest.mark.usefixtures("live")
def test_filters_are_in_the_address(stranger: TestClient) -> None:
    sign_in(stranger, "shiju")
    blind = stranger.get("/kitchens?show=blind").text
    assert 'data-sight="live">' not in blind.partition("kitchen-groups")[2]
    assert stranger.get("/kitchens?q=no such place").text.count("<article") == 0
    assert stranger.get("/kitchens?region=440703").status_code == 200
    assert stranger.get("/kitchens?region=320000").status_code == 404
    assert stranger.get("/kitchens?show=fine").status_code == 422
    part = stranger.get("/kitchens?show=blind", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="lists"')


@pytest.mark.usefixtures("live")
def test_who_cannot_be_seen_and_who_was_told(stranger: TestClient) -> None:
    sign_in(stranger, "shiju")
    page = stranger.get("/kitchens/blind").text
    assert "备餐专间摄像头" in page
    assert "/alerts/" in page
    assert "切配间摄像头" not in page  # it is live


@pytest.mark.usefixtures("live")
def test_one_camera(stranger: TestClient) -> None:
    sign_in(stranger, "shiju")
    page = stranger.get(f"/kitchens/cameras/{CANTEEN.site}/cam-1")
    assert page.status_code == 200
    assert "108 / 120" in page.text
    assert stranger.get(f"/kitchens/cameras/{CANTEEN.site}/agent").status_code == 404
    assert stranger.get("/kitchens/cameras/nowhere/cam-1").status_code == 404


def test_what_was_live_is_unknown_once_it_falls_silent(stranger: TestClient, clock: Clock) -> None:
    sign_in(stranger, "shiju")
    assert stranger.get("/kitchens?show=live").text.count("<article") == 1
    clock.forward(200)
    assert stranger.get("/kitchens?show=live").text.count("<article") == 0
    assert 'data-sight="unknown">' in stranger.get("/kitchens?show=unknown").text


@pytest.mark.usefixtures("live")
def test_another_town_sees_none_of_it(stranger: TestClient) -> None:
    sign_in(stranger, "shichang")  # of the market, which has no camera
    page = stranger.get("/kitchens").text
    assert page.count("<article") == 0
    assert stranger.get(f"/kitchens/cameras/{CANTEEN.site}/cam-1").status_code == 404
