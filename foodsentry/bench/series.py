"""`foodsentry bench series`: points a second into the time series, stage by stage and whole.

Building lines, compressing them, and writing to a real InfluxDB 1.x (if `influxd` is installed; on
loopback, with and without gzip) and to a SQLite file. Batches as a gateway makes them: 5,000
readings of 200 probes. Every write is of new points, and has ended when the server has said yes.
"""

import shutil
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from foodsentry.bench.figures import Figure, figure, rate
from foodsentry.demo.run import free_port
from timeseries.influx import InfluxStore
from timeseries.influx_client import LEVEL, InfluxClient, Refused, Unreachable
from timeseries.lines import line
from timeseries.port import Point, SeriesStore
from timeseries.sqlite import SqliteStore

PROBES = 200
BATCH = 5000
BATCHES = 20
"""Of one run; made before its time begins."""
START_S = 30.0
_TAGS = [
    {
        "region": "440703",
        "site": f"site-{n // 4}",
        "device": f"probe-{n}",
        "metric": "temperature",
    }
    for n in range(PROBES)
]
_CONF = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
"""


def measure(runs: int) -> list[Figure]:
    """Rates of points."""
    batch = _Batches()
    points = batch()
    lines = "\n".join(line(point) for point in points).encode()

    def build() -> int:
        "\n".join([line(point) for point in points]).encode()
        return BATCH

    def compress() -> int:
        packer = zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
        packer.compress(lines)
        packer.flush()
        return BATCH

    figures = [
        rate("build lines, one core", "points/s", build, runs),
        rate("compress lines, one core", "points/s", compress, runs),
    ]
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        with _influxd(Path(folder)) as url:
            if url:
                for gzip in (False, True):
                    client = InfluxClient(url, v1_database="bench", gzip=gzip)
                    store = InfluxStore(client, api="v1", database="bench")
                    name = f"write to InfluxDB 1.x{', gzip' if gzip else ''}"
                    figures.append(_writes(name, store, batch, runs))
                    store.close()
        sqlite = SqliteStore(Path(folder) / "series.sqlite")
        figures.append(_writes("write to a SQLite file", sqlite, batch, runs))
        sqlite.close()
    return figures


class _Batches:
    """Readings that never come twice."""

    def __init__(self) -> None:
        self._at_ns = time.time_ns() - 86_400 * 10**9

    def __call__(self) -> list[Point]:
        made = []
        for n in range(BATCH):
            value = 3.0 + n % 40 / 10
            at_ns = self._at_ns + n // PROBES * 1000
            made.append(Point("readings", _TAGS[n % PROBES], {"value": value}, at_ns))
        self._at_ns += 10**9
        return made


def _writes(name: str, store: SeriesStore, batch: _Batches, runs: int) -> Figure:
    store.write(batch())  # warm
    values = []
    for _ in range(runs):
        batches = [batch() for _ in range(BATCHES)]
        begun = time.perf_counter()
        for points in batches:
            store.write(points)
        values.append(BATCH * BATCHES / (time.perf_counter() - begun))
    return figure(name, "points/s", values)


@contextmanager
def _influxd(folder: Path) -> Iterator[str]:
    """URL of an InfluxDB of our own with a database `bench`; empty if there is no program."""
    found = shutil.which("influxd", path="/usr/bin:/usr/local/bin:/usr/sbin")
    if found is None:
        yield ""
        return
    port = free_port()
    conf = folder / "influxdb.conf"
    conf.write_text(_CONF.format(rpc=free_port(), port=port, folder=folder), "utf-8")
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as opened:
        log = opened.enter_context((folder / "influxd.log").open("wb"))
        process = subprocess.Popen([found, "-config", str(conf)], stdout=log, stderr=log)
        opened.callback(process.wait, 10)
        opened.callback(process.terminate)
        client = InfluxClient(url)
        opened.callback(client.close)
        until = time.monotonic() + START_S
        while True:
            try:
                client.ask("POST", "/query", [("q", "CREATE DATABASE bench")])
                break
            except (Unreachable, Refused):
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield url
