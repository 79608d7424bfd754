"""The pace of a drain: as fast as the city goes, and nobody's alarm stands long behind it."""

from collections import deque

import pytest

from edge_agent.outbox.encoding import Lane
from edge_agent.uplink.pace import FIRST, LEAST, SILENT_S, Pace
from edge_agent.uplink.plan import SendPlan
from edge_agent.uplink.settings import UplinkSettings

STEP_S = 0.05


def drain(sites: int, city_per_s: int, seconds: float) -> tuple[list[float], float]:
    """Sites with endless backlogs and one city; returns how long what came last had waited in the
    broker, twenty times a second, and the share of the city's time that it had something to do."""
    plans = [SendPlan(UplinkSettings(), lambda: 1.0) for _ in range(sites)]
    broker: deque[tuple[int, int, float]] = deque()
    waits: list[float] = []
    key, busy, steps = 0, 0, round(seconds / STEP_S)
    for plan in plans:
        plan.connected(0.0, 65535, session_present=True)
    for step in range(1, steps + 1):
        now = step * STEP_S
        for site, plan in enumerate(plans):
            for due in plan.take_due(now):
                plan.sent(due, key := key + 1, now)
                plan.acknowledged(key, now)
                broker.append((site, due, now))
            while plan.may_take(Lane.READING):
                key += 1
                plan.take(key, Lane.READING, 500)
                plan.sent(key, key, now)
                plan.acknowledged(key, now)
                broker.append((site, key, now))
        turn = round(city_per_s * STEP_S)
        busy += len(broker) >= turn
        for _ in range(min(turn, len(broker))):
            site, done, sent_at = broker.popleft()
            plans[site].receipted(done, done, now, only_sent=True)
        waits.append(now - sent_at)
    return waits, busy / steps


@pytest.mark.parametrize(("sites", "city_per_s"), [(1, 800), (40, 800)])
def test_a_drain_keeps_the_city_busy_and_the_queue_short(sites: int, city_per_s: int) -> None:
    waits, busy = drain(sites, city_per_s, 40)
    settled = sorted(waits[len(waits) // 2 :])
    assert settled[-1] < 4.0, "what is behind the queue waits for seconds, not minutes"
    assert busy > 0.9


def test_it_grows_with_prompt_receipts_and_halves_once_with_late_ones() -> None:
    pace = Pace(5000)
    assert pace.limit == FIRST
    pace.receipted([0.1] * 300, 1.0)
    assert pace.limit == FIRST + 300
    pace.receipted([0.1] * 9000, 1.1)
    assert pace.limit == 5000
    pace.receipted([3.0] * 10, 5.0)
    pace.receipted([3.0] * 10, 5.1)
    assert pace.limit == 2500, "the receipts of one queue halve it once"
    for number in range(20):
        pace.receipted([9.0], 20.0 + 10 * number)
    assert pace.limit == LEAST
    pace.receipted([], 400.0)
    assert pace.limit == LEAST


def test_without_any_receipt_fresh_readings_go_on_up_to_the_bound() -> None:
    pace = Pace(5000)
    pace.look(0.0)
    pace.look(SILENT_S)
    assert pace.limit == FIRST
    pace.look(SILENT_S + 6)
    assert pace.limit == FIRST + 500
    pace.look(3 * SILENT_S)
    assert pace.limit == 5000
    assert Pace(10).limit == 10
