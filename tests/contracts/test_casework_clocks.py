"""A case's clocks on both sides of their moment: hours, days, months, appeals, no calendar."""

import random
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from case_parts import AT, LI, RULES, SECOND, WORK, beginning, china, go, put, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.casework import Case, CaseKind, Finding, Given
from contracts.casework_checks import hindrances
from contracts.casework_clocks import Casework, ClockFace, clock_face, clocks, due_at, next_due
from contracts.casework_data import Clock
from contracts.casework_moves import case_of
from contracts.workdays import CHINA, Calendar

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def face(case: Case, clock: str, at: datetime, work: Casework = WORK) -> ClockFace:
    found = clock_face(work, case, clock, at)
    assert found is not None
    return found


def clock(clock_id: str) -> Clock:
    return next(one for one in RULES.clocks if one.id == clock_id)


def closed(outcome: str, at: datetime) -> Case:
    case = put(beginning(at=at), "verify", at, state="filed", finding=Finding.ESTABLISHED)
    return put(case, "close", at, state="closed", given=Given(outcome=outcome))


@pytest.mark.parametrize(
    ("clock_id", "start", "due"),
    [
        ("dispose", china(2026, 9, 30, 15), china(2026, 10, 3, 15)),
        ("objection", china(2026, 9, 30, 23, 30), china(2026, 10, 1, 3, 30)),
        # Seven working days over the national holiday: 8, 9, 10 (make-up), 12, 13, 14, 15 October.
        ("report_objection", china(2026, 9, 30, 15), china(2026, 10, 16)),
        ("report_objection", china(2026, 10, 1, 0, 0), china(2026, 10, 16)),
        ("report_objection", china(2026, 10, 7, 23, 59, 59), china(2026, 10, 16)),
        ("report_objection", china(2026, 10, 8, 0, 0), china(2026, 10, 17)),
        # The make-up Sunday before Mid-Autumn counts, the Sunday after does not.
        ("report_objection", china(2026, 9, 18, 9), china(2026, 9, 30)),
        ("publication", china(2026, 9, 30, 15), china(2026, 11, 3, 17, 30)),
        # Make-up Saturdays around Spring Festival: 14 February is the 1st day, the 28th the 6th.
        ("publication", china(2026, 2, 13, 9), china(2026, 3, 19, 17, 30)),
        ("withdrawal", china(2026, 9, 30, 23, 59, 59), china(2026, 10, 10, 17, 30)),
        ("withdrawal", china(2026, 10, 1, 0, 0), china(2026, 10, 10, 17, 30)),
        ("withdrawal", china(2026, 10, 8, 0, 0), china(2026, 10, 12, 17, 30)),
        ("review", china(2026, 4, 30, 18), china(2026, 5, 8, 17, 30)),
        # Three months: the same day, or the month's last; 24:00 is the next day's beginning.
        ("publication_ends", china(2026, 1, 31, 9), china(2026, 5, 1)),
        ("publication_ends", china(2026, 1, 30, 9), china(2026, 5, 1)),
        ("publication_ends", china(2026, 1, 29, 9), china(2026, 4, 30)),
        ("publication_ends", china(2026, 11, 30, 9), china(2027, 3, 1)),
        ("publication_ends", china(2027, 11, 30, 9), china(2028, 3, 1)),
        ("publication_ends", china(2026, 11, 28, 9), china(2027, 3, 1)),
        ("publication_ends", china(2026, 12, 31, 23, 59, 59), china(2027, 4, 1)),
        # Already the 1st of the month in China, still the 31st in London.
        ("publication_ends", datetime(2026, 1, 31, 16, tzinfo=UTC), china(2026, 5, 2)),
        ("publication_ends_late", china(2024, 2, 29, 9), china(2027, 3, 1)),
        ("publication_ends_late", china(2026, 5, 10, 9), china(2029, 5, 11)),
    ],
)
def test_when_it_is_due(clock_id: str, start: datetime, due: datetime) -> None:
    assert due_at(WORK, clock(clock_id), start) == due
    # Whoever counts in London counts the same.
    assert due_at(WORK, clock(clock_id), start.astimezone(UTC)) == due


def state_around(case: Case, clock_id: str) -> tuple[str, str, str]:
    due = face(case, clock_id, case.events[-1].at).due_at
    assert due is not None
    return tuple(face(case, clock_id, due + n * SECOND).state for n in (-1, 0, 1))  # type: ignore[return-value]


