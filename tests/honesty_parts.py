"""A room before a camera, made by code: people, light, steam, infrared.

Pictures are 640x360 with a sensor's noise and a time written in the corner, the same from the same
seed. The people walk about by chance, so that no minute is like another.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from edge_agent.cameras.honesty import Sight, Turn, Watch
from edge_agent.cameras.honesty.view import Light
from edge_agent.cameras.pictures import Grey, small_grey
from edge_agent.cameras.settings import HonestySettings

Pixels = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 640, 360
MARGIN = 80
FPS = 1.0
"""Enough for the watch, and quick to test."""


def photo(name: str = "motorcycle_left.png") -> Pixels:
    """A textured photograph, larger than the view: a workshop (Middlebury stereo set)."""
    picture = cv2.imread(str(Path(skimage.data.__file__).parent / name))
    assert picture is not None
    width, height = WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN
    scale = max(width / picture.shape[1], height / picture.shape[0])
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(large[:height, :width], np.uint8)


ROOM = photo()
ELSEWHERE = photo("coffee.png")


@dataclass(frozen=True, slots=True)
class Scenery:
    """How the room looks at a moment."""

    people: int = 2
    light: float = 1.0
    sun: float | None = None
    """Where a patch of sun lies, 0..1."""
    steam: float = 0.0
    infrared: bool = False
    noise: float = 2.0
    room: Pixels = field(default_factory=lambda: ROOM)
    turned: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """Shift in pixels to the right and down, degrees, zoom."""
    before_the_lens: Callable[[Pixels], Pixels] | None = None


@dataclass(slots=True)
class Camera:
    """Makes pictures, in order."""

    seed: int = 1
    _chance: np.random.Generator = field(init=False)
    _sheets: list[npt.NDArray[np.int16]] = field(init=False)
    """The sensor's noise at a deviation of 16 levels; shifted by chance for every picture."""
    _walks: npt.NDArray[np.float64] = field(init=False)
    _last_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)
        shape = (HEIGHT, 2 * WIDTH)
        self._sheets = [self._chance.normal(0, 16, shape).astype(np.int16) for _ in range(5)]
        self._walks = self._chance.uniform(0.1, 0.9, (6, 4))

    def picture(self, at_s: float, scenery: Scenery) -> Pixels:
        """What the camera shows at `at_s`."""
        self._walk(max(0.0, at_s - self._last_s))
        self._last_s = at_s
        scene = _view(scenery.room, scenery.turned)
        for number in range(scenery.people):
            _stand(scene, number, self._walks[number])
        if scenery.sun is not None:
            left = int(scenery.sun * 480)
            corners = np.array(
                [(left, 200), (left + 120, 200), (left + 180, 350), (left + 60, 350)]
            )
            patch = cv2.fillPoly(np.ones_like(scene), [corners], (115, 115, 115))
            scene = cv2.add(scene, cv2.multiply(scene, patch, scale=1 / 128))
        if scenery.infrared:
            scene = _infrared(scene)
        if scenery.steam:
            cloud = np.roll(_CLOUD, (int(7 * at_s), int(11 * at_s)), axis=(0, 1))
            scene = cv2.addWeighted(scene, 1 - scenery.steam, cloud, scenery.steam, 0)
        if scenery.light != 1.0:
            scene = cv2.convertScaleAbs(scene, alpha=scenery.light)
        if scenery.before_the_lens is not None:
            scene = scenery.before_the_lens(scene)
        shown = self.with_noise(np.asarray(scene, np.uint8), scenery.noise)
        place, font = (10, HEIGHT - 10), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(shown, f"{at_s:09.2f}", place, font, 0.5, (255, 255, 255), 1)
        return shown

    def with_noise(self, scene: Pixels, deviation: float) -> Pixels:
        """A scene as a sensor shows it."""
        sheet = self._sheets[int(self._chance.integers(len(self._sheets)))]
        left = int(self._chance.integers(WIDTH))
        part = np.ascontiguousarray(sheet[:, left : left + WIDTH])
        noise = cv2.merge([np.asarray(cv2.multiply(part, deviation / 16), np.int16)] * 3)
        return np.asarray(cv2.add(scene, noise, dtype=cv2.CV_8U), np.uint8)

    def _walk(self, for_s: float) -> None:
        """Everybody goes to some place, and when there to another."""
        place, goal = self._walks[:, :2], self._walks[:, 2:]
        way = goal - place
        far = np.sqrt((way**2).sum(axis=1, keepdims=True))
        place += way * np.minimum(1.0, 0.15 * for_s / np.maximum(far, 1e-6))
        there = far[:, 0] < 0.03
        goal[there] = self._chance.uniform(0.05, 0.95, (int(there.sum()), 2))


