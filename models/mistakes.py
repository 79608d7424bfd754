"""Pictures of an evaluation: sheets of what was got wrong, and how probabilities came true."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from models.evaluate import Answers, Measured, Mistake, read_picture
from models.reading import Picture

CELL, COLUMNS, MOST = 96, 12, 144
SIDE, EDGE = 360, 40


def write_pictures(result: Measured, folder: Path) -> list[Path]:
    """One sheet a kind of mistake (the surest first), one reliability diagram a label. Raises
    OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    by_kind: dict[str, list[Mistake]] = defaultdict(list)
    for mistake in result.mistakes:
        by_kind[mistake.kind].append(mistake)
    written = []
    for kind, mistakes in sorted(by_kind.items()):
        surest = sorted(mistakes, key=lambda one: -one.confidence)[:MOST]
        written.append(_write(folder / f"{kind}.png", sheet(surest)))
    whole: dict[str, Answers] = defaultdict(Answers)
    for (label, _), answers in sorted(result.answers.items()):
        whole[label].probabilities += answers.probabilities
        whole[label].truths += answers.truths
    for label, answers in whole.items():
        if answers.truths:
            diagram = reliability(answers.probabilities, answers.truths)
            written.append(_write(folder / f"reliability_{label}.png", diagram))
    return written


def sheet(mistakes: Sequence[Mistake]) -> Picture:
    """Heads side by side, each with the box and the confidence or probability."""
    rows = -(-len(mistakes) // COLUMNS)
    canvas = np.zeros((rows * CELL, COLUMNS * CELL, 3), dtype=np.uint8)
    for index, mistake in enumerate(mistakes):
        x0, y0, x1, y1 = mistake.box
        side = 1.6 * max(x1 - x0, y1 - y0, 4.0)
        scale = CELL / side
        left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
        matrix = np.array([[scale, 0.0, -left * scale], [0.0, scale, -top * scale]])
        cell = cv2.warpAffine(read_picture(mistake.photo), matrix, (CELL, CELL))
        corners = [round(v) for v in ((x0 - left) * scale, (y0 - top) * scale)]
        opposite = [round(v) for v in ((x1 - left) * scale, (y1 - top) * scale)]
        cv2.rectangle(cell, corners, opposite, (0, 255, 0), 1)
        text = f"{mistake.confidence:.2f}"
        cv2.putText(cell, text, (2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 255, 255), 1)
        row, column = divmod(index, COLUMNS)
        canvas[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = cell
    return canvas


def reliability(probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10) -> Picture:
    """What was said (across) against what was true (upward), a disc for each tenth, as large as it
    is full; on the diagonal every probability comes true."""
    canvas = np.full((SIDE + 2 * EDGE, SIDE + 2 * EDGE, 3), 255, dtype=np.uint8)

    def place(across: float, upward: float) -> tuple[int, int]:
        return round(EDGE + across * SIDE), round(EDGE + SIDE - upward * SIDE)

    cv2.rectangle(canvas, place(0, 0), place(1, 1), (120, 120, 120), 1)
    cv2.line(canvas, place(0, 0), place(1, 1), (200, 200, 200), 1, cv2.LINE_AA)
    said, true = np.array(probabilities), np.array(truths, dtype=np.float64)
    chosen = np.minimum(bins - 1, (said * bins).astype(int))
    for number in range(bins):
        inside = chosen == number
        if inside.any():
            radius = max(2, round(14 * float(np.sqrt(inside.mean()))))
            centre = place(float(said[inside].mean()), float(true[inside].mean()))
            cv2.circle(canvas, centre, radius, (160, 80, 20), -1, cv2.LINE_AA)
    for share in (0.0, 0.5, 1.0):
        for x, y in ((share, -0.06), (-0.09, share)):
            left, base = place(x, y)
            cv2.putText(
                canvas, f"{share:g}", (left, base), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (60, 60, 60), 1
            )
    return canvas


def _write(path: Path, picture: Picture) -> Path:
    if not cv2.imwrite(str(path), picture):
        raise OSError(f"{path}: cannot be written")
    return path
