"""What can be wrong with a camera's sight: kinds of observations, in order of precedence.

Of several that hold, the first is the camera's state. `edge_agent.cameras.honesty` says when each
of them begins and ends.
"""

CANNOT_SEE = (
    "camera_offline",
    "camera_frozen",
    "camera_looped",
    "camera_dark",
    "camera_lights_off",
    "camera_overexposed",
    "camera_covered",
    "camera_moved",
    "camera_blurred",
    "camera_clock_wrong",
)
"""Every kind."""
LIGHTS_OFF = "camera_lights_off"
"""Dark outside working hours: nothing is seen, as it should be."""
DOUBTFUL = frozenset({"camera_blurred", "camera_clock_wrong"})
"""The camera sees, but not well, or its own time proves nothing."""

RUNNING_LIVE, RUNNING_DUE = "running_live_minutes", "running_due_minutes"
"""Figures of a camera's status while a meal runs: minutes proven live so far, of how many."""
