"""Periods of the week: meals, working hours, past midnight."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.cameras.schedule import (
    DAYS,
    LOCAL,
    Day,
    Period,
    PeriodKind,
    Schedule,
    schedule_faults,
)

NIGHT = Period("night_shift", PeriodKind.OPEN, "22:00", "02:00", (Day.FRIDAY,))
FRIDAY = datetime(2026, 1, 2, tzinfo=LOCAL)


def names(schedule: Schedule, moment: datetime) -> list[str]:
    return [one.period.name for one in schedule.at(moment)]


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [(6, 29, []), (6, 30, ["breakfast"]), (8, 29, ["breakfast"]), (8, 30, []), (11, 0, ["lunch"])],
)
def test_a_meal_begins_at_its_begin_and_ends_before_its_end(
    hour: int, minute: int, said: list[str]
) -> None:
    moment = FRIDAY.replace(hour=hour, minute=minute)
    assert names(Schedule(), moment) == said
    assert names(Schedule(), moment.astimezone(UTC)) == said


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    schedule = Schedule((NIGHT,))
    assert names(schedule, FRIDAY.replace(hour=1)) == []
    assert names(schedule, FRIDAY.replace(hour=23)) == ["night_shift"]
    saturday = FRIDAY + timedelta(days=1)
    assert names(schedule, saturday.replace(hour=1, minute=59)) == ["night_shift"]
    assert names(schedule, saturday.replace(hour=2)) == []
    assert names(schedule, saturday.replace(hour=23)) == []


def test_without_working_hours_a_place_is_always_open() -> None:
    assert Schedule().is_open(FRIDAY.replace(hour=3))
    shut = Schedule((*Schedule().periods, Period("hours", PeriodKind.OPEN, "05:00", "20:00")))
    assert not shut.is_open(FRIDAY.replace(hour=3))
    assert shut.is_open(FRIDAY.replace(hour=5))


def test_a_meal_outside_working_hours_counts_as_open() -> None:
    hours = Period("hours", PeriodKind.OPEN, "07:00", "20:00")
    assert Schedule((*Schedule().periods, hours)).is_open(FRIDAY.replace(hour=6, minute=45))


def test_a_whole_day() -> None:
    schedule = Schedule((Period("hours", PeriodKind.OPEN, "00:00", "24:00"),))
    assert schedule_faults(schedule) == []
    assert len(schedule.at(FRIDAY)) == 1
    assert schedule.at(FRIDAY)[0].ends_at == FRIDAY + timedelta(days=1)


def test_faults_name_the_key() -> None:
    twice = Period("lunch", PeriodKind.MEAL, "24:00", "12:00", (Day.MONDAY, Day.MONDAY))
    empty = Period("lunch", PeriodKind.MEAL, "12:00", "12:00")
    keys = [key for key, _ in schedule_faults(Schedule((twice, empty)))]
    assert keys == [
        "schedule.periods[0].begin",
        "schedule.periods[0].days",
        "schedule.periods[1].name",
        "schedule.periods[1].end",
    ]


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="begin"):
        msgspec.convert(
            {"periods": [{"name": "lunch", "kind": "meal", "begin": "25:00", "end": "26:00"}]},
            Schedule,
        )


@given(
    begin=st.integers(0, 24 * 60 - 1),
    end=st.integers(0, 24 * 60),
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    at=st.datetimes(datetime(2026, 1, 5), datetime(2026, 1, 26)),
)
def test_a_moment_is_in_a_period_exactly_if_its_occurrence_holds_it(
    begin: int, end: int, days: set[Day], at: datetime
) -> None:
    if begin == end:
        end = (end + 1) % (24 * 60)
    period = Period("p", PeriodKind.MEAL, _text(begin), _text(end), tuple(sorted(days)))
    moment = at.replace(tzinfo=UTC)
    local = moment.astimezone(LOCAL)
    minute = local.hour * 60 + local.minute
    today, yesterday = DAYS[local.weekday()] in days, DAYS[local.weekday() - 1] in days
    if begin < end:
        expected = today and begin <= minute < end
    else:
        expected = (today and minute >= begin) or (yesterday and minute < end)
    found = Schedule((period,)).at(moment)
    assert bool(found) is expected
    for one in found:
        assert one.begins_at <= moment < one.ends_at
        assert timedelta(0) < one.ends_at - one.begins_at <= timedelta(days=1)


def _text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
