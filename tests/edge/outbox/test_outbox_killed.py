"""The outbox under kill -9: what a put has returned for is there, whenever the process dies."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from facts import AGENT, FakeClock

from contracts.envelope import decode
from contracts.events import TestResult
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox

WRITER = """
import os, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from facts import AGENT, FakeClock, readings, result
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox

say = lambda text: os.write(1, (text + "\\n").encode())
outbox = Outbox(Path(sys.argv[1]), AGENT, FakeClock(), max_bytes=int(sys.argv[4]))
number = int(sys.argv[2])

def remove():  # receipts come in beside the puts
    while True:
        events = outbox.above(Lane.READING, 0, 50)
        outbox.remove([(event.key, event.key) for event in events])

threading.Thread(target=remove, daemon=True).start()
say("ready")
while True:
    numbers = [number + place for place in range(1 + number % 3)]
    outbox.put([fact for n in numbers for fact in (result(n), readings(20))])
    number = numbers[-1] + 1
    say(" ".join(map(str, numbers)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("max_bytes", [4 << 30, 3 << 20], ids=["roomy", "thinning"])
def test_every_put_that_returned_is_there_after_kill_9(tmp_path: Path, max_bytes: int) -> None:
    path = tmp_path / "o.sqlite"
    random.seed(7)
    told: set[int] = set()
    for _ in range(8):
        first = max(told, default=0) + 1
        command = [sys.executable, "-c", WRITER, str(path), str(first)]
        folder = str(Path(__file__).parents[2])
        with subprocess.Popen(
            [*command, folder, str(max_bytes)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(random.uniform(0.02, 0.4))  # the moment of death is the test's input
            os.kill(child.pid, signal.SIGKILL)
            lines = child.stdout.read().decode().splitlines(keepends=True)
        told.update(int(n) for line in lines if line.endswith("\n") for n in line.split())
        with Outbox(path, AGENT, FakeClock(), max_bytes=max_bytes) as outbox:
            events = [decode(event.payload) for event in outbox.above(Lane.ALARM, 0, 1_000_000)]
            state = outbox.state()
            waiting = len(events) + len(outbox.above(Lane.READING, 0, 1_000_000))
        numbers = [e.data.record_number for e in events if isinstance(e.data, TestResult)]
        assert told <= set(numbers)
        assert len(numbers) == len(set(numbers)), "no put is there twice"
        assert len({event.envelope.id for event in events}) == len(events)
        assert state.backlog == waiting
        told = {number for number in numbers if number is not None}
    assert len(told) > 100
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
