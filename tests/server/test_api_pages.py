"""Pages of lists: each old row exactly once while rows are added; a wrong cursor is the asker's."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from api_client import make_token, system
from console_app import NOW, TestClient
from console_facts import new_result, simple_alert, verdict_of
from console_places import CANTEEN, MARKET
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from contracts.words import Severity
from ledger import alerts, devices, establishments, results, webhooks
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, writing
from ledger.establishments import Establishment, EstablishmentKind
from server.cursors import cursor, cut, place_of
from server.problems import Problem

Row = tuple[int, str]


@given(
    old=st.sets(st.tuples(st.integers(0, 30), st.text("abc", max_size=2)), max_size=25),
    added=st.lists(st.tuples(st.integers(0, 30), st.text("xyz", min_size=1, max_size=2))),
    limit=st.integers(1, 7),
    descending=st.booleans(),
)
def test_every_old_row_comes_once_whatever_is_added_meanwhile(
    old: set[Row], added: list[Row], limit: int, descending: bool
) -> None:
    rows, seen, before, coming = set(old), [], None, list(added)
    for _ in range(200):
        page, before = cut(
            rows, lambda row: row, "rows", tuple[int, str], limit, before, descending=descending
        )
        assert len(page) <= limit
        seen += page
        if before is None:
            break
        rows |= set(coming[:2])
        del coming[:2]
    else:
        raise AssertionError("there is no end")
    assert sorted(row for row in seen if row in old) == sorted(old)
    assert len(set(seen)) == len(seen), "and no row twice"
    assert seen == sorted(seen, reverse=descending)


@given(
    st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())
)
def test_what_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        place_of("rows", text, tuple[int, str])
    assert (refused.value.status, refused.value.kind) == (422, "invalid-cursor")


@pytest.mark.parametrize(
    "place", [("1", "a"), (1,), (1, "a", 2), (2**63, "a"), (1.5, "a"), (None, "a"), ([1], "a")]
)
def test_a_cursor_of_another_shape_or_list_is_refused(place: tuple[object, ...]) -> None:
    assert place_of("rows", cursor("rows", (1, "a")), tuple[int, str]) == (1, "a")
    for text in (cursor("rows", place), cursor("other", (1, "a"))):
        with pytest.raises(Problem):
            place_of("rows", text, tuple[int, str])


def raise_one(conn: Connection, number: int) -> None:
    at = NOW - timedelta(minutes=number * 7 % 50)
    new = simple_alert(
        f"page|{number}", CANTEEN, Severity.GUIDANCE, at, f"预警 {number}", "Alert", "说明"
    )
    alerts.raise_alert(conn, new)


def add_place(conn: Connection, number: int) -> None:
    name = f"{'甲乙丙丁'[number % 4]}店 {number}"
    one = Establishment(
        id=f"page-{number}", name=name, kind=EstablishmentKind.MARKET, region="440703-baisha",
        public_code=f"page-code-{number}",
    )  # fmt: skip
    establishments.add(conn, one)


def add_device(conn: Connection, number: int) -> None:
    one = Device(
        region=CANTEEN.region, site=CANTEEN.site, device=f"{'amz'[number % 3]}{number}",
        kind=DeviceKind.PROBE, name="探头", model="m", registered_at=NOW,
    )  # fmt: skip
    devices.add(conn, one)


def add_result(conn: Connection, number: int) -> None:
    at = NOW - timedelta(hours=number * 11 % 60)
    who = MARKET.sibling("lz4000t")
    results.add(conn, [new_result(who, 5000 + number, number, 20.0, verdict_of(20.0), at)])


def add_hook(conn: Connection, number: int) -> None:
    at = NOW - timedelta(minutes=number * 7 % 50)
    hook = webhooks.Webhook(
        name="n", url="https://h.example/", events=("alert.*",), region="440703", secret="s",
        officer_id="officer-shiju", created_at=at, changed_at=at, position=0,
    )  # fmt: skip
    webhooks.add(conn, hook)


LISTS: dict[str, tuple[Callable[[Connection, int], None], str]] = {
    "/api/v1/alerts": (raise_one, "alert_id"),
    "/api/v1/establishments": (add_place, "id"),
    "/api/v1/devices": (add_device, "device"),
    "/api/v1/establishments/baisha-market/results": (add_result, "result_id"),
    "/api/v1/webhooks": (add_hook, "id"),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 4])
def test_walking_a_list_while_it_grows(app: FastAPI, engine: Engine, path: str, limit: int) -> None:
    add, key = LISTS[path]
    client = system(app, make_token(engine)[1])
    with writing(engine) as conn:
        for number in range(9):
            add(conn, number)
    whole = client.get(path, params={"limit": 200}).json()["items"]
    old = [name_of(one, key) for one in whole][:60]
    assert len(old) >= 9
    seen: list[str] = []
    before, number = None, 100
    while not set(old) <= set(seen):
        with writing(engine) as conn:
            add(conn, number)
        number += 1
        asked = {"limit": limit} | ({"before": before} if before else {})
        page = client.get(path, params=asked).json()
        assert len(page["items"]) <= limit
        seen += [name_of(one, key) for one in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert set(old) <= set(seen)
    assert len(set(seen)) == len(seen)
    assert [one for one in seen if one in set(old)] == old, "in their order"


def name_of(one: dict[str, str], key: str) -> str:
    """By which an item is known: a device by its site, too."""
    return f"{one.get('site')}/{one[key]}"


PAGED = [
    "/api/v1/alerts", "/api/v1/establishments", "/api/v1/devices", "/api/v1/missing",
    "/api/v1/notifications", "/api/v1/silences", "/api/v1/scorecards", "/api/v1/proposals",
    "/api/v1/scorecards/alerts?rule=no_hat", "/api/v1/alert-times", "/api/v1/webhooks",
    "/api/v1/establishments/baisha-market/results", "/api/v1/cases",
]  # fmt: skip


@pytest.mark.slow
def test_a_cursor_that_nobody_gave_is_the_askers_mistake(app: FastAPI, engine: Engine) -> None:
    client: TestClient = system(app, make_token(engine)[1])
    other = cursor("of another list", ("x",))
    forged = [cursor(name, ("none",)) for name in ("alerts", "results")]
    for path in PAGED:
        for before in ("x", "%00", "1", "-1", other, *forged, "9" * 400):
            answer = client.get(f"{path}{'&' if '?' in path else '?'}before={before}")
            assert answer.status_code == 422, f"{path} {before}: {answer.text}"
            (fault,) = answer.json()["errors"]
            assert fault["parameter"] == "before", path
