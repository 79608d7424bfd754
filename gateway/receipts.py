"""Receipts: which numbers of which agent are stored everywhere, told to the agent in ranges."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from contracts.envelope import encode
from contracts.events import Receipt
from contracts.sequences import RangeSet
from contracts.topics import Channel, device_topic
from gateway.broker import Outbound
from gateway.unpack import Numbered

RANGES_MOST = 2000
"""Ranges in one message; more are told in several."""


def receipts(stored: Iterable[Numbered], at: datetime) -> list[Outbound]:
    """The messages that receipt these numbers: one per agent and epoch, as a rule."""
    told: dict[tuple[object, str], list[Numbered]] = {}
    for one in stored:
        told.setdefault((one.agent, one.epoch), []).append(one)
    messages = []
    for group in told.values():
        agent, epoch = group[0].agent, group[0].epoch
        ranges = RangeSet.of({one.sequence for one in group}).ranges()
        for start in range(0, len(ranges), RANGES_MOST):
            data = Receipt(epoch, ranges[start : start + RANGES_MOST])
            payload = encode(
                Channel.RECEIPTS.value, agent, data, event_id=secrets.token_hex(8), at=at
            )
            messages.append(Outbound(device_topic(agent, Channel.RECEIPTS), payload))
    return messages
