"""The console as an app: it can be installed, and says so when there is no server."""

import re
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_app import Clock, TestClient
from console_places import PASSWORD
from console_served import served
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from waiting import until

from ledger.engine import Engine
from server.assets import icons
from server.pages import load_assets
from timeseries.port import SeriesStore

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


KEPT = """async () => {
  const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const asked = await Promise.all(caches_.map((one) => one.keys()));
  return asked.flat().map((one) => new URL(one.url).pathname);
}"""
"""Everything that the worker keeps."""


def pixels(content: bytes) -> tuple[int, list[bytes]]:
    """Side of a PNG that has no filters, and its rows of RGBA."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, *rest = struct.unpack(">IIBBBBB", content[16:29])
    assert width == height and rest == [8, 6, 0, 0, 0]
    length = struct.unpack(">I", content[33:37])[0]
    assert content[37:41] == b"IDAT"
    rows = zlib.decompress(content[41 : 41 + length])
    stride = width * 4 + 1
    return width, [rows[at + 1 : at + stride] for at in range(0, len(rows), stride)]


def at(rows: list[bytes], x: int, y: int) -> tuple[int, ...]:
    return tuple(rows[y][x * 4 : x * 4 + 4])


def test_the_icons_are_the_seal() -> None:
    seal = icons.read_seal()
    assert len(seal.strokes) == 11 and seal.ground == (0xB8, 0x26, 0x1A)
    small = icons.Icon("x.png", 36, "any")
    side, rows = pixels(icons.draw(small, seal))
    assert side == 36
    assert at(rows, 0, 0)[3] == 0, "clear corners"
    assert at(rows, 18, 2) == (0xB8, 0x26, 0x1A, 255)
    assert at(rows, 18, 7) == (255, 255, 255, 255), "the mark's first stroke"
    _, rows = pixels(icons.draw(icons.Icon("x.png", 90, "maskable"), seal))
    assert {at(rows, x, y)[3] for x in (0, 89) for y in (0, 89)} == {255}, "the whole square"
    marked = [
        (x, y) for y in range(90) for x in range(90) if at(rows, x, y) == (255, 255, 255, 255)
    ]
    assert marked and all((x - 45) ** 2 + (y - 45) ** 2 < 36**2 for x, y in marked), "safe circle"
    _, rows = pixels(icons.draw(icons.Icon("x.png", 48, "badge"), seal))
    assert {at(rows, x, y)[:3] for x in range(48) for y in range(48)} == {(255, 255, 255)}


def test_a_seal_that_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seal.svg"
    text = icons.SEAL.read_text("utf-8")
    path.write_text(text.replace("M11 7.5h14", "M11 7.5c14 1 1 1 1 1"), "utf-8")
    with pytest.raises(ValueError, match="c is not drawn"):
        icons.read_seal(path)


@pytest.mark.slow
def test_the_manifest_names_what_is_there_in_the_readers_language(stranger: TestClient) -> None:
    told = stranger.get("/manifest.webmanifest")
    assert told.headers["content-type"].startswith("application/manifest+json")
    facts = told.json()
    assert facts["name"] == "邑食无忧" and facts["start_url"] == "/alerts"
    english = stranger.get("/manifest.webmanifest", headers={"accept-language": "en"}).json()
    assert english["lang"] == "en" and english["id"] == facts["id"], "the same app"
    for icon in facts["icons"]:
        content = stranger.get(icon["src"]).content
        assert f"{pixels(content)[0]}x{pixels(content)[0]}" == icon["sizes"]


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[[int], BrowserContext]]:
    """A browser that remembers, as an installed app does."""
    with sync_playwright() as playwright:
        opened: list[BrowserContext] = []

        def start(port: int) -> BrowserContext:
            context = playwright.chromium.launch_persistent_context(
                tmp_path / "profile",
                executable_path=shutil.which("chromium"),
                args=FLAGS,
                base_url=f"http://127.0.0.1:{port}",
                viewport={"width": 390, "height": 844},
                locale="zh-CN",
            )
            opened.append(context)
            return context

        yield start
        for context in opened:
            context.close()


def enter(page: Page) -> None:
    page.goto("/signin")
    page.fill("#login", "baisha")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/alerts")
    page.evaluate("navigator.serviceWorker.ready")
    until(page, "navigator.serviceWorker.controller !== null")


@pytest.mark.slow
@pytest.mark.browser
def test_it_installs_and_without_a_server_says_since_when(
    engine: Engine,
    series: SeriesStore,
    clock: Clock,
    phone: Callable[[int], BrowserContext],
    alert_ids: dict[str, str],
) -> None:
    with served(engine, series, clock) as console:
        port = console.port
        page = phone(port).pages[0]
        enter(page)
        link = page.context.new_cdp_session(page)
        told = link.send("Page.getAppManifest")
        assert told["errors"] == [] and told["url"].endswith("/manifest.webmanifest")
        assert link.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        page.goto(f"/alerts/{alert_ids['positive']}")
        kept = page.evaluate(KEPT)
        assets = load_assets()
        assert set(kept) == {"/offline", "/contact", assets["app.css"], assets["offline.js"]}
    for path in ("/alerts", f"/alerts/{alert_ids['positive']}"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("没有连接")
        expect(page.locator(".since.known")).to_contain_text(
            re.compile(r"自 \d\d/\d\d \d\d:\d\d:\d\d 起")
        )
        expect(page.locator(".since.unknown")).to_be_hidden()
        assert page.locator(".alert").count() == 0 and "白沙" not in page.content()
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.offline')).display") == "grid"
        )
    with served(engine, series, clock, port=port):
        # It looks for itself, and goes back to what was asked for.
        expect(page.locator("#state")).to_be_visible(timeout=20_000)


@pytest.mark.slow
def test_a_new_build_is_a_new_worker_and_the_same_build_the_same(
    stranger: TestClient, app: object, tmp_path: Path
) -> None:
    first = stranger.get("/worker.js")
    if first.status_code == 404:
        pytest.skip("the assets were not built")
    assert first.text == stranger.get("/push-worker.js").text, "under its old name, too"
    assert first.headers["cache-control"] == "no-cache"
    state = app.state.console  # type: ignore[attr-defined]
    state.assets["app.css"] = "/static/vendor/app.other.css"
    other = stranger.get("/worker.js").text
    version = r'"version":"([0-9a-f]{16})"'
    assert re.findall(version, first.text) != re.findall(version, other)
