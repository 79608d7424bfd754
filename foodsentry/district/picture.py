"""The one picture that all alerts of the made-up district share: a frame of the demo's film."""

import io

from PIL import Image

from edge_agent.simulation.film import CANTEEN, SIZE, pictures


def made_picture() -> tuple[bytes, tuple[int, int]]:
    """A cook without hat and mask, as JPEG, with its width and height; drawn, so nobody's face."""
    frame = next(pictures(CANTEEN[1:2]))
    out = io.BytesIO()
    Image.fromarray(frame[:, :, ::-1]).save(out, "JPEG", quality=75)
    return out.getvalue(), SIZE
