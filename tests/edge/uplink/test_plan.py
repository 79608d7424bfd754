"""The plan of sending, rule by rule: when something is sent again, what is held, who passes."""

from itertools import pairwise

import pytest

from edge_agent.outbox.encoding import Lane
from edge_agent.uplink.plan import STRIKES, SendPlan
from edge_agent.uplink.settings import UplinkSettings


def plan_of(**settings: float) -> SendPlan:
    given = {"receipt_timeout_s": 30, "resend_max_s": 600, **settings}
    plan = SendPlan(UplinkSettings(**given), lambda: 1.0)  # type: ignore[arg-type]
    plan.connected(0.0, 65535, session_present=True)
    return plan


def send(plan: SendPlan, key: int, now: float, lane: Lane = Lane.READING, size: int = 100) -> int:
    plan.take(key, lane, size)
    plan.sent(key, key + 1000, now)
    return key + 1000


def test_an_acknowledged_event_is_probed_once_while_nobody_receipts() -> None:
    plan = plan_of()
    for key in range(1, 101):
        plan.acknowledged(send(plan, key, 0.0), 0.0)
    assert plan.take_due(29.0) == []
    probes: list[float] = []
    for second in range(30, 3600):
        for key in plan.take_due(float(second)):
            probes.append(float(second))
            plan.acknowledged(send(plan, key, float(second)), float(second))
    assert 5 <= len(probes) <= 12, probes  # 30, 60, 120, 240, 480, then every 600 s
    pauses = [b - a for a, b in pairwise(probes)]
    assert pauses == sorted(pauses)
    assert max(pauses) <= 601


def test_what_others_overtake_is_sent_again_with_doubling_pauses() -> None:
    plan = plan_of()
    plan.acknowledged(send(plan, 1, 0.0), 0.0)
    sent = []
    for second in range(1, 400):
        now = float(second)
        plan.acknowledged(send(plan, 10_000 + second, now), now)
        plan.receipted(10_000 + second, 10_000 + second, now, only_sent=True)
        for key in plan.take_due(now):
            assert key == 1
            sent.append(second)
            plan.acknowledged(send(plan, 1, now), now)
    assert sent == [30, 90, 210]


def test_what_nobody_heard_is_sent_again_as_soon_as_any_other_when_its_receipt_is_lost() -> None:
    plan = plan_of()
    plan.acknowledged(send(plan, 1, 0.0), 0.0, heard=False)
    for second in range(1, 60):  # a gateway that takes a minute to come back
        for key in plan.take_due(float(second)):
            plan.acknowledged(send(plan, key, float(second)), float(second), heard=False)
    (key,) = plan.take_due(60.0)
    plan.acknowledged(send(plan, key, 60.0), 60.0)  # heard; its receipt is lost
    assert plan.take_due(89.0) == []
    assert plan.take_due(90.0) == [1]


def test_what_brokers_lost_is_sent_again_as_soon_as_any_other_when_its_receipt_is_lost() -> None:
    plan = plan_of()
    plan.acknowledged(send(plan, 1, 0.0), 0.0)
    for second in (1.0, 2.0, 3.0, 4.0):
        plan.disconnected(second)
        plan.connected(second, 65535, session_present=False)
        assert plan.take_due(second) == [1]
        plan.acknowledged(send(plan, 1, second), second)
    assert plan.take_due(33.0) == []
    assert plan.take_due(34.0) == [1]


def test_when_receipts_come_back_the_rest_is_given_time() -> None:
    plan = plan_of()
    for key in range(1, 51):
        plan.acknowledged(send(plan, key, 0.0), 0.0)
    (probe,) = plan.take_due(31.0)
    plan.acknowledged(send(plan, probe, 31.0), 31.0)
    plan.receipted(1, 1, 40.0, only_sent=True)
    assert plan.take_due(41.0) == []
    assert plan.receipted(2, 40, 45.0, only_sent=True) == [(2, 40)]
    assert sorted(plan.take_due(51.0)) == list(range(41, 51))


