"""What a sender has in hand: a row that it has taken, its ways, what they have brought so far."""

from datetime import datetime

import msgspec

from gateway.notify.channels.channel import Outcome, Sent
from gateway.notify.delivery import Way
from gateway.notify.messages import Ways
from ledger.alert_types import AlertRow
from ledger.notification_tries import Try
from ledger.notifications import NotificationRow


class Delivery:
    """A row in hand."""

    def __init__(self, row: NotificationRow, found: Ways, about: tuple[AlertRow, ...]) -> None:
        self.row = row
        self.ways = found.ways
        self.reason = found.reason
        """Why it has no way, if it has none."""
        self.language = found.language
        self.about = about
        self.known: dict[str, Try] = {}
        """What is written down of each contact."""
        self.wave: tuple[Way, ...] = ()
        """The ways by which it is being sent."""
        self.answers: list[Answer] = []
        self.in_hand = True
        """Whether its answers still settle it."""

    def ready(self) -> bool:
        """Whether one way has brought success, or every way of the wave something."""
        sent = any(isinstance(one.outcome, Sent) for one in self.answers)
        return sent or len(self.answers) == len(self.wave)


class Answer(msgspec.Struct, frozen=True):
    """What one way brought, and when; no outcome if it was not tried."""

    delivery: Delivery
    way: Way
    outcome: Outcome | None
    at: datetime
