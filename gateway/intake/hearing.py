"""When each agent and device was last heard, gathered from batches and written now and then.

An agent is heard when its message comes, a device when it spoke: a backlog that arrives now says
that the agent lives, not that its devices do.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from contracts.events import Status
from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.unpack import Accepted

EVERY = timedelta(seconds=2)
"""Times are written at most this often …"""
MOST = 1000
"""… and so many in one transaction, so that nothing else has to wait for them."""


class Hearing:
    """What was heard and is not written yet. For one thread."""

    def __init__(self) -> None:
        self._heard: dict[Identity, datetime] = {}
        self._round: dict[Identity, datetime] = {}
        """What is being written, in as many transactions as it takes."""
        self._next_at: datetime | None = None

    def hear(self, accepted: Iterable[Accepted]) -> None:
        """Take note of messages."""
        for one in accepted:
            received_at = one.message.received_at
            status = one.event.data
            if isinstance(status, Status):
                if status.state is DeviceState.OFFLINE:
                    continue
                self._note(one.who, _spoke_at(one) if one.message.retained else received_at)
            else:
                self._note(one.who, _spoke_at(one))
            if one.numbered:
                self._note(one.numbered.agent, received_at)

    def due(self, now: datetime) -> dict[Identity, datetime]:
        """What should be written in a transaction at `now`; it counts as due until `written`."""
        if not self._round:
            if self._next_at is not None and now < self._next_at:
                return {}
            self._round, self._heard = self._heard, {}
            self._next_at = now + EVERY
        return dict(islice(self._round.items(), MOST))

    def written(self, marks: Iterable[Identity]) -> None:
        """These were written, and the transaction is committed."""
        for who in marks:
            self._round.pop(who, None)

    def _note(self, who: Identity, at: datetime) -> None:
        known = self._heard.get(who)
        if known is None or at > known:
            self._heard[who] = at


def _spoke_at(one: Accepted) -> datetime:
    envelope = one.event.envelope
    spoke_at = envelope.time
    if envelope.clockoffsetms:
        offset_ms = max(-_YEAR_MS, min(envelope.clockoffsetms, _YEAR_MS))
        spoke_at -= timedelta(milliseconds=offset_ms)
    return min(spoke_at, one.message.received_at)


_YEAR_MS = 366 * 86_400_000