def test_receipts_of_what_was_sent_again_hold_up_nothing_else() -> None:
    plan = plan_of()
    for key in range(1, 11):
        plan.acknowledged(send(plan, key, 0.0), 0.0)
    done = 0
    for second in range(1, 60):
        now = float(second)
        for key in plan.take_due(now):
            plan.acknowledged(send(plan, key, now), now)
            plan.receipted(key, key, now, only_sent=True)
            done = second
    assert plan.unreceipted == 0
    assert done <= 41  # the probe at 30 s, the grace, and then all the rest together


def test_while_nobody_listens_one_asks_and_then_all_go_at_once() -> None:
    plan = plan_of()
    for key in range(1, 101):
        plan.acknowledged(send(plan, key, 0.0), 0.0, heard=False)
    asked = []
    for second in range(1, 60):
        for key in plan.take_due(float(second)):
            asked.append(second)
            plan.acknowledged(send(plan, key, float(second)), float(second), heard=False)
    assert asked == list(range(2, 60, 2))
    (key,) = plan.take_due(60.0)
    plan.acknowledged(send(plan, key, 60.0), 60.0)  # somebody is there
    assert sorted(plan.take_due(60.1)) == sorted(set(range(1, 101)) - {key})


def test_a_broken_connection_makes_what_was_unacknowledged_due_at_once() -> None:
    plan = plan_of()
    for key in range(1, 6):
        send(plan, key, 0.0)
    plan.acknowledged(1001, 1.0)
    plan.disconnected(2.0)
    plan.connected(3.0, 65535, session_present=True)
    assert plan.take_due(3.0) == [2, 3, 4, 5]


def test_a_broker_that_forgot_its_session_gets_all_again() -> None:
    plan = plan_of()
    for key in range(1, 6):
        plan.acknowledged(send(plan, key, 0.0), 0.5)
    plan.disconnected(2.0)
    plan.connected(3.0, 65535, session_present=False)
    assert plan.take_due(3.0) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("place", [1, 7, 20])
def test_what_breaks_connections_is_found_held_and_blocks_nobody(place: int) -> None:
    plan = plan_of(window=16)
    waiting = list(range(1, 21))
    through: set[int] = set()
    breaks = 0
    now = 0.0
    while len(through) < 19:
        now += 1.0
        assert now < 60, (through, breaks)
        todo = plan.take_due(now)
        while waiting and len(todo) < plan.may_take(Lane.READING):
            key = waiting.pop(0)
            plan.take(key, Lane.READING, 10)
            todo.append(key)
        for key in todo:
            plan.sent(key, key + 1000, now)
        for key in todo:
            if key == place:  # the broker cuts us off as soon as it reads this one
                breaks += 1
                plan.disconnected(now)
                plan.connected(now, 65535, session_present=True)
                break
            plan.acknowledged(key + 1000, now)
            plan.receipted(key, key, now, only_sent=True)
            through.add(key)
    while not plan.held():
        now += 1.0
        assert now < 90
        for key in plan.take_due(now):
            assert key == place
            breaks += 1
            plan.sent(key, key + 1000, now)
            plan.disconnected(now)
            plan.connected(now, 65535, session_present=True)
    ((key, problem),) = plan.held()
    assert key == place
    assert "connection breaks" in problem
    assert plan.take_due(now + 599) == []
    assert plan.take_due(now + 601) == [place]  # one lonely try each ten minutes
    plan.sent(place, 5000, now + 601)
    assert plan.room() == 0, "and nobody travels with it"
    plan.acknowledged(5000, now + 602)
    assert plan.held() == []
    assert breaks >= STRIKES


def test_the_windows_bound_what_is_on_its_way() -> None:
    plan = plan_of(window=10, window_kb=16)
    assert plan.room() == 10
    plan.connected(0.0, 4, session_present=True)
    assert plan.room() == 4
    for key in (1, 2):
        send(plan, key, 0.0)
    plan.sent_aside(77, 0.0)
    assert plan.room() == 1
    plan.acknowledged(77, 0.0)
    send(plan, 3, 0.0, size=20_000)
    assert plan.room() == 0  # bytes


