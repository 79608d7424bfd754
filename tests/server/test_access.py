"""Who sees what: every route against every officer, generated from the routes themselves."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from console_app import NOW, TestClient
from console_places import OFFICERS
from fastapi import FastAPI
from fastapi.routing import APIRoute

from ledger import alerts, officers, results, silences
from ledger.engine import Connection, Engine, reading, writing
from ledger.officers import Role
from ledger.schema import cards, suppression_proposals
from server import needs
from server.access import RIGHTS, Right, scope_of
from server.app import ROUTES

ALL = [route for module in ROUTES for route in module.router.routes if isinstance(route, APIRoute)]
PUBLIC = {
    "GET /",
    "GET /signin",
    "POST /signin",
    "GET /language/{language}",
    "GET /p/{public_code}",
    "GET /push-worker.js",
    "GET /healthz",
    "GET /metrics",
}
"""The routes that need no sign-in. Whoever adds one here has thought about it."""
OWN = {
    "/signout",
    "/api/v1/push-subscriptions",
    "/api/v1/push-subscriptions/{subscription_id}",
}
"""Changes of what is one's own, for whoever is signed in."""
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
STREAMS = {"/alerts/live", "/devices/live", "/alerts/{alert_id}/live"}
MARKET, SCHOOL, VAN = "baisha-market", "tangxia-school", "xh-van"
SIGHT: dict[str, set[str]] = {
    "admin": {MARKET, SCHOOL, VAN},
    "shiju": {MARKET, SCHOOL, VAN},
    "pengjiang": {MARKET, SCHOOL},
    "xinhui": {VAN},
    "baisha": {MARKET},
    "tangxia": {SCHOOL},
    "shenji": {MARKET, SCHOOL},
    "shichang": {MARKET},
}
"""Which of three establishments each officer of the town may see."""
LOOKERS = {"shenji", "shichang"}
BODIES: dict[str, dict[str, object]] = {
    "close": {"note": "已处置"},
    "dispose": {"note": "已处置"},
    "review": {"note": "复核"},
    "pause": {"note": "当事人申诉"},
    "resume": {"note": "申诉办结"},
    "verdict": {"said": "false:instrument_fault"},
    "accept": {"days": 7},
    "decline": {"note": "不需要"},
    "annul": {"note": "申诉成立"},
}
"""What a change needs to say."""
API_BODIES: dict[str, dict[str, object]] = {
    "review": {"accepted": True},
    "verdict": {"verdict": "false", "cause": "instrument_fault"},
}
"""What it says otherwise by the API."""
ALERT_OF = {MARKET: "positive", SCHOOL: "hat", VAN: "van"}


def name(route: APIRoute) -> str:
    return f"{sorted(route.methods)[0]} {route.path}"


def asks(route: APIRoute, need: object) -> bool:
    return any(one.call is need for one in _all(route.dependant))


def _all(dependant: object) -> Iterator[object]:
    for one in dependant.dependencies:  # type: ignore[attr-defined]
        yield one
        yield from _all(one)


def test_every_route_says_who_may_use_it() -> None:
    open_ones = {name(route) for route in ALL if not asks(route, needs.viewer)}
    assert open_ones == PUBLIC
    for route in ALL:
        if route.methods & CHANGES and name(route) not in PUBLIC:
            assert asks(route, needs.sender), f"{name(route)} takes no CSRF token"
            if route.path not in OWN:
                assert asks(route, needs.actor), f"{name(route)} asks for no right to act"


@pytest.mark.parametrize("route", [one for one in ALL if name(one) not in PUBLIC], ids=name)
def test_a_stranger_gets_nothing(stranger: TestClient, route: APIRoute) -> None:
    path = route.path.format_map(_Filler())
    answer = stranger.request(sorted(route.methods)[0], path, follow_redirects=False)
    if path.startswith("/api/"):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    elif "POST" in route.methods:
        assert answer.status_code == 401
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signin?next=")


