"""Proven-live minutes: what counts and what does not, and that restarts lose none."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Readings
from contracts.topics import Identity
from edge_agent.cameras.honesty.keepsakes import Keepsakes
from edge_agent.cameras.honesty.minutes import GAP_S, LiveMinutes, Meal
from edge_agent.cameras.honesty.proof import LIVE, MEAL, Proof
from edge_agent.cameras.honesty.view import Light
from edge_agent.cameras.schedule import LOCAL, Period, PeriodKind, Schedule

LUNCH = Period("lunch", PeriodKind.MEAL, "11:00", "11:10")
SCHEDULE = Schedule((LUNCH, Period("hours", PeriodKind.OPEN, "05:00", "20:00")))
NOON = datetime(2026, 1, 2, 11, 0, tzinfo=LOCAL)
WHO = Identity("440700", "canteen", "cam-1")


def moment(seconds: float) -> datetime:
    """So long after the meal's begin."""
    return NOON + timedelta(seconds=seconds)


def watched(minutes: LiveMinutes, from_s: float, until_s: float, every_s: float = 1.0) -> None:
    """Good frames all the while."""
    at_s = from_s
    while at_s <= until_s:
        minutes.frame(moment(at_s))
        at_s += every_s


def ended(minutes: LiveMinutes) -> list[tuple[str, int, int]]:
    return [(one.name, one.live_minutes, one.minutes) for one in minutes.over(moment(700))]


def test_a_meal_seen_throughout_is_proven_to_the_minute() -> None:
    minutes = LiveMinutes(SCHEDULE)
    watched(minutes, -100, 700)
    assert ended(minutes) == [("lunch", 10, 10)]
    assert ended(minutes) == []


def test_a_gap_costs_the_minutes_it_touches_and_no_others() -> None:
    minutes = LiveMinutes(SCHEDULE)
    watched(minutes, -100, 150)
    watched(minutes, 150 + GAP_S + 1, 700)
    assert ended(minutes) == [("lunch", 9, 10)]
    minutes = LiveMinutes(SCHEDULE)
    watched(minutes, -100, 115)
    watched(minutes, 130, 700)
    assert ended(minutes) == [("lunch", 8, 10)]


def test_a_camera_that_was_never_there_is_told_with_none() -> None:
    minutes = LiveMinutes(SCHEDULE)
    assert minutes.over(moment(30)) == []
    assert ended(minutes) == [("lunch", 0, 10)]


def test_a_clock_set_back_counts_no_minute_twice() -> None:
    minutes = LiveMinutes(SCHEDULE)
    watched(minutes, -20, 300)
    watched(minutes, 100, 700)
    assert ended(minutes) == [("lunch", 10, 10)]


@given(st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60), st.integers(-60, 60))
def test_a_minute_counts_exactly_if_no_gap_touches_it(steps: list[float], first_s: int) -> None:
    minutes, at_s, frames = LiveMinutes(SCHEDULE), float(first_s), []
    for step in steps:
        frames.append(at_s)
        minutes.frame(moment(at_s))
        at_s += step
    expected = sum(
        any(one <= 60 * minute for one in frames)
        and any(one >= 60 * minute + 60 for one in frames)
        and all(
            after - before <= GAP_S
            for before, after in pairwise(frames)
            if after > 60 * minute and before < 60 * minute + 60
        )
        for minute in range(10)
    )
    running = minutes.running.get("lunch")
    assert (running.live_minutes if running else 0) == expected


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    before = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    for second in range(-20, 245):
        before.frame(moment(second))
    after = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    assert after.figures() == {"lunch_live_minutes": 4.0, "lunch_minutes": 10.0}
    for second in range(300, 700):
        after.frame(moment(second))
        assert after.facts(moment(second)) == [] or second > 600
    again = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    assert again.facts(moment(900)) == []


def test_what_is_told_at_the_end_of_a_meal(tmp_path: Path) -> None:
    proof = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    for second in range(301):
        proof.frame(moment(second))
    facts = proof.facts(moment(600 + GAP_S))
    assert [fact.kind for fact in facts] == ["readings"]
    told = facts[0].data
    assert isinstance(told, Readings)
    assert [(one.metric, one.value, one.unit, one.measured_at) for one in told.readings] == [
        (LIVE, 5.0, "min", moment(600)),
        (MEAL, 10.0, "min", moment(600)),
    ]
    assert proof.figures() == {"lunch_live_minutes": 5.0, "lunch_minutes": 10.0}


def test_a_meal_that_ended_while_the_agent_was_off_is_told_after_the_start(tmp_path: Path) -> None:
    proof = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    for second in range(-20, 130):
        proof.frame(moment(second))
    late = Proof(WHO, SCHEDULE, Keepsakes(tmp_path, "cam-1", "test"))
    facts = late.facts(moment(86_400 + 300))
    assert [fact.captured_at for fact in facts] == [moment(600)]
    assert late.facts(moment(86_400 + 301)) == []


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "cam-1.meals.json").write_bytes(b'[{"name": 3')
    assert Keepsakes(tmp_path, "cam-1", "test").meals() == {}
    (tmp_path / "cam-1.test.day.png").write_bytes(b"no picture")
    assert Keepsakes(tmp_path, "cam-1", "test").views() == {}


def test_a_meal_knows_its_length() -> None:
    assert Meal("lunch", NOON, NOON + timedelta(minutes=150)).minutes == 150


def test_a_learned_view_is_kept_for_the_agent_alone(tmp_path: Path) -> None:
    kept = Keepsakes(tmp_path, "cam-1", "test")
    levels = np.random.default_rng(1).integers(0, 255, (360, 640), dtype=np.uint8)
    kept.keep_view(Light.DAY, levels)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    (again,) = Keepsakes(tmp_path, "cam-1", "test").views().values()
    assert (again == levels).all()
    assert Keepsakes(tmp_path, "cam-1", "another").views() == {}
