"""Single sign-on against a real small provider: what comes in, and everything that must not."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from console_app import CHEAP, Clock, TestClient, csrf_of, settings, sign_in
from oidc_provider import CLIENT, SECRET, Key, Provider, provider

from ledger import audit, officers, sessions
from ledger.engine import Engine, reading, writing
from server import oidc
from server.app import create_app
from server.settings import OidcSettings
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow


@pytest.fixture
def told() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """The provider's tokens are of today."""
    return Clock(datetime.now(UTC))


def browser(
    told: Provider, engine: Engine, series: SeriesStore, clock: Clock, **more: Any
) -> TestClient:
    single = OidcSettings(issuer=told.issuer, client_id=CLIENT, **({"cache_s": 0.0} | more))
    app = create_app(
        settings(oidc=single), engine, series, clock=clock, passwords=CHEAP, oidc_secret=SECRET
    )
    return TestClient(app, headers={"accept-language": "zh-CN"})


@pytest.fixture
def client(
    told: Provider, engine: Engine, series: SeriesStore, clock: Clock
) -> Iterator[TestClient]:
    with browser(told, engine, series, clock) as one:
        yield one


def way_back(client: TestClient, target: str = "/devices") -> str:
    """Go to the provider and sign in there; the address that it sends the browser back to."""
    away = client.get(f"/signin/oidc?next={target}", follow_redirects=False)
    assert away.status_code == 303, away.text
    there = requests.get(away.headers["location"], allow_redirects=False, timeout=5)
    return there.headers["location"].removeprefix("http://testserver")


def come_back(client: TestClient, address: str) -> Any:
    return client.get(address, follow_redirects=False)


def test_a_known_officer_comes_in_and_gets_the_page_that_was_asked_for(
    client: TestClient, told: Provider, engine: Engine, clock: Clock
) -> None:
    answer = come_back(client, way_back(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices")
    assert client.get("/api/v1/me").json()["id"] == "officer-baisha"
    with reading(engine) as conn:
        (session,) = sessions.of_officer(conn, "officer-baisha", clock())
        entry = audit.entries(conn, 1, None, audit.Filter(action="signed_in"))[0]
    assert session.way == "oidc" and '"way":"oidc"' in entry.detail
    assert "统一认证" in client.get("/me").text


def test_a_password_works_beside_it(client: TestClient) -> None:
    page = client.get("/signin").text
    assert 'href="/signin/oidc?next=/alerts"' in page and 'id="password"' in page
    assert sign_in(client, "baisha") == 303


@pytest.mark.parametrize("login", ["nobody", "BAISHA", "baisha\x00", "officer-baisha"])
def test_nobody_is_added_by_a_providers_word(
    client: TestClient, told: Provider, login: str
) -> None:
    told.login = login
    answer = come_back(client, way_back(client))
    assert answer.status_code == 403 and "没有对应的在岗人员" in answer.text
    assert "fs_session" not in client.cookies


def test_a_dismissed_officer_stays_out(client: TestClient, engine: Engine) -> None:
    with writing(engine) as conn:
        officers.set_active(conn, "officer-baisha", False)
    assert come_back(client, way_back(client)).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"exp": 1},
        {"exp": None},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"sub": None},
        {"preferred_username": None},
        {"preferred_username": 7},
        {"preferred_username": " "},
    ],
    ids=str,
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    client: TestClient, told: Provider, claims: dict[str, Any]
) -> None:
    told.claims = claims
    answer = come_back(client, way_back(client))
    assert answer.status_code == 401 and "凭证无效" in answer.text
    assert "fs_session" not in client.cookies


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS384", "PS256"])
def test_only_two_ways_to_sign_are_taken(
    client: TestClient, told: Provider, algorithm: str
) -> None:
    told.algorithm = algorithm
    assert come_back(client, way_back(client)).status_code == 401


def test_a_strangers_key_of_the_right_name_is_refused(client: TestClient, told: Provider) -> None:
    told.key = Key("one", "RS256")  # published is still the other one
    assert come_back(client, way_back(client)).status_code == 401


def test_a_key_of_another_kind_is_refused(client: TestClient, told: Provider) -> None:
    told.shown = [Key("one", "ES256")]
    assert come_back(client, way_back(client)).status_code == 401


