"""Nothing lost, nothing twice, no alert twice: each part is killed while results come in."""

from collections import Counter

import pytest
from journey_town import Town, wait_until

from contracts.clock import utc_now
from foodsentry.demo.town import MARKET, VAN

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(420)]


def records(town: Town) -> Counter[tuple[str, int | None]]:
    """Booked test results by site and the instrument's record number."""
    return Counter(
        (row.site, row.record_number) for row in town.booked() if row.device == "lz4000t-1"
    )


def expected(town: Town) -> set[tuple[str, int]]:
    """Every record that the virtual instruments hold."""
    return {(MARKET.site, record.number) for record in town.stage.market.records} | {
        (VAN.site, record.number) for record in town.stage.van.records
    }


def test_every_part_is_killed_and_nothing_is_lost_or_twice(town: Town) -> None:
    town.start_city()
    town.start_edges()
    inhibition = 60.0

    def measure() -> None:
        nonlocal inhibition
        inhibition += 0.01
        town.stage.market.add_record("韭菜", round(inhibition, 2))
        town.stage.van.add_record("菜心", 12.5)

    measure()
    wait_until(lambda: set(records(town)) == expected(town))

    for victim in ("gateway", MARKET.site, "server", VAN.site):
        measure()
        town.processes.kill(victim)
        measure()
        town.start(victim)
        measure()
    town.broker.kill()
    measure()
    town.broker.start()
    measure()

    wait_until(lambda: set(records(town)) == expected(town), 90)
    everything_at = utc_now()
    wait_until(lambda: not town.holding(everything_at), 150)
    assert set(records(town).values()) == {1}, "a result was booked twice"
    positives = [alert for alert in town.raised() if alert.rule == "pesticide_positive"]
    assert len(positives) == len(town.stage.market.records), "one alert for each positive record"
    assert len({alert.result_id for alert in positives}) == len(positives)


def test_an_unplugged_reader_comes_back_and_says_so(town: Town) -> None:
    town.start_city()
    town.start(VAN.site)
    town.stage.van.add_record("菜心", 10.0)
    wait_until(lambda: set(records(town)) == {(VAN.site, 1)})
    town.stage.van.unplug()
    town.stage.van.add_record("生菜", 55.5)
    town.stage.van.plug()
    wait_until(lambda: set(records(town)) == {(VAN.site, 1), (VAN.site, 2)})
    assert {alert.rule for alert in town.raised()} == {"pesticide_positive"}
