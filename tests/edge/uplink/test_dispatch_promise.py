"""The promise, by property: whatever happens in whatever order, an event is stored or still here.

Outbox, plan and lanes are real; the broker and the city are a model that can lose, repeat, forget
and refuse, and whose time-series store can be away for long. At the end of each history the world
is mended and everything must arrive.
"""

import tempfile
from collections import deque
from pathlib import Path

from facts import AGENT, START, FakeClock, observation, picture, readings, result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import decode_envelope
from contracts.sequences import RangeSet
from contracts.words import Phase
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox
from edge_agent.outbox.thinning import thin_step
from edge_agent.uplink.dispatch import Dispatch
from edge_agent.uplink.receipts import Received
from edge_agent.uplink.settings import UplinkSettings

Named = tuple[str, int]
SETTINGS = UplinkSettings(window=4, unreceipted_limit=10, receipt_timeout_s=2, resend_max_s=8)
FAR_S = 40.0
"""Later than any pause."""


class World:
    """An agent's dispatch, a broker's queue, and a city that stores and receipts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "o.sqlite"
        self.now = 0.0
        self.put_count = 0
        self.on_the_wire: deque[tuple[int, bytes]] = deque()
        self.queue: deque[bytes] = deque()
        self.ledger: dict[Named, bytes] = {}
        self.stored: set[Named] = set()
        """In the time series, too."""
        self.store_up = True
        self.series_queue: set[Named] = set()
        """What a gateway will write when the store is back; what does not fit is dropped."""
        self.thinned: set[Named] = set()
        self.receipts: deque[Received] = deque()
        self.unreceipted: set[Named] = set()
        self.untold: set[Named] = set()
        """Taken in, not stored, and the agent is not told yet."""
        self.mid = 0
        self.start()

    def start(self) -> None:
        self.outbox = Outbox(self.path, AGENT, FakeClock(), reserve_bytes=0)
        self.dispatch = Dispatch(self.outbox, SETTINGS, lambda: 1.0)
        self.up = False

    # What may happen

    def put(self, count: int) -> None:
        makers = (
            lambda n: result(n),
            lambda n: readings(1 + n % 3),
            lambda n: observation(f"o{n}", Phase.OPEN),
            lambda n: picture(100 + n),
            lambda n: readings(1),
        )
        self.outbox.put(
            [makers[(self.put_count + n) % 5](self.put_count + n) for n in range(count)]
        )
        self.put_count += count
        self.dispatch.dry = False

    def connect(self, session_present: bool) -> None:
        if not self.up:
            self.up = True
            self.dispatch.dry = False
            self.dispatch.plan.connected(self.now, 65535, session_present=session_present)

    def disconnect(self, delivered: int) -> None:
        """Cut; some of what was on the wire arrived, its acknowledgement did not."""
        self.queue.extend(payload for _, payload in list(self.on_the_wire)[:delivered])
        self.on_the_wire.clear()
        self.up = False
        self.dispatch.plan.disconnected(self.now)

    def kill_broker(self) -> None:
        self.disconnect(0)
        self.queue.clear()
        self.receipts.clear()
        self.connect(session_present=False)

    def kill_agent(self) -> None:
        self.on_the_wire.clear()
        self.outbox.close()  # a crash closes as little as this: each put was synced
        self.start()

    def turn(self, seconds: float) -> None:
        self.now += seconds
        if self.up:
            self.dispatch.send(self.now, self.publish, None)

    def publish(self, _topic: str, payload: bytes) -> int:
        self.mid += 1
        self.on_the_wire.append((self.mid, payload))
        return self.mid

    def acknowledge(self, count: int) -> None:
        for _ in range(min(count, len(self.on_the_wire))):
            mid, payload = self.on_the_wire.popleft()
            self.queue.append(payload)
            self.dispatch.plan.acknowledged(mid, self.now)

    def refuse(self) -> None:
        if self.on_the_wire:
            mid, _ = self.on_the_wire.popleft()
            self.dispatch.plan.refused(mid, "quota exceeded", self.now)

    def take_in(self, count: int) -> None:
        for _ in range(min(count, len(self.queue))):
            payload = self.queue.popleft()
            envelope = decode_envelope(payload)
            name = (envelope.epoch, envelope.sequence)
            assert self.ledger.setdefault(name, payload) == payload, "a number has one content"
            if self.store_up:
                self.stored.add(name)
                self.unreceipted.add(name)
            else:
                self.untold.add(name)
                if len(self.series_queue) < 5:
                    self.series_queue.add(name)

    def break_store(self) -> None:
        self.store_up = False

    def mend_store(self) -> None:
        self.store_up = True
        self.stored |= self.series_queue
        self.unreceipted |= self.series_queue
        self.series_queue.clear()

    def kill_gateway(self) -> None:
        """Between its acknowledgement and everything else."""
        self.series_queue.clear()
        self.unreceipted.clear()
        self.untold.clear()

    def receipt(self, lost: bool) -> None:
        for epoch in sorted({epoch for epoch, _ in self.unreceipted | self.untold}):
            stored, taken = (
                RangeSet.of(n for e, n in names if e == epoch).ranges()
                for names in (self.unreceipted, self.untold)
            )
            if not lost:
                self.receipts.append(Received(epoch, stored, START, taken))
        self.unreceipted.clear()
        self.untold.clear()

    def read_receipt(self) -> None:
        if self.up and self.receipts:
            ranges = self.dispatch.receipted(self.receipts.popleft(), self.now)
            self.outbox.remove(ranges)
            self.dispatch.dry = False

    def lie(self) -> None:
        """A receipt for numbers of the present epoch, of which none was sent."""
        (epoch,) = {epoch for epoch, _ in self.held() if self.is_own(epoch)} or {""}
        if epoch and not self.dispatch.plan.unreceipted:
            assert self.dispatch.receipted(Received(epoch, [(1, 1 << 30)], START), self.now) == []

    def thin(self) -> None:
        """The outbox is full: as it thins when something is put."""
        before, writer = self.held(), self.outbox._writer
        writer.execute("BEGIN IMMEDIATE")
        self.outbox._backlog -= thin_step(writer)
        writer.execute("COMMIT")
        self.thinned |= before - self.held()

    def is_own(self, epoch: str) -> bool:
        return self.outbox.epoch_id(epoch) == self.outbox.own_epoch_id

    # What must hold

    def held(self) -> set[Named]:
        events = [event for lane in Lane for event in self.outbox.above(lane, 0, 100_000)]
        envelopes = [decode_envelope(event.payload) for event in events]
        return {(envelope.epoch, envelope.sequence) for envelope in envelopes}

    def check(self) -> None:
        held = self.held()
        assert self.outbox.state().backlog == len(held)
        everything = held | self.stored | self.thinned
        assert len(everything) == self.put_count, "stored or still at the edge"
        assert len(self.dispatch.plan.taken) + self.dispatch.plan.unreceipted <= self.put_count

    def judge(self) -> None:
        """The store stays away: everything must be taken in all the same, and nothing leaves."""
        self.break_store()
        self.turn(FAR_S)
        for _ in range(100 + self.put_count):
            self.work(1.0)
            if self.held() <= set(self.ledger):
                break
        assert self.held() <= set(self.ledger), "no alert waits for a time-series store"
        for _ in range(20):
            self.work(FAR_S)
        assert self.dispatch.plan.unreceipted <= SETTINGS.unreceipted_limit
        self.check()

    def work(self, seconds: float) -> None:
        """A while in which broker, gateway and ledger do what they should."""
        self.connect(session_present=True)
        self.turn(seconds)
        self.acknowledge(100)
        self.take_in(100)
        self.receipt(lost=False)
        while self.receipts:
            self.read_receipt()

    def mend(self) -> None:
        self.mend_store()
        self.turn(FAR_S)
        for _ in range(100 + self.put_count):
            self.work(1.0)
            if not self.held():
                break
        assert self.held() == set()
        assert len(self.stored | self.thinned) == self.put_count
        assert len(self.dispatch.plan.taken) == self.dispatch.plan.unreceipted == 0


STEPS = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 12)),
    st.tuples(st.just("connect"), st.booleans()),
    st.tuples(st.just("disconnect"), st.integers(0, 4)),
    st.tuples(st.just("kill_broker")),
    st.tuples(st.just("kill_agent")),
    st.tuples(st.just("turn"), st.sampled_from([0.01, 0.5, 3.0, 20.0])),
    st.tuples(st.just("turn"), st.just(0.01)),
    st.tuples(st.just("acknowledge"), st.integers(1, 6)),
    st.tuples(st.just("refuse")),
    st.tuples(st.just("take_in"), st.integers(1, 20)),
    st.tuples(st.just("receipt"), st.booleans()),
    st.tuples(st.just("read_receipt")),
    st.tuples(st.just("lie")),
    st.tuples(st.just("break_store")),
    st.tuples(st.just("mend_store")),
    st.tuples(st.just("kill_gateway")),
    st.tuples(st.just("thin")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=60), st.booleans())
def test_stored_or_still_at_the_edge(steps: list[tuple[object, ...]], stays_away: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            for name, *values in steps:
                getattr(world, str(name))(*values)
                world.check()
            if stays_away:
                world.judge()
            world.mend()
        finally:
            world.outbox.close()