def test_within_includes_its_end() -> None:
    """A duty and a right are in time at the very moment; a publication is over at it."""
    case = beginning()
    assert state_around(case, "dispose") == ("running", "running", "overdue")
    served = go(case, "serve_result", AT)
    assert state_around(served, "objection") == ("running", "running", "expired")
    at = closed("minor", AT)
    assert state_around(at, "publication") == ("running", "running", "overdue")
    shown = put(at, "publish", AT + DAY, state="published")
    assert state_around(shown, "publication_ends") == ("running", "expired", "expired")
    assert clock_face(WORK, shown, "publication_ends_late", AT + DAY) is None
    annulled = put(shown, "annul", AT + 2 * DAY, state="annulled", given=Given(happened_at=AT))
    assert state_around(annulled, "withdrawal") == ("running", "running", "overdue")


@pytest.mark.parametrize(("late", "state"), [(0, "met"), (1, "late")])
def test_done_in_time_or_late(late: int, state: str) -> None:
    case = put(beginning(), "report", AT + 72 * HOUR + late * SECOND, state="disposed")
    done = face(case, "dispose", AT + 100 * HOUR)
    assert (done.state, done.due_at) == (state, AT + 72 * HOUR)
    closed_ = closed("minor", AT)
    due = face(closed_, "publication", AT).due_at
    assert due is not None
    shown = put(closed_, "publish", due + late * SECOND, state="published")
    assert face(shown, "publication", due + DAY).state == state
    gone = put(closed_, "annul", AT, state="annulled", given=Given(happened_at=AT))
    due = face(gone, "withdrawal", AT).due_at
    assert due is not None
    out = put(gone, "withdraw", due + late * SECOND, state="withdrawn")
    assert face(out, "withdrawal", due + DAY).state == state


def test_the_hours_count_from_the_service_not_from_its_typing() -> None:
    case = go(beginning(), "serve_result", AT + 3 * HOUR, happened_at=AT + HOUR)
    served = face(case, "objection", AT + 3 * HOUR)
    assert (served.started_at, served.due_at) == (AT + HOUR, AT + 5 * HOUR)
    heard = go(case, "object", AT + 9 * HOUR, happened_at=AT + 5 * HOUR)
    assert face(heard, "objection", AT + 9 * HOUR).state == "met"


def test_the_seventy_two_hours_count_from_when_the_city_knew() -> None:
    case = beginning()
    first = msgspec.structs.replace(case.events[0], at=AT + 50 * HOUR)
    opened_late = msgspec.structs.replace(case, events=(first,))
    assert face(opened_late, "dispose", AT + 50 * HOUR).due_at == AT + 72 * HOUR


def test_only_what_is_published_has_twenty_days() -> None:
    for outcome, has in (("no_penalty", False), ("warning", False), ("minor", True)):
        found = clock_face(WORK, closed(outcome, AT), "publication", AT)
        assert (found is not None) == has


def test_an_appeal_stops_hours_and_gives_them_back() -> None:
    case = put(beginning(), "appeal", AT + 10 * HOUR)
    stopped = face(case, "dispose", AT + 500 * HOUR)
    assert (stopped.state, stopped.due_at) == ("paused", None)
    case = put(case, "end_appeal", AT + 40 * HOUR)
    assert face(case, "dispose", AT + 40 * HOUR).due_at == AT + 102 * HOUR
    # A second appeal stops it again; the deadline that was missed before stays missed.
    case = put(case, "appeal", AT + 103 * HOUR)
    assert face(case, "dispose", AT + 104 * HOUR).state == "overdue"
    case = put(case, "end_appeal", AT + 200 * HOUR)
    assert face(case, "dispose", AT + 200 * HOUR).due_at == AT + 102 * HOUR


def test_an_appeal_at_the_last_moment_leaves_none() -> None:
    case = put(beginning(), "appeal", AT + 72 * HOUR)
    case = put(case, "end_appeal", AT + 80 * HOUR)
    assert face(case, "dispose", AT + 80 * HOUR).state == "overdue"
    case = put(beginning(), "appeal", AT + 72 * HOUR - SECOND)
    case = put(case, "end_appeal", AT + 80 * HOUR)
    assert face(case, "dispose", AT + 80 * HOUR).due_at == AT + 80 * HOUR + SECOND


