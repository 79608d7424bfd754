"""Every page of the table in a real browser: axe, width, large letters, and the keyboard alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import AXE
from console_app import Clock
from console_places import PASSWORD
from console_served import Served, served
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Page as Tab
from waiting import until

from foodsentry.pictures.browser import DESK, FLAGS, PHONE
from foodsentry.pictures.pages import PAGES, Page
from foodsentry.pictures.places import find
from ledger.engine import Engine, reading
from timeseries.port import SeriesStore

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

CHROMIUM = "/usr/bin/chromium"
LOGINS = {"city": "shiju", "town": "tangxia", "operator": "shichang"}
"""The officers of the tests' town in the place of those of the made-up district."""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE_ALL = "axe.run(document, {resultTypes: ['violations']})"
AXE_COLOURS = "axe.run(document, {runOnly: ['color-contrast'], resultTypes: ['violations']})"
LARGER = """() => {
  const texts = [...document.querySelectorAll("body, body *")].filter(one => one.childNodes.length);
  const sizes = texts.map(one => parseFloat(getComputedStyle(one).fontSize));
  texts.forEach((one, n) => one.style.setProperty("font-size", `${sizes[n] * 2}px`, "important"));
}"""
"""Letters twice as large, boxes as they were: what a reader's own setting does."""
CLIPPED = """() => [...document.querySelectorAll("main *")].filter(one => {
  const style = getComputedStyle(one);
  const text = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return text && one.checkVisibility() && ["hidden", "clip"].includes(style.overflowX)
    && style.textOverflow !== "ellipsis" && one.clientWidth > 1
    && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
}).map(one => `${one.tagName} ${one.className}: ${one.textContent.trim().slice(0, 40)}`)"""
TABBABLE = """() => {
  window.stops = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]"
  )].filter(one => one.tabIndex >= 0 && !one.disabled && one.type !== "hidden"
    && one.checkVisibility({visibilityProperty: true}) && !one.closest("[inert]"));
  return [window.stops.length, window.stops.indexOf(document.activeElement)];
}"""
SETTLED = """() => window.htmx === undefined || !document.querySelector(
  ".htmx-request, .htmx-swapping, .htmx-settling, [hx-trigger^=load]:empty")"""
