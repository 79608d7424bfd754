"""Is the picture frozen although its bits differ, because something encodes it again and again?

What encodes the same picture again comes back to nearly the same result; a sensor's noise never
does. So a frame is compared with those of the last minute, and the least difference counts. How
little is too little, the camera itself has shown in quiet minutes after which something moved:
compression, noise and light are its own. Where it never was quiet, only the exact same is called
frozen.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_agent.cameras.honesty.measures import BAND
from edge_agent.cameras.motion import CHANGED_SHARE, changed_share
from edge_agent.cameras.pictures import Grey

_STEP = 3
"""Every third pixel in both directions is compared."""
_KEEP_S, _KEPT = 0.5, 120
"""A frame is kept so often, and so many of them: a minute."""
_NEXT = 6
"""The newest that are left out: they belong to the same group of pictures."""
_CHECK_S = 2.0
_GAP_S = 15.0
_RECOVERY_S = 4.0
_WINDOWS = 10
"""The patience has so many windows, each with its own median."""
_LIFELESS = 0.6
"""Below this share of what is usual in quiet minutes, the noise has gone."""
_EXACT = 0.02
"""Mean difference that no sensor comes down to, through no codec tried (the least was 1.4, with
strong noise reduction): below it, no quiet minutes need to be known."""
_USUAL = 0.1
"""Quantile of the quiet windows that is called usual."""
_LEAST_WINDOWS = 8
_LEAST_USUAL = 0.15
"""A camera that shows less noise (mean grey levels) is not judged."""
_MOST_REMEMBERED = 300


@dataclass(slots=True)
class Stillness:
    """Watches the noise of one camera in one light."""

    after_s: float
    """0 switches the check off."""
    _kept: deque[Grey] = field(default_factory=lambda: deque(maxlen=_KEPT), init=False)
    _kept_s: float = field(default=float("-inf"), init=False)
    _checked_s: float = field(default=float("-inf"), init=False)
    _window: list[float] = field(default_factory=list, init=False)
    _window_s: float = field(default=0.0, init=False)
    _quiet: list[float] = field(default_factory=list, init=False)
    """Medians of the quiet windows since something last moved."""
    _known: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_REMEMBERED), init=False)
    """Those after which something moved."""
    holds: bool = field(default=False, init=False)
    """True while the picture counts as frozen …"""
    since_s: float = field(default=0.0, init=False)
    """… since then."""
    _lifeless: int = field(default=0, init=False)

    @property
    def usual(self) -> float | None:
        """Least difference that is usual in quiet minutes; None if not known or too small."""
        if len(self._known) < _LEAST_WINDOWS:
            return None
        usual = float(np.quantile(np.array(self._known), _USUAL))
        return usual if usual >= _LEAST_USUAL else None

    def frame(self, small: Grey, at_s: float) -> None:
        """Take in a frame of 320x180 grey levels that shows something."""
        if self.after_s <= 0 or at_s - self._kept_s < 0.9 * _KEEP_S:
            return
        if at_s - self._kept_s > _GAP_S:  # nothing may be concluded across a gap
            self._begin_anew()
        self._kept_s = at_s
        probe = np.ascontiguousarray(small[BAND:-BAND:_STEP, ::_STEP])
        self._kept.append(probe)
        if at_s - self._checked_s < 0.9 * _CHECK_S or len(self._kept) < _KEPT // 2:
            return
        self._checked_s = at_s
        if changed_share(self._kept[-_NEXT], probe) >= CHANGED_SHARE:
            self._moved()
        else:
            self._still(_least_difference(self._kept, probe), at_s)

    def _begin_anew(self) -> None:
        self._kept.clear()
        self._window.clear()
        self._lifeless = 0

    def _moved(self) -> None:
        if self._lifeless == 0:
            self._known.extend(self._quiet)
        self._quiet.clear()
        self._window.clear()
        self._lifeless, self.holds = 0, False

    def _still(self, least: float, at_s: float) -> None:
        if not self._window:
            self._window_s = at_s
        self._window.append(least)
        # Slow to degrade, quick to recover.
        lasts_s = _RECOVERY_S if self.holds else self.after_s / _WINDOWS
        if at_s - self._window_s < lasts_s:
            return
        median = float(np.median(self._window))
        self._window.clear()
        if median >= max(_EXACT, _LIFELESS * (self.usual or 0.0)):
            self._quiet.append(median)
            self._lifeless, self.holds = 0, False
            return
        if self._lifeless == 0:
            self.since_s = self._window_s
        self._lifeless += 1
        self.holds = self._lifeless >= _WINDOWS


def _least_difference(kept: deque[Grey], probe: Grey) -> float:
    older = np.stack(list(kept)[:-_NEXT])
    steps: npt.NDArray[np.uint8] = np.maximum(older, probe) - np.minimum(older, probe)
    return float(steps.reshape(len(older), -1).mean(axis=1).min())
