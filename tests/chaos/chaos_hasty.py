"""A gateway with a defect, to see whether the suite finds it: receipts before the series write.

``python chaos_hasty.py SETTINGS.toml``: the gateway as it is, but what it writes to the time series
counts as written at once and is really written later, by a thread of its own.
"""

import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gateway.run
from contracts.settings import load_settings
from foodsentry.cli import stop_on_signals
from foodsentry.logs import configure_logs
from gateway.settings import GatewaySettings
from timeseries.port import LineStore, Point, SeriesDown, SeriesStore
from timeseries.settings import SeriesSettings, open_store


class HastyStore:
    """Says yes before it has asked. Whatever writes is here; a new way of writing belongs here."""

    def __init__(self, inner: SeriesStore) -> None:
        self._inner = inner
        self._waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        threading.Thread(target=self._write_later, daemon=True).start()

    def write(self, points: Sequence[Point]) -> None:
        kept = list(points)
        self._waiting.put(lambda: self._inner.write(kept))

    def write_lines(self, lines: bytes) -> bool:
        inner = self._inner
        assert isinstance(inner, LineStore)
        self._waiting.put(lambda: inner.write_lines(lines))
        return True

    def close(self) -> None:
        self._inner.close()

    def _write_later(self) -> None:
        while True:
            write = self._waiting.get()
            while True:
                try:
                    write()
                    break
                except SeriesDown:
                    time.sleep(0.2)


def hasty(settings: SeriesSettings, base: Path) -> HastyStore:
    return HastyStore(open_store(settings, base))


def main() -> None:
    settings_file = Path(sys.argv[1])
    configure_logs("info", "text")
    gateway.run.open_store = hasty  # type: ignore[assignment]
    settings = load_settings(settings_file, GatewaySettings)
    gateway.run.run_gateway(settings, settings_file, stop_on_signals())


if __name__ == "__main__":
    main()