"""What a page fetches as it is loaded is there."""
PARTS = 9
"""So often Tab stops within one input of date and time at most."""
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const lined = node => { const s = getComputedStyle(node);
    return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0; };
  const own = [one, ...one.querySelectorAll("*")];
  let seen = own.some(node => lined(node) || getComputedStyle(node).boxShadow !== "none");
  for (let at = one; at && at.tagName !== "MAIN"; at = at.parentElement) seen ||= lined(at);
  return {place: window.stops.indexOf(one), seen,
    what: one.outerHTML.slice(0, 90), radio: one.type === "radio" ? one.name : ""};
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def town(built_weeks: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """The town with weeks of verdicts and a proposal."""
    folder = tmp_path / "town"
    shutil.copytree(built_weeks[0], folder)
    return folder


@pytest.fixture
def addresses(engine: Engine, case_ids: dict[str, str]) -> list[tuple[Page, str]]:
    """The pages that the tests' town has; of cases one in each of several states."""
    with reading(engine) as conn:
        found = find(conn)
    told = [(page, address) for page in PAGES if (address := page.address(found)) is not None]
    cases = {f"case-{name}": f"/cases/{case_id}" for name, case_id in case_ids.items()}
    cases |= {"cases-all": "/cases?state=all"}
    return [*told, *((Page(name, path, "", ""), path) for name, path in cases.items())]


@pytest.fixture
def console(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Served]:
    with served(engine, series, clock) as running:
        yield running


class Looker:
    """One browser window of a size; signs in as each page's officer once."""

    def __init__(self, browser: Browser, port: int, size: tuple[int, int], locale: str) -> None:
        self._browser, self._port, self._size, self._locale = browser, port, size, locale
        self._tabs: dict[str, Tab] = {}
        self._contexts: list[BrowserContext] = []

    def at(self, page: Page, address: str) -> Tab:
        """The tab, with the page loaded."""
        login = LOGINS.get(page.login, "admin") if page.login else ""
        if login not in self._tabs:
            self._tabs[login] = self._open(login)
        tab = self._tabs[login]
        tab.emulate_media(color_scheme="light")
        tab.goto(address, wait_until="load")
        return tab

    def _open(self, login: str) -> Tab:
        width, height = self._size
        context = self._browser.new_context(
            base_url=f"http://127.0.0.1:{self._port}",
            viewport={"width": width, "height": height},
            locale=self._locale,
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        if login:
            tab.goto("/signin")
            tab.fill("#login", login)
            tab.fill("#password", PASSWORD)
            tab.click("button.primary")
            tab.wait_for_url("**/alerts")
        return tab

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def looker(chromium: Browser, console: Served, request: pytest.FixtureRequest) -> Iterator[Looker]:
    size, locale = request.param
    looking = Looker(chromium, console.port, size, locale)
    yield looking
    looking.close()


def serious(told: dict[str, list[dict[str, object]]]) -> Iterator[str]:
    for one in told["violations"]:
        if one["impact"] in ("serious", "critical"):
            node = one["nodes"][0]  # type: ignore[index]
            yield f"{one['id']} ({one['impact']}) {node['target']} {node['failureSummary'][:300]}"


@pytest.mark.parametrize(
    "looker", [(DESK, "zh-CN"), (PHONE, "zh-CN")], indirect=True, ids=["1440", "390"],
)  # fmt: skip
def test_axe_finds_nothing_serious_and_nothing_overflows(
    looker: Looker, addresses: list[tuple[Page, str]]
) -> None:
    axe = AXE.read_text("utf-8")
    found = []
    for page, address in addresses:
        tab = looker.at(page, address)
        if (over := tab.evaluate(WIDE)) > 0:
            found.append(f"{page.name}: wider than the screen by {over} px")
        tab.evaluate(axe)
        found += [f"{page.name}: {one}" for one in serious(tab.evaluate(AXE_ALL))]
        tab.emulate_media(color_scheme="dark")
        found += [f"{page.name}, dark: {one}" for one in serious(tab.evaluate(AXE_COLOURS))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("looker", [(PHONE, "en-GB")], indirect=True, ids=["390"])
def test_english_fits_too(looker: Looker, addresses: list[tuple[Page, str]]) -> None:
    over = {page.name: looker.at(page, address).evaluate(WIDE) for page, address in addresses}
    assert {name: by for name, by in over.items() if by > 0} == {}


@pytest.mark.parametrize("looker", [(PHONE, "zh-CN")], indirect=True, ids=["390"])
def test_letters_twice_as_large_lose_nothing(
    looker: Looker, addresses: list[tuple[Page, str]]
) -> None:
    found = []
    for page, address in addresses:
        tab = looker.at(page, address)
        tab.evaluate(LARGER)
        if (over := tab.evaluate(WIDE)) > 0:
            found.append(f"{page.name}: wider than the screen by {over} px")
        found += [f"{page.name}: cut off: {one}" for one in tab.evaluate(CLIPPED)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("looker", [(DESK, "zh-CN")], indirect=True, ids=["1440"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    looker: Looker, addresses: list[tuple[Page, str]]
) -> None:
    found = []
    for page, address in addresses:
        tab = looker.at(page, address)
        until(tab, SETTLED)
        count, first = tab.evaluate(TABBABLE)
        order: list[int] = [first] if first >= 0 else []
        unseen: list[str] = []
        radios: set[str] = set()
        for _ in range(count + 20 * PARTS):
            tab.keyboard.press("Tab")
            told = tab.evaluate(FOCUSED)
            if told["place"] < 0 or (len(order) > 1 and told["place"] == order[0]):
                break  # out of the page, or round: there is no trap
            order.append(told["place"])
            radios |= {told["radio"]} - {""}
            unseen += [] if told["seen"] else [told["what"]]
        else:
            found.append(f"{page.name}: Tab never leaves the page")
        skipped = set(range(count)) - set(order)
        others = tab.evaluate(
            "([places, radios]) => places.map(n => window.stops[n])"
            ".filter(one => !(one.type === 'radio' && radios.includes(one.name)))"
            ".map(one => one.outerHTML.slice(0, 90))",
            [sorted(skipped), sorted(radios)],
        )
        found += [f"{page.name}: Tab does not reach {one}" for one in others]
        found += [f"{page.name}: focus cannot be seen on {one}" for one in unseen]
        if order[1:] != sorted(order[1:]):
            found.append(f"{page.name}: Tab goes to and fro: {order}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("looker", [(DESK, "zh-CN")], indirect=True, ids=["1440"])
def test_the_first_tab_skips_to_the_content(
    looker: Looker, addresses: list[tuple[Page, str]]
) -> None:
    page, address = next(one for one in addresses if one[0].name == "establishments")
    tab = looker.at(page, address)
    tab.keyboard.press("Tab")
    expect(tab.locator(".skip")).to_be_focused()
    expect(tab.locator(".skip")).to_be_in_viewport()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('main') !== null")
