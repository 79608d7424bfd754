"""The same road on a city's stores: PostgreSQL for the ledger, InfluxDB for the time series."""

import http.client
import json
from typing import Any

import pytest
from journey_town import Town, wait_until

from contracts.clock import utc_now
from foodsentry.demo.console import Console
from foodsentry.demo.seed import PASSWORD
from foodsentry.demo.town import CANTEEN, MARKET
from ledger import establishments
from ledger.engine import reading

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(180)]


def chart(town: Town, console: Console, establishment: str) -> list[Any]:
    """What the console draws of an establishment's temperatures: points of the first probe."""
    connection = http.client.HTTPConnection("127.0.0.1", town.layout.ports.server, timeout=20)
    path = f"/establishments/{establishment}/charts/temperature"
    connection.request("GET", path, headers={"cookie": console.cookie})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    drawn = json.loads(body)
    return [point for line in drawn["series"][:1] for point in line["points"]]


def test_results_alerts_and_charts_on_postgresql_and_influxdb(city: Town) -> None:
    city.start_city()
    city.start(MARKET.site)
    city.start(CANTEEN.site)
    city.stage.market.add_record("韭菜", 50.0)
    city.stage.cold_store.warm_up(12.0, 5.0)
    wait_until(lambda: [row.value_text for row in city.booked()] == ["50.00"])
    raised = {"pesticide_positive", "cold_store_warm"}
    wait_until(lambda: raised <= {alert.rule for alert in city.raised()}, 60)
    with reading(city.engine) as conn:
        listed = establishments.list_in(conn, [CANTEEN.region])
    canteen = next(one for one in listed if one.kind is establishments.EstablishmentKind.CANTEEN)
    console = Console(city.layout.ports.server, "xinhui", PASSWORD, utc_now)
    wait_until(lambda: len(chart(city, console, canteen.id)) >= 2, 60)
    assert any(value and value > 8 for _, value in chart(city, console, canteen.id))
