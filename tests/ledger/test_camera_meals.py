"""Proven meals: told twice, in parts, in any order, they come to the same; the book keeps them."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AT, CAMERA
from sqlalchemy import delete, select

from contracts.events import Reading
from ledger import camera_meals
from ledger.camera_meals import DUE, LIVE, meals_of
from ledger.engine import Engine, reading, writing
from ledger.schema import camera_meals as table

LUNCH, DINNER = AT + timedelta(hours=3), AT + timedelta(hours=9)
READINGS = [
    Reading(LIVE, 140.0, "min", LUNCH),
    Reading(DUE, 150.0, "min", LUNCH),
    Reading(LIVE, 20.0, "min", DINNER),
    Reading(DUE, 150.0, "min", DINNER),
]
BOOKED = {(LUNCH, "2026-03-02", 140.0, 150.0), (DINNER, "2026-03-02", 20.0, 150.0)}
COLUMNS = (table.c.ends_at, table.c.day, table.c.live_minutes, table.c.due_minutes)


def booked(town: Engine, parts: list[list[Reading]]) -> set[tuple[object, ...]]:
    for part in parts:
        with writing(town) as conn:
            camera_meals.add(conn, meals_of(CAMERA, part, AT))
    with reading(town) as conn:
        return {tuple(row) for row in conn.execute(select(*COLUMNS))}


def test_a_meal_is_booked_with_its_day(town: Engine) -> None:
    other = [Reading("temperature", 4.0, "Cel", LUNCH), Reading(LIVE, -3.0, "min", AT)]
    assert booked(town, [READINGS + other, READINGS]) == BOOKED


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.permutations([*READINGS, *READINGS]), st.integers(1, 4))
def test_neither_order_nor_repetition_changes_it(
    town: Engine, told: list[Reading], size: int
) -> None:
    with writing(town) as conn:
        conn.execute(delete(table))
    parts = [told[at : at + size] for at in range(0, len(told), size)]
    assert booked(town, parts) == BOOKED
