"""Time as an argument: what a clock is, and the real one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present as aware UTC."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)
