"""`foodsentry bench indicators`: how quick a year's indicators are, on SQLite and on PostgreSQL.

A ledger is filled with a made-up city (see `foodsentry.district`) and, in one county, with a year:
quick tests with their samples, and the meals that cameras told of. Asked is what the pages ask:
every number of the county's year and of the city's, the league of a county's towns, the newest
records behind a number. No server and no template is in it; each ask has its own connection.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contracts.clock import utc_now
from contracts.periods import around
from contracts.school_days import school_days
from contracts.workdays import CHINA
from foodsentry.bench.ending import ended_by_signals
from foodsentry.bench.figures import at_share, machine
from foodsentry.bench.servers import analyse, postgres
from foodsentry.demo.run import free_port
from foodsentry.district import facts
from foodsentry.district.fill import Size, fill
from foodsentry.district.places import CITY, Place
from ledger import indicators, regions
from ledger.bulk import pour
from ledger.engine import Connection, Engine, open_engine, reading, writing
from ledger.indicator_basis import asked
from ledger.indicator_data import IndicatorData, read_data
from ledger.indicators import Figures, Question

COUNTY = "440703"
MEAL_MINUTES = 150.0
PAGE = 50
SAMPLE_COLUMNS = (
    *("id", "site", "number", "product", "stall", "lot", "supplier", "origin"),
    *("registered_at", "agent"),
)
MEAL_COLUMNS = (
    *("site", "device", "ends_at", "day", "live_minutes", "due_minutes", "received_at"),
)


class Ask(msgspec.Struct, frozen=True):
    """Seconds that one question took."""

    name: str
    n: int
    p50_s: float
    most_s: float


class Store(msgspec.Struct, frozen=True):
    """What was measured on one database."""

    database: str
    fill_s: float
    results: int
    meals: int
    asks: list[Ask]


class Measured(msgspec.Struct, frozen=True):
    """All of it."""

    machine: str
    establishments: int
    stores: list[Store]


def measure(results: int, establishments: int, runs: int, *, sqlite_only: bool) -> Measured:
    """Fill and ask. Raises BenchFailed."""
    stores = []
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="fs-bench-indicators-") as name:
        size = Size(establishments, alerts=5000, tests_each=2)
        url = f"sqlite:///{Path(name) / 'ledger.db'}"
        stores.append(_store("SQLite", url, size, results, runs))
        if not sqlite_only:
            port = free_port()
            with postgres(port) as url:
                ready = lambda: analyse(port)  # noqa: E731
                stores.append(_store("PostgreSQL", url, size, results, runs, ready))
    return Measured(machine(), establishments, stores)


def _store(
    name: str,
    url: str,
    size: Size,
    results: int,
    runs: int,
    ready: Callable[[], None] = lambda: None,
) -> Store:
    engine, data = open_engine(url), read_data()
    begun = time.monotonic()
    # The newest year that is over whole.
    now = datetime(utc_now().astimezone(CHINA).year, 1, 1, tzinfo=CHINA).astimezone(UTC)
    try:
        meals = fill_year(engine, size, results, data, now)
        ready()
        filled_s = time.monotonic() - begun
        asks = [_ask(engine, what, ask, runs) for what, ask in _questions(data, now)]
    finally:
        engine.dispose()
    return Store(name, filled_s, results, meals, asks)


def fill_year(engine: Engine, size: Size, results: int, data: IndicatorData, now: datetime) -> int:
    """Fill an empty ledger with the city and the county's year; returns how many meals it has."""
    places = [one for one in fill(engine, size, now, "").places if _in_county(one)]
    with writing(engine) as conn:
        made = list(_tests(places, results, now))
        pour(conn, "samples", SAMPLE_COLUMNS, _samples(made))
        pour(conn, "results", (*facts.RESULT_COLUMNS, "sample_id"), made)
        meals = list(_meals(places, data, now))
        pour(conn, "camera_meals", MEAL_COLUMNS, meals)
    return len(meals)


def _in_county(place: Place) -> bool:
    return place.region.startswith(COUNTY)


