"""Tests of trends: the line, when it leads to the limit, when it is over, what is kept."""

from datetime import timedelta

import msgspec
import pytest
from gateway_town import COLD, NOON, device
from hypothesis import given
from hypothesis import strategies as st

from contracts.words import Severity
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import TrendTo
from gateway.alerts.limits import StorageLimit, StorageLimits
from gateway.alerts.outcomes import Raise
from gateway.alerts.rule import Rule
from gateway.alerts.series import JudgedReading
from gateway.alerts.trend import PARTS, TrendState, judge_trend, line, time_left

COLD_LIMIT = StorageLimit("cold", "<", 8.0, "Cel", "冷藏", "cold", "test", "U")
HOT_LIMIT = StorageLimit("hot", ">", 60.0, "Cel", "热藏", "hot", "test", "U")
LIMITS = StorageLimits([COLD_LIMIT, HOT_LIMIT])
WORDS = dict.fromkeys(("title_zh", "title_en", "summary_zh"), "{per_hour}")


def trend(limit: str = "cold", horizon_s: float = 3600) -> Rule:
    when = TrendTo(("t",), limit, horizon_s, 3600, least=6, fit=0.8)
    said = {"summary_en": "{value} {limit} {limit_meaning} {duration} {per_hour}"}
    return Rule(id="r", version="1", severity=Severity.DEADLINE, when=when, **WORDS, **said)


def run(rule: Rule, told: list[tuple[float, float]]) -> list[tuple[str, str]]:
    """What happened, for (minute, value) in order of arrival, each its own batch."""
    book, state, happened = RuleBook([rule], LIMITS), TrendState(), []
    for minute, value in told:
        reading = JudgedReading(NOON + timedelta(minutes=minute), value, "Cel")
        state = msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), TrendState)
        state, found = judge_trend(book, rule, device(COLD), "t", state, [reading])
        assert len(state.points) <= PARTS + 1
        for one in found:
            raised = isinstance(one, Raise)
            happened.append(
                ("raised", one.summary_en) if isinstance(one, Raise) else ("over", one.reason)
            )
            assert raised is state.firing
    return happened


def ramp(begin: float, per_minute: float, minutes: range) -> list[tuple[float, float]]:
    return [(minute, begin + per_minute * minute) for minute in minutes]


def test_a_line_is_found() -> None:
    points = tuple((NOON + timedelta(seconds=s), 2.0 + s / 100) for s in range(0, 1000, 100))
    found = line(points)
    assert found is not None
    assert found.now == pytest.approx(11.0) and found.per_s == pytest.approx(0.01)
    assert found.fit == pytest.approx(1.0)
    assert line(points[:1]) is None


def test_it_fires_once_on_the_way_and_is_over_when_the_limit_is_reached() -> None:
    # 0.05 degrees a minute from 4.0: at 20 minutes 5.0, and 60 minutes from 8.0.
    happened = run(trend(), ramp(4.0, 0.05, range(0, 90, 2)))
    assert [kind for kind, _ in happened] == ["raised", "over"]
    assert happened[0][1] == "5.5 °C < 8 °C cold 50 min 3 °C"  # half a window makes a line
    assert happened[1][1] == "8 °C，限值 < 8 °C：已达限值 / 8 °C, limit < 8 °C: reached"


def test_both_sides_of_the_horizon() -> None:
    points = tuple((NOON + timedelta(minutes=m), 4.0 + 0.05 * m) for m in range(0, 31, 3))
    left_s = time_left(points, trend().when, COLD_LIMIT)  # type: ignore[arg-type]
    assert left_s == pytest.approx(3000)
    told = ramp(4.0, 0.05, range(0, 31, 3))
    assert run(trend(horizon_s=3001), told) and not run(trend(horizon_s=2999), told)


def test_it_is_over_when_it_turns() -> None:
    told = ramp(4.0, 0.05, range(0, 42, 3)) + [(m, 6.0 - (m - 40) * 0.05) for m in range(42, 90, 3)]
    assert [kind for kind, _ in run(trend(), told)] == ["raised", "over"]


def test_a_limit_below_is_headed_for_from_above() -> None:
    assert [kind for kind, _ in run(trend("hot"), ramp(65.0, -0.1, range(0, 40, 3)))] == ["raised"]
    assert run(trend("hot"), ramp(65.0, 0.1, range(0, 40, 3))) == []


@pytest.mark.parametrize(
    "told",
    [
        ramp(4.0, 0.05, range(0, 12, 3)),  # too few
        ramp(4.0, 0.05, range(0, 28, 2)),  # of too short a time
        ramp(9.0, 0.05, range(0, 61, 3)),  # beyond it already
        [(m, 4.0 + (m // 3 % 2)) for m in range(0, 61, 3)],  # no line
        [(m, 4.0) for m in range(0, 61, 3)],  # level
        ramp(4.0, -0.05, range(0, 61, 3)),  # away from it
    ],
)
def test_what_is_no_trend(told: list[tuple[float, float]]) -> None:
    assert run(trend(), told) == []


def test_another_unit_is_not_judged() -> None:
    rule, state = trend(), TrendState()
    reading = JudgedReading(NOON, 4.0, "K")
    assert judge_trend(RuleBook([rule], LIMITS), rule, device(COLD), "t", state, [reading]) == (
        state,
        [],
    )


Told = st.lists(
    st.tuples(st.integers(0, 70), st.integers(0, 12)), unique_by=lambda one: one[0], max_size=30
)


@given(told=Told, data=st.data())
def test_repeated_readings_and_batches_change_nothing(
    told: list[tuple[float, float]], data: st.DataObject
) -> None:
    told.sort()
    rule = trend()
    again = [pair for one in told for pair in [one] * data.draw(st.integers(1, 2))]
    assert run(rule, again) == run(rule, told)
    readings = [JudgedReading(NOON + timedelta(minutes=m), float(v), "Cel") for m, v in told]
    book = RuleBook([rule], LIMITS)
    _, found = judge_trend(book, rule, device(COLD), "t", TrendState(), readings)
    assert len(found) == len(run(rule, told))
