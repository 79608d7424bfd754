"""An operator's morning: twenty samples, ten minutes without network, the agent killed, a disk that
cannot be written, and nothing typed twice."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import agent_by_clock
import pytest
from arrived import samples_in
from fake_city import FakeCity, until
from playwright.sync_api import Page, expect, sync_playwright
from room_parts import AGENT, ask
from servers import Mosquitto, free_port
from wire import Wire

from contracts.clock import utc_now
from contracts.room import BookStall, BookTask, RoomBook
from edge_agent.room.operators import write_operator
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t
from server import assets

AXE = Path(assets.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.real]

PIN = "271828"
PRODUCTS = (
    "韭菜", "菜心", "生菜", "芥蓝", "豆角", "番茄", "黄瓜", "青椒", "茄子", "苦瓜",
    "丝瓜", "冬瓜", "南瓜", "芹菜", "香菜", "茭白", "莲藕", "豆角", "空心菜", "油麦菜",
)  # fmt: skip
VALUES = {"韭菜": 62.35, "芹菜": 55.1}
"""The two positives, in percent; all others pass."""
BOOK = RoomBook(
    revision=3,
    made_at=utc_now(),
    site_name_zh="江会农贸市场快检室",
    stalls=tuple(BookStall(f"A-{n:02d}", f"{n} 号蔬菜", "江门批发") for n in range(1, 6)),
    tasks=(
        BookTask("t1", "蔬菜农残 20 批", "vegetable", (), 20, 0, utc_now() + timedelta(days=3)),
        BookTask("t2", "各类食品 50 批", "", (), 50, 8, utc_now() + timedelta(days=9)),
        BookTask("t3", "水产品 5 批", "fish", (), 5, 0, utc_now() + timedelta(days=9)),
    ),
)


class Room:
    """The agent as a process of its own, its instrument, the broker and the city."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder, self.port = folder, free_port()
        broker = opened.enter_context(Mosquitto(folder / "broker"))
        self.wire = opened.enter_context(Wire(broker.port))
        self.ahead = folder / "ahead"
        self.minutes = 0.0
        self.city = opened.enter_context(
            FakeCity(broker.port, AGENT.region, AGENT.site, self.clock)
        )
        self.reader = opened.enter_context(VirtualLz4000t(folder / "line", clock=self.clock))
        write_operator(folder / "operators.toml", "陈思敏", PIN)
        (folder / "edge.toml").write_text(
            f'[agent]\nregion = "{AGENT.region}"\nsite = "{AGENT.site}"\n'
            f"[mqtt]\nport = {self.wire.port}\n[uplink]\nreconnect_max_s = 1.0\n"
            f'[outbox]\npath = "outbox.sqlite"\n[room]\nport = {self.port}\n'
            'operators_file = "operators.toml"\n[[instruments]]\ndevice = "lz"\n'
            f'profile = "dayuan_lz_4000t"\nport = "{folder}/line"\npoll_every_s = 0.3\n',
            "utf-8",
        )
        self.start()
        opened.callback(lambda: self.end(signal.SIGTERM))

    def start(self) -> None:
        command = [sys.executable, agent_by_clock.__file__, "edge.toml", str(self.ahead)]
        with (self.folder / "agent.log").open("ab") as log:
            self._agent = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, env={**os.environ}
            )
        until(self.answers, 60)

    def answers(self) -> bool:
        """True once the page can be had."""
        assert self._agent.poll() is None, (self.folder / "agent.log").read_text("utf-8")[-2000:]
        try:
            return ask(self.port, "/")[0] == 200
        except OSError:
            return False

    def end(self, how: signal.Signals) -> None:
        self._agent.send_signal(how)
        self._agent.wait(20)

    def clock(self) -> datetime:
        """The time of agent, instrument and city."""
        return agent_by_clock.clock_ahead(self.ahead)

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass without waiting for it."""
        self.minutes += minutes
        fresh = self.ahead.with_suffix(".fresh")
        fresh.write_text(str(self.minutes * 60), "utf-8")
        fresh.replace(self.ahead)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as opened:
        yield Room(tmp_path, opened)


@pytest.fixture
def page(room: Room) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{room.port}",
            viewport={"width": 768, "height": 1024},
            locale="zh-CN",
        )
        made = context.new_page()
        made.set_default_timeout(30_000)
        made.on("pageerror", lambda error: pytest.fail(str(error)))
        yield made
        browser.close()


def enter(page: Page, place: int) -> None:
    """Type one sample and hand it over."""
    if place % 4 == 0:  # another stall: its code is scanned, and the scanner types Enter
        page.fill("#scan", f"A-{place // 4 + 1:02d}")
        page.press("#scan", "Enter")
    page.fill("#product", PRODUCTS[place])
    page.press("#product", "Enter")


def take_number(page: Page) -> str:
    """The number, as it is shown big."""
    expect(page.locator("#label")).to_be_visible()
    number = page.locator("#label-number").inner_text()
    page.locator("#label-close").click()
    return number


def correct_task(page: Page, number: str, task: str) -> None:
    """Another task for a sample that is registered; its label is scanned to open it."""
    page.fill("#scan", number)
    page.press("#scan", "Enter")
    page.locator("#opened").get_by_role("button", name="更正").click()
    page.select_option("#change-task", task)
    page.locator("#change-form").get_by_role("button", name="保存").click()
    expect(page.locator("#change")).to_be_hidden()


def check(page: Page) -> None:
    """Nothing that axe holds against what is shown, at a desk's width and at a phone's."""
    before = page.viewport_size
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(AXE.read_text("utf-8"))
        told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found = [(one["id"], one["nodes"][0]["html"]) for one in told["violations"]]
        assert found == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    page.set_viewport_size(before)


@pytest.mark.timeout(240)
def test_a_morning(room: Room, page: Page) -> None:
    room.city.send_book(AGENT, BOOK)
    page.goto("/")
    expect(page.locator("#signin")).to_be_visible()
    check(page)
    page.get_by_role("button", name="陈思敏").click()
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    expect(page.locator("#site")).to_have_text("江会农贸市场快检室")
    numbers = []
    for place in range(8):
        enter(page, place)
        if place == 0:  # two tasks fit: asked once, before anything is registered
            expect(page.locator("#task-ask button")).to_have_count(3)
            check(page)
            page.get_by_role("button", name="蔬菜农残 20 批").click()
        numbers.append(take_number(page))
    correct_task(page, numbers[7], "t2")
    until(lambda: len(samples_in(room.city)) == 8)
    room.wire.cut()  # the network is gone, for ten minutes
    gone_at = room.clock()
    for place in range(8, 14):
        room.pass_minutes(1.2)
        enter(page, place)
        numbers.append(take_number(page))
    expect(page.locator("#city")).to_contain_text("市平台未连上")
    room.end(signal.SIGKILL)  # and now the agent, while the next is entered
    enter(page, 14)
    expect(page.locator("#local")).to_contain_text("1 份等待提交")
    page.fill("#product", PRODUCTS[15])
    page.fill("#lot", "L-0815")
    room.start()
    numbers.append(take_number(page))
    disk = sqlite3.connect(next(room.folder.rglob("room.sqlite")), isolation_level=None)
    disk.execute("BEGIN IMMEDIATE")  # and a disk that cannot be written
    page.reload()
    expect(page.locator("#product")).to_have_value(PRODUCTS[15])  # the draft outlived it
    expect(page.locator("#operator")).to_have_text("陈思敏")
    page.press("#product", "Enter")
    expect(page.locator("#trouble")).to_contain_text("磁盘写不进去")
    expect(page.locator("#local")).to_contain_text("1 份等待提交")
    check(page)
    disk.close()
    numbers.append(take_number(page))
    expect(page.locator("#trouble")).to_be_hidden()
    for place in range(16, 20):
        room.pass_minutes(1)
        enter(page, place)
        numbers.append(take_number(page))
    assert len(set(numbers)) == 20
    for product in PRODUCTS:
        if product != "豆角":
            room.reader.add_record(product, VALUES.get(product, 12.5))
    room.reader.add_record("豆角", 8.0)  # of two samples, and nobody says which
    page.get_by_role("button", name="今日").click()
    expect(page.locator(".step.rerun")).to_have_count(2)
    expect(page.locator(".step.rerun .hint")).to_have_count(2)
    room.reader.add_record("韭菜", 12.0)  # run again: two reruns, one passes
    room.reader.add_record("芹菜", 58.0)
    expect(page.locator(".step.cleared")).to_have_count(1)
    expect(page.locator(".step.confirmed")).to_have_count(1)
    check(page)
    page.get_by_role("button", name="确认").click()
    expect(page.locator(".question")).to_have_count(1)
    check(page)
    page.locator(".candidate", has_text=numbers[17]).click()
    expect(page.locator(".question")).to_have_count(0)
    assert room.clock() - gone_at > timedelta(minutes=10)
    assert len(samples_in(room.city)) == 8, "nothing came through"
    room.wire.mend()
    expect(page.locator("#city")).to_contain_text("全部已到市里", timeout=60_000)
    told = samples_in(room.city)
    assert [told[number].product for number in numbers] == list(PRODUCTS)
    assert len(told) == 20, "each once, and none that nobody registered"
    times = [told[number].registered_at for number in numbers]
    assert times == sorted(times) and times[-1] - times[7] > timedelta(minutes=10)
    assert {one.operator for one in told.values()} == {"陈思敏"}
    assert told[numbers[15]].lot == "L-0815"
    tasks = ["t2" if product == "豆角" else "t1" for product in PRODUCTS]  # a bean
    tasks[7] = "t2"  # as it was corrected
    assert [told[number].task_id for number in numbers] == tasks
    assert {one.supplier for one in told.values()} == {"江门批发"}
    attached = [one.result_id for sample in told.values() for one in sample.attached]
    assert len(attached) == len(set(attached)) == 21
    assert [one.how.value for one in told[numbers[17]].attached] == ["chosen"]
    assert told[numbers[4]].attached == ()
    assert [one.how.value for one in told[numbers[13]].attached] == ["window", "rerun"]
    page.get_by_role("button", name="登记").first.click()
    page.fill("#scan", numbers[13].replace("-", ""))  # as its label's barcode says it
    page.press("#scan", "Enter")
    expect(page.locator("#opened .card h3")).to_contain_text(numbers[13])
    check(page)
    page.locator("#opened").get_by_role("button", name="出示编号").click()
    with page.expect_popup() as popped:
        page.locator("#label-print").click()
    expect(popped.value.locator(".label .number")).to_have_text(numbers[13])
    check(popped.value)
