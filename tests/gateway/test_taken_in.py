"""A real edge, a real gateway and a dead time-series store: alerts on temperatures go on.

More readings than may be unreceipted are taken in and judged, through restarts of gateway and
agent; when the store is back, each is stored once and the outbox is empty.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_process import GatewayProcess, until
from gateway_town import COLD, NOON, canteen, readings
from servers import Influx, Mosquitto, ask

from contracts.clock import utc_now
from contracts.sequences import RangeSet
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.courier import Courier
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.statuses import StatusBoard
from ledger import alerts
from ledger.engine import Engine, reading
from timeseries.settings import SeriesSettings, open_store

pytestmark = [pytest.mark.real, pytest.mark.slow]

LIMIT = 20
SETTINGS = UplinkSettings(
    unreceipted_limit=LIMIT, receipt_timeout_s=1, resend_max_s=2, reconnect_max_s=0.5
)
AGENT = canteen("agent")


class Edge:
    """The edge's outbox and uplink, as the agent runs them."""

    def __init__(self, outbox: Outbox, port: int) -> None:
        endpoint = Endpoint("127.0.0.1", port, "fs-taken-in", "", None, None, 5, 3600)
        self.outbox = outbox
        self.courier = Courier(
            AGENT,
            endpoint,
            SETTINGS,
            outbox,
            StatusBoard(time.monotonic),
            utc_now,
            ClockOffset(utc_now, time.monotonic),
        )

    def read(self, minute: int, celsius: float) -> None:
        """One reading of the cold store, a minute of its time after the last."""
        at = NOON + timedelta(minutes=minute)
        self.outbox.put([Fact(COLD, "readings", readings((minute * 60, celsius)), at)])
        self.courier.wake()

    def backlog(self) -> int:
        return self.outbox.state().backlog


@contextmanager
def running_edge(folder: Path, port: int) -> Iterator[Edge]:
    """From its start, with what the outbox in `folder` holds, until it is stopped."""
    stop = threading.Event()
    with Outbox(folder / "outbox.sqlite", AGENT, utc_now) as outbox:
        edge = Edge(outbox, port)
        thread = threading.Thread(target=edge.courier.run, args=(stop,))
        thread.start()
        try:
            yield edge
        finally:
            stop.set()
            edge.courier.wake()
            thread.join(10)
            assert not thread.is_alive()


def taken_in(ledger: Engine) -> int:
    """How many numbers the ledger has claimed."""
    with reading(ledger) as conn:
        rows = conn.exec_driver_sql("SELECT ranges FROM intake").scalars().all()
    return sum(len(RangeSet(json.loads(row))) for row in rows)


def raised(ledger: Engine, rule: str) -> int:
    with reading(ledger) as conn:
        return sum(row.rule == rule for row in alerts.list_in(conn, None, limit=100))


def test_alerts_on_temperatures_go_on_while_the_time_series_is_dead(
    mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    with Influx(tmp_path / "influx") as influx:
        ask(influx.url, "CREATE DATABASE town")
        gateway = GatewayProcess(
            tmp_path / "gateway",
            mosquitto.port,
            f"sqlite:///{ledger_file}",
            series=f'api = "v1"\nurl = "{influx.url}"\ndatabase = "town"\ntimeout_s = 2',
            intake='group = "takenin"\nseries_queue_bytes = 20000',
        )
        with gateway:
            with running_edge(tmp_path, mosquitto.port) as edge:
                until(gateway.well)
                edge.read(0, 4.0)
                until(lambda: not edge.backlog())
                influx.kill()
                for minute in range(1, 201):
                    edge.read(minute, 4.0 if minute < 185 else 9.5)
                until(lambda: raised(ledger, "cold_store_warm") == 1)
                until(lambda: taken_in(ledger) == 201)
                until(lambda: edge.courier.state.taken_in >= 200 - LIMIT)
                assert edge.backlog() == 200, "nothing leaves that is not stored"
                assert gateway.metric("series_dropped_batches_total") > 0
                gateway.kill()
                gateway.start()
                for minute in range(201, 261):
                    edge.read(minute, 9.5)
                until(lambda: taken_in(ledger) == 261)
                assert edge.backlog() == 260
            with running_edge(tmp_path, mosquitto.port) as edge:
                for minute in range(261, 301):
                    edge.read(minute, 9.5)
                until(lambda: taken_in(ledger) == 301)
                assert edge.backlog() == 300
                influx.start()
                until(lambda: not edge.backlog(), 60)
                assert edge.courier.state.taken_in == 0
        store = open_store(SeriesSettings(api="v1", url=influx.url, database="town"), tmp_path)
        found = store.samples("readings", "value", {}, NOON, NOON + timedelta(days=1))
        store.close()
    assert [one.at for one in found] == [NOON + timedelta(minutes=n) for n in range(301)]
    assert raised(ledger, "cold_store_warm") == 1
