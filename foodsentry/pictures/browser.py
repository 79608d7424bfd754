"""Takes pictures of pages in a headless Chromium: widths, colours, languages."""

import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright
from playwright.sync_api import Page as Tab

from foodsentry.pictures.page_list import FOLDER, file_of
from foodsentry.pictures.pages import Page

DESK, PHONE = (1440, 900), (390, 844)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SETTLE_MS, LONGEST_MS = 300, 15_000
SETTLED = """() => ![...document.querySelectorAll(".chart")].some(one => !one.textContent.trim()
  && !one.childElementCount) && ![...document.images].some(one =>
    !one.complete && one.getBoundingClientRect().top < innerHeight)
  && !document.querySelector(".htmx-request, .htmx-settling, [hx-trigger^=load]:empty")"""
"""Charts are drawn, pictures and what a page fetches are there."""
DOCS_WIDTHS = {"desk": 960, "phone": 390}
"""Pixels of the pictures in the docs."""
HEIGHT = "Math.ceil(document.documentElement.scrollHeight)"


class PicturesFailed(RuntimeError):
    """Pictures cannot be taken here; the text says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    name: str
    size: tuple[int, int]
    scheme: str
    locale: str = "zh-CN"
    tallest: int = 16_000
    """Pixels of a page that its picture shows."""


DOCS_LOOKS = (
    Look("desk", DESK, "light", tallest=1500),
    Look("phone", PHONE, "dark", tallest=1200),
)
ALL_LOOKS = tuple(
    Look(f"{width[0]}-{scheme}-{locale[:2]}", width, scheme, locale)
    for width in (DESK, PHONE)
    for scheme in ("light", "dark")
    for locale in ("zh-CN", "en-GB")
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine. Raises PicturesFailed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise PicturesFailed("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def take(
    base_url: str,
    pages: Sequence[tuple[Page, str]],
    looks: Sequence[Look],
    cookies: dict[str, str],
) -> Iterator[tuple[Page, Look, bytes]]:
    """A PNG of every page, given with its address, for every look. Raises PicturesFailed.

    `cookies`: by login, as a `Cookie` header holds them.
    """
    with chromium() as browser:
        for look in looks:
            for login in sorted({page.login for page, _ in pages}):
                context = _context(browser, base_url, look, cookies.get(login, ""))
                tab = context.new_page()
                for page, address in pages:
                    if page.login != login:
                        continue
                    try:
                        yield page, look, _picture(tab, address, look)
                    except Error as error:
                        raise PicturesFailed(f"{address}: {error.message}") from None
                context.close()


def _picture(tab: Tab, address: str, look: Look) -> bytes:
    # The window grows to the page, so that what clings to its foot stands there, and what was
    # scrolled to (a strip's best picture) stays.
    width, least = look.size
    tab.set_viewport_size({"width": width, "height": least})
    tab.goto(address, wait_until="load")
    _settle(tab)
    height = min(max(tab.evaluate(HEIGHT), least), look.tallest)
    if height > least:
        tab.set_viewport_size({"width": width, "height": height})
        _settle(tab)
    return tab.screenshot()


def _settle(tab: Tab) -> None:
    # The page's policy forbids a function that waits there.
    for _ in range(LONGEST_MS // SETTLE_MS):
        tab.wait_for_timeout(SETTLE_MS)
        if tab.evaluate(SETTLED):
            return


def _context(browser: Browser, base_url: str, look: Look, cookie: str) -> BrowserContext:
    width, height = look.size
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        locale=look.locale,
        reduced_motion="reduce",
    )
    for part in filter(None, cookie.split("; ")):
        name, _, value = part.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": base_url}])
    return context


def for_docs(png: bytes, page: Page, look: Look, docs: Path) -> int:
    """Write a picture into the docs, smaller; returns its size in bytes."""
    (docs / FOLDER).mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(png)) as opened:
        whole = opened.convert("RGB")
    width = DOCS_WIDTHS[look.name]
    height = round(whole.height * width / whole.width)
    small = whole.resize((width, height), Image.Resampling.LANCZOS)
    path = docs / file_of(page, look.name)
    small.save(path, "WEBP", quality=38, method=6)
    return path.stat().st_size
