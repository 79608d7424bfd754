"""The gateway books publications that are over and deadlines that a new calendar tells, once."""

import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from case_parts import WORK
from case_story import Story, populate, who
from ledger_town import MARKET, build

from contracts.casework import Given
from contracts.casework_clocks import Casework
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from gateway import casework
from gateway.casework import CaseBooking, read_work
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.settings import AlertSettings
from ledger import cases, migrate
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing


@pytest.fixture
def office(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        build(conn)
        populate(conn, 3)
    return engine


def booking(
    engine: Engine, clock: Callable[[], datetime], health: Health, work: Casework = WORK
) -> CaseBooking:
    return CaseBooking(engine, work, metrics=Metrics(), health=health, clock=clock, every_s=0.01)


def test_what_is_over_is_booked_at_its_moment_and_once(
    office: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casework, "AT_ONCE", 2)
    with writing(office) as conn:
        ends = []
        for n in (1, 2, 3):
            one = Story.of_result(conn, n)
            one.close("minor")
            row = one.go("publish", "wang")
            published = cases.publication(conn, row.case_id)
            assert published is not None
            ends.append(published.expires_at)
    now = min(ends) - timedelta(seconds=1)
    health = Health()
    book = booking(office, lambda: now, health)
    assert not book.book_once()
    with reading(office) as conn:
        assert len(cases.publications(conn, MARKET, now)) == 3
    now = max(ends)
    assert book.book_once()  # two of three
    assert not book.book_once()
    with reading(office) as conn:
        assert {one.state: one.count for one in cases.counts(conn)} == {"expired": 3}
    assert not book.book_once()
    assert health.report().reasons == {}


def test_a_missing_calendar_is_said_until_it_is_there(office: Engine) -> None:
    none = Casework(WORK.rules, Calendar([]))
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.report()
        cases.move(conn, none, one.row.case_id, "appeal", Given(note="复议"), who(conn), one.at,
                   version=one.row.version)  # fmt: skip
    health = Health()
    booking(office, lambda: one.at, health, none).book_once()
    assert "1 cases" in health.report().reasons["casework"]
    assert booking(office, lambda: one.at, health).book_once()
    booking(office, lambda: one.at, health).book_once()
    assert health.report().reasons == {}


def test_the_thread_lives_through_an_absent_ledger(
    office: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, looks, health = threading.Event(), [], Health()
    book = booking(office, lambda: datetime.now().astimezone(), health)
    once = book.book_once

    def sometimes() -> bool:
        looks.append(health.report().status)
        if len(looks) == 1:
            raise LedgerDown("away")
        if len(looks) == 3:
            stop.set()
        return once()

    monkeypatch.setattr(book, "book_once", sometimes)
    thread = threading.Thread(target=book.run, args=[stop])
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert looks == ["ok", "degraded", "ok"]


def test_settings_that_name_nothing_are_refused(tmp_path: Path) -> None:
    assert read_work(AlertSettings(), tmp_path).rules == WORK.rules
    for name in ("casework", "calendars"):
        with pytest.raises(SettingsError, match=rf"alerts\.{name}: .* does not exist"):
            read_work(AlertSettings(**{name: "none"}), tmp_path)
