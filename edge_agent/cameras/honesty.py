"""Can the camera see at all: gone, frozen, dark, covered, blurred? Slow to say, quick to take back.

Frozen: a real picture is never twice the same to the last bit, because of the sensor's noise.
"""

import zlib
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import Grey, structure
from edge_agent.cameras.settings import HonestySettings

BARE_STRUCTURE = 1.0
"""A covered lens has less structure than this; noise alone leaves about 0.1."""

BAND = 22
"""Rows at the top and at the bottom of 180 that are left out: cameras write time and name there,
sharp whatever the lens sees."""


class Sight(StrEnum):
    """What can be said of a camera's sight; the values name observation kinds, but for LIVE."""

    LIVE = "live"
    OFFLINE = "camera_offline"
    FROZEN = "camera_frozen"
    DARK = "camera_dark"
    COVERED = "camera_covered"
    BLURRED = "camera_blurred"


@dataclass(frozen=True, slots=True)
class Measures:
    """The numbers of one frame that its sight is judged by."""

    fingerprint: int
    level_95: float
    """95 of 100 pixels are at or below this grey level."""
    spread: float
    """Standard deviation of the grey levels, noise taken off."""
    structure: float
    """Variance of the Laplacian of the same."""


def measure(picture: Picture, small: Grey) -> Measures:
    """Measure a frame; `small` are its grey levels at 320x180."""
    rows = np.ascontiguousarray(picture[:: max(1, picture.shape[0] // 270)])
    spread, fine = structure(small[BAND:-BAND])
    return Measures(
        fingerprint=zlib.crc32(rows.data),
        level_95=float(np.percentile(small, 95)),
        spread=spread,
        structure=fine,
    )


def judge(measures: Measures, settings: HonestySettings) -> Sight:
    """What one frame alone says (never FROZEN or OFFLINE)."""
    if measures.level_95 < settings.dark_below:
        return Sight.DARK
    if measures.spread < settings.covered_below and measures.structure < BARE_STRUCTURE:
        return Sight.COVERED
    # Set against the contrast, so that a dim room does not count as blurred.
    if 1000 * measures.structure < settings.blurred_below * measures.spread**2:
        return Sight.BLURRED
    return Sight.LIVE


@dataclass(frozen=True, slots=True)
class Turn:
    """The camera's sight has changed."""

    before: Sight
    now: Sight
    since_s: float
    """When it began to be so."""


@dataclass(slots=True)
class Watch:
    """Judges a camera's sight over time. Starts as LIVE, with the clock at `started_s`."""

    settings: HonestySettings
    started_s: float
    sight: Sight = field(default=Sight.LIVE, init=False)
    _seen_s: float = field(init=False)
    _fingerprint: int | None = field(default=None, init=False)
    _changed_s: float = field(init=False)
    _doubt: Sight = field(default=Sight.LIVE, init=False)
    _doubt_s: float = field(init=False)
    _good_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._seen_s = self._changed_s = self._doubt_s = self.started_s

    def frame(self, measures: Measures, at_s: float) -> Turn | None:
        """Take in a frame; returns the change, if there is one."""
        self._seen_s = at_s
        if measures.fingerprint != self._fingerprint:
            self._fingerprint, self._changed_s = measures.fingerprint, at_s
        doubt = judge(measures, self.settings)
        if doubt is Sight.LIVE and at_s - self._changed_s >= self.settings.frozen_after_s:
            doubt = Sight.FROZEN
        if doubt is not self._doubt:
            self._doubt, self._doubt_s = doubt, at_s
        if doubt is Sight.LIVE:
            return self._frame_is_good(measures, at_s)
        self._good_s = None
        patience_s = 0.0 if doubt is Sight.FROZEN else self.settings.degrade_after_s
        if doubt is not self.sight and at_s - self._doubt_s >= patience_s:
            frozen = doubt is Sight.FROZEN
            return self._turn(doubt, self._changed_s if frozen else self._doubt_s)
        return None

    def idle(self, at_s: float) -> Turn | None:
        """No frame has come up to now; returns the change, if there is one."""
        silent_s = at_s - self._seen_s
        if self.sight is not Sight.OFFLINE and silent_s >= self.settings.offline_after_s:
            self._good_s = None
            return self._turn(Sight.OFFLINE, self._seen_s)
        return None

    @property
    def trusted(self) -> bool:
        """True if the newest frame may be judged: new, and neither known nor suspected to be blind.

        A picture that has come before tells nothing new: it must not vote again.
        """
        is_new = self._changed_s == self._seen_s
        return is_new and self._doubt is Sight.LIVE and self.sight in (Sight.LIVE, Sight.BLURRED)

    def _frame_is_good(self, measures: Measures, at_s: float) -> Turn | None:
        if self.sight is Sight.LIVE:
            return None
        if self._changed_s < at_s:  # the same picture again proves nothing
            return None
        if self._good_s is None:
            self._good_s = at_s
        if at_s - self._good_s >= self.settings.recover_after_s:
            return self._turn(Sight.LIVE, self._good_s)
        return None

    def _turn(self, now: Sight, since_s: float) -> Turn:
        turn = Turn(self.sight, now, since_s)
        self.sight = now
        return turn
