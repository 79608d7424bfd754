"""The host of a LIS01-A2 / E1381 sender: every frame is held durably, then acknowledged.

A message becomes facts at its L record. One without L counts at EOT if its last frame was good and
whole; after a short wait, because noise can look like EOT. What stays incomplete (time-out, the
sender gave up, a new message began) is quarantined with its bytes: it was acknowledged, so it is
kept, but no value is read from half a message.
"""

from datetime import datetime

from contracts.profile import E1381
from edge_agent.instruments.decoder import decode_message
from edge_agent.instruments.hosts.actions import (
    NEVER,
    Actions,
    Answered,
    Hold,
    Noise,
    Release,
    Send,
    SetAside,
    Take,
)
from edge_agent.instruments.logbook import HeldFrame
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.protocols.e1381 import E1381Receiver
from edge_agent.protocols.e1381_frames import (
    Ended,
    FrameReceived,
    FrameRepeated,
    Gap,
    Reply,
    Started,
)
from edge_agent.protocols.events import Discarded
from edge_agent.protocols.lis2 import Message

SETTLE_S = 2.0
"""After EOT, a message without L waits this long for what would belong to it."""
BUSY_S = 10.0


class E1381Host:
    """Listens; answers control bytes. Never asks, so never busy."""

    busy = False

    def __init__(
        self, profile: LoadedProfile, dialogue: E1381, *, needs_enquiry: bool = True
    ) -> None:
        self._profile = profile
        self._dialogue = dialogue
        self._needs_enquiry = needs_enquiry
        self._core = self._new_core()
        self._message = Message()
        self._offset = 0
        self._began_at: datetime | None = None
        self._refused = False
        self._settle_at = NEVER
        self._busy_until = 0.0

    def _new_core(self) -> E1381Receiver:
        return E1381Receiver(
            max_frame_bytes=self._dialogue.max_frame_bytes,
            frame_timeout_s=self._dialogue.frame_timeout_s,
            needs_enquiry=self._needs_enquiry,
        )

    def due(self) -> float:
        deadline = self._core.deadline
        return min(self._settle_at, NEVER if deadline is None else deadline)

    def open(self, now: float) -> Actions:
        self._core = self._new_core()
        yield from self._give_up("the line was opened anew")

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        self._core.busy = now < self._busy_until
        self._core.feed(data, now)
        yield from self._drain(now, at)

    def wake(self, now: float, at: datetime) -> Actions:
        self._core.tick(now)
        yield from self._drain(now, at)
        if now >= self._settle_at:
            yield from self._close("no L record")

    def refused(self, now: float) -> Actions:
        self._busy_until = now + BUSY_S
        yield Send(self._core.refuse())

    def finish(self) -> Actions:
        self._core.flush()
        yield from self._drain(0.0, None)
        yield from self._close("the stream ended")

    def recover(self, held: list[HeldFrame]) -> Actions:
        """Frames that were held when the agent stopped: facts if the message is whole."""
        self._began_at = held[0].at if held else None
        for frame in held:
            self._message.add(frame.text, frame.raw, last=frame.last)
        if self._message.terminated:
            yield from self._deliver()
        else:
            yield from self._give_up("the agent stopped in mid-message")

    def _drain(self, now: float, at: datetime | None) -> Actions:
        core = self._core
        while (event := core.next_event()) is not None:
            match event:
                case Started():
                    yield from self._close("a new message began")
                case FrameReceived():
                    self._settle_at = NEVER
                    self._refused = False
                    if at is not None:
                        yield Hold(HeldFrame(at, event.last, event.text, event.raw))
                    yield Send(core.accept())
                    yield Answered()
                    if not self._message.size:
                        self._offset, self._began_at = event.offset, at
                    dropped = self._message.add(event.text, event.raw, last=event.last)
                    if dropped:
                        reason = "end of a record whose beginning is missing"
                        yield SetAside(dropped, reason, event.offset)
                    if self._message.terminated:
                        yield from self._deliver()
                    elif self._message.size > self._dialogue.max_message_bytes:
                        yield from self._give_up("message is too long")
                case Gap():
                    if cut := self._message.gap(event.lost):
                        reason = "beginning of a record whose end is missing"
                        yield SetAside(cut, reason, self._offset)
                case FrameRepeated():
                    self._refused = False
                    yield Answered()
                case Reply():
                    self._refused = event.content != b"\x06"
                    yield Send(event.content)
                case Ended():
                    if event.reason:
                        yield from self._give_up(event.reason)
                    elif self._message.size:
                        self._settle_at = now + SETTLE_S
                case Discarded():
                    yield Noise(event)

    def _close(self, reason: str) -> Actions:
        """No more frames of this message will come."""
        ended, self._settle_at = self._settle_at < NEVER, NEVER
        cut = reason == "a new message began" and not ended
        if not self._needs_enquiry:  # a recording: no one will send it again, so take what is whole
            if rest := self._message.gap(0):
                why = "beginning of a record whose end is missing"
                yield SetAside(rest, why, self._offset)
            yield from self._deliver()
        elif self._message.broken or self._refused or cut:
            yield from self._give_up(reason)
        else:
            yield from self._deliver()

    def _deliver(self) -> Actions:
        message, self._message = self._message, Message()
        self._settle_at = NEVER
        if not message.size:
            return
        rows = decode_message(self._profile, message)
        if rows:
            yield Take(rows, fresh=self._needs_enquiry, began_at=self._began_at)
        if message.unknown() or (not rows and not message.terminated):
            yield SetAside(message.raw, "records that LIS2 does not know, or none", self._offset)
        yield Release()

    def _give_up(self, reason: str) -> Actions:
        message, self._message = self._message, Message()
        self._settle_at = NEVER
        if message.size:
            yield SetAside(message.raw, f"incomplete message: {reason}", self._offset)
            yield Release()
