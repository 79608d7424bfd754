"""A real edge agent, started as a process, whose clock is as far off as a file says.

``python chaos_agent.py SETTINGS.toml OFFSET_FILE``; the machine's own clock is never touched.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import load_settings
from edge_agent.agent import run_agent
from edge_agent.settings import EdgeSettings
from foodsentry.cli import stop_on_signals
from foodsentry.logs import configure_logs


def main() -> None:
    settings_file, offset_file = map(Path, sys.argv[1:])
    configure_logs("info", "text")

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=float(offset_file.read_text("utf-8")))

    run_agent(
        load_settings(settings_file, EdgeSettings), settings_file, stop_on_signals(), clock=clock
    )


if __name__ == "__main__":
    main()