def _tests(places: Sequence[Place], count: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    """So many quick tests of a year, two of each sample."""
    dice = random.Random(17)
    rooms = [(one, who) for one in places if (who := one.who("pesticide_reader", dice))]
    for number in range(count):
        place, who = rooms[number // 2 % len(rooms)]
        at = now - timedelta(days=365.0 * (1 - (number // 2 * 2 + 0.5) / count))
        share = min(98.0, max(0.5, dice.gauss(16, 9)))
        made = facts.result_row(f"y{number}", place, who.device, "e9", number + 1, share, at)
        yield (*made, f"sample-{number // 2}")


def _samples(results: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    names = [*facts.RESULT_COLUMNS, "sample_id"]
    for row in results[::2]:
        one = dict(zip(names, row, strict=True))
        yield (
            one["sample_id"], one["site"], one["sample_number"], one["sample_name"], one["stall"],
            one["lot"], one["supplier"], one["origin"], one["measured_at"], "agent",
        )  # fmt: skip


def _meals(
    places: Sequence[Place], data: IndicatorData, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """What each camera told of each school day of the year; the last ones the city has told."""
    last = now.astimezone(CHINA).date() - timedelta(days=10)
    days = school_days(data.basis.terms, data.basis.calendar, last.replace(month=1, day=1), last)
    for place in places:
        for device, kind, _ in place.devices:
            for day in days if kind == "camera" else ():
                at = datetime(day.year, day.month, day.day, 13, tzinfo=CHINA)
                yield place.site, device, at, day.isoformat(), 147.0, MEAL_MINUTES, at


def _questions(
    data: IndicatorData, now: datetime
) -> Iterator[tuple[str, Callable[[Connection], object]]]:
    year = around(now - timedelta(days=1), "year")
    month = around(now - timedelta(days=1))

    def page(period: Any, code: str) -> Callable[[Connection], object]:
        def ask(conn: Connection) -> object:
            found = Figures(conn, data.indicators, data.basis, Question(period, now))
            return [found.of(one, [code]) for one in found.definitions]

        return ask

    def league(name: str) -> Callable[[Connection], object]:
        def ask(conn: Connection) -> object:
            found = Figures(conn, data.indicators, data.basis, Question(year, now))
            one = next(one for one in found.definitions if one.id == name)
            return found.of(one, found.tree.below(COUNTY))

        return ask

    def records(name: str, offset: int) -> Callable[[Connection], object]:
        def ask(conn: Connection) -> object:
            one = data.indicators.find(name, year.last)
            wanted = asked(conn, data.basis, one, year, now) if one else None
            assert wanted is not None
            here = regions.subtree(conn, COUNTY)
            return indicators.records(conn, wanted, here, limit=PAGE, offset=offset)

        return ask

    yield "all numbers, county, year", page(year, COUNTY)
    yield "all numbers, county, month", page(month, COUNTY)
    yield "all numbers, city, year", page(year, CITY)
    yield "league of towns, batches passed", league("quick_test_pass")
    yield "league of towns, camera truth", league("camera_truth")
    yield "records, batches, newest", records("quick_tests", 0)
    yield "records, batches, page 200", records("quick_tests", 199 * PAGE)
    yield "records, cameras", records("camera_truth", 0)
    for one in data.indicators.on(year.last):
        yield f"one number, county, year: {one.id}", _single(data, one, year, now)


def _single(
    data: IndicatorData, one: Any, period: Any, now: datetime
) -> Callable[[Connection], object]:
    def ask(conn: Connection) -> object:
        question = Question(period, now)
        return Figures(conn, data.indicators, data.basis, question).of(one, [COUNTY])

    return ask


def _ask(engine: Engine, name: str, ask: Callable[[Connection], object], runs: int) -> Ask:
    spent = []
    for _ in range(runs + 1):
        begun = time.monotonic()
        with reading(engine) as conn:
            ask(conn)
        spent.append(time.monotonic() - begun)
    # The first one warms what every later one finds warm: statements, pages of the file.
    told = sorted(spent[1:])
    return Ask(name, runs, at_share(told, 0.5), told[-1])


def as_table(found: Measured) -> str:
    """The figures as Markdown."""
    lines = [f"{found.machine}\n"]
    lines += [
        f"{one.database}: {one.results:,} results of one county's year, {one.meals:,} meals, "
        f"{found.establishments:,} establishments (filled in {one.fill_s:.0f} s)."
        for one in found.stores
    ]
    heads = " | ".join(f"{one.database}: p50 | most" for one in found.stores)
    lines += ["", f"| seconds | {heads} |", "| --- |" + " ---: | ---: |" * len(found.stores)]
    for row in zip(*(one.asks for one in found.stores), strict=True):
        cells = " | ".join(f"{one.p50_s:.3f} | {one.most_s:.3f}" for one in row)
        lines.append(f"| {row[0].name} | {cells} |")
    return "\n".join(lines)
