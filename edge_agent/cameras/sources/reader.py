"""Reads a source in a thread of its own: the newest frame wins, a lost source is opened anew."""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from contracts.clock import Clock
from edge_agent.cameras.frames import (
    Attended,
    Frame,
    FrameRefused,
    Picture,
    Source,
    SourceEnded,
    SourceError,
    SourceRefused,
    Ticks,
)
from edge_agent.cameras.pictures import shrink
from edge_agent.cameras.settings import CameraSettings

_log = logging.getLogger(__name__)

MOST_PATIENCE_S = 2.0
"""So long a reader that catches up waits for the worker to take a picture; then it goes on."""


class Reader:
    """A camera's newest frame. Holds one frame, whatever the camera's pace and the reader's.

    A source that hangs blocks this thread only, until its own timeout; nobody waits for it.
    """

    def __init__(
        self,
        settings: CameraSettings,
        opener: Callable[[], Source],
        clock: Clock,
        ticks: Ticks = time.monotonic,
    ) -> None:
        self._settings, self._opener = settings, opener
        self._clock, self._ticks = clock, ticks
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._count = self._handed = 0
        self.attentive = True
        """False tells the source that nothing moves and nobody is there."""
        self._trouble = ""
        self._thread = threading.Thread(
            target=self._run, name=f"read-{settings.device}", daemon=True
        )

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self, wait_s: float = 1.0) -> bool:
        """Stop reading; False if the source still hangs (its thread ends with its timeout)."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def newest(self, after: int, wait_s: float) -> Frame | None:
        """The newest frame if its number is above `after`; waits for one up to `wait_s`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._newest is not None and self._newest.number > after, wait_s
            )
            frame = self._newest
            if frame is None or frame.number <= after:
                return None
            self._handed = frame.number
            self._changed.notify_all()
            return frame

    @property
    def trouble(self) -> str:
        """Why there is no picture at the moment; empty if there is one."""
        with self._changed:
            return self._trouble

    @property
    def count(self) -> int:
        """Frames grabbed so far, those that were skipped among them."""
        return self._count

    def _run(self) -> None:
        pause_s = self._settings.retry_first_s
        while not self._stop.is_set():
            before = self._count
            try:
                self._read()
                return
            except SourceError as error:
                if self._stop.is_set():
                    return
                self._say(str(error))
                if isinstance(error, SourceEnded):
                    return
                if self._count > before:
                    pause_s = self._settings.retry_first_s
                if isinstance(error, FrameRefused | SourceRefused):
                    pause_s = self._settings.retry_longest_s
            except Exception as error:  # noqa: BLE001  # supervised: a dead thread would be silent
                _log.exception("camera %s: reading failed", self._settings.device)
                self._say(f"reading failed: {error!r}")
            # After a power cut all cameras of a site come back at once: spread the tries.
            self._stop.wait(pause_s * random.uniform(1.0, 1.25))
            pause_s = min(pause_s * 2, self._settings.retry_longest_s)

    def _read(self) -> None:
        """Read until told to stop. Raises SourceError."""
        source = self._opener()
        every_s = 0.9 / self._settings.looks_per_s
        taken_s = float("-inf")
        try:
            while not self._stop.is_set():
                if isinstance(source, Attended):
                    source.attentive = self.attentive
                    if source.behind:
                        self._wait_until_handed()
                source.grab(self._stop)
                if self._stop.is_set():
                    return
                # All pictures must be decoded, but only those that are wanted are converted.
                now_s, at = self._ticks(), self._clock()
                if isinstance(source, Attended):
                    at -= timedelta(seconds=now_s - source.arrived_s)
                    now_s = source.arrived_s
                self._count += 1
                if now_s - taken_s < every_s:
                    continue
                taken_s = now_s
                try:
                    whole = source.retrieve()
                except SourceError as error:  # this picture is bad, the next one need not be
                    self._say(str(error))
                    continue
                picture: Picture = shrink(whole, self._settings.longest_side_px)
                with self._changed:
                    if self._trouble:
                        _log.info("camera %s: pictures again", self._settings.device)
                    self._newest = Frame(picture, at, now_s, self._count)
                    self._trouble = ""
                    self._changed.notify_all()
        finally:
            source.close()

    def _wait_until_handed(self) -> None:
        """What is caught up on must all be seen: wait until the worker has taken the last one."""

        def handed() -> bool:
            newest = self._newest
            return newest is None or self._handed >= newest.number or self._stop.is_set()

        with self._changed:
            self._changed.wait_for(handed, MOST_PATIENCE_S)

    def _say(self, trouble: str) -> None:
        with self._changed:
            is_news, self._trouble = trouble != self._trouble, trouble
        if is_news:
            _log.warning("camera %s: %s", self._settings.device, trouble)
