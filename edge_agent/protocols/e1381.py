"""LIS01-A2 / ASTM E1381: the receiver of a transfer.

Rules. The sender opens with ENQ, answered ACK (NAK: busy). A frame is STX, number, text, ETX (or
ETB: the message goes on), two hexadecimal digits (sum modulo 256 from the number through ETX/ETB),
CR LF. Numbers run 1–7, 0, 1 … A frame with the next number is told and waits: `accept` (its content
is safe) gives the ACK, `refuse` the NAK. The last accepted number again is a retransmission: ACK,
not told. Everything else is NAK. EOT ends. Bytes outside a frame are passed over and told.

Noise that looks like control. No control character may stand in a frame's text, and after ENQ or
EOT the sender says nothing until answered; so an ENQ or EOT inside a frame counts only when silence
or another frame follows, and after an ENQ or EOT in mid-message the message goes on if the next
frame bears the number that was awaited.

A recording (`needs_enquiry` false) is read more kindly, since no one can ask for a frame again: it
may begin anywhere, and where frames are missing a `Gap` is told before the next good one.
"""

import re

from edge_agent.protocols.e1381_frames import (
    CR,
    ENQ,
    EOT,
    ETB,
    ETX,
    LF,
    STX,
    Ended,
    Event,
    FrameReceived,
    FrameRepeated,
    Gap,
    Reply,
    Started,
    check_digits,
)
from edge_agent.protocols.events import Scrap

GRACE_S = 0.05
"""Silence after which CR LF need not be waited for."""
_CONTROL = re.compile(rb"[\x02\x03\x04\x05\x17]")
_OPENING = re.compile(rb"[\x02\x04\x05]")
_HEX = re.compile(rb"[0-9A-Fa-f]{2}\Z")


