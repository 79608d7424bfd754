"""Chaos: parts are killed, paused and cut off while facts are under way; then all is counted.

`make chaos` runs it whole and renews the table in docs/chaos.md; of the whole, every test run takes
`each_part_once` and the proof that the suite can fail.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos_city import City, until
from chaos_count import Row, finish
from chaos_scenarios import SCENARIOS, each_part_once
from chaos_table import write_table

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.chaos,
    pytest.mark.timeout(420),
]
WHOLE = "FOODSENTRY_CHAOS"
"""Set by `make chaos`."""
whole = pytest.mark.skipif(not os.environ.get(WHOLE), reason="the whole of it: make chaos")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One city for all scenarios: what one spoils, the next would see."""
    with City(tmp_path_factory.mktemp("chaos")) as made:
        yield made


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    """What each scenario came to, written into docs/chaos.md in the end."""
    found: list[Row] = []
    yield found
    if found:
        write_table(found, list(SCENARIOS))


def run(city: City, name: str, disturb: Callable[[City], None], over_s: float = 12) -> Row:
    """Load, disturbance in the middle of it, count."""
    load = city.load(over_s=over_s)
    city.measure()
    until(lambda: city.witness.promised(load.script.prefix) > 50, 150, "the first receipts")
    disturb(city)
    city.measure()
    return finish(city, load, name)


def check(row: Row) -> None:
    assert (row.missing, row.twice, row.unexpected, row.false) == (0, 0, 0, 0), row
    assert not row.wrong
    assert row.promises >= row.facts / 2, "promises were not audited"


def test_each_part_killed_once(city: City) -> None:
    check(run(city, "each part killed once", each_part_once, over_s=14))


@whole
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(city: City, rows: list[Row], name: str) -> None:
    row = run(city, name, SCENARIOS[name])
    rows.append(row)
    check(row)


def test_a_receipt_before_the_write_is_caught(tmp_path: Path) -> None:
    """The suite can fail: a gateway that promises too early is found out by the audit."""
    with City(tmp_path, hasty=True) as city:
        load = city.load(sites=10, over_s=60)
        until(lambda: city.witness.promised(load.script.prefix) > 20, 150, "the first receipts")
        city.kill(city.influx)
        before = city.witness.promised(load.script.prefix)
        until(lambda: city.witness.promised(load.script.prefix) > before + 10, 60)
        with city.standing():
            city.influx.start()
        assert city.witness.false
        assert all("not in the time series" in one for one in city.witness.false)
