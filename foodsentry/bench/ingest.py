"""`foodsentry bench ingest`: how fast one gateway takes in, books, judges, stores and receipts.

Rate: a load waits in a real mosquitto, in the gateway's persistent session, while the gateway is
away; then it starts, and the time runs from its connection to the last receipt. So the publisher's
own cost is not in it; the broker's, the gateway's and its stores' is. Latency: the same messages
come live, at half of that rate, with bad tests among them; from a test's publication to its alert
message. QoS 1; nothing is switched off. The time series is a real InfluxDB where one is installed,
else a SQLite file.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from foodsentry.bench import servers
from foodsentry.bench.figures import at_share
from foodsentry.bench.load import (
    Listener,
    Message,
    agents,
    bad_test,
    messages,
    publish,
    register,
)
from foodsentry.bench.mqtt import Wire
from foodsentry.bench.servers import BenchFailed
from foodsentry.demo.processes import Processes
from foodsentry.demo.run import free_port
from ledger import alerts, intake
from ledger.engine import Engine, open_engine, reading
from timeseries.settings import SeriesSettings, open_store

SITES = 200
LIMIT_S = 240.0
RESEND_AFTER_S = 3.0
TESTS_PER_S = 20
SLICE_S = 0.01


class Ingested(msgspec.Struct, frozen=True):
    """One run."""

    messages: int
    readings: int
    messages_per_s: float
    readings_per_s: float
    lost: int
    duplicated: int
    resent: int
    rss_mb: float
    """The most that the gateway's processes had."""
    cpu_s: float
    """Processor time of the gateway's processes."""
    seconds: float
    payload_bytes: int
    series: str


class Alerted(msgspec.Struct, frozen=True):
    """One live run with bad tests in it."""

    messages_per_s: float
    readings_per_s: float
    alerts: int
    lost: int
    """Messages and alerts."""
    duplicated: int
    p50_s: float
    p99_s: float
    rss_mb: float


class Town:
    """A gateway with its broker and stores, in a folder that is thrown away."""

    def __init__(self, opened: ExitStack, series: str) -> None:
        """`series`: influx or sqlite. Raises BenchFailed."""
        self.folder = Path(
            opened.enter_context(tempfile.TemporaryDirectory(prefix="foodsentry-bench-"))
        )
        self.port, self._http = free_port(), free_port()
        opened.enter_context(servers.mosquitto(self.folder, self.port))
        self.series = series
        self._url = ""
        if series == "influx":
            self._url = opened.enter_context(
                servers.influxd(self.folder / "influx", free_port(), free_port())
            )
            told = f'api = "v1"\nurl = "{self._url}"\ndatabase = "bench"\ngzip = false\n'
        else:
            told = 'api = "sqlite"\npath = "series.sqlite"\n'
        self.engine: Engine = open_engine(f"sqlite:///{self.folder / 'ledger.sqlite'}")
        opened.callback(self.engine.dispose)
        self.agents = agents(SITES)
        register(self.engine, self.agents, utc_now())
        self._settings = self.folder / "gateway.toml"
        self._settings.write_text(
            f'[ledger]\nurl = "sqlite:///ledger.sqlite"\n[series]\n{told}'
            f'[mqtt]\nport = {self.port}\nclient_id = "bench-gateway"\n'
            f"[http]\nport = {self._http}\n",
            "utf-8",
        )
        self.processes = opened.enter_context(Processes(self.folder))

    def start(self) -> float:
        """Start the gateway; returns the monotonic time at which it was connected."""
        log = self.processes.log("gateway")
        before = log.read_bytes().count(b"connected to") if log.exists() else 0
        self.processes.start("gateway", "gateway", "run", str(self._settings))
        until = time.monotonic() + 30
        while not log.exists() or log.read_bytes().count(b"connected to") == before:
            self.processes.check()
            if time.monotonic() > until:
                raise BenchFailed("the gateway did not connect within 30 s")
            time.sleep(0.002)
        return time.monotonic()

    def subscribe(self) -> None:
        """Let the gateway make its session, and go."""
        self.start()
        self.processes.wait_for(f"http://127.0.0.1:{self._http}/healthz", 30)
        self.processes.stop("gateway")

    def used(self) -> tuple[float, float]:
        """The most memory that the gateway's processes had together (MB), and their CPU time."""
        session = self.processes.pid("gateway")
        peak = spent = 0.0
        for place in Path("/proc").glob("[0-9]*"):
            try:
                fields = (place / "stat").read_text("utf-8").rpartition(")")[2].split()
                if int(fields[3]) != session:
                    continue
                told = (place / "status").read_text("utf-8")
            except (OSError, IndexError):
                continue
            spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            peak += int(told.partition("VmHWM:")[2].split()[0]) / 1000
        return peak, spent

    def booked(self) -> int:
        """Numbers in the ledger, each counted once."""
        with reading(self.engine) as conn:
            return sum(row.highest - row.missing for row in intake.progress(conn))

    def stored(self) -> int:
        """Readings in the time series."""
        if self.series == "influx":
            return servers.count_readings(self._url)
        settings = SeriesSettings(api="sqlite", path=str(self.folder / "series.sqlite"))
        store, day = open_store(settings, self.folder), timedelta(days=1)
        try:
            span = utc_now() - day, utc_now() + day
            return len(store.samples("readings", "value", {}, *span))
        finally:
            store.close()


