"""What every camera sees now, for looks: a witness; pictures are kept only while wanted."""

import threading
from collections.abc import Mapping

from edge_agent.cameras.shadow.witness import Glance
from edge_agent.looks.looking import View


class Views:
    """Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: frozenset[str] = frozenset()
        self._views: dict[str, View] = {}

    def want(self, cameras: frozenset[str]) -> None:
        """Keep these cameras' pictures from now on, and let go of all others."""
        with self._lock:
            self._wanted = cameras
            for camera, view in self._views.items():
                if camera not in cameras and view.look is not None:
                    self._views[camera] = View(view.sight, view.at_s, None)

    def of(self, camera: str) -> View | None:
        """A camera's newest; None if nothing was heard of it."""
        with self._lock:
            return self._views.get(camera)

    def saw(self, glance: Glance) -> None:
        """Take note."""
        with self._lock:
            look = None
            if glance.device in self._wanted:
                before = self._views.get(glance.device)
                look = glance.outcome.look if glance.outcome else None
                look = look or (before.look if before else None)
            self._views[glance.device] = View(glance.sight, glance.at_s, look)

    def figures(self, device: str) -> Mapping[str, float]:
        """Nothing for the status."""
        return {}
