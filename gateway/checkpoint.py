"""The thread that moves an SQLite ledger's log, so that no transaction has to."""

import logging
import threading

from ledger.checkpoints import Checkpoints
from ledger.engine import Engine, LedgerDown

log = logging.getLogger(__name__)

EVERY_S = 0.5


def checkpoint_until(engine: Engine, stop: threading.Event) -> None:
    """Move it every half second; with PostgreSQL, which does so itself, only wait for `stop`."""
    checkpoints = Checkpoints(engine)
    if checkpoints.file is None:
        stop.wait()
        return
    told = ""
    try:
        while not stop.wait(EVERY_S):
            try:
                checkpoints.look_once()
            except LedgerDown as error:
                if str(error) != told:
                    log.warning("the ledger's log is not moved: %s", error)
                told = str(error)
            else:
                told = ""
    finally:
        checkpoints.close()