@contextmanager
def _town(series: str) -> Iterator[tuple[Town, Listener]]:
    with ExitStack() as opened:
        town = Town(opened, series)
        town.subscribe()
        listener = Listener(town.port)
        opened.callback(listener.close)
        yield town, listener


def measure(each: int, readings: int, series: str) -> Ingested:
    """One run: `each` messages of every site, with so many readings in each."""
    with _town(series) as (town, listener):
        load = list(messages(town.agents, each, readings, hours_ago()))
        publish(town.port, load)
        begun = town.start()
        resent = _wait(listener, town, load)
        seconds = listener.receipted_at - begun
        rss, spent = town.used()
        town.processes.stop("gateway")
        booked, stored = town.booked(), town.stored()
    total, wanted = len(load), len(load) * readings
    return Ingested(
        messages=total,
        readings=wanted,
        messages_per_s=round(total / seconds, 1),
        readings_per_s=round(wanted / seconds, 1),
        lost=(total - booked) + max(0, wanted - stored),
        duplicated=max(0, stored - wanted) + max(0, booked - total),
        resent=resent,
        rss_mb=round(rss, 1),
        cpu_s=round(spent, 2),
        seconds=round(seconds, 2),
        payload_bytes=len(load[0].payload),
        series=series,
    )


def measure_alerts(messages_per_s: float, readings: int, series: str, seconds: float) -> Alerted:
    """One live run at that rate; every alert is timed."""
    with _town(series) as (town, listener):
        each = round(messages_per_s * seconds / SITES)
        load = list(messages(town.agents, each, readings, hours_ago()))
        town.start()
        wire = Wire(town.port, "bench-publisher", lambda _: None)
        tests = 0
        begun, sent = time.monotonic(), 0
        while sent < len(load):
            spent = time.monotonic() - begun
            due = min(len(load), int(spent * messages_per_s))
            part = [(one.topic, one.payload) for one in load[sent:due]]
            if spent * TESTS_PER_S > tests:
                agent = town.agents[tests % SITES]
                test = bad_test(agent, each + 1 + tests // SITES, datetime.now(UTC))
                part.insert(0, (test.topic, test.payload))
                tests += 1
            wire.publish(part)
            sent = due
            time.sleep(max(0.0, SLICE_S - (time.monotonic() - begun - spent)))
        lasted = time.monotonic() - begun
        until = time.monotonic() + LIMIT_S / 4
        while listener.receipted < len(load) + tests or len(listener.alerts) < tests:
            town.processes.check()
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        wire.close()
        rss, _ = town.used()
        town.processes.stop("gateway")
        with reading(town.engine) as conn:
            rows = alerts.list_in(conn, None, limit=10 * tests)
        lost = len(load) + tests - town.booked() + tests - len(listener.alerts)
        stored = town.stored()
        late = sorted(late_s for _, late_s in listener.alerts.values())
    return Alerted(
        messages_per_s=round(len(load) / lasted, 1),
        readings_per_s=round(len(load) * readings / lasted, 1),
        alerts=len(late),
        lost=lost + max(0, len(load) * readings - stored),
        duplicated=max(0, len(rows) - tests) + sum(row.count - 1 for row in rows),
        p50_s=round(statistics.median(late), 4),
        p99_s=round(at_share(late, 0.99), 4),
        rss_mb=round(rss, 1),
    )


def hours_ago() -> datetime:
    """When a load's readings begin."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)


def _wait(listener: Listener, town: Town, load: list[Message]) -> int:
    """Until everything is receipted; returns how much was sent again on the way.

    What a slow time-series store made the gateway drop is not receipted; as agents do, it is sent
    again when receipts have ceased.
    """
    resent = 0
    begun = tried_at = time.monotonic()
    while listener.receipted < len(load):
        now = time.monotonic()
        if now - max(tried_at, listener.receipted_at) > RESEND_AFTER_S:
            again = listener.unreceipted(load)
            publish(town.port, again)
            resent += len(again)
            tried_at = time.monotonic()
        town.processes.check()
        if now > begun + LIMIT_S:
            raise BenchFailed(f"{listener.receipted} of {len(load)} receipted after {LIMIT_S:g} s")
        time.sleep(0.05)
    return resent
