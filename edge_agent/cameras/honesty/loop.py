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
_SLOT_S = 0.2
"""The past is kept in slots of this length, or of the time between two looks."""
_STRETCH_S = 30.0
"""So much is laid upon the past at a time …"""
_KEY_S = 2.0
"""… at moments so far apart …"""
_EVERY_S = 10.0
"""… so often."""
SHORTEST_S = 20.0
"""A repetition after less counts as a rhythm."""
_STIR = 1.5
"""Root mean square of the cells' grey levels between two moments, from which something moved."""
_MOVING_SHARE = 0.6
"""Of the stretch's moments, against those two seconds before."""
_FITS = 0.3
"""The past fits if what remains is below this share of what changes within seconds."""

_KNOWN = 0.8
"""Of the moments must have a frame: here, and where they are laid."""
_MIDDLE = 128.0


@dataclass(slots=True)
class LoopWatch:
    """Remembers `memory_s` of what was seen; called with every frame that may be judged."""

    memory_s: float
    """0 switches the check off."""
    looks_per_s: float
    after_s: float
    """So long it must fit at the same distance."""
    _slot_s: float = field(init=False)
    _stretch: int = field(init=False)
    _key: int = field(init=False)
    _shortest: int = field(init=False)
    """The same lengths in slots."""
    _past: Floats = field(init=False)
    """[slots, cells], a ring; not-a-number where no frame came."""
    _slot: int = field(default=-1, init=False)
    """The newest, counted from the beginning of time."""
    _checked_s: float = field(default=float("-inf"), init=False)
    _lag: int = field(default=0, init=False)
    _since_s: float | None = field(default=None, init=False)
    _fresh: int = field(default=0, init=False)
    """Checks in a row in which new movement was seen."""

    def __post_init__(self) -> None:
        self._slot_s = max(_SLOT_S, 1 / self.looks_per_s)
        self._stretch, self._key, self._shortest = (
            round(length / self._slot_s) for length in (_STRETCH_S, _KEY_S, SHORTEST_S)
        )
        slots = max(3 * self._stretch, round(self.memory_s / self._slot_s)) if self.memory_s else 0
        self._past = np.full((slots, _CELLS[0] * _CELLS[1]), np.nan, np.float32)

    def frame(self, small: Grey, at_s: float) -> Sign:
        """Take in a frame of 320x180 grey levels."""
        if not len(self._past):
            return Sign(None, at_s)
        slot = int(at_s / self._slot_s + 1e-6)
        if slot > self._slot:
            self._move_to(slot)
            inner = small[BAND:-BAND].astype(np.float32)
            cells = cv2.resize(inner, _CELLS, interpolation=cv2.INTER_AREA)
            self._past[slot % len(self._past)] = cells.ravel() - _MIDDLE
        if at_s - self._checked_s < _EVERY_S:
            return Sign(None, at_s)
        self._checked_s = at_s
        return self._check(at_s)

    def _move_to(self, slot: int) -> None:
        for gone in range(max(self._slot + 1, slot - len(self._past) + 1), slot):
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
            self._since_s = at_s - _STRETCH_S
        self._lag = lag
        holds = at_s - self._since_s >= self.after_s
        return Sign(True if holds else None, self._since_s, lag * self._slot_s)

    def _repeats(self) -> int | None:
        """After how many slots the stretch came again; 0: it is new; None: it tells nothing."""
        keys = np.arange(1, self._stretch, self._key)
        moments = self._past[(self._slot - keys) % len(self._past)]
        known = ~np.isnan(moments[:, 0])
        if known.mean() < _KNOWN:
            return None
        keys, moments = keys[known], moments[known]
        ages = (self._slot - np.arange(len(self._past))) % len(self._past)
        far = _distances(moments, self._past)[:, ages]  # newest first
        # Row by row shifted, so that a column is a distance in time; a slot more or less does not
        # matter. The first column is two slots.
        lags = len(self._past) - self._stretch
        fits = np.stack([far[row, key + 1 : key + lags] for row, key in enumerate(keys)])
        fits = np.fmin(np.fmin(fits[:, :-2], fits[:, 1:-1]), fits[:, 2:])
        moving = np.nan_to_num(fits[:, max(0, self._key - 2)]) > _STIR
        if moving.mean() < _MOVING_SHARE:
            return None
        laid = ~np.isnan(fits)
        counts = laid.sum(axis=0)
        scores = np.where(laid, fits, 0).sum(axis=0) / np.maximum(counts, 1)
        scores[counts < _KNOWN * len(keys)] = np.inf
        rhythm = float(scores[max(0, self._key - 2) : self._shortest - 2].min())
        if not _STIR <= rhythm < np.inf:
            return None
        rest = scores[self._shortest - 2 :]
        best = int(rest.argmin())
        return best + self._shortest if rest[best] < _FITS * rhythm else 0


def _distances(these: Floats, those: Floats) -> Floats:
    """[these, those]: root mean square of the differences; not-a-number where one is missing."""
    with np.errstate(invalid="ignore"):  # not-a-number is meant
        squared = -2 * these @ those.T
    squared += np.einsum("ij,ij->i", those, those)
    squared += np.einsum("ij,ij->i", these, these)[:, None]
    return np.asarray(np.sqrt(np.maximum(squared, 0) / these.shape[1]), np.float32)
