"""Which sample a result belongs to: decided where only one can be meant, asked everywhere else.

Pure: values in, an answer out. Numbers decide before names and times. A number of our making that
nobody was given, or one that somebody typed otherwise, is never overruled by a time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from contracts.words import AttachedHow, Verdict
from edge_agent.room.numbers import OWN_COUNT, Fit, fit, is_ours, plain

Wants = Callable[[str, Sequence[Verdict]], bool]
"""Whether a sample's verdicts of an item ask for a rerun (`guidance.wants_rerun`)."""


class Had(msgspec.Struct, frozen=True):
    """A result that a sample has already."""

    item: str
    verdict: Verdict


class Candidate(msgspec.Struct, frozen=True):
    """A sample that was not voided."""

    sample_id: str
    number: str
    registered_at: datetime
    names: frozenset[str] = frozenset()
    """The product and every other name of the same food."""
    had: tuple[Had, ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """A result that came from an instrument."""

    item: str
    captured_at: datetime
    number: str = ""
    name: str = ""
    name_cut: bool = False
    measured_at: datetime | None = None
    """When it was measured, by a clock set right, where that is known to the minute."""
    may_be_repeat: bool = False
    """The agent was cut off while it took this record: it may have come before."""


class Why(StrEnum):
    """Why it must be asked."""

    SEVERAL = "several"
    NONE = "none"
    UNKNOWN_NUMBER = "unknown_number"
    OTHER_NUMBER = "other_number"
    OLD = "old"
    """The instrument measured it at another time than it was sent."""
    REPEAT = "repeat"
    """It may have come before."""


class Attach(msgspec.Struct, frozen=True):
    """It can only be this one."""

    sample_id: str
    how: AttachedHow


class Ask(msgspec.Struct, frozen=True):
    """A person must say; the likeliest first."""

    why: Why
    candidates: tuple[str, ...] = ()


class Bounds(msgspec.Struct, frozen=True):
    """How long after its registration a sample may be tested."""

    window: timedelta = timedelta(minutes=60)
    """Without a number."""
    number: timedelta = timedelta(days=7)
    """With a number that was cut or padded."""
    clock: timedelta = timedelta(minutes=2)
    """A sample that was registered so long after the measurement cannot be what was measured."""
    backlog: timedelta = timedelta(minutes=10)
    """An instrument's time that is so far off means a wrong clock, or a record of long ago."""


def match(
    heard: Heard, samples: Sequence[Candidate], wants: Wants, bounds: Bounds | None = None
) -> Attach | Ask:
    """Where the result belongs. `samples` are all that it could be, in any order."""
    bounds = bounds or Bounds()
    near = [one for one in samples if _near(heard, one, wants, bounds)]
    if heard.may_be_repeat:
        return Ask(Why.REPEAT, _order(heard, near))
    if plain(heard.number):
        answer = _by_number(heard, samples, wants, bounds)
        if answer is not None:
            return answer
    named = [one for one in near if fits_name(heard, one)]
    if heard.measured_at and abs(heard.captured_at - heard.measured_at) > bounds.backlog:
        return Ask(Why.OLD, _order(heard, near))
    if len(named) == 1:
        if heard.measured_at and named[0].registered_at - heard.measured_at > bounds.clock:
            return Ask(Why.OLD, _order(heard, near))
        return Attach(named[0].sample_id, _how(heard, named[0], wants, AttachedHow.WINDOW))
    return Ask(Why.SEVERAL if named else Why.NONE, _order(heard, named or near))


def lacks(heard: Heard, sample: Candidate, wants: Wants) -> bool:
    """True while the sample waits for a result of this item: its first, or a rerun."""
    verdicts = [one.verdict for one in sample.had if one.item == heard.item]
    return not verdicts or wants(heard.item, verdicts)


def fits_name(heard: Heard, sample: Candidate) -> bool:
    """True if the name that the instrument sent, if any, can be the sample's product."""
    said = plain(heard.name)
    if not said:
        return True
    names = [plain(name) for name in sample.names]
    return any(name.startswith(said) if heard.name_cut else name == said for name in names)


def _by_number(
    heard: Heard, samples: Sequence[Candidate], wants: Wants, bounds: Bounds
) -> Attach | Ask | None:
    fits = [(fit(heard.number, one.number), one) for one in samples]
    exact = [one for how, one in fits if how is Fit.EXACT]
    cut = [one for how, one in fits if how is Fit.CUT and _since(heard, one, bounds.number)]
    found = exact or cut
    if len(found) == 1 and fits_name(heard, found[0]):
        return Attach(found[0].sample_id, _how(heard, found[0], wants, AttachedHow.NUMBER))
    if found:
        return Ask(Why.SEVERAL, _order(heard, found))
    if is_ours(heard.number):
        return Ask(Why.UNKNOWN_NUMBER)
    hints = [
        one
        for how, one in fits
        if how is Fit.HINT and _since(heard, one, timedelta(days=1)) and lacks(heard, one, wants)
    ]
    if len(plain(heard.number)) > OWN_COUNT:
        return Ask(Why.OTHER_NUMBER, _order(heard, hints))
    return Ask(Why.SEVERAL, _order(heard, hints)) if len(hints) > 1 else None


def _near(heard: Heard, one: Candidate, wants: Wants, bounds: Bounds) -> bool:
    return _since(heard, one, bounds.window) and lacks(heard, one, wants)


def _since(heard: Heard, one: Candidate, most: timedelta) -> bool:
    return timedelta(0) <= heard.captured_at - one.registered_at <= most


def _how(heard: Heard, sample: Candidate, wants: Wants, otherwise: AttachedHow) -> AttachedHow:
    """A rerun where one was asked for; a number that is simply used again is a number."""
    again = any(one.item == heard.item for one in sample.had) and lacks(heard, sample, wants)
    return AttachedHow.RERUN if again else otherwise


def _order(heard: Heard, samples: Sequence[Candidate]) -> tuple[str, ...]:
    """Those whose product fits before others, the newest first."""

    def rank(one: Candidate) -> tuple[bool, float, str]:
        return not fits_name(heard, one), -one.registered_at.timestamp(), one.sample_id

    return tuple(one.sample_id for one in sorted(samples, key=rank))
