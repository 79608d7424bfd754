"""A fleet on a real broker, under its access rules: all arrives, a check finds what does not."""

import sqlite3
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))

from gateway_process import GatewayProcess
from journey_town import ACL, passwords
from servers import Mosquitto

from contracts.clock import utc_now
from edge_agent.uplink.settings import UplinkSettings
from foodsentry.cli import main
from foodsentry.fleet.check import check
from foodsentry.fleet.register import read_passwords, register, write_csv, write_passwords
from foodsentry.fleet.run import FleetOptions, run_fleet
from foodsentry.fleet.script import FleetScript
from ledger import migrate
from ledger.engine import open_engine
from timeseries.settings import SeriesSettings, open_store

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_everything_told_arrives_and_what_is_taken_away_is_missed(tmp_path: Path) -> None:
    script = FleetScript(begun_at=utc_now(), seed=3, sites=40, warm=0.5, liars=0.3, clocks=0.3)
    options = FleetOptions(
        over_s=4, cuts=0.4, restarts=0.4, limit_s=90, uplink=UplinkSettings(receipt_timeout_s=3)
    )
    url = f"sqlite:///{tmp_path}/ledger.db"
    engine = open_engine(url)
    migrate.upgrade(engine)
    assert register(script, engine) == 40
    assert register(script, engine) == 0
    write_passwords(script, tmp_path / "users")
    words = read_passwords(tmp_path / "users")
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "word").write_text("open", "utf-8")
    config = f"allow_anonymous false\nacl_file {ACL}\nmax_inflight_messages 0\n"
    config += f"password_file {passwords(tmp_path, words | {'gateway': 'open'})}\n"
    mqtt = 'username = "gateway"\npassword_file = "word"'
    with (
        Mosquitto(tmp_path / "broker", config) as broker,
        GatewayProcess(tmp_path / "gateway", broker.port, url, mqtt=mqtt) as gateway,
    ):
        options = msgspec.structs.replace(options, port=broker.port, passwords=words)
        report = run_fleet(script, options)
    assert report.unreceipted == 0
    assert report.told == report.expected.facts == 40 * 13
    assert report.cuts and report.restarts
    assert report.connections >= 40 + report.cuts
    store = open_store(SeriesSettings(path="series.db"), gateway.folder)
    found = check(report, engine, store)
    assert found.right, found.examples
    assert found.points.found == 40 * (30 + 4)
    assert found.alerts.found == sum(report.expected.alerts.values())
    assert found.alerts.found > 60

    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.execute("DELETE FROM results WHERE number = (SELECT min(number) FROM results)")
        ledger.execute("UPDATE alerts SET count = 2 WHERE number = 1")
        ledger.execute("UPDATE observations SET observation_id = 'other' WHERE number = 1")
    ledger.close()
    with sqlite3.connect(gateway.folder / "series.db") as series:
        series.execute("DELETE FROM samples WHERE at_ns = (SELECT max(at_ns) FROM samples)")
    series.close()
    spoilt = check(report, engine, store)
    assert (spoilt.results.missing, spoilt.alerts.twice) == (1, 1)
    assert (spoilt.observations.missing, spoilt.observations.unexpected) == (1, 1)
    assert spoilt.points.missing >= 1
    assert not spoilt.right and len(spoilt.examples) >= 4
    store.close()
    engine.dispose()


def test_what_cannot_arrive_is_said(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    options = ["--sites", "3", "--seed", "4", "--over", "0.2", "--limit", "1"]
    port = str(mosquitto.port)
    assert main(["fleet", "simulate", *options, "--port", port, "--report", str(report)]) == 1
    assert '"unreceipted":39' in report.read_text("utf-8")
    assert "given up" in capsys.readouterr().err
    assert main(["fleet", "simulate", "--check"]) == 2


def test_sites_as_a_file_and_as_broker_users(tmp_path: Path) -> None:
    script = FleetScript(begun_at=utc_now(), sites=3, liars=1.0)
    write_csv(script, tmp_path / "devices.csv")
    lines = (tmp_path / "devices.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 3 * 4 and lines[1].startswith("440703,fleet1-00000,agent,agent,")
    write_passwords(script, tmp_path / "words")
    words = read_passwords(tmp_path / "words")
    assert list(words) == [f"440703/fleet1-0000{n}" for n in range(3)]
    assert (tmp_path / "words").stat().st_mode & 0o077 == 0
