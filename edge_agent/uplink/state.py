"""What the uplink says of itself: to the agent's health, and to the doctor by a note."""

from datetime import datetime

import msgspec

_RECEIPT_NOTE_S = 60.0
_CLOCK_NOTE_S = 5.0


class UplinkState(msgspec.Struct, frozen=True):
    """Whether the broker is reached, since when, and what it does not take."""

    connected: bool = False
    since: datetime | None = None
    """When it was connected or lost."""
    problem: str = "not connected yet"
    """Why it is not connected, or what is wrong with the connection; empty if nothing is."""
    connections: int = 0
    last_receipt_at: datetime | None = None
    unheard: bool = False
    """The broker's last word was that nobody subscribes to our events."""
    taken_in: int = 0
    """Events that the city has in its ledger but not in its time series, at most."""
    clock_offset_s: float | None = None
    """Our clock minus the city's, in whole seconds, as far as receipts tell."""
    held: list[str] = []
    """Events that the broker does not take, with the reason; at most twenty are named."""

    def worth_a_note(self, newer: "UplinkState") -> bool:
        """True if `newer` says more than this one's passing of time."""
        before, after = self.last_receipt_at, newer.last_receipt_at
        newer = msgspec.structs.replace(newer, last_receipt_at=before, since=self.since)
        if self.taken_in and newer.taken_in:
            newer = msgspec.structs.replace(newer, taken_in=self.taken_in)
        if _near(self.clock_offset_s, newer.clock_offset_s):
            newer = msgspec.structs.replace(newer, clock_offset_s=self.clock_offset_s)
        same = newer == self
        if not same or after is None:
            return not same
        return before is None or (after - before).total_seconds() > _RECEIPT_NOTE_S


def _near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _CLOCK_NOTE_S
