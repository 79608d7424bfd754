"""Tests of when devices count as heard, and how often that is written."""

from datetime import timedelta

from gateway_town import COLD, NOON, canteen, inbound, readings, registry, status

from contracts.words import DeviceState
from gateway.broker import Inbound
from gateway.intake import hearing
from gateway.intake.hearing import EVERY, Hearing
from gateway.unpack import Accepted, unpack

AGENT = canteen("agent")


def accepted(message: Inbound) -> Accepted:
    made = unpack(message, registry())
    assert isinstance(made, Accepted)
    return made


def test_a_backlog_shows_the_agent_alive_not_the_device() -> None:
    heard, now = Hearing(), NOON + timedelta(hours=3)
    heard.hear([accepted(inbound(COLD, readings((0, 4.0)), 1, received_at=now))])
    assert heard.due(now) == {COLD: NOON, AGENT: now}


def test_a_status_is_heard_unless_it_says_farewell() -> None:
    heard = Hearing()
    heard.hear([accepted(inbound(AGENT, status()))])
    assert heard.due(NOON) == {AGENT: NOON}
    heard = Hearing()
    heard.hear([accepted(inbound(AGENT, status(DeviceState.OFFLINE)))])
    assert heard.due(NOON) == {}


def test_what_is_not_due_yet_is_written_later_and_the_newest_time_counts() -> None:
    heard = Hearing()
    for after_s in (0, 1, 3):
        now = NOON + timedelta(seconds=after_s)
        heard.hear([accepted(inbound(COLD, readings((0, 4.0)), 1, at=now, received_at=now))])
        marks = heard.due(now)
        assert marks == ({} if after_s == 1 else {COLD: now, AGENT: now})
        assert heard.due(now) == marks  # until it is written
        heard.written(marks)
        assert heard.due(now) == {}
    assert heard.due(now + EVERY) == {}


def test_many_are_written_in_several_transactions() -> None:
    heard, count = Hearing(), hearing.MOST + 5
    one = accepted(inbound(COLD, readings((0, 4.0)), 1))
    for number in range(count):
        heard._note(canteen(f"probe{number}"), one.message.received_at)
    sizes = []
    while marks := heard.due(NOON):
        sizes.append(len(marks))
        heard.written(marks)
    assert sizes == [hearing.MOST, 5]
