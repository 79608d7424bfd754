"""Days of effect: the first and the last day on which something holds; either may be left open."""

from datetime import date
from typing import Protocol


class Dated(Protocol):
    """A rule, a limit, a policy: whatever holds from a day on, or up to one."""

    @property
    def effective_from(self) -> date | None:
        """The first day."""

    @property
    def effective_until(self) -> date | None:
        """The last day."""


def in_effect(one: Dated, on: date) -> bool:
    """Whether that day is one of its days of effect."""
    if one.effective_from and on < one.effective_from:
        return False
    return not (one.effective_until and on > one.effective_until)


def overlap(one: Dated, two: Dated) -> bool:
    """Whether there is a day on which both hold."""
    return (one.effective_from or date.min) <= (two.effective_until or date.max) and (
        two.effective_from or date.min
    ) <= (one.effective_until or date.max)
