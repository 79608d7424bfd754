"""A browser's journey: 500 establishments by file, three rows mended, a device retired."""

import shutil
from collections.abc import Iterator

import pytest
from axe import AXE
from console_app import Clock
from console_places import PASSWORD
from console_served import served
from playwright.sync_api import Page, expect, sync_playwright

from contracts.identifiers import credit_code_check
from ledger import devices, establishments
from ledger.engine import Engine, reading
from timeseries.port import SeriesStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MENDED = {17: ("船", "超市"), 230: ("440799", "440703-baisha"), 499: ("nobody", "baisha")}


def district(mended: bool) -> bytes:
    lines = ["名称,类型,行政区划,统一社会信用代码,监管责任人"]
    for number in range(1, 501):
        body = f"9144070{number:010d}"
        line = f"第 {number} 号店,超市,440703-baisha,{body}{credit_code_check(body)},baisha"
        if number in MENDED and not mended:
            wrong, right = MENDED[number]
            line = wrong.join(line.rsplit(right, 1))
        lines.append(line)
    return "\r\n".join(lines).encode("gb18030")


@pytest.fixture
def page(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Page]:
    with served(engine, series, clock) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{running.port}",
            viewport={"width": 1440, "height": 900},
            locale="zh-CN",
        )
        opened = context.new_page()
        opened.set_default_timeout(20_000)
        opened.goto("/signin")
        opened.fill("#login", "pengjiang")
        opened.fill("#password", PASSWORD)
        opened.click("button.primary")
        opened.wait_for_url("**/alerts")
        yield opened
        browser.close()


def choose(page: Page, content: bytes) -> None:
    file = {"name": "蓬江区主体.csv", "mimeType": "text/csv", "buffer": content}
    page.set_input_files("#file", files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name="先看会改什么").click()


def serious(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']})")
    return [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]


def test_a_district_is_set_up(page: Page, engine: Engine) -> None:
    page.get_by_role("link", name="管理").first.click()
    page.get_by_role("link", name="经营主体", exact=True).click()
    page.get_by_role("link", name="导入").click()
    choose(page, district(mended=False))
    expect(page.locator(".plan")).to_have_attribute("data-clean", "no")
    rows = page.locator(".faults tbody tr")
    expect(rows).to_have_count(3)
    for number, row in zip(MENDED, rows.all(), strict=True):
        expect(row.locator("td").first).to_have_text(str(number + 1))
        expect(row).to_contain_text(MENDED[number][0])
    assert serious(page) == []
    choose(page, district(mended=True))
    expect(page.locator(".plan-figures dd").first).to_have_text("500")
    page.get_by_role("button", name="确认导入 500 条").click()
    expect(page.get_by_role("status")).to_contain_text("新增 500 条")
    page.get_by_role("link", name="查看列表").click()
    page.fill("#q", "第 499 号店")
    page.locator(".search button").click()
    expect(page.locator(".admin-rows tbody tr")).to_have_count(1)
    assert serious(page) == []
    with reading(engine) as conn:
        assert establishments.count_in(conn, ["440703-baisha"]) == 502
    page.get_by_role("link", name="设备", exact=True).click()
    page.get_by_role("link", name="农残速测仪").click()
    page.get_by_role("button", name="停用").click()
    expect(page.get_by_role("status")).to_contain_text("已停用")
    assert serious(page) == []
    with reading(engine) as conn:
        assert "lz4000t" not in {one.device for one in devices.list_in(conn, None, "baisha-room")}
