"""Looks: what the city may ask of a kitchen's camera, and the bounds that both sides keep to.

A look is a `Command` of this name to the agents of a site. The agent that has the camera answers
with `Look` events, which are not kept by anybody on their way. While it runs, and for moments
after, a picture that it has shown may be asked to be kept as evidence (`KEEP`): that travels as
every finding does.
"""

import uuid

from contracts.topics import Identity

COMMAND = "camera.look"
CAMERA, BY, REASON = "camera", "by", "reason"
"""Its arguments: the camera's device id, who asks (name and role), and why."""

BEGIN_WITHIN_S = 20.0
"""A look that has not begun by then never begins."""
MOST_S = 60.0
"""Pictures are taken for so long at most."""
MOST_PICTURES = 60
EVERY_S = 1.0
MOST_BYTES = 60_000
LONGEST_SIDE = 640
EXPIRY_S = 10
"""A broker that cannot hand an answer on within this time forgets it."""
ANSWERED_WITHIN_S = BEGIN_WITHIN_S + MOST_S + 20.0
"""What comes later than this after the asking is taken in by nobody."""

KEEP = "camera.keep"
LOOK, PICTURE = "look", "picture"
"""Arguments of `KEEP` besides the three: the look's id, and the SHA-256 of the picture as shown."""
HELD_S = 45.0
"""For so long after it was shown a site still has a picture, in memory."""
MOST_KEPT = 5
"""Pictures kept of one look."""
KEPT_KIND = "look_kept"
"""Kind of the observation that a kept picture belongs to. It is no finding."""


def kept_observation(kept_id: str) -> str:
    """Id of the observation of what was asked for as `kept_id`."""
    return f"{KEPT_KIND}-{kept_id}"


def kept_evidence(camera: Identity, kept_id: str) -> str:
    """Id of its evidence."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{camera.source}/{kept_observation(kept_id)}").hex
