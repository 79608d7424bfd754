"""The one picture that all alerts of the made-up district share: a frame of the demo's film."""

import io

from PIL import Image

from contracts.looks import LONGEST_SIDE
from edge_agent.simulation.film import CANTEEN, SIZE, pictures

HEAD = (208, 156, 328, 300)
"""The head without hat and mask, in the picture's pixels."""
_NEIGHBOUR = (772, 190, 892, 300)


def made_picture() -> tuple[bytes, tuple[int, int]]:
    """A cook without hat and mask, as JPEG, with its width and height; faces made coarse."""
    frame = Image.fromarray(next(pictures(CANTEEN[1:2]))[:, :, ::-1])
    for box in (HEAD, _NEIGHBOUR):
        sides = (box[2] - box[0], box[3] - box[1])
        coarse = frame.crop(box).resize((8, 9), Image.Resampling.BOX)
        frame.paste(coarse.resize(sides, Image.Resampling.NEAREST), box[:2])
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=75)
    return out.getvalue(), SIZE


def small_picture() -> tuple[bytes, tuple[int, int]]:
    """The same as small as a picture of a look is, with its width and height."""
    content, _ = made_picture()
    shown = Image.open(io.BytesIO(content))
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=70)
    return out.getvalue(), shown.size
