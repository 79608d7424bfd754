"""Whose a task is, and what of theirs presses: overdue, or soon over."""

from datetime import timedelta
from typing import Any

import pytest
from ledger_town import AT, MARKET, OFFICER
from test_tasks import task

from ledger import establishments, officers, sites, tasks
from ledger.engine import Engine, reading, writing
from ledger.officers import Officer, Role
from ledger.sites import Site, SiteKind
from ledger.task_duty import TOLD, Pressing, Whose, pressing
from ledger.tasks import Sight

TOWN, COUNTY = "440703-tangxia", "440703"
ROOM = "room-of-market"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = 48 * HOUR
SIGHT = Sight([TOWN, COUNTY])
WANG, CHEN = Whose("wang", TOWN), Whose("chen", COUNTY)


@pytest.fixture
def place(town: Engine) -> Engine:
    with writing(town) as conn:
        for login, role, region in (
            ("wang", Role.TOWN, TOWN), ("chen", Role.COUNTY, COUNTY), ("gone", Role.TOWN, TOWN),
        ):  # fmt: skip
            officers.add(
                conn, Officer(login, login, role, region, id=login, active=login != "gone")
            )
        sites.add(conn, Site(ROOM, TOWN, ROOM, SiteKind.TESTING_ROOM, MARKET))
    return town


def put(engine: Engine, *given: dict[str, Any]) -> None:
    with writing(engine) as conn:
        for number, one in enumerate(given):
            changes = {"id": f"t{number}", "created_by": None} | one
            tasks.add(conn, task(**changes))


def count(engine: Engine, whose: Whose) -> tuple[int, int]:
    with reading(engine) as conn:
        told = pressing(conn, SIGHT, whose, AT, SOON)
        shown = tasks.find(conn, SIGHT, None, AT, 99, only=[whose.condition()])
    assert told.overdue + told.soon <= len(shown)
    return told.overdue, told.soon


def test_only_what_is_short_of_its_number_and_near_its_end_presses(place: Engine) -> None:
    put(
        place,
        {"due_at": AT - HOUR},
        {"due_at": AT - TOLD},
        {"due_at": AT - TOLD - HOUR},  # long ago: in the list, not told unasked
        {"due_at": AT - HOUR, "done": 2},
        {"due_at": AT - HOUR, "withdrawn_at": AT - DAY, "withdrawn_by": OFFICER},
        {"due_at": AT + HOUR},
        {"due_at": AT + SOON},
        {"due_at": AT + SOON + HOUR},
        {"due_at": AT + HOUR, "done": 3},
    )
    assert count(place, WANG) == (2, 2)
    with reading(place) as conn:
        assert tasks.count_soon(conn, SIGHT, AT, SOON) == 2
        assert pressing(conn, Sight(["440705"]), WANG, AT, SOON) == Pressing()


@pytest.mark.parametrize(
    ("given", "wang", "chen"),
    [
        ({"officer_id": "chen"}, False, True),
        ({"officer_id": "gone"}, True, False),  # named, but not there any more
        ({}, True, False),  # nobody named: the region's own
        ({"region": COUNTY}, False, True),
        ({"officer_id": "wang", "created_by": "chen"}, True, True),  # the giver is told, too
    ],
)
def test_it_is_of_whom_it_names_else_of_the_place(
    place: Engine, given: dict[str, Any], wang: bool, chen: bool
) -> None:
    put(place, {"due_at": AT - HOUR} | given)
    assert count(place, WANG) == (int(wang), 0)
    assert count(place, CHEN) == (int(chen), 0)


def test_the_one_in_charge_of_an_establishment_and_its_own_people(place: Engine) -> None:
    late = {"due_at": AT - HOUR, "region": COUNTY}
    put(
        place, late | {"establishment_id": MARKET}, late | {"site": ROOM},
        late | {"site": ROOM, "officer_id": "chen"}, late,
    )  # fmt: skip
    with reading(place) as conn:
        found = establishments.get(conn, MARKET)
    assert found is not None and found.officer_id == OFFICER
    assert count(place, Whose(OFFICER, TOWN)) == (2, 0)
    assert count(place, Whose("shop", "", MARKET, [ROOM])) == (3, 0)
    assert count(place, Whose("grid", "")) == (0, 0)
