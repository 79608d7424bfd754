"""The script of a virtual city: the same seed, the same city; every fact can travel and be told."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from contracts.events import Readings, TestResult
from edge_agent.outbox.encoding import encode_fact
from foodsentry.fleet.expected import SiteExpectation, numbers
from foodsentry.fleet.lies import Lie
from foodsentry.fleet.outbox import Span
from foodsentry.fleet.report import expectation
from foodsentry.fleet.script import PROBE, READER, FleetScript

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SCRIPT = FleetScript(begun_at=NOON, seed=7, sites=300, tests=9, liars=0.5, clocks=0.5, warm=0.5)


def test_the_same_seed_tells_the_same_and_another_one_does_not() -> None:
    for number in (0, 17):
        assert SCRIPT.site(number).facts() == SCRIPT.site(number).facts()
    other = msgspec.structs.replace(SCRIPT, seed=8)
    assert [f.data for _, f in other.site(0).facts()] != [f.data for _, f in SCRIPT.site(0).facts()]


def test_every_fact_can_travel_and_every_point_has_a_time_of_its_own() -> None:
    for site in SCRIPT.each():
        facts = [fact for _, fact in site.facts()]
        for place, fact in enumerate(facts, 1):
            encode_fact(fact, site.agent, "e1", place, 0)
        readings = [r for f in facts if isinstance(f.data, Readings) for r in f.data.readings]
        assert len({one.measured_at for one in readings}) == len(readings) == 30
        assert [share for share, _ in site.facts()] == sorted(share for share, _ in site.facts())


def test_totals_follow_from_the_numbers() -> None:
    expected = expectation(SCRIPT)
    assert expected.facts == 300 * (9 + 6 + 3)
    assert (expected.tests, expected.readings) == (2700, 9000)
    assert (expected.observations, expected.pictures) == (300, 300)
    assert expected.alerts["no_hat"] == 300
    assert expected.alerts["pesticide_positive"] == sum(
        fact.data.value.number >= 50
        for site in SCRIPT.each()
        for _, fact in site.facts()
        if isinstance(fact.data, TestResult) and fact.data.value.number is not None
    )


def of_lie(lie: Lie) -> list[SiteExpectation]:
    found = [SiteExpectation(site) for site in SCRIPT.each() if site.lie is lie]
    assert len(found) > 20, "a share of every kind"
    return found


def test_a_lie_leaves_its_trace() -> None:
    for told in of_lie(Lie.TOO_REGULAR):
        values = [test.value.number or 0.0 for _, test in told.tests]
        steps = {round(b - a, 6) for a, b in pairwise(values)}
        assert len(steps) == 1
        assert len(set(told.readings.values())) == 1
    for told in of_lie(Lie.COPIED_VALUES):
        assert max(Counter(test.value.text for _, test in told.tests).values()) >= 3
    for told in of_lie(Lie.IMPOSSIBLE_TIMES):
        for _, test in told.tests:
            assert test.measured_at is not None
            lag = test.captured_at - test.measured_at
            assert lag < timedelta(0) or lag > timedelta(hours=8)
    for told in of_lie(Lie.HONEST):
        assert not set(told.site.truth) & {READER, PROBE}
        assert len(set(told.readings.values())) > 10


def test_a_stopped_run_is_expected_up_to_where_it_came() -> None:
    told = SiteExpectation(SCRIPT.site(0))
    numbered = numbers([Span("a", 2), Span("b", 3)])
    assert numbered == [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]
    told.keep(len(numbered))
    assert sum(told.kinds.values()) == 5
    assert all(place < 5 for place, _ in told.tests)
