"""Tests that kill things: gateway, series store, ledger, broker; nothing lost, nothing twice."""

import json
import urllib.parse
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_process import GatewayProcess, SendingAgent, until
from gateway_town import COLD, NOON, READER, canteen, market, readings, result
from servers import Influx, Mosquitto, Postgres

from contracts.words import Verdict
from ledger import alerts, migrate, results
from ledger.engine import Engine, open_engine, reading, writing
from timeseries.settings import SeriesSettings, open_store

pytestmark = [pytest.mark.real, pytest.mark.slow]

QUIET = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"


def results_and_alerts(ledger: Engine) -> tuple[int, list[int]]:
    """How many results are stored, and how often each alert was raised."""
    with reading(ledger) as conn:
        stored = results.list_in(conn, ["440703"], limit=10_000)
        raised = alerts.list_in(conn, None, limit=10_000)
    assert len({(row.device, row.epoch, row.sequence) for row in stored}) == len(stored)
    return len(stored), [row.count for row in raised]


def put_results(agent: SendingAgent, count: int) -> None:
    for index in range(count):
        agent.put(READER, result(at=NOON + timedelta(seconds=index)))


def influx_count(influx: Influx, measurement: str, field: str) -> int:
    query = {"db": "town", "q": f'SELECT count("{field}") FROM "{measurement}"'}
    url = f"{influx.url}/query?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = json.load(answer)["results"][0].get("series")
    return int(found[0]["values"][0][1]) if found else 0


def test_gateway_killed_in_the_middle(
    mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    settings = 'group = "killed"\nbatch_messages = 20'
    with (
        GatewayProcess(
            folder, mosquitto.port, f"sqlite:///{ledger_file}", intake=settings
        ) as gateway,
        SendingAgent(mosquitto.port, market("agent"), window=60) as agent,
        SendingAgent(mosquitto.port, canteen("agent")) as other,
    ):
        put_results(agent, 300)
        for index in range(100):
            other.put(COLD, readings((index * 60, 9.5)))
        for left in (260, 160, 60):
            until(lambda left=left: agent.unreceipted < left)  # type: ignore[misc]
            gateway.kill()
            gateway.start()
        until(lambda: not agent.unreceipted and not other.unreceipted)
        count, raised = results_and_alerts(ledger)
        assert count == 300
        assert raised == [1] * 301
    store = open_store(SeriesSettings(path="series.db"), folder)
    tests = store.samples("tests", "number", {}, NOON, NOON + timedelta(days=1))
    values = store.samples("readings", "value", {}, NOON, NOON + timedelta(days=1))
    store.close()
    assert (len(tests), len(values)) == (300, 100)


def test_dead_series_store_delays_receipts_only(
    mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    with Influx(tmp_path / "influx") as influx:
        query = urllib.parse.urlencode({"q": "CREATE DATABASE town"})
        urllib.request.urlopen(f"{influx.url}/query?{query}", data=b"", timeout=10).close()
        gateway = GatewayProcess(
            tmp_path / "gateway",
            mosquitto.port,
            f"sqlite:///{ledger_file}",
            series=f'api = "v1"\nurl = "{influx.url}"\ndatabase = "town"\ntimeout_s = 2',
            intake='group = "series"\nseries_queue_bytes = 10000\nbatch_messages = 10',
        )
        with gateway, SendingAgent(mosquitto.port, market("agent"), window=50) as agent:
            until(gateway.well)
            put_results(agent, 20)
            until(lambda: not agent.unreceipted)
            influx.kill()
            put_results(agent, 80)
            until(lambda: results_and_alerts(ledger) == (70, [1] * 70))  # the agent's window
            until(lambda: gateway.metric("series_dropped_batches_total") > 0)
            assert agent.unreceipted == 80
            code, said = gateway.health()
            assert code == 503 and "time series" in said["reasons"]["series"]
            influx.start()
            until(lambda: not agent.unreceipted)
            until(gateway.well)
            assert influx_count(influx, "tests", "number") == 100
    assert results_and_alerts(ledger) == (100, [1] * 100)


def test_locked_ledger_holds_acknowledgements_back(
    mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    gateway = GatewayProcess(
        tmp_path / "gateway",
        mosquitto.port,
        f"sqlite:///{ledger_file}",
        intake='group = "locked"',
    )
    with gateway, SendingAgent(mosquitto.port, market("agent")) as agent:
        until(gateway.well)
        put_results(agent, 1)
        until(lambda: not agent.unreceipted)  # nothing is under way when the lock is taken
        before = gateway.metric("messages_total")
        with writing(ledger):  # the write lock of the whole file
            put_results(agent, 5)
            # The first of them, or all: what comes while a batch waits, waits behind it.
            until(lambda: gateway.metric("messages_total") > before)
            assert agent.unreceipted == 5
        until(lambda: not agent.unreceipted)
    assert results_and_alerts(ledger) == (6, [1] * 6)


def test_two_gateways_on_postgres_one_dies_then_the_ledger(
    mosquitto: Mosquitto, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from gateway_town import build

    with Postgres(tmp_path / "postgres") as postgres:
        url = postgres.create_database()
        ledger = open_engine(url)
        migrate.upgrade(ledger)
        with writing(ledger) as conn:
            build(conn)
        settings = 'group = "pair"\nbatch_messages = 10'
        one, two = (
            GatewayProcess(
                tmp_path / name,
                mosquitto.port,
                url,
                intake=settings,
                series=f'api = "sqlite"\npath = "{tmp_path}/series.db"',
            )
            for name in ("one", "two")
        )
        with one, two, SendingAgent(mosquitto.port, market("agent"), window=60) as agent:
            until(lambda: one.well() and two.well())
            put_results(agent, 300)
            until(lambda: agent.unreceipted < 200)
            one.kill()
            until(lambda: agent.unreceipted < 100)
            postgres.kill()
            until(lambda: "ledger" in two.health()[1]["reasons"])
            postgres.start()
            one.start()
            until(lambda: not agent.unreceipted, 60)
            until(lambda: one.well() and two.well())
        ledger.dispose()  # its connections died with the server
        assert results_and_alerts(ledger) == (300, [1] * 300)
        ledger.dispose()
    store = open_store(SeriesSettings(path="series.db"), tmp_path)
    assert len(store.samples("tests", "number", {}, NOON, NOON + timedelta(days=1))) == 300
    store.close()


def test_broker_killed_and_forgetful(ledger: Engine, ledger_file: Path, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "mosquitto", QUIET) as broker,
        GatewayProcess(tmp_path / "gateway", broker.port, f"sqlite:///{ledger_file}") as gateway,
        SendingAgent(broker.port, market("agent"), window=40) as agent,
    ):
        until(gateway.well)
        put_results(agent, 100)
        until(lambda: agent.unreceipted < 90)
        broker.kill()
        until(lambda: "broker" in gateway.health()[1]["reasons"])
        broker.start()
        agent.put(READER, result(Verdict.PASS, "1.00"))
        until(lambda: not agent.unreceipted, 60)
        until(gateway.well)
    assert results_and_alerts(ledger) == (101, [1] * 100)
