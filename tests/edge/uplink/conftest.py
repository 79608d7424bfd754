"""An uplink for tests: outbox, status board and courier, running in a thread of their own."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import pytest
from fake_city import until

from contracts.clock import utc_now
from contracts.topics import Identity
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from edge_agent.sink import AgentSink
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.courier import Courier
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.statuses import StatusBoard

QUICK = UplinkSettings(receipt_timeout_s=0.5, resend_max_s=2, ack_timeout_s=2, reconnect_max_s=0.5)


class Uplink:
    """`start` and `stop` it as often as you like; the outbox stays."""

    def __init__(self, folder: Path, agent: Identity) -> None:
        self.agent = agent
        self.outbox = Outbox(folder / "outbox.sqlite", agent, utc_now)
        self.offset = ClockOffset(utc_now, time.monotonic)
        self.courier: Courier | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread()
        self.error: BaseException | None = None

    def put(self, *facts: Fact) -> None:
        self.outbox.put(facts)
        if self.courier:
            self.courier.wake()

    def start(self, port: int, settings: UplinkSettings = QUICK, **endpoint: object) -> Self:
        end = Endpoint("127.0.0.1", port, f"fs-{self.agent.site}", "", None, None, 5, 3600)
        end = msgspec.structs.replace(end, **endpoint)
        self.statuses = StatusBoard(time.monotonic)
        self.courier = Courier(
            self.agent, end, settings, self.outbox, self.statuses, utc_now, self.offset, "test 1"
        )
        self.sink = AgentSink(self.outbox, self.statuses, self.courier.wake)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink under test")
        self._thread.start()
        return self

    def _run(self) -> None:
        assert self.courier is not None
        try:
            self.courier.run(self._stop)
        except BaseException as error:
            self.error = error
            raise

    def stop(self) -> float:
        """Stop gracefully; returns how long it took."""
        began = time.monotonic()
        self._stop.set()
        if self.courier:
            self.courier.wake()
        if self._thread.is_alive():
            self._thread.join(10)
            assert not self._thread.is_alive()
        assert self.error is None
        return time.monotonic() - began

    @property
    def state(self):  # type: ignore[no-untyped-def]
        assert self.courier is not None
        return self.courier.state

    def empty(self) -> bool:
        return self.outbox.state().backlog == 0

    def drained(self, limit_s: float = 30.0) -> None:
        until(self.empty, limit_s)


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> Identity:
    """An identity of the test's own, so that tests may share a broker."""
    return Identity("440703", f"s{abs(hash(request.node.nodeid)) % 10**10}", "agent")


@pytest.fixture
def uplink(tmp_path: Path, agent: Identity) -> Iterator[Uplink]:
    made = Uplink(tmp_path, agent)
    yield made
    made.stop()
    made.outbox.close()
