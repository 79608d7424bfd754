"""The preview page in headless Chromium: desk and phone, both languages, dragging a zone."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from edge_agent.cameras.rule.scene import read_scene
from edge_agent.preview.settings import PreviewSettings

sys.path.insert(0, str(Path(__file__).parent))

from camera_parts import SCENE, kitchen
from preview_site import BARE, PASSWORD, Site, running

from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.rule.looking import Models

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESK, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(scene_file: Path, models: Models) -> Iterator[Site]:
    for one in running(Site(scene_file, models, PreviewSettings(port=0, most_viewers=9))):
        for number in range(4):
            one.show(kitchen([BARE, (2, 0, True, True), (3, 0, False, False)], seed=number))
        one.show(kitchen([BARE], light=0.03), Sight.DARK, "cam-2")
        yield one


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a browser of its own; complains of any error in its console."""
    troubles: list[str] = []
    opened = []

    def open_one(site: Site, size: tuple[int, int] = DESK, locale: str = "zh-CN") -> Page:
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{site.preview.port}",
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda told: troubles.append(told.text) if told.type == "error" else None
        )
        return page

    yield open_one
    for context in opened:
        context.close()
    # The page goes on asking while the test's server ends.
    assert [one for one in troubles if "401" not in one and "ERR_CONN" not in one] == []


@pytest.mark.parametrize(("size", "locale"), [(DESK, "zh-CN"), (PHONE, "zh-CN"), (DESK, "en-GB")])
def test_a_technician_sees_what_is_decided_and_why(
    visit: Visit, site: Site, size: tuple[int, int], locale: str
) -> None:
    page = visit(site, size, locale)
    page.goto("/")
    expect(page.locator("#why li")).to_have_count(3, timeout=30_000)
    expect(page.locator("#overlay .head")).to_have_count(3)
    expect(page.locator("#overlay .zone-name").first).to_have_text("专间")
    if locale == "zh-CN":
        expect(page.locator("#note")).to_have_text("头部已遮盖")
        expect(page.locator("#state dd").first).to_have_text("画面正常")
    else:
        expect(page.locator("#note")).to_have_text("Heads are hidden")
        expect(page.locator("#state dd").first).to_have_text("live")
        expect(page.locator("h1")).to_have_text("Camera preview")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    page.get_by_role("button", name="cam-2").click()
    expect(page.locator("#state dd.bad")).to_be_visible()
    expect(page.locator("#overlay .head")).to_have_count(0)


def test_a_zone_is_dragged_and_saved(visit: Visit, site: Site, scene_file: Path) -> None:
    page = visit(site)
    page.goto("/")
    page.locator("#edit").click()
    grip = page.locator("#overlay .grip:not(.middle)").nth(2)
    expect(grip).to_be_visible()
    place = grip.bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 4  # half is outside
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y - 60, steps=4)
    page.mouse.up()
    before = [point for zone in read_scene(scene_file).zones for point in zone.polygon]
    page.locator("#save").click()
    expect(page.locator("#said")).to_contain_text(".bak")
    after = [point for zone in read_scene(scene_file).zones for point in zone.polygon]
    ((old, new),) = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert new[0] < old[0]
    assert new[1] < old[1]
    expect(page.locator("#edit")).to_be_visible()


def test_a_corner_is_added_by_dragging_and_removed_by_a_double_click(
    visit: Visit, site: Site, scene_file: Path
) -> None:
    page = visit(site)
    page.goto("/")
    page.locator("#edit").click()
    corners, middles = page.locator("#overlay .grip:not(.middle)"), page.locator(".grip.middle")
    expect(corners).to_have_count(12)
    place = middles.nth(1).bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 10, steps=4)
    page.mouse.up()
    expect(corners).to_have_count(13)
    page.wait_for_timeout(800)  # the page has asked for news meanwhile
    page.mouse.dblclick(x - 60, y + 10, delay=60)
    expect(corners).to_have_count(12)
    page.locator("#cancel").click()
    expect(page.locator("#edit")).to_be_visible()
    assert scene_file.read_text("utf-8") == SCENE


def test_signing_in(visit: Visit, scene_file: Path, models: Models) -> None:
    settings = PreviewSettings(port=0, password_file="x", faces=True)
    for site in running(Site(scene_file, models, settings)):
        site.show(kitchen([BARE], seed=1))
        page = visit(site, PHONE)
        page.goto("/")
        page.fill("#password", "not this one")
        page.keyboard.press("Enter")
        expect(page.locator("#wrong")).to_be_visible()
        page.wait_for_timeout(2100)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#faces-label")).to_be_visible()
        page.locator("#faces").check()
        expect(page.locator("#note")).to_contain_text("面部可见")
        page.locator("#signout").click()
        expect(page.locator("#password")).to_be_visible()
