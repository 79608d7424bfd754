"""The whole road, page to city over a real broker, cut in the middle of every step.

What the page was told stays told; every sample arrives once, as the room knows it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from arrived import booked, samples_in
from fake_city import FakeCity, until
from room_parts import AGENT, READER, ask, result
from servers import Mosquitto, free_port
from wire import Wire

from contracts.room import BookStall, RoomBook
from edge_agent.agent import run_agent
from edge_agent.ports import Fact, Sink
from edge_agent.settings import load_edge_settings

pytestmark = [pytest.mark.real, pytest.mark.slow]


class Instrument:
    """A device of the agent; the test tells what it measures."""

    name = "lz"

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def run(self, stop: threading.Event) -> None:
        stop.wait()


class Road:
    """A whole agent in this process, its line to a real broker, and the city behind it."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.now = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
        broker = opened.enter_context(Mosquitto(folder / "broker"))
        self.wire = opened.enter_context(Wire(broker.port))
        self.city = opened.enter_context(
            FakeCity(broker.port, AGENT.region, AGENT.site, lambda: self.now)
        )
        self.port, self.submits = free_port(), 0
        file = folder / "edge.toml"
        file.write_text(
            f'[agent]\nregion = "{AGENT.region}"\nsite = "{AGENT.site}"\n'
            f'[outbox]\npath = "outbox.sqlite"\n[room]\nport = {self.port}\n'
            f"[mqtt]\nport = {self.wire.port}\n[uplink]\nreconnect_max_s = 0.3\n"
            "receipt_timeout_s = 1.0\nack_timeout_s = 1.0\n",
            "utf-8",
        )
        stop = threading.Event()
        made: list[Instrument] = []

        def workers(_settings: object, _where: object, sink: Sink, _clock: object) -> list[Any]:
            made.append(Instrument(sink))
            return list(made)

        thread = threading.Thread(
            target=run_agent,
            args=(load_edge_settings(file), file, stop, lambda: self.now, workers),
            name="agent under test",
        )
        thread.start()
        opened.callback(lambda: thread.join(20))
        opened.callback(stop.set)
        until(self.answers)
        self.instrument = made[0]
        self.now += timedelta(minutes=1)

    def answers(self) -> bool:
        try:
            return bool(self.state()["connection"]["connected"])
        except OSError:
            return False

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = ask(self.port, "/api/state")[2]
        return told

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """Asked as the page asks."""
        self.submits += 1
        body["submit_id"] = f"submit-{self.submits:04d}"
        status, _, said = ask(self.port, path, body)
        assert status == 200, said
        return dict(said)

    def measure(self, value: float = 12.0, name: str = "豆角") -> None:
        """The instrument has a result."""
        self.now += timedelta(minutes=2)
        told = result(self.now, name=name, value=value, record=self.submits)
        self.instrument.sink.put([Fact(READER, "tests", told, self.now)])

    def all_in(self) -> bool:
        return self.state()["on_way"] == 0 and self.answers()


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    with ExitStack() as opened:
        yield Road(tmp_path, opened)


Step = tuple[str, Callable[[Road], object], Callable[[dict[str, Any]], object]]


def sample(told: dict[str, Any], place: int) -> dict[str, Any]:
    """The day's `place`-th sample."""
    return dict(sorted(told["samples"], key=lambda one: str(one["number"]))[place])


def steps() -> list[Step]:
    """What is done while the line fails, and how the page shows that it was done."""

    def choose(road: Road) -> None:
        (asked,) = road.state()["asks"]
        chosen = asked["candidates"][0]["sample_id"]
        road.post(f"/api/results/{asked['result_id']}/choose", sample_id=chosen)

    def change(place: int, what: str, **body: object) -> Callable[[Road], object]:
        def act(road: Road) -> object:
            one = sample(road.state(), place)["sample_id"]
            return road.post(f"/api/samples/{one}/{what}", **body)

        return act

    def register(*products: str) -> Callable[[Road], object]:
        return lambda road: [road.post("/api/samples", product=one) for one in products]

    return [
        ("register", register("豆角"), lambda told: len(told["samples"]) == 1),
        ("result", Road.measure, lambda told: sample(told, 0)["results"]),
        ("correct", change(0, "correct", changes={"lot": "L7"}),
         lambda told: sample(told, 0)["lot"] == "L7"),
        ("two more", register("番茄", "番茄"), lambda told: len(told["samples"]) == 3),
        ("question", lambda road: road.measure(62.0, "番茄"), lambda told: told["asks"]),
        ("choose", choose, lambda told: not told["asks"]),
        ("void", change(0, "void", reason="登记错误"), lambda told: sample(told, 0)["voided"]),
    ]  # fmt: skip


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_line_that_is_cut_within_every_step(road: Road, tmp_path: Path, direction: str) -> None:
    for count, (name, act, done) in enumerate(steps()):
        road.wire.lose(direction)  # what goes on now gets lost on the way, unnoticed
        act(road)
        until(lambda done=done: done(road.state()))
        assert road.wire.lost.wait(10), f"{name}: nothing was on its way"
        road.wire.cut()
        until(lambda: not road.state()["connection"]["connected"])
        if count % 3 == 0:  # a book that is renewed meanwhile
            book = RoomBook(count + 1, road.now, f"市场 {count}", stalls=(BookStall("A-1"),))
            road.city.send_book(AGENT, book)
        road.wire.mend()
        until(road.all_in)
    until(lambda: (road.state()["site"] or {}).get("zh") == "市场 6")
    told, arrived = road.state(), samples_in(road.city)
    assert len(told["samples"]) == len(arrived) == 3
    for one in told["samples"]:
        record = arrived[one["number"]]
        assert (record.sample_id, record.revision) == (one["sample_id"], one["revision"])
        assert (record.lot, record.voided) == (one["lot"], one["voided"])
        assert [at.result_id for at in record.attached] == [
            at["result_id"] for at in one["results"]
        ]
    stands = booked(road.city, tmp_path, road.now)
    assert {one.number: (one.id, one.revision, one.lot, one.voided) for one, _ in stands} == {
        number: (one.sample_id, one.revision, one.lot, one.voided)
        for number, one in arrived.items()
    }
    for kept, linked in stands:
        assert linked == [one.result_id for one in arrived[kept.number].attached]
    assert sorted(len(linked) for _, linked in stands) == [0, 1, 1]
