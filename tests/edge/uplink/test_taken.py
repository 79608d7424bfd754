"""What is taken in but not stored: when a probe goes, when the rest follows, what it costs."""

import random

from edge_agent.uplink.taken import QUIET_S, TakenIn


def taken_in(*keys: int, now: float = 0.0) -> TakenIn:
    taken = TakenIn(30.0, 600.0, lambda: 1.0)
    taken.told(keys, now)
    return taken


def probe(taken: TakenIn, now: float) -> int:
    first, last, count = taken.next(100, now)
    assert count == 1
    taken.sending(first, first, [first])
    assert taken.next(100, now)[2] == 0, "one at a time"
    assert first <= last
    return first


def test_one_probe_goes_with_doubling_pauses_while_the_store_is_away() -> None:
    taken = taken_in(1, 2, 3)
    probes = []
    for second in range(3600):
        if taken.next(100, float(second))[2]:
            probes.append(second)
            taken.told([probe(taken, float(second))], float(second))
            taken.told([1000 + second], second + 0.5)  # what is new is taken in, too
    assert probes == [30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]


def test_when_the_probe_is_stored_the_rest_follows_from_the_oldest() -> None:
    taken = taken_in(1, 2, 3, 4, 7)
    assert taken.stored(probe(taken, 30.0), 1, 31.0) == []
    assert taken.next(2, 31.0) == (2, 4, 2)
    taken.sending(2, 3, [2, 3])
    assert taken.next(50, 31.0) == (4, 4, 50)
    taken.sending(4, 4, [])  # thinned out meanwhile
    assert taken.next(50, 31.0) == (7, 7, 50)


def test_late_word_of_stored_ones_is_taken() -> None:
    taken = taken_in(*range(1, 11))
    assert taken.stored(4, 20, 1.0) == [(4, 10)]
    assert len(taken) == 3
    assert taken.next(50, 29.0)[2] == 0, "the store may still be away"


def test_a_store_that_fails_again_stops_the_rest() -> None:
    taken = taken_in(1, 2, 3)
    taken.stored(probe(taken, 30.0), 1, 31.0)
    taken.sending(2, 3, [2, 3])
    taken.told([2], 32.0)
    assert taken.next(50, 61.0)[2] == 0
    assert taken.next(50, 62.0) == (2, 2, 1)
    taken.told([3], 62.0)


def test_one_of_two_gateways_without_its_store_costs_no_storm() -> None:
    taken, chance, sent, left = taken_in(*range(1, 1001)), random.Random(1), 0, set(range(1, 1001))
    for tenth in range(12_000):  # twenty minutes; half of all that is sent comes back unstored
        now = tenth / 10
        taken.told([5000 + tenth], now)
        taken.stored(100_000 + tenth, 100_000 + tenth, now)
        keys: list[int] = []
        while len(keys) < 64 and (span := taken.next(64 - len(keys), now))[2]:
            some = list(range(span[0], min(span[1], span[0] + span[2] - 1) + 1))
            taken.sending(some[0], some[-1], some)
            keys += some
        sent += len(keys)
        for key in keys:
            if chance.random() < 0.5:
                taken.stored(key, key, now)
                left.discard(key)
            else:
                taken.told([key], now)
    assert len(left) < 900, "it goes on"
    assert sent < 1500, "and nothing like all of it each time"


def test_when_others_are_stored_for_a_while_the_probe_goes_at_once() -> None:
    taken = taken_in(1)
    for now in (30.0, 90.0, 210.0):
        taken.told([probe(taken, now)], now)
    taken.stored(50, 50, 210 + QUIET_S - 1)
    assert taken.next(50, 210 + QUIET_S)[2] == 0
    taken.stored(51, 51, 210 + QUIET_S + 1)
    assert probe(taken, 210 + QUIET_S + 1) == 1


def test_a_probe_that_is_thinned_out_or_refused_gives_way_to_another() -> None:
    taken = taken_in(1, 2, 3)
    probe(taken, 30.0)
    taken.gone(1)
    assert probe(taken, 30.0) == 2
    taken.failed(2, 31.0)
    assert taken.next(50, 31.0)[2] == 0
    assert probe(taken, 95.0) == 3


def test_a_month_of_events_is_one_range() -> None:
    taken = TakenIn(30.0, 600.0, lambda: 1.0)
    for start in range(1, 1_500_001, 1000):
        taken.told(range(start, start + 1000), 0.0)
    assert len(taken) == 1_500_000
    assert taken._keys.within(1, 2_000_000) == [(1, 1_500_000)]
