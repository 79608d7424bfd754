"""Writes words into pictures: Chinese with OpenCV 5's own fonts, with an older one what it can."""

import cv2

from edge_agent.cameras.frames import Picture

Colour = tuple[int, int, int]
"""Blue, green, red."""

_SHADE: Colour = (24, 24, 24)


def write(
    picture: Picture, text: str, place: tuple[int, int], colour: Colour, size: int = 16
) -> None:
    """Write `text` on a dark ground, its baseline's left end at `place`, `size` pixels high.

    Kept inside the picture as far as it fits.
    """
    wide = width_of(text, size)
    height, width = picture.shape[:2]
    x = max(2, min(place[0], width - wide - 4))
    y = max(size + 2, min(place[1], height - 4))
    cv2.rectangle(picture, (x - 2, y - size), (x + wide + 2, y + size // 3), _SHADE, -1)
    if hasattr(cv2, "FontFace"):
        # A font of its own for each word: one is not safe in two threads.
        cv2.putText(picture, text, (x, y), colour, cv2.FontFace("uni"), size)
    else:
        cv2.putText(picture, _plain(text), (x, y), _OLD, size / 28, colour, 1, cv2.LINE_AA)


def width_of(text: str, size: int = 16) -> int:
    """How wide `text` becomes, in pixels."""
    if hasattr(cv2, "FontFace"):
        box = cv2.getTextSize((10_000, 10_000), text, (0, 0), cv2.FontFace("uni"), size)
        return int(box[2])
    (wide, _), _ = cv2.getTextSize(_plain(text), _OLD, size / 28, 1)
    return int(wide)


_OLD = cv2.FONT_HERSHEY_SIMPLEX


def _plain(text: str) -> str:
    return text.encode("ascii", "replace").decode()
