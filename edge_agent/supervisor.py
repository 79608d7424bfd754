"""Runs each worker in a thread of its own; one that fails is logged, told of, and started anew."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from edge_agent.ports import Worker
from edge_agent.uplink.backoff import Backoff

logger = logging.getLogger(__name__)

STEADY_S = 30.0
"""A worker that ran this long after a failure counts as well again."""


class WorkerState(msgspec.Struct, frozen=True):
    """How a worker does; an empty problem means well."""

    name: str
    restarts: int = 0
    problem: str = ""


class Supervisor:
    """Start it once, join it once."""

    def __init__(
        self,
        workers: Sequence[Worker],
        failed: Callable[[str, str], None],
        *,
        first_pause_s: float = 1.0,
        max_pause_s: float = 60.0,
        steady_s: float = STEADY_S,
    ) -> None:
        """`failed` is told the worker's name and what happened, in the worker's thread."""
        self._workers = workers
        self._failed = failed
        self._pauses = (first_pause_s, max_pause_s)
        self._steady_s = steady_s
        self._states = {id(worker): WorkerState(worker.name) for worker in workers}
        self._began = {id(worker): 0.0 for worker in workers}
        self._threads: list[threading.Thread] = []

    def start(self, stop: threading.Event) -> None:
        """Start every worker; they end when `stop` is set."""
        for worker in self._workers:
            thread = threading.Thread(
                target=self._keep_running, args=(worker, stop), name=worker.name, daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def join(self, limit_s: float) -> list[str]:
        """Wait for all to end, at most `limit_s` seconds; returns the names of the late."""
        until = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in self._threads if thread.is_alive()]

    def states(self) -> list[WorkerState]:
        """How every worker does."""
        now = time.monotonic()
        states = []
        for key, state in self._states.items():
            if state.problem and self._began[key] and now - self._began[key] > self._steady_s:
                state = self._states[key] = msgspec.structs.replace(state, problem="")
            states.append(state)
        return states

    def _keep_running(self, worker: Worker, stop: threading.Event) -> None:
        key = id(worker)
        backoff = Backoff(*self._pauses, lambda: random.uniform(0.8, 1.2))
        while not stop.is_set():
            began = self._began[key] = time.monotonic()
            try:
                worker.run(stop)
                problem = "ended without being asked to"
            except Exception as error:
                logger.error("worker %s failed", worker.name, exc_info=error)
                problem = f"{type(error).__name__}: {error}"
            if stop.is_set():
                return
            if time.monotonic() - began > self._steady_s:
                backoff.reset()
            pause_s = backoff.next_s()
            self._began[key] = 0.0
            state = WorkerState(worker.name, self._states[key].restarts + 1, problem)
            self._states[key] = state
            logger.warning("worker %s: %s; again in %.1f s", worker.name, problem, pause_s)
            self._failed(worker.name, problem)
            stop.wait(pause_s)