def test_keys_are_kept_and_a_new_one_is_found(
    told: Provider,
    engine: Engine,
    series: SeriesStore,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with browser(told, engine, series, clock, cache_s=3600.0) as client:
        for _ in range(3):
            assert come_back(client, way_back(client)).status_code == 303
        assert told.asked["/keys"] == 1
        assert told.asked["/.well-known/openid-configuration"] == 1
        told.key = Key("two", "ES256")
        told.shown = [*told.shown, told.key]
        refused = come_back(client, way_back(client))
        assert refused.status_code == 401, "not asked again so soon"
        monkeypatch.setattr(oidc, "REFETCH_S", 0.0)
        assert come_back(client, way_back(client)).status_code == 303
        assert told.asked["/keys"] == 2
        told.shown = told.shown[1:]
        assert come_back(client, way_back(client)).status_code == 303


def test_a_way_back_works_once_for_the_browser_that_went(
    client: TestClient, told: Provider, clock: Clock
) -> None:
    address = way_back(client)
    kept = client.cookies["fs_oidc"]
    other = TestClient(client.app)
    assert come_back(other, address).status_code == 400, "another browser"
    assert come_back(client, address).status_code == 303
    client.cookies.set("fs_oidc", kept, domain="testserver.local", path="/signin/oidc")
    assert come_back(client, address).status_code == 400, "replayed"
    forged = re.sub(r"state=[^&]+", "state=made-up", way_back(client))
    assert come_back(client, forged).status_code == 400
    late = way_back(client)
    clock.forward(601)
    assert come_back(client, late).status_code == 400, "too late"


def test_a_code_works_once(client: TestClient, told: Provider) -> None:
    first = re.search(r"code=([^&]+)", way_back(client))
    second = way_back(client)
    assert first is not None
    assert come_back(client, second).status_code == 303
    third = re.sub(r"code=[^&]+", "code=code-2", way_back(client))
    assert come_back(client, third).status_code == 401, "a used code"
    fourth = re.sub(r"code=[^&]+", f"code={first[1]}", way_back(client))
    assert come_back(client, fourth).status_code == 401, "a code of another sign-in: PKCE"


def test_another_providers_answer_is_refused(client: TestClient) -> None:
    address = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", way_back(client))
    assert come_back(client, address).status_code == 400


def test_whoever_breaks_off_there_is_told_so(client: TestClient) -> None:
    way_back(client)
    answer = client.get("/signin/oidc/callback?error=access_denied&state=x")
    assert answer.status_code == 403 and "未完成登录" in answer.text


def test_a_provider_that_is_away_is_said_and_passwords_still_work(
    client: TestClient, told: Provider
) -> None:
    told.away = True
    answer = client.get("/signin/oidc")
    assert answer.status_code == 502 and "无法连接统一认证" in answer.text
    assert sign_in(client, "baisha") == 303


def test_a_provider_that_says_another_issuer_is_not_believed(
    client: TestClient, told: Provider
) -> None:
    told.says_issuer = "https://evil.example"
    assert client.get("/signin/oidc").status_code == 502


def test_passwords_can_be_switched_off_but_for_a_break_glass_administrator(
    told: Provider, engine: Engine, series: SeriesStore, clock: Clock
) -> None:
    only = {"local_sign_in": False, "break_glass": ["admin"]}
    with browser(told, engine, series, clock, **only) as client:
        assert "应急" in client.get("/signin").text
        assert sign_in(client, "baisha") == 401
        assert sign_in(client, "admin") == 303
    with browser(told, engine, series, clock, local_sign_in=False) as client:
        assert 'id="password"' not in client.get("/signin").text


def test_signing_out_offers_to_leave_the_provider_too(client: TestClient, told: Provider) -> None:
    come_back(client, way_back(client))
    answer = client.post("/signout", data={"csrf": csrf_of(client)}, follow_redirects=False)
    assert answer.headers["location"] == "/signin?notice=out"
    assert 'href="/signin/oidc/leave"' in client.get("/signin?notice=out").text
    leaving = client.get("/signin/oidc/leave", follow_redirects=False).headers["location"]
    assert leaving.startswith(f"{told.issuer}/leave?client_id={CLIENT}")


def test_where_it_is_not_set_up_there_is_no_such_page(stranger: TestClient) -> None:
    assert stranger.get("/signin/oidc").status_code == 404
    assert "/signin/oidc" not in stranger.get("/signin").text
