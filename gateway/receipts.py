"""Receipts: which numbers of which agent are stored everywhere, told to the agent in ranges."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from contracts.envelope import encode
from contracts.events import Receipt
from contracts.sequences import RangeSet
from contracts.topics import Channel, device_topic
from gateway.broker import Outbound
from ledger.intake import Key

RANGES_MOST = 2000
"""Ranges in one message; more are told in several."""


def receipts(stored: Mapping[Key, Iterable[int]], at: datetime) -> list[Outbound]:
    """The messages that receipt these numbers: one per agent and epoch, as a rule."""
    messages = []
    for (agent, epoch), numbers in stored.items():
        told = RangeSet()
        told.add_new(sorted(numbers))
        ranges = told.ranges()
        for start in range(0, len(ranges), RANGES_MOST):
            data = Receipt(epoch, ranges[start : start + RANGES_MOST])
            payload = encode(
                Channel.RECEIPTS.value, agent, data, event_id=secrets.token_hex(8), at=at
            )
            messages.append(Outbound(device_topic(agent, Channel.RECEIPTS), payload))
    return messages
