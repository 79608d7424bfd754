"""Tasks: what counts to one, what does not and why; who sees one; given once, never removed."""

from datetime import timedelta
from typing import Any

import pytest
from ledger_town import AT, MARKET, OFFICER, after, result
from sqlalchemy import text
from test_samples_told import name_of, take, told

from contracts.events import Sample, Value
from contracts.products import Products
from contracts.words import Verdict
from ledger import results, task_progress, tasks
from ledger.engine import Engine, reading, writing
from ledger.results import NewResult
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.sheets.sheet import Bounds
from ledger.tasks import Sight, Task

PRODUCTS = Products()
DAY = timedelta(days=1)
EVERYONE = Sight(["440703-tangxia"])


def task(**changes: Any) -> Task:
    said = {
        "id": "t1",
        "title": "蔬菜农残",
        "region": "440703-tangxia",
        "wanted": 2,
        "starts_at": AT,
        "due_at": AT + 7 * DAY,
        "created_at": AT,
        "food_group": "vegetable",
        "items": ("pesticide_inhibition",),
        "created_by": OFFICER,
    }
    return Task(**(said | changes))


def passed(n: int, **changes: Any) -> NewResult:
    said = {"verdict": Verdict.PASS, "value": Value("4.1", 4.1, unit="%"), "sample": Sample()}
    made = result(n, **(said | {k: v for k, v in changes.items() if k != "received_at"}))
    return NewResult(
        made.who, made.agent, made.epoch, made.sequence, made.event_id, made.result,
        changes.get("received_at", made.received_at),
    )  # fmt: skip


def whys(engine: Engine, *given: Task) -> dict[str, str]:
    with reading(engine) as conn:
        read = task_progress.read(conn, given, PRODUCTS.group_of)
    return {one.sample.id: one.why for told in read.values() for one in told.judged}


def test_what_counts_and_what_does_not(town: Engine) -> None:
    with writing(town) as conn:
        tasks.add(conn, task())
    late = after(90) + DAY
    for number, sample_id, change in (
        (1, "counts", {}),
        (2, "voided", {"voided": True}),
        (3, "food", {"product": "草鱼"}),
        (4, "strange", {"product": "自家菜"}),
        (5, "invalid", {}),
        (6, "late", {}),
        (7, "early", {}),
        (8, "after", {}),
        (9, "items", {}),
    ):
        take(town, told(sample_id, 1, name_of(number), number=sample_id, task_id="t1", **change))
    take(town, told("untested", 1, number="u", task_id="t1"), told("other", 1, number="o"))
    take(
        town, passed(1), passed(2), passed(3), passed(4), passed(5, verdict=Verdict.INVALID),
        passed(6, received_at=late), passed(7, captured_at=AT - DAY),
        passed(8, captured_at=AT + 8 * DAY, received_at=AT + 8 * DAY),
        passed(9, item="甲醛", item_code=""),
    )  # fmt: skip
    assert whys(town, task()) == {
        "counts": "", "voided": "voided", "food": "food", "strange": "", "invalid": "invalid",
        "late": "late", "early": "early", "after": "after", "items": "items",
        "untested": "untested",
    }  # fmt: skip
    with writing(town) as conn:
        given = tasks.asked_since(conn, AT)
        moved = task_progress.moved(conn, given, PRODUCTS.group_of)
        assert moved == {"t1": (2, 1)}
        tasks.keep_counts(conn, moved)
        assert not task_progress.moved(conn, tasks.asked_since(conn, AT), PRODUCTS.group_of)
        stored = tasks.get(conn, "t1")
    assert stored is not None and (stored.done, stored.late) == (2, 1)
    assert stored.state(AT + 30 * DAY) == "met"


def test_a_rerun_counts_no_second_time_and_may_be_the_one_that_counts(town: Engine) -> None:
    with writing(town) as conn:
        tasks.add(conn, task())
    take(town, told("s1", 1, name_of(1), name_of(2), name_of(3), number="1", task_id="t1"))
    take(town, passed(1, verdict=Verdict.INVALID), passed(2), passed(3))
    with reading(town) as conn:
        progress = task_progress.read(conn, [task()], PRODUCTS.group_of)["t1"]
    assert (progress.done, len(progress.judged)) == (1, 1)


