"""Deadlines to the minute: the shipped policy across October's holiday, pauses, and an oracle."""

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.settings import SettingsError
from contracts.words import Due, Severity
from contracts.workdays import CHINA, Calendar, CalendarMissing
from gateway.deadlines.commands import add_check_escalation
from gateway.deadlines.policy import NoPolicy, PolicyBook, read_policies
from gateway.deadlines.wind import AlertClock, Happened, Missed, Place, Winder
from gateway.escalate import CONFIGS

CALENDAR = Calendar.read(CONFIGS / "calendars")
BOOK = read_policies(CONFIGS / "escalation")
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHINA)


def place(severity: int, first_level: int = 0) -> Place:
    return Place("440703", Severity(severity), lambda _at: first_level)


def wind(
    severity: int, *happened: tuple[datetime, str], now: datetime, first_level: int = 0
) -> tuple[AlertClock, list[Missed]]:
    steps = [Happened(*one) for one in happened]
    return Winder(BOOK, CALENDAR).wind(AlertClock(), place(severity, first_level), steps, now)


@pytest.mark.parametrize(
    ("severity", "happened", "due"),
    [
        # Class 1 passes at night and on holidays.
        (1, [(at(10, 1, 3), "raised")], at(10, 1, 3, 15)),
        (1, [(at(10, 1, 3), "raised"), (at(10, 1, 3, 5), "acknowledged")], at(10, 4, 3, 5)),
        # Four working hours: 2.5 of them before the holiday, the rest after it.
        (2, [(at(9, 30, 15), "raised")], at(10, 8, 10)),
        (2, [(at(9, 30, 18), "raised")], at(10, 8, 14, 30)),
        (2, [(at(10, 3, 12), "raised")], at(10, 8, 14, 30)),
        # Onto the make-up Saturday; past the Sunday after it.
        (2, [(at(10, 9, 16), "raised")], at(10, 10, 11)),
        (2, [(at(10, 10, 16), "raised")], at(10, 12, 11)),
        # Hours are no working time: 72 of them end within the holiday.
        (2, [(at(9, 30, 15), "raised"), (at(9, 30, 16), "acknowledged")], at(10, 3, 16)),
        # Working days end with the work of the last: 8th, 9th, 10th (make-up), 12th, 13th.
        (3, [(at(9, 30, 9), "raised")], at(10, 9, 17, 30)),
        (3, [(at(10, 9, 23, 59), "raised")], at(10, 12, 17, 30)),
        (
            2,
            [
                (at(9, 30, 9), "raised"),
                (at(9, 30, 10), "acknowledged"),
                (at(9, 30, 11), "disposing"),
            ],
            at(10, 13, 17, 30),
        ),
    ],
)
def test_a_deadline_is_missed_at_its_moment_and_not_before(
    severity: int, happened: list[tuple[datetime, str]], due: datetime
) -> None:
    clock, missed = wind(severity, *happened, now=due - INSTANT)
    assert (clock.due_at, missed) == (due, [])
    clock, missed = wind(severity, *happened, now=due)
    assert [(one.at, one.level_before, one.level) for one in missed] == [(due, 0, 1)]
    assert (clock.level, clock.overdue_since) == (1, due)


def test_what_is_done_an_instant_before_is_in_time_and_at_the_moment_late() -> None:
    raised, due = (at(10, 1, 3), "raised"), at(10, 1, 3, 15)
    _, missed = wind(1, raised, (due - INSTANT, "acknowledged"), now=due)
    assert missed == []
    _, missed = wind(1, raised, (due, "acknowledged"), now=due + MINUTE)
    assert [(one.at, one.standing) for one in missed] == [(due, False)]


def test_town_county_city_and_then_no_more() -> None:
    clock, missed = wind(1, (at(10, 1, 3), "raised"), now=at(10, 31))
    assert [(one.at, one.level, one.standing) for one in missed] == [
        (at(10, 1, 3, 15), 1, True),
        (at(10, 1, 3, 30), 2, True),
        (at(10, 1, 3, 45), 2, True),
    ]
    assert (clock.due_at, clock.kind, clock.overdue_since) == (
        None,
        Due.ACKNOWLEDGE,
        at(10, 1, 3, 15),
    )
    assert all(one.cards for one in missed)


