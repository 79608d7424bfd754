"""Pictures: sizes known before decoding, what is too large refused, what is coarse stays coarse."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_parts import kitchen
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.cameras.frames import FrameRefused, SourceError
from edge_agent.cameras.pictures import (
    coarse,
    encode_jpeg,
    is_colourless,
    picture_size,
    read_picture,
    shrink,
)
from edge_agent.simulation.clips import SIZE
from edge_agent.simulation.effects import Look, effect
from edge_agent.simulation.players import Stage
from edge_agent.simulation.rooms import draw_room


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".webp"])
@given(width=st.integers(1, 400), height=st.integers(1, 400))
def test_the_size_is_known_from_the_header(ending: str, width: int, height: int) -> None:
    done, content = cv2.imencode(ending, np.zeros((height, width, 3), np.uint8))
    assert done
    assert picture_size(content.tobytes()) == (width, height)


def test_the_size_of_lossless_and_of_progressive_pictures() -> None:
    picture = kitchen()
    for ending, options in (
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
        (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    ):
        done, content = cv2.imencode(ending, picture, options)
        assert done
        assert picture_size(content.tobytes()) == (640, 360)


HEADS = (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF....WEBPVP8X", b"RIFF....WEBPVP8 ")


@given(st.binary(max_size=64), st.sampled_from(HEADS))
def test_garbage_has_no_size_and_raises_nothing(content: bytes, head: bytes) -> None:
    picture_size(head + content)


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it is huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(huge_png(60_000, 60_000))
    with pytest.raises(FrameRefused, match=r"bomb\.png: a frame of 60000x60000 pixels is above"):
        read_picture(path, 40_000_000)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello", "not a JPEG, PNG, BMP or WebP"),
        (b"", "not a JPEG, PNG, BMP or WebP"),
        (huge_png(40, 40), "is damaged"),
    ],
)
def test_a_bad_picture_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"bad\.png: .*{says}"):
        read_picture(path, 10_000)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.jpg: No such file"):
        read_picture(tmp_path / "none.jpg", 10_000)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(16, 400))
def test_shrinking_keeps_the_aspect_and_never_enlarges(
    width: int, height: int, longest: int
) -> None:
    shown = shrink(np.zeros((height, width, 3), np.uint8), longest)
    assert max(shown.shape[:2]) == min(longest, max(width, height))


def test_what_is_coarse_has_lost_its_fine_structure() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    assert coarse(noise, 8).std() < noise.std() / 6
    assert coarse(noise, 400) is noise


def test_jpeg_carries_no_metadata() -> None:
    content = encode_jpeg(kitchen(), 80)
    assert content[:2] == b"\xff\xd8"
    assert b"Exif" not in content


@pytest.mark.parametrize("look", Look)
def test_only_infrared_light_has_no_colour(look: Look) -> None:
    """Neither dusk with half of the lamps off nor a sensor's coloured noise is mistaken."""
    for seed in range(8):
        room, counter = draw_room(SIZE, seed)
        day = Stage(room, counter).picture((), 1.0)
        for share in (1.0, 0.6):
            seen = effect(look, SIZE, seed)(np.asarray(day * share, np.uint8), 1.0)
            assert is_colourless(seen) is (look is Look.INFRARED)
