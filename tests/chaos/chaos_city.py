"""The chaos city: real broker, stores, two gateways, server, agents; each is a process to kill.

Agents are of two kinds: two real ones with their outboxes on disk and a virtual LZ-4000T each, and
a fleet of virtual ones (`foodsentry fleet simulate`) that brings the load. Every agent and every
gateway reaches the broker over a line that can be cut.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos_disk import Disk
from chaos_ear import Ear
from chaos_line import Line
from chaos_witness import DATABASE, Witness
from gateway_process import GatewayProcess
from servers import Influx, Mosquitto, Postgres, Server, ask

from contracts.clock import utc_now
from contracts.topics import Identity
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t
from foodsentry.demo.console import Console
from foodsentry.demo.files import toml
from foodsentry.fleet.register import register
from foodsentry.fleet.script import FleetScript
from ledger import devices, journal, migrate, officers, regions, sites
from ledger.engine import Connection, Engine, open_engine, reading, writing
from server.passwords import Passwords
from timeseries.port import SeriesStore
from timeseries.settings import SeriesSettings, open_store

REGION = "440703"
HERE = Path(__file__).parent
PASSWORD = "chaos-of-the-tests"
ROOM_MB, INFLUX_MB = 48, 160
CONNECTS_PER_S = 100
UPLINK = {
    "receipt_timeout_s": 3.0,
    "resend_max_s": 8.0,
    "ack_timeout_s": 6.0,
    "reconnect_max_s": 2.0,
}


def until(condition: Callable[[], object], limit_s: float = 60.0, what: str = "") -> None:
    """Wait for a condition; fail when time is up."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"not within {limit_s:.0f} s: {what or condition}"
        time.sleep(0.05)


def family(pid: int) -> list[int]:
    """A process and everything that it has started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has ended
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


class Part(Server):
    """A process of our own, by its arguments to Python."""

    def __init__(self, folder: Path, arguments: list[str], port: int | None = None) -> None:
        super().__init__(folder, port)
        self.arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, *self.arguments]


class Room(Part):
    """A testing room: the real agent on a disk of its own, with a virtual instrument."""

    def __init__(self, folder: Path, name: str, line: Line) -> None:
        self.agent = Identity(REGION, name, "agent")
        self.reader = self.agent.sibling("lz-1")
        self.instrument = VirtualLz4000t(folder / "lz")
        self.settings, self.offset = folder / "edge.toml", folder / "offset"
        self.disk = Disk(folder / "disk", ROOM_MB)
        self._line = line
        arguments = [str(HERE / "chaos_agent.py"), str(self.settings), str(self.offset)]
        super().__init__(folder, arguments)

    def prepare(self) -> None:
        self.clock(0)
        settings = {
            "agent": {"region": REGION, "site": self.agent.site, "device": "agent"},
            "mqtt": {"port": self._line.port, "keepalive_s": 5},
            "health": {"every_s": 2.0},
            "outbox": {"path": "disk/outbox.sqlite", "max_mb": 256},
            "uplink": UPLINK,
            "instruments": [
                {
                    "device": "lz-1",
                    "profile": "dayuan_lz_4000t",
                    "port": str(self.folder / "lz"),
                    "poll_every_s": 0.5,
                }
            ],
        }
        self.settings.write_text(toml(settings), "utf-8")

    def ready(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def clock(self, ahead_s: float) -> None:
        """Set the agent's clock."""
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(str(ahead_s), "utf-8")
        fresh.replace(self.offset)

    def measure(self, positive: bool) -> None:
        """The instrument has measured a sample."""
        number = len(self.instrument.records) + 1
        inhibition = 60 + number % 1000 / 100 if positive else 10 + number % 1000 / 100
        self.instrument.add_record("韭菜", round(inhibition, 2))


@dataclass
class Load:
    """A fleet under way."""

    script: FleetScript
    process: subprocess.Popen[bytes]
    report: Path
    log: Path
    told_s: float
    """From the first fact to the last."""


