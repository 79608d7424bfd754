"""A real agent with real RTSP cameras on one core: does none fall behind, and how soon is it told?

The agent is a process of its own, pinned to one core with everything that it does; the cameras,
a real mosquitto and who listens there have the other cores.
"""

import os
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contracts.envelope import decode, encode
from contracts.events import Observation, Receipt, Status
from contracts.sequences import RangeSet
from contracts.topics import UPLINK_CHANNELS, Channel, Identity, channel_filter, device_topic
from contracts.words import Phase
from foodsentry.bench.clips import SCENE, served
from foodsentry.bench.servers import BenchFailed, mosquitto
from foodsentry.demo.files import toml
from foodsentry.demo.processes import Processes, ProcessFailed
from foodsentry.demo.run import free_port

AGENT = Identity("440703", "bench", "agent")
ONLINE_LIMIT_S = 90.0
SETTLE_S = 6.0
"""A server sends what it had waiting when a camera connects; after that it is live."""


class Live(msgspec.Struct, frozen=True):
    """One run of an agent."""

    cameras: int
    decode: str
    seconds: float
    core_share: float
    """Of the one core that it has."""
    least_fps: float
    """Frames a second of the camera that had the fewest; `adaptive` does not count those that it
    keeps undecoded."""
    looks_per_s: float
    """Of all cameras together."""
    observations: int
    """Those that opened."""
    latency_p50_s: float | None
    latency_p95_s: float | None
    """From the deciding frame's arrival at the agent to the observation's at the broker's other
    side."""
    not_online: int
    """Cameras that were not online at the end."""
    rss_mb: float
    rss_growth_mb: float
    """From after the settling to the end."""
    threads: int
    fds: int


class Listener:
    """The city's ear: observations with the moment of their arrival, statuses; and it receipts."""

    def __init__(self, port: int) -> None:
        self.latencies: list[float] = []
        self.statuses: dict[str, Status] = {}
        self._lock = threading.Lock()
        self._new: dict[str, set[int]] = defaultdict(set)
        self._stop = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="bench", protocol=MQTTProtocolVersion.MQTTv5
        )
        ready = threading.Event()
        filters = [(channel_filter(one), 1) for one in (*UPLINK_CHANNELS, Channel.STATUS)]
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe(filters)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not ready.wait(10):
            raise BenchFailed("bench cameras: mosquitto did not take the subscription")
        self._thread = threading.Thread(target=self._receipt, name="bench-receipts")
        self._thread.start()

    def _on_message(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        at = datetime.now(UTC)
        event = decode(bytes(message.payload))
        with self._lock:
            if isinstance(event.data, Status):
                self.statuses[event.envelope.identity.device] = event.data
            if isinstance(event.data, Observation) and event.data.phase is Phase.OPEN:
                self.latencies.append((at - event.data.captured_at).total_seconds())
            if event.envelope.sequence:
                self._new[event.envelope.epoch].add(event.envelope.sequence)

    def _receipt(self) -> None:
        count = 0
        while not self._stop.wait(0.05):
            with self._lock:
                new, self._new = self._new, defaultdict(set)
            for epoch, numbers in new.items():
                count += 1
                receipt = Receipt(epoch, RangeSet.of(numbers).ranges())
                content = encode(
                    "receipts", AGENT, receipt, event_id=f"r{count}", at=datetime.now(UTC)
                )
                self._client.publish(device_topic(AGENT, Channel.RECEIPTS), content, qos=1)

    def cameras(self) -> dict[str, Status]:
        """The newest state of each camera."""
        with self._lock:
            return {name: one for name, one in self.statuses.items() if name != AGENT.device}

    def close(self) -> None:
        """Leave the broker."""
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


def run(clip: Path, cameras: int, decode_how: str, seconds: float, core: int) -> Live:
    """Run an agent with so many cameras for `seconds`. Raises BenchFailed."""
    others = os.sched_getaffinity(0) - {core} or {core}
    with ExitStack() as opened:
        folder = clip.parent / f"{decode_how}-{cameras}-{time.monotonic_ns()}"
        folder.mkdir()
        port = free_port()
        opened.enter_context(mosquitto(folder, port))
        addresses = opened.enter_context(served(clip, cameras, others))
        listener = Listener(port)
        opened.callback(listener.close)
        settings = folder / "agent.toml"
        (folder / "bench.toml").write_text(SCENE, "utf-8")
        settings.write_text(toml(_settings(port, addresses, decode_how)), "utf-8")
        processes = opened.enter_context(Processes(folder))
        processes.start("agent", "edge", "run", str(settings))
        pid = processes.pid("agent")
        os.sched_setaffinity(pid, {core})
        try:
            return _watch(listener, processes, pid, cameras, decode_how, seconds)
        except ProcessFailed as error:
            raise BenchFailed(f"bench cameras: {error}") from None


def _settings(port: int, addresses: list[str], decode_how: str) -> dict[str, object]:
    return {
        "agent": {"region": AGENT.region, "site": AGENT.site, "device": AGENT.device},
        "mqtt": {"port": port},
        "outbox": {"path": "outbox.sqlite"},
        "folders": {"scenes": "."},
        "cameras": [
            {
                "device": f"cam-{number}",
                "source": address,
                "scene": "bench",
                "decode": decode_how,
                "status_every_s": 1.0,
                "open_timeout_s": 20.0,
            }
            for number, address in enumerate(addresses)
        ],
    }


def _watch(
    listener: Listener, processes: Processes, pid: int, cameras: int, how: str, seconds: float
) -> Live:
    until = time.monotonic() + ONLINE_LIMIT_S
    while sum(one.state == "online" for one in listener.cameras().values()) < cameras:
        processes.check()
        if time.monotonic() > until:
            states = [f"{name}: {one.detail}" for name, one in listener.cameras().items()]
            raise BenchFailed(f"bench cameras: not all cameras came online: {states[:3]}")
        time.sleep(0.1)
    time.sleep(SETTLE_S)
    cpu, begun, rss = _cpu_s(pid), time.monotonic(), processes.rss_mb("agent")
    first, heard = listener.cameras(), len(listener.latencies)
    time.sleep(seconds)
    spent, used = time.monotonic() - begun, _cpu_s(pid) - cpu
    last, now_rss = listener.cameras(), processes.rss_mb("agent")
    processes.check()
    latencies = sorted(listener.latencies[heard:])

    def rate(name: str, figure: str) -> float:
        before, after = first[name], last[name]
        passed = (after.at - before.at).total_seconds()
        grown = after.figures.get(figure, 0.0) - before.figures.get(figure, 0.0)
        return grown / passed if passed > 0 else 0.0

    def quantile(share: float) -> float | None:
        if not latencies:
            return None
        return round(latencies[min(len(latencies) - 1, int(share * len(latencies)))], 3)

    return Live(
        cameras=cameras,
        decode=how,
        seconds=round(spent, 1),
        core_share=round(used / spent, 3),
        least_fps=round(min(rate(name, "frames") for name in first), 2),
        looks_per_s=round(sum(rate(name, "looks") for name in first), 2),
        observations=len(latencies),
        latency_p50_s=quantile(0.5),
        latency_p95_s=quantile(0.95),
        not_online=sum(one.state != "online" for one in last.values()),
        rss_mb=round(now_rss, 1),
        rss_growth_mb=round(now_rss - rss, 2),
        threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
        fds=len(list(Path(f"/proc/{pid}/fd").iterdir())),
    )


def _cpu_s(pid: int) -> float:
    """Processor seconds that a process has had (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
