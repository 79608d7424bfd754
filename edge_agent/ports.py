"""What the agent's rooms need from each other: a sink for facts, workers that make them."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from contracts.events import Status
from contracts.topics import Identity


class OutboxError(Exception):
    """A fact is not stored, and why; the source must not be acknowledged. Trying later may help."""


class FactRefused(OutboxError):
    """A fact that can never travel (too large, breaks the wire contract): trying again is no use.

    The source's bytes belong into the quarantine, with this error's text as the reason.
    """


class Fact(msgspec.Struct, frozen=True):
    """Something that must reach the city: who measured it, the channel's kind, and its data."""

    who: Identity
    kind: str
    """``readings``, ``tests``, ``observations``, ``evidence`` or ``samples``."""
    data: msgspec.Struct
    captured_at: datetime


class Sink(Protocol):
    """Where facts go. Durable: when `put` returns, a power cut loses nothing of it."""

    def put(self, facts: Sequence[Fact]) -> None:
        """Store the facts in order, all or none.

        Raises OutboxError when they cannot be stored now, FactRefused when they never can.
        """

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        """Keep bytes that could not be read, durably, with the reason. Raises OutboxError."""

    def report(self, who: Identity, status: Status) -> None:
        """Tell a device's present state; only the newest counts and it need not survive a crash."""


class Worker(Protocol):
    """Something that runs in a thread of its own until it is told to stop.

    It survives what its device does (and reports it through the sink); an exception that leaves
    `run` is a defect or a broken sink: the supervisor logs it and starts the worker anew.
    """

    @property
    def name(self) -> str:
        """For logs and metrics: the device's id."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; return within two seconds of that."""
