"""Who sees what: every route × every role × every way to be there or not, generated from the app.

The routes are the app's own; what each is asked with stands in `access_cases`. What is expected
follows from the table of rights and from how a place lies to the officer, in `expected`.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from access_asking import Answer, Asking
from access_cases import (
    BLIND,
    CHANGES,
    FIXED,
    OWN_CHANGES,
    OWNED,
    PUBLIC,
    QUERIES,
    Change,
)
from access_town import PEOPLE, PLACES, Target, build, own_subscription, relation, sees
from console_app import CHEAP, NOW, Clock, settings
from fastapi.routing import APIRoute
from sqlalchemy import event

from ledger import migrate, officers
from ledger.engine import Engine, open_engine, writing
from ledger.officers import Role
from ledger.sessions import NAME_LENGTH
from server.access import RIGHTS, Right, grants, scope_of
from server.app import create_app, routes
from server.pages import load_assets
from server.problems import is_api
from server.rights_page import Asked, asked_by, name_of
from server.settings import RateSettings
from server.signing import token_hash
from timeseries.settings import SeriesSettings, open_store

ALL = routes()
GUARDED = [route for route in ALL if name_of(route) not in PUBLIC]
ALTERING = [route for route in GUARDED if not route.methods & {"GET", "HEAD"}]
EVIL = "https://evil.example"
PLENTY = RateSettings(
    changes_per_minute=10**6,
    changes_at_once=10**6,
    costly_per_minute=10**6,
    costly_at_once=10**6,
)


class City:
    """The app over the town's ledger, which goes back to how it was after every change."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite"
        self.engine = open_engine(f"sqlite:///{self.path}")
        event.listen(self.engine, "connect", lambda link, _: link.execute("PRAGMA synchronous=OFF"))
        migrate.upgrade(self.engine)
        with writing(self.engine) as conn:
            self.targets = build(conn)
            self.subscriptions = {login: own_subscription(conn, login) for login in PEOPLE}
        self.kept = sqlite3.connect(":memory:", check_same_thread=False)
        with sqlite3.connect(self.path) as live:
            live.backup(self.kept)
        self.series = open_store(SeriesSettings(path="series.sqlite"), folder)
        self.clock = Clock(NOW)
        app = create_app(
            settings(rates=PLENTY), self.engine, self.series, clock=self.clock, passwords=CHEAP
        )
        self.ask = Asking(app)
        self.statements = 0
        event.listen(self.engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    def put_back(self) -> None:
        live = sqlite3.connect(self.path)
        live.execute("PRAGMA synchronous=OFF")
        self.kept.backup(live)
        live.close()

    def close(self) -> None:
        self.ask.close()
        self.series.close()
        self.engine.dispose()
        self.kept.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("access"))
    yield made
    made.close()


def fill(city: City, route: APIRoute, target: Target, login: str) -> str:
    """The route's address for what is asked for at a place."""
    change = CHANGES.get(name_of(route), Change(200))
    values = target.ids | FIXED | {"alert_id": target.alerts[change.alert]}
    values |= {
        "subscription_id": city.subscriptions[login],
        "session_name": token_hash(f"{login}-phone")[:NAME_LENGTH],
        "confirmation_id": f"to-{login}-{target.place}",
        "question_id": f"by-{login}-{target.place}",
    }
    path = route.path.format_map(values)
    query = QUERIES.get(name_of(route), "")
    return f"{path}?{query}" if query else path


def ask(city: City, route: APIRoute, path: str, **more: str) -> Answer:
    change = CHANGES.get(name_of(route))
    answer = city.ask(sorted(route.methods)[0], path, body=change and change.body, **more)
    if change is not None and answer.status < 400:
        city.put_back()
    return answer


def as_officer(login: str) -> dict[str, str]:
    return {"token": login, "csrf": f"csrf-{login}"}


