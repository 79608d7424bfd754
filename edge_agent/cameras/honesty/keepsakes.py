"""What a camera keeps on disk over restarts beside its open observations: views and meals.

Views never leave the site. A damaged file is as good as none: a view is learned anew, a meal
begins anew.
"""

import logging
from pathlib import Path

import cv2
import msgspec
import numpy as np

from contracts.files import write_whole
from contracts.settings import SettingsError
from edge_agent.cameras.frames import SourceError
from edge_agent.cameras.honesty.landmarks import LEAST_LANDMARKS, VIEW, landmarks
from edge_agent.cameras.honesty.minutes import Meal
from edge_agent.cameras.honesty.view import Light, light_of, view_of
from edge_agent.cameras.pictures import Grey, read_picture

_log = logging.getLogger(__name__)

_LARGEST_PX = 40_000_000


def read_reference(path: Path) -> tuple[Light, Grey]:
    """A scene's reference picture. Raises SettingsError that names the file."""
    try:
        picture = read_picture(path, _LARGEST_PX)
    except SourceError as error:
        raise SettingsError(f"reference: {error}") from None
    view = view_of(picture)
    if landmarks(view).count < LEAST_LANDMARKS:
        raise SettingsError(f"reference: {path}: shows too little to be known again")
    return light_of(picture), view


class Keepsakes:
    """One camera's files in the agent's state folder."""

    def __init__(self, folder: Path, device: str, scene: str) -> None:
        self._folder, self._device, self._scene = folder, device, scene

    def views(self) -> dict[Light, Grey]:
        """The views that were learned for this scene."""
        found: dict[Light, Grey] = {}
        for light in Light:
            path = self._view(light)
            if not path.exists():
                continue
            levels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if levels is None or levels.shape != (VIEW[1], VIEW[0]):
                _log.error("%s: is no view; it is learned anew", path)
                continue
            found[light] = np.asarray(levels, np.uint8)
        return found

    def keep_view(self, light: Light, levels: Grey) -> None:
        """Keep a learned view. Raises OSError."""
        done, buffer = cv2.imencode(".png", levels)
        if not done:
            raise OSError(f"{self._view(light)}: cannot be encoded")
        _write(self._view(light), buffer.tobytes())

    def meals(self) -> dict[str, Meal]:
        """The meals that were running."""
        try:
            meals = msgspec.json.decode(self._meals.read_bytes(), type=list[Meal])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.error("%s: cannot be read: %s", self._meals, error)
            return {}
        return {meal.name: meal for meal in meals}

    def keep_meals(self, meals: dict[str, Meal]) -> None:
        """Keep what is counted so far. Raises OSError."""
        _write(self._meals, msgspec.json.encode(list(meals.values())))

    @property
    def _meals(self) -> Path:
        return self._folder / f"{self._device}.meals.json"

    def _view(self, light: Light) -> Path:
        return self._folder / f"{self._device}.{self._scene}.{light.value}.png"


def _write(path: Path, content: bytes) -> None:
    """For the agent's own eyes, since a view may show who sat still."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