def _view(room: Pixels, turned: tuple[float, float, float, float]) -> Pixels:
    right, down, degrees, zoom = turned
    middle = (room.shape[1] / 2, room.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, zoom)
    matrix[:, 2] += (WIDTH / 2 - middle[0] + right, HEIGHT / 2 - middle[1] + down)
    return np.asarray(
        cv2.warpAffine(room, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def _stand(scene: Pixels, number: int, walk: npt.NDArray[np.float64]) -> None:
    high = int(150 + 60 * walk[1])
    left, top = int(walk[0] * (WIDTH - 70)), int(60 + 100 * walk[1])
    coat = np.array([(225, 225, 225), (60, 70, 160), (140, 110, 70)][number % 3], np.float32)
    folds = (coat * (0.8 + 0.2 * np.sin(np.arange(70) / 7))[:, None]).astype(np.uint8)
    scene[top + 40 : top + high, left : left + 70] = folds
    cv2.circle(scene, (left + 35, top + 22), 22, (120, 150, 190), -1)
    cv2.circle(scene, (left + 35, top + 12), 20, tuple(map(float, coat * 0.6)), -1)


def _infrared(scene: Pixels) -> Pixels:
    """Grey, brightest in the middle of its own lamp."""
    grey = cv2.transform(scene, np.array([[0.2, 0.3, 0.5]], np.float32))
    return np.asarray(cv2.merge([cv2.multiply(grey, _LAMP, scale=1 / 200)] * 3), np.uint8)


def _lamp() -> Pixels:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    far = (x - WIDTH / 2) ** 2 + (y - HEIGHT / 2) ** 2
    return np.asarray(240 * np.exp(-far / (2 * 230**2)), np.uint8)


def _cloud() -> Pixels:
    y, x = np.mgrid[:HEIGHT, :WIDTH] * 2 * np.pi
    swirl = np.sin(3 * x / WIDTH) * np.sin(2 * y / HEIGHT)
    return np.asarray(np.repeat((185 + 32 * swirl)[..., None], 3, axis=2), np.uint8)


_LAMP, _CLOUD = _lamp(), _cloud()


def ordinary_day() -> Iterator[tuple[float, Scenery]]:
    """Half an hour that stands for a day: (seconds, scenery). Dark from 540 to 600 s."""
    for step in range(round(1560 * FPS)):
        at_s = step / FPS
        exposure = 1.0 + 0.12 * ((int(at_s) // 45) % 3 - 1)  # the camera's own steps
        if at_s < 240:
            yield at_s, Scenery(people=2 + int(at_s / 60) % 3, light=exposure)
        elif at_s < 360:
            yield at_s, Scenery(people=1, sun=(at_s - 240) / 120)
        elif at_s < 540:
            yield at_s, Scenery(people=3, steam=0.6 * math.sin((at_s - 360) / 180 * math.pi))
        elif at_s < 600:
            yield at_s, Scenery(people=0, light=0.02, noise=1.5)
        elif at_s < 700:
            yield at_s, Scenery(people=3, light=exposure)
        elif at_s < 1000:
            yield at_s, Scenery(people=0)
        elif at_s < 1340:
            yield at_s, Scenery(people=int(1300 < at_s < 1320), infrared=True, noise=4.0)
        else:
            yield at_s, Scenery(people=2, light=1.0 - 0.5 * (at_s - 1340) / 220, sun=0.2)


def scenes(
    scenery: Scenery, from_s: float, until_s: float, fps: float = FPS
) -> Iterator[tuple[float, Scenery]]:
    """The same scenery for a while."""
    for step in range(round(from_s * fps), round(until_s * fps)):
        yield step / fps, scenery


@dataclass(frozen=True, slots=True)
class Found:
    """A change of sight, and when it was said."""

    at_s: float
    turn: Turn

    @property
    def what(self) -> tuple[Sight, Sight]:
        """From what to what."""
        return self.turn.before, self.turn.now


def watched(
    pictures: Iterable[tuple[float, Pixels]],
    settings: HonestySettings | None = None,
    *,
    views: dict[Light, Grey] | None = None,
    is_open: bool = True,
    looks_per_s: float = FPS,
) -> tuple[list[Found], Watch]:
    """What a watch makes of pictures, and the watch at their end."""
    watch = Watch(settings or HonestySettings(), 0.0, looks_per_s=looks_per_s, views=views)
    found = [
        Found(at_s, turn)
        for at_s, picture in pictures
        for turn in watch.frame(picture, small_grey(picture), at_s, is_open=is_open)
    ]
    return found, watch


def filmed(parts: Iterable[tuple[float, Scenery]], seed: int = 1) -> Iterator[tuple[float, Pixels]]:
    """The pictures of a camera."""
    camera = Camera(seed)
    for at_s, scenery in parts:
        yield at_s, camera.picture(at_s, scenery)
