"""A journey in headless Chromium: a county's planner goes from a number to its records and back."""

import re

import pytest
from playwright.sync_api import expect
from test_browser import Visit, chromium, console, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["chromium", "console", "visit"]


def test_a_planner_goes_from_a_number_to_its_records_and_back(visit: Visit) -> None:
    planner = visit("pengjiang")
    planner.get_by_role("link", name="指标").first.click()
    expect(planner.get_by_role("heading", name="指标 · 蓬江区")).to_be_visible()
    # Down to a town, and up again by the way above.
    planner.get_by_role("navigation", name="下级区划").get_by_role("link").first.click()
    expect(planner).to_have_url(re.compile(r"region=440703-[a-z]+&period=2026-03"))
    planner.get_by_role("navigation", name="所在区划").get_by_role("link", name="蓬江区").click()
    # The period is picked, and stays from page to page.
    planner.select_option("[name=period]", "2026-Q1")
    planner.get_by_role("button", name="查看").click()
    row = planner.locator("[data-indicator=quick_test_pass]")
    passed, whole, missed = row.locator("td a[href*=records]").all_inner_texts()
    assert int(whole) - int(passed) == int(re.findall(r"\d+", missed)[0]) > 0
    row.locator("td a[href*='show=missed']").click()
    expect(planner.locator("[data-total]")).to_have_attribute("data-total", missed.split(" ")[0])
    assert planner.locator("tbody tr").count() == int(missed.split(" ")[0])
    expect(planner.get_by_role("link", name="未计入")).to_have_attribute("aria-current", "true")
    listed = planner.url
    assert "period=2026-Q1" in listed and "region=440703" in listed and "show=missed" in listed
    planner.locator("tbody td.lead a").first.click()
    expect(planner).to_have_url(re.compile(r"/results/"))
    planner.go_back()
    expect(planner).to_have_url(listed)
    planner.get_by_role("link", name="返回指标").click()
    expect(planner.get_by_role("heading", name="排名")).to_be_visible()
    own = planner.locator("tr.indicator-own")
    expect(own.locator("td a[href*=records]").nth(1)).to_have_text(whole)
    expect(planner.locator("[data-chart][data-drawn]")).to_be_visible()
    # What lies beside is not there.
    assert planner.request.get("/indicators?region=440705").status == 404
