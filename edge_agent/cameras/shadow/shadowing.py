"""The thread that runs a candidate model beside a camera, within a budget of time.

It holds one look at most. While it works or rests, looks pass it by; the camera never waits.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from edge_agent.cameras.frames import Ticks
from edge_agent.cameras.pictures import encode_jpeg, shrink
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.shadow.comparison import Difference, Shadow
from edge_agent.cameras.shadow.witness import Glance
from edge_agent.cameras.telling.evidence import without_heads

_log = logging.getLogger(__name__)

STRETCH_S = 60.0
"""So long it takes every look, then it rests: episodes need looks in a row."""
LARGEST_LOG_BYTES = 2_000_000
"""Of the file of differences; beyond it the file is begun anew, one old one is kept."""
MOST_PICTURES = 24
PICTURE_SIDE = 640
WAIT_S = 0.25


class Shadowing:
    """A witness of one camera, and a worker."""

    def __init__(
        self,
        device: str,
        make: Callable[[], Shadow],
        folder: Path,
        share: float,
        ticks: Ticks,
    ) -> None:
        self._device, self._make, self._folder = device, make, folder
        self._share, self._ticks = share, ticks
        self._changed = threading.Condition()
        self._look: Look | None = None
        self._figures: dict[str, float] = {}
        self._pictures = 0

    @property
    def name(self) -> str:
        """For the supervisor; no device's id."""
        return f"shadow of {self._device}"

    def saw(self, glance: Glance) -> None:
        """Leave the newest look in the box; an older one that nobody fetched is dropped."""
        look = glance.outcome.look if glance.outcome else None
        if glance.device == self._device and look is not None:
            with self._changed:
                self._look = look
                self._changed.notify()

    def figures(self, device: str) -> Mapping[str, float]:
        """The counts, for the status of its own camera."""
        with self._changed:
            return dict(self._figures) if device == self._device else {}

    def run(self, stop: threading.Event) -> None:
        """Compare until `stop` is set. Whatever the candidate raises ends only this worker, which
        the supervisor starts anew."""
        try:
            self._compare(stop)
        except Exception:
            with self._changed:
                self._figures = {**self._figures, "shadow_failed": 1.0}
            raise

    def _compare(self, stop: threading.Event) -> None:
        shadow = self._make()
        self._folder.mkdir(parents=True, exist_ok=True)
        began_s = self._ticks()
        while not stop.is_set():
            look = self._fetch()
            now_s = self._ticks()
            if now_s - began_s >= STRETCH_S:
                self._tell(shadow, shadow.end_stretch(), None)
                self._rest(stop, STRETCH_S * (1 / self._share - 1))
                began_s = self._ticks()
                continue
            if look is not None:
                self._tell(shadow, shadow.compare(look), look)
        self._tell(shadow, shadow.end_stretch(), None)

    def _fetch(self) -> Look | None:
        with self._changed:
            self._changed.wait_for(lambda: self._look is not None, WAIT_S)
            look, self._look = self._look, None
            return look

    def _rest(self, stop: threading.Event, for_s: float) -> None:
        if for_s > 0:
            stop.wait(for_s)
        with self._changed:
            self._look = None

    def _tell(self, shadow: Shadow, differences: list[Difference], look: Look | None) -> None:
        with self._changed:
            self._figures = shadow.counts.figures()
        if not differences:
            return
        self._log(differences)
        if look is not None and self._pictures < MOST_PICTURES:
            self._pictures += 1
            hidden = without_heads(look.frame.picture, look.hidden)
            name = f"{self._device}.shadow-{self._pictures:02d}-{differences[0].kind}.jpg"
            content = encode_jpeg(shrink(hidden, PICTURE_SIDE), 70)
            (self._folder / name).write_bytes(content)

    def _log(self, differences: list[Difference]) -> None:
        path = self._folder / f"{self._device}.shadow.jsonl"
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".old.jsonl"))
        with path.open("ab") as file:
            file.writelines(msgspec.json.encode(one) + b"\n" for one in differences)
