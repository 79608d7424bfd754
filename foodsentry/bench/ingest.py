"""`foodsentry bench ingest`: how fast one gateway takes in, books, stores and receipts a backlog.

The load waits in a real mosquitto, in the gateway's session, while the gateway is away; then the
gateway starts and the time runs from the first message that it takes in to the last receipt. So
the publisher's own cost is not measured; the broker's, the gateway's and its stores' is. Ledger and
time series are SQLite files; QoS 1; nothing is switched off.
"""

import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from foodsentry.bench.load import Message, Receiver, agents, messages, register
from foodsentry.demo.processes import Processes
from foodsentry.demo.run import free_port
from ledger import intake
from ledger.engine import Engine, open_engine, reading
from timeseries.settings import SeriesSettings, open_store

AGENTS = 200
LIMIT_S = 240.0
RESEND_AFTER_S = 3.0


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
    seconds: float


class BenchFailed(RuntimeError):
    """The benchmark cannot run here; the text says why."""


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[None]:
    """A mosquitto of our own on loopback, without the limits that would drop a backlog."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise BenchFailed("bench ingest needs mosquitto: apt-get install mosquitto")
    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n"
        f"max_queued_messages 0\nuser {getpass.getuser()}\nset_tcp_nodelay true\n",
        "utf-8",
    )
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([found, "-c", str(conf)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def measure(each: int, readings: int) -> Ingested:
    """One run: `each` messages of every agent, with so many readings in each."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="foodsentry-bench-")))
        port, http = free_port(), free_port()
        opened.enter_context(mosquitto(folder, port))
        engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
        opened.callback(engine.dispose)
        who = agents(AGENTS)
        register(engine, who, utc_now())
        settings = folder / "gateway.toml"
        settings.write_text(
            f'[ledger]\nurl = "sqlite:///ledger.sqlite"\n[series]\napi = "sqlite"\n'
            f'path = "series.sqlite"\n[mqtt]\nport = {port}\nclient_id = "bench-gateway"\n'
            f"[http]\nport = {http}\n",
            "utf-8",
        )
        processes = opened.enter_context(Processes(folder))
        processes.start("gateway", "gateway", "run", str(settings))
        processes.wait_for(f"http://127.0.0.1:{http}/healthz", 30)
        time.sleep(1.0)  # its subscriptions
        processes.stop()
        receiver = Receiver(port)
        opened.callback(receiver.close)
        load = list(messages(who, each, readings))
        receiver.publish_all(load)
        processes.start("gateway", "gateway", "run", str(settings))
        total = AGENTS * each
        seconds, resent = _wait(engine, receiver, processes, load)
        rss = processes.rss_mb("gateway")
        processes.stop()
        stored = _stored(folder)
        with reading(engine) as conn:
            booked = sum(row.highest - row.missing for row in intake.progress(conn))
    wanted = total * readings
    return Ingested(
        messages=total,
        readings=wanted,
        messages_per_s=round(total / seconds, 1),
        readings_per_s=round(wanted / seconds, 1),
        lost=(total - booked) + max(0, wanted - stored),
        duplicated=max(0, stored - wanted),
        resent=resent,
        rss_mb=round(rss, 1),
        seconds=round(seconds, 2),
    )


def _wait(
    engine: Engine, receiver: Receiver, processes: Processes, load: list[Message]
) -> tuple[float, int]:
    """Seconds from the first message booked to the last receipt, and how much was sent again.

    What a slow time-series store made the gateway drop is not receipted; as agents do, it is sent
    again when receipts have ceased.
    """
    begun: float | None = None
    resent, before, changed_at = 0, 0, time.monotonic()
    limit = time.monotonic() + LIMIT_S
    total = len(load)
    while (done := receiver.receipted()) < total:
        if done != before:
            before, changed_at = done, time.monotonic()
        elif begun is not None and time.monotonic() - changed_at > RESEND_AFTER_S:
            resent += receiver.publish_all(receiver.unreceipted(load))
            changed_at = time.monotonic()
        if begun is None:
            with reading(engine) as conn:
                if intake.progress(conn):
                    begun = changed_at = time.monotonic()
        processes.check()
        if time.monotonic() > limit:
            raise BenchFailed(f"{receiver.receipted()} of {total} receipted after {LIMIT_S:.0f} s")
        time.sleep(0.01 if begun is None else 0.05)
    return time.monotonic() - (begun or limit), resent


def _stored(folder: Path) -> int:
    settings = SeriesSettings(api="sqlite", path=str(folder / "series.sqlite"))
    store = open_store(settings, folder)
    now = datetime.now(UTC)
    day = timedelta(days=1)
    try:
        return len(store.samples("readings", "value", {}, now - day, now + day))
    finally:
        store.close()
