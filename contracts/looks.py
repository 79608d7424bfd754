"""Looks: what the city may ask of a kitchen's camera, and the bounds that both sides keep to.

A look is a `Command` of this name to the agents of a site. The agent that has the camera answers
with `Look` events, which are not kept by anybody on their way.
"""

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
