"""Old values leave the SQLite file in small steps; young ones, and a lying clock's, stay."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.settings import convert_settings
from timeseries import expiry
from timeseries.expiry import REST_S, STEP_VALUES, Expiry
from timeseries.port import Point, to_ns
from timeseries.settings import SeriesSettings, open_store
from timeseries.sqlite import SqliteStore

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
EVER = (NOW - 999 * DAY, NOW + 999 * DAY)


class World:
    """A store that keeps ten days, with a clock and ticks to be turned."""

    def __init__(self, path: Path, days: int = 10) -> None:
        self.now, self.tick = NOW, 0.0
        self.store = SqliteStore(path, Expiry(days, lambda: self.now, lambda: self.tick))

    def write(self, *ages_days: float, device: str = "a", field: str = "value") -> None:
        self.store.write(
            [
                Point("m", {"device": device}, {field: 1.0}, to_ns(NOW - age * DAY))
                for age in ages_days
            ]
        )

    def ages(self, field: str = "value", **tags: str) -> list[float]:
        found = self.store.samples("m", field, tags, *EVER)
        return [round((NOW - one.at) / DAY, 3) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "series.db")


def test_old_values_go_and_young_ones_stay(world: World) -> None:
    world.write(0, 9.9, 10, 10.1, 400)
    assert world.ages() == [10, 9.9, 0]
    world.write(11, 0.5, device="b", field="other")
    assert world.ages("other") == [11, 0.5]  # it rests
    world.tick += REST_S
    world.write(0.1)
    assert world.ages("other") == [0.5] and world.ages() == [10, 9.9, 0.1, 0]
    world.store.close()


def test_nothing_is_removed_unless_it_is_asked_for(tmp_path: Path) -> None:
    for_ever = convert_settings({}, SeriesSettings, "test")
    store = open_store(for_ever, tmp_path)
    old = [Point("m", {}, {"value": 1.0}, to_ns(datetime(1990, 1, 1, tzinfo=UTC)))]
    store.write(old)
    store.write([Point("m", {}, {"value": 1.0}, to_ns(datetime.now(UTC)))])
    assert len(store.samples("m", "value", {}, datetime(1980, 1, 1, tzinfo=UTC), EVER[1])) == 2
    store.close()
    for_a_year = convert_settings({"keep": {"file_days": 400}}, SeriesSettings, "test")
    store = open_store(for_a_year, tmp_path)
    store.write([Point("m", {}, {"value": 1.0}, to_ns(datetime.now(UTC)))])
    assert store.latest("m", "value", {}) is not None
    assert store.samples("m", "value", {}, datetime(1980, 1, 1, tzinfo=UTC), NOW - 400 * DAY) == []
    store.close()


def test_a_clock_that_runs_away_removes_nothing(world: World) -> None:
    world.now = NOW + 9999 * DAY
    world.write(9, 0)
    world.tick += REST_S
    world.now = NOW
    world.write(-9999)  # the clock of an instrument
    assert world.ages() == [9, 0]
    world.store.close()


def test_much_that_is_old_goes_step_by_step(world: World) -> None:
    count = 2 * STEP_VALUES + 10
    off = SqliteStore(world.store._path)
    old = to_ns(NOW - 90 * DAY)
    many = [Point("m", {"device": "a"}, {"value": 1.0}, old + 1000 * n) for n in range(count)]
    off.write([*many, Point("m", {"device": "b"}, {"value": 1.0}, old)])
    off.close()
    left = []
    for _ in range(4):
        world.write(0, device="c")
        left.append(len(world.ages(device="a")) + len(world.ages(device="b")))
    assert left == [count + 1 - STEP_VALUES, 11, 0, 0]
    assert world.ages() == [0]
    world.store.close()


@settings(max_examples=15, deadline=None)
@given(
    ages=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=1, max_size=15),
    series=st.integers(1, 3),
    values=st.integers(1, 4),
)
def test_every_walk_ends_with_exactly_the_young(
    tmp_path_factory: pytest.TempPathFactory,
    ages: list[tuple[int, int]],
    series: int,
    values: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expiry, "STEP_SERIES", series)
        patch.setattr(expiry, "STEP_VALUES", values)
        path = tmp_path_factory.mktemp("walk") / "series.db"
        off, kept = SqliteStore(path), World(path)
        for age, device in ages:
            off.write([Point("m", {"device": f"{device}"}, {"value": 1}, to_ns(NOW - age * DAY))])
        off.close()
        for _ in range(2 * len(ages) + 10):
            kept.write(0, device="now")
        young = {(age, device) for age, device in ages if age <= 10}
        assert sorted(kept.ages()) == sorted([age for age, _ in young] + [0])
        kept.store.close()


def test_what_is_written_counts_though_nothing_can_be_removed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(0)
    file = sqlite3.connect(world.store._path)
    file.execute(
        "CREATE TRIGGER never BEFORE DELETE ON samples BEGIN SELECT raise(ABORT, 'no'); END"
    )
    file.commit()
    file.close()
    world.tick += REST_S
    world.write(1, 90)
    assert world.ages() == [90, 1, 0]
    assert "old values could not be removed" in caplog.text
    world.write(2)
    assert caplog.text.count("removed") == 1  # it rests
    world.store.close()
