"""Credit codes and licence numbers: real ones pass, any single slip is caught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identifiers import (
    IdentifierError,
    checked_credit_code,
    checked_food_licence,
    credit_code_check,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Published by well-known companies on their own pages.
REAL = ["91110000802100433B", "91440300708461136T", "914403001922038216", "91330100799655058B"]


@pytest.mark.parametrize("code", REAL)
def test_real_credit_codes_pass(code: str) -> None:
    assert checked_credit_code(code) == code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("91440300708461136X", "its check character is X, the others ask for T"),
        ("9144030070846113", "must be 18"),
        ("91440300708461136TT", "must be 18"),
        ("91440300708461136t", "must be 18"),
        ("9144030070846113OT", "without I O S V Z"),
        ("91440300708461136T\n", "must be 18"),
        ("", "must be 18"),
    ],
)
def test_wrong_credit_codes_say_why(code: str, reason: str) -> None:
    with pytest.raises(IdentifierError, match=reason):
        checked_credit_code(code)


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_every_single_slip_is_caught(body: str, place: int, other: str) -> None:
    code = body + credit_code_check(body)
    assert checked_credit_code(code) == code
    slipped = code[:place] + other + code[place + 1 :]
    if slipped != code:
        with pytest.raises(IdentifierError):
            checked_credit_code(slipped)


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 15))
def test_every_swap_of_neighbours_is_caught(body: str, place: int) -> None:
    code = body + credit_code_check(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped != code:
        with pytest.raises(IdentifierError):
            checked_credit_code(swapped)


def test_food_licence() -> None:
    assert checked_food_licence("JY14407030012345") == "JY14407030012345"
    for wrong in ("JY1440703001234", "jy14407030012345", "SC14407030012345", "JY1440703001234５"):
        with pytest.raises(IdentifierError, match="JY and 14 digits"):
            checked_food_licence(wrong)
