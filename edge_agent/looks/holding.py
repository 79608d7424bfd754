"""What a look has shown in the last moments, in memory only: an officer may ask to keep it."""

from collections import deque
from dataclasses import dataclass, field

from contracts.events import Evidence
from contracts.looks import HELD_S

MOST = 60
"""Pictures held at a time, of all cameras together: some 15 MB with their originals."""


@dataclass(frozen=True, slots=True)
class Held:
    """A picture as it left, and what it was made of."""

    look_id: str
    camera: str
    picture: Evidence
    original: bytes
    """The whole frame as JPEG, unblurred; empty where no original may be kept."""
    width: int
    height: int
    """Of the original, in pixels."""
    shown_s: float


@dataclass(slots=True)
class Holding:
    """The pictures of one agent; used by one thread."""

    _held: deque[Held] = field(default_factory=lambda: deque(maxlen=MOST), init=False)

    def put(self, held: Held) -> None:
        """Hold it for HELD_S, unless many more come."""
        self.sweep(held.shown_s)
        self._held.append(held)

    def find(self, look_id: str, camera: str, sha256: str, now_s: float) -> Held | None:
        """That picture of that look; None if it is there no more, or never was."""
        self.sweep(now_s)
        for one in self._held:
            if (one.look_id, one.camera, one.picture.sha256) == (look_id, camera, sha256):
                return one
        return None

    def sweep(self, now_s: float) -> None:
        """Let go of what is too old."""
        while self._held and now_s - self._held[0].shown_s > HELD_S:
            self._held.popleft()
