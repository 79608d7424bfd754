"""`foodsentry bench series`: points a second into the time series, stage by stage and whole.

Building lines, compressing them, and writing to a real InfluxDB 1.x (if `influxd` is installed; on
loopback, with and without gzip) and to a SQLite file. Batches as a gateway makes them: 5,000
readings of 200 probes. Every write is of new points, and has ended when the server has said yes.
"""

import tempfile
import time
import zlib
from pathlib import Path

from foodsentry.bench import servers
from foodsentry.bench.figures import Figure, figure, rate
from foodsentry.demo.run import free_port
from timeseries.influx import InfluxStore
from timeseries.influx_client import LEVEL, InfluxClient
from timeseries.lines import line
from timeseries.port import Point, SeriesStore
from timeseries.sqlite import SqliteStore

PROBES = 200
BATCH = 5000
BATCHES = 20
"""Of one run; made before its time begins."""
_TAGS = [
    {
        "region": "440703",
        "site": f"site-{n // 4}",
        "device": f"probe-{n}",
        "metric": "temperature",
    }
    for n in range(PROBES)
]


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
        if servers.program("influxd"):
            place = Path(folder) / "influx"
            with servers.influxd(place, free_port(), free_port()) as url:
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
