"""The room's page over HTTP: who is let in, what comes again, what is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from room_parts import MORNING, Opened, Place, ask, result

from contracts.settings import SettingsError
from edge_agent.pages.serving import HEADERS
from edge_agent.room.operators import (
    TRIES,
    Gate,
    hash_pin,
    read_operators,
    session_key,
    write_operator,
)
from edge_agent.room.settings import RoomSettings

PIN = "271828"


@pytest.fixture
def opened(place: Place) -> Iterator[Opened]:
    """A room whose page is served, where nobody need sign in."""
    made = place.open()
    made.serve()
    yield made
    made.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Opened]:
    """A room with two operators."""
    write_operator(tmp_path / "operators.toml", "陈思敏", PIN)
    write_operator(tmp_path / "operators.toml", "李", "314159")
    made = Place(tmp_path, RoomSettings(port=0, operators_file="operators.toml")).open()
    made.serve()
    yield made
    made.close()


def test_a_sample_is_registered_once_however_often_it_is_sent(opened: Opened) -> None:
    port = opened.room.port()
    body = {"submit_id": "abcdef-0001", "product": "菜心", "stall": "A-1", "unknown": 1}
    first = ask(port, "/api/samples", body)
    assert first[0] == 200 and first[2] == ask(port, "/api/samples", body)[2]
    _, headers, told = ask(port, "/api/state")
    assert [one["number"] for one in told["samples"]] == [first[2]["number"]]
    assert headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    known = ask(port, f"/api/state?known={told['version']}")[2]
    assert "samples" not in known
    sample = first[2]["sample_id"]
    status, headers, svg = ask(port, f"/api/samples/{sample}/label.svg")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml") and b"<svg" in svg
    ask(port, f"/api/samples/{sample}/correct", {"submit_id": "abcdef-2", "changes": {"lot": "7"}})
    ask(port, f"/api/samples/{sample}/void", {"submit_id": "abcdef-3", "reason": "重复登记"})
    (shown,) = ask(port, "/api/state")[2]["samples"]
    assert (shown["lot"], shown["voided"], shown["revision"]) == ("7", True, 3)


def test_an_answer_is_chosen(opened: Opened, place: Place) -> None:
    port = opened.room.port()
    for count in range(2):
        ask(port, "/api/samples", {"submit_id": f"abcdef-{count}", "product": "豆角"})
    opened.tell(result(place.later(minutes=9), name="豆角", record=1))
    opened.room.exchange.sweep()
    (asked,) = ask(port, "/api/state")[2]["asks"]
    assert asked["why"] == "several" and len(asked["candidates"]) == 2
    chosen = asked["candidates"][1]["sample_id"]
    path = f"/api/results/{asked['result_id']}/choose"
    assert ask(port, path, {"submit_id": "abcdef-9", "sample_id": chosen})[0] == 200
    told = ask(port, "/api/state")[2]
    (holder,) = [one for one in told["samples"] if one["results"]]
    assert (holder["sample_id"], holder["results"][0]["how"], told["asks"]) == (
        chosen,
        "chosen",
        [],
    )


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/samples", {"product": "菜心"}, {}, 422),
        ("/api/samples", {"submit_id": "abcdef-1"}, {}, 422),
        ("/api/samples", {"submit_id": "x", "product": "菜心"}, {}, 422),
        ("/api/samples", {"submit_id": "abcdef-1", "product": "菜" * 129}, {}, 422),
        ("/api/samples", {"submit_id": "abcdef-1", "product": "菜"}, {"X_Room": "0"}, 403),
        ("/api/samples", {"submit_id": "abcdef-1"}, {"Origin": "http://evil.example"}, 403),
        ("/api/samples", {"submit_id": "abcdef-1"}, {"Host": "evil.example"}, 421),
        ("/api/nothing", {"submit_id": "abcdef-1"}, {}, 404),
        (f"/api/results/{'0' * 20}/choose", {"submit_id": "abcdef-1"}, {}, 422),
        ("/api/samples", {"note": "x" * 70_000}, {}, 413),
    ],
)
def test_what_is_refused(
    opened: Opened, path: str, body: dict[str, object], headers: dict[str, str], status: int
) -> None:
    assert ask(opened.room.port(), path, body, **headers)[0] == status
    assert opened.room.store.samples_since(0) == []


def test_signing_in(guarded: Opened) -> None:
    port = guarded.room.port()
    assert ask(port, "/")[0] == 200
    status, _, told = ask(port, "/api/state")
    assert (status, told) == (401, {"sign_in": ["陈思敏", "李"]})
    body = {"submit_id": "abcdef-1", "product": "菜心"}
    assert ask(port, "/api/samples", body)[0] == 401
    assert ask(port, "/api/signin", {"name": "陈思敏", "pin": "000000"})[0] == 403
    status, headers, _ = ask(port, "/api/signin", {"name": "陈思敏", "pin": PIN})
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert status == 200 and "HttpOnly" in headers["Set-Cookie"]
    assert ask(port, "/api/samples", body, Cookie=cookie)[0] == 200
    told = ask(port, "/api/state", Cookie=cookie)[2]
    assert (told["operator"], told["samples"][0]["operator"]) == ("陈思敏", "陈思敏")
    forged = cookie.replace("room=", "room=x")
    assert ask(port, "/api/state", Cookie=forged)[0] == 401
    assert ask(port, "/api/state", Cookie="room=.1.x")[0] == 401


def test_wrong_pins_must_wait_longer_each_time_and_hold_up_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "operators.toml"
    write_operator(file, "陈", PIN)
    write_operator(file, "李", "314159")
    ticks = [0.0]
    now = [MORNING]
    gate = Gate(file, session_key(tmp_path / "key"), lambda: now[0], lambda: ticks[0])
    waits = [gate.sign_in("陈", "000000")[1] for _ in range(TRIES)]
    assert waits == [0.0] * (TRIES - 1) + [60.0]
    assert gate.sign_in("陈", PIN) == ("", 60.0), "the right one, too soon"
    assert gate.sign_in("李", "314159")[0]
    ticks[0] = 61.0
    assert gate.sign_in("陈", "000000") == ("", 120.0)
    ticks[0] = 182.0
    session, _ = gate.sign_in("陈", PIN)
    assert gate.who(session) == "陈"
    again = Gate(file, session_key(tmp_path / "key"), lambda: now[0], lambda: ticks[0])
    assert again.who(session) == "陈", "a restart signs nobody out"
    now[0] += timedelta(hours=13)
    assert again.who(session) is None
    now[0] = MORNING
    write_operator(file, "陈", "161803")
    assert again.who(session) is None, "a new PIN ends what the old one opened"


def test_operators_files_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "operators.toml"
    for easy in ("12345", "123456", "654321", "111111", "abcdef", "１２３４５６"):
        with pytest.raises(SettingsError, match="PIN"):
            hash_pin(easy)
    write_operator(file, 'a "b"', PIN)
    assert list(read_operators(file)) == ['a "b"']
    assert file.stat().st_mode & 0o777 == 0o600 and PIN not in file.read_text("utf-8")
    file.write_text("", "utf-8")
    with pytest.raises(SettingsError, match="no operator"):
        read_operators(file)
    with pytest.raises(SettingsError, match="operators_file"):
        RoomSettings(port=1, host="0.0.0.0").checked(tmp_path)
