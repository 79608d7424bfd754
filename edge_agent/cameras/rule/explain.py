"""Why each head of a look counts or does not: the answer to every "why not?". Values only."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.rule.scene import Wear


class Why(StrEnum):
    """What became of a head; the later ones go further on the road to an observation."""

    MASKED = "masked"
    """In an area that does not count."""
    OUTSIDE = "outside"
    """In no zone."""
    TOO_SMALL = "too_small"
    """Below the zone's smallest head."""
    STILL = "still"
    """Has not moved for so long that it is taken for a picture."""
    NOT_MOVED = "not_moved"
    """Has not moved yet: whether it is a person is open."""
    NOT_ASKED = "not_asked"
    """The zone asks for nothing at this hour."""
    CANNOT_TELL = "cannot_tell"
    """No look at it tells anything."""
    DRESSED = "dressed"
    """Wears what is asked for."""
    PASSING = "passing"
    """Not long enough in the zone."""
    COUNTING = "counting"
    """Some looks speak against it, not enough of them."""
    SUSPECTED = "suspected"
    """The votes suffice; the rule waits for a second look later."""
    EPISODE = "episode"
    """Part of an open observation."""


ORDER = tuple(Why)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one head stands to one thing that is asked of it."""

    wear: Wear | None
    """None: nobody may be here at this hour."""
    why: Why
    answer: Answer
    """Of this look alone (YES: worn)."""
    confidence: float
    """How sure the model is of it, 0..1."""
    missing: int
    """Looks that say "not worn" …"""
    looks: int
    """… of so many at which something was read …"""
    span_s: float
    """… within so many seconds, from the first such look to the last."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one head of a look, and why."""

    track: int | None
    """Number of the followed person; None: masked heads are not followed."""
    box: Box
    why: Why
    """The furthest of its standings, or what kept it from having any."""
    place: str = ""
    """Name of its zone, or of the mask over it."""
    standings: tuple[Standing, ...] = ()
    still_s: float = 0.0
    """For so long it has not moved."""


def furthest(standings: tuple[Standing, ...]) -> Why:
    """The standing that goes furthest; NOT_ASKED without any."""
    return max((one.why for one in standings), key=ORDER.index, default=Why.NOT_ASKED)
