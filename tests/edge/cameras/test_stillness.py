"""A frozen picture that is encoded again and again is found; a quiet room never is."""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from honesty_parts import Camera, Pixels, Scenery, scenes, watched

from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.settings import HonestySettings
from edge_agent.cameras.sources.capture import every_picture

pytestmark = pytest.mark.slow

SETTINGS = HonestySettings(still_after_s=40, view_every_s=0, loop_memory_s=0)
CODER = Path(__file__).parent / "h264_encoder.py"
FPS = 2
LIVE, FROZEN = Sight.LIVE, Sight.FROZEN
WORKING_S = 150


def shown(*, freezes: bool, until_s: float) -> Iterator[Pixels]:
    """Quiet minutes with somebody passing now and then; from WORKING_S on nobody, or frozen."""
    camera, last = Camera(2), None
    for at_s, _ in scenes(Scenery(), 0, until_s, FPS):
        busy = at_s < WORKING_S and at_s % 35 > 28
        picture = camera.picture(at_s, Scenery(people=2 if busy else 0))
        if freezes and at_s >= WORKING_S:
            picture = picture if last is None else last
        last = picture
        yield picture


def timed(pictures: Iterable[Pixels]) -> Iterator[tuple[float, Pixels]]:
    for number, picture in enumerate(pictures):
        yield number / FPS, picture


def jpeg(pictures: Iterable[Pixels]) -> Iterator[Pixels]:
    """Coded anew at qualities that come again, as groups of pictures do."""
    for number, picture in enumerate(pictures):
        quality = [cv2.IMWRITE_JPEG_QUALITY, 45 + 7 * (number % 8)]
        done, buffer = cv2.imencode(".jpg", picture, quality)
        assert done
        yield np.asarray(cv2.imdecode(buffer, cv2.IMREAD_COLOR), np.uint8)


def h264(pictures: Iterable[Pixels], options: str, folder: Path) -> Iterator[Pixels]:
    """Coded by x264 and decoded again."""
    raw, out = folder / "clip.raw", folder / "clip.mp4"
    size = (0, 0)
    with raw.open("wb") as file:
        for picture in pictures:
            size = (picture.shape[1], picture.shape[0])
            file.write(picture.tobytes())
    command = ["/usr/bin/python3", str(CODER), str(raw), *map(str, (*size, FPS)), options, str(out)]
    subprocess.run(command, check=True, timeout=300)
    raw.unlink()
    for _, picture in every_picture(out, 1_000_000):
        yield picture


def kinds(pictures: Iterable[Pixels]) -> list[tuple[Sight, Sight]]:
    found, _ = watched(timed(pictures), SETTINGS, looks_per_s=FPS)
    return [one.what for one in found]


def test_a_frozen_picture_coded_anew_is_found_and_new_pictures_end_it() -> None:
    def all_of_it() -> Iterator[Pixels]:
        yield from shown(freezes=True, until_s=WORKING_S + 100)
        yield from shown(freezes=False, until_s=20)

    assert kinds(jpeg(all_of_it())) == [(LIVE, FROZEN), (FROZEN, LIVE)]


def test_a_quiet_room_coded_likewise_is_live() -> None:
    assert kinds(jpeg(shown(freezes=False, until_s=WORKING_S + 100))) == []


def test_a_quiet_night_whose_noise_is_less_is_not_frozen() -> None:
    def night() -> Iterator[Pixels]:
        yield from shown(freezes=False, until_s=WORKING_S)
        camera = Camera(4)
        for at_s, _ in scenes(Scenery(), 0, 110, FPS):
            yield camera.picture(at_s, Scenery(people=0, light=0.5, noise=1.5))

    assert kinds(night()) == []


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("options", ["pass=quant quantizer=28", "bitrate=700"])
def test_h264_of_a_frozen_picture_is_found_and_of_a_quiet_room_is_not(
    options: str, tmp_path: Path
) -> None:
    frozen = shown(freezes=True, until_s=WORKING_S + 100)
    assert kinds(h264(frozen, options, tmp_path)) == [(LIVE, FROZEN)]
    quiet = shown(freezes=False, until_s=WORKING_S + 100)
    assert kinds(h264(quiet, options, tmp_path)) == []
