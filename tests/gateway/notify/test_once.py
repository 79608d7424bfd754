"""Nothing twice, nothing lost: any paging, any crash, a second pipeline, two on one PostgreSQL."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import alert_steps
import pytest
from gateway_town import make_ledger
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Postgres
from sqlalchemy import text
from telling_town import CHEN, LI, NOON, TOWN, WANG, ZHAO, Town, build, more_sites, policy

from contracts.clock import utc_now
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify import pipeline as pipeline_module
from gateway.notify.pipeline import Pipeline
from gateway.notify.pipeline_settings import AtOnceSettings, ClassSettings, PipelineSettings
from gateway.notify.step import step
from ledger import alerts, cursors, journal, notifications, officers, silences
from ledger.alert_types import AlertConflict
from ledger.engine import Engine, LedgerDown, LedgerRefused, open_engine, reading, writing
from ledger.silences import Matchers, Silence

RULES = (("positive", 1), ("cold", 2), ("device_silent", 3), ("agent_offline", 2))
Act = tuple[str, int, float]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["fire", "fire", "fire", "resolve", "acknowledge", "escalate", "close", "silence"]
        ),
        st.integers(0, 7),
        st.sampled_from([0.0, 0.0, 1.0, 29.0, 30.0, 299.0, 4000.0]),
    ),
    min_size=1,
    max_size=10,
)
QUICK = PipelineSettings(
    class_1=AtOnceSettings(repeat_s=3600), storm_limit=6, day_budget=12, storm_window_s=20
)


def _do(town: Town, act: Act) -> None:
    """One change of the ledger, then time passes."""
    what, number, seconds = act
    rule, severity = RULES[number % len(RULES)]
    name = f"{rule}|canteen1|d{number}"
    with writing(town.engine) as conn:
        known = {row.fingerprint: row for row in alerts.list_in(conn, None, limit=100)}
        row = known.get(name)
        if what == "fire":
            town.fire_in(conn, rule, severity, site="canteen1", device=f"d{number}")
        elif what == "silence":
            fits = Matchers(rule=rule)
            ends_at = town.at + timedelta(seconds=60)
            name = f"s{town.at:%H%M%S}{number}"
            if silences.get(conn, name) is None:
                new = Silence(
                    id=name,
                    matchers=fits,
                    starts_at=town.at,
                    ends_at=ends_at,
                    reason="检修",
                    author=LI,
                    created_at=town.at,
                )
                silences.add(conn, new)
        elif row is not None:
            _change(conn, row, what, town)
    town.after = seconds  # type: ignore[attr-defined]


def _change(conn: Any, row: Any, what: str, town: Town) -> None:
    try:
        if what == "resolve":
            alerts.resolve(conn, row.alert_id, town.at)
        elif what == "acknowledge":
            alerts.acknowledge(conn, row.alert_id, LI, town.at)
        elif what == "escalate":
            alert_steps.escalate(conn, row.alert_id, min(row.level + 1, 2), town.at)
        else:
            alerts.close(conn, row.alert_id, LI, town.at)
    except AlertConflict:
        pass


def _outcome(town: Town) -> Counter[tuple[object, ...]]:
    """Every alert of every message: of what, to whom, when, and whether it was put off."""
    with reading(town.engine) as conn:
        names = {row.alert_id: row.fingerprint for row in alerts.list_in(conn, None, limit=1000)}
    return Counter(
        (row.kind, names[one], row.recipient, row.created_at, row.hold, row.state, row.level)
        for row in town.rows()
        for one in row.alert_ids
    )


@contextmanager
def _town_in_memory(file: Path) -> Iterator[Town]:
    engine = open_engine("sqlite://")
    with sqlite3.connect(file) as made:
        raw = engine.raw_connection()
        made.backup(raw.driver_connection)  # type: ignore[arg-type]
        raw.close()
    made.close()
    yield Town(engine, policy(QUICK))
    engine.dispose()


def _play(file: Path, acts: list[Act], run: Callable[[Town], None]) -> Counter[tuple[object, ...]]:
    with _town_in_memory(file) as town:
        for act in acts:
            _do(town, act)
            run(town)
            # The same looks in every play, so that the same moments are seen.
            for _ in range(3):
                town.at += timedelta(seconds=act[2] / 3)
                run(town)
        for _ in range(8):
            town.at += timedelta(seconds=1800)
            run(town)
        return _outcome(town)


class _Crash(Exception):
    pass


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(acts=ACTS, crashes=st.lists(st.integers(0, 3), max_size=40), page=st.integers(1, 5))
def test_paging_crashes_and_a_second_pipeline_change_nothing(
    telling_file: Path, acts: list[Act], crashes: list[int], page: int
) -> None:
    whole = _play(telling_file, acts, Town.run)
    plan = iter(crashes)
    real_step = pipeline_module.step

    def stepping(*arguments: Any) -> Any:
        done = real_step(*arguments[:4], page, page)
        if next(plan, 0) == 1:
            raise LedgerDown("before the commit")
        return done

    def run(town: Town) -> None:
        two, more = [town.pipeline, town.new_pipeline()], True
        while more:
            what, turn = next(plan, 0), two[0]
            if what == 2:
                turn._tell = _fail  # type: ignore[method-assign]
            if what == 3:
                two.reverse()
            try:
                more = any(one.look_once() for one in two)
            except (LedgerDown, _Crash):
                town.pipeline = two[two.index(turn)] = town.new_pipeline()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_module, "step", stepping)
        broken = _play(telling_file, acts, run)
    assert broken == whole


def _fail(stepped: object) -> None:
    raise _Crash("after the commit")


def test_a_new_process_begins_where_the_old_one_ended(town: Town) -> None:
    town.fire("positive", 1)
    town.fire()
    assert len(town.told()) == 2
    town.pipeline = town.new_pipeline()
    town.run()
    assert town.told() == []
    town.wait(30)
    assert len(town.told()) == 2


def test_what_else_stands_in_the_journal_is_passed_over(town: Town) -> None:
    with writing(town.engine) as conn:
        for number in range(1000):
            where = {"region": TOWN, "site": "canteen1", "ref": str(number)}
            journal.append(conn, journal.RESULT, at=town.at, body={}, **where)
    alert_id = town.fire("positive", 1, run=False)
    assert town.pipeline.look_once() is False
    assert {row.alert_ids for row in town.rows()} == {(alert_id,)}
    with reading(town.engine) as conn:
        assert cursors.get(conn, "g.pipeline") == journal.last_id(conn) == 1001


def test_an_alert_by_itself_waits_for_no_pause_and_a_stop_for_none_either(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "REST", 1e9)
    monkeypatch.setattr(pipeline_module, "REST_MOST_S", 3600.0)
    looked, real = threading.Event(), town.pipeline.look_once

    def look_once() -> bool | None:
        found = real()
        looked.set()
        return found

    monkeypatch.setattr(town.pipeline, "look_once", look_once)
    stop = threading.Event()
    thread = threading.Thread(target=town.pipeline.run, args=(stop,))
    thread.start()
    try:
        assert looked.wait(30)
        alert_id = town.fire("positive", 1, run=False)
        town.pipeline.wake()
        _until(lambda: bool(town.rows()))
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert {row.alert_ids for row in town.rows()} == {(alert_id,)}


def test_what_the_ledger_refuses_holds_nobody_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = notifications.enqueue

    def enqueue(conn: Any, new: Any, at: Any) -> Any:
        new = list(new)
        if any(one.site == "market1" for one in new):
            raise LedgerRefused("not this one")
        return real(conn, new, at)

    monkeypatch.setattr(notifications, "enqueue", enqueue)
    slow = town.fire("cold", 2, site="market1", run=False)
    good = [town.fire("cold", 2, run=False), town.fire("positive", 1, run=False)]
    bad = town.fire("positive", 1, site="market1", run=False)
    good.append(town.fire("positive", 1, device="b", run=False))
    town.run()
    town.wait(60, every=10)
    assert {one for row in town.rows() for one in row.alert_ids} == set(good)
    assert town.timeline(bad) == [("held", "the ledger refused the message")]
    monkeypatch.undo()
    town.wait(3600, every=300)
    assert slow in {one for row in town.rows() for one in row.alert_ids}


def test_where_there_is_nobody_it_is_said_once(town: Town) -> None:
    with writing(town.engine) as conn:
        for who in (LI, WANG, ZHAO, CHEN):
            officers.set_active(conn, who, False)
    alert_id = town.fire("positive", 1)
    town.wait(3600, every=600)
    assert town.rows() == []
    assert town.timeline(alert_id) == [("held", "there is nobody to tell")]
    with writing(town.engine) as conn:
        officers.set_active(conn, ZHAO, True)
    town.wait(1800, every=600)
    assert town.told() == [("alert", ZHAO, 1)]


# On PostgreSQL.


@pytest.fixture
def city(postgres: Postgres) -> Iterator[Engine]:
    url = postgres.create_database()
    make_ledger(url, build)
    engine = open_engine(url)
    with writing(engine) as conn:
        more_sites(conn, 20)
    yield engine
    engine.dispose()


@pytest.mark.real
def test_two_gateways_on_one_postgresql_tell_everything_once(city: Engine) -> None:
    quick = PipelineSettings(
        class_1=AtOnceSettings(repeat_s=3600),
        class_2=ClassSettings(group_wait_s=0.1, group_interval_s=0.2, repeat_s=3600),
        storm_limit=10_000,
        day_budget=10_000,
        poll_s=0.02,
    )
    by = policy(quick)
    stop = threading.Event()
    two = [
        Pipeline(
            city,
            lambda: by,
            group="g",
            on_queued=lambda: None,
            metrics=Metrics(),
            health=Health(),
            clock=utc_now,
        )
        for _ in range(2)
    ]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in two]
    for thread in threads:
        thread.start()
    town = Town.__new__(Town)
    town.engine = city
    raised, taken = [], []
    for number in range(120):
        town.at = utc_now()
        site, rule = f"s{number % 20}", RULES[number % 2]
        alert_id = town.fire(*rule, site=site, device=f"d{number}", run=False)
        raised.append(alert_id)
        two[number % 2].wake()
        if number % 10 == 9:
            town.at = utc_now()
            town.acknowledge(alert_id)
            taken.append((alert_id, town.at))
    wanted = set(raised) - {one for one, _ in taken}
    _until(lambda: wanted <= {one for row in town.rows() for one in row.alert_ids})
    stop.set()
    for thread in threads:
        thread.join(30)
    told = Counter((one, row.recipient) for row in town.rows() for one in row.alert_ids)
    assert set(told.values()) == {1}
    assert {who for _, who in told} == {LI}
    for alert_id, at in taken:
        rows = town.rows(alert_id=alert_id)
        assert all(alert_id not in row.alert_ids or row.state == "cancelled" for row in rows), at


@pytest.mark.real
def test_whoever_acknowledges_while_it_is_being_decided_takes_it_back(city: Engine) -> None:
    town = Town(city)
    alert_id = town.fire("positive", 1, run=False)
    done = threading.Event()

    def acknowledge() -> None:
        town.acknowledge(alert_id)
        done.set()

    thread = threading.Thread(target=acknowledge)
    with writing(city) as conn:
        stepped = step(conn, town.policy, "g.pipeline", town.at, 100)
        assert stepped is not None and stepped.queued == 2
        thread.start()
        _until(lambda: _waiting(city))
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()
    assert {row.state for row in town.rows()} == {"cancelled"}


@pytest.mark.real
def test_one_that_is_being_changed_is_not_waited_for_and_told_a_moment_later(city: Engine) -> None:
    town = Town(city)
    busy = town.fire("positive", 1, run=False)
    free = town.fire("positive", 1, device="b", run=False)
    with writing(city) as conn:
        conn.execute(text("UPDATE alerts SET count = 2 WHERE alert_id = :id"), {"id": busy})
        town.run()
        assert {row.alert_ids for row in town.rows()} == {(free,)}
    town.wait(0.2, every=0.2)
    assert Counter(row.alert_ids for row in town.rows()) == {(free,): 2, (busy,): 2}
    assert town.timeline(busy) == [("notified", "")]


@pytest.mark.real
def test_while_another_has_the_turn_there_is_nothing_to_do(city: Engine) -> None:
    town = Town(city)
    town.fire("positive", 1, run=False)
    with writing(city) as conn:
        assert step(conn, town.policy, "g.pipeline", town.at, 100) is not None
        assert town.pipeline.look_once() is False
    assert [row.recipient for row in town.rows()] in ([LI, CHEN], [CHEN, LI])
    with writing(city) as conn:
        assert len(notifications.take_due(conn, "s", 10, NOON)) == 2


@pytest.mark.real
def test_long_texts_hold_nobody_up(city: Engine) -> None:
    town = Town(city)
    long = {"title_zh": "长" * 512, "title_en": "long" * 128, "summary_zh": "文" * 5000}
    with writing(city) as conn:
        conn.execute(text("UPDATE sites SET name = :name"), {"name": "名" * 512})
    town.fire("agent_offline", 2, device="agent", **long)
    hidden = town.fire("device_silent", 3, **long)
    town.fire("positive", 1, site="market1", **long)
    town.wait(60, every=30)
    assert [row.kind for row in town.rows()].count("alert") == 3
    assert town.timeline(hidden)[0][0] == "held" and len(town.timeline(hidden)) == 1
    assert [(who, hold) for who, hold, _ in town.held()] == [(WANG, "day")]


def _waiting(engine: Engine) -> bool:
    with reading(engine) as conn:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(conn.scalar(text(query)))


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.05)
