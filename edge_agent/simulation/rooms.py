"""Rooms for golden clips: the film's kitchen in other light and with other things in it."""

import cv2
import numpy as np

from edge_agent.simulation.film_kitchen import Pixels, draw_kitchen


def draw_room(size: tuple[int, int], seed: int) -> tuple[Pixels, Pixels]:
    """The room and its counter, for width x height; round and head-sized things are among what
    stands and hangs there, so that a detector has something to be wrong about."""
    width, height = size
    chance = np.random.default_rng(seed)
    room, counter = draw_kitchen(width, height)
    for _ in range(int(chance.integers(3, 9))):
        _thing(room, chance)
    tint = chance.uniform(0.72, 1.04) * (1 + chance.uniform(-0.08, 0.08, 3))
    grain = cv2.GaussianBlur(chance.normal(0, 22, (height, width, 1)), (0, 0), 3)[:, :, None]
    lit = np.clip(room * tint + grain, 0, 255).astype(np.uint8)
    return lit, np.clip(counter * tint, 0, 255).astype(np.uint8)


def _thing(room: Pixels, chance: np.random.Generator) -> None:
    """A pot, a clock, a box, a hanging ladle or a towel on the wall."""
    height, width = room.shape[:2]
    x, y = int(chance.uniform(0.05, 0.95) * width), int(chance.uniform(0.08, 0.6) * height)
    size = int(chance.uniform(0.04, 0.13) * height)
    colour = tuple(int(level) for level in chance.integers(40, 225, 3))
    dark = tuple(level // 2 for level in colour)
    kind = int(chance.integers(5))
    if kind == 0:
        cv2.ellipse(room, (x, y), (size, int(size * 0.7)), 0, 0, 360, colour, -1, cv2.LINE_AA)
        cv2.rectangle(room, (x - size, y), (x + size, y + size), colour, -1)
        cv2.ellipse(room, (x, y), (size, size // 3), 0, 0, 360, dark, 2, cv2.LINE_AA)
    elif kind == 1:
        cv2.circle(room, (x, y), size, (236, 238, 240), -1, cv2.LINE_AA)
        cv2.circle(room, (x, y), size, dark, 2, cv2.LINE_AA)
        cv2.line(room, (x, y), (x + size // 2, y - size // 3), (30, 30, 30), 2, cv2.LINE_AA)
    elif kind == 2:
        cv2.rectangle(room, (x - size, y - size), (x + size, y + size), colour, -1)
        cv2.rectangle(room, (x - size, y - size), (x + size, y + size), dark, 2)
    elif kind == 3:
        cv2.line(room, (x, y - 2 * size), (x, y), dark, 3, cv2.LINE_AA)
        cv2.circle(room, (x, y), size // 2, colour, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(room, (x - size // 2, y - size), (x + size // 2, y + 2 * size), colour, -1)
        for step in range(4):
            line_y = y - size + step * size // 2
            cv2.line(room, (x - size // 2, line_y), (x + size // 2, line_y), dark, 1)
