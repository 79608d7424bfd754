"""The numbers of one frame that its sight is judged by, and what they say of that frame alone."""

import zlib
from dataclasses import dataclass

import numpy as np

from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty.sights import Sight
from edge_agent.cameras.pictures import Grey, histogram, structure
from edge_agent.cameras.settings import HonestySettings

BARE_STRUCTURE = 1.0
"""A covered lens has less structure than this …"""
NOISE_STRUCTURE = 0.3
"""… and the noise of a camera in the dusk alone leaves about this."""
BARE_LEVEL = 80.0
"""In a room that is dimmer than this grey level (95 of 100 pixels), less structure is left in an
open view: as the square of the light."""

BAND = 22
"""Rows at the top and at the bottom of 180 that are left out: cameras write time and name there,
sharp whatever the lens sees."""

SAMPLED_ROWS = 90
"""Rows whose bytes make the fingerprint: noise is everywhere."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The numbers of one frame that its sight is judged by."""

    fingerprint: int
    level_25: float
    """25 of 100 pixels are at or below this grey level."""
    level_95: float
    """95 of 100 pixels are at or below this grey level."""
    spread: float
    """Standard deviation of the grey levels, noise taken off."""
    structure: float
    """Variance of the Laplacian of the same."""


def measure(picture: Picture, small: Grey) -> Measures:
    """Measure a frame; `small` are its grey levels at 320x180."""
    rows = np.ascontiguousarray(picture[:: max(1, picture.shape[0] // SAMPLED_ROWS)])
    spread, fine = structure(small[BAND:-BAND])
    below = np.cumsum(histogram(small)) / small.size
    return Measures(
        fingerprint=zlib.crc32(rows.data),
        level_25=float(np.searchsorted(below, 0.25)),
        level_95=float(np.searchsorted(below, 0.95)),
        spread=spread,
        structure=fine,
    )


def judge(measures: Measures, settings: HonestySettings) -> Sight:
    """What one frame alone says: LIVE, DARK, OVEREXPOSED, COVERED or BLURRED."""
    if measures.level_95 < settings.dark_below:
        return Sight.DARK
    if measures.level_25 > settings.overexposed_above:
        return Sight.OVEREXPOSED
    light = min(1.0, measures.level_95 / BARE_LEVEL)
    is_bare = measures.structure < max(NOISE_STRUCTURE, BARE_STRUCTURE * light**2)
    if measures.spread < settings.covered_below and is_bare:
        return Sight.COVERED
    # Set against the contrast, so that a dim room does not count as blurred.
    if 1000 * measures.structure < settings.blurred_below * measures.spread**2:
        return Sight.BLURRED
    return Sight.LIVE
