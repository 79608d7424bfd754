"""From a serial byte and a camera frame to two supervisors' screens, live, and back."""

import pytest
from journey_browser import chromium, signed_in
from journey_town import Town, wait_until
from playwright.sync_api import Browser, expect

from foodsentry.demo.town import CANTEEN, MARKET

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
LIMIT_MS = 40_000


def test_one_fact_travels_the_whole_road(town: Town, chromium: Browser) -> None:
    town.start_city()
    city = signed_in(chromium, town, "city")
    county = signed_in(chromium, town, "pengjiang")
    neighbour = signed_in(chromium, town, "xinhui")
    town.start(MARKET.site)
    town.stage.market.add_record("韭菜", 62.35)

    for page in (city, county):
        expect(page.get_by_text("农药残留快检阳性：韭菜")).to_be_visible(timeout=LIMIT_MS)
    (alert,) = town.raised()
    line = f"#alert-{alert.alert_id}"
    county.locator(f"{line} button").first.click()
    expect(city.locator(line)).to_contain_text("李国华", timeout=LIMIT_MS)
    assert neighbour.get_by_text("韭菜").count() == 0, "no sideways sight"

    answer = neighbour.goto(f"{town.url}/alerts/{alert.alert_id}")
    assert answer is not None
    assert answer.status == 404
    county.goto(f"{town.url}/alerts/{alert.alert_id}")
    expect(county.locator("body")).to_contain_text("62.35")
    expect(county.locator("body")).to_contain_text("7e 11", ignore_case=True)


def test_a_cook_without_hat_becomes_an_alert_with_a_picture(town: Town, chromium: Browser) -> None:
    town.start_city()
    page = signed_in(chromium, town, "xinhui")
    town.start(CANTEEN.site)
    expect(page.get_by_text("未戴厨师帽").first).to_be_visible(timeout=60_000)
    wait_until(lambda: any(alert.evidence for alert in town.raised() if alert.rule == "no_hat"))
    alert = next(alert for alert in town.raised() if alert.rule == "no_hat" and alert.evidence)
    page.goto(f"{town.url}/alerts/{alert.alert_id}")
    picture = page.locator("img").first
    expect(picture).to_be_visible()
    wait_until(lambda: picture.evaluate("image => image.naturalWidth") > 100)
    expect(page.locator("#seen .proof")).to_contain_text("签名有效")
    expect(page.locator("#seen figure.after img")).to_be_visible(timeout=60_000)