@pytest.mark.parametrize(("first", "levels"), [(0, [1, 2, 2]), (1, [2, 2]), (2, [2, 2])])
def test_where_nobody_is_responsible_it_begins_further_up(first: int, levels: list[int]) -> None:
    _, missed = wind(1, (at(10, 1), "raised"), now=at(10, 2), first_level=first)
    assert [one.level for one in missed] == levels


def test_levels_stay_and_a_returned_disposal_has_its_time_anew() -> None:
    steps = [
        (at(9, 1, 9), "raised"),
        (at(9, 1, 9, 20), "acknowledged"),  # five minutes late
        (at(9, 2, 9), "disposing"),
        (at(9, 3, 9), "returned"),
    ]
    clock, missed = wind(1, *steps, now=at(9, 6, 8, 59))
    assert [one.kind for one in missed] == [Due.ACKNOWLEDGE]
    assert (clock.kind, clock.due_at, clock.level) == (Due.DISPOSE, at(9, 6, 9), 1)
    clock, missed = wind(1, *steps, (at(9, 7), "disposing"), (at(9, 8), "reviewed"), now=at(9, 30))
    assert [(one.kind, one.level, one.standing) for one in missed] == [
        (Due.ACKNOWLEDGE, 1, False),
        (Due.DISPOSE, 2, False),
    ]
    assert (clock.kind, clock.due_at, clock.overdue_since) == (None, None, None)
    clock, _ = wind(1, *steps, (at(9, 5), "reopened"), now=at(9, 5))
    assert (clock.level, clock.kind, clock.due_at) == (0, Due.ACKNOWLEDGE, at(9, 5, 0, 15))


def test_what_the_data_say_ends_the_clock_of_classes_2_and_3_only() -> None:
    over = [(at(9, 1, 9), "raised"), (at(9, 1, 9, 10), "resolved")]
    _, missed = wind(1, *over, now=at(9, 1, 9, 15))
    assert [(one.at, one.standing) for one in missed] == [(at(9, 1, 9, 15), True)]
    for more in ((), ((at(9, 1, 11), "acknowledged"),)):
        clock, missed = wind(2, *over, *more, now=at(9, 30))
        assert (clock.due_at, missed) == (None, [])
    # What was disposed of is reviewed all the same.
    steps = [*over, (at(9, 1, 11), "acknowledged"), (at(9, 1, 12), "disposing")]
    clock, _ = wind(2, *steps, now=at(9, 1, 13))
    assert (clock.kind, clock.due_at) == (Due.REVIEW, at(9, 8, 17, 30))


@pytest.mark.parametrize(
    ("severity", "raised", "paused", "resumed", "due"),
    [
        # Hours: shifted by what the clock on the wall showed, holiday or not.
        (1, at(10, 1, 3), at(10, 1, 3, 10), at(10, 6, 3, 10), at(10, 6, 3, 15)),
        # Working hours: three were left; a pause outside of working hours shifts nothing.
        (
            2,
            at(9, 30, 9),
            at(9, 30, 10),
            at(10, 8, 9),
            at(10, 8, 12),
        ),
        (2, at(9, 29, 16, 30), at(9, 29, 18), at(9, 30, 8), at(9, 30, 11, 30)),
        # Working days: paused for one working day (seven hours), due so much working time later.
        (3, at(9, 28, 9), at(9, 29, 9), at(9, 30, 9), at(10, 8, 17, 30)),
        (3, at(9, 28, 9), at(9, 30, 17), at(10, 9, 9), at(10, 9, 9, 30)),
    ],
)
def test_an_appeal_shifts_the_deadline_in_its_own_kind_of_time(
    severity: int, raised: datetime, paused: datetime, resumed: datetime, due: datetime
) -> None:
    steps = [(raised, "raised"), (paused, "paused")]
    clock, missed = wind(severity, *steps, now=at(12, 1))
    assert (clock.due_at, clock.paused, missed) == (None, True, [])
    clock, missed = wind(severity, *steps, (resumed, "resumed"), now=due - INSTANT)
    assert (clock.due_at, missed) == (due, [])
    _, missed = wind(severity, *steps, (resumed, "resumed"), now=due)
    assert [one.at for one in missed] == [due]


def test_a_step_during_an_appeal_begins_a_deadline_that_stands_still() -> None:
    steps = [(at(9, 1), "raised"), (at(9, 1, 0, 5), "paused"), (at(9, 2), "acknowledged")]
    clock, missed = wind(1, *steps, now=at(9, 20))
    assert (clock.kind, clock.due_at, missed) == (Due.DISPOSE, None, [])
    clock, _ = wind(1, *steps, (at(9, 20), "resumed"), now=at(9, 20))
    assert clock.due_at == at(9, 23)


