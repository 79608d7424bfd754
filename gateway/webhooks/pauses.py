"""How long to wait after a try that failed: doubling, with jitter, as the receiver asks."""

from datetime import timedelta

FIRST_S = 5.0
MOST_S = 3600.0


def pause_after(failures: int, jitter: float, retry_after_s: float | None = None) -> timedelta:
    """After so many failures in a row (1 or more). `jitter` from 0 to 1 spreads it by ±30 %.

    What the receiver asks for (Retry-After) is granted up to an hour.
    """
    doubled_s = min(FIRST_S * 2.0 ** min(failures - 1, 20), MOST_S)
    spread_s = doubled_s * (0.7 + 0.6 * jitter)
    return timedelta(seconds=max(spread_s, min(retry_after_s or 0.0, MOST_S)))
