"""What can be said of an instrument from what its line does: online, offline and why, garbage."""

from datetime import datetime

import msgspec

from contracts.events import Status
from contracts.words import DeviceState

AGAIN_S = 30.0
"""The state is told again after this long even if nothing changed."""
FIGURES_S = 2.0
"""Figures that moved are told at most this often."""
GARBAGE_BYTES = 48
"""So many bytes without one good frame mean that the line is set wrongly (or very noisy)."""
QUARANTINES_PER_MINUTE = 30
QUARANTINE_BYTES_PER_MINUTE = 64 * 1024
MISMATCH = "serial settings mismatch"
_EVEN = tuple(byte.bit_count() % 2 == 0 for byte in range(256))


def parity_of(content: bytes) -> str:
    """How bytes look that were sent with seven bits and parity but read as eight; else empty.

    All of them have an even (odd) number of ones, and the eighth bit is needed for it. By chance
    that happens once in 2^47 for the 48 bytes that are asked for.
    """
    if len(content) < GARBAGE_BYTES or content.isascii():
        return ""
    even = sum(_EVEN[byte] for byte in content)
    return {len(content): "7E1", 0: "7O1"}.get(even, "")


class LineState:
    """Counts and words. Pure but for the times it is given (monotonic seconds)."""

    def __init__(self) -> None:
        self.discarded_bytes = 0
        self.results = 0
        self.clock_offset_s: float | None = None
        self._state = DeviceState.UNKNOWN
        self._detail = "not connected yet"
        self._problem = ""
        self._failures = 0
        self._garbage = 0
        self._heard = b""
        self._unreadable = 0
        self._missing = 0
        self._missing_detail = ""
        self._gap_records = 0
        self._gap_detail = ""
        self._repeats = 0
        self._trouble_until = 0.0
        self._told: Status | None = None
        self._told_at = 0.0
        self._minute = 0.0
        self._pieces = 0
        self._bytes = 0

    def opened(self) -> None:
        """The line is open; nothing is known of the instrument yet."""
        self._state, self._detail = DeviceState.UNKNOWN, "line open, nothing received yet"
        self._failures = self._garbage = 0
        self._heard = b""

    def lost(self, reason: str) -> None:
        """The line can't be opened, or failed."""
        self._state, self._detail = DeviceState.OFFLINE, reason[:400]
        self._failures = self._garbage = 0
        self._heard = b""

    def answered(self, problem: str, now: float) -> None:
        """A good frame came; `problem` is what it complains of."""
        self._failures = self._garbage = 0
        self._heard = b""
        self._problem = problem
        if now < self._trouble_until:
            return
        self._state = DeviceState.DEGRADED if problem else DeviceState.ONLINE
        self._detail = problem

    def no_answer(self, detail: str, attempts: int) -> None:
        """A request went unanswered; it takes `attempts` in a row to be offline."""
        self._failures += 1
        if self._failures < attempts:
            return
        self._state = DeviceState.OFFLINE
        if self._garbage >= 2 * attempts:
            self._detail = self._mismatch()
        else:
            self._detail = f"no answer: {detail}"

    def garbage(self, content: bytes, now: float) -> bool:
        """Bytes that are no frame. Returns whether to quarantine them (bounded by the minute)."""
        self.discarded_bytes += len(content)
        self._garbage += len(content)
        self._heard = (self._heard + content)[-GARBAGE_BYTES:]
        if self._garbage >= GARBAGE_BYTES:
            self._state, self._detail = DeviceState.DEGRADED, self._mismatch()
        if now - self._minute >= 60.0:
            self._minute, self._pieces, self._bytes = now, 0, 0
        self._pieces += 1
        self._bytes += len(content)
        return self._pieces <= QUARANTINES_PER_MINUTE and self._bytes <= QUARANTINE_BYTES_PER_MINUTE

    def unreadable(self, content: bytes, reason: str) -> None:
        """A good frame that the profile can't read."""
        self._unreadable += 1
        self._heard = (self._heard + content)[-GARBAGE_BYTES:]
        self._state, self._detail = DeviceState.DEGRADED, f"unreadable frame: {reason}"[:400]
        if parity_of(self._heard):
            self._garbage = max(self._garbage, len(self._heard))
            self._detail = self._mismatch()

    def _mismatch(self) -> str:
        sent = parity_of(self._heard)
        how = f"; they look like {sent} read as eight bits without parity" if sent else ""
        return f"{MISMATCH}: {self._garbage} bytes and no frame among them{how}"

    def missing(self, count: int, detail: str) -> None:
        """Records that the instrument counts but does not give."""
        self._missing += count
        self._missing_detail = detail

    def gaps(self, count: int, detail: str) -> None:
        """Numbers that are missing among the record numbers at present."""
        self._gap_records = count
        self._gap_detail = detail[:200]

    def repeated(self) -> None:
        """A record that was taken before."""
        self._repeats += 1

    def trouble(self, detail: str, now: float) -> None:
        """Our own storage fails."""
        self._state, self._detail = DeviceState.DEGRADED, detail[:400]
        self._trouble_until = now + 10.0

    def news(self, at: datetime, now: float) -> Status | None:
        """The status to tell, if there is something new or it is time."""
        status = self._status(at)
        old = self._told
        if old is not None:
            same_state = (old.state, old.detail) == (status.state, status.detail)
            if same_state and now - self._told_at < AGAIN_S:
                same_figures = msgspec.structs.replace(status, at=old.at) == old
                if same_figures or now - self._told_at < FIGURES_S:
                    return None
        self._told, self._told_at = status, now
        return status

    def _status(self, at: datetime) -> Status:
        figures = {
            "results": float(self.results),
            "unreadable_frames": float(self._unreadable),
            "missing_records": float(self._missing),
            "record_gaps": float(self._gap_records),
            "repeated_records": float(self._repeats),
        }
        detail = self._detail
        if self._missing and self._state is DeviceState.ONLINE:
            detail = f"records missing: {self._missing_detail}"
        elif self._gap_records and self._state is DeviceState.ONLINE:
            detail = f"record numbers missing: {self._gap_detail}"
        return Status(
            self._state,
            at,
            detail=detail,
            discarded_bytes=self.discarded_bytes,
            clock_offset_s=self.clock_offset_s,
            figures={name: value for name, value in figures.items() if value},
        )
