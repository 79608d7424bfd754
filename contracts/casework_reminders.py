"""When people are told of what they owe or may do in a case: soon over, missed, still missed. Pure.

A duty is told of `soon` before its end, unless that would be before half its time has passed; at
its end; and `again` later. A party's right is told of `soon` before its end, and no more once it is
over: nobody missed anything. Each is a stage of one run of a clock, and is told once. What is held
up or cannot be told for want of a calendar has no stages.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from contracts.casework_clocks import ClockFace

Stage = Literal["soon", "over", "again"]


class Reminder(msgspec.Struct, frozen=True):
    """A stage of one run of a clock, and from which moment it is told."""

    face: ClockFace
    stage: Stage
    at: datetime

    @property
    def key(self) -> str:
        """Its own in the case: another run of the clock, or another end, is told anew."""
        due = self.face.due_at or self.at
        run = f"{self.face.started_at.timestamp():.0f}|{due.timestamp():.0f}"
        return f"{self.stage}|{self.face.clock.id}|{run}"


def reminders(faces: Iterable[ClockFace], at: datetime) -> list[Reminder]:
    """The stage that each open duty or right has come to at `at`, if it has come to any."""
    return [
        reached[-1] for face in faces if (reached := [one for one in _stages(face) if one.at <= at])
    ]


def next_reminder(faces: Iterable[ClockFace], after: datetime) -> datetime | None:
    """When the next stage of any open duty or right comes after that moment; None: no more."""
    ahead = (one.at for face in faces for one in _stages(face) if one.at > after)
    return min(ahead, default=None)


def first_reminder(faces: Iterable[ClockFace], at: datetime) -> datetime | None:
    """The same as a step finds it: at once, if a right that the step began is over soon already.

    What was served hours ago may be entered so late that its `soon` has passed.
    """
    known = tuple(faces)
    if any(one.face.clock.role == "right" for one in reminders(known, at)):
        return at
    return next_reminder(known, at)


def _stages(face: ClockFace) -> Iterator[Reminder]:
    due = face.due_at
    if face.clock.role == "expiry" or face.ended_at is not None or due is None:
        return
    before, again = face.clock.soon_before, face.clock.again_after
    is_right = face.clock.role == "right"
    if is_right and face.state != "running":
        return
    if before is not None and due - face.started_at >= 2 * before:
        yield Reminder(face, "soon", due - before)
    if is_right:
        return
    yield Reminder(face, "over", due)
    if again is not None:
        yield Reminder(face, "again", due + again)
