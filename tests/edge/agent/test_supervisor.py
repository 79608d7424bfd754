"""The supervisor: a worker that fails is told of and started anew, the others never notice."""

import logging
import threading

import pytest
from fake_city import until

from edge_agent.supervisor import Supervisor


class Steady:
    """Works until it is stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = threading.Event()
        self.runs = 0

    def run(self, stop: threading.Event) -> None:
        self.runs += 1
        self.running.set()
        stop.wait()


class Failing(Steady):
    """Raises, or leaves, so many times, and then works."""

    def __init__(self, name: str, times: int, error: Exception | None) -> None:
        super().__init__(name)
        self.times, self.error = times, error

    def run(self, stop: threading.Event) -> None:
        self.runs += 1
        if self.runs <= self.times:
            if self.error:
                raise self.error
            return
        self.running.set()
        stop.wait()


def supervise(*workers: Steady, steady_s: float = 30.0) -> tuple[Supervisor, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    supervisor = Supervisor(
        workers,
        lambda name, problem: told.append((name, problem)),
        first_pause_s=0.01,
        max_pause_s=0.05,
        steady_s=steady_s,
    )
    return supervisor, told


def test_a_failing_worker_is_told_of_and_started_anew(caplog: pytest.LogCaptureFixture) -> None:
    steady = Steady("probe-1")
    failing = Failing("lz-1", 3, ValueError("a defect"))
    ending = Failing("cam-1", 2, None)
    supervisor, told = supervise(steady, failing, ending)
    stop = threading.Event()
    with caplog.at_level(logging.ERROR):
        supervisor.start(stop)
        assert failing.running.wait(5)
        assert ending.running.wait(5)
    assert told.count(("lz-1", "ValueError: a defect")) == 3
    assert told.count(("cam-1", "ended without being asked to")) == 2
    states = {state.name: state for state in supervisor.states()}
    assert states["lz-1"].restarts == 3
    assert states["lz-1"].problem == "ValueError: a defect"
    assert states["probe-1"].problem == ""
    assert steady.runs == 1
    assert "Traceback" in caplog.text
    assert "a defect" in caplog.text
    stop.set()
    assert supervisor.join(2) == []


def test_a_worker_that_runs_for_a_while_counts_as_well_again() -> None:
    failing = Failing("lz-1", 1, ValueError("once"))
    supervisor, _ = supervise(failing, steady_s=0.1)
    stop = threading.Event()
    supervisor.start(stop)
    until(lambda: supervisor.states()[0].restarts == 1)
    until(lambda: supervisor.states()[0].problem == "")
    assert supervisor.states()[0].restarts == 1
    stop.set()
    assert supervisor.join(2) == []


def test_a_worker_that_does_not_end_is_named() -> None:
    release = threading.Event()

    class Stuck(Steady):
        def run(self, stop: threading.Event) -> None:
            release.wait()

    supervisor, _ = supervise(Stuck("lz-9"), Steady("probe-1"))
    stop = threading.Event()
    supervisor.start(stop)
    stop.set()
    assert supervisor.join(0.1) == ["lz-9"]
    release.set()
    assert supervisor.join(2) == []
