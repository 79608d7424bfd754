"""What a benchmark starts ends with it: killed, or ended by a signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foodsentry.bench.ending import mortal

STARTS = """
import signal, subprocess, sys, time
from foodsentry.bench.ending import ended_by_signals, mortal
with ended_by_signals():
    child = subprocess.Popen(mortal(["sleep", "60"], by=signal.SIGINT))
    try:
        print(child.pid, flush=True)
        time.sleep(60)
    finally:
        print("put away", flush=True)
"""


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for whoever adopted it to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def name_of(pid: int) -> str:
    """The program that a process runs."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_whoever_started_it(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        until = time.monotonic() + 30
        while name_of(child) != "sleep" and time.monotonic() < until:
            time.sleep(0.01)  # it asks the kernel first, and becomes the program then
        assert not ended(child)
        os.kill(starter.pid, how)
        said = starter.stdout.readline()
        status = starter.wait(30)
    until = time.monotonic() + 30
    while not ended(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert ended(child)
    told = {signal.SIGKILL: (b"", -9), signal.SIGTERM: (b"put away\n", 128 + 15)}
    assert (said, status) == told[how]


def test_without_the_program_that_asks_for_it_the_command_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert mortal(["postgres", "-D", "x"]) == ["postgres", "-D", "x"]
