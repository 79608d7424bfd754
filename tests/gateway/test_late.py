"""Tests of late readings: what was missed is told once, what is closed is never raised again."""

from datetime import timedelta
from itertools import pairwise

import alert_steps
import pytest
from gateway_town import COLD, NOON, inbound, readings, registry
from hypothesis import given
from hypothesis import strategies as st
from test_threshold import limit, rule

from gateway.alerts import late, threshold
from gateway.alerts.book import RuleBook
from gateway.alerts.late import Late
from gateway.alerts.threshold import Change, ThresholdState
from gateway.intake.store import take_in
from gateway.unpack import Accepted, unpack
from ledger import alerts
from ledger.engine import Engine, writing

WARM, COOL = 9.5, 4.0
WHEN = rule(for_s=600, clear_by=0.5, clear_for_s=60, gap_s=1800)
Minutes = list[tuple[int, float]]


def minutes(first: int, last: int, value: float) -> Minutes:
    return [(minute, value) for minute in range(first, last + 1)]


class Town:
    """Takes batches of one cold store's readings, each a message of its own number."""

    def __init__(self, ledger: Engine, book: RuleBook) -> None:
        self._ledger, self._book, self._number = ledger, book, 0

    def take(self, told: Minutes) -> None:
        self._number += 1
        data = readings(*((minute * 60, value) for minute, value in told))
        unpacked = unpack(inbound(COLD, data, self._number), registry())
        assert isinstance(unpacked, Accepted)
        with writing(self._ledger) as conn:
            take_in(conn, [unpacked], [], self._book, NOON)

    def told(self) -> list[tuple[str, list[str]]]:
        """Every alert: its state, and what happened to it."""
        with writing(self._ledger) as conn:
            rows = alerts.list_in(conn, None)
            return [
                (row.state.value, [one.kind for one in alerts.timeline(conn, row.alert_id)])
                for row in reversed(rows)
            ]

    def close(self) -> None:
        with writing(self._ledger) as conn:
            for row in alerts.list_in(conn, None):
                alert_steps.close(conn, row.alert_id, "o1", NOON)


@pytest.fixture
def town(ledger: Engine, book: RuleBook) -> Town:
    return Town(ledger, book)


def test_what_was_missed_is_told_once_as_raised_and_over(town: Town) -> None:
    town.take(minutes(100, 110, COOL))
    town.take(minutes(0, 20, WARM))
    assert town.told() == [("resolved", ["raised", "resolved"])]
    town.take(minutes(21, 40, WARM))  # it goes on: the same
    town.take(minutes(5, 15, WARM))  # other readings of the same time
    assert town.told() == [("resolved", ["raised", "resolved"])]


def test_a_late_stretch_may_come_in_pieces(town: Town) -> None:
    town.take(minutes(100, 110, COOL))
    town.take(minutes(0, 6, WARM))
    assert town.told() == []
    town.take(minutes(7, 12, WARM))
    assert town.told() == [("resolved", ["raised", "resolved"])]


def test_late_readings_inside_the_limit_and_short_ones_say_nothing(town: Town) -> None:
    town.take(minutes(100, 110, COOL))
    town.take(minutes(0, 5, WARM) + minutes(6, 6, COOL) + minutes(7, 12, WARM))
    assert town.told() == []


