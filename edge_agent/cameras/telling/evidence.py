"""What leaves the camera: one small picture in which nobody but the finding can be recognised.

See docs/decisions/0004-what-leaves-the-camera.md. The whole picture is made coarse; only around the
subjects it stays sharp, and there every other head, and of the subject's own head all that is not
the finding, is made coarse too.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from contracts.events import Box, Evidence
from contracts.words import PictureRole
from edge_agent.cameras.eyes.boxes import corners, overlaps
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import coarse, encode_jpeg, shrink
from edge_agent.cameras.rule.scene import Wear

LARGEST_BYTES = 200_000
CONTEXT_BYTES = 80_000
CONTEXT_SIDE = 640
"""Of the pictures before and after: bytes, and pixels on the longest side."""
LONGEST_SIDE = 1280
BACKGROUND_CELLS = 96
"""The whole picture keeps so many cells on its longest side: rooms are known, faces are not."""
STATE_CELLS = 64
"""Of a picture that only shows that a camera cannot see."""
HEAD_CELLS = 5
"""A head that is no subject keeps so many cells."""
SUBJECT_CELLS = 40
"""What stays of the subject's head keeps so many: enough for a hat or a mask."""
KEPT = {Wear.HAT: (-0.5, 0.36), Wear.MASK: (0.72, 1.2)}
"""The finding's part of a head box, in shares of its height from its top: above the brows, or from
under the nose down. Eyes lie at about 0.55 of a bare head, at 0.7 of one with a tall hat."""
NOTHING = (0.0, 0.0)
"""Of somebody who only should not be there, no part of the head is the finding."""
AROUND = (1.2, 0.8, 1.2, 3.0)
"""How far it stays sharp around a subject: left, above, right, below, in shares of its head."""
CERTAIN = 0.5
"""A head this sure is no double of a subject's: it is hidden even over what stays of a subject."""
QUALITIES = (82, 70, 58)

Area = tuple[int, int, int, int]
"""left, top, right, bottom in whole pixels"""


def finding(
    picture: Picture, wear: Wear | None, subjects: Sequence[Box], heads: Sequence[Box]
) -> Picture:
    """The picture that shows that the subjects lack `wear` (None: that they are there at all);
    `heads` are all heads, of any doubt."""
    shown = np.array(coarse(picture, BACKGROUND_CELLS))
    for subject in subjects:
        left, top, right, bottom = _grown(picture, subject, AROUND)
        shown[top:bottom, left:right] = picture[top:bottom, left:right]
    for head in _others(subjects, heads):
        _hide(shown, _grown(picture, head, (0.15, 0.15, 0.15, 0.15)), HEAD_CELLS)
    for subject in subjects:
        _hide_but(shown, picture, subject, KEPT[wear] if wear else NOTHING)
    for head in _others(subjects, heads):
        if head.confidence >= CERTAIN:  # its face may lie within the part of a subject that stays
            _hide(shown, _grown(picture, head, (0.0, 0.0, 0.0, 0.0)), HEAD_CELLS)
    return shown


def without_heads(picture: Picture, heads: Sequence[Box]) -> Picture:
    """The picture with every head made coarse; all else stays as it is."""
    shown = np.array(picture)
    for head in heads:
        _hide(shown, _grown(picture, head, (0.2, 0.25, 0.2, 0.2)), HEAD_CELLS)
    return shown


def state(picture: Picture) -> Picture:
    """The picture that shows that the camera cannot see: dark, frozen or covered, and no more."""
    return coarse(shrink(picture, 640), STATE_CELLS)


def bounded_jpeg(picture: Picture, most_bytes: int = LARGEST_BYTES) -> tuple[bytes, float, Picture]:
    """JPEG bytes within `most_bytes`, the scale they needed, and the picture as encoded."""
    whole = max(picture.shape[:2])
    shown = shrink(picture, LONGEST_SIDE)
    while True:
        for quality in QUALITIES:
            content = encode_jpeg(shown, quality)
            if len(content) <= most_bytes:
                return content, max(shown.shape[:2]) / whole, shown
        shown = shrink(shown, max(1, max(shown.shape[:2]) * 3 // 4))


def make_evidence(
    picture: Picture,
    boxes: Sequence[Box],
    *,
    evidence_id: str,
    observation_id: str,
    captured_at: datetime,
    role: PictureRole = PictureRole.BEST,
    most_bytes: int = LARGEST_BYTES,
    original_sha256: str = "",
) -> Evidence:
    """Wrap an already hidden picture, with boxes in its own pixels."""
    content, scale, shown = bounded_jpeg(picture, most_bytes)
    return Evidence(
        evidence_id=evidence_id,
        media_type="image/jpeg",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        width=shown.shape[1],
        height=shown.shape[0],
        captured_at=captured_at,
        blurred=True,
        observation_id=observation_id,
        boxes=tuple(scaled(box, scale) for box in boxes),
        role=role,
        original_sha256=original_sha256,
    )


def _others(subjects: Sequence[Box], heads: Sequence[Box]) -> list[Box]:
    """Heads that are no subject; a double of a subject's own box is not another head."""
    if not subjects or not heads:
        return list(heads)
    table = overlaps(corners(list(heads)), corners(list(subjects)))
    return [head for head, row in zip(heads, table, strict=True) if float(row.max()) < 0.5]


def _grown(picture: Picture, box: Box, by: tuple[float, float, float, float]) -> Area:
    height, width = picture.shape[:2]
    across, down = box.x1 - box.x0, box.y1 - box.y0
    left = min(max(round(box.x0 - by[0] * across), 0), width - 1)
    top = min(max(round(box.y0 - by[1] * down), 0), height - 1)
    right = min(max(round(box.x1 + by[2] * across), left + 1), width)
    return left, top, right, min(max(round(box.y1 + by[3] * down), top + 1), height)


def _hide(shown: Picture, area: Area, cells: int) -> None:
    left, top, right, bottom = area
    part = shown[top:bottom, left:right]
    little = coarse(part, cells)
    if little is part:  # already smaller than its cells: one colour
        little = np.broadcast_to(part.mean(axis=(0, 1)).astype(np.uint8), part.shape)
    shown[top:bottom, left:right] = little


def _hide_but(shown: Picture, picture: Picture, head: Box, kept: tuple[float, float]) -> None:
    """Make a subject's head coarse but for the band `kept`, which keeps SUBJECT_CELLS."""
    area = _grown(picture, head, (0.1, 0.1, 0.1, 0.1))
    _hide(shown, area, HEAD_CELLS)
    down = head.y1 - head.y0
    left, _, right, _ = area
    top = max(0, round(head.y0 + kept[0] * down))
    bottom = min(picture.shape[0], round(head.y0 + kept[1] * down))
    if bottom <= top:
        return
    band = picture[top:bottom, left:right]
    cells = max(2, round(SUBJECT_CELLS * max(band.shape[:2]) / max(1.0, down)))
    shown[top:bottom, left:right] = coarse(band, cells)


def scaled(box: Box, scale: float) -> Box:
    """The box in a picture that was made smaller by `scale`."""
    return Box(
        box.label,
        box.x0 * scale,
        box.y0 * scale,
        box.x1 * scale,
        box.y1 * scale,
        box.confidence,
        box.attributes,
    )
