"""What every channel is: it takes a message, and answers whether to be content, wait or give up."""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from contracts.words import Severity
from ledger.alert_types import AlertRow

Kind = Literal["alert", "resolved", "escalated", "digest", "notice", "case", "test"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one recipient by one channel, in their language."""

    dedupe: str
    """Same message, same key: what a receiver may know a repetition by."""
    kind: Kind
    title: str
    body: str
    at: datetime
    """When the notification was made."""
    severity: Severity = Severity.GUIDANCE
    language: Literal["zh", "en"] | None = None
    """Of title and body, and of what a channel adds; None: the channel's own."""
    url: str = ""
    """Where it can be looked at; empty if no console is known."""
    address: str = ""
    """The recipient's address on this channel; empty for a channel that has its own."""
    recipient: str = ""
    """Officer id; empty if the channel itself is the recipient."""
    group_key: str = ""
    route: str = ""
    region: str = ""
    site: str = ""
    alerts: tuple[AlertRow, ...] = ()
    """The alerts as they stand now; what was gathered in a digest may name more than these."""
    left_out: int = 0
    """How many alerts it concerns besides those."""


class Sent(msgspec.Struct, frozen=True):
    """Accepted by the channel's service; not yet read by anybody."""

    detail: str = ""


class Retry(msgspec.Struct, frozen=True):
    """Not now: it may be tried again, by this channel."""

    reason: str
    after_s: float | None = None
    """What the service asks for; None: as one likes."""


class Failed(msgspec.Struct, frozen=True):
    """Never in this way: another channel's turn."""

    reason: str


Outcome = Sent | Retry | Failed


class Channel(Protocol):
    """A road to people. `send` may take seconds, is called by one thread, and never raises."""

    @property
    def name(self) -> str:
        """As contacts and settings call it."""

    def send(self, message: Message) -> Outcome:
        """Hand it to the service, once; says nothing of secrets."""

    def close(self) -> None:
        """Let go of connections."""
