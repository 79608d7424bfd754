"""Keeps a part's thread alive: what ends it by an exception is logged, told, and begun anew."""

import logging
import threading
from collections.abc import Callable

from gateway.backoff import pauses
from gateway.health import Health

log = logging.getLogger(__name__)

PAUSE_MOST_S = 30.0


def supervised(
    name: str, run: Callable[[threading.Event], None], stop: threading.Event, health: Health
) -> threading.Thread:
    """A started thread that runs `run(stop)` until it returns after `stop`."""

    def work() -> None:
        for pause_s in pauses(PAUSE_MOST_S):
            try:
                run(stop)
            except Exception:  # the supervisor: everything ends here
                log.exception("%s failed, beginning anew", name)
                health.trouble(name, f"{name} failed; see the log")
            else:
                health.well(name)
                return
            if stop.wait(pause_s):
                return

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
