"""How one message goes through a recipient's ways: in order, again, to the next, two at once.

Pure: given the ways, what is known of each and the time, it says what to try now, when to look
again, and when nothing is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.words import Severity
from gateway.notify.channels.channel import Failed, Outcome, Sent
from ledger.notification_tries import Try

AT_ONCE_KINDS = frozenset({"alert", "escalated"})


class Way(msgspec.Struct, frozen=True):
    """One contact of the recipient: a channel, and their address on it."""

    contact: str
    channel: str
    address: str = ""


class Patience(msgspec.Struct, frozen=True):
    """How long and how often one way is tried."""

    first_s: float = 5.0
    most_s: float = 300.0

    def pause(self, tries: int) -> timedelta:
        """The pause after the so many-th try, doubling from the first on."""
        return timedelta(seconds=min(self.first_s * 2.0 ** min(tries - 1, 30), self.most_s))


class Step(msgspec.Struct, frozen=True):
    """What follows: ways to try now, or the time to look again, or nothing."""

    now: tuple[Way, ...] = ()
    next_at: datetime | None = None

    @property
    def over(self) -> bool:
        """No way is left."""
        return not self.now and self.next_at is None


def width(severity: Severity, kind: str, at_once: int) -> int:
    """How many ways are used at the same time."""
    return at_once if severity is Severity.AT_ONCE and kind in AT_ONCE_KINDS else 1


def next_step(ways: Sequence[Way], known: Mapping[str, Try], wide: int, now: datetime) -> Step:
    """The first `wide` ways that have not failed: which are due, or when the first will be."""
    left = [way for way in ways if _state(known, way) != "failed"][:wide]
    due, waits = [], []
    for way in left:
        told = known.get(way.contact)
        if told is None or told.next_at is None or told.next_at <= now:
            due.append(way)
        else:
            waits.append(told.next_at)
    return Step(tuple(due), min(waits, default=None))


def after(
    way: Way,
    number: int,
    known: Try | None,
    outcome: Outcome,
    *,
    most_tries: int,
    patience: Patience,
    now: datetime,
) -> Try:
    """What is known of a way after this outcome."""
    tries = (known.tries if known else 0) + 1
    seen = Try(number, way.contact, way.channel, "sent", tries, now)
    change = msgspec.structs.replace
    if isinstance(outcome, Sent):
        return change(seen, reason=outcome.detail)
    if isinstance(outcome, Failed):
        return change(seen, state="failed", reason=outcome.reason)
    pause = patience.pause(tries)
    asked = timedelta(seconds=outcome.after_s or 0.0)
    if tries >= most_tries:
        return change(seen, state="failed", reason=f"{outcome.reason} ({tries} tries)")
    if asked > timedelta(seconds=patience.most_s):
        told = f"{outcome.reason} (wants {asked.total_seconds():.0f} s of patience)"
        return change(seen, state="failed", reason=told)
    return change(seen, state="waiting", next_at=now + max(pause, asked), reason=outcome.reason)


def first_sent(ways: Iterable[Way], known: Mapping[str, Try]) -> Way | None:
    """The first way by which it was sent."""
    return next((way for way in ways if _state(known, way) == "sent"), None)


def troubles(ways: Iterable[Way], known: Mapping[str, Try]) -> str:
    """What went wrong, way by way, in their order: ``wecom: HTTP 502 (4 tries); sms: …``."""
    told = ((way.channel, known.get(way.contact)) for way in ways)
    return "; ".join(
        f"{channel}: {one.reason}" for channel, one in told if one and one.state != "sent"
    )


def _state(known: Mapping[str, Try], way: Way) -> str:
    told = known.get(way.contact)
    return told.state if told else "waiting"
