"""Is an old stretch played again? The same movement comes twice only from a recording.

The last half minute is laid upon what was seen before, at every distance in time. A recording fits
at one of them, people never do. What turns in a rhythm (a fan, a belt, a mixer) fits at short
distances too, and a room in which nothing moves fits at all: neither tells anything.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.cameras.honesty.latch import Sign
from edge_agent.cameras.honesty.measures import BAND
from edge_agent.cameras.pictures import Grey

Floats = npt.NDArray[np.float32]

_CELLS = (16, 8)
"""Of the picture without its bands: columns, rows."""
_SLOTS = 75
"""So much is laid upon the past at a time …"""
_KEY = 5
"""… at moments so far apart …"""
_EVERY_S = 10.0
"""… so often."""
_SHORTEST = 50
"""A repetition after less counts as a rhythm."""
_STIR = 1.5
"""Root mean square of the cells' grey levels between two moments, from which something moved."""
_MOVING_SHARE = 0.6
"""Of the stretch's moments, against those two seconds before."""
_FITS = 0.3
"""The past fits if what remains is below this share of what changes within seconds."""

_NEAR = _KEY
_LEAST_SLOT_S = 0.4
"""With it the stretch is 30 s, its moments are 2 s apart, and a loop of 20 s is found."""
_KNOWN = 0.8
"""Of the moments must have a frame: here, and where they are laid."""


@dataclass(slots=True)
class LoopWatch:
    """Remembers `memory_s` of what was seen; called with every frame that may be judged."""

    memory_s: float
    """0 switches the check off."""
    looks_per_s: float
    after_s: float
    """So long it must fit at the same distance."""
    _slot_s: float = field(init=False)
    _past: Floats = field(init=False)
    """[slots, cells], a ring; not-a-number where no frame came."""
    _slot: int | None = field(default=None, init=False)
    """The newest, counted from the beginning of time."""
    _checked_s: float = field(default=float("-inf"), init=False)
    _lag: int = field(default=0, init=False)
    _since_s: float | None = field(default=None, init=False)
    _fresh: int = field(default=0, init=False)
    """Checks in a row in which new movement was seen."""

    def __post_init__(self) -> None:
        self._slot_s = max(_LEAST_SLOT_S, 1.25 / self.looks_per_s)
        slots = max(2 * _SLOTS, round(self.memory_s / self._slot_s)) if self.memory_s else 0
        self._past = np.full((slots, _CELLS[0] * _CELLS[1]), np.nan, np.float32)

    def frame(self, small: Grey, at_s: float) -> Sign:
        """Take in a frame of 320x180 grey levels."""
        if not len(self._past):
            return Sign(None, at_s)
        slot = int(at_s / self._slot_s)
        if self._slot is None or slot != self._slot:
            self._move_to(slot)
            cells = cv2.resize(
                small[BAND:-BAND].astype(np.float32), _CELLS, interpolation=cv2.INTER_AREA
            )
            self._past[slot % len(self._past)] = cells.ravel()
        if at_s - self._checked_s < _EVERY_S:
            return Sign(None, at_s)
        self._checked_s = at_s
        return self._check(at_s)

    def _move_to(self, slot: int) -> None:
        before = slot - len(self._past) if self._slot is None else self._slot
        for gone in range(max(before + 1, slot - len(self._past) + 1), slot):
            self._past[gone % len(self._past)] = np.nan
        self._slot = slot

    def _check(self, at_s: float) -> Sign:
        lag = self._repeats()
        if lag is None:
            return Sign(None, at_s)
        if lag == 0:
            self._fresh += 1
            if self._fresh >= 2:
                self._since_s = None
            return Sign(False if self._fresh >= 2 else None, at_s)
        self._fresh = 0
        if self._since_s is None or abs(lag - self._lag) > 2:
            self._since_s = at_s - _SLOTS * self._slot_s
        self._lag = lag
        holds = at_s - self._since_s >= self.after_s
        return Sign(True if holds else None, self._since_s, lag * self._slot_s)

    def _repeats(self) -> int | None:
        """After how many slots the stretch came again; 0: it is new; None: it tells nothing."""
        assert self._slot is not None
        lags = len(self._past) - _SLOTS
        newest_first = np.roll(self._past, -(self._slot % len(self._past)) - 1, axis=0)[::-1]
        keys = np.arange(1, _SLOTS, _KEY)
        known = ~np.isnan(newest_first[keys, 0])
        if known.mean() < _KNOWN:
            return None
        keys = keys[known]
        far = _distances(newest_first[keys], newest_first)
        # Row by row shifted, so that a column is a distance in time; a slot more or less does not
        # matter. The first column is two slots.
        fits = np.stack([far[row, key + 1 : key + lags] for row, key in enumerate(keys)])
        fits = np.fmin(np.fmin(fits[:, :-2], fits[:, 1:-1]), fits[:, 2:])
        moving = np.nan_to_num(fits[:, _NEAR - 2]) > _STIR
        if moving.mean() < _MOVING_SHARE:
            return None
        laid = ~np.isnan(fits)
        counts = laid.sum(axis=0)
        scores = np.where(laid, fits, 0).sum(axis=0) / np.maximum(counts, 1)
        scores[counts < _KNOWN * len(keys)] = np.inf
        rhythm = float(scores[_NEAR - 2 : _SHORTEST - 2].min())
        if not _STIR <= rhythm < np.inf:
            return None
        rest = scores[_SHORTEST - 2 :]
        best = int(rest.argmin())
        return best + _SHORTEST if rest[best] < _FITS * rhythm else 0


def _distances(these: Floats, those: Floats) -> Floats:
    """[these, those]: root mean square of the differences; not-a-number where one is missing."""
    middle = np.nanmean(those, axis=0)
    a, b = these - middle, those - middle
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared, 0) / a.shape[1]), np.float32)
