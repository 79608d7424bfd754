"""The fleet's outbox in memory hands out, removes and numbers exactly as the real one does."""

import tempfile
from pathlib import Path

from facts import AGENT, FakeClock, picture, readings, result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import decode_envelope
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.schema import key_of
from edge_agent.outbox.store import Event, Outbox
from foodsentry.fleet.outbox import MemoryOutbox

STEPS = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 5)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("remove"), st.integers(1, 30)),
    st.tuples(st.just("look"), st.integers(0, 40)),
)


def shown(events: list[Event]) -> list[tuple[int, Lane, str, int]]:
    """What must be equal; epochs have names of chance."""
    return [(e.key, e.lane, e.topic, decode_envelope(e.payload).sequence) for e in events]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=15))
def test_as_the_real_one(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "o.sqlite"
        real = Outbox(path, AGENT, FakeClock(), reserve_bytes=0)
        memory = MemoryOutbox(AGENT, FakeClock())
        epochs = 0
        began = False
        for what, count in steps:
            if what == "put":
                facts = [(result(n), readings(2), picture(50))[n % 3] for n in range(count)]
                real.put(facts)
                memory.put(facts, 0)
                epochs += not began
                began = True
            elif what == "restart":
                real.close()
                real = Outbox(path, AGENT, FakeClock(), reserve_bytes=0)
                memory.restart()
                began = False
            elif what == "remove" and epochs:
                chosen = [(key_of(epochs, 1), key_of(epochs, count)), (count, key_of(1, count))]
                real.remove(chosen)
                memory.remove(chosen)
            for lane in Lane:
                key = key_of(max(1, epochs), count)
                for limit in (1, 3, 100):
                    assert shown(real.above(lane, key, limit)) == shown(
                        memory.above(lane, key, limit)
                    )
                    assert shown(real.below(lane, None, limit)) == shown(
                        memory.below(lane, None, limit)
                    )
                    assert shown(real.below(lane, key, limit)) == shown(
                        memory.below(lane, key, limit)
                    )
            assert real.own_epoch_id == memory.own_epoch_id
            a, b = real.state(), memory.state()
            assert a.backlog == b.backlog == len(memory)
            assert a.lowest_unreceipted == b.lowest_unreceipted
            given = [[one.given for one in state.numbering] for state in (a, b)]
            assert given[0] == given[1]
            assert (b.epoch in [one.epoch for one in b.numbering]) is bool(b.epoch)
        real.close()
