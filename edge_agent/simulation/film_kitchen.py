"""The film's kitchen: a drawn room of tiles, steel and pots, as a ceiling camera would show it."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

COUNTER_Y = 0.74
"""Where the counter begins, in shares of the picture's height; cooks stand behind it."""


def draw_kitchen(width: int, height: int) -> tuple[Pixels, Pixels]:
    """The room behind the cooks, and the counter before them [from COUNTER_Y down]."""
    room = np.zeros((height, width, 3), np.uint8)
    shade = np.linspace(216, 176, height, dtype=np.float32)[:, None, None]
    room[:] = shade * np.array([0.97, 0.99, 0.98], np.float32)
    tile = max(8, width // 24)
    for x in range(0, width, tile):
        cv2.line(room, (x, 0), (x, height), (166, 172, 172), 1, cv2.LINE_AA)
    for y in range(0, height, tile):
        cv2.line(room, (0, y), (width, y), (166, 172, 172), 1, cv2.LINE_AA)
    _window(room, width, height)
    _shelf(room, width, height)
    # The wall between the cold-dish room and the rest of the kitchen.
    x = round(0.6 * width)
    cv2.rectangle(room, (x - 7, 0), (x + 7, height), (120, 128, 134), -1)
    cv2.line(room, (x - 7, 0), (x - 7, height), (92, 98, 104), 2)
    return room, _counter(width, height)


def _window(room: Pixels, width: int, height: int) -> None:
    left, top, right, bottom = (
        round(share) for share in (0.72 * width, 0.08 * height, 0.9 * width, 0.3 * height)
    )
    cv2.rectangle(room, (left, top), (right, bottom), (226, 214, 188), -1)
    cv2.rectangle(room, (left, top), (right, bottom), (110, 116, 120), 5)
    middle = (left + right) // 2
    cv2.line(room, (middle, top), (middle, bottom), (110, 116, 120), 4)


def _shelf(room: Pixels, width: int, height: int) -> None:
    y = round(0.2 * height)
    cv2.rectangle(room, (0, y), (round(0.16 * width), y + 8), (120, 126, 130), -1)
    for index, colour in enumerate(((70, 96, 150), (96, 140, 110), (150, 150, 156))):
        x = round((0.02 + 0.045 * index) * width)
        size = round(0.035 * width)
        cv2.rectangle(room, (x, y - round(1.4 * size)), (x + size, y), colour, -1)
        cv2.ellipse(room, (x + size // 2, y - round(1.4 * size)), (size // 2, 5), 0, 0, 360,
                    (200, 204, 206), -1, cv2.LINE_AA)  # fmt: skip


def _counter(width: int, height: int) -> Pixels:
    deep = height - round(COUNTER_Y * height)
    counter = np.zeros((deep, width, 3), np.uint8)
    counter[:] = np.linspace(196, 128, deep, dtype=np.float32)[:, None, None]
    cv2.line(counter, (0, 2), (width, 2), (232, 232, 232), 3)
    for share, radius, colour in ((0.12, 0.04, (96, 100, 106)), (0.45, 0.05, (80, 84, 92)),
                                  (0.8, 0.045, (90, 110, 140))):  # fmt: skip
        centre = (round(share * width), round(deep * 0.5))
        size = (round(radius * width), round(radius * width * 0.4))
        cv2.ellipse(counter, centre, size, 0, 0, 360, colour, -1, cv2.LINE_AA)
        cv2.ellipse(counter, centre, size, 0, 0, 360, (214, 216, 218), 3, cv2.LINE_AA)
    cv2.rectangle(counter, (round(0.24 * width), round(deep * 0.35)),
                  (round(0.36 * width), round(deep * 0.7)), (92, 142, 176), -1)  # fmt: skip
    return counter
