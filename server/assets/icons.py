"""Draws the app's icons from the seal: PNG files of exact coverage, without a picture library.

The seal's strokes run along the axes only, so that what a stroke covers of a pixel is a product of
two overlaps. A maskable icon fills its square and keeps the mark within the circle that every
platform shows.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from math import hypot
from pathlib import Path
from typing import NamedTuple

import msgspec

SEAL = Path(__file__).parent.parent / "static" / "seal.svg"
GRID = 36.0
"""Side of the seal's own coordinates."""
MASKED = 0.66
"""How large the mark of a maskable icon is."""


class Icon(NamedTuple):
    """One file: its side in pixels, and how the seal stands in it."""

    name: str
    size: int
    style: str
    """any: rounded, clear corners; maskable and apple: the whole square; badge: the mark alone."""


ICONS = (
    Icon("icon-192.png", 192, "any"),
    Icon("icon-512.png", 512, "any"),
    Icon("icon-maskable-192.png", 192, "maskable"),
    Icon("icon-maskable-512.png", 512, "maskable"),
    Icon("icon-apple-180.png", 180, "apple"),
    Icon("icon-badge-96.png", 96, "badge"),
)


class Seal(NamedTuple):
    """What the seal is made of."""

    ground: tuple[int, int, int]
    radius: float
    strokes: list[tuple[float, float, float, float]]
    """Rectangles that the mark's strokes cover: left, top, right, bottom."""


def read_seal(path: Path = SEAL) -> Seal:
    """Read the seal. Raises ValueError for what is not drawn here: a curve, a slope."""
    text = path.read_text("utf-8")
    ground, radius = _one(r'fill="#([0-9a-f]{6})"', text), _one(r'rx="([\d.]+)"', text)
    width, drawn = _one(r'stroke-width="([\d.]+)"', text), _one(r' d="([^"]+)"', text)
    half = float(width) / 2
    strokes = [
        (min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half)
        for x0, y0, x1, y1 in _segments(drawn)
    ]
    red, green, blue = bytes.fromhex(ground)
    return Seal((red, green, blue), float(radius), strokes)


def draw(icon: Icon, seal: Seal) -> bytes:
    """The icon as a PNG file."""
    size = icon.size
    scale = size / GRID
    share = {"any": 1.0, "maskable": MASKED, "apple": 0.86, "badge": 1.25}[icon.style]
    shift = GRID * (1 - share) / 2
    mark = [0.0] * (size * size)
    for stroke in seal.strokes:
        left, top, right, bottom = ((edge * share + shift) * scale for edge in stroke)
        for y in range(max(0, int(top)), min(size, int(bottom) + 1)):
            high = min(bottom, y + 1) - max(top, y)
            for x in range(max(0, int(left)), min(size, int(right) + 1)):
                wide = min(right, x + 1) - max(left, x)
                at = y * size + x
                mark[at] = max(mark[at], high * wide)
    rows = []
    for y in range(size):
        row = bytearray(b"\0")
        for x in range(size):
            white = mark[y * size + x]
            if icon.style == "badge":
                row += bytes((255, 255, 255, round(255 * white)))
                continue
            round_ = seal.radius * scale if icon.style == "any" else 0.0
            shown = _inside(x + 0.5, y + 0.5, size, round_)
            row += bytes(round(one + (255 - one) * white) for one in seal.ground)
            row.append(round(255 * shown))
        rows.append(bytes(row))
    return _png(size, rows)


def write_icons(output: Path) -> dict[str, str]:
    """Draw every icon into `output`; returns logical name → file name, with its hash."""
    seal, made = read_seal(), {}
    for icon in ICONS:
        content = draw(icon, seal)
        stem = icon.name.removesuffix(".png")
        made[icon.name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:8].upper()}.png"
        (output / made[icon.name]).write_bytes(content)
    return made


def add_to_manifest(manifest: Path, made: dict[str, str]) -> dict[str, str]:
    """Add files to the build's list; returns the whole."""
    known = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str]) | made
    manifest.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n")
    return known


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"{SEAL}: nothing like {pattern}")
    return found[1]


def _segments(path: str) -> Iterator[tuple[float, float, float, float]]:
    x = y = start_x = start_y = 0.0
    for command, told in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        values = [float(one) for one in re.findall(r"-?[\d.]+", told)]
        if command == "M":
            x, y = start_x, start_y = values
            continue
        if command not in "hvHVz":
            raise ValueError(f"{SEAL}: {command} is not drawn here")
        for value in values or [0.0]:
            x1, y1 = {
                "h": (x + value, y), "H": (value, y), "v": (x, y + value), "V": (x, value),
                "z": (start_x, start_y),
            }[command]  # fmt: skip
            yield x, y, x1, y1
            x, y = x1, y1


def _inside(x: float, y: float, size: int, radius: float) -> float:
    """How much of the pixel around a point lies within the rounded square."""
    across = max(radius - x, x - (size - radius), 0.0)
    down = max(radius - y, y - (size - radius), 0.0)
    return min(1.0, max(0.0, radius + 0.5 - hypot(across, down))) if across and down else 1.0


def _png(size: int, rows: list[bytes]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        sealed = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + sealed

    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
