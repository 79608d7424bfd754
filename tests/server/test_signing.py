"""Signing in: wrong passwords, limits, cookies, CSRF, sessions that end."""

import re
import threading
from collections.abc import Callable

import pytest
from console_app import NOW, Clock, TestClient, csrf_of, settings, sign_in
from console_places import PASSWORD
from fastapi import FastAPI

from ledger import audit, logins, sessions
from ledger.engine import Engine, reading
from server.app import create_app
from server.passwords import MAX_LENGTH, Passwords, WeakPassword
from server.routes.doors import local_path
from server.settings import SignInSettings
from server.signing import token_hash
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow


def test_right_password_opens_a_session_whose_token_the_ledger_does_not_know(
    stranger: TestClient, engine: Engine
) -> None:
    assert sign_in(stranger, "baisha") == 303
    token = stranger.cookies["fs_session"]
    with reading(engine) as conn:
        assert sessions.get(conn, token, NOW) is None
        session = sessions.get(conn, token_hash(token), NOW)
        newest = audit.entries(conn, 1)[0]
    assert session is not None and session.officer_id == "officer-baisha"
    assert (newest.action, newest.actor) == ("signed_in", "officer-baisha")


def test_cookie_is_kept_from_scripts_and_other_sites(stranger: TestClient) -> None:
    form = re.search(r'name="form" value="([^"]+)"', stranger.get("/signin").text)
    assert form
    body = {"login": "baisha", "password": PASSWORD, "form": form[1]}
    answer = stranger.post("/signin", data=body, follow_redirects=False)
    cookie = next(
        one for one in answer.headers.get_list("set-cookie") if one.startswith("fs_session=")
    )
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie


def test_https_makes_cookies_secure_and_bound_to_the_host(
    engine: Engine, series: SeriesStore, clock: Clock
) -> None:
    app = create_app(
        settings(public_base_url="https://shian.example"),
        engine,
        series,
        clock=clock,
        passwords=_cheap(),
    )
    with TestClient(app, base_url="https://shian.example") as client:
        assert sign_in(client, "baisha") == 303
        assert "__Host-fs_session" in client.cookies
        assert client.get("/alerts").headers["strict-transport-security"]
        assert client.get("/alerts").status_code == 200


def _cheap() -> Passwords:
    from console_app import CHEAP

    return CHEAP


@pytest.mark.parametrize(
    ("login", "password"), [("baisha", "wrong"), ("nobody", PASSWORD), ("", ""), ("baisha ", "x")]
)
def test_wrong_ones_are_answered_alike(stranger: TestClient, login: str, password: str) -> None:
    page = stranger.get("/signin")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form
    body = {"login": login, "password": password, "form": form[1]}
    answer = stranger.post("/signin", data=body)
    if login and password:
        assert answer.status_code == 401
        assert "账号或密码不正确" in answer.text
    else:
        assert answer.status_code in (401, 422)
    assert "fs_session" not in stranger.cookies


