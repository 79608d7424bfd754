"""What a day's work asks of the console, and how long the server takes: in turn and under load."""

import http.client
import itertools
import multiprocessing
import random
import time
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from foodsentry.bench.figures import at_share
from foodsentry.bench.servers import BenchFailed
from foodsentry.district.fill import Filled

DESK = (
    *("desk", "desk class 1", "desk closed", "desk older", "desk older class 3"),
    *("desk, choices", "desk, a word", "desk, mine"),
)
"""Asks of the alert desk: what the target is for."""
FIGURES = ("notify", "dispose", "channels")
"""The charts of what alerts were worth."""


class Ask(msgspec.Struct, frozen=True):
    """One address that a signed-in officer asks for."""

    name: str
    path: str
    cookie: str


class Took(msgspec.Struct, frozen=True):
    """One answer: the server's own time, and what the client waited, in seconds."""

    name: str
    server_s: float
    wait_s: float
    bytes: int


class PageFigure(msgspec.Struct, frozen=True):
    """Server times of one kind of page."""

    name: str
    asked: str
    """``turn``: one client, one after the other; ``load``: several at the same time."""
    n: int
    p50_s: float
    p95_s: float
    p99_s: float
    most_s: float
    bytes: int
    """Of the answer, in the middle."""


def asks(made: Filled, cookies: dict[str, str], case_ids: Sequence[str]) -> list[Ask]:
    """The pages of a working day for each officer; ids from within the city officer's sight."""
    tested = [one for one in made.newest if one.result_id][-4:]
    seen = [one for one in made.newest if one.observation_id][-4:]
    older = made.newest[0]
    market = next(place for place in made.places if place.kind == "market")
    kitchen = next(place for place in made.places if place.kind == "canteen")
    day = (older.raised_at + timedelta(days=1)).date().isoformat()
    everybody = {
        "desk": ["/alerts"],
        "desk class 1": ["/alerts?class=1"],
        "desk closed": ["/alerts?state=closed"],
        "desk, choices": ["/alerts/choices"],
        "desk, a word": ["/alerts?q=康乐"],
        "desk, mine": ["/alerts?mine=1"],
        "cases": ["/cases"],
        "notifications": ["/notifications"],
        "notifications, a day": [f"/notifications?day={day}"],
        "establishments": ["/establishments"],
        "establishments, a word": ["/establishments?q=康乐"],
        "devices": ["/devices"],
        "devices, gaps": ["/devices/missing"],
        "kitchens": ["/kitchens"],
        "kitchens, trouble": ["/kitchens?show=trouble"],
        "kitchens, a word": ["/kitchens?q=康乐"],
        "kitchens, seldom live": ["/kitchens?low=1"],
        "kitchens, blind": ["/kitchens/blind"],
        "kitchens, looks": ["/kitchens/looks"],
        "silences": ["/silences"],
        "worth": ["/worth"],
        "worth, charts": [f"/worth/chart?figure={name}" for name in FIGURES],
        "worth, behind": ["/worth/alerts?rule=no_hat&said=judged"],
        "api alerts": ["/api/v1/alerts"],
        "api alerts closed": ["/api/v1/alerts?state=closed&limit=200"],
        "api establishments": ["/api/v1/establishments"],
        "api devices": ["/api/v1/devices"],
        "api missing": ["/api/v1/missing"],
        "api cases": ["/api/v1/cases"],
        "api scorecards": ["/api/v1/scorecards"],
        "api kitchens": ["/api/v1/kitchens/cameras"],
        "api kitchens, 200": ["/api/v1/kitchens/cameras?limit=200"],
        "api kitchens, regions": ["/api/v1/kitchens/regions"],
        "api kitchens, blind": ["/api/v1/kitchens/blind"],
    }
    of_city = {
        "desk older": [f"/alerts?state=closed&before={older.alert_id}"],
        "desk older class 3": [f"/alerts?state=closed&class=3&before={older.alert_id}"],
        "alert": [f"/alerts/{one.alert_id}" for one in (*tested, *seen)],
        "case": [f"/cases/{one}" for one in case_ids],
        "result": [f"/results/{one.result_id}" for one in tested],
        "admin": ["/admin"],
        "admin, establishments": ["/admin/establishments"],
        "admin, devices": ["/admin/devices"],
        "audit": ["/audit"],
        "establishment": [f"/establishments/{one.establishment_id}" for one in (market, kitchen)],
        "establishments, older": ["/establishments?page=60"],
        "kitchens, later": ["/kitchens?page=40"],
        "kitchen": [f"/kitchens/cameras/{kitchen.site}/cam-1"],
        "api alert": [f"/api/v1/alerts/{one.alert_id}" for one in tested],
    }
    made_asks = [
        Ask(name, _ascii(path), cookie)
        for cookie in cookies.values()
        for name, paths in everybody.items()
        for path in paths
    ]
    made_asks += [
        Ask(name, path, cookies["city"]) for name, paths in of_city.items() for path in paths
    ]
    public = [made.places[number] for number in (0, 1, 2)]
    made_asks += [Ask("public page", f"/p/public-{one.establishment_id[1:]}", "") for one in public]
    return made_asks


def _ascii(path: str) -> str:
    return "".join(
        one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in path
    )


def in_turn(port: int, wanted: Sequence[Ask], seconds: float) -> list[Took]:
    """One client asks for all of them again and again, in an order that changes."""
    return _ask(port, list(wanted), seconds, -1)


def under_load(port: int, wanted: Sequence[Ask], seconds: float, clients: int) -> list[Took]:
    """So many clients at the same time, in processes of their own, each without a pause."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(clients) as pool:
        told = [pool.apply_async(_ask, (port, list(wanted), seconds, n)) for n in range(clients)]
        return [took for one in told for took in one.get(seconds + 60)]


def _ask(port: int, wanted: list[Ask], seconds: float, seed: int) -> list[Took]:
    dice = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for one in wanted if seed < 0 else ():
        _once(connection, one)  # warm
    until = time.monotonic() + seconds
    told: list[Took] = []
    for _ in itertools.count():
        for one in dice.sample(wanted, len(wanted)):
            if time.monotonic() > until:
                connection.close()
                return told
            told.append(_once(connection, one))
    raise AssertionError


def _once(connection: http.client.HTTPConnection, one: Ask) -> Took:
    begun = time.perf_counter()
    connection.request("GET", one.path, headers={"cookie": one.cookie})
    answer = connection.getresponse()
    body = answer.read()
    waited_s = time.perf_counter() - begun
    if answer.status != 200:
        raise BenchFailed(f"{one.path} was answered with {answer.status}: {body[:200]!r}")
    timing = answer.getheader("server-timing") or ""
    return Took(one.name, float(timing.rpartition("=")[2]) / 1000, waited_s, len(body))


def figures(told: Sequence[Took], asked: str) -> list[PageFigure]:
    """The figures of each kind of page, and of the whole alert desk."""
    groups: dict[str, list[Took]] = {}
    for one in told:
        groups.setdefault(one.name, []).append(one)
        if one.name in DESK:
            groups.setdefault("alert desk, all", []).append(one)
    return [_figure(name, asked, group) for name, group in groups.items()]


def _figure(name: str, asked: str, group: Sequence[Took]) -> PageFigure:
    spent = sorted(one.server_s for one in group)
    sizes = sorted(one.bytes for one in group)
    return PageFigure(
        name=name, asked=asked, n=len(group), p50_s=at_share(spent, 0.5),
        p95_s=at_share(spent, 0.95), p99_s=at_share(spent, 0.99), most_s=spent[-1],
        bytes=sizes[len(sizes) // 2],
    )  # fmt: skip