def test_the_instruments_clock_is_put_right_before_a_result_is_called_late(town: Engine) -> None:
    wrong = timedelta(days=-400)
    take(town, told("s1", 1, name_of(1), name_of(2), number="1"))
    at = after(1)
    take(
        town,
        passed(1, measured_at=at + wrong, clock_offset_s=wrong.total_seconds()),
        passed(2, measured_at=at - 2 * DAY),
    )
    with reading(town) as conn:
        one, two = task_progress.tests_of(conn, ["s1"])["s1"][::-1]
    assert (one.at, one.late) == (at, False)
    assert two.late


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"establishment_id": MARKET}, ""),
        ({"region": "440705"}, "elsewhere"),
        ({"region": "440700"}, ""),
    ],
)  # fmt: skip
def test_only_what_is_tested_where_it_is_asked_for_counts(
    town: Engine, change: dict[str, Any], why: str
) -> None:
    given = task(**change)
    with writing(town) as conn:
        tasks.add(conn, given)
    take(town, told("s1", 1, name_of(1), number="1", task_id="t1"), passed(1))
    assert whys(town, given) == {"s1": why}


def test_who_sees_which_tasks_and_in_what_order(town: Engine) -> None:
    with writing(town) as conn:
        tasks.add(conn, task(id="town", due_at=AT + 3 * DAY))
        tasks.add(conn, task(id="county", region="440703", due_at=AT + 2 * DAY))
        tasks.add(conn, task(id="market", establishment_id=MARKET, due_at=AT + DAY))
        tasks.add(conn, task(id="sideways", region="440705"))
        assert tasks.withdraw(conn, "market", OFFICER, "改期", after(1))
        assert not tasks.withdraw(conn, "market", OFFICER, "again", after(2))
    officer = Sight(["440703-tangxia"], ["440703", "440700"])
    keeper = Sight(["440703-tangxia"], ["440703"], "another", ["elsewhere"])
    with reading(town) as conn:
        found = tasks.find(conn, officer, "open", AT, 9)
        assert [one.id for one in found] == ["county", "town"]
        (rest,) = tasks.find(conn, officer, "open", AT, 9, (found[0].due_at, found[0].id))
        assert rest.id == "town"
        assert tasks.counts(conn, officer, AT) == {
            "open": 2, "overdue": 0, "met": 0, "withdrawn": 1,
        }  # fmt: skip
        assert {one.id for one in tasks.find(conn, keeper, None, AT, 9)} == {"county", "town"}
        assert tasks.get(conn, "sideways", officer) is None
        assert tasks.counts(conn, officer, AT + 9 * DAY)["overdue"] == 2
    with pytest.raises(Exception, match="never"), writing(town) as conn:
        conn.execute(text("DELETE FROM tasks"))


ROW = {
    "title": "蔬菜农残", "region": "440703-tangxia", "wanted": "30", "due_at": "2026-03-09 18:00",
    "items": "pesticide_inhibition、gold_strip", "food_group": "蔬菜", "site": "pj-market-1",
}  # fmt: skip


def test_a_row_is_given_once_and_never_changed(town: Engine) -> None:
    bounds = Bounds("440703", frozenset({"440703", "440703-tangxia"}))
    with writing(town) as conn:
        plan = plan_of_rows(conn, "tasks", [ROW], bounds)
        assert plan.faults == [] and plan.new == 1
        (made,) = apply_plan(conn, plan, "li", AT, bounds=bounds)
        found = tasks.get(conn, made)
        assert found is not None and found.items == ("pesticide_inhibition", "gold_strip")
        assert (found.starts_at, found.wanted, found.food_group) == (AT, 30, "vegetable")
    with writing(town) as conn:
        again = plan_of_rows(conn, "tasks", [ROW, ROW | {"wanted": "5"}], bounds)
    assert again.new == 0
    assert [(one.row, one.column, one.kind) for one in again.faults] == [(2, "wanted", "given")]


@pytest.mark.parametrize(
    ("change", "column", "kind"),
    [
        ({"wanted": "0"}, "wanted", "number"),
        ({"due_at": "morgen"}, "due_at", "time"),
        ({"starts_at": "2026-04-01"}, "due_at", "not_after"),
        ({"region": "440705"}, "region", "unknown"),
        ({"region": "440703", "site": "nowhere"}, "site", "unknown"),
        ({"site": "", "establishment": "none"}, "establishment", "unknown"),
        ({"food_group": "stones"}, "food_group", "choice"),
        ({"officer": "nobody"}, "officer", "unknown"),
    ],
)
def test_a_row_that_cannot_be_a_task_says_why(
    town: Engine, change: dict[str, str], column: str, kind: str
) -> None:
    bounds = Bounds("440703", frozenset({"440703", "440703-tangxia"}))
    with reading(town) as conn:
        plan = plan_of_rows(conn, "tasks", [ROW | change], bounds)
    assert (column, kind) in [(one.column, one.kind) for one in plan.faults]
    with reading(town) as conn:
        assert results.list_in(conn, ["440703"]) == []
