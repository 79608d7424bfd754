"""What is done to pictures with OpenCV: sizes, grey, sharpness, pixels made coarse, JPEG."""

import struct
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.cameras.frames import FrameRefused, Picture, SourceError

Grey = npt.NDArray[np.uint8]

SMALL = (320, 180)
"""Width and height at which motion and honesty are judged."""

LARGEST_FILE_BYTES = 64_000_000

COLOURLESS = 5
"""Difference of the colours below which 95 of 100 cells of an infrared picture are. By day, in the
dusk with half of the lamps off, they have 6 and more."""

PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Of the files of a picture folder."""


def shrink(picture: Picture, longest_side: int) -> Picture:
    """The picture, made smaller if its longest side is above `longest_side` pixels."""
    height, width = picture.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return picture
    return resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def resize(picture: Picture, width: int, height: int) -> Picture:
    """The picture at another size; averages where it shrinks."""
    smaller = picture.shape[0] > height or picture.shape[1] > width
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=interpolation), np.uint8)


def grey(picture: Picture) -> Grey:
    """Grey levels."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def is_colourless(picture: Picture) -> bool:
    """True of a picture taken by infrared light. Cells of 40x24 are looked at, not pixels: a
    camera's noise is coloured."""
    few = resize(np.ascontiguousarray(picture[::4, ::4]), 40, 24).astype(np.int16)
    colour = np.abs(few[..., 0] - few[..., 1]) + np.abs(few[..., 2] - few[..., 1])
    return float(np.percentile(colour, 95)) < COLOURLESS


def small_grey(picture: Picture) -> Grey:
    """Grey levels at 320x180, whatever the aspect."""
    return small_levels(grey(picture))


def small_levels(levels: Grey) -> Grey:
    """Grey levels at 320x180; halved as often as they can be, which is the quick way."""
    width, height = SMALL
    while levels.shape[1] >= 2 * width and levels.shape[0] >= 2 * height:
        levels = resize(levels, levels.shape[1] // 2, levels.shape[0] // 2)
    return levels if levels.shape == (height, width) else resize(levels, width, height)


def sharpness(levels: Grey) -> float:
    """Variance of the Laplacian: how much fine structure there is, noise included."""
    return float(cv2.Laplacian(levels, cv2.CV_64F).var())


def histogram(levels: Grey) -> npt.NDArray[np.float32]:
    """How many pixels have each of the 256 grey levels."""
    return np.asarray(cv2.calcHist([levels], [0], None, [256], [0, 256]), np.float32).ravel()


def structure(levels: Grey) -> tuple[float, float]:
    """Standard deviation, and variance of the Laplacian, both with the noise smoothed away."""
    smooth = cv2.GaussianBlur(levels.astype(np.float32), (5, 5), 1.2)
    return float(smooth.std()), float(cv2.Laplacian(smooth, cv2.CV_32F).var())


def coarse(picture: Picture, cells: int) -> Picture:
    """The picture reduced to `cells` cells on its longest side and smoothly enlarged again."""
    height, width = picture.shape[:2]
    if max(height, width) <= cells:
        return picture
    scale = cells / max(height, width)
    little = resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(little, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """JPEG bytes without any metadata."""
    done, buffer = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {picture.shape} cannot be encoded")
    return buffer.tobytes()


def read_picture(path: Path, refuse_above_px: int) -> Picture:
    """Read a picture file. Raises FrameRefused (too large; known before decoding), SourceError."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise FrameRefused(f"{path}: {path.stat().st_size} bytes are too many for a picture")
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    size = picture_size(content)
    if size is None:
        raise SourceError(f"{path}: not a JPEG, PNG, BMP or WebP picture")
    check_size(str(path), *size, refuse_above_px)
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise SourceError(f"{path}: the picture is damaged")
    return np.asarray(picture, np.uint8)


def check_size(where: str, width: int, height: int, refuse_above_px: int) -> None:
    """Raises FrameRefused if width x height is above the limit."""
    if width * height > refuse_above_px:
        raise FrameRefused(
            f"{where}: a frame of {width}x{height} pixels is above the limit of {refuse_above_px}"
        )


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height from the file's header, without decoding it; None if it is no picture.

    Sources: PNG (ISO 15948) IHDR, JPEG (ITU-T T.81) SOFn, BMP info header, WebP container.
    """
    try:
        if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", content, 16)
        elif content[:2] == b"\xff\xd8":
            return _jpeg_size(content)
        elif content[:2] == b"BM":
            width, height = struct.unpack_from("<ii", content, 18)
        elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp_size(content)
        else:
            return None
    except (struct.error, IndexError):
        return None
    return abs(int(width)), abs(int(height))


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, at + 5)
            return int(width), int(height)
        at += 2 + int(struct.unpack_from(">H", content, at + 2)[0])
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return width, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int(struct.unpack_from("<I", content, 21)[0])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return int(width) & 0x3FFF, int(height) & 0x3FFF
    return None
