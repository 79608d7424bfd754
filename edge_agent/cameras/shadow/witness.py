"""Who may look over a camera's shoulder: the preview page, a candidate model.

Nothing is decided by a witness.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.events import Observation
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import Outcome
from edge_agent.cameras.rule.scene import Scene


@dataclass(frozen=True, slots=True)
class Glance:
    """A camera as it is after a frame, or while none comes."""

    device: str
    scene: Scene
    outcome: Outcome | None
    """What the newest frame led to; None while no frame comes."""
    sight: Sight
    open: tuple[Observation, ...]
    frames: int
    """Grabbed since the start."""
    looks: int
    trouble: str
    """What the source or the sink complains of; empty if nothing."""
    at: datetime
    at_s: float
    """The same moment on the clock that never jumps."""


class Witness(Protocol):
    """Is told what a camera sees. Called in the camera's thread: it keeps what it needs and returns
    at once."""

    def saw(self, glance: Glance) -> None:
        """Take note."""

    def figures(self, device: str) -> Mapping[str, float]:
        """What the device's status shall tell of it."""
