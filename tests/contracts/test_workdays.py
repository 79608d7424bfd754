"""The working calendar: against an independent one, across October's holidays, its refusals."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.settings import SettingsError
from contracts.workdays import CHINA, Calendar, CalendarMissing

FOLDER = Path(__file__).parents[2] / "firmware_configs" / "calendars"
CALENDAR = Calendar.read(FOLDER)
HOURS = ((time(8, 30), time(12)), (time(14), time(17, 30)))
DAYS_OF = {2025: 365, 2026: 365}


def at(month: int, day: int, hour: int = 9, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=CHINA)


@pytest.mark.parametrize("year", sorted(DAYS_OF))
def test_every_day_is_what_an_independent_calendar_says(year: int) -> None:
    first = date(year, 1, 1)
    for n in range(DAYS_OF[year]):
        day = first + timedelta(days=n)
        assert CALENDAR.is_workday(day) == chinese_calendar.is_workday(day), day
    assert CALENDAR.years[year].source and CALENDAR.years[year].mark == "S"


def test_a_year_without_a_file_is_refused_and_never_guessed() -> None:
    for ask in (
        lambda: CALENDAR.is_workday(date(2027, 1, 4)),
        lambda: CALENDAR.add_workdays(date(2026, 12, 31), 1),
        lambda: CALENDAR.add_working_time(at(12, 31, 17), timedelta(hours=1), HOURS),
        lambda: CALENDAR.holiday(date(2024, 10, 1)),
    ):
        with pytest.raises(
            CalendarMissing, match=r"calendars: no working calendar for 20\d\d; .*cn_20"
        ):
            ask()
    # What ends within the known years is told up to the last minute.
    assert CALENDAR.add_working_time(at(12, 31, 17), timedelta(minutes=30), HOURS) == at(
        12, 31, 17, 30
    )


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # Friday; the Sunday is worked for the holiday
        (date(2026, 9, 24), 1, date(2026, 9, 28)),  # Mid-Autumn
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 2, date(2026, 10, 9)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # a make-up Saturday
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),  # begins within the holiday
        (date(2026, 10, 3), 0, date(2026, 10, 3)),
        (date(2025, 9, 30), 1, date(2025, 10, 9)),
        (date(2025, 9, 30), 3, date(2025, 10, 11)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # across the year, onto a make-up Sunday
    ],
)
def test_working_days_across_holidays(start: date, count: int, end: date) -> None:
    assert CALENDAR.add_workdays(start, count) == end
    late = datetime.combine(start, time(23, 59), CHINA)
    assert CALENDAR.add_workdays(late, count) == datetime.combine(end, time(23, 59), CHINA)
    if count:
        assert CALENDAR.workdays_between(start, end) == count


def test_a_day_is_chinas_day() -> None:
    """16:00 UTC is midnight in China: the make-up Saturday has begun, where it is Friday yet."""
    friday, saturday = (datetime(2026, 10, 9, hour, 59, tzinfo=UTC) for hour in (15, 16))
    assert CALENDAR.add_workdays(friday, 1).astimezone(CHINA).date() == date(2026, 10, 10)
    assert CALENDAR.add_workdays(saturday, 1).astimezone(CHINA).date() == date(2026, 10, 12)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(9, 30, 14), 3.5, at(9, 30, 17, 30)),  # ends with the day, not after the holiday
        (at(9, 30, 14, 1), 3.5, at(10, 8, 8, 31)),
        (at(9, 30, 18), 4, at(10, 8, 14, 30)),
        (at(10, 3, 3), 1, at(10, 8, 9, 30)),
        (at(10, 9, 16), 4, at(10, 10, 11)),  # the make-up Saturday counts
        (at(10, 10, 16), 4, at(10, 12, 11)),  # the Sunday after it does not
        (at(9, 17, 12, 30), 0.5, at(9, 17, 14, 30)),  # the midday rest does not
    ],
)
def test_working_time_across_holidays(start: datetime, hours: float, end: datetime) -> None:
    span = timedelta(hours=hours)
    assert CALENDAR.add_working_time(start, span, HOURS) == end
    assert CALENDAR.working_time_between(start, end, HOURS) == span
    assert CALENDAR.working_time_between(
        start, end - timedelta(minutes=1), HOURS
    ) == span - timedelta(minutes=1)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)
spans = st.integers(1, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(moments, spans, spans)
def test_working_time_adds_up(start: datetime, one: timedelta, other: timedelta) -> None:
    end = CALENDAR.add_working_time(start, one, HOURS)
    assert CALENDAR.working_time_between(start, end, HOURS) == one
    assert CALENDAR.add_working_time(end, other, HOURS) == CALENDAR.add_working_time(
        start, one + other, HOURS
    )


@given(moments, st.integers(1, 15))
def test_the_nth_working_day_has_n_of_them_before_it(start: datetime, count: int) -> None:
    end = CALENDAR.add_workdays(start, count)
    assert CALENDAR.workdays_between(start, end) == count
    assert CALENDAR.is_workday(end.astimezone(CHINA).date())


@pytest.mark.parametrize(
    ("holiday", "why"),
    [
        ("first = 2026-10-03\nlast = 2026-10-01", "国庆: ends on 2026-10-01, before 2026-10-03"),
        ("first = 2027-10-01\nlast = 2027-10-01", "国庆: 2027-10-01 is not in 2026"),
        (
            "first = 2026-10-01\nlast = 2026-10-02\nmakeup = [2026-10-05]",
            "2026-10-05 is no weekend",
        ),
        ("first = 2026-10-01\nlast = 2026-10-04\nmakeup = [2026-10-04]", "2026-10-04 stands twice"),
        ("first = 2026-10-01\nlast = 2026-10-02\nworked = 1", r"holiday\[0\]: .*`worked`"),
    ],
)
def test_a_wrong_file_is_refused_with_its_day(tmp_path: Path, holiday: str, why: str) -> None:
    file = tmp_path / "cn_2026.toml"
    head = 'year = 2026\nsource = "x"\nmark = "S"\n[[holiday]]\nname_zh = "国庆"\nname_en = "x"\n'
    file.write_text(head + holiday, "utf-8")
    with pytest.raises(SettingsError, match=f"{file}: .*{why}"):
        Calendar.read(file)


def test_two_files_of_a_year_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file cn_YYYY"):
        Calendar.read(tmp_path)
    for name in ("cn_2026.toml", "cn_2026_new.toml"):
        (tmp_path / name).write_text(
            'year = 2026\nsource = "x"\nmark = "S"\nholiday = []\n', "utf-8"
        )
    with pytest.raises(SettingsError, match=r"cn_2026_new.toml: 2026 stands in another file, too"):
        Calendar.read(tmp_path)