class _Filler(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return {"kind": "temperature"}.get(key, "x1")


def _targets(engine: Engine, alert_ids: dict[str, str]) -> dict[str, dict[str, str]]:
    """For each of the three establishments: what fills a path's parameters."""
    with writing(engine) as conn:
        for place in (MARKET, SCHOOL, VAN):
            about_the_place(conn, place, alert_ids[ALERT_OF[place]])
    with reading(engine) as conn:
        tests = {
            place: results.for_establishment(conn, place, 1) for place in (MARKET, SCHOOL, VAN)
        }
    return {
        place: {
            "establishment_id": place,
            "alert_id": alert_ids[ALERT_OF[place]],
            "result_id": tests[place][0].result_id if tests[place] else "",
            "site": "tangxia-kitchen" if place == SCHOOL else "",
            "evidence_id": "o-1-1" if place == SCHOOL else "",
            "kind": "inhibition",
            "silence_id": f"silence-{place}",
            "proposal_id": f"proposal-{place}",
            "card_id": f"card-{place}",
            "subscription_id": "",
        }
        for place in (MARKET, SCHOOL, VAN)
    }


def about_the_place(conn: Connection, place: str, alert_id: str) -> None:
    """A silence, a proposal and a card of an establishment."""
    alert = alerts.get(conn, alert_id)
    assert alert is not None
    fits = silences.Matchers(rule="no_hat", region=alert.region, site=alert.site)
    silences.add(
        conn,
        silences.Silence(
            id=f"silence-{place}", matchers=fits, starts_at=NOW, ends_at=NOW + timedelta(days=1),
            reason="检修", author="officer-shiju", created_at=NOW,
        ),
    )  # fmt: skip
    row = {
        "id": f"proposal-{place}", "kind": "silence", "scope": place, "rule": "no_hat",
        "region": alert.region, "site": alert.site, "device": "", "zone": "",
        "establishment_id": place, "figures": {"true": 0, "false": 6, "window_days": 30},
        "state": "open", "proposed_at": NOW, "changed_at": NOW, "note": "", "made": "",
    }  # fmt: skip
    conn.execute(suppression_proposals.insert(), row)
    card = {"id": f"card-{place}", "establishment_id": place, "alert_id": alert_id, "colour": "red",
            "at": NOW, "reason": "逾期", "annul_reason": ""}  # fmt: skip
    conn.execute(cards.insert(), card)


GUARDED = [
    route
    for route in ALL
    if "{" in route.path and name(route) not in PUBLIC and route.path not in STREAMS
]


@pytest.mark.parametrize("login", sorted(SIGHT))
def test_nobody_sees_or_acts_sideways(
    login: str,
    engine: Engine,
    alert_ids: dict[str, str],
    as_officer: Callable[[str], TestClient],
) -> None:
    client = as_officer(login)
    csrf = client.get("/api/v1/me").json()["csrf"]
    tried = 0
    for place, filled in _targets(engine, alert_ids).items():
        for route in sorted(GUARDED, key=lambda one: "POST" in one.methods):
            if not all(filled[one.name] for one in route.dependant.path_params):
                continue
            path = route.path.format(**filled)
            method = sorted(route.methods)[0]
            as_json = path.startswith("/api/")
            body = BODIES.get(path.rpartition("/")[2], {}) | (
                API_BODIES.get(path.rpartition("/")[2], {}) if as_json else {}
            )
            answer = client.request(
                method,
                path,
                headers={"x-csrf-token": csrf},
                json=body if as_json and body else None,
                data=None if as_json else body,
                follow_redirects=False,
            )
            seen = place in SIGHT[login]
            acting = method == "POST"
            if acting and login in LOOKERS:
                expected = {403}
            elif not seen:
                expected = {404}
            else:
                # The second of two closings and what follows it meets a closed alert.
                expected = {200, 303, 409} if acting else {200}
            assert answer.status_code in expected, f"{login}: {method} {path}"
            tried += 1
    assert tried > 30


@pytest.mark.parametrize("login", sorted(SIGHT))
def test_lists_show_the_subtree_and_nothing_else(
    login: str, as_officer: Callable[[str], TestClient]
) -> None:
    client = as_officer(login)
    places = client.get("/api/v1/establishments?limit=200").json()["items"]
    raised = client.get("/api/v1/alerts?limit=200").json()["items"]
    devices = client.get("/api/v1/devices").json()["items"]
    known = {MARKET, SCHOOL, VAN}
    assert {one["id"] for one in places} & known == SIGHT[login]
    assert {one["establishment_id"] for one in raised} & known == SIGHT[login]
    sites = {MARKET: "baisha-room", SCHOOL: "tangxia-kitchen", VAN: "xh-van-1"}
    assert {one["site"] for one in devices} & set(sites.values()) == {
        sites[place] for place in SIGHT[login]
    }
    gaps = client.get("/api/v1/missing").json()["items"]
    assert {one["site"] for one in gaps} & set(sites.values()) == {
        sites[place] for place in SIGHT[login]
    }
    pages = (
        "/alerts", "/alerts?state=closed", "/establishments", "/devices", "/devices/missing",
        "/notifications", "/silences", "/worth", "/worth?rule=no_hat", "/worth?rule=agent_offline",
        "/worth/alerts?rule=no_hat", "/worth/alerts?rule=agent_offline",
        "/worth/alerts?rule=pesticide_positive",
    )  # fmt: skip
    for path in pages:
        text = client.get(path).text
        for place, alias in ((MARKET, "白沙农贸市场"), (SCHOOL, "棠下中学"), (VAN, "流动快检车")):
            if place not in SIGHT[login]:
                assert alias not in text, f"{login} sees {alias} on {path}"


def test_every_role_has_its_rights_and_an_unknown_one_none() -> None:
    assert set(RIGHTS) == {role.value for role in Role}
    assert all(Right.VIEW in rights for rights in RIGHTS.values())
    assert {role for role, rights in RIGHTS.items() if Right.ACT not in rights} == {
        "auditor",
        "operator",
    }


def test_an_operator_without_an_establishment_sees_nothing(engine: Engine) -> None:
    with writing(engine) as conn:
        lost = officers.Officer(login="l", name="无", role=Role.OPERATOR, region="440700")
        scope = scope_of(conn, lost)
    assert not scope.covers("440703-baisha", "baisha-market")
    assert not scope.covers("440703-baisha", None)
    assert not scope.covers_site("440703-baisha", "baisha-room")


def test_the_town_has_an_officer_of_every_role() -> None:
    assert {role for _, _, role, _, _ in OFFICERS} == set(Role)


def test_a_dismissed_officer_is_out_at_once(
    app: FastAPI, engine: Engine, as_officer: Callable[[str], TestClient]
) -> None:
    client = as_officer("baisha")
    assert client.get("/alerts").status_code == 200
    with writing(engine) as conn:
        officers.set_active(conn, "officer-baisha", False)
    assert client.get("/alerts", follow_redirects=False).status_code == 303
