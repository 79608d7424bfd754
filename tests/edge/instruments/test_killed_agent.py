"""kill -9 of the process that reads an instrument, again and again: nothing lost or doubled."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
# An agent in small: the real worker, and a sink that is durable when `put` returns.
SCRIPT = """
import json, os, sys, threading
from pathlib import Path
from contracts.topics import Identity
from edge_agent.instruments.reports import result_line
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.workers import instrument_workers

port, profile, state, out, configs = sys.argv[1:]

class Sink:
    def __init__(self):
        self.file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def put(self, facts):
        text = "".join(json.dumps(result_line(fact.data)) + "\\n" for fact in facts)
        os.write(self.file, text.encode())
        os.fsync(self.file)
    def quarantine(self, *_): pass
    def report(self, *_): pass

settings = InstrumentSettings("it", profile, port, poll_every_s=0.05)
(worker,) = instrument_workers(
    [settings], Identity("1", "s", "agent"), Sink(), profiles_dir=Path(configs) / "instruments",
    limits_dir=Path(configs) / "limits", state_dir=Path(state),
)
worker.run(threading.Event())
"""
RESULTS = 60


def taken(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def feed_reader(folder: Path) -> tuple[VirtualLz4000t, Callable[[int], object]]:
    virtual = VirtualLz4000t(folder / "port")
    return virtual, lambda number: virtual.add_record("菜", number / 100)


def feed_lis2(folder: Path) -> tuple[VirtualLis2, Callable[[int], object]]:
    virtual = VirtualLis2(folder / "port", reply_s=0.5)

    def send(number: int) -> None:
        virtual.send_results(f"S-{number}", [Lis2Result("抑制率", f"{number / 100:.2f}", "%")])

    return virtual, send


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "make"), [("dayuan_lz_4000t", feed_reader), ("generic_lis2", feed_lis2)]
)
def test_nothing_is_lost(
    profile: str, make: Callable[[Path], Any], tmp_path: Path, until: Callable[..., None]
) -> None:
    rng = random.Random(4)
    out = tmp_path / "out.jsonl"
    virtual, give = make(tmp_path)
    arguments = [virtual.port, profile, str(tmp_path / "state"), str(out), str(CONFIGS)]

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments])

    def values() -> Counter[str]:
        return Counter(line["value"] for line in taken(out))

    with virtual:
        agent, before = begin(), 0
        try:
            for number in range(RESULTS):
                give(number)
                time.sleep(rng.uniform(0.0, 0.05))
                if number % 6 == 5:  # in the middle of its work
                    until(lambda: len(taken(out)) > before, 30)  # noqa: B023
                    time.sleep(rng.uniform(0.0, 0.06))
                    agent.kill()
                    agent.wait()
                    before = len(taken(out))
                    agent = begin()
            wanted = {f"{number / 100:.2f}" for number in range(RESULTS)}
            until(lambda: set(values()) == wanted, 60)
        finally:
            agent.kill()
            agent.wait()
    for value, count in values().items():
        said = [line for line in taken(out) if line["value"] == value]
        unflagged = [line for line in said if "may_be_repeat" not in line["flags"]]
        assert len(unflagged) <= 1, (value, count)
