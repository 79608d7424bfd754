"""Sample numbers: how they are made, and whether what an instrument sent may be one of them.

``261126-0172`` is the 17th sample of 26 November 2026 with the check digit 2: digits only, for
instruments have digit keys only. The check digit is Damm's (H. M. Damm, 2004): it finds every
single wrong digit and every two neighbours that changed places.

A day begins with 1, but where the room's file was made on that day: it may stand in for one that is
gone, and begins with the second of the day (docs/decisions/0036-numbers-without-memory.md).
"""

import re
import unicodedata
from datetime import date, datetime
from enum import IntEnum

_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_OURS = re.compile(r"([A-Z]{0,2})(\d{6})(\d{3,5})(\d)\Z")
SHORTEST_CUT = 6
"""Of a number whose beginning was cut off, so much must be left: the day and all after it."""
LONGEST_WAIT_S = 5
"""A number that is due later than this was not given too fast: the clock has been set back."""
LAST_OF_DAY = 86_400
OWN_COUNT = 4
"""An instrument's own count has no more characters than this."""


class Fit(IntEnum):
    """How well what was sent agrees with a number."""

    NONE = 0
    HINT = 1
    """It may be the end of it, but also an instrument's own count: reason to ask."""
    CUT = 2
    """Cut or padded, and still this one's day, count and check digit."""
    EXACT = 3


def check_digit(digits: str) -> str:
    """Damm's check digit."""
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return str(state)


def number_for(day: date, running: int, prefix: str = "") -> str:
    """The number of the day's `running`-th sample."""
    core = f"{day:%y%m%d}{running:03d}"
    return f"{prefix}{core[:6]}-{core[6:]}{check_digit(core)}"


def due_by(at: datetime) -> int:
    """The highest running number that may be given up to `at`, in the room's time: one a second.

    Whatever was given before is not above it, whoever gave it: a room without memory begins after.
    """
    return at.hour * 3600 + at.minute * 60 + at.second + 1


def plain(sent: str) -> str:
    """What was sent, without anything that is neither letter nor digit, in upper case."""
    folded = unicodedata.normalize("NFKC", sent).upper()
    return "".join(sign for sign in folded if sign.isalnum())


def is_ours(sent: str) -> bool:
    """True if it is a whole number of our making, of whatever room and day."""
    found = _OURS.match(plain(sent))
    return found is not None and check_digit(found[2] + found[3]) == found[4]


def as_given(sent: str) -> str:
    """A number of our making as it is printed, however it was sent; empty if it is none."""
    found = _OURS.match(plain(sent))
    return f"{found[1]}{found[2]}-{found[3]}{found[4]}" if found and is_ours(sent) else ""


def fit(sent: str, number: str) -> Fit:
    """How well `sent` agrees with `number`.

    Instruments pad with blanks, dashes or noughts, and cut at their field's length: at the end, or
    at the beginning.
    """
    said, whole = plain(sent), plain(number)
    if not said:
        return Fit.NONE
    if said == whole:
        return Fit.EXACT
    padded = said.lstrip("0") == whole.lstrip("0") or (
        said.startswith(whole) and not said[len(whole) :].strip("0")
    )
    if padded or (whole.endswith(said) and len(said) >= SHORTEST_CUT):
        return Fit.CUT
    if whole.startswith(said) and len(said) == len(whole) - 1:
        return Fit.CUT  # only the check digit is missing
    bare = said.lstrip("0")
    if bare and (whole.endswith(bare) or whole[:-1].endswith(bare)):
        return Fit.HINT
    return Fit.NONE
