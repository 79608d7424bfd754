"""How long to pause between tries: doubling, bounded, with jitter."""

import random
from collections.abc import Iterator

FIRST_S = 0.1


def pauses(most_s: float) -> Iterator[float]:
    """Seconds to wait before the next try, without end."""
    pause_s = FIRST_S
    while True:
        yield pause_s * random.uniform(0.7, 1.3)
        pause_s = min(pause_s * 2, most_s)
