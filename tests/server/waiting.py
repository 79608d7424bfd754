"""Waiting for what a script says on a page whose content policy forbids evaluating text there."""

import time

from playwright.sync_api import Page


def until(page: Page, expression: str, limit_s: float = 20.0) -> None:
    """Ask again and again until the expression holds; Playwright's own wait evaluates in the page,
    which the policy refuses unless it holds at once."""
    end = time.monotonic() + limit_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(50)