class City:
    """All parts. `kill`, `pause`, `go_on`, `restart` take any of them."""

    def __init__(self, folder: Path, hasty: bool = False) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._hasty = hasty
        self._loads = 0
        self._server_settings = folder / "server.toml"

    def __enter__(self) -> "City":
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        folder = self.folder
        config = (
            "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 1000000\n"
            f"persistence true\npersistence_location {folder}/broker/\nautosave_interval 5\n"
            "set_tcp_nodelay true\n"
        )
        self.broker = Mosquitto(folder / "broker", config)
        self.influx_disk = stack.enter_context(Disk(folder / "influx", INFLUX_MB))
        self.influx = Influx(folder / "influx")
        self.postgres = Postgres(folder / "postgres")
        for server in (self.broker, self.influx, self.postgres):
            stack.enter_context(server)
        ask(self.influx.url, f'CREATE DATABASE "{DATABASE}"')
        self.ledger_url = self.postgres.create_database()
        self.engine = open_engine(self.ledger_url)
        stack.callback(self.engine.dispose)
        migrate.upgrade(self.engine)
        self.edge_line, self.city_line = Line(self.broker.port), Line(self.broker.port)
        self.series_line = Line(self.influx.port)
        for line in (self.edge_line, self.city_line, self.series_line):
            stack.enter_context(line)
        self.series: SeriesStore = open_store(
            SeriesSettings(api="v1", url=self.influx.url, database=DATABASE), folder
        )
        stack.callback(self.series.close)
        self.rooms = [Room(folder / f"room-{n}", f"room-{n}", self.edge_line) for n in (1, 2)]
        with writing(self.engine) as conn:
            _register(conn, self.rooms)
        self.ear = stack.enter_context(Ear())
        self.gateways = [self._gateway(n) for n in (1, 2)]
        self.server = self._server()
        for room in self.rooms:
            stack.enter_context(room.disk)
            stack.enter_context(room.instrument)
            room.prepare()
        for part in (*self.gateways, self.server, *self.rooms):
            stack.enter_context(part)
        self.witness = stack.enter_context(Witness(self.broker.port, self.influx, self.engine))
        self.console = Console(self.server.port, "chaos", PASSWORD, utc_now)
        with reading(self.engine) as conn:
            self.console.start(journal.last_id(conn))
        stack.callback(self.console.stop)
        until(lambda: all(gateway.well() for gateway in self.gateways), 60, "gateways are well")

    def _gateway(self, number: int) -> GatewayProcess:
        url = f"http://127.0.0.1:{self.series_line.port}"
        made = GatewayProcess(
            self.folder / f"gateway-{number}",
            self.city_line.port,
            self.ledger_url,
            series=f'api = "v1"\nurl = "{url}"\ndatabase = "{DATABASE}"\ntimeout_s = 4',
            intake='group = "city"\nsession_expiry_s = 60',
            mqtt=f'client_id = "gateway-{number}"',
            notify=self.ear.settings,
        )
        if self._hasty:
            made.command = lambda: [  # type: ignore[method-assign]
                sys.executable,
                str(HERE / "chaos_hasty.py"),
                str(made.settings),
            ]
        return made

    def _server(self) -> Part:
        made = _Console(self.folder / "server", [])
        settings = {
            "port": made.port,
            "public_base_url": f"http://127.0.0.1:{made.port}",
            "ledger": {"url": self.ledger_url},
            "series": {"api": "v1", "url": self.influx.url, "database": DATABASE},
        }
        self._server_settings.write_text(toml(settings), "utf-8")
        made.arguments = ["-m", "foodsentry.cli", "server", "run", str(self._server_settings)]
        return made

    # What is done to a part

    def kill(self, *parts: Server) -> None:
        """kill -9, children and all."""
        for part in parts:
            assert part.process is not None
            pids = family(part.process.pid)
            _signal(pids, signal.SIGKILL)
            part.process.wait(10)
            until(lambda pids=pids: not any(map(_runs, pids)), 10)  # type: ignore[misc]

    def pause(self, *parts: Server) -> None:
        """SIGSTOP: it stands still, its connections stay."""
        for part in parts:
            assert part.process is not None
            _signal(family(part.process.pid), signal.SIGSTOP)

    def go_on(self, *parts: Server) -> None:
        """SIGCONT."""
        for part in parts:
            assert part.process is not None
            _signal(family(part.process.pid), signal.SIGCONT)

    def restart(self, *parts: Server) -> None:
        """Ask it to end, and start it again."""
        for part in parts:
            # PostgreSQL's SIGTERM waits for its clients.
            part.signal(signal.SIGINT if part is self.postgres else signal.SIGTERM)
            assert part.process is not None
            part.process.wait(40)
            part.start()

    def forget(self) -> None:
        """What the broker had on its disk is gone; it must not run."""
        for file in self.broker.folder.glob("mosquitto.db*"):
            file.unlink()

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Both gateways stand still meanwhile, at whatever they were; then promises are audited."""
        running = [one for one in self.gateways if one.process and one.process.poll() is None]
        self.pause(*running)
        try:
            yield
            time.sleep(0.3)  # what was said reaches the witness
            self.witness.audit()
        finally:
            self.go_on(*running)

    # Load

    def load(
        self, *, sites: int = 40, over_s: float = 12.0, cuts: float = 0.1, restarts: float = 0.1
    ) -> Load:
        """Start a fleet of its own sites."""
        self._loads += 1
        script = FleetScript(
            begun_at=utc_now(),
            seed=1000 + self._loads,
            sites=sites,
            region=REGION,
            tests=8,
            batches=16,
            readings=5,
            episodes=2,
        )
        register(script, self.engine)
        report = self.folder / f"{script.prefix}report.json"
        log = report.with_suffix(".log")
        command = [sys.executable, "-m", "foodsentry.cli", "fleet", "simulate"]
        for name in ("sites", "seed", "tests", "batches", "readings", "episodes"):
            command += [f"--{name}", str(getattr(script, name))]
        command += ["--begun-at", script.begun_at.isoformat(), "--report", str(report)]
        command += ["--port", str(self.edge_line.port), "--keepalive", "5", "--limit", "150"]
        command += ["--connects", str(CONNECTS_PER_S)]
        command += ["--over", str(over_s), "--cuts", str(cuts), "--restarts", str(restarts)]
        for name, value in UPLINK.items():
            command += [f"--{name.removesuffix('_s').replace('_', '-')}", str(value)]
        with log.open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        self._stack.callback(_end, process)
        return Load(script, process, report, log, over_s + sites / CONNECTS_PER_S)

    def measure(self, count: int = 3) -> None:
        """Each room's instrument has measured so many samples, every second one positive."""
        for _ in range(count):
            for room in self.rooms:
                room.measure(positive=len(room.instrument.records) % 2 == 0)


class _Console(Part):
    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except OSError:
            return False


def _register(conn: Connection, rooms: list[Room]) -> None:
    regions.add(conn, regions.Region(REGION, "蓬江区", "Pengjiang"))
    officers.add(
        conn,
        officers.Officer(
            login="chaos",
            name="混沌",
            role=officers.Role("county"),
            region=REGION,
            password_hash=Passwords().hash(PASSWORD),
        ),
    )
    for room in rooms:
        site = room.agent.site
        sites.add(conn, sites.Site(site, REGION, site, sites.SiteKind.TESTING_ROOM))
        for who, kind in ((room.agent, "agent"), (room.reader, "pesticide_reader")):
            made = devices.Device(
                region=REGION,
                site=site,
                device=who.device,
                kind=devices.DeviceKind(kind),
                name=who.device,
                registered_at=utc_now(),
            )
            devices.add(conn, made)


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(10)


def ledger_of(city: City) -> Engine:
    """The ledger, with connections that are not those of a server that was killed."""
    city.engine.dispose()
    return city.engine
