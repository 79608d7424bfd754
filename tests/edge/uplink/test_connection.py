"""The keeper of one link: why a link ended is told as this side knows it."""

import queue
from collections.abc import Callable

from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.connection import Connection, Letter
from edge_agent.uplink.mqtt import Down, Endpoint, LinkEvent, Up

ENDPOINT = Endpoint("127.0.0.1", 1883, "fs-s1", "", None, None, 5, 3600)


class Hasty:
    """A link whose own thread notices at once that it was abandoned."""

    def __init__(self, emit: Callable[[LinkEvent], None]) -> None:
        self._emit = emit

    def open(self) -> None:
        self._emit(Up(session_present=False, receive_maximum=20, packet_maximum=None))

    def abandon(self) -> None:
        self._emit(Down("connection lost"))


def test_a_link_dropped_for_a_reason_is_told_with_that_reason() -> None:
    inbox: queue.SimpleQueue[Letter] = queue.SimpleQueue()
    connection = Connection(
        ENDPOINT,
        "receipts",
        lambda: ("status", b""),
        Backoff(0.5, 1, lambda: 0.5),
        inbox,
        connect_limit_s=2,
        make_link=lambda _endpoint, _will, _subscription, emit: Hasty(emit),  # type: ignore[return-value]
    )
    connection.keep(0.0, stalled=False)
    assert isinstance(connection.read(inbox.get(), 0.0), Up)
    connection.keep(3.0, stalled=True)
    told = [connection.read(inbox.get(), 3.0) for _ in range(2)]
    assert told == [Down("the broker does not acknowledge"), None]