def test_an_appeal_stops_working_days_by_working_time() -> None:
    at = china(2026, 9, 28, 10)
    case = closed("minor", at)
    due = face(case, "publication", at).due_at
    assert due == china(2026, 10, 30, 17, 30)
    # Wednesday 9 o'clock to the first working day after the holiday, 9 o'clock: one working day.
    case = put(case, "appeal", china(2026, 9, 30, 9))
    assert face(case, "publication", china(2026, 10, 5)).state == "paused"
    case = put(case, "end_appeal", china(2026, 10, 8, 9))
    assert face(case, "publication", china(2026, 10, 8, 9)).due_at == china(2026, 11, 2, 17, 30)
    # Through the holiday alone it costs nothing, and gives nothing.
    idle = put(closed("minor", at), "appeal", china(2026, 10, 1, 9))
    idle = put(idle, "end_appeal", china(2026, 10, 7, 20))
    assert face(idle, "publication", china(2026, 10, 7, 20)).due_at == due


def test_what_is_typed_later_counts_from_when_it_was() -> None:
    """A decision of the 2nd that is booked on the 6th; an appeal was heard on the 4th."""
    case = put(beginning(at=china(2026, 3, 2, 9)), "appeal", china(2026, 3, 4, 9))
    case = put(case, "end_appeal", china(2026, 3, 5, 9))
    decided = Given(outcome="minor", happened_at=china(2026, 3, 2, 9))
    case = put(case, "close", china(2026, 3, 6, 9), state="closed", given=decided)
    assert face(case, "publication", china(2026, 3, 6, 9)).due_at == china(2026, 3, 31, 17, 30)


def test_an_appeal_stops_no_right_and_no_withdrawal() -> None:
    case = put(go(beginning(), "serve_result", AT), "appeal", AT + HOUR)
    assert face(case, "objection", AT + 2 * HOUR).due_at == AT + 4 * HOUR
    gone = put(closed("minor", AT), "annul", AT, state="annulled", given=Given(happened_at=AT))
    gone = put(gone, "appeal", AT + HOUR)
    assert face(gone, "withdrawal", AT + 2 * HOUR).state == "running"


def test_what_begins_during_an_appeal_begins_when_it_is_over() -> None:
    case = put(beginning(), "appeal", AT)
    case = put(case, "report", AT + HOUR, state="disposed")
    assert face(case, "review", AT + 2 * HOUR).state == "paused"
    case = put(case, "end_appeal", AT + DAY)
    # Thursday 17:30, and six working hours from Monday 10:30 to Tuesday 9:30 more.
    assert face(case, "review", AT + DAY).due_at == china(2026, 3, 6, 16, 30)


def test_done_during_an_appeal_is_in_time() -> None:
    case = put(put(beginning(), "appeal", AT + HOUR), "report", AT + 99 * HOUR, state="disposed")
    assert face(case, "dispose", AT + 100 * HOUR).state == "met"


def test_a_returned_disposal_goes_on_with_what_was_left() -> None:
    case = put(beginning(), "report", AT + 70 * HOUR, state="disposed")
    assert face(case, "dispose", AT + 90 * HOUR).state == "met"
    case = put(case, "send_back", AT + 100 * HOUR, state="disposing")
    assert face(case, "dispose", AT + 100 * HOUR).due_at == AT + 102 * HOUR
    assert face(case, "dispose", AT + 102 * HOUR + SECOND).state == "overdue"
    late = put(beginning(), "report", AT + 73 * HOUR, state="disposed")
    late = put(late, "send_back", AT + 80 * HOUR, state="disposing")
    assert face(late, "dispose", AT + 80 * HOUR).due_at == AT + 72 * HOUR
    # Sent back while an appeal holds it up, it goes on after the appeal.
    held = put(beginning(), "report", AT + 70 * HOUR, state="disposed")
    held = put(held, "appeal", AT + 71 * HOUR)
    held = put(held, "send_back", AT + 80 * HOUR, state="disposing")
    assert face(held, "dispose", AT + 99 * HOUR).state == "paused"
    held = put(held, "end_appeal", AT + 100 * HOUR)
    assert face(held, "dispose", AT + 100 * HOUR).due_at == AT + 102 * HOUR


def test_a_deadline_that_was_given() -> None:
    case = put(beginning(), "dispatch", AT, given=Given(assignee="li", deadline=AT + 5 * HOUR))
    assert face(case, "assignment", AT).due_at == AT + 5 * HOUR
    assert next_due(clocks(WORK, case, AT)) == face(case, "assignment", AT)
    anew = put(case, "dispatch", AT + HOUR, given=Given(assignee="wang"))
    assert clock_face(WORK, anew, "assignment", AT + HOUR) is None
    due = next_due(clocks(WORK, anew, AT + HOUR))
    assert due is not None and due.clock.id == "dispose"