class E1381Receiver:
    """Bytes in by `feed`, events out one at a time by `next_event`; the caller has the clock."""

    def __init__(
        self,
        *,
        max_frame_bytes: int = 64000,
        frame_timeout_s: float = 30.0,
        needs_enquiry: bool = True,
    ) -> None:
        self.busy = False
        """While set, ENQ is answered NAK: the sender waits and tries again."""
        self._max = max_frame_bytes
        self._timeout_s = frame_timeout_s
        self._needs_enquiry = needs_enquiry
        self._buffer = bytearray()
        self._at = 0
        self._offset = 0
        self._scrap = Scrap()
        self._told: list[Event] = []
        self._receiving = False
        self._enquired = not needs_enquiry
        self._last: int | None = None
        self._expected: int | None = None
        self._waiting: FrameReceived | None = None
        self._began = False
        self._heard_at = 0.0
        self._active_at = 0.0
        self._silent = False
        self._final = False
        self._after_frame = False

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do."""
        if self._at < len(self._buffer) and not self._silent:
            return self._heard_at + GRACE_S
        return self._active_at + self._timeout_s if self._receiving else None

    def feed(self, data: bytes, now: float) -> None:
        """Take what was read at `now` (monotonic seconds)."""
        self._silent = False
        del self._buffer[: self._at]
        self._offset += self._at
        self._at = 0
        self._buffer += data
        self._heard_at = now

    def tick(self, now: float) -> None:
        """Let time pass; ask for events afterwards."""
        if self._at < len(self._buffer) and now - self._heard_at >= GRACE_S:
            self._silent = True
        if self._receiving and now - max(self._active_at, self._heard_at) >= self._timeout_s:
            self._give_up()
            self._told.append(Ended(f"no frame within {self._timeout_s:g} s"))

    def flush(self) -> None:
        """The stream has ended: what is whole counts, the rest is told as discarded."""
        self._silent = self._final = True

    def next_event(self) -> Event | None:
        """The next event, or None: more bytes or time are needed (or an `accept`)."""
        while not self._told:
            if self._waiting is not None or not self._step():
                break
        if not self._told and self._silent and self._waiting is None:
            if self._final and self._at < len(self._buffer):
                self._discard(len(self._buffer) - self._at, "frame is incomplete")
            self._told += self._scrap.flush()
        return self._told.pop(0) if self._told else None

    def accept(self) -> bytes:
        """The frame's content is safe: returns the ACK to send."""
        assert self._waiting is not None, "no frame waits for an answer"
        self._last = self._waiting.number
        self._expected = (self._last + 1) % 8
        self._waiting = None
        return b"\x06"

    def refuse(self) -> bytes:
        """The frame could not be stored: returns the NAK to send."""
        assert self._waiting is not None, "no frame waits for an answer"
        self._waiting = None
        self._enquired = self._enquired or self._began  # its repetition begins the message again
        return b"\x15"

    # -- inside ---------------------------------------------------------------

    def _give_up(self) -> None:
        if self._at < len(self._buffer):
            self._discard(len(self._buffer) - self._at, "frame is incomplete")
        self._told += self._scrap.flush()
        self._receiving, self._enquired = False, not self._needs_enquiry
        self._last = self._expected = None

    def _discard(self, count: int, reason: str) -> None:
        piece = self._buffer[self._at : self._at + count]
        self._told += self._scrap.add(self._offset + self._at, piece, reason)
        self._at += count

    def _step(self) -> bool:
        """Make one step in the buffer; False when there is nothing certain to do."""
        if self._at >= len(self._buffer):
            return False
        first = self._buffer[self._at]
        if self._after_frame and first in (CR, LF):
            self._at += 1
            return True
        self._after_frame = False
        if first == STX:
            return self._frame()
        if first == ENQ:
            self._enquiry()
        elif first == EOT:
            self._end()
        else:
            found = _OPENING.search(self._buffer, self._at)
            self._discard((found.start() if found else len(self._buffer)) - self._at, Scrap.NOISE)
        return True

    def _enquiry(self) -> None:
        self._told += self._scrap.flush()
        self._at += 1
        self._active_at = self._heard_at
        if self.busy:
            self._told.append(Reply(b"\x15"))
            return
        self._receiving = self._enquired = True
        self._told.append(Reply(b"\x06"))

    def _end(self) -> None:
        self._told += self._scrap.flush()
        self._at += 1
        if self._receiving:
            self._told.append(Ended())
        self._receiving, self._enquired = False, not self._needs_enquiry

    def _frame(self) -> bool:
        """Handle the frame that opens at the place."""
        buffer, start = self._buffer, self._at
        place = start + 1
        while (found := _CONTROL.search(buffer, place)) is not None:
            end, byte = found.start(), buffer[found.start()]
            if byte in (ETX, ETB):
                return self._finish(start, end)
            if byte == STX:
                self._discard(end - start, "a new frame began inside")
                return True
            follows = buffer[end + 1] if end + 1 < len(buffer) else None
            if follows in (STX, EOT, ENQ) or (follows is None and self._silent):
                self._discard(end - start, "frame is incomplete")
                return True
            if follows is None:
                return False
            place = end + 1
        if len(buffer) - start > self._max:
            self._refuse_bytes(len(buffer) - start, f"no end within {self._max} bytes")
            return True
        if self._silent and buffer.endswith(b"\r\n"):
            self._refuse_bytes(len(buffer) - start, "frame has no ETX or ETB")
            return True
        return False

    def _finish(self, start: int, end: int) -> bool:
        buffer = self._buffer
        size = end + 3 - start
        left = len(buffer) - start
        if left < size:
            if self._silent and left > 3:
                self._refuse_bytes(left, "frame has no check digits")
                return True
            return False
        digits = bytes(buffer[end + 1 : end + 3])
        trailer = bytes(buffer[end + 3 : end + 5])
        if trailer == b"\r\n":
            size += 2
        elif trailer in (b"", b"\r") and not self._silent:
            return False  # CR LF may still come
        body = bytes(buffer[start + 1 : end + 1])
        if size > self._max:
            self._refuse_bytes(size, f"longer than {self._max} bytes")
        elif not _HEX.match(digits) or int(digits, 16) != sum(body) & 0xFF:
            expected = check_digits(body).decode()
            self._refuse_bytes(size, f"check is {digits!r}, should be {expected}")
        elif not 0x30 <= body[0] <= 0x37:
            self._refuse_bytes(size, f"frame number is {body[:1]!r}")
        else:
            self._take(start, size, body)
        return True

    def _take(self, start: int, size: int, body: bytes) -> None:
        number = body[0] - 0x30
        anew = self._expected is None and not self._needs_enquiry
        begins = self._enquired and (number == 1 or anew)
        goes_on = self._expected is not None and number == self._expected
        if not self._receiving and not goes_on and self._needs_enquiry:
            self._discard(size, "frame outside a transfer")
            return
        if not begins and self._last is not None and number == self._last:
            self._after_frame = True
            self._active_at = self._heard_at
            self._told += self._scrap.flush()
            self._at += size
            self._told += [FrameRepeated(number), Reply(b"\x06")]
            return
        gap = not begins and not goes_on and not self._needs_enquiry and not anew
        if not begins and not goes_on and not gap:
            wanted = 1 if self._expected is None else self._expected
            self._refuse_bytes(size, f"frame number is {number}, should be {wanted}")
            return
        self._after_frame = True
        self._active_at = self._heard_at
        self._receiving = True
        self._told += self._scrap.flush()
        self._began, self._enquired = begins, False
        if begins:
            self._told.append(Started())
        elif gap and self._expected is not None:
            self._told.append(Gap((number - self._expected) % 8))
        raw = bytes(self._buffer[start : start + size])
        last = body[-1] == ETX
        self._waiting = FrameReceived(self._offset + start, number, body[1:-1], last, raw)
        self._told.append(self._waiting)
        self._at += size

    def _refuse_bytes(self, size: int, reason: str) -> None:
        self._told += self._scrap.flush()
        self._discard(size, reason)
        self._told += self._scrap.flush()
        self._after_frame = True
        self._active_at = self._heard_at
        if self._receiving:
            self._told.append(Reply(b"\x15"))