def good(route: APIRoute) -> int:
    """What the route answers to whoever may ask for what is there."""
    change = CHANGES.get(name_of(route))
    return change.ok if change else 200


def places_of(route: APIRoute) -> list[str]:
    """Which places a route is asked for: all if its path names something of one."""
    names = {one.name for one in route.dependant.path_params}
    return list(PLACES) if names - FIXED.keys() - OWNED else ["in-cell"]


def expected(route: APIRoute, asked: Asked, login: str, place: str) -> tuple[int, str]:
    """Status and kind of problem for an officer who is signed in."""
    assert asked.right is not None
    if asked.right not in RIGHTS[PEOPLE[login][0]]:
        return 403, "forbidden"
    if len(places_of(route)) > 1 and name_of(route) not in BLIND and not sees(login, place):
        return 404, "not-found"
    change = CHANGES.get(name_of(route))
    return good(route), change.kind if change else ""


def test_every_route_says_who_may_use_it_and_how_it_is_tested() -> None:
    assert {name_of(route) for route in ALL if asked_by(route).right is None} == set(PUBLIC)
    for route in ALL:
        name = name_of(route)
        if not route.methods & {"GET", "HEAD"}:
            assert name in CHANGES, f"{name}: say in access_cases.CHANGES how it is asked"
            if name not in PUBLIC:
                assert asked_by(route).change, f"{name} takes no CSRF token"
                assert asked_by(route).own == (name in OWN_CHANGES), f"{name} asks for no right"
    names = {name_of(route) for route in ALL}
    assert CHANGES.keys() | QUERIES.keys() | BLIND | OWN_CHANGES <= names, "no such route any more"


def test_every_role_is_tried_and_every_way_that_a_place_can_lie() -> None:
    assert {role for role, _, _ in PEOPLE.values()} == set(Role)
    ways = {
        role: {relation(login, place) for login in PEOPLE for place in PLACES
               if PEOPLE[login][0] is role}
        for role in Role
    }  # fmt: skip
    assert ways[Role.TOWN] == {"own", "below", "above", "sideways"}
    assert ways[Role.GRID] == {"own", "above", "sideways"}
    assert ways[Role.OPERATOR] == {"own", "other establishment", "outside"}
    assert ways[Role.CITY] == {"own", "below"}


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_a_route_answers_every_officer_exactly(city: City, route: APIRoute) -> None:
    asked = asked_by(route)
    wrong = []
    for login in PEOPLE:
        for place in places_of(route):
            answer = ask(city, route, fill(city, route, city.targets[place], login),
                         **as_officer(login))  # fmt: skip
            status, kind = expected(route, asked, login, place)
            if answer.status != status or (answer.kind or kind) != kind:
                way = relation(login, place)
                wrong.append(f"{login}, {place} ({way}): {answer.status} {answer.kind}, "
                             f"not {status} {kind}")  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_without_a_session_that_runs_nothing_is_answered(city: City, route: APIRoute) -> None:
    path = fill(city, route, city.targets["in-cell"], "town")
    tokens = ["", "made-up"]
    tokens += [f"{login}-{end}" for login in PEOPLE for end in ("over", "gone")]
    for token in tokens:
        answer = ask(city, route, path, token=token, csrf="csrf-" + token.removesuffix("-over"))
        if is_api(path):
            assert (answer.status, answer.kind) == (401, "sign-in-needed"), token
        elif "GET" not in route.methods:
            assert answer.status == 401, token
        else:
            assert answer.status == 303, token
            assert answer.headers["location"].startswith("/signin?next="), token


@pytest.mark.parametrize("route", ALTERING, ids=name_of)
def test_a_change_comes_from_our_own_page_or_not_at_all(city: City, route: APIRoute) -> None:
    for login in PEOPLE:
        path = fill(city, route, city.targets["in-cell"], login)
        sent = (
            {"token": login},
            {"token": login, "csrf": "csrf-root" if login != "root" else "csrf-city"},
            as_officer(login) | {"origin": EVIL},
            as_officer(login) | {"origin": "null"},
        )
        for one in sent:
            answer = ask(city, route, path, **one)
            assert answer.status == 403, f"{login}: {one}"
            assert answer.kind in ("csrf", ""), f"{login}: {one}"


