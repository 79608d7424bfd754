"""The way through a recipient's contacts, as pure steps: bounded, in order, never twice by one."""

from datetime import timedelta

from gateway_town import NOON
from hypothesis import given
from hypothesis import strategies as st

from contracts.words import Severity
from gateway.notify.channels.channel import Failed, Outcome, Retry, Sent
from gateway.notify.delivery import (
    Patience,
    Way,
    after,
    first_sent,
    next_step,
    troubles,
    width,
)
from ledger.notification_tries import Try

outcomes = st.one_of(
    st.just(Sent()),
    st.just(Failed("no")),
    st.builds(Retry, st.just("busy"), st.one_of(st.none(), st.floats(0, 1000))),
)
PATIENCE = Patience(5.0, 300.0)


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.lists(outcomes, max_size=60))
def test_every_message_is_sent_or_given_up_within_so_many_tries(
    number: int, wide: int, most: int, script: list[Outcome]
) -> None:
    ways = [Way(f"c{one}", f"channel{one}") for one in range(number)]
    known: dict[str, Try] = {}
    now, answers = NOON, iter(script)
    tried: list[str] = []
    while not (step := next_step(ways, known, wide, now)).over:
        if first_sent(ways, known):
            break
        if not step.now:
            assert step.next_at is not None and step.next_at > now
            now = step.next_at
            continue
        assert len(step.now) <= wide
        for way in step.now:
            outcome = next(answers, Failed("no"))
            tried.append(way.contact)
            known[way.contact] = after(
                way, 1, known.get(way.contact), outcome, most_tries=most, patience=PATIENCE, now=now
            )
    assert all(tried.count(way.contact) <= most for way in ways)
    first_tried = list(dict.fromkeys(tried))
    assert first_tried == [way.contact for way in ways][: len(first_tried)]
    assert now - NOON <= timedelta(seconds=300 * most * number)
    if first_sent(ways, known) is None:
        assert len(first_tried) == number
        assert all(way.channel in troubles(ways, known) for way in ways)


def test_only_class_1_goes_by_two_ways_at_once() -> None:
    assert width(Severity.AT_ONCE, "alert", 2) == width(Severity.AT_ONCE, "escalated", 2) == 2
    assert width(Severity.AT_ONCE, "digest", 2) == width(Severity.DEADLINE, "alert", 2) == 1


def test_pauses_double_up_to_a_bound() -> None:
    assert [PATIENCE.pause(tries).total_seconds() for tries in (1, 2, 3, 7, 99)] == [
        5, 10, 20, 300, 300,
    ]  # fmt: skip
