"""What the agent says of itself, what of it is published, and how the clock's offset is found."""

import msgspec
import pytest
from facts import AGENT, START, FakeClock

from contracts.events import Status
from contracts.words import DeviceState
from edge_agent.health import agent_status
from edge_agent.outbox.state import OutboxState
from edge_agent.supervisor import WorkerState
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.state import UplinkState
from edge_agent.uplink.statuses import StatusBoard

CALM = OutboxState("e1", 7, START.timestamp() - 12, 3, 40_960, 0, 0, "", "")
UP = UplinkState(connected=True, problem="")


def status(outbox: OutboxState | str = CALM, uplink: UplinkState = UP, **changes: object) -> Status:
    given: dict[str, object] = {"workers": [], "clock_offset_s": 0.2, **changes}
    workers = given.pop("workers")
    return agent_status(START, outbox, uplink, workers, max_bytes=1 << 20, software="s", **given)  # type: ignore[arg-type]


def test_a_calm_agent_is_online_and_tells_its_figures() -> None:
    told = status()
    assert told.state is DeviceState.ONLINE
    assert told.detail == ""
    assert (told.epoch, told.lowest_unreceipted, told.backlog) == ("e1", 7, 3)
    assert told.oldest_unsent_age_s == 12
    assert told.clock_offset_s == 0.2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"outbox": msgspec.structs.replace(CALM, failing="the disk is full")}, "the disk is full"),
        ({"outbox": "outbox o.sqlite: the disk fails"}, "the disk fails"),
        ({"outbox": msgspec.structs.replace(CALM, used_bytes=950_000)}, "91% full"),
        ({"outbox": msgspec.structs.replace(CALM, set_aside="o.broken-1")}, "o.broken-1"),
        ({"workers": [WorkerState("lz-1", 2, "ValueError: x")]}, "lz-1: ValueError: x"),
        ({"uplink": msgspec.structs.replace(UP, held=["event 4 …"])}, "event 4"),
        ({"uplink": msgspec.structs.replace(UP, problem="refuses our receipts")}, "refuses our"),
        ({"clock_offset_s": -3600.0}, "-3600 s off"),
        ({"room": "room r.sqlite: disk is full"}, "testing room: room r.sqlite: disk is full"),
    ],
)
def test_what_is_wrong_degrades_it_and_is_named(given: dict[str, object], said: str) -> None:
    told = status(**given)  # type: ignore[arg-type]
    assert told.state is DeviceState.DEGRADED
    assert said in told.detail


def test_a_clock_set_back_gives_no_negative_age() -> None:
    later = msgspec.structs.replace(CALM, oldest_put_at=START.timestamp() + 5)
    assert status(later).oldest_unsent_age_s == 0


def test_a_status_is_published_on_change_and_now_and_then() -> None:
    now = [0.0]
    board = StatusBoard(lambda: now[0])
    online = Status(DeviceState.ONLINE, START)
    assert board.report(AGENT, online)
    assert board.take(10) == [(AGENT, online)]
    later = msgspec.structs.replace(online, at=FakeClock()())
    assert not board.report(AGENT, later), "only its time has changed"
    assert board.report(AGENT, later, always=True)
    board.take(10)
    now[0] += 11
    assert board.report(AGENT, later)
    assert board.take(0) == []
    degraded = msgspec.structs.replace(online, state=DeviceState.DEGRADED, detail="x" * 900)
    assert board.report(AGENT, degraded)
    ((_, taken),) = board.take(10)
    assert taken.state is DeviceState.DEGRADED, "only the newest counts"
    assert len(taken.detail) <= 512
    assert board.take(10) == []
    board.again()
    assert len(board.take(10)) == 1


def test_the_fastest_receipt_tells_the_clock_and_a_step_shows_at_once() -> None:
    clock, now = FakeClock(), [100.0]
    offset = ClockOffset(clock, lambda: now[0])
    assert offset.seconds() is None
    city = clock.at.timestamp() - 30  # we are half a minute ahead
    for late in (2.0, 0.1, 5.0):
        at = FakeClock(clock.at)
        at.move(-30 - late)
        offset.add(at.at, now[0], 0.2)
    assert offset.seconds() == pytest.approx(30.0, abs=0.01)
    assert city
    clock.move(-30)  # somebody sets the clock
    assert offset.seconds() == pytest.approx(0.0, abs=0.01)
    now[0] += 1000
    clock.move(1000)
    assert offset.seconds() is None, "too old to be believed"
