"""A canteen's video for demo and tests: acts in a timetable, the same from the same seed.

Played through OpenCV like any camera's: ``file:PATH`` with ``loop = true``.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.simulation.film_cook import ABOVE, HEAD_BOX, HEIGHT, WIDTH, Cook, draw_cook
from edge_agent.simulation.film_kitchen import COUNTER_Y, draw_kitchen

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Sprite = tuple[Floats, Floats]
"""A cook in BGR, already weighed by how opaque each pixel is, and what is left for the room."""
Noise = tuple[Pixels, Pixels]
"""What to add, and what to take away."""

SIZE = (960, 540)
FPS = 10.0
HEAD_SHARE = 0.24
"""Height of a bare head in shares of the picture's height."""
NOISE = 1.5
"""Standard deviation of the sensor's noise, in grey levels."""
_NOISE_SHEETS = 7


class View(Enum):
    """What the camera shows of the act."""

    LIVE = "live"
    DARK = "dark"
    FROZEN = "frozen"
    COVERED = "covered"
    BLURRED = "blurred"


@dataclass(frozen=True, slots=True)
class Act:
    """A stretch of the film."""

    lasts_s: float
    cooks: tuple[Cook, ...] = ()
    view: View = View.LIVE


_DRESSED = Cook(hat=True, mask=True)
_BARE = Cook(hat=False, mask=False)
_NEIGHBOUR = Cook(hat=True, mask=False, x=0.8, sway=0.05, mirrored=True)
"""Works in a general area, where no mask is asked for."""

CANTEEN = (
    Act(8, (_DRESSED, _NEIGHBOUR)),
    Act(13, (_BARE, _NEIGHBOUR)),
    Act(9, (_DRESSED, _NEIGHBOUR)),
    Act(7, (_DRESSED,), View.DARK),
    Act(6, (_DRESSED, _NEIGHBOUR)),
    Act(9, (_DRESSED, _NEIGHBOUR), View.FROZEN),
    Act(4),
)
"""The demo's minute: in order, then without hat and mask, in order, dark, frozen, empty."""


def pictures(
    acts: Sequence[Act], *, fps: float = FPS, seed: int = 1, size: tuple[int, int] = SIZE
) -> Iterator[Pixels]:
    """The film's pictures in BGR, `fps` a second, `size` = width and height."""
    width, height = size
    room, counter = draw_kitchen(width, height)
    noise = np.random.default_rng(seed)
    sheets = [_noise_sheet(noise, width, height) for _ in range(_NOISE_SHEETS)]
    sprites: dict[Cook, Sprite] = {}
    number = 0
    last: Pixels | None = None
    for act in acts:
        for cook in act.cooks:
            if cook not in sprites:
                sprites[cook] = _sprite(cook, height)
        for _ in range(round(act.lasts_s * fps)):
            if act.view is not View.FROZEN or last is None:
                scene = room.copy()
                for cook in act.cooks:
                    _stand(scene, cook, sprites[cook], number / fps)
                scene[-counter.shape[0] :] = counter
                # Turned round by steps that do not repeat soon: no two pictures are alike.
                more, less = sheets[number % len(sheets)]
                turned = (np.roll(more, 37 * number, axis=1), np.roll(less, 37 * number, axis=1))
                last = _seen(scene, act.view, turned, number / fps)
            yield last
            number += 1


def write_film(
    path: Path,
    acts: Sequence[Act] = CANTEEN,
    *,
    fps: float = FPS,
    seed: int = 1,
    size: tuple[int, int] = SIZE,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write the film to `path` (``.avi``, Motion JPEG, so that a frozen picture stays so to the
    last bit); tells `progress` the share that is done. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(part), cv2.CAP_OPENCV_MJPEG, code, fps, size)
    if not writer.isOpened():
        raise OSError(f"{part}: cannot be written as a video")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 50)
    total = sum(round(act.lasts_s * fps) for act in acts)
    try:
        for number, picture in enumerate(pictures(acts, fps=fps, seed=seed, size=size), 1):
            writer.write(picture)
            if progress is not None:
                progress(number / total)
    finally:
        writer.release()
    return part.replace(path)


def _noise_sheet(noise: np.random.Generator, width: int, height: int) -> Noise:
    levels = noise.normal(0, NOISE, (height, width, 1)).round()
    levels = np.repeat(levels, 3, axis=2)
    return np.maximum(levels, 0).astype(np.uint8), np.maximum(-levels, 0).astype(np.uint8)


def _sprite(cook: Cook, height: int) -> Sprite:
    pixels, opaque = draw_cook(cook)
    scale = _scale(height)
    wanted = (round(WIDTH * scale), round(HEIGHT * scale))
    share = cv2.resize(opaque, wanted, interpolation=cv2.INTER_AREA)[:, :, None]
    little = cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA)
    return np.asarray(little * share, np.float32), np.asarray(1 - share, np.float32)


def _scale(height: int) -> float:
    return HEAD_SHARE * height / (HEAD_BOX[3] - HEAD_BOX[1])


def _stand(scene: Pixels, cook: Cook, sprite: Sprite, at_s: float) -> None:
    """Put a cook into the picture where it stands at `at_s`."""
    pixels, rest = sprite
    height, width = scene.shape[:2]
    hidden = round(COUNTER_Y * height)  # below it the counter stands before the cook
    phase = at_s * 0.8 + (2.0 if cook.mirrored else 0.0)
    middle = (cook.x + cook.sway * math.sin(phase)) * width
    top = (0.30 + 0.008 * math.sin(at_s * 3.1)) * height - (ABOVE + HEAD_BOX[1]) * _scale(height)
    left, upper = round(middle - pixels.shape[1] / 2), round(top)
    x0, y0 = max(0, left), max(0, upper)
    x1, y1 = min(width, left + pixels.shape[1]), min(hidden, upper + pixels.shape[0])
    part = (slice(y0 - upper, y1 - upper), slice(x0 - left, x1 - left))
    scene[y0:y1, x0:x1] = (pixels[part] + scene[y0:y1, x0:x1] * rest[part]).astype(np.uint8)


def _seen(scene: Pixels, view: View, noise: Noise, at_s: float) -> Pixels:
    if view is View.DARK:
        scene = (scene * 0.04).astype(np.uint8)
    elif view is View.COVERED:
        scene = np.full_like(scene, 96)
    elif view is View.BLURRED:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), 14), np.uint8)
    noisy = np.asarray(cv2.subtract(cv2.add(scene, noise[0]), noise[1]), np.uint8)
    if view is not View.DARK:
        stamp = f"CAM 1  {int(at_s) // 60:02d}:{at_s % 60:04.1f}"
        place = (14, noisy.shape[0] - 14)
        shadow = (place[0] + 1, place[1] + 1)
        cv2.putText(noisy, stamp, shadow, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (40, 40, 40), 1)
        cv2.putText(noisy, stamp, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (245, 245, 245), 1)
    return noisy
