"""Tests of a real agent and a real gateway over TLS: facts arrive, and a certificate runs out.

The agent keeps what it has while its certificate is no good, its doctor names the day, and a
renewed certificate is taken up without a restart.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from broker_parts import OTHER, SITE, City
from facts import result as fact
from gateway_process import until
from gateway_town import READER, market
from servers import Server

from contracts.clock import utc_now
from contracts.files import write_whole
from contracts.topics import Identity
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from foodsentry.cli import main
from ledger import results
from ledger.engine import Engine, reading

pytestmark = [pytest.mark.real, pytest.mark.slow]


class Agent(Server):
    """`foodsentry edge run` without instruments: what is in its outbox travels."""

    def __init__(self, folder: Path, city: City, who: Identity) -> None:
        super().__init__(folder)
        self.who = who
        self.settings = folder / "edge.toml"
        self.settings.write_text(
            f"""
[agent]
region = "{who.region}"
site = "{who.site}"
[mqtt]
port = {city.tls_port}
tls_ca_file = "{city.folder}/ca.crt"
tls_cert_file = "edge.crt"
tls_key_file = "edge.key"
[uplink]
reconnect_max_s = 0.5
[health]
every_s = 1
""",
            "utf-8",
        )

    def command(self) -> list[str]:
        return [sys.executable, "-m", "foodsentry.cli", "edge", "run", str(self.settings)]

    def ready(self) -> bool:
        return "workers, outbox" in self.log.read_text("utf-8")

    def put(self, *facts: Fact) -> None:
        """Into its outbox, while it does not run."""
        with Outbox(self.folder / "outbox.sqlite", self.who, utc_now) as outbox:
            outbox.put(facts)

    def certificate(self, city: City, name: str, age_days: int = 0) -> None:
        files = city.certificate(name, utc_now() - timedelta(days=age_days), days=30)
        assert files.certificate and files.key
        write_whole(self.folder / "edge.crt", files.certificate.read_bytes())
        write_whole(self.folder / "edge.key", files.key.read_bytes())


def test_an_agents_certificate_runs_out_and_is_renewed(
    ledger: Engine, ledger_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = City(tmp_path / "city", ledger)
    agent = Agent(tmp_path / "edge", city, market("agent"))

    def put(number: int) -> None:
        one = fact(number, at=utc_now(), agent=agent.who)
        agent.put(msgspec.structs.replace(one, who=READER))

    def stored() -> int:
        with reading(ledger) as conn:
            return len(results.list_in(conn, [agent.who.region]))

    def doctor() -> str:
        main(["edge", "doctor", str(agent.settings), "--json"])
        said = json.loads(capsys.readouterr().out)
        return "\n".join(f"{one['what']} → {one['advice']}" for one in said["findings"])

    with city.broker, city.gateway(tmp_path / "gateway", ledger_file):
        agent.certificate(city, SITE)
        put(1)
        with agent:
            until(lambda: stored() == 1, 60)
        agent.certificate(city, SITE, age_days=40)
        put(2)
        with agent:
            until(lambda: "has expired" in agent.log.read_text("utf-8"))
            said = doctor()
            day = utc_now() - timedelta(days=10)
            assert f"expired on {day:%Y-%m-%d}" in said
            assert "our certificate (mqtt.tls_cert_file) has expired" in said
            assert "nothing is lost meanwhile" in said and f"{SITE!r}" in said
            assert stored() == 1
            agent.certificate(city, SITE)
            until(lambda: stored() == 2, 60)
        agent.certificate(city, OTHER)
        assert f"is for {OTHER!r}, but this agent is {SITE!r}" in doctor()
