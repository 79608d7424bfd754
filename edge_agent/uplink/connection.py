"""Keeps one link to the broker: makes it, notices when it is dead, makes it anew with back-off."""

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.mqtt import Down, Endpoint, Link, LinkEvent, Up

logger = logging.getLogger(__name__)

_STEADY_S = 10.0


class Letter(msgspec.Struct, frozen=True):
    """An event and the link that it came from."""

    generation: int
    event: LinkEvent


LinkMaker = Callable[
    [Endpoint, tuple[str, bytes] | None, str, Callable[[LinkEvent], None]],
    Link,
]
"""Prepares a link; raises what `Link` raises."""


class Letterbox(Protocol):
    """Where links drop what happened; from any thread."""

    def put(self, letter: Letter) -> None:
        """Never blocks."""


class Connection:
    """One thread uses it; the links' threads only drop letters into `inbox`."""

    def __init__(
        self,
        endpoint: Endpoint,
        subscription: str,
        will: Callable[[], tuple[str, bytes]],
        backoff: Backoff,
        inbox: Letterbox,
        *,
        connect_limit_s: float,
        make_link: LinkMaker = Link,
    ) -> None:
        """`will` makes the last will's topic and payload for each link, `make_link` the link."""
        self._make_link = make_link
        self._connect_limit_s = connect_limit_s
        self._endpoint = endpoint
        self._subscription = subscription
        self._will = will
        self._backoff = backoff
        self._inbox = inbox
        self._link: Link | None = None
        self._generation = 0
        self._changed_at = 0.0
        self.up = False
        self.connect_at = 0.0
        self.packet_maximum: int | None = None

    @property
    def resting(self) -> bool:
        """True while it waits for `connect_at`."""
        return self._link is None

    def keep(self, now: float, *, stalled: bool) -> None:
        """Open a link when it is time; end one that is stalled or does not come up."""
        if self._link is None:
            if now >= self.connect_at:
                self._open(now)
        elif not self.up and now - self._changed_at > self._connect_limit_s:
            self._drop("the broker does not answer the connect")
        elif self.up and stalled:
            self._drop("the broker does not acknowledge")
        elif self.up and now - self._changed_at > _STEADY_S:
            self._backoff.reset()

    def _open(self, now: float) -> None:
        self._generation += 1
        generation, inbox = self._generation, self._inbox
        self._changed_at = now

        def emit(event: LinkEvent) -> None:
            inbox.put(Letter(generation, event))

        try:
            self._link = self._make_link(self._endpoint, self._will(), self._subscription, emit)
        except (OSError, ValueError) as error:
            emit(Down(f"the connection cannot be prepared: {error}"))
        else:
            self._link.open()

    def _drop(self, reason: str) -> None:
        # Our reason first: once abandoned, the link's own thread may say "connection lost".
        self._inbox.put(Letter(self._generation, Down(reason)))
        if self._link is not None:
            self._link.abandon()

    def read(self, letter: Letter, now: float) -> LinkEvent | None:
        """The event, after taking note of it; None if it comes from a link of the past."""
        if letter.generation != self._generation:
            return None
        if isinstance(letter.event, Up):
            self.up, self._changed_at = True, now
            self.packet_maximum = letter.event.packet_maximum
        elif isinstance(letter.event, Down):
            self._forget(now)
        return letter.event

    def _forget(self, now: float) -> None:
        self._link, self.up, self._changed_at = None, False, now
        self._generation += 1
        self.connect_at = now + self._backoff.next_s()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int = 0
    ) -> int | None:
        """Send; returns the packet id, None if there is no connection. `expiry_s`: see `Link`."""
        if self._link is None:
            return None
        return self._link.publish(topic, payload, retain=retain, expiry_s=expiry_s)

    def works(self) -> None:
        """The broker took something: the next loss starts with a short pause again."""
        self._backoff.reset()

    def close(self, now: float) -> None:
        """End the link in good order; `keep` may open another."""
        if self._link is not None:
            self._link.close()
        self._forget(now)
