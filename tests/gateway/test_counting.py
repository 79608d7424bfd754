"""Tests of rules that count and that combine: against what they mean, in any order."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest
from gateway_town import NOON, READER, inbound, registry, result
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.topics import Identity
from contracts.words import Severity, Verdict
from gateway.alerts import combine, counting
from gateway.alerts.book import RuleBook
from gateway.alerts.combine import TogetherState, Told
from gateway.alerts.counting import MOST, Counted, CountState
from gateway.alerts.kinds import Combination, CountOf, Part
from gateway.alerts.outcomes import Outcome, Raise, Resolve
from gateway.alerts.rule import Rule
from gateway.intake.store import take_in
from gateway.unpack import Accepted, unpack
from ledger import alerts
from ledger.engine import open_engine, reading, writing

WEEK = CountOf("tests", window_s=100, count=3)


def event(second: int, matched: bool = True, value: str = "") -> Counted:
    return Counted(NOON + timedelta(seconds=second), f"e{second}{value}", matched, value)


def through_json(state: CountState) -> CountState:
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), CountState)


def run(when: CountOf, told: list[list[Counted]]) -> list[int]:
    """Places of the batches that fired; the state goes through JSON as through the ledger."""
    state, fired = CountState(), []
    for place, batch in enumerate(told):
        state, fires = counting.step(through_json(state), when, batch)
        if fires:
            fired.append(place)
    return fired


def meant(when: CountOf, told: list[Counted]) -> bool:
    """Whether some stretch of the window's length holds as many as it takes."""
    for end in told:
        since = end.at - timedelta(seconds=when.window_s)
        within = [one for one in told if since <= one.at <= end.at]
        matched = [one for one in within if one.matched]
        count = len({one.value for one in matched}) if when.distinct else len(matched)
        if end.matched and count >= when.count and len(matched) >= when.share * len(within):
            return True
    return False


# No two further apart than twice the window: what is older is forgotten.
Events = st.lists(
    st.builds(event, st.integers(0, 200), st.booleans(), st.sampled_from(["a", "b"])),
    unique_by=lambda one: one.name,
    max_size=12,
)


@given(told=Events, data=st.data())
def test_counts_mean_what_they_say_in_any_order(told: list[Counted], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    order = data.draw(st.permutations(told + again))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    for when in (WEEK, CountOf("tests", 100, 2, distinct="stall")):
        assert bool(run(when, batches)) is meant(when, told)
        assert len(run(when, batches)) <= 1


@given(told=Events, data=st.data())
def test_a_rate_fires_in_order_as_it_was_known(told: list[Counted], data: st.DataObject) -> None:
    """A share can only be said of what has come: in order of time, and repeated as you like."""
    when = CountOf("tests", 100, 2, share=0.5)
    order = sorted(told)
    known = any(meant(when, order[:end]) for end in range(len(order) + 1))
    strewn: list[list[Counted]] = []
    for place, one in enumerate(order):
        strewn.append([one, order[data.draw(st.integers(0, place))]])
    assert bool(run(when, strewn)) is known


def test_a_window_is_over_when_no_more_comes() -> None:
    state, fires = counting.step(CountState(), WEEK, [event(second) for second in (0, 50, 100)])
    assert fires and state.until == NOON + timedelta(seconds=200)
    state, fires = counting.step(state, WEEK, [event(120)])
    assert not fires and state.until == NOON + timedelta(seconds=220)


def test_a_group_is_bounded() -> None:
    state = CountState()
    for second in range(2 * MOST):
        state, _ = counting.step(state, CountOf("tests", 10_000, 60), [event(second)])
    assert len(state.events) == MOST
    state, _ = counting.step(state, CountOf("tests", 10, 60), [event(10 * MOST)])
    assert len(state.events) == 1


BOTH = Combination((Part(("a",), 2), Part(("b",))), within_s=100)
WORDS = dict.fromkeys(("title_zh", "title_en", "summary_zh", "summary_en"), "x")
RULE = Rule(id="both", version="1", severity=Severity.DEADLINE, when=BOTH, **WORDS)
Span = tuple[int, int, int, int]
"""Part, device, raised at, over at (no later: never)."""


def outcomes(number: int, span: Span) -> list[tuple[int, Outcome]]:
    part, device, since, until = span
    who = Identity("r", "s", f"d{device}")
    name = f"{'ab'[part]}|{who.source}|{number}"
    at = NOON + timedelta(seconds=since)
    other = Rule(id="ab"[part], version="1", severity=Severity.DEADLINE, when=BOTH, **WORDS)
    told: list[tuple[int, Outcome]] = [
        (part, Raise(fingerprint=name, rule=other, who=who, at=at, facts={}, **WORDS))
    ]
    if until > since:
        over: datetime = NOON + timedelta(seconds=until)
        told.append((part, Resolve(fingerprint=name, at=over, reason="")))
    return told


def at_once(spans: list[Span]) -> bool:
    """Whether there was a moment with two devices of part 0 and one of part 1."""
    for moment in {since for _, _, since, _ in spans}:
        there = [
            (part, device)
            for part, device, since, until in spans
            if since <= moment <= since + 100 and (until <= since or until > moment)
        ]
        if len({d for p, d in there if p == 0}) >= 2 and any(p == 1 for p, _ in there):
            return True
    return False


SPANS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 150), st.integers(0, 200)),
    max_size=7,
)