def test_a_year_without_a_calendar_winds_nothing_and_can_be_wound_later() -> None:
    winder = Winder(BOOK, CALENDAR)
    late = [Happened(at(12, 31, 16), "raised")]
    with pytest.raises(CalendarMissing, match="no working calendar for 2027"):
        winder.wind(AlertClock(), place(2), late, at(12, 31, 17))
    clock, _ = winder.wind(AlertClock(), place(1), late, at(12, 31, 16))
    assert clock.due_at == at(12, 31, 16, 15), "class 1 needs no calendar"


# An oracle that knows nothing of calendars' arithmetic: it counts minutes down, one by one.

MIXED = """
id = "mixed"
version = "1"
yellow_stands_days = 1
[hours]
spans = [[08:30:00, 12:00:00], [14:00:00, 17:30:00]]
source = "test"
mark = "U"
"""
ONE_CLASS = """
[[class]]
severity = {}
ends_when_resolved = {}
[class.acknowledge]
within = "90 min"
again = "3 h"
source = "test"
mark = "U"
[class.dispose]
within = "5 working h"
again = "2 working h"
source = "test"
mark = "U"
[class.review]
within = "1 working h"
again = "45 min"
source = "test"
mark = "U"
"""
TIMES = {
    Due.ACKNOWLEDGE: ((90, False), (180, False)),
    Due.DISPOSE: ((300, True), (120, True)),
    Due.REVIEW: ((60, True), (45, False)),
}
START = at(9, 30, 7)
HORIZON = 14 * 24 * 60


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Winder:
    file = tmp_path_factory.mktemp("policy") / "mixed.toml"
    classes = (ONE_CLASS.format(n, str(n != 1).lower()) for n in (1, 2, 3))
    file.write_text(MIXED + "".join(classes), "utf-8")
    return Winder(read_policies(file), CALENDAR)


def _works(minute: int) -> bool:
    moment = START + minute * MINUTE
    if not CALENDAR.is_workday(moment.date()):
        return False
    of_day = moment.hour * 60 + moment.minute
    return 510 <= of_day < 720 or 840 <= of_day < 1050


WORKS = [_works(minute) for minute in range(HORIZON + 1)]
NEXT = {"acknowledged": Due.DISPOSE, "returned": Due.DISPOSE, "disposing": Due.REVIEW}


def count_down(happened: Sequence[tuple[int, str]]) -> list[tuple[int, Due, int]]:
    """Every miss: minute, what was due, the level after it."""
    found: list[tuple[int, Due, int]] = []
    level = missed = 0
    kind: Due | None = None
    left: int | None = None
    working = paused = resolved = False
    todo = list(happened)
    for minute in range(HORIZON + 1):
        if left == 0 and not paused and kind is not None:
            final = level == 2 and missed >= 1
            level, missed = min(level + 1, 2), missed + 1
            found.append((minute, kind, level))
            left, working = (None, False) if final else TIMES[kind][1]
        while todo and todo[0][0] == minute:
            what = todo.pop(0)[1]
            if what in ("raised", "reopened"):
                level, paused, resolved = 0, False, False
                kind, missed, (left, working) = Due.ACKNOWLEDGE, 0, TIMES[Due.ACKNOWLEDGE][0]
            elif what in NEXT:
                kind, missed = NEXT[what], 0
                left, working = TIMES[kind][0]
                if resolved and kind is Due.DISPOSE:
                    kind, left = None, None
            elif what == "resolved":
                resolved = True
                if kind is not Due.REVIEW:
                    kind, left = None, None
            elif what in ("reviewed", "closed"):
                kind, left = None, None
            elif what in ("paused", "resumed"):
                paused = what == "paused"
        if left and not paused and (WORKS[minute] or not working):
            left -= 1
    return found


WHAT = (
    "reopened", "acknowledged", "disposing", "returned", "reviewed", "resolved", "paused",
    "resumed", "closed",
)  # fmt: skip
stories = st.lists(st.tuples(st.integers(0, HORIZON), st.sampled_from(WHAT)), max_size=6).map(
    lambda found: [(0, "raised"), *sorted(found, key=lambda one: one[0])]
)


