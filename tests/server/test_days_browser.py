"""Journeys in headless Chromium: a day of a grid officer, of a county's supervisor, of the city."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import test_case_journey
from case_steps import HOUR, of_alert, step
from console_app import NOW
from console_facts import simple_alert
from console_places import PASSWORD
from console_served import Served
from playwright.sync_api import Browser, CDPSession, Page, expect
from sqlalchemy import update
from test_browser import PHONE, Visit, chromium, console, visit
from upload_files import photo

from contracts.topics import Identity
from contracts.words import Severity
from ledger import alerts, cards, duties, proposals, regions, schema, silences, sites
from ledger.engine import Engine, reading, writing
from ledger.proposals import ProposalState
from ledger.sites import Site, SiteKind

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["chromium", "console", "visit"]
FRIDGE = Identity("440703-baisha-01", "flg-kitchen", "cold-9")
TITLE = "冷库温度超限：冷藏柜"
SHOT = {"name": "冷藏柜.jpg", "mimeType": "image/jpeg", "buffer": photo()}


@pytest.fixture
def town(built_weeks: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """The town with weeks of verdicts and a proposal."""
    folder = tmp_path / "town"
    shutil.copytree(built_weeks[0], folder)
    return folder


@pytest.fixture
def fridge(engine: Engine) -> str:
    """An alert of a refrigerator in the grid officer's cell."""
    told = simple_alert(
        "cold_store_warm|grid", FRIDGE, Severity.DEADLINE, NOW - timedelta(minutes=3),
        TITLE, "Cold store too warm", "冷藏柜 11.2 °C。", value=11.2, unit="°C", limit="< 8 °C",
    )  # fmt: skip
    kitchen = Site(FRIDGE.site, FRIDGE.region, "范罗冈小学后厨", SiteKind.CANTEEN, "baisha-primary")
    with writing(engine) as conn:
        sites.add(conn, kitchen)
        return alerts.raise_alert(conn, told)[0]


SHOWN = """async () => {
  const worker = await navigator.serviceWorker.ready;
  for (let n = 0; n < 40; n++) {
    const told = await worker.getNotifications();
    if (told.length) return told.map(one => ({title: one.title, url: one.data.url}));
    await new Promise(done => setTimeout(done, 50));
  }
  return [];
}"""
"""What the phone shows within two seconds."""


def buzz(page: Page, origin: str, said: dict[str, str]) -> list[dict[str, str]]:
    """Deliver a push to the page's service worker; returns what the phone shows."""
    link: CDPSession = page.context.new_cdp_session(page)
    known: list[str] = []
    link.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: known.extend(one["registrationId"] for one in told["registrations"]),
    )
    link.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    pushed = {"origin": origin, "registrationId": known[0], "data": json.dumps(said)}
    for _ in range(10):  # what comes while the worker only begins is lost
        link.send("ServiceWorker.deliverPushMessage", pushed)
        if shown := page.evaluate(SHOWN):
            return list(shown)
    return []


def test_a_grid_officers_day_on_the_phone(
    visit: Visit, chromium: Browser, console: Served, fridge: str
) -> None:
    origin = f"http://127.0.0.1:{console.port}"
    context = chromium.new_context(
        base_url=origin,
        viewport={"width": PHONE[0], "height": PHONE[1]},
        locale="zh-CN",
        permissions=["notifications"],
    )
    phone = context.new_page()
    phone.goto("/signin")
    phone.fill("#login", "wangge")
    phone.fill("#password", PASSWORD)
    phone.click("button.primary")
    phone.wait_for_url("**/alerts")
    shown = buzz(phone, origin, {"title": TITLE, "body": "范罗冈", "url": f"/alerts/{fridge}"})
    assert [one["title"] for one in shown] == [TITLE]
    phone.goto(shown[0]["url"])
    expect(phone.get_by_role("heading", level=1)).to_have_text(TITLE)
    phone.locator("form.take button").click()
    expect(phone.locator("#state")).to_contain_text("何敏仪 于")
    # What is done about it is the town's to say; the grid officer tells what they found.
    expect(phone.get_by_role("button", name="报送处置")).to_have_count(0)
    phone.fill("#answer textarea", "已到现场，食品已转移。")
    phone.get_by_role("button", name="已知悉，发送").click()
    expect(phone.locator(".timeline")).to_contain_text("食品已转移")
    context.close()

    town = visit("baisha", PHONE)
    town.goto("/alerts?state=acknowledged")
    town.locator(f"#alert-{fridge} .title a").first.click()
    expect(town.locator(".timeline")).to_contain_text("食品已转移")
    town.get_by_role("button", name="立为处置单").click()
    expect(town).to_have_url(re.compile(r"/cases/[0-9a-f]{16}$"))
    told = {"note": "更换温控器", "file": SHOT, "second": "officer-pengjiang"}
    test_case_journey.step(town, "add_evidence", **told)
    expect(town.locator(".ask img")).to_be_visible()
    town.goto(f"/alerts/{fridge}")
    town.fill("#note", "食品已转移，温控器已更换。")
    town.get_by_role("button", name="报送处置").click()
    expect(town.locator("#state .aside")).to_contain_text("已处置待复核")


