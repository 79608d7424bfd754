"""Other ways from a broker into InfluxDB, on the same loads in the same run.

A bridge in plain Python and mqttwarn, installed by pip into environments of their own.

They do less: nothing is validated, deduplicated, judged, booked or receipted. Each gets what waits
for it in a real mosquitto, as our gateway does; the clock runs from its start until InfluxDB counts
no more. mqttwarn, which posts every message by itself, is stopped when the time is up.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from foodsentry.bench import servers
from foodsentry.bench.load import Message, publish
from foodsentry.demo.run import free_port

LIMIT_S = 15.0
SESSION_S = 3.0
"""How long a peer is given to connect and subscribe for the first time."""

_NAIVE = """
import json, sys
import paho.mqtt.client as mqtt
from influxdb_client import InfluxDBClient, Point, WriteOptions
port, url = int(sys.argv[1]), sys.argv[2]
client = InfluxDBClient(url=url, token="", org="-")
rest = client.api_client.rest_client
post = rest.POST
def to_1x(url, query_params=None, **others):
    url = url.replace("/api/v2/write", "/write")
    return post(url, query_params=[("db", "bench"), ("precision", "ns")], **others)
rest.POST = to_1x
writer = client.write_api(write_options=WriteOptions(batch_size=5000, flush_interval=500))
def on_message(_client, _userdata, message):
    event = json.loads(message.payload)
    _, region, site, device = event["source"].split("/")
    for one in event["data"]["readings"]:
        point = Point("readings").tag("region", region).tag("site", site).tag("device", device)
        point = point.tag("metric", one["metric"]).field("value", float(one["value"]))
        writer.write("bench", record=point.time(one["measured_at"]))
bridge = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bridge", protocol=mqtt.MQTTv5)
bridge.on_connect = lambda client, *_: client.subscribe("fs/v1/+/+/+/readings", 1)
bridge.on_message = on_message
properties = mqtt.Properties(mqtt.PacketTypes.CONNECT)
properties.SessionExpiryInterval = 3600
bridge.connect("127.0.0.1", port, clean_start=False, properties=properties)
bridge.loop_forever()
"""
_MQTTWARN = """[defaults]
hostname = '127.0.0.1'
port = {port}
clientid = 'bridge'
cleansession = False
loglevel = ERROR
launch = influxdb
[config:influxdb]
host = '127.0.0.1'
port = {influx}
username = None
password = None
database = 'bench'
targets = {{ 'readings': ['readings'] }}
[fs/v1/+/+/+/readings]
targets = influxdb:readings
format = {{sequence}}
qos = 1
"""


class Peer(msgspec.Struct, frozen=True):
    """How one of them did; rates are None for what it was not asked, or could not be."""

    name: str
    messages_per_s: float | None = None
    readings_per_s: float | None = None
    lost: int | None = None
    """Readings that InfluxDB did not have in the end; None if the time was up before the end."""
    skipped: str = ""
    """Why it was not measured."""


class Skipped(Exception):
    """A peer cannot be measured here; the text says why."""


Command = Callable[[Path, int, int], list[str]]
"""Folder, MQTT port, InfluxDB port → what starts the peer."""


def measure(loads: dict[int, list[Message]], environment: Path | None) -> list[Peer]:
    """Every peer on every load (readings a message → messages). `environment` is kept if given."""
    with ExitStack() as opened:
        if environment is None:
            environment = Path(
                opened.enter_context(tempfile.TemporaryDirectory(prefix="foodsentry-peers-"))
            )
        return [
            _peer("naive Python, influxdb-client batching", environment, _naive, loads, (1, 50)),
            _peer("mqttwarn", environment, _mqttwarn, loads, (1,)),
            Peer("thingsboard-gateway", skipped="it needs a ThingsBoard server to write to"),
        ]


def _peer(
    name: str,
    environment: Path,
    prepare: Callable[[Path], Command],
    loads: dict[int, list[Message]],
    wanted: tuple[int, ...],
) -> Peer:
    try:
        if servers.program("influxd") is None:
            raise Skipped("influxd is not installed")
        command = prepare(environment)
        found = {readings: _run(command, loads[readings], readings) for readings in wanted}
    except Skipped as error:
        return Peer(name, skipped=str(error))
    lost = [missing for _, missing in found.values() if missing is not None]
    return Peer(
        name,
        round(found[1][0], 1),
        round(found[50][0], 1) if 50 in found else None,
        sum(lost) if lost else None,
    )


def _naive(environment: Path) -> Command:
    python = _installed(environment / "naive", "paho-mqtt>=2", "influxdb-client")

    def command(folder: Path, port: int, influx: int) -> list[str]:
        program = folder / "naive.py"
        program.write_text(_NAIVE, "utf-8")
        return [str(python), str(program), str(port), f"http://127.0.0.1:{influx}"]

    return command


def _mqttwarn(environment: Path) -> Command:
    python = _installed(environment / "mqttwarn", "mqttwarn", "requests")

    def command(folder: Path, port: int, influx: int) -> list[str]:
        (folder / "mqttwarn.ini").write_text(_MQTTWARN.format(port=port, influx=influx), "utf-8")
        return [str(python.parent / "mqttwarn"), "--config-file", str(folder / "mqttwarn.ini")]

    return command


def _installed(folder: Path, *packages: str) -> Path:
    """The Python of an environment with these packages, made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        for step in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *packages],
        ):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Skipped(f"{' '.join(step[1:3])}: {done.stderr.strip()[-300:]}")
    return python


def _run(command: Command, load: list[Message], readings: int) -> tuple[float, int | None]:
    """Readings a second, and how many are missing (None if it was not left to its end)."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="foodsentry-peer-")))
        port, influx = free_port(), free_port()
        opened.enter_context(servers.mosquitto(folder, port))
        url = opened.enter_context(servers.influxd(folder / "influx", influx, free_port()))
        words = command(folder, port, influx)
        environment = os.environ | {"PYTHONPATH": "", "HOME": str(folder)}
        with servers.running(words, folder / "first.log", environment):
            time.sleep(SESSION_S)
        publish(port, load)
        wanted, count = len(load) * readings, 0
        with servers.running(words, folder / "second.log", environment) as process:
            begun = grown_at = time.monotonic()
            while (now := time.monotonic()) - begun < LIMIT_S and count < wanted:
                time.sleep(0.3)
                if process.poll() is not None:
                    log = (folder / "second.log").read_text("utf-8", "replace")
                    raise Skipped(f"it ended by itself: {log.strip()[-200:]}")
                grown = servers.count_readings(url)
                if grown > count:
                    count, grown_at = grown, time.monotonic()
                elif count and now - grown_at > 3.0:
                    break
    whole = time.monotonic() - begun < LIMIT_S
    return count / max(0.1, grown_at - begun), wanted - count if whole else None
