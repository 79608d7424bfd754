"""Runs the whole demo town: broker, gateway, server, one agent a site, instruments and camera."""

import shutil
import socket
import sys
import time
import webbrowser
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec

from contracts.clock import utc_now
from contracts.topics import Identity
from edge_agent.simulation.film import write_film
from foodsentry.demo.broker import embedded_broker
from foodsentry.demo.console import Console
from foodsentry.demo.files import CONFIGS, Layout, Ports, users, write_settings
from foodsentry.demo.operator import OPERATORS, PIN
from foodsentry.demo.processes import Processes, ProcessFailed
from foodsentry.demo.report import Report, Truth, measure
from foodsentry.demo.seed import PASSWORD, seed
from foodsentry.demo.stage import Stage
from foodsentry.demo.story import Story, history
from foodsentry.demo.town import AGENT, OFFICERS, SITES
from ledger import devices, journal
from ledger.engine import Engine, open_engine, reading
from timeseries.settings import SeriesSettings, open_store

DRAIN_LIMIT_S = 40.0
HEALTH_EVERY_S = 2.0


class DemoFailed(RuntimeError):
    """The demo cannot run; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line asked for."""

    folder: Path
    port: int = 8000
    headless: bool = False
    for_s: float | None = None
    report: Path | None = None


def run_demo(options: DemoOptions, stop: Event) -> int:
    """Run until `stop` (or for a while), then report. Raises DemoFailed."""
    begun = time.monotonic()
    layout = _layout(options)
    words = users()
    write_settings(layout, words)
    _tell("writing the ledger of the demo town / 写入示范镇台账")
    engine = open_engine(layout.ledger_url)
    seed(engine, CONFIGS / "regions" / "jiangmen.toml", utc_now())
    _tell("making the canteen camera's film / 生成食堂摄像头视频")
    write_film(layout.film)
    with ExitStack() as opened:
        opened.callback(engine.dispose)
        _tell("starting broker, gateway and server / 启动消息代理、网关、服务")
        opened.enter_context(embedded_broker(layout.folder, layout.ports.mqtt, words))
        processes = opened.enter_context(Processes(layout.folder))
        processes.start("gateway", "gateway", "run", str(layout.settings("gateway")))
        processes.start("server", "server", "run", str(layout.settings("server")))
        stage = opened.enter_context(Stage(layout))
        history(stage, utc_now())
        processes.wait_for(f"http://127.0.0.1:{layout.ports.gateway}/healthz", 30)
        processes.wait_for(f"http://127.0.0.1:{layout.ports.server}/healthz", 30)
        console = Console(layout.ports.server, OFFICERS[0].login, PASSWORD, utc_now)
        with reading(engine) as conn:
            console.start(journal.last_id(conn))
        opened.callback(console.stop)
        _tell("starting one agent a site / 启动各点位边缘代理")
        for site in SITES:
            processes.start(site.site, "edge", "run", str(layout.settings(site.site)))
        _wait_until_heard(engine, processes)
        story = Story(stage)
        story.start()
        _welcome(layout, options, time.monotonic() - begun)
        _run_for(options.for_s, stop, processes)
        story.stop()
        report = _finish(engine, layout, processes, stage, console, begun)
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    if options.report:
        options.report.write_bytes(text + b"\n")
    _tell(f"report / 报告: {text.decode()}")
    return 0 if report.lost == 0 and report.duplicated == 0 else 1


def _layout(options: DemoOptions) -> Layout:
    folder = options.folder.resolve()
    marker = folder / "this-is-a-demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise DemoFailed(f"{folder} is not empty and not a demo's folder; choose another --folder")
    port = options.port or free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoFailed(f"port {port} is taken; choose another with --port") from None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    marker.touch()
    return Layout(folder, Ports(free_port(), free_port(), port, free_port()))


def free_port() -> int:
    """A loopback TCP port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_heard(engine: Engine, processes: Processes, limit_s: float = 30.0) -> None:
    """Until every agent's state has reached the ledger."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        processes.check()
        with reading(engine) as conn:
            known = devices.registry(conn)
        if all(known[who].status_received_at for who in _agents()):
            return
        time.sleep(0.2)
    raise ProcessFailed(f"an agent was not heard of within {limit_s:.0f} s; see its log")


def _agents() -> list[Identity]:
    return [Identity(site.region, site.site, AGENT.device) for site in SITES]


def _run_for(for_s: float | None, stop: Event, processes: Processes) -> None:
    until = None if for_s is None else time.monotonic() + for_s
    while not stop.wait(0.5):
        processes.check()
        if until is not None and time.monotonic() >= until:
            return


def _finish(
    engine: Engine,
    layout: Layout,
    processes: Processes,
    stage: Stage,
    console: Console,
    begun: float,
) -> Report:
    """Let everything arrive, then measure."""
    _tell("letting everything arrive / 等待全部数据到达")
    time.sleep(2.5)  # the slowest instrument's poll, then some
    stage.silence()
    agents = _agents()
    quiet_from = utc_now()
    until = time.monotonic() + DRAIN_LIMIT_S
    numbered: dict[Identity, int] = {}
    # The canteen's camera goes on seeing: what it numbers after this look is not waited for.
    while len(numbered) < len(agents) and time.monotonic() < until:
        with reading(engine) as conn:
            known = devices.registry(conn)
        for who in agents:
            row = known[who]
            heard = row.status_received_at
            if heard and heard > quiet_from and not row.backlog and row.lowest_unreceipted:
                numbered[who] = row.lowest_unreceipted - 1
        time.sleep(0.3)
    if len(numbered) < len(agents):
        missing = ", ".join(who.source for who in agents if who not in numbered)
        raise DemoFailed(f"still not everything has been receipted: {missing}")
    processes.stop(*(site.site for site in SITES))
    store = open_store(
        SeriesSettings(api="sqlite", path=str(layout.folder / "series.sqlite")), layout.folder
    )
    try:
        truth = Truth(stage.records(), stage.cold_store.answered, numbered)
        return measure(engine, store, truth, console.first_shown_at, time.monotonic() - begun)
    finally:
        store.close()


def _tell(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def _welcome(layout: Layout, options: DemoOptions, seconds: float) -> None:
    url = f"http://127.0.0.1:{layout.ports.server}"
    logins = ", ".join(f"{one.login}（{one.name}）" for one in OFFICERS)
    _tell(f"ready after {seconds:.1f} s / 就绪")
    _tell(f"console / 控制台: {url}")
    _tell(f"sign in as / 账号: {logins}; password / 密码: {PASSWORD}")
    room = f"http://127.0.0.1:{layout.ports.room}"
    _tell(f"testing room / 快检室: {room}（{'、'.join(OPERATORS)}; PIN {PIN}）")
    _tell(f"logs and settings / 日志与配置: {layout.folder}")
    if not options.headless:
        _tell("Ctrl+C ends the demo / 按 Ctrl+C 结束")
        webbrowser.open(url)