def combined(told: list[tuple[int, Outcome]]) -> int:
    """How often it was raised; the state goes through JSON as through the ledger."""
    state, raised, firing = TogetherState(), 0, False
    for part, outcome in told:
        state = msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), TogetherState)
        state, found = combine.step(state, RULE, "r/s", [Told(part, outcome)])
        for one in found:
            assert one.fingerprint == "both|r/s|together"
            assert isinstance(one, Raise) is not firing  # in turns
            firing = isinstance(one, Raise)
            raised += firing
    return raised


@given(spans=SPANS)
def test_combinations_mean_what_they_say(spans: list[Span]) -> None:
    told = [one for number, span in enumerate(spans) for one in outcomes(number, span)]
    # Of one moment, what is over is over before anything begins.
    told.sort(key=lambda one: (one[1].at, isinstance(one[1], Raise)))
    assert bool(combined(told)) is at_once(spans)


@given(spans=SPANS, data=st.data())
def test_in_any_order_nothing_that_was_at_once_is_missed(
    spans: list[Span], data: st.DataObject
) -> None:
    """An end that comes late may leave an alert more, raised by what was known, and over."""
    waiting = [outcomes(number, span) for number, span in enumerate(spans)]
    told = []
    while some := [one for one in waiting if one]:
        told.append(data.draw(st.sampled_from(some)).pop(0))
    if at_once(spans):
        assert combined(told)


@pytest.mark.real
def test_two_gateways_count_together(town_database: str, book: RuleBook) -> None:
    """Each takes suspects of one supplier in transactions of their own: the window fires once."""
    engines = [open_engine(town_database) for _ in range(2)]

    def work(place: int) -> None:
        for number in range(4):
            told = result(Verdict.SUSPECT, "45.00", NOON + timedelta(hours=number))
            told = replace(told, sample=replace(told.sample, supplier="甲公司"))
            message = inbound(READER, told, number + 1, epoch=f"e{place}")
            one = unpack(message, registry())
            assert isinstance(one, Accepted)
            with writing(engines[place]) as conn:
                take_in(conn, [one], [], book, NOON)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    with reading(engines[0]) as conn:
        counts = Counter((row.rule, row.count) for row in alerts.list_in(conn, None))
    for engine in engines:
        engine.dispose()
    assert counts == {("pesticide_suspect", 1): 8, ("supplier_suspects", 1): 1}
