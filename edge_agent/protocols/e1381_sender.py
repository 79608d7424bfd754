"""LIS01-A2 / ASTM E1381: the sender of a transfer, with its timers and its six failures.

Rules. ENQ, then wait 15 s for ACK; NAK means busy: try again after 10 s. ENQ against ENQ is
contention: the instrument tries again after 1 s, the host after 20 s. Each frame waits 15 s for
ACK (EOT from the receiver counts as ACK, and asks to stop soon); NAK or anything else repeats the
frame, and at the sixth failure the sender gives up with EOT.
"""

from collections.abc import Sequence
from enum import StrEnum

from edge_agent.protocols.e1381_frames import ACK, ENQ, EOT, NAK, build_frame

REPLY_S = 15.0
BUSY_S = 10.0
CONTENTION_S = {"instrument": 1.0, "host": 20.0}
FAILURES = 6
MAX_TEXT_BYTES = 240


class State(StrEnum):
    """Where the sender stands."""

    IDLE = "idle"
    ENQUIRED = "enquired"
    BACKING_OFF = "backing off"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


def frames_of(records: Sequence[bytes], *, one_frame_per_record: bool = True) -> list[bytes]:
    """Frames for the records of one message (each without its final CR)."""
    units = [record + b"\r" for record in records]
    if not one_frame_per_record:
        units = [b"".join(units)]
    frames: list[bytes] = []
    for unit in units:
        pieces = [unit[at : at + MAX_TEXT_BYTES] for at in range(0, len(unit), MAX_TEXT_BYTES)]
        for index, piece in enumerate(pieces, 1):
            frames.append(build_frame(len(frames) + 1, piece, last=index == len(pieces)))
    return frames


class E1381Sender:
    """One transfer at a time; every call returns the bytes to send now."""

    def __init__(self, role: str = "instrument", *, reply_s: float = REPLY_S) -> None:
        self.state = State.IDLE
        self.deadline: float | None = None
        self.failures = 0
        self._reply_s = reply_s
        self._contention_s = CONTENTION_S[role]
        self._frames: Sequence[bytes] = ()
        self._next = 0

    def start(self, frames: Sequence[bytes], now: float) -> bytes:
        """Open a transfer. The sender must not be in the middle of one."""
        assert self.state in (State.IDLE, State.DELIVERED, State.FAILED), self.state
        self._frames, self._next, self.failures = frames, 0, 0
        return self._enquire(now)

    def receive(self, data: bytes, now: float) -> bytes:
        """Take the receiver's answer."""
        out = b""
        for byte in data:
            if self.state is State.ENQUIRED:
                out += self._answered(byte, now)
            elif self.state is State.SENDING:
                out += self._acknowledged(byte, now)
        return out

    def tick(self, now: float) -> bytes:
        """Let time pass."""
        if self.deadline is None or now < self.deadline:
            return b""
        if self.state is State.BACKING_OFF:
            return self._enquire(now)
        return self._finish(State.FAILED)

    def _enquire(self, now: float) -> bytes:
        self.state, self.deadline = State.ENQUIRED, now + self._reply_s
        return b"\x05"

    def _answered(self, byte: int, now: float) -> bytes:
        if byte == ACK:
            self.state = State.SENDING
            return self._send(now)
        if byte in (NAK, ENQ):
            wait_s = BUSY_S if byte == NAK else self._contention_s
            self.state, self.deadline = State.BACKING_OFF, now + wait_s
        return b""

    def _acknowledged(self, byte: int, now: float) -> bytes:
        if byte in (ACK, EOT):
            self._next += 1
            self.failures = 0
            if self._next == len(self._frames):
                return self._finish(State.DELIVERED)
            return self._send(now)
        self.failures += 1
        return self._finish(State.FAILED) if self.failures >= FAILURES else self._send(now)

    def _send(self, now: float) -> bytes:
        self.deadline = now + self._reply_s
        return self._frames[self._next]

    def _finish(self, state: State) -> bytes:
        self.state, self.deadline = state, None
        return b"\x04"