def _tidy(story: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Without pauses of what is paused, as the ledger has none."""
    paused, kept = False, []
    for minute, what in story:
        if what in ("paused", "resumed"):
            if paused == (what == "paused"):
                continue
            paused = not paused
        paused = paused and what != "reopened"
        kept.append((minute, what))
    return kept


@settings(max_examples=60, deadline=None)
@given(story=stories.map(_tidy), looks=st.lists(st.integers(0, HORIZON), max_size=12))
def test_misses_are_those_that_counting_minutes_finds_however_often_one_looks(
    mixed: Winder, story: list[tuple[int, str]], looks: list[int]
) -> None:
    steps = [(minute, Happened(START + minute * MINUTE, what)) for minute, what in story]
    end = START + HORIZON * MINUTE
    whole, missed = mixed.wind(AlertClock(), place(2), [step for _, step in steps], end)
    told = [(one.at, one.kind, one.level) for one in missed]
    assert told == [
        (START + minute * MINUTE, kind, level) for minute, kind, level in count_down(story)
    ]
    # Wound bit by bit, by gateways that begin anew each time, looking whenever they like.
    clock, bit_by_bit = AlertClock(), []
    done = 0
    for look in [*sorted(looks), HORIZON]:
        upto = sum(minute <= look for minute, _ in steps)
        clock, found = mixed.wind(
            clock, place(2), [step for _, step in steps[done:upto]], START + look * MINUTE
        )
        assert all(one.at <= START + look * MINUTE for one in found), "never before its time"
        done = upto
        bit_by_bit += [(one.at, one.kind, one.level) for one in found]
    assert bit_by_bit == told
    assert clock == whole


# Policy files.


def _policy(tmp_path: Path, old: str, new: str) -> Path:
    text = (CONFIGS / "escalation" / "standard.toml").read_text("utf-8")
    assert old in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"15 min"', '"15 minutes"', r"class\[0\].acknowledge.within: .*"),
        ("severity = 3", "severity = 2", "class: classes 1, 2 and 3 must stand once each"),
        ("12:00:00]", "15:00:00]", "hours.spans: 14:00:00–17:30:00 is out of order"),
        ('mark = "U"', 'mark = "X"', "hours.mark: "),
        ("ends_when_resolved", "ends", r"class\[0\]: .*"),
        (
            'version = "1"',
            'version = "1"\neffective_from = 2026-02-01\neffective_until = 2026-01-01',
            "effective_until: 2026-01-01 is before 2026-02-01",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_its_key(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    file = _policy(tmp_path, old, new)
    with pytest.raises(SettingsError, match=f"{file}: {why}"):
        read_policies(file)


def test_a_policy_holds_for_its_regions_and_days(tmp_path: Path) -> None:
    (standard,) = BOOK.policies
    _policy(tmp_path, 'id = "standard"', 'id = "district"\nregions = ["440705*"]')
    (district,) = read_policies(tmp_path).policies
    both = PolicyBook([standard, district], "here")
    assert both.policy("440705-huicheng", at(9, 1)).id == "district"
    assert both.policy("440703", at(9, 1)).id == "standard"
    with pytest.raises(NoPolicy, match="here: no escalation policy for 440703 on 2026-09-01"):
        PolicyBook([district], "here").policy("440703", at(9, 1))
    (tmp_path / "again.toml").write_text((tmp_path / "mine.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(SettingsError, match="id: district stands in another file, too"):
        read_policies(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="there is no policy file"):
        read_policies(tmp_path / "empty")


def test_the_command_says_what_holds_and_when_the_calendar_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    add_check_escalation(parser.add_subparsers())
    now = at(11, 30, 23, 59)
    monkeypatch.setattr("gateway.deadlines.commands.utc_now", lambda: now)
    arguments = parser.parse_args(["check-escalation"])
    assert arguments.run(arguments) == 0
    told = capsys.readouterr()
    assert "standard\tversion 1\tclass 1\tacknowledge\t15 min\tthen 15 min\t[U]\tcards" in told.out
    assert "calendars of 2025, 2026, no fault found" in told.err
    now = at(12, 1)  # a month before the known days end
    assert arguments.run(arguments) == 1
    assert "no working calendar for 2027" in capsys.readouterr().err
    wrong = _policy(tmp_path, '"15 min"', '"15"')
    arguments = parser.parse_args(["check-escalation", str(wrong)])
    with pytest.raises(SettingsError, match=f"{wrong}: class"):
        arguments.run(arguments)
