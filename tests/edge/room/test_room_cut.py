"""A room that is cut off before and after every step, and goes on: nothing twice, all there."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from room_parts import INHIBITION, Opened, Place, result

from contracts.envelope import decode
from contracts.events import TestResult
from contracts.fact_ids import fact_id
from contracts.room import SampleRecord
from edge_agent.outbox.encoding import Lane
from edge_agent.room.desk import Fields


class Cut(Exception):
    """The power is gone."""


class Cutter:
    """Counts steps and cuts before the `cut_at`-th."""

    def __init__(self, cut_at: int) -> None:
        self.cut_at, self.count = cut_at, 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.cut_at:
            raise Cut

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def cut_call(*values: Any) -> Any:
            self.step()
            answer = call(*values)
            self.step()
            return answer

        return cut_call

    def watch(self, opened: Opened) -> None:
        store, outbox = opened.room.store, opened.outbox
        writing = store.writing

        @contextmanager
        def cut_writing() -> Iterator[None]:
            self.step()
            with writing():
                yield
                self.step()  # all is written, nothing is committed
            self.step()

        store.writing = cut_writing  # type: ignore[method-assign]
        for name in ("put", "forget_overheard", "remove"):
            setattr(outbox, name, self.around(getattr(outbox, name)))


class City:
    """What the city has: by the contract the newest revision of each sample."""

    def __init__(self) -> None:
        self.samples: dict[str, SampleRecord] = {}
        self.results: dict[str, TestResult] = {}

    def take(self, opened: Opened) -> None:
        """Everything of the outbox, receipted afterwards."""
        events = opened.outbox.above(Lane.ALARM, 0, 1000)
        for event in events:
            read = decode(event.payload)
            if isinstance(read.data, SampleRecord):
                known = self.samples.get(read.data.sample_id)
                if known is None or known.revision < read.data.revision:
                    self.samples[read.data.sample_id] = read.data
            elif isinstance(read.data, TestResult):
                envelope = read.envelope
                name = fact_id(envelope.identity, envelope.epoch, envelope.sequence)
                self.results[name] = read.data
        opened.outbox.remove([(event.key, event.key) for event in events])


Action = Callable[[Opened, City], None]


def morning(place: Place) -> list[Action]:
    """What happens; whoever does it does it again until it has been answered."""

    def registers(place_no: int, product: str) -> Action:
        def act(opened: Opened, city: City) -> None:
            opened.desk.register(f"register-{place_no}", Fields(product, stall="A1"), "陈")

        return act

    def tells(record: int, name: str, value: float) -> Action:
        def act(opened: Opened, city: City) -> None:
            opened.tell(result(place.now, name=name, value=value, record=record))

        return act

    def sweeps(opened: Opened, city: City) -> None:
        opened.room.exchange.sweep()

    def takes(opened: Opened, city: City) -> None:
        city.take(opened)

    def chooses(opened: Opened, city: City) -> None:
        beans = next(one for one in samples(opened) if one.product == "豆角")
        for asked in opened.room.store.results_open():
            opened.desk.choose("choose-1", asked.told.result_id, beans.sample_id, "陈")

    def corrects(opened: Opened, city: City) -> None:
        leek = next(one for one in samples(opened) if one.product == "韭菜")
        opened.desk.correct("correct-1", leek.sample_id, {"lot": "L7"}, "陈")

    def voids(opened: Opened, city: City) -> None:
        last = next(one for one in samples(opened) if one.product == "番茄")
        opened.desk.void("void-0001", last.sample_id, "登记错误", "陈")

    return [
        registers(1, "韭菜"), registers(2, "豆角"), registers(3, "豆角"), registers(4, "番茄"),
        sweeps, takes, tells(1, "韭菜", 62.0), tells(2, "豆角", 12.0), sweeps, takes, sweeps,
        chooses, corrects, voids, sweeps, tells(3, "韭菜", 55.0), sweeps, takes, sweeps,
    ]  # fmt: skip


def samples(opened: Opened) -> list[SampleRecord]:
    """The newest last."""
    return [one.record for one in reversed(opened.room.store.samples_since(0))]


def play(folder: Path, cut_at: int) -> bool:
    """A morning with one cut; False if it was over before."""
    place, city = Place(folder), City()
    cutter = Cutter(cut_at)
    opened = place.open()
    cutter.watch(opened)
    was_cut = False
    for act in morning(place):
        place.later(minutes=1)
        try:
            act(opened, city)
        except Cut:
            was_cut = True
            opened.close()
            opened = place.open()
            act(opened, city)
    cutter.cut_at = 0
    for _ in range(2):
        opened.room.exchange.sweep()
        city.take(opened)
    opened.room.exchange.sweep()
    check(opened, city)
    opened.close()
    return was_cut


def check(opened: Opened, city: City) -> None:
    """Nothing twice, nothing lost, and the city knows what the room knows."""
    known = samples(opened)
    assert [one.product for one in known] == ["韭菜", "豆角", "豆角", "番茄"]
    assert len({one.number for one in known}) == 4
    assert {one.sample_id: one for one in known} == city.samples
    assert opened.room.store.unsent() == []
    leek, beans, other, last = known
    assert [one.how.value for one in leek.attached] == ["window", "rerun"]
    assert [one.how.value for one in beans.attached] == ["chosen"]
    assert (other.attached, last.attached) == ((), ())
    assert (leek.lot, last.voided, last.void_reason) == ("L7", True, "登记错误")
    attached = [one.result_id for sample in known for one in sample.attached]
    assert len(set(attached)) == 3
    assert set(attached) <= set(city.results)
    assert {city.results[one].item_code for one in attached} == {INHIBITION}


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: thousands of commits wait for no disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_cut_before_and_after_every_step(quick_folder: Path) -> None:
    cut_at = 1
    while play(quick_folder / f"cut-{cut_at}", cut_at):
        cut_at += 1
    assert cut_at > 60, "fewer steps than there are"
