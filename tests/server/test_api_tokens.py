"""Tokens of other systems: what they reach, what they never do, how they end."""

import base64
from collections.abc import Callable, Iterator

import pytest
from api_client import make_token, system
from console_app import NOW, Clock, TestClient
from fastapi import FastAPI
from fastapi.routing import APIRoute

from ledger import api_tokens, audit, officers
from ledger.engine import Engine, reading, writing
from ledger.officers import Role
from server import needs, tokens
from server.app import ROUTES
from server.problems import is_api
from server.rates import Rates
from server.scopes import ANY, NAMED, READS, SCOPES, SESSION, WRITES
from server.tokens import TokenRefused, TokenWish

pytestmark = pytest.mark.slow
ALL = [one for module in ROUTES for one in module.router.routes if isinstance(one, APIRoute)]
BELOW = [one for one in ALL if is_api(one.path)]


def kind_of(answer: object) -> tuple[int, str]:
    told = answer.json()  # type: ignore[attr-defined]
    return told["status"], told["type"].rpartition(":")[2]


def scopes_of(route: APIRoute) -> set[str]:
    def below(one: object) -> Iterator[str]:
        yield from one.own_oauth_scopes or []  # type: ignore[attr-defined]
        for other in one.dependencies:  # type: ignore[attr-defined]
            yield from below(other)

    return set(below(route.dependant))


@pytest.mark.parametrize("route", BELOW, ids=lambda one: f"{sorted(one.methods)[0]} {one.path}")
def test_every_route_of_the_api_names_one_scope(route: APIRoute) -> None:
    named = scopes_of(route)
    assert len(named) == 1 and named <= NAMED, (
        f"{route.path} names {sorted(named)}: write Annotated[Visit, reads('…')], acts('…') or "
        "sends('…') of server/needs.py in its signature, with one scope of server/scopes.py"
    )


def test_each_scope_is_read_or_write_and_never_a_special_one() -> None:
    assert not set(READS) & set(WRITES)
    assert not {ANY, SESSION} & set(SCOPES)
    with pytest.raises(ValueError, match="no scope"):
        needs.reads("alerts:reads")


def test_a_token_asks_for_what_it_may_and_says_who_it_is(app: FastAPI, engine: Engine) -> None:
    made, secret = make_token(engine, "pengjiang", ("alerts:read",), "440703-baisha")
    assert secret.startswith("fst_") and secret.startswith(made.shown) and len(secret) > 40
    client = system(app, secret)
    me = client.get("/api/v1/me").json()
    assert (me["id"], me["region"], me["token"]) == (
        "officer-pengjiang", "440703-baisha", "系统 pengjiang"
    )  # fmt: skip
    assert me["scopes"] == ["alerts:read"] and me["csrf"] == ""
    found = client.get("/api/v1/alerts?limit=200").json()["items"]
    assert {one["region"] for one in found} == {"440703-baisha"}
    assert kind_of(client.get("/api/v1/devices")) == (403, "scope-missing")
    assert kind_of(client.get("/api/v1/push-subscriptions")) == (403, "scope-missing")


def test_it_moves_alerts_without_csrf_and_under_its_name(
    app: FastAPI, engine: Engine, alert_ids: dict[str, str]
) -> None:
    made, secret = make_token(engine, "pengjiang", ("alerts:read", "alerts:move"))
    client = system(app, secret)
    moved = client.post(f"/api/v1/alerts/{alert_ids['cold']}/acknowledge")
    assert moved.status_code == 200 and moved.json()["acknowledged_by"] == "officer-pengjiang"
    with reading(engine) as conn:
        entry = audit.entries(conn, 1)[0]
    assert entry.action == "alert_acknowledged"
    assert entry.actor == f"token/{made.id} 系统 pengjiang"
    beside = client.post(f"/api/v1/alerts/{alert_ids['van']}/acknowledge")
    assert kind_of(beside) == (404, "not-found")


def test_it_has_never_more_right_than_its_maker(
    app: FastAPI, engine: Engine, alert_ids: dict[str, str]
) -> None:
    _, secret = make_token(engine, "shenji")
    client = system(app, secret)
    assert client.get("/api/v1/alerts").status_code == 200
    moved = client.post(f"/api/v1/alerts/{alert_ids['cold']}/acknowledge")
    assert kind_of(moved) == (403, "forbidden"), "an auditor's token does not act"


