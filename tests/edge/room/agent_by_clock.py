"""An agent whose clock a file sets ahead: ``python agent_by_clock.py SETTINGS.toml AHEAD``."""

import signal
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from contracts.clock import utc_now
from edge_agent.agent import run_agent
from edge_agent.settings import load_edge_settings


def clock_ahead(file: Path) -> datetime:
    """Now, and so many seconds more as the file says."""
    said = file.read_text("utf-8") if file.exists() else ""
    return utc_now() + timedelta(seconds=float(said or 0))


def main(settings: Path, ahead: Path) -> None:
    """Run until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_agent(load_edge_settings(settings), settings, stop, lambda: clock_ahead(ahead))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
