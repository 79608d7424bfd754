"""Sample numbers: their check digit, and what instruments make of them."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.room.numbers import Fit, check_digit, fit, is_ours, number_for

days = st.dates(date(2020, 1, 1), date(2099, 12, 31))
runnings = st.integers(1, 99_999)


def test_the_check_digit_is_damms() -> None:
    assert check_digit("572") == "4"  # the example of his thesis
    assert number_for(date(2026, 11, 26), 17) == "261126-017" + check_digit("261126017")


@settings(deadline=None)
@given(days, runnings, st.sampled_from(["", "A", "QX"]))
def test_a_number_fits_itself_however_it_is_written(day: date, running: int, prefix: str) -> None:
    number = number_for(day, running, prefix)
    assert is_ours(number)
    bare = number.replace("-", "")
    for sent in (number, bare, f" {bare.lower()} ", number.replace("-", "－")):
        assert fit(sent, number) is Fit.EXACT


@settings(deadline=None)
@given(days, runnings, runnings)
def test_two_numbers_of_a_day_never_fit_each_other(day: date, one: int, other: int) -> None:
    if one != other:
        assert fit(number_for(day, one), number_for(day, other)) < Fit.CUT


@settings(deadline=None)
@given(days, runnings, st.data())
def test_a_wrong_digit_or_two_that_changed_places_are_noticed(
    day: date, running: int, data: st.DataObject
) -> None:
    bare = number_for(day, running).replace("-", "")
    at = data.draw(st.integers(0, len(bare) - 1))
    digit = data.draw(st.sampled_from("0123456789".replace(bare[at], "")))
    assert not is_ours(bare[:at] + digit + bare[at + 1 :])
    if at and bare[at] != bare[at - 1]:
        assert not is_ours(bare[: at - 1] + bare[at] + bare[at - 1] + bare[at + 1 :])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("0000{bare}", Fit.CUT),
        ("{bare}000", Fit.CUT),
        ("{cut}", Fit.CUT),  # the check digit is missing
        ("{end6}", Fit.CUT),
        ("{end5}", Fit.HINT),
        ("{end4}", Fit.HINT),
        ("17", Fit.HINT),  # the running number, as somebody in a hurry types it
        ("00017", Fit.HINT),
        ("", Fit.NONE),
        ("--", Fit.NONE),
        ("0", Fit.NONE),
        ("MLT-0417-345", Fit.NONE),
        ("{start6}", Fit.NONE),  # only the day
    ],
)
def test_what_is_cut_or_padded(sent: str, expected: Fit) -> None:
    number = number_for(date(2026, 11, 26), 17)
    bare = number.replace("-", "")
    parts = {"bare": bare, "cut": bare[:-1], "start6": bare[:6]}
    parts |= {f"end{count}": bare[-count:] for count in (4, 5, 6)}
    assert fit(sent.format(**parts), number) is expected


def test_the_numbers_that_the_documents_show_are_ours() -> None:
    root = Path(__file__).parents[3]
    files = ("docs/testing-room.md", "docs/decisions/0036-numbers-without-memory.md")
    for file in (*files, "edge_agent/room/numbers.py"):
        shown = re.findall(r"\b\d{6}-\d{4,6}\b", (root / file).read_text("utf-8"))
        assert shown and all(is_ours(one) for one in shown), file
