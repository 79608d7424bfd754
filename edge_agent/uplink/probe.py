"""Tries the broker once, under a client id of its own: is it reached, does it let us in?"""

import queue
import time
from contextlib import suppress

import msgspec

from edge_agent.uplink.mqtt import Down, Endpoint, Link, LinkEvent, Subscribed


def probe_broker(endpoint: Endpoint, subscription: str, limit_s: float = 10.0) -> str:
    """Connect and subscribe; returns what is wrong, or an empty text. Takes at most `limit_s`."""
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    name = f"{endpoint.client_id}-probe-{time.monotonic_ns() % 100_000}"
    endpoint = msgspec.structs.replace(endpoint, client_id=name, session_expiry_s=0)
    try:
        link = Link(endpoint, None, subscription, events.put)
    except (OSError, ValueError) as error:
        return f"the connection cannot be prepared: {error}"
    link.open()
    until = time.monotonic() + limit_s
    try:
        with suppress(queue.Empty):
            while (left_s := until - time.monotonic()) > 0:
                event = events.get(timeout=left_s)
                if isinstance(event, Down):
                    return event.reason
                if isinstance(event, Subscribed):
                    return event.problem and f"the broker refuses our receipts: {event.problem}"
    finally:
        link.close()
    return f"the broker {endpoint.host}:{endpoint.port} does not answer within {limit_s:.0f} s"
