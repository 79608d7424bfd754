"""Takes events from the outbox as the plan allows and gives them to who publishes: no network."""

from collections.abc import Callable

from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.schema import key_of
from edge_agent.outbox.store import Event
from edge_agent.uplink.holding import Holding
from edge_agent.uplink.lanes import LaneCursor
from edge_agent.uplink.plan import SendPlan
from edge_agent.uplink.receipts import Received
from edge_agent.uplink.settings import UplinkSettings

Publish = Callable[[str, bytes], int | None]
"""Sends a topic's payload; returns the packet id, None if there is no connection."""
_AT_ONCE = 500
_TAKEN_AT_ONCE = 64
_FIXED_BYTES = 64
"""MQTT's own bytes around a topic and a payload, generously."""


class Dispatch:
    """The books of one run of the uplink: at its beginning, the whole outbox is yet to be sent."""

    def __init__(
        self, outbox: Holding, settings: UplinkSettings, jitter: Callable[[], float]
    ) -> None:
        self._outbox = outbox
        self.plan = SendPlan(settings, jitter)
        self._lanes = [LaneCursor(lane) for lane in Lane]
        self.dry = False
        """True while no lane has more to take; set it to False when that may have changed."""

    def send(
        self,
        now: float,
        publish: Publish,
        packet_maximum: int | None,
        after_alarms: Callable[[], None] = lambda: None,
    ) -> list[tuple[int, str]]:
        """Send what is due again and what is new; returns what is too large, with the reason.

        `after_alarms` is called once no new alarm waits, before anything else that is new is sent.
        Raises OutboxError.
        """
        held: list[tuple[int, str]] = []
        keys = self.plan.take_due(now)
        for start in range(0, len(keys), _AT_ONCE):
            asked = keys[start : start + _AT_ONCE]
            found = self._outbox.load(asked)
            for key in set(asked) - {event.key for event in found}:
                self.plan.forget(key)  # thinned out meanwhile
            self._send_all(found, now, publish, packet_maximum, held)
        if self.dry or self._send_new(now, publish, packet_maximum, held, after_alarms):
            self._send_taken(now, publish, packet_maximum, held)
        return held

    def _send_new(
        self,
        now: float,
        publish: Publish,
        packet_maximum: int | None,
        held: list[tuple[int, str]],
        after_alarms: Callable[[], None],
    ) -> bool:
        """Send what was never sent; False if the connection is gone."""
        for lane in self._lanes:
            if lane.lane is Lane.PICTURE:
                after_alarms()
            while (room := self.plan.may_take(lane.lane)) > 0:
                block = lane.next_block(self._outbox, room)
                if not block:
                    break
                for event in block:
                    self.plan.take(event.key, event.lane, len(event.payload))
                if not self._send_all(block, now, publish, packet_maximum, held):
                    return False
        self.dry = self.plan.room() > 0
        return True

    def _send_taken(
        self,
        now: float,
        publish: Publish,
        packet_maximum: int | None,
        held: list[tuple[int, str]],
    ) -> None:
        """Send what the city took in and did not store, as far as it is time and there is room."""
        while (span := self.plan.may_return(now))[2] > 0:
            first, last, limit = span[0], span[1], min(span[2], _TAKEN_AT_ONCE)
            block = self._outbox.between(first, last, limit)
            reached = block[-1].key if len(block) == limit else last
            self.plan.take_back(first, reached, [(one.key, len(one.payload)) for one in block])
            if not self._send_all(block, now, publish, packet_maximum, held):
                return

    def _send_all(
        self,
        events: list[Event],
        now: float,
        publish: Publish,
        packet_maximum: int | None,
        held: list[tuple[int, str]],
    ) -> bool:
        """Send what was taken; False if the connection is gone (all the rest is then due again)."""
        works = True
        for event in events:
            size = len(event.payload) + len(event.topic) + _FIXED_BYTES
            if packet_maximum is not None and size > packet_maximum:
                reason = f"{size} bytes exceed the broker's limit of {packet_maximum}"
                self.plan.hold(event.key, reason, now)
                held.append((event.key, reason))
                continue
            mid = publish(event.topic, event.payload) if works else None
            if mid is None:
                works = False
                self.plan.not_sent(event.key, now)
            else:
                self.plan.sent(event.key, mid, now)
        return works

    def receipted(self, receipt: Received, now: float) -> list[tuple[int, int]]:
        """Take a receipt into the books; returns the ranges of keys to remove from the outbox.

        Raises OutboxError.
        """
        epoch_id = self._outbox.epoch_id(receipt.epoch)
        if epoch_id is None:
            return []  # everything of that epoch left long ago
        ranges: list[tuple[int, int]] = []
        for first, last in receipt.taken:
            self.plan.taken_in(key_of(epoch_id, first), key_of(epoch_id, last), now)
        for first, last in receipt.ranges:
            ranges += self.plan.receipted(
                key_of(epoch_id, first),
                key_of(epoch_id, last),
                now,
                only_sent=epoch_id == self._outbox.own_epoch_id,
            )
        return ranges
