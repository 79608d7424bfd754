"""A look from the officer's phone to the kitchen's camera and back, and one picture of it kept."""

from pathlib import Path

import msgspec
import pytest
from journey_browser import chromium, signed_in
from journey_town import Town, wait_until
from playwright.sync_api import Browser, Page, expect

from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.custody.access_log import read_log
from edge_agent.custody.officer_keys import make_keys
from edge_agent.custody.vault import list_sealed
from foodsentry.demo.town import CANTEEN
from ledger import audit, devices
from ledger.devices import Device, DeviceKind
from ledger.engine import reading, writing

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
LIMIT_MS = 40_000
SITE = Identity(CANTEEN.region, CANTEEN.site, "agent")
LIVE, GONE = SITE.sibling("cam-1"), SITE.sibling("cam-9")
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
EDGE = """
[looks]
lasts_s = 6
[vault]
officers = ["li.pub", "wang.pub"]
[[cameras]]
device = "cam-9"
source = "file:{film}"
scene = "demo_canteen"
honesty = {{ offline_after_s = 3.0 }}
"""


def a_second_camera_without_a_picture(town: Town) -> None:
    """Registered, and never to be proved live; looks are short, originals are sealed."""
    folder = town.layout.folder
    for name in ("li", "wang"):
        make_keys(name, "twelve letters", folder / f"{name}.key", folder / f"{name}.pub")
    settings = town.layout.settings(SITE.site)
    told = settings.read_text("utf-8") + EDGE.format(film=folder / "none.avi")
    settings.write_text(told, "utf-8")
    with writing(town.engine) as conn:
        found = devices.get(conn, LIVE)
        assert found is not None
        more = Device(
            region=GONE.region,
            site=GONE.site,
            device=GONE.device,
            kind=DeviceKind.CAMERA,
            name="库房摄像头",
            registered_at=found.registered_at,
        )
        devices.add(conn, more)


def sees(town: Town) -> bool:
    with reading(town.engine) as conn:
        found = devices.get(conn, LIVE)
    return found is not None and found.state is DeviceState.ONLINE


def ask(page: Page, town: Town, camera: Identity, reason: str) -> None:
    page.goto(f"{town.url}/kitchens/cameras/{camera.site}/{camera.device}")
    page.fill("#reason", reason)
    page.locator("#ask button").click()
    page.wait_for_url("**/kitchens/looks/*")


def test_an_officer_looks_and_keeps_a_picture(town: Town, chromium: Browser) -> None:
    a_second_camera_without_a_picture(town)
    town.start_city()
    town.start(SITE.site)
    page = signed_in(chromium, town, "huicheng", viewport={"width": 390, "height": 844})
    wait_until(lambda: sees(town), 60)

    ask(page, town, LIVE, "复核专间着装")
    picture = page.locator("#look img")
    expect(picture).to_be_visible(timeout=LIMIT_MS)
    first = picture.get_attribute("src")
    page.fill("#keep-reason", "专间地面积水")
    expect(picture).not_to_have_attribute("src", first or "", timeout=LIMIT_MS)
    expect(page.locator("#keep-reason")).to_have_value("专间地面积水")
    page.locator("#keep button").click()
    kept = page.locator("#look .kept li")
    expect(kept).to_contain_text("专间地面积水")
    expect(kept.locator(".chip")).to_have_text("已入库", timeout=LIMIT_MS)
    expect(page.locator("#look [role=status]")).to_contain_text("查看时间已到", timeout=LIMIT_MS)
    expect(page.locator("#look .facts")).to_contain_text("签名有效")
    assert page.evaluate(WIDE) <= 0
    kept.locator("a").click()
    expect(page.locator("main")).to_contain_text("签名有效")
    expect(page.locator("main")).to_contain_text("逐字节相同")
    assert page.evaluate(WIDE) <= 0

    ask(page, town, GONE, "看看库房")
    expect(page.locator("#look [role=status]")).to_contain_text("看不见", timeout=LIMIT_MS)
    expect(page.locator("#look img")).to_have_count(0)

    page.goto(f"{town.url}/kitchens/looks")
    expect(page.locator("main tbody tr")).to_have_count(2)
    state = _state(town)
    log = read_log(state / "looks.jsonl")
    told = [(one.action, one.reason) for one in log]
    assert told == [("look", "复核专间着装"), ("keep", "专间地面积水"), ("look", "看看库房")]
    assert all("林秀英" in one.who[0] for one in log)
    with reading(town.engine) as conn:
        noted = [one for one in audit.entries(conn, 200) if one.subject.startswith("look/")]
    asked = [one for one in reversed(noted) if one.action in ("look_asked", "look_kept")]
    assert [msgspec.json.decode(one.detail)["reason"] for one in asked] == [
        reason for _, reason in told
    ]
    assert len(list_sealed(state / "vault")) >= 1


def _state(town: Town) -> Path:
    (found,) = town.layout.folder.glob(f"{SITE.site}*.state")
    return found
