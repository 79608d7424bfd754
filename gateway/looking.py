"""Looking again and again for what is due: the loops of the gateway's threads."""

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
    """Look until `stop`: at once when woken, else every `poll_s` seconds; `part` is its health.

    While the ledger is away it waits longer and longer.
    """
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


def look_every(
    stop: threading.Event,
    look_once: Callable[[], object],
    *,
    every_s: float,
    part: str,
    metrics: Metrics,
    health: Health,
    at_once: bool = False,
) -> None:
    """Look every `every_s` seconds until `stop`, and again at once when the look says True.

    The first look comes after a wait, or `at_once`. That `part` is well is the look's to say.
    """
    more = at_once
    while not stop.wait(0 if more else every_s):
        try:
            more = look_once() is True
        except LedgerDown as error:
            more = False
            metrics.ledger_errors.inc()
            health.trouble(part, f"ledger: {error}")
