"""A step over many alerts asks the ledger as often as one over few: on SQLite everybody waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event
from telling_town import LI, TOWN, Town, more_sites

from ledger import duties
from ledger.duties import Duty
from ledger.engine import Engine, writing


@contextmanager
def _statements(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def _step(town: Town, rule: str, sites: int) -> list[str]:
    """What a step asks that tells of an alert of class 1 at each of so many sites."""
    with writing(town.engine) as conn:
        for number in range(sites):
            town.fire_in(conn, rule, 1, site=f"s{number}", device="d")
    with _statements(town.engine) as said:
        town.pipeline.look_once()
    assert len({row.site for row in town.news()}) == sites
    return said


def test_a_step_asks_as_often_for_many_alerts_as_for_few(town: Town) -> None:
    with writing(town.engine) as conn:
        more_sites(conn, 30)
        duties.add(conn, Duty(TOWN, LI, town.at, town.at + timedelta(days=1)))
    few = _step(town, "few", 2)
    assert len(_step(town, "many", 30)) == len(few) < 30