def test_cookies_are_ignored_beside_a_token(
    engine: Engine, as_officer: Callable[[str], TestClient]
) -> None:
    browser = as_officer("shiju")
    _, secret = make_token(engine, "xinhui", ("alerts:read",))
    headers = {"authorization": f"Bearer {secret}"}
    assert browser.get("/api/v1/me", headers=headers).json()["id"] == "officer-xinhui"
    bad = browser.get("/api/v1/me", headers={"authorization": "Bearer fst_no"})
    assert kind_of(bad) == (401, "token-refused"), "no falling back to the session"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer fst_", "Bearer fst_x\u00e9", "fst_x", "Basic " +
     base64.b64encode(b"shiju:jiangmen-2026-shian").decode(), "Bearer " + "x" * 5000],
)  # fmt: skip
def test_what_is_no_token_is_refused(app: FastAPI, header: str) -> None:
    client = TestClient(app)
    answer = client.get("/api/v1/me", headers={"authorization": header.encode("latin-1")})
    assert kind_of(answer) == (401, "token-refused")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_token_opens_no_page(app: FastAPI, engine: Engine) -> None:
    _, secret = make_token(engine)
    answer = system(app, secret).get("/alerts", follow_redirects=False)
    assert answer.status_code == 303


def test_it_ends_by_time_by_revoking_and_with_its_maker(
    app: FastAPI, engine: Engine, clock: Clock
) -> None:
    made, secret = make_token(engine, days=1)
    other, kept = make_token(engine)
    client, lasting = system(app, secret), system(app, kept)
    assert client.get("/api/v1/me").status_code == 200
    clock.forward(24 * 3600)
    assert kind_of(client.get("/api/v1/me")) == (401, "token-refused")
    assert lasting.get("/api/v1/me").status_code == 200
    with writing(engine) as conn:
        assert tokens.revoke(conn, "officer-shiju", other, clock())
        assert not tokens.revoke(conn, "officer-shiju", other, clock())
    assert kind_of(lasting.get("/api/v1/me")) == (401, "token-refused")
    _, third = make_token(engine, "baisha")
    client = system(app, third)
    assert client.get("/api/v1/me").status_code == 200
    with writing(engine) as conn:
        officers.set_active(conn, "officer-baisha", False)
    assert kind_of(client.get("/api/v1/me")) == (401, "token-refused")
    assert made.usable(NOW)


def test_its_last_use_is_known_roughly(app: FastAPI, engine: Engine, clock: Clock) -> None:
    made, secret = make_token(engine)
    client = system(app, secret)
    used = []
    for _ in range(3):
        client.get("/api/v1/me")
        with reading(engine) as conn:
            found = api_tokens.get(conn, made.id)
        assert found is not None
        used.append(found.last_used_at)
        clock.forward(400)
    assert used == [NOW, NOW, clock.at.replace() - (clock.at - NOW) / 3]


def test_the_ledger_never_holds_the_secret(engine: Engine) -> None:
    made, secret = make_token(engine)
    assert secret not in repr(made)
    with reading(engine) as conn:
        assert secret not in repr(api_tokens.get(conn, made.id))
        assert secret not in repr(audit.entries(conn, 10))


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        (TokenWish(" ", ("alerts:read",), "440703", 30), "name"),
        (TokenWish("系统", (), "440703", 30), "scopes"),
        (TokenWish("系统", ("alerts:read", "self:read"), "440703", 30), "scopes"),
        (TokenWish("系统", ("session",), "440703", 30), "scopes"),
        (TokenWish("系统", ("alerts:read",), "440705", 30), "region"),
        (TokenWish("系统", ("alerts:read",), "440700", 30), "region"),
        (TokenWish("系统", ("alerts:read",), "440703", 0), "days"),
        (TokenWish("系统", ("alerts:read",), "440703", 400), "days"),
    ],
)
def test_what_cannot_be_is_refused(engine: Engine, wish: TokenWish, kind: str) -> None:
    maker = officers.Officer(login="x", name="x", role=Role.COUNTY, region="440703")
    with writing(engine) as conn, pytest.raises(TokenRefused) as refused:
        tokens.make(conn, maker, wish, NOW, longest_days=366)
    assert refused.value.kind == kind


def test_each_token_has_its_own_bucket(clock: Clock) -> None:
    rates = Rates(per_minute=60, burst=3)
    assert [rates.take("a", clock()) for _ in range(3)] == [0, 0, 0]
    assert rates.take("a", clock()) == pytest.approx(1)
    assert rates.take("b", clock()) == 0
    clock.forward(1)
    assert rates.take("a", clock()) == 0
    assert rates.take("a", clock()) > 0
    clock.forward(-60)
    assert rates.take("a", clock()) > 0, "a clock that is set back gives nothing"


def test_too_many_requests_are_told_when(
    app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = make_token(engine)
    object.__setattr__(app.state.console, "rates", Rates(per_minute=6, burst=2))
    client = system(app, secret)
    assert [client.get("/api/v1/me").status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/api/v1/me")
    assert kind_of(answer) == (429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 11
