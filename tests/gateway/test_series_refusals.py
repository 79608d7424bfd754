"""What a time-series store will never take: counted, a dead letter, receipted, tried once."""

from pathlib import Path

import pytest
from gateway_process import GatewayProcess, SendingAgent, until
from gateway_town import COLD, canteen, readings
from servers import Influx, Mosquitto, ask

from ledger import dead_letters
from ledger.engine import Engine, reading

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_what_is_too_old_for_the_store_holds_nothing_up(
    influx: Influx, mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    ask(influx.url, 'CREATE DATABASE "short" WITH DURATION 1h NAME "hour"')
    ask(influx.url, 'CREATE RETENTION POLICY "long" ON "short" DURATION INF REPLICATION 1')
    gateway = GatewayProcess(
        tmp_path / "gateway",
        mosquitto.port,
        f"sqlite:///{ledger_file}",
        series=f'api = "v1"\nurl = "{influx.url}"\ndatabase = "short"',
        intake='group = "too-old"',
    )
    # Slower to send again than the store is to refuse, so that everything comes once.
    with gateway, SendingAgent(mosquitto.port, canteen("agent"), resend_s=60.0) as agent:
        until(gateway.well)
        for index in range(30):
            agent.put(COLD, readings((index * 60, 3.5), (index * 60 + 30, 3.5)))
        until(lambda: not agent.unreceipted)
        assert gateway.metric('series_rejected_points_total{why="too_old"}') == 60
        assert gateway.metric('dead_letters_total{reason="series"}') == 30
        # Once the store takes them, they can be replayed; what follows is taken at once.
        ask(influx.url, 'ALTER RETENTION POLICY "long" ON "short" DEFAULT')
        agent.put(COLD, readings((3600, 3.5)))
        until(lambda: not agent.unreceipted)
        assert gateway.metric('series_rejected_points_total{why="too_old"}') == 60
        assert '"values":[["1970-01-01T00:00:00Z",1]]' in ask(
            influx.url, 'SELECT count("value") FROM "readings"', db="short"
        )
    with reading(ledger) as conn:
        # The broker is other tests', too: what it retains of their devices is refused as well.
        letters = [
            one for one in dead_letters.list(conn, 1000) if one.reason.startswith("time series")
        ]
    assert len(letters) == 30
    assert all("beyond retention policy" in one.reason for one in letters)