def test_readings_wait_at_the_limit_but_alarms_pass() -> None:
    plan = plan_of(unreceipted_limit=10)
    for key in range(1, 11):
        plan.acknowledged(send(plan, key, 0.0), 0.0)
    assert plan.may_take(Lane.READING) == 0
    assert plan.may_take(Lane.PICTURE) == 0
    assert plan.may_take(Lane.ALARM) > 0
    plan.receipted(1, 4, 1.0, only_sent=True)
    assert plan.may_take(Lane.READING) == 4


def test_a_refused_event_is_tried_ever_more_seldom_and_named() -> None:
    plan = plan_of()
    tries = []
    key = 1
    plan.take(key, Lane.READING, 10)
    plan.sent(key, 1, 0.0)
    assert plan.refused(1, "Not authorized", 0.0) == key
    assert plan.held() == [(key, "Not authorized")]
    for second in range(1, 2000):
        for due in plan.take_due(float(second)):
            tries.append(second)
            plan.sent(due, 2, float(second))
            plan.refused(2, "Not authorized", float(second))
    assert tries == [30, 90, 210, 450, 930, 1530]


def test_a_wrong_receipt_removes_only_what_was_sent() -> None:
    plan = plan_of()
    send(plan, 5, 0.0)
    assert plan.receipted(1, 1 << 40, 1.0, only_sent=True) == [(5, 5)]
    assert plan.receipted(1, 1 << 40, 1.0, only_sent=True) == []
    assert plan.receipted(1, 9, 1.0, only_sent=False) == [(1, 9)]


def test_a_silent_broker_is_noticed_later_when_much_is_on_its_way() -> None:
    plan = plan_of(ack_timeout_s=30)
    assert not plan.stalled(1e6)
    send(plan, 1, 10.0)
    assert not plan.stalled(40.0)
    assert plan.stalled(41.0)
    plan.take(2, Lane.PICTURE, 700_000)
    plan.sent(2, 2, 10.0)
    assert not plan.stalled(150.0)
    assert plan.stalled(220.0)


def test_what_is_taken_in_makes_room_and_is_not_sent_again_by_the_clock() -> None:
    plan = plan_of(unreceipted_limit=10)
    for key in range(1, 11):
        plan.acknowledged(send(plan, key, 0.0), 0.0)
    assert plan.may_take(Lane.READING) == 0
    plan.taken_in(1, 10, 0.5)
    assert plan.may_take(Lane.READING) == 10
    assert plan.unreceipted == 0
    assert plan.take_due(10_000.0) == []
    assert plan.receipted(4, 20, 10_000.0, only_sent=True) == [(4, 10)]
    assert len(plan.taken) == 3


def test_a_word_of_taken_in_is_believed_only_for_what_was_sent() -> None:
    plan = plan_of()
    plan.taken_in(1, 1000, 0.0)
    assert len(plan.taken) == 0
    assert plan.receipted(1, 1000, 1.0, only_sent=True) == []


def test_what_goes_again_leaves_room_for_alarms_and_stays_within_the_limit() -> None:
    plan = plan_of(unreceipted_limit=10)
    for key in range(1, 101):
        plan.acknowledged(send(plan, key, 0.0, Lane.ALARM), 0.0)
    plan.taken_in(1, 100, 0.5)
    assert plan.may_return(20.0)[2] == 0
    plan.take_back(1, 1, [(1, 100)])
    plan.receipted(1, 1, 31.0, only_sent=True)
    assert plan.may_return(31.0) == (2, 100, 10)
    plan.take_back(2, 11, [(key, 100) for key in range(2, 12)])
    assert plan.may_return(31.0)[2] == 0
    assert plan.may_take(Lane.READING) == 0
    assert plan.may_take(Lane.ALARM) > 400