@pytest.mark.parametrize("route", [one for one in GUARDED if len(places_of(one)) > 1], ids=name_of)
def test_what_lies_outside_is_answered_like_what_does_not_exist(
    city: City, route: APIRoute
) -> None:
    if name_of(route) in BLIND:
        pytest.skip("begins for everybody")
    names = [one.name for one in route.dependant.path_params]
    last = [name for name in names if name not in FIXED][-1]
    for login in PEOPLE:
        for place in ("next-county", "other-shop"):
            if sees(login, place) or asked_by(route).right not in RIGHTS[PEOPLE[login][0]]:
                continue
            told = []
            target = city.targets[place]
            real = target.alerts[CHANGES.get(name_of(route), Change(200)).alert]
            secret = target.ids.get(last, real)
            for path in (
                fill(city, route, target, login),
                fill(city, route, target, login).replace(secret, "x" * len(secret)),
            ):
                ask(city, route, path, **as_officer(login))
                city.statements = 0
                answer = ask(city, route, path, **as_officer(login))
                body = answer.body.replace(secret.encode(), b"x" * len(secret))
                headers = dict(answer.headers)
                # How long it took is no part of what is said; the statements are counted instead.
                headers.pop("server-timing", None)
                told.append((answer.status, headers, body, city.statements))
            assert told[0] == told[1], f"{login}: {place}"
            assert told[0][0] == 404


@pytest.mark.parametrize("route", [one for one in ALL if name_of(one) in PUBLIC], ids=name_of)
def test_what_is_public_is_the_same_for_everybody(city: City, route: APIRoute) -> None:
    path = fill(city, route, city.targets["in-cell"], "town")
    built = "worker.js" in load_assets()
    for token in ("", "made-up", *PEOPLE):
        answered = ask(city, route, path, token=token).status
        # The worker is there once it was built.
        assert answered == (200 if built and "worker" in path else PUBLIC[name_of(route)])


def test_every_role_has_its_rights_and_an_unknown_one_none() -> None:
    assert set(RIGHTS) == {role.value for role in Role}
    assert all(Right.VIEW in rights for rights in RIGHTS.values())

    def having(right: Right) -> set[str]:
        return {str(role) for role, rights in RIGHTS.items() if right in rights}

    assert having(Right.LOOK) == {"admin", "city", "county", "town", "operator"}
    assert having(Right.ACT) == {"admin", "city", "county", "town"}
    assert having(Right.ACKNOWLEDGE) == {"admin", "city", "county", "town", "grid"}
    assert having(Right.AUDIT) == {"admin", "city", "auditor"}
    assert having(Right.PEOPLE) == {"admin"}
    assert RIGHTS[Role.AUDITOR] == {Right.VIEW, Right.AUDIT}, "an auditor changes nothing"


def test_nobody_gives_a_right_that_they_lack() -> None:
    def one(role: Role) -> officers.Officer:
        return officers.Officer(login="l", name="n", role=role, region="440700")

    assert all(grants(one(Role.ADMIN), role) for role in Role)
    assert not grants(one(Role.COUNTY), Role.CITY)
    assert not grants(one(Role.TOWN), Role.AUDITOR)
    assert grants(one(Role.COUNTY), Role.GRID)


def test_an_operator_without_an_establishment_sees_nothing(engine: Engine) -> None:
    with writing(engine) as conn:
        lost = officers.Officer(login="l", name="无", role=Role.OPERATOR, region="440700")
        scope = scope_of(conn, lost)
    assert not scope.covers("440703-baisha", "baisha-market")
    assert not scope.covers("440703-baisha", None)
    assert not scope.covers_site("440703-baisha", "baisha-room")
