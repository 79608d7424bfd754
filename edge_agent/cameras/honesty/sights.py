"""What can be said of a camera's sight, and that it has changed."""

from dataclasses import dataclass
from enum import StrEnum


class Sight(StrEnum):
    """The values name observation kinds, but for LIVE. In order of precedence: of several that
    hold, the first is the camera's state."""

    OFFLINE = "camera_offline"
    FROZEN = "camera_frozen"
    LOOPED = "camera_looped"
    DARK = "camera_dark"
    LIGHTS_OFF = "camera_lights_off"
    """As dark, but outside working hours: as it should be, and yet nothing is seen."""
    OVEREXPOSED = "camera_overexposed"
    COVERED = "camera_covered"
    MOVED = "camera_moved"
    BLURRED = "camera_blurred"
    CLOCK_WRONG = "camera_clock_wrong"
    LIVE = "live"


BLIND = frozenset(Sight) - {Sight.LIVE, Sight.BLURRED, Sight.CLOCK_WRONG}
"""Nothing is judged meanwhile: there is no picture, none of now, or none of the scene's zones."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The camera's sight has changed. A state that stands beside others begins from LIVE."""

    before: Sight
    now: Sight
    since_s: float
    """When it began to be so."""
    figure: float = 0.0
    """LOOPED: the seconds after which all comes again; CLOCK_WRONG: by how many seconds the
    camera's clock is ahead; MOVED: by what share of the picture's width, 0 if the old view is not
    found."""