def test_what_is_closed_is_not_raised_again(
    town: Town, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    even = [pair for pair in minutes(0, 30, WARM) if pair[0] % 2 == 0]
    odd = [pair for pair in minutes(0, 30, WARM) if pair[0] % 2]
    town.take(even)
    town.take(minutes(31, 40, COOL))
    before = town.told()
    assert before == [("resolved", ["raised", "resolved"])]
    with writing(ledger) as conn:
        conn.exec_driver_sql("UPDATE alerts SET state = 'closed'")
    town.take(odd)
    town.take(minutes(31, 40, COOL))
    assert [kinds for _, kinds in town.told()] == [["raised", "resolved"]]


def test_late_readings_do_not_end_what_is_firing(town: Town) -> None:
    town.take(minutes(100, 120, WARM))
    town.take(minutes(0, 20, WARM))
    town.take(minutes(101, 119, COOL))
    assert town.told() == [("firing", ["raised"])]


def test_a_late_stretch_may_come_backwards(town: Town) -> None:
    town.take(minutes(100, 110, COOL))
    for minute in range(20, -1, -1):
        town.take(minutes(minute, minute, WARM))
    assert town.told() == [("resolved", ["raised", "resolved"])]
    with writing(town._ledger) as conn:
        (row,) = alerts.list_in(conn, None)
    assert row.resolved_at is not None and row.raised_at <= row.resolved_at


def test_pieces_in_any_order_make_one_stretch(town: Town) -> None:
    town.take(minutes(100, 110, COOL))
    for first in (8, 0, 12, 4):
        town.take(minutes(first, first + 3, WARM))
    assert town.told() == [("resolved", ["raised", "resolved"])]
    town.take(minutes(16, 16, COOL))
    town.take(minutes(20, 26, WARM))
    assert town.told() == [("resolved", ["raised", "resolved"])]


series = st.lists(
    st.tuples(st.integers(0, 240), st.sampled_from([COOL, WARM])),
    unique_by=lambda pair: pair[0],
    max_size=40,
)


@given(told=series)
def test_no_moment_is_told_twice(told: Minutes) -> None:
    """In whatever order readings come: stretches that were told do not overlap."""
    state, past = ThresholdState(), Late()
    stretches: list[tuple[float, float]] = []
    for minute, value in told:
        at = NOON + timedelta(minutes=minute)
        if state.seen_at is not None and at <= state.seen_at:
            past, stretch = late.step(past, state, WHEN, limit(), at, value)
            if stretch is not None:
                since, until = stretch
                stretches.append(((since - NOON).total_seconds(), (until - NOON).total_seconds()))
            continue
        before = state
        state, change = threshold.step(state, WHEN, limit(), at, value)
        if change is Change.RESOLVES and before.outside_since is not None:
            past = late.told(past, before.outside_since, at)
            stretches.append(((before.outside_since - NOON).total_seconds(), minute * 60))
    for index, (since, until) in enumerate(stretches):
        assert since < until
        for other_since, other_until in stretches[index + 1 :]:
            assert not (other_since <= since and until <= other_until)
            assert not (since <= other_since and other_until <= until)


MINUTE = timedelta(minutes=1)
PRESENT = ThresholdState(seen_at=NOON + timedelta(days=1))


def told_of(arriving: Minutes) -> list[tuple[int, int]]:
    """The stretches that late readings have told in the end, in minutes, by time."""
    past = Late()
    count = 0
    for number, (minute, value) in enumerate(arriving):
        at = NOON + timedelta(minutes=minute)
        past, stretch = late.step(past, PRESENT, WHEN, limit(), at, value)
        if stretch is not None:
            count += 1
            first, last = (round((end - NOON) / MINUTE) for end in stretch)
            # By what has come, and no more than that.
            so_far = in_order(arriving[: number + 1])
            assert any(since <= first and last <= until for since, until in so_far)
    found = sorted(
        (round((since - NOON) / MINUTE), round((until - NOON) / MINUTE))
        for since, until in past.told
    )
    # Two that were told may have become one: by a reading between them.
    assert len(found) <= count
    return found


def in_order(readings: Minutes) -> list[tuple[int, int]]:
    """What should be told, by the rule's own words."""
    stretches: list[list[int]] = []
    unbroken: int | None = None
    for minute, value in sorted(readings):
        if value == COOL:
            unbroken = None
        elif unbroken is not None and minute - unbroken <= WHEN.gap_s / 60:
            stretches[-1][1] = unbroken = minute
        else:
            unbroken = minute
            stretches.append([minute, minute])
    return [(a, b) for a, b in stretches if (b - a) * 60 >= WHEN.for_s]


def some(last: int) -> st.SearchStrategy[Minutes]:
    """Readings of up to `last` minutes in any order."""
    one = st.tuples(st.integers(0, last), st.sampled_from([COOL, WARM, WARM, WARM]))
    return st.lists(one, unique_by=lambda pair: pair[0], max_size=40)


@given(told=some(300))
def test_late_readings_in_order_are_judged_by_the_rules_words(told: Minutes) -> None:
    assert told_of(sorted(told)) == in_order(told)[-late.TOLD_MOST :]


@given(told=some(50))
def test_any_order_within_a_window_tells_the_same(told: Minutes) -> None:
    """If what was inside has come; and so long that two parts can't each have been told before."""
    inside = [one for one in told if one[1] == COOL]
    outside = [one for one in told if one[1] == WARM]
    assert told_of(inside + outside) == in_order(told)


@given(told=some(150))
def test_in_no_order_is_anything_missed(told: Minutes) -> None:
    found = told_of(told)
    for since, until in in_order(told):
        assert any(first <= until and since <= last for first, last in found)
    for (_, last), (first, _) in pairwise(found):
        assert last < first
