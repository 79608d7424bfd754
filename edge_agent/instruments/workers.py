"""Makes the workers of all instruments of a site: one per serial line."""

from collections.abc import Sequence
from pathlib import Path

from contracts.clock import Clock, utc_now
from contracts.topics import Identity
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.ports import Sink, Worker


def instrument_workers(
    settings: Sequence[InstrumentSettings],
    agent: Identity,
    sink: Sink,
    *,
    profiles_dir: Path,
    limits_dir: Path,
    state_dir: Path,
    clock: Clock = utc_now,
) -> list[Worker]:
    """One worker per port; instruments that share a port share a worker.

    `state_dir` is a folder of the agent that survives restarts: each instrument keeps there what it
    has acknowledged but not yet turned into facts, and which records it has taken already. An
    instrument whose profile is broken is left out and reported offline with the file and key.
    """
    raise NotImplementedError
