"""Runs the demo's processes, each a `foodsentry` command of its own, and ends them."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Self

STOP_LIMIT_S = 8.0


class ProcessFailed(RuntimeError):
    """A process of the demo ended by itself; the text shows its last lines."""


class Processes:
    """Child processes by name, with a log file each in `folder`.

    `around` makes of the command of each the one that is run.
    """

    def __init__(
        self, folder: Path, around: Callable[[list[str]], list[str]] = lambda command: command
    ) -> None:
        self._folder = folder
        self._around = around
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start `foodsentry ARGUMENTS` under `name`."""
        whole = [sys.executable, "-m", "foodsentry.cli", "--log-format", "json", *arguments]
        command = self._around(whole)
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self._folder / f"{name}.log"

    def check(self) -> None:
        """Raise ProcessFailed if one of them has ended."""
        for name, process in self._running.items():
            status = process.poll()
            if status is not None:
                tail = self.log(name).read_text("utf-8", "replace").splitlines()[-12:]
                raise ProcessFailed("\n".join([f"{name} ended with status {status}:", *tail]))

    def wait_for(self, url: str, limit_s: float) -> None:
        """Wait until `url` answers. Raises ProcessFailed when a process dies or time is up."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise ProcessFailed(f"{url} did not answer within {limit_s:.0f} s")

    def pid(self, name: str) -> int:
        """Number of one process."""
        return self._running[name].pid

    def rss_mb(self, name: str) -> float:
        """Resident memory of one process, in MB."""
        status = Path(f"/proc/{self.pid(name)}/status").read_text("utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1000

    def kill(self, name: str) -> None:
        """End one at once, as a power cut would."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, *names: str) -> None:
        """Ask the named ones (all, if none is named) to end; insist after a while."""
        chosen = {name: self._running.pop(name) for name in (names or list(self._running))}
        for process in chosen.values():
            process.terminate()
        until = time.monotonic() + STOP_LIMIT_S
        for process in chosen.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
