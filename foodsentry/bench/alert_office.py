"""Whom the benchmark's alerts are told: officers of every region, and the gateway's own pipeline
and sender behind the ledger, down to a channel that notes when it was handed what."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Self

from contracts.clock import utc_now
from gateway.checkpoint import checkpoint_until
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.channels.channel import Message, Sent
from gateway.notify.channels.opening import Opened
from gateway.notify.inhibit import Inhibition
from gateway.notify.pipeline import Pipeline
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.notify.policy import Policy
from gateway.notify.routing import Routes
from gateway.notify.sender import Sender
from gateway.notify.settings import NotifySettings
from ledger import contacts, officers
from ledger.engine import Engine, writing
from ledger.officers import Officer, Role

CHANNEL = "ear"
SETTLED_S = 1.0


class Ear:
    """A channel that answers at once, and remembers when it first heard of each alert."""

    name = CHANNEL

    def __init__(self) -> None:
        self.heard: dict[tuple[str, datetime], float] = {}
        """Monotonic times by site and time of the fact: a device tells no two at one moment."""
        self.messages = 0

    def send(self, message: Message) -> Sent:
        """Take it."""
        at = time.perf_counter()
        self.messages += 1
        for alert in message.alerts:
            self.heard.setdefault((alert.site, alert.raised_at), at)
        return Sent()

    def close(self) -> None:
        """Nothing to let go of."""


def employ(engine: Engine, regions: Iterable[str]) -> None:
    """An officer for each region, who is told by the channel."""
    with writing(engine) as conn:
        for region in regions:
            who = f"officer-{region}"
            officers.add(conn, Officer(login=who, name=who, role=Role.TOWN, region=region, id=who))
            contacts.put(conn, contacts.Contact(who, CHANNEL, who))


class Office(AbstractContextManager["Office"]):
    """A gateway's pipeline, sender and checkpoints, each in its thread, until it is left."""

    def __init__(self, engine: Engine) -> None:
        self.ear = Ear()
        settings = NotifySettings()
        channels: Mapping[str, Opened] = {CHANNEL: Opened(self.ear, "zh", 3, 10.0, 1000)}
        self.health = Health()
        metrics = Metrics()
        self._sender = Sender(
            engine,
            channels,
            settings,
            routes={},
            name="bench",
            metrics=metrics,
            health=self.health,
            clock=utc_now,
        )
        policy = Policy(
            settings=PipelineSettings(),
            inhibition=Inhibition({}, 30.0),
            routes=Routes((), {}),
            modes={},
            logins=(),
        )
        self._pipeline = Pipeline(
            engine,
            lambda: policy,
            group="bench",
            on_queued=self._sender.wake,
            metrics=metrics,
            health=self.health,
            clock=utc_now,
        )
        self._stop = threading.Event()
        parts: dict[str, Callable[[threading.Event], None]] = {
            "pipeline": self._pipeline.run,
            "notify": self._sender.run,
            "checkpoints": partial(checkpoint_until, engine),
        }
        self._threads = [
            threading.Thread(target=run, args=(self._stop,), name=name)
            for name, run in parts.items()
        ]

    def wake(self) -> None:
        """Alerts were committed, as intake says it."""
        self._pipeline.wake()

    def settle(self) -> None:
        """Wait until all that was raised before is told."""
        told = -1
        while told != self.ear.messages:
            told = self.ear.messages
            self.wake()
            time.sleep(SETTLED_S)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pipeline.wake()
        self._sender.wake()
        for thread in self._threads:
            thread.join()
