"""Looking again and again for what is due: the loop of threads that wait longer while the ledger
is away."""

import threading
from collections.abc import Callable

from gateway.backoff import pauses
from gateway.health import Health
from gateway.metrics import Metrics
from ledger.engine import LedgerDown

PAUSE_MOST_S = 10.0
"""The longest wait for a ledger that is away."""


def look_until(
    stop: threading.Event,
    look_once: Callable[[], object],
    *,
    part: str,
    wake: threading.Event,
    poll_s: float,
    metrics: Metrics,
    health: Health,
) -> None:
    """Look until `stop`: at once when woken, else every `poll_s` seconds; `part` is its health."""
    pause = pauses(PAUSE_MOST_S)
    while not stop.is_set():
        wait_s = poll_s
        try:
            look_once()
            health.well(part)
            pause = pauses(PAUSE_MOST_S)
        except LedgerDown as error:
            metrics.ledger_errors.inc()
            health.trouble(part, f"ledger: {error}")
            wait_s = next(pause)
        wake.wait(wait_s)
        wake.clear()
