"""What the uplink says of itself: to the agent's health, and to the doctor by a note."""

from datetime import datetime

import msgspec

_RECEIPT_NOTE_S = 60.0


class UplinkState(msgspec.Struct, frozen=True):
    """Whether the broker is reached, since when, and what it does not take."""

    connected: bool = False
    since: datetime | None = None
    """When it was connected or lost."""
    problem: str = "not connected yet"
    """Why it is not connected, or what is wrong with the connection; empty if nothing is."""
    connections: int = 0
    last_receipt_at: datetime | None = None
    held: list[str] = []
    """Events that the broker does not take, with the reason; at most twenty are named."""

    def worth_a_note(self, newer: "UplinkState") -> bool:
        """True if `newer` says more than this one's passing of time."""
        before, after = self.last_receipt_at, newer.last_receipt_at
        same = msgspec.structs.replace(newer, last_receipt_at=before, since=self.since) == self
        if not same or after is None:
            return not same
        return before is None or (after - before).total_seconds() > _RECEIPT_NOTE_S