def test_an_end_ends_all() -> None:
    case = go(beginning(), "serve_result", AT)
    case = put(case, "dismiss", AT + HOUR, state="not_founded")
    assert {one.state for one in clocks(WORK, case, AT + 999 * HOUR)} == {"met"}
    assert next_due(clocks(WORK, case, AT + 999 * HOUR)) is None


def test_a_year_without_a_calendar_is_not_guessed() -> None:
    at = china(2026, 12, 30, 9)
    case = closed("minor", at)
    unknown = face(case, "publication", at)
    assert (unknown.state, unknown.due_at) == ("unknown", None)
    assert "cn_2027.toml" in unknown.missing
    assert face(case, "dispose", at).due_at == at + 72 * HOUR
    # Nobody's right is over for want of a calendar, and nothing is closed over it.
    served = put(beginning(at=at), "serve_report", at, given=Given(happened_at=at))
    late = at + 60 * DAY
    assert face(served, "report_objection", late).state == "unknown"
    assert go(served, "object_report", late).last("object_report")
    reviewed = put(served, "approve", late, state="reviewed")
    (why,) = hindrances(WORK, reviewed, RULES.moves["close"], LI, late)
    assert why.code == "clock_unknown" and "cn_2027.toml" in why.en


def test_the_rule_of_its_day() -> None:
    old = msgspec.structs.replace(clock("objection"), effective_until=date(2026, 3, 31))
    new = msgspec.structs.replace(clock("objection"), length="8 h", effective_from=date(2026, 4, 1))
    others = tuple(one for one in RULES.clocks if one.id != "objection")
    rules = msgspec.structs.replace(RULES, clocks=(old, new, *others))
    work = Casework(rules, WORK.calendar)
    for at, hours in ((china(2026, 3, 31, 23, 59, 59), 4), (china(2026, 4, 1, 0, 0), 8)):
        case = go(beginning(at=at), "serve_result", at, work=work)
        assert face(case, "objection", at, work).due_at == at + hours * HOUR


STEPS = ("report", "send_back", "appeal", "end_appeal", "serve_result", "dispatch", "close")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 40)), max_size=9),
    st.integers(0, 400),
    st.randoms(use_true_random=False),
)
def test_a_clock_is_a_function_of_what_happened(
    steps: list[tuple[str, int]], later: int, chance: random.Random
) -> None:
    """Whatever the order in which events come, and whoever looks when: the same clocks."""
    case, at = beginning(CaseKind.PRODUCE_TEST), AT
    faces = []
    for move, hours in steps:
        at += hours * HOUR
        given_ = Given(outcome="minor") if move == "close" else Given()
        case = put(case, move, at, given=given_)
        faces.append((at, case))
    events = list(case.events) * 2
    chance.shuffle(events)
    again = case_of(case.case_id, case.kind, events)
    now = at + later * HOUR
    assert clocks(WORK, again, now) == clocks(WORK, case, now)
    for moment, then in faces:  # what came later does not change how it stood
        if all(one.at > moment for one in case.events[then.version :]) and not case.outcome:
            assert clocks(WORK, case, moment) == clocks(WORK, then, moment)
    for one in clocks(WORK, case, now):
        if one.state in ("overdue", "expired"):
            assert one.due_at is not None and one.due_at <= now and one.ended_at is None
        if one.clock.id == "dispose" and one.due_at is not None:
            assert one.due_at >= AT + 72 * HOUR


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200 * 24 * 60), st.sampled_from(["withdrawal", "publication", "review"]))
def test_working_days_by_counting_them_one_by_one(minutes: int, clock_id: str) -> None:
    start = china(2026, 1, 1) + timedelta(minutes=minutes)
    left, day = clock(clock_id).span[0], start.astimezone(CHINA).date()
    while left:
        day += DAY
        left -= WORK.calendar.is_workday(day)
    assert due_at(WORK, clock(clock_id), start) == china(day.year, day.month, day.day, 17, 30)


def test_no_calendar_at_all() -> None:
    empty = Casework(RULES, Calendar([]))
    assert face(closed("penalty", AT), "publication", AT, empty).state == "unknown"
    assert face(beginning(), "dispose", AT, empty).state == "running"


def test_a_disposal_and_its_review_have_their_clocks() -> None:
    case = walk(beginning(), "verify", "dispatch", "accept", "stop_sale", "report", "approve")
    ids = {one.clock.id for one in clocks(WORK, case, case.events[-1].at)}
    assert ids == {"dispose", "review"}
