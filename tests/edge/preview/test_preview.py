"""The preview page over real HTTP: who may ask, what is shown, what is hidden, what is saved."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_parts import SCENE, CollectingSink, kitchen, write_models

from contracts.clock import utc_now
from contracts.events import Box
from contracts.settings import SettingsError
from edge_agent.agent import device_workers
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import Outcome
from edge_agent.cameras.rule.looking import HEAD, Look, Models
from edge_agent.cameras.rule.scene import read_scene
from edge_agent.cameras.shadow.witness import Glance
from edge_agent.pages.serving import host_allowed
from edge_agent.preview.guard import Guard
from edge_agent.preview.settings import PreviewSettings
from edge_agent.settings import load_edge_settings, places

sys.path.insert(0, str(Path(__file__).parent))

from preview_site import BARE, PASSWORD, Site, running


@pytest.fixture
def site(scene_file: Path, models: Models) -> Iterator[Site]:
    yield from running(Site(scene_file, models, PreviewSettings(port=0, most_viewers=2)))


@pytest.fixture
def guarded(scene_file: Path, models: Models) -> Iterator[Site]:
    settings = PreviewSettings(port=0, password_file="x", faces=True)
    yield from running(Site(scene_file, models, settings))


def test_the_camera_with_its_answers_and_whys(site: Site) -> None:
    assert site.json("/api/cameras")["cameras"] == []
    site.show(kitchen([BARE, (3, 0, True, True)], seed=1))
    (listed,) = site.json("/api/cameras")["cameras"]
    assert (listed["device"], listed["sight"]["key"]) == ("cam-1", "live")
    told = site.json("/api/cameras/cam-1")
    bare, masked = sorted(told["heads"], key=lambda head: head["box"][0])
    assert bare["box"] == [0, 0, 0.25, 0.4444]
    assert bare["answers"] == {"hat": "no", "mask": "yes"}
    assert (bare["why"], masked["why"]) != ("masked", "not_moved")
    assert masked["why"] == "masked"
    assert " / " in bare["says"]
    assert told["gate"] == "open"
    assert told["editable"]
    assert {zone["name"] for zone in told["zones"]} >= {"专间"}
    assert told["measures"]
    assert site.ask("/api/cameras/cam-2")[0] == 404


def test_heads_are_hidden_and_the_rest_is_not(site: Site) -> None:
    picture = kitchen([BARE], seed=1)
    picture[20:140:4, 20:140] = 255  # fine structure, as of a face
    site.show(picture)
    status, headers, body = site.ask("/api/cameras/cam-1/picture.jpg")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    shown = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == picture.shape
    fine = [float(cv2.Laplacian(one[20:140, 20:140], cv2.CV_64F).var()) for one in (picture, shown)]
    assert fine[1] < 0.02 * fine[0]
    rest = np.abs(shown[200:].astype(int) - picture[200:]).mean()
    assert rest < 6


def test_all_that_a_look_hides_is_hidden_though_no_head_was_found_there(site: Site) -> None:
    picture = kitchen([], seed=1)
    picture[20:140:4, 20:140] = 255
    frame = Frame(picture, utc_now(), 0.0, 1)
    look = Look(frame, (), (Box(HEAD, 20, 20, 140, 140, 0.4),), ())
    site.board.saw(
        Glance(
            "cam-1", site.scene, Outcome(look, (), frame), Sight.LIVE, (), 1, 1, "", utc_now(), 0.0
        )
    )
    _, _, body = site.ask("/api/cameras/cam-1/picture.jpg")
    shown = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    fine = [float(cv2.Laplacian(one[20:140, 20:140], cv2.CV_64F).var()) for one in (picture, shown)]
    assert fine[1] < 0.02 * fine[0]


def test_a_blind_camera_shows_cells_only(site: Site) -> None:
    site.show(kitchen([BARE], seed=1), Sight.COVERED)
    told = site.json("/api/cameras/cam-1")
    assert told["heads"] == []
    assert told["sight"]["key"] == "camera_covered"
    _, _, body = site.ask("/api/cameras/cam-1/picture.jpg")
    shown = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert cv2.Laplacian(shown, cv2.CV_64F).var() < 20


def test_faces_are_for_those_who_have_signed_in(site: Site, guarded: Site) -> None:
    site.show(kitchen([BARE], seed=1))
    assert site.ask("/api/cameras/cam-1/picture.jpg?faces=1")[0] == 403
    guarded.show(kitchen([BARE], seed=1))
    assert guarded.ask("/api/cameras/cam-1/picture.jpg?faces=1")[0] == 401
    session = guarded.sign_in()
    hidden = guarded.ask("/api/cameras/cam-1/picture.jpg", Cookie=session)[2]
    assert guarded.ask("/api/cameras/cam-1/picture.jpg?faces=1", Cookie=session)[2] != hidden
    assert guarded.ask("/api/cameras/cam-1/picture.jpg", Cookie=session)[2] == hidden


def test_signing_in_and_out(guarded: Site) -> None:
    status, headers, _ = guarded.ask("/")
    assert (status, headers["Location"]) == (303, "/signin")
    assert guarded.ask("/signin")[0] == 200
    assert guarded.ask("/api/cameras")[0] == 401
    assert guarded.ask("/page.js")[0] == 401
    session = guarded.sign_in()
    assert session.startswith("session=")
    assert guarded.ask("/", Cookie=session)[0] == 200
    token = guarded.json("/api/cameras", Cookie=session)["token"]
    assert guarded.ask("/signout", method="POST", Cookie=session)[0] == 403
    left = guarded.ask("/signout", method="POST", Cookie=session, X_Preview_Token=token)
    assert left[0] == 204
    assert guarded.ask("/api/cameras", Cookie=session)[0] == 401
    assert guarded.sign_in("wrong") == ""
    assert guarded.sign_in() == ""  # too soon after a wrong one
    assert guarded.ask("/api/cameras", Cookie="session=made-up")[0] == 401
    assert guarded.ask("/api/cameras", Cookie="session=;;=x")[0] == 401


def test_a_foreign_name_or_page_is_refused(site: Site) -> None:
    assert site.ask("/", Host="evil.example")[0] == 421
    assert site.ask("/api/cameras", Host=f"evil.example:{site.preview.port}")[0] == 421
    assert site.ask("/", Host="localhost:1")[0] == 200
    token = site.json("/api/cameras")["token"]
    forged = site.ask(
        "/signout", method="POST", Origin="http://evil.example", X_Preview_Token=token
    )
    assert forged[0] == 403


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8088", True), ("[::1]:8088", True), ("[::1]", True), ("localhost", True),
        ("box.lan:80", True), ("BOX.LAN", True), ("box.lan.evil.example", False), ("", False),
        ("127.0.0.1.evil.example", False),
    ],
)  # fmt: skip
def test_host_names(host: str, allowed: bool) -> None:
    assert host_allowed(host, ["box.lan"]) is allowed


def test_every_answer_is_armed(site: Site) -> None:
    for path in ("/", "/page.js", "/api/cameras", "/nothing"):
        _, headers, _ = site.ask(path)
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Python" not in headers.get("Server", "")
    assert site.ask("/../settings.py")[0] == 404
    assert site.ask("/api/cameras/..%2f/picture.jpg")[0] == 404


def test_too_many_viewers_are_turned_away(site: Site) -> None:
    for name in ("a", "b"):
        assert site.ask("/api/cameras", Cookie=f"viewer={name}")[0] == 200
    status, _, body = site.ask("/api/cameras", Cookie="viewer=c")
    assert (status, json.loads(body)["error"]) == (503, "too many viewers")
    assert site.ask("/api/cameras", Cookie="viewer=a")[0] == 200


def test_a_viewer_that_has_gone_makes_room() -> None:
    now = [0.0]
    guard = Guard(None, 1, lambda: now[0])
    assert guard.admits("a")
    assert not guard.admits("b")
    now[0] = 60.0
    assert guard.admits("b")


def test_browsers_that_never_read_hold_up_nobody(site: Site) -> None:
    site.show(kitchen([BARE], seed=1))
    slow = []
    for _ in range(10):
        one = socket.create_connection(("127.0.0.1", site.preview.port))
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")  # and not the end of it
        slow.append(one)
    for number in range(3):
        site.show(kitchen([BARE], seed=number))
    began_s = time.monotonic()
    assert site.json("/api/cameras/cam-1")["picture"] == site.number
    assert time.monotonic() - began_s < 9  # before the first of them is given up
    for one in slow:
        one.close()


def test_zones_are_saved_with_a_copy_of_the_old_file(site: Site, scene_file: Path) -> None:
    site.show(kitchen(seed=1))
    told = site.json("/api/cameras/cam-1")
    token = site.json("/api/cameras")["token"]
    areas = {kind: [part["polygon"] for part in told[kind]] for kind in ("zones", "masks")}
    areas["zones"][0][0] = [0.1, 0.05]
    path, body = "/api/cameras/cam-1/areas", json.dumps(areas)
    assert site.ask(path, method="POST", body=body)[0] == 403
    status, _, answer = site.ask(path, method="POST", body=body, X_Preview_Token=token)
    assert status == 200
    assert read_scene(scene_file).zones[0].polygon[0] == (0.1, 0.05)
    backup = scene_file.with_name(json.loads(answer)["backup"])
    assert backup.read_text("utf-8") == SCENE
    areas["zones"][0] = [[0, 0], [1, 1], [1, 0], [0, 1]]
    status, _, answer = site.ask(path, method="POST", body=json.dumps(areas), X_Preview_Token=token)
    assert status == 422
    assert "zones[0].polygon: its edges cross" in json.loads(answer)["error"]
    assert site.ask(path, method="POST", body="[]", X_Preview_Token=token)[0] == 422
    assert site.ask(path, method="POST", body="x" * 70_000, X_Preview_Token=token)[0] == 413
    assert read_scene(scene_file).zones[0].polygon[0] == (0.1, 0.05)


def test_settings_that_would_lay_it_open_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"preview.host is 0.0.0.0"):
        PreviewSettings(port=1, host="0.0.0.0").password(tmp_path)
    with pytest.raises(SettingsError, match="faces"):
        PreviewSettings(port=1, faces=True).password(tmp_path)
    (tmp_path / "short").write_text("short")
    with pytest.raises(SettingsError, match="fewer than 12"):
        PreviewSettings(port=1, password_file="short").password(tmp_path)
    (tmp_path / "long").write_text(PASSWORD + "\n")
    settings = PreviewSettings(port=1, host="0.0.0.0", password_file="long", faces=True)
    assert settings.password(tmp_path) == PASSWORD
    assert PreviewSettings(port=1).password(tmp_path) is None
    assert PreviewSettings(host="::1").loopback
    assert not PreviewSettings(host="box.lan").loopback


def test_a_port_that_is_taken_is_said(site: Site, scene_file: Path, models: Models) -> None:
    second = Site(scene_file, models, PreviewSettings(port=site.preview.port))
    with pytest.raises(SettingsError, match="cannot listen on 127"):
        second.preview.run(threading.Event())


def test_the_agent_serves_the_page_when_it_is_asked_for(
    tmp_path: Path, scene_file: Path, models: Models
) -> None:
    models_dir = write_models(tmp_path / "models")
    settings = tmp_path / "edge.toml"
    text = (
        '[agent]\nregion = "440703"\nsite = "s"\n[folders]\nscenes = "."\n'
        f'models = "{models_dir}"\n[[cameras]]\ndevice = "cam-1"\nsource = "usb:0"\n'
        'scene = "test"\n'
    )
    for more, expected in (("", ["cam-1"]), ("[preview]\nport = 8088\n", ["cam-1", "preview"])):
        settings.write_text(text + more, "utf-8")
        loaded = load_edge_settings(settings)
        workers = device_workers(loaded, places(loaded, settings), CollectingSink(), utc_now)
        assert [worker.name for worker in workers] == expected
    settings.write_text(text + '[preview]\nport = 8088\nhost = "0.0.0.0"\n', "utf-8")
    loaded = load_edge_settings(settings)
    with pytest.raises(SettingsError, match="password_file"):
        device_workers(loaded, places(loaded, settings), CollectingSink(), utc_now)
