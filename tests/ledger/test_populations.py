"""How many people live where: what was entered holds before the file, and nothing is worked out."""

from datetime import date

import indicator_town as town_of
import pytest
from indicator_town import CITY, EAST, MARCH, NOW, A, figures

from contracts.periods import read_period
from ledger.engine import Engine, reading, writing
from ledger.populations import Residents, residents
from ledger.sheets.plan import apply_plan, plan_of_rows

ROW = {
    "region": A, "effective_from": "2026-02-01", "people": "12,000", "source": "统计公报",
    "mark": "V",
}  # fmt: skip


@pytest.fixture
def city(book: Engine) -> Engine:
    with writing(book) as conn:
        town_of.build(conn)
        town_of.tell(conn)
    return book


def enter(city: Engine, **cells: str) -> None:
    with writing(city) as conn:
        apply_plan(conn, plan_of_rows(conn, "populations", [ROW | cells]), "planner", NOW)


def faults(city: Engine, **cells: str) -> set[tuple[str, str]]:
    with reading(city) as conn:
        plan = plan_of_rows(conn, "populations", [ROW | cells])
    return {(one.column, one.kind) for one in plan.faults}


def test_a_town_without_a_number_has_no_rate_until_somebody_enters_one(city: Engine) -> None:
    with reading(city) as conn:
        before = figures(conn, A)["sampling_rate"]
    assert (before.records, before.value, before.residents) == (2, None, None)
    enter(city)
    with reading(city) as conn:
        after = figures(conn, A)["sampling_rate"]
        county = figures(conn, EAST)["sampling_rate"]
    assert after.value == pytest.approx(2 * 1000 / 12_000)
    assert after.residents == Residents(12_000, "统计公报", "V", date(2026, 2, 1))
    # A county is not the sum of its towns: it keeps what was said of it.
    assert county.residents is not None and county.residents.people == 850_000


def test_what_was_entered_holds_before_the_file_from_its_day_on(city: Engine) -> None:
    enter(city, region=CITY, people="5000000")
    enter(city, region=CITY, people="6000000", effective_from="2026-04-01")
    with reading(city) as conn:
        in_march = figures(conn)["sampling_rate"]
        in_april = figures(conn, period=read_period("2026-04"))["sampling_rate"]
        january = residents(conn, town_of.INDICATORS, date(2026, 1, 31))
    assert (in_march.whole, in_april.whole) == (5_000_000, 6_000_000)
    assert january[CITY].people == 4_798_090 and january[CITY].mark == "S"
    assert MARCH.last < date(2026, 4, 1)


def test_a_row_says_where_and_from_when_on_and_who_says_so(city: Engine) -> None:
    assert faults(city) == set()
    assert faults(city, effective_from="2026/2/1") == set()
    assert faults(city, source="") == {("source", "needed")}
    assert faults(city, region="440799") == {("region", "unknown")}
    assert faults(city, people="0") == {("people", "number")}
    assert faults(city, people="1e6") == {("people", "number")}
    assert faults(city, effective_from="soon") == {("effective_from", "day")}


def test_a_number_is_put_right_in_its_place_and_the_audit_trail_has_both(city: Engine) -> None:
    enter(city)
    enter(city, people="12500", effective_from="2026/2/1")
    with reading(city) as conn:
        assert residents(conn, town_of.INDICATORS, MARCH.last)[A].people == 12_500
        plan = plan_of_rows(conn, "populations", [ROW, ROW])
    assert [one.column for one in plan.faults] == ["effective_from"]