def test_an_unknown_login_costs_a_hash_too(
    stranger: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    real = Passwords.check

    def counted(self: Passwords, stored: str | None, given: str) -> bool:
        checked.append(stored)
        return real(self, stored, given)

    monkeypatch.setattr(Passwords, "check", counted)
    sign_in(stranger, "nobody", "x" * 12)
    sign_in(stranger, "baisha", "x" * 12)
    assert checked[0] is None and checked[1] is not None


def test_passwords_take_the_same_way_known_or_not() -> None:
    passwords = _cheap()
    stored = passwords.hash(PASSWORD)
    assert passwords.check(stored, PASSWORD)
    assert not passwords.check(stored, PASSWORD + "x")
    assert not passwords.check(None, "the password of nobody")
    assert not passwords.check("not a hash", PASSWORD)
    assert not passwords.check(stored, PASSWORD + "x" * MAX_LENGTH)
    with pytest.raises(WeakPassword):
        passwords.hash("short")


def test_too_many_wrong_passwords_lock_the_login_for_a_while(
    stranger: TestClient, clock: Clock, engine: Engine
) -> None:
    limit = SignInSettings().per_login
    for _ in range(limit):
        assert sign_in(stranger, "baisha", "wrong-wrong") == 401
    assert sign_in(stranger, "baisha", "wrong-wrong") == 429
    assert sign_in(stranger, "baisha") == 429, "not even the right one"
    assert sign_in(stranger, "tangxia") == 303, "others are not locked out"
    with reading(engine) as conn:
        assert logins.recent_failures(conn, "baisha", "", NOW.replace(year=2020)).by_login == limit
    clock.forward(SignInSettings().window_s + 1)
    assert sign_in(stranger, "baisha") == 303


def test_one_address_cannot_try_many_logins(stranger: TestClient, app: FastAPI) -> None:
    limit = SignInSettings().per_address
    for number in range(limit):
        assert sign_in(stranger, f"guess-{number}", "wrong-wrong") == 401
    assert sign_in(stranger, "tangxia") == 429
    answer = stranger.get("/signin")
    assert answer.status_code == 200


def test_attempts_at_the_same_time_are_all_counted(stranger: TestClient, app: FastAPI) -> None:
    limit = SignInSettings().per_login
    clients = [TestClient(app) for _ in range(limit * 2)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: answers.append(sign_in(one, "baisha", "wrong-x")))
        for one in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(401) <= limit
    assert answers.count(401) + answers.count(429) == len(clients)


def test_a_right_password_clears_the_count(stranger: TestClient) -> None:
    for _ in range(3):
        for _ in range(SignInSettings().per_login - 1):
            assert sign_in(stranger, "baisha", "wrong-wrong") == 401
        assert sign_in(stranger, "baisha") == 303


def test_sign_in_needs_the_form_that_this_browser_was_given(stranger: TestClient) -> None:
    stranger.get("/signin")
    body = {"login": "baisha", "password": PASSWORD, "form": "made-up"}
    assert stranger.post("/signin", data=body).status_code == 403
    assert "fs_session" not in stranger.cookies


def test_another_sites_page_cannot_sign_in_or_act(
    stranger: TestClient, as_officer: Callable[[str], TestClient], alert_ids: dict[str, str]
) -> None:
    evil = {"origin": "https://evil.example"}
    assert (
        stranger.post("/signin", data={"login": "a", "password": "b"}, headers=evil).status_code
        == 403
    )
    client = as_officer("baisha")
    token = csrf_of(client)
    path = f"/alerts/{alert_ids['positive']}/acknowledge"
    assert client.post(path, data={"csrf": token}, headers=evil).status_code == 403
    ours = {"origin": "http://testserver"}
    assert client.post(path, data={"csrf": token}, headers=ours).status_code == 200


@pytest.mark.parametrize("token", [None, "", "x" * 43, "令牌"])
def test_no_change_without_the_sessions_token(
    as_officer: Callable[[str], TestClient], alert_ids: dict[str, str], token: str | None
) -> None:
    client = as_officer("baisha")
    data = {} if token is None else {"csrf": token}
    alert = alert_ids["positive"]
    for path in (f"/alerts/{alert}/acknowledge", f"/alerts/{alert}/close", "/signout"):
        assert client.post(path, data=data | {"note": "x"}).status_code == 403
    answer = client.post(f"/api/v1/alerts/{alert}/acknowledge", json=data)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:foodsentry:problem:csrf"
    assert client.get(f"/api/v1/alerts/{alert}").json()["state"] == "firing"


def test_sessions_end_by_time_by_idleness_and_by_leaving(
    app: FastAPI, clock: Clock, as_officer: Callable[[str], TestClient]
) -> None:
    idle = as_officer("baisha")
    busy = as_officer("tangxia")
    for _ in range(4):
        clock.forward(3600)
        assert busy.get("/alerts", follow_redirects=False).status_code == 200
    clock.forward(60)
    assert idle.get("/alerts", follow_redirects=False).status_code == 303
    for _ in range(8):
        clock.forward(3600)
        busy.get("/alerts")
    assert busy.get("/alerts", follow_redirects=False).status_code == 303, "12 hours are over"

    leaving = as_officer("baisha")
    kept = leaving.cookies["fs_session"]
    leaving.post("/signout", data={"csrf": csrf_of(leaving)})
    leaving.cookies.set("fs_session", kept)
    assert leaving.get("/alerts", follow_redirects=False).status_code == 303


def test_signing_in_leads_on_but_never_to_another_site() -> None:
    assert local_path("/alerts?state=closed") == "/alerts?state=closed"
    for away in ("//evil.example", "https://evil.example", "/\\evil", "evil", "/a\\b", ""):
        assert local_path(away) == "/alerts"
