"""Tasks that press, on the desk of those who answer for them and in the list's filters."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, TestClient
from console_places import MARKET
from sqlalchemy import event

from ledger import tasks
from ledger.engine import Engine, writing

Enter = Callable[[str], TestClient]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def pressed(engine: Engine) -> None:
    def give(key: str, title: str, **changes: object) -> None:
        said = {
            "id": key, "title": title, "region": MARKET.region, "wanted": 9,
            "starts_at": NOW - 30 * DAY, "created_at": NOW - 30 * DAY, "site": MARKET.site,
        }  # fmt: skip
        tasks.add(conn, tasks.Task(**(said | changes)))  # type: ignore[arg-type]

    with writing(engine) as conn:
        give("late", "豆制品专项", due_at=NOW - DAY)
        give("ancient", "去年的专项", due_at=NOW - 40 * DAY, starts_at=NOW - 60 * DAY)
        give("near", "水产专项", due_at=NOW + 5 * HOUR)
        give("far", "水果专项", due_at=NOW + 9 * DAY)
        give("done", "蛋类专项", due_at=NOW - HOUR, done=9)


def test_the_desk_of_who_answers_says_it_in_one_line(as_officer: Enter, pressed: None) -> None:
    desk = as_officer("baisha").get("/alerts").text
    assert desk.count("tasks-due") == 1
    assert "近 14 天内有 1 项到期未达数量" in desk and "1 项将在 48 小时内到期" in desk
    assert 'href="/tasks?state=overdue&amp;mine=1&amp;days=14"' in desk
    assert 'class="alert' not in desk.partition("tasks-due")[2].partition("</p>")[0]
    for login in ("xinhui", "shiju"):
        assert "tasks-due" not in as_officer(login).get("/alerts").text, login
    own = as_officer("shichang").get("/alerts").text
    assert "1 项将在 48 小时内到期" in own, "the market's own people do it"


def test_the_list_is_narrowed_to_ones_own_and_to_what_is_over_soon(
    as_officer: Enter, pressed: None
) -> None:
    client = as_officer("baisha")

    def titles(address: str) -> set[str]:
        page = client.get(address)
        assert page.status_code == 200
        names = ("豆制品专项", "去年的专项", "水产专项", "水果专项", "蛋类专项")
        return {one for one in names if f"<b>{one}</b>" in page.text}

    assert titles("/tasks?state=overdue&mine=1&days=14") == {"豆制品专项"}
    assert titles("/tasks?state=overdue&mine=1") == {"豆制品专项", "去年的专项"}
    assert titles("/tasks?state=soon") == {"水产专项"}
    assert titles("/tasks?state=open&mine=1") == {"水产专项", "水果专项"}
    assert "48 小时内到期" in client.get("/tasks").text
    assert "<b>水产专项</b>" not in as_officer("shiju").get("/tasks?state=open&mine=1").text


def test_the_desk_asks_one_thing_more_however_many_tasks(
    as_officer: Enter, pressed: None, engine: Engine
) -> None:
    client = as_officer("baisha")
    asked: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        if "FROM tasks" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        client.get("/alerts")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 1