def test_a_county_supervisors_day(visit: Visit, engine: Engine, alert_ids: dict[str, str]) -> None:
    late = NOW - timedelta(hours=1)
    with writing(engine) as conn:
        overdue = {"due_at": late, "due_kind": "acknowledge", "overdue_since": late}
        found = update(schema.alerts).where(schema.alerts.c.alert_id == alert_ids["positive"])
        conn.execute(found.values(**overdue))
        row = of_alert(conn, alert_ids["cold"], "officer-tangxia", NOW - HOUR / 2)
        step(conn, row, "verify", "officer-tangxia", NOW - HOUR / 3, note="属实。",
             second="officer-pengjiang")  # fmt: skip
    page = visit("pengjiang")
    page.get_by_role("link", name="已超期").click()
    expect(page.locator(".alerts > .alert")).to_have_count(1)
    expect(page.locator(".alerts")).to_contain_text("农药残留快检阳性")
    # Who cannot see: sites in trouble first, what is well in one line.
    page.get_by_role("link", name="设备状态").first.click()
    kitchen = page.locator(".site", has_text="棠下中学食堂后厨").last
    expect(kitchen.locator("tbody")).to_contain_text("RTSP 连接被拒绝")
    expect(kitchen.locator("tbody")).not_to_contain_text("冷冻库")
    expect(kitchen.locator(".well")).to_contain_text("冷冻库")
    page.get_by_role("link", name=re.compile("全部 . 项")).click()
    expect(page.locator(".missing")).to_contain_text("台账缺失")
    page.get_by_role("link", name="处置单").first.click()
    page.locator(f'[data-case="{row.case_id}"] a').click()
    test_case_journey.step(page, "dispatch", assignee="officer-tangxia")
    expect(page.locator(".case-head")).to_contain_text("承办：区健华")
    page.goto(f"/alerts/{alert_ids['hat']}")
    page.get_by_role("link", name="静默此类通知").click()
    expect(page.locator("#preview")).to_contain_text("会隐藏")
    expect(page.locator("#rule")).to_have_value("no_hat")
    page.fill("#why", "换发厨师帽")
    page.get_by_role("button", name="开始静默").click()
    made = page.locator(".silences tr", has_text="换发厨师帽")
    expect(made).to_contain_text("未戴厨师帽")
    made.get_by_role("button", name="提前结束").click()
    with reading(engine) as conn:
        over = silences.list_all(conn, NOW, ended=True)
    assert "换发厨师帽" in [one.reason for one in over]


def test_the_citys_day(visit: Visit, engine: Engine, alert_ids: dict[str, str]) -> None:
    with writing(engine) as conn:
        alert = alerts.get(conn, alert_ids["hat"])
        assert alert is not None
        cards.give(conn, alert, "逾期未处置 / late", NOW, lasts=timedelta(days=90))
    page = visit("shiju")
    page.get_by_role("link", name="成效").first.click()
    rats = page.locator(".scores tr", has_text="疑似鼠类活动")
    rats.locator("td.num a").nth(3).click()
    expect(page.locator(".crumbs")).to_contain_text("疑似鼠类活动")
    expect(page.locator(".alert")).to_have_count(8)
    page.goto("/worth")
    page.get_by_role("link", name="看影响").first.click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.fill("#days", "7")
    page.get_by_role("button", name="采纳", exact=True).click()
    expect(page).to_have_url(re.compile(r"/worth$"))
    with reading(engine) as conn:
        below = regions.subtree(conn, "440700")
        decided = proposals.list_in(conn, below, [ProposalState.ACCEPTED])
    assert [one.decided_by for one in decided] == ["officer-shiju"]
    page.goto("/establishments/tangxia-school")
    page.locator("#cards summary").click()
    page.locator("#cards textarea").fill("当日停电，非主体责任")
    page.locator("#cards button").click()
    expect(page.locator("#cards")).to_contain_text("当日停电")
    page.get_by_role("link", name="管理").first.click()
    page.get_by_role("link", name="预警规则").click()
    expect(page.locator(".admin-rules")).to_contain_text("疑似鼠类活动")
    expect(page.locator(".admin-rules")).not_to_contain_text("{")
    page.get_by_role("link", name="值班表").click()
    page.get_by_role("link", name="新建").click()
    page.get_by_label("行政区划").fill("440703-tangxia")
    page.get_by_label("登录名").fill("tangxia")
    page.get_by_label("开始时间").fill("2026-03-13T08:30")
    page.get_by_label("结束时间").fill("2026-03-14T08:30")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_be_visible()
    with reading(engine) as conn:
        told = duties.list_in(conn, ["440703-tangxia"], until_after=NOW)
    assert [one.officer_id for one in told] == ["officer-tangxia"]
