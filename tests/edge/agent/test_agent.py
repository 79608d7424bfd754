"""The whole agent against a real broker: here with workers of our own, and as a command."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import readings, result
from fake_city import FakeCity, until
from servers import Mosquitto

from contracts.clock import utc_now
from contracts.envelope import decode
from contracts.events import Status
from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.agent import run_agent
from edge_agent.outbox.schema import key_of
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Sink, Worker
from edge_agent.settings import EdgeSettings, Places, load_edge_settings

pytestmark = pytest.mark.real


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> Identity:
    return Identity("440703", f"a{abs(hash(request.node.nodeid)) % 10**10}", "agent")


def write(folder: Path, agent: Identity, port: int, more: str = "") -> Path:
    path = folder / "site.toml"
    path.write_text(
        f'[agent]\nregion = "{agent.region}"\nsite = "{agent.site}"\n'
        f"[mqtt]\nport = {port}\nkeepalive_s = 2\n[health]\nevery_s = 0.5\n"
        f"[uplink]\nreceipt_timeout_s = 1\nreconnect_max_s = 0.5\n{more}",
        "utf-8",
    )
    return path


def said(city: FakeCity, who: Identity) -> Status | None:
    payload = city.statuses.get(who.source)
    data = decode(payload).data if payload else None
    return data if isinstance(data, Status) else None


class Makes:
    """A worker that puts a test result and readings every 50 ms."""

    def __init__(self, name: str, agent: Identity, sink: Sink) -> None:
        self.name, self.agent, self.sink, self.made = name, agent, sink, 0

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(0.05):
            self.sink.put([result(self.made, agent=self.agent), readings(agent=self.agent)])
            self.made += 2


class Broken:
    """A worker with a defect."""

    name = "cam-1"

    def run(self, stop: threading.Event) -> None:
        raise RuntimeError("no such thing")


def test_one_broken_worker_stops_nobody_and_the_city_is_told(
    tmp_path: Path, mosquitto: Mosquitto, agent: Identity
) -> None:
    more = '[[cameras]]\ndevice = "cam-1"\nsource = "usb:0"\nscene = "s"\n'
    path = write(tmp_path, agent, mosquitto.port, more)
    made: list[Makes] = []

    def workers(_s: EdgeSettings, _p: Places, sink: Sink, _clock: object) -> list[Worker]:
        made.append(Makes("lz-1", agent, sink))
        return [made[0], Broken()]

    stop = threading.Event()
    arguments = (load_edge_settings(path), path, stop, utc_now, workers)
    thread = threading.Thread(target=run_agent, args=arguments)
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        thread.start()
        until(lambda: len(city.sequences()) >= 20)
        until(lambda: "no such thing" in getattr(said(city, agent), "detail", ""))
        status = said(city, agent)
        assert status is not None
        assert status.state is DeviceState.DEGRADED
        assert "cam-1: RuntimeError: no such thing" in status.detail
        assert status.figures["workers"] == 3
        camera = said(city, agent.sibling("cam-1"))
        assert camera is not None
        assert camera.state is DeviceState.UNKNOWN
        until(lambda: (s := said(city, agent)) and s.clock_offset_s is not None and s.epoch)
        began = time.monotonic()
        stop.set()
        thread.join(5)
        assert time.monotonic() - began < 3
        until(lambda: said(city, agent).state is DeviceState.OFFLINE)  # type: ignore[union-attr]
        told = set(city.sequences())
    with Outbox(tmp_path / "outbox.sqlite", agent, utc_now) as outbox:
        left = outbox.state().backlog
    assert made[0].made <= len(told) + left <= made[0].made + 2, "stored or still at the edge"


@pytest.fixture
def command() -> list[str]:
    return [str(Path(sys.executable).with_name("foodsentry"))]


@pytest.fixture
def running(command: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.slow
def test_the_command_lives_dies_and_comes_back(
    tmp_path: Path,
    mosquitto: Mosquitto,
    agent: Identity,
    command: list[str],
    running: list[subprocess.Popen[bytes]],
) -> None:
    path = write(tmp_path, agent, mosquitto.port)
    with Outbox(tmp_path / "outbox.sqlite", agent, utc_now) as outbox:
        outbox.put([result(1, agent=agent), readings(agent=agent)])
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        for number in range(2):
            process = subprocess.Popen([*command, "edge", "run", str(path)])
            running.append(process)
            until(lambda: getattr(said(city, agent), "state", "") == DeviceState.ONLINE, 30)
            until(lambda: len(city.sequences()) == 2)
            if number == 0:
                os.kill(process.pid, signal.SIGKILL)
                until(lambda: getattr(said(city, agent), "detail", "") == "connection lost", 30)
        city.receipting = True
        until(lambda: getattr(said(city, agent), "backlog", 1) == 0, 30)
        doctor = subprocess.run(
            [*command, "edge", "doctor", "--json", str(path)], capture_output=True, check=False
        )
        told = json.loads(doctor.stdout)
        assert (doctor.returncode, told["findings"]) == (0, [])
        assert (told["agent_runs"], told["broker"], told["backlog"]) == (True, "", 0)
        began = time.monotonic()
        process.terminate()
        assert process.wait(5) == 0
        assert time.monotonic() - began < 3
        assert all(len(payloads) == 1 for payloads in city.events.values())


@pytest.mark.slow
def test_wrong_files_end_the_command_with_what_and_where(
    tmp_path: Path, agent: Identity, command: list[str]
) -> None:
    path = write(tmp_path, agent, 1883, '[outbox]\npath = "/dev/null/o.sqlite"\n')
    ended = subprocess.run([*command, "edge", "run", str(path)], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "outbox /dev/null/o.sqlite cannot be opened" in ended.stderr
    path = write(tmp_path, agent, 1883, "[outbocks]\n")
    ended = subprocess.run([*command, "edge", "check", str(path)], capture_output=True, text=True)
    assert ended.returncode == 2
    assert f"{path}: " in ended.stderr
    assert "outbocks" in ended.stderr
    more = '[[cameras]]\ndevice = "cam-1"\nsource = "usb:0"\nscene = "nowhere"\n'
    path = write(tmp_path, agent, 1883, more)
    ended = subprocess.run([*command, "edge", "check", str(path)], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "cam-1" in ended.stderr
    assert "nowhere.toml" in ended.stderr


def test_the_doctor_says_what_waits_since_when_why_and_what_to_do(
    tmp_path: Path, agent: Identity, capsys: pytest.CaptureFixture[str]
) -> None:
    from foodsentry.cli import main

    path = write(tmp_path, agent, 9)
    hour_ago = utc_now().timestamp() - 3600
    with Outbox(tmp_path / "outbox.sqlite", agent, utc_now) as outbox:
        outbox.put([result(1, agent=agent), readings(agent=agent)])
        outbox._writer.execute("UPDATE events SET put_at = ?", (hour_ago,))
        outbox.quarantine(agent.sibling("lz-1"), b"\x7e\x11", "check 07 is wrong", utc_now())
        outbox.remove([(key_of(1, 2), key_of(1, 2))])
    assert main(["edge", "doctor", str(path)]) == 1
    text = capsys.readouterr().out
    for words in (
        "does not run",
        "cannot reach the broker 127.0.0.1:9",
        "1 events (1 alarm)",
        "number 1 of epoch",
        "1 events are not receipted (since ",
        "safe here",
        "check 07 is wrong",
        "systemctl start",
    ):
        assert words in text, text
