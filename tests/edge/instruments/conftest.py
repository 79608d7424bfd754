"""What tests of instruments share: a sink in memory, running workers, waiting on conditions."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from contracts.events import Readings, Status, TestResult
from contracts.topics import Identity
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.workers import instrument_workers
from edge_agent.ports import Fact, Worker

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
AGENT = Identity("440703", "market1", "agent")


class MemorySink:
    """Keeps everything; can be told to fail."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.quarantined: list[tuple[str, bytes, str]] = []
        self.statuses: list[tuple[str, Status]] = []
        self.fail_with: Exception | None = None

    def put(self, facts: Sequence[Fact]) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.facts += facts

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        self.quarantined.append((who.device, content, reason))

    def report(self, who: Identity, status: Status) -> None:
        self.statuses.append((who.device, status))

    def tests(self, device: str = "") -> list[TestResult]:
        return [
            fact.data
            for fact in list(self.facts)
            if isinstance(fact.data, TestResult) and device in ("", fact.who.device)
        ]

    def readings(self, device: str) -> list[Readings]:
        return [
            fact.data
            for fact in list(self.facts)
            if isinstance(fact.data, Readings) and fact.who.device == device
        ]

    def status(self, device: str) -> Status | None:
        found = [status for who, status in list(self.statuses) if who == device]
        return found[-1] if found else None


class Running:
    """Workers in threads, stopped at the end; an exception in one is kept."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.stop_event = threading.Event()
        self.errors: list[Exception] = []
        self.threads = [threading.Thread(target=self._run, args=(each,)) for each in workers]
        for thread in self.threads:
            thread.start()

    def _run(self, worker: Worker) -> None:
        try:
            worker.run(self.stop_event)
        except Exception as error:  # noqa: BLE001
            self.errors.append(error)

    def stop(self) -> None:
        self.stop_event.set()
        for thread in self.threads:
            thread.join(5)
            assert not thread.is_alive(), "a worker did not stop within its time"


Run = Callable[..., Running]


def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "condition did not come true in time"
        time.sleep(0.01)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def run(tmp_path: Path, sink: MemorySink) -> Iterator[Run]:
    """Start workers for the given settings (keyword arguments go to `instrument_workers`)."""
    begun: list[Running] = []

    def start(*settings: InstrumentSettings, **others: object) -> Running:
        arguments: dict[str, object] = {
            "profiles_dir": CONFIGS / "instruments",
            "limits_dir": CONFIGS / "limits",
            "state_dir": tmp_path / "state",
        }
        workers = instrument_workers(settings, AGENT, sink, **(arguments | others))  # type: ignore[arg-type]
        begun.append(Running(workers))
        return begun[-1]

    yield start
    for each in begun:
        each.stop()
