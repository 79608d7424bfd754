"""A frame and what a source of frames is."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""BGR [height, width, 3]; nobody writes into one that came from a source."""

Ticks = Callable[[], float]
"""Seconds of a clock that never jumps (``time.monotonic``); durations are measured on it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a camera."""

    picture: Picture
    grabbed_at: datetime
    """When it was taken from the source."""
    seen_s: float
    """The same moment in seconds of a clock that never jumps."""
    number: int
    """Counted from 1 per camera; skipped frames leave gaps."""


class SourceError(Exception):
    """A source cannot be opened or read; the text says which and why, never a password."""


class FrameRefused(SourceError):
    """A frame is too large to be taken in."""


class SourceRefused(SourceError):
    """Wrong user or password: to try again and again would lock the account."""


class SourceEnded(SourceError):
    """A file or folder is played to its end; opening it anew would only repeat it."""


class Source(Protocol):
    """An opened source of pictures, read by one thread."""

    def grab(self, stop: threading.Event) -> None:
        """Advance to the next picture; blocks until it is there. Raises SourceError."""

    def retrieve(self) -> Picture:
        """The picture that was grabbed. Raises SourceError."""

    def close(self) -> None:
        """Free what is open."""


@runtime_checkable
class Attended(Source, Protocol):
    """A source that spares itself while nothing happens, and catches up when something does."""

    attentive: bool
    """False: nothing moves and nobody is there, as far as the worker sees."""
    arrived_s: float
    """When the grabbed picture came, in seconds of a clock that never jumps."""

    @property
    def behind(self) -> bool:
        """True while pictures wait that came before now; none of them may be skipped."""
