"""Looks into uploaded pictures: how large before anything is decoded, whole, and one to show.

The picture that is shown is drawn anew from the decoded one: upright, no larger than a screen
needs, without what the camera wrote beside it (place, time, device). The original is left as it is.
"""

import io
import struct
import threading
import zlib
from collections.abc import Callable

import msgspec
from PIL import ImageOps
from PIL.Image import Image, Resampling
from PIL.Image import new as blank
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

SHOWN_SIDE = 1600
"""The longer side of a shown picture, in pixels, at most."""
SHOWN_QUALITY = 85
_DECODERS: dict[str, Callable[[io.BytesIO], ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/webp": WebPImageFile,
}
_AT_ONCE = threading.BoundedSemaphore(2)
"""Pictures decoded at the same moment: each takes four bytes a pixel."""
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for bytes that are no picture, depending on where they stop being one."""


class PictureBroken(ValueError):
    """The bytes are not a whole picture of that type."""


class Shown(msgspec.Struct, frozen=True):
    """A picture drawn anew: JPEG without any metadata. Sizes in pixels, of the original."""

    content: bytes
    width: int
    height: int


def dimensions(media_type: str, content: bytes) -> tuple[int, int]:
    """Width and height in pixels as the header says them. Raises PictureBroken."""
    try:
        return {
            "image/jpeg": _jpeg_size,
            "image/png": _png_size,
            "image/webp": _webp_size,
        }[media_type](content)
    except (IndexError, struct.error):
        raise PictureBroken("the header ends early") from None


def draw(media_type: str, content: bytes, most_pixels: int) -> Shown:
    """Decode it whole and draw it anew. Raises PictureBroken."""
    with _AT_ONCE:
        try:
            # By its own class: `Image.open` would try to guess, and warn of what is checked here.
            opened = _DECODERS[media_type](io.BytesIO(content))
            if opened.width * opened.height > most_pixels:
                raise PictureBroken("the header says two sizes")
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            size = upright.size
            plain = _plain(upright)
            plain.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Resampling.BOX)
            out = io.BytesIO()
            plain.save(out, "JPEG", quality=SHOWN_QUALITY, exif=b"")
        except PictureBroken:
            raise
        except _BROKEN as error:
            raise PictureBroken(str(error) or type(error).__name__) from None
    return Shown(out.getvalue(), *size)


def moves(media_type: str, content: bytes) -> bool:
    """Whether it holds more than one picture to be shown after another."""
    if media_type == "image/png":
        return b"acTL" in content[:4096]
    return media_type == "image/webp" and content[12:16] == b"VP8X" and bool(content[20] & 0x02)


def ends_where_it_should(media_type: str, content: bytes) -> bool:
    """Whether nothing follows a PNG's or a WebP's end. Phones put much behind a JPEG's."""
    if media_type == "image/webp":
        (size,) = struct.unpack_from("<I", content, 4)
        return len(content) in (size + 8, size + 8 + size % 2)
    return media_type != "image/png" or content.endswith(b"\0\0\0\0IEND\xaeB`\x82")


def _plain(picture: Image) -> Image:
    """Red, green, blue on white, without alpha, palette or anything beside the pixels."""
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        ground = blank("RGB", over.size, "white")
        ground.paste(over, mask=over.getchannel("A"))
        return ground
    made = picture.convert("RGB")
    made.info.clear()
    return made


def _png_size(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR":
        raise PictureBroken("a PNG begins with IHDR")
    width, height = struct.unpack_from(">II", content, 16)
    return _sane(width, height)


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(content[24:27], "little")
        height = 1 + int.from_bytes(content[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    else:
        raise PictureBroken("a WebP begins with VP8, VP8L or VP8X")
    return _sane(width, height)


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while True:
        if content[at] != 0xFF:
            raise PictureBroken(f"no marker at byte {at}")
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker in _BARE:
            continue
        if marker in (0xD9, 0xDA):
            raise PictureBroken("no frame before the picture's data")
        (length,) = struct.unpack_from(">H", content, at)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 3)
            return _sane(width, height)
        at += max(2, length)


def _sane(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise PictureBroken("a picture without a size")
    return width, height
