"""The demo town on a real mosquitto with the city's access rules: what journeys run and kill."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from servers import Mosquitto, program

from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.simulation.film_cook import Cook
from foodsentry.demo.cases import REPORTED
from foodsentry.demo.files import CONFIGS, Layout
from foodsentry.demo.processes import Processes
from foodsentry.demo.stage import Stage
from foodsentry.demo.town import AGENT, SITES
from ledger import alerts, devices, results
from ledger.alerts import AlertRow
from ledger.devices import Device
from ledger.engine import Engine, reading
from ledger.results import ResultRow

REGIONS = sorted({site.region for site in SITES})
ACL = CONFIGS.parent / "deploy" / "mosquitto" / "foodsentry.acl"
DRESSED = Cook(hat=True, mask=True)
BARE = Cook(hat=False, mask=False)


@dataclass
class Town:
    """The running town: its parts by name, to look at and to kill."""

    layout: Layout
    broker: Mosquitto
    processes: Processes
    stage: Stage
    engine: Engine

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.layout.ports.server}"

    def start(self, name: str) -> None:
        """Start one process: gateway, server, or a site's agent."""
        command = name if name in ("gateway", "server") else "edge"
        self.processes.start(name, command, "run", str(self.layout.settings(name)))

    def start_city(self) -> None:
        self.start("gateway")
        self.start("server")
        ports = self.layout.ports
        for port in (ports.gateway, ports.server):
            self.processes.wait_for(f"http://127.0.0.1:{port}/healthz", 40)

    def start_edges(self) -> None:
        for site in SITES:
            self.start(site.site)

    def booked(self) -> list[ResultRow]:
        with reading(self.engine) as conn:
            return results.list_in(conn, REGIONS, 10_000)

    def raised(self) -> list[AlertRow]:
        """What rules raised: without the matters that the town's cases began with."""
        with reading(self.engine) as conn:
            found = alerts.list_in(conn, REGIONS, None, 10_000)
        return [alert for alert in found if alert.rule != REPORTED]

    def holding(self, put_until: datetime) -> list[str]:
        """Sites that, by their agents' latest word, hold something put until then; or are silent.

        Not: whose backlog is not 0 at the moment of speaking. An agent that speaks every two
        seconds and reads a probe every two seconds may do one just after the other for minutes.
        """
        with reading(self.engine) as conn:
            known = devices.registry(conn)
        agents = [known[Identity(site.region, site.site, AGENT.device)] for site in SITES]
        return [row.site for row in agents if not has_drained(row, put_until)]


def has_drained(agent: Device, put_until: datetime) -> bool:
    """Whether nothing is left at the agent's site that was put until then, as the agent says."""
    if agent.state_at is None or agent.state not in (DeviceState.ONLINE, DeviceState.DEGRADED):
        return False
    clear_at = agent.state_at
    if agent.backlog:
        clear_at -= timedelta(seconds=agent.oldest_unsent_age_s)
    return clear_at > put_until


def wait_until(condition: Callable[[], object], limit_s: float = 45.0) -> None:
    """Wait for a condition; fail with its last value when time is up."""
    until = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < until, f"did not come true within {limit_s} s: {value!r}"
        time.sleep(0.1)


def passwords(folder: Path, words: dict[str, str]) -> Path:
    """mosquitto's password file."""
    path = folder / "passwords"
    path.write_text("".join(f"{name}:{word}\n" for name, word in words.items()), "utf-8")
    subprocess.run([program("mosquitto_passwd"), "-U", str(path)], check=True, timeout=60)
    path.chmod(0o644)
    return path
