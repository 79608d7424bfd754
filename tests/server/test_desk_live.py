"""The live list without gaps: broken lines, two servers, gaps longer than what is kept."""

import http.client
import random
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from console_app import NOW, Clock
from console_facts import simple_alert
from console_places import CANTEEN, MARKET, PASSWORD
from console_served import LiveStream, Served, served
from playwright.sync_api import Browser, expect
from test_browser import chromium

from contracts.words import Severity
from ledger import alerts
from ledger.engine import Engine, open_engine, writing
from server.settings import LiveSettings
from timeseries.port import SeriesStore

__all__ = ["chromium"]
pytestmark = pytest.mark.slow

FEW = LiveSettings(poll_s=0.02, heartbeat_s=0.3, backlog=40, queue=16)
LINE = re.compile(
    r'<article class="alert" id="alert-([0-9a-f]+)" data-line="([^"]+)".*?</article>', re.S
)
SAYS = re.compile(r'data-state="(\w+)"|同类 (\d+) 条')


def said(html: str) -> tuple[str, ...]:
    """What a line says that changes: whose it is, its state, how many it stands for."""
    head = re.search(r'id="alert-([0-9a-f]+)"', html)
    assert head is not None
    return (head[1], *(one[0] or one[1] for one in SAYS.findall(html)))


class Console:
    """A desk as the browser's script keeps it: the page's lines, then what events do to them."""

    def __init__(self, console: Served, query: str) -> None:
        self.query = query
        self.lines: dict[str, tuple[str, ...]] = {}
        self.reloads = -1
        self.load(console)

    def load(self, console: Served) -> None:
        link = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)
        head = {"cookie": f"fs_session={console.tokens['shiju']}", "accept-language": "zh-CN"}
        self.lines, before = {}, ""
        while True:
            link.request("GET", f"/alerts{self.query}{before}", headers=head)
            page = link.getresponse().read().decode()
            if not before:
                after = re.search(r'data-after="(\d+)"', page)
                assert after is not None
                self.last = int(after[1])
            self.lines |= {found[2]: said(found[0]) for found in LINE.finditer(page)}
            more = re.search(r"before=([0-9a-f]+)", page)
            if not more:
                break
            before = f"{'&' if self.query else '?'}before={more[1]}"
        link.close()
        self.reloads += 1

    def follow(self, console: Served, events: int) -> None:
        """Take some events of a stream, then cut the line without a word."""
        path = f"/alerts/live{self.query or '?'}{'&' if self.query else ''}after={self.last}"
        stream = LiveStream(console.port, path, console.tokens["shiju"], self.last)
        for _ in range(events):
            name, told = stream.next("alert", "tick", "reload", "reconnect")
            if name == "reload":
                self.load(console)
                break
            if name == "reconnect":
                break
            if name == "alert" and told["html"]:
                self.lines[told["line"]] = said(told["html"])
            elif name == "alert":
                self.lines.pop(told["line"], None)
            self.last = stream.last if stream.last is not None else self.last
        stream.connection.sock.close() if stream.connection.sock else None
        stream.close()


@pytest.fixture
def two(
    engine: Engine, series: SeriesStore, clock: Clock, town: Path
) -> Iterator[tuple[Served, Served]]:
    """Two servers that have nothing in common but the ledger."""
    other = open_engine(f"sqlite:///{town / 'ledger.sqlite'}")
    with (
        served(engine, series, clock, live=FEW) as one,
        served(other, series, clock, live=FEW) as two,
    ):
        yield one, two
    other.dispose()


@pytest.mark.parametrize("query", ["", "?kind=canteen&state=firing"])
def test_a_desk_that_comes_and_goes_between_two_servers_ends_with_what_is_so(
    two: tuple[Served, Served], engine: Engine, query: str
) -> None:
    dice = random.Random(5)
    stop, made = threading.Event(), []

    def storm() -> None:
        n = 0
        while not stop.is_set() and n < 400:
            n += 1
            who = (MARKET, CANTEEN)[n % 2]
            severity = Severity(1 + n % 3)
            new = simple_alert(
                f"storm-{n % 5}|{n}", who, severity, NOW + timedelta(seconds=n), f"第 {n}", "x", "y"
            )
            with writing(engine) as conn:
                made.append(alerts.raise_alert(conn, new)[0])
                if n % 3 == 0:
                    alerts.acknowledge(conn, dice.choice(made), "officer-shiju", NOW)
            stop.wait(0.01)

    desk = Console(two[0], query)
    writer = threading.Thread(target=storm)
    writer.start()
    try:
        for turn in range(11):
            desk.follow(two[turn % 2], 1 + turn % 4)
            # Now and then it is away for longer than what a stream tells after a break.
            stop.wait(0.9 if turn % 5 == 4 else 0.02)
    finally:
        stop.set()
        writer.join()
    desk.follow(two[0], 60)
    while True:
        before = dict(desk.lines)
        desk.follow(two[1], 3)
        if desk.lines == before:
            break
    fresh = Console(two[1], query)
    assert desk.lines == fresh.lines
    assert len(made) > 60 and desk.reloads > 0, "there was a gap that was too long"


@pytest.mark.browser
def test_a_page_whose_server_was_gone_for_too_long_loads_itself_anew(
    chromium: Browser, engine: Engine, series: SeriesStore, clock: Clock
) -> None:
    page = chromium.new_context(locale="zh-CN", service_workers="block").new_page()
    with served(engine, series, clock, live=FEW) as console:
        port = console.port
        page.goto(f"http://127.0.0.1:{port}/signin")
        page.fill("#login", "baisha")
        page.fill("#password", PASSWORD)
        page.click("button.primary")
        expect(page.locator(".live")).to_have_attribute("data-state", "open")
        page.evaluate("window.untouched = true")
    expect(page.locator(".live")).to_have_attribute("data-state", "lost")
    made = []
    for n in range(60):
        at = NOW + timedelta(seconds=n)
        new = simple_alert(f"gone|{n}", MARKET, Severity.AT_ONCE, at, f"断网 {n}", "x", "y")
        with writing(engine) as conn:
            made.append(alerts.raise_alert(conn, new)[0])
    with served(engine, series, clock, port=port, live=FEW):
        expect(page.locator(f"#alert-{made[-1]}")).to_be_visible(timeout=30_000)
        expect(page.locator('.tally [data-count="class1"]')).to_have_text(str(60 + 1))
        assert page.evaluate("window.untouched ?? null") is None, "by loading anew"
        page.context.close()
