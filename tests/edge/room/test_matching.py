"""Results find their samples: decided where only one can be meant, asked everywhere else."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from room_parts import CONFIGS, INHIBITION, MORNING

from contracts.words import AttachedHow, Verdict
from edge_agent.room.guidance import load_next_steps, wants_rerun
from edge_agent.room.matching import (
    Ask,
    Attach,
    Bounds,
    Candidate,
    Had,
    Heard,
    Why,
    fits_name,
    lacks,
    match,
)
from edge_agent.room.numbers import Fit, fit, number_for

RULES = load_next_steps(CONFIGS / "rooms/next_steps.toml")
NUMBERS = [number_for(date(2026, 11, 26), running) for running in (1, 2, 3)]


def wants(item: str, verdicts: Sequence[Verdict]) -> bool:
    return wants_rerun(RULES, item, verdicts)


def sample(
    place: int, product: str = "菜心", minute: float = 0, had: Sequence[Verdict] = ()
) -> Candidate:
    return Candidate(
        sample_id=f"s{place}",
        number=NUMBERS[place],
        registered_at=MORNING + timedelta(minutes=minute),
        names=frozenset({product}),
        had=tuple(Had(INHIBITION, one) for one in had),
    )


def heard(number: str = "", name: str = "", *, cut: bool = False, minute: float = 20) -> Heard:
    at = MORNING + timedelta(minutes=minute)
    return Heard(INHIBITION, at, number, name, cut)


def test_a_number_decides_whatever_the_time() -> None:
    samples = [sample(0), sample(1), sample(2)]
    late = heard(NUMBERS[1], minute=60 * 26)
    assert match(late, samples, wants) == Attach("s1", AttachedHow.NUMBER)
    cut = NUMBERS[1].replace("-", "")[-6:]
    assert match(heard(cut), samples, wants) == Attach("s1", AttachedHow.NUMBER)
    assert match(heard("00" + NUMBERS[2]), samples, wants) == Attach("s2", AttachedHow.NUMBER)


def test_a_number_that_comes_again_is_a_rerun_only_where_one_was_asked_for() -> None:
    for had, how in [
        ((Verdict.POSITIVE,), AttachedHow.RERUN),
        ((Verdict.PASS,), AttachedHow.NUMBER),
        ((Verdict.POSITIVE, Verdict.PASS), AttachedHow.NUMBER),
    ]:
        assert match(heard(NUMBERS[0]), [sample(0, had=had)], wants) == Attach("s0", how)


def test_a_number_that_nobody_was_given_is_asked_even_with_one_sample() -> None:
    other = number_for(date(2026, 11, 26), 9)
    assert match(heard(other), [sample(0)], wants) == Ask(Why.UNKNOWN_NUMBER)
    assert match(heard("MLT-0417"), [sample(0)], wants) == Ask(Why.OTHER_NUMBER)


def test_an_instruments_own_count_says_nothing() -> None:
    assert match(heard("7"), [sample(0)], wants) == Attach("s0", AttachedHow.WINDOW)
    answer = match(heard("7"), [sample(0), sample(1)], wants)
    assert isinstance(answer, Ask) and answer.why is Why.SEVERAL


def test_a_number_of_one_sample_with_the_name_of_another_is_asked() -> None:
    samples = [sample(0, "菜心"), sample(1, "韭菜")]
    answer = match(heard(NUMBERS[0], "韭菜"), samples, wants)
    assert isinstance(answer, Ask) and answer.candidates == ("s0",)


def test_names_tell_samples_apart_and_a_cut_one_by_its_beginning() -> None:
    samples = [sample(0, "小白菜"), sample(1, "胡萝卜")]
    assert match(heard(name="小白", cut=True), samples, wants) == Attach("s0", AttachedHow.WINDOW)
    assert match(heard(name="胡萝卜"), samples, wants) == Attach("s1", AttachedHow.WINDOW)
    assert isinstance(match(heard(name="小白"), samples, wants), Ask)
    assert isinstance(match(heard(name="番茄"), samples[:1], wants), Ask)


def test_two_alike_are_asked_the_newest_first() -> None:
    samples = [sample(0, "豆角", 0), sample(1, "豆角", 5), sample(2, "菜心", 6)]
    answer = match(heard(name="豆角"), samples, wants)
    assert answer == Ask(Why.SEVERAL, ("s1", "s0"))


@pytest.mark.parametrize(("minute", "expected"), [(-1, False), (0, True), (60, True), (61, False)])
def test_without_a_number_only_within_the_window(minute: float, expected: bool) -> None:
    answer = match(heard(minute=minute), [sample(0)], wants)
    assert isinstance(answer, Attach) is expected


def test_a_record_of_another_time_is_asked() -> None:
    at = MORNING + timedelta(minutes=20)
    old = Heard(INHIBITION, at, measured_at=at - timedelta(hours=2))
    assert match(old, [sample(0)], wants) == Ask(Why.OLD, ("s0",))
    before_it_was_registered = Heard(
        INHIBITION, MORNING, measured_at=MORNING - timedelta(minutes=3)
    )
    assert match(before_it_was_registered, [sample(0)], wants) == Ask(Why.OLD, ("s0",))
    repeat = msgspec.structs.replace(heard(NUMBERS[0]), may_be_repeat=True)
    assert match(repeat, [sample(0)], wants) == Ask(Why.REPEAT, ("s0",))
    fresh = Heard(INHIBITION, at, measured_at=at - timedelta(minutes=2))
    assert match(fresh, [sample(0)], wants) == Attach("s0", AttachedHow.WINDOW)


@pytest.mark.parametrize(
    ("had", "waits"),
    [
        ([], True),
        ([Verdict.PASS], False),
        ([Verdict.POSITIVE], True),
        ([Verdict.POSITIVE, Verdict.PASS], False),
        ([Verdict.SUSPECT], True),
        ([Verdict.SUSPECT, Verdict.PASS], True),
        ([Verdict.SUSPECT, Verdict.PASS, Verdict.PASS], False),
        ([Verdict.INVALID], True),
    ],
)
def test_a_sample_waits_for_its_first_result_and_its_reruns(
    had: list[Verdict], waits: bool
) -> None:
    answer = match(heard(), [sample(0, had=had)], wants)
    how = AttachedHow.RERUN if had else AttachedHow.WINDOW
    assert answer == (Attach("s0", how) if waits else Ask(Why.NONE))


def test_every_small_room_is_decided_only_where_one_can_be_meant() -> None:
    """Each of 3 products, registered early or late, tested or not, and each result."""
    kinds = list(itertools.product(["菜心", "韭菜"], [0, 50], [(), (Verdict.PASS,)]))
    results = [
        heard(number, name, minute=minute)
        for number in ("", NUMBERS[0], "99")
        for name in ("", "菜心", "韭菜")
        for minute in (20, 70)
    ]
    for count in (1, 2, 3):
        for rooms in itertools.product(kinds, repeat=count):
            samples = [sample(place, *kind) for place, kind in enumerate(rooms)]
            for one in results:
                check(one, samples)


def check(one: Heard, samples: list[Candidate]) -> None:
    """What holds of every answer, said without the code that gave it."""
    answers = {match(one, order, wants) for order in (samples, samples[::-1])}
    assert len(answers) == 1, "the order of samples matters"
    (answer,) = answers
    if isinstance(answer, Ask):
        assert set(answer.candidates) <= {other.sample_id for other in samples}
        return
    chosen = next(other for other in samples if other.sample_id == answer.sample_id)
    assert fits_name(one, chosen)
    if any(fit(one.number, other.number) >= Fit.CUT for other in samples):
        assert fit(one.number, chosen.number) >= Fit.CUT
        return
    waiting = [
        other
        for other in samples
        if lacks(one, other, wants)
        and fits_name(one, other)
        and timedelta(0) <= one.captured_at - other.registered_at <= Bounds().window
    ]
    assert waiting == [chosen], "it was guessed"


rooms = st.lists(
    st.tuples(
        st.sampled_from(["菜心", "韭菜", "小白菜"]),
        st.integers(0, 200),
        st.lists(st.sampled_from(Verdict), max_size=3),
    ),
    max_size=3,
)
texts = st.one_of(
    st.sampled_from(["", *NUMBERS]),
    st.sampled_from(NUMBERS).flatmap(lambda n: st.integers(1, 9).map(lambda k: n[-k:])),
    st.text("0123456789-A", max_size=12),
)


@given(
    rooms, texts, st.sampled_from(["", "菜心", "小白", "韭"]), st.booleans(), st.integers(0, 300)
)
def test_no_room_and_no_result_is_guessed(
    drawn: list[tuple[str, int, list[Verdict]]], number: str, name: str, cut: bool, minute: int
) -> None:
    samples = [sample(place, *kind) for place, kind in enumerate(drawn)]
    check(heard(number, name, cut=cut, minute=minute), samples)
