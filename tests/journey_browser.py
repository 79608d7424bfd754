"""A browser for journeys, and a desk of its own for each officer who signs in there."""

from collections.abc import Iterator
from typing import Any

import pytest
from journey_town import Town
from playwright.sync_api import Browser, Page, sync_playwright

from foodsentry.demo.seed import PASSWORD
from server.pages import load_assets

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    assert load_assets(), "the console's scripts are not built, and nothing is live: `make assets`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*QUIET])
        yield browser
        browser.close()


def signed_in(browser: Browser, town: Town, login: str, **options: Any) -> Page:
    """A desk of its own: another browser context, another person."""
    page = browser.new_context(locale="zh-CN", **options).new_page()
    page.goto(f"{town.url}/signin")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form button").click()
    page.wait_for_url(f"{town.url}/alerts")
    return page
