"""One case in two browsers: alert, case, dispatch, disposal with a photo, review, publication."""

import re
from collections.abc import Callable, Iterator

import pytest
from console_app import Clock
from console_places import PASSWORD
from console_served import Served, served
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from upload_files import pdf, photo

from ledger.engine import Engine
from timeseries.port import SeriesStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PUBLIC = "/p/code-tangxia-school"
PAPER = {"name": "文书.pdf", "mimeType": "application/pdf", "buffer": pdf()}
SHOT = {"name": "销毁现场.jpg", "mimeType": "image/jpeg", "buffer": photo()}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser
        browser.close()


@pytest.fixture
def console(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Served]:
    with served(engine, series, clock) as running:
        yield running


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, console: Served) -> Iterator[Visit]:
    """Opens a browser of its own, signed in if a login is given."""
    opened: list[BrowserContext] = []

    def open_one(login: str = "", *, script: bool = True, phone: bool = False) -> Page:
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{console.port}",
            viewport={"width": 390, "height": 844} if phone else {"width": 1440, "height": 900},
            locale="zh-CN",
            java_script_enabled=script,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        if login:
            page.goto("/signin")
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.click("button.primary")
            page.wait_for_url("**/alerts")
        return page

    yield open_one
    for context in opened:
        context.close()


def step(page: Page, move: str, **fields: object) -> None:
    """Open a step's form, fill it in and send it."""
    form = page.locator(f"#move-{move}")
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if isinstance(value, dict):
            field.set_input_files(value)  # type: ignore[arg-type]
        elif name in ("second", "assignee"):
            field.select_option(str(value))
        elif name in ("verdict", "outcome", "method"):
            form.locator(f"[name={name}][value={value}]").check()
        else:
            field.fill(str(value))
    form.locator("button.primary").click()


def confirm(page: Page, case: str) -> None:
    """As the second officer: find it in one's list, look, confirm."""
    page.goto("/cases")
    page.locator("#asked a").first.click()
    expect(page).to_have_url(re.compile(case))
    page.get_by_role("button", name="确认：本人在场").click()
    expect(page.locator(".ask")).to_have_count(0)


def test_from_an_alert_to_its_publication_and_its_withdrawal(
    visit: Visit, alert_ids: dict[str, str]
) -> None:
    town, county, public = visit("tangxia", phone=True), visit("pengjiang"), visit()
    town.goto(f"/alerts/{alert_ids['cold']}")
    town.get_by_role("button", name="立为处置单").click()
    expect(town).to_have_url(re.compile(r"/cases/[0-9a-f]{16}$"))
    case = town.url.rpartition("/")[2]
    county.goto(f"/cases/{case}")
    expect(county.locator("[data-live]")).to_be_attached()
    step(town, "verify", note="现场核查属实", second="officer-pengjiang")
    expect(town.locator(".ask")).to_contain_text("待第二人确认")
    expect(county.locator("#changed")).to_contain_text("刚刚有变动", timeout=10_000)
    confirm(county, case)
    expect(county.locator("#steps")).to_contain_text("区健华、陈志强")
    step(county, "dispatch", assignee="officer-tangxia")
    expect(county.locator(".case-head")).to_contain_text("承办：区健华")
    town.goto("/cases?mine=1")
    town.locator(f'[data-case="{case}"] a').click()
    step(town, "accept")
    expect(town.locator(".case-head .chips")).to_contain_text("处置中")
    told = {"happened_at": "2026-03-12T10:30", "verdict": "fails", "document": PAPER}
    step(town, "inspect", second="officer-pengjiang", **told)
    expect(town.locator(".ask")).to_have_count(1)
    confirm(county, case)
    town.goto(f"/cases/{case}")
    # What will not do is said beside the form, and what was filled in stays.
    wrong = SHOT | {"buffer": photo()[:300]}
    step(town, "destroy", note="变质食品当场销毁", second="officer-pengjiang", photo=wrong)
    expect(town.locator("#move-destroy [role=alert]")).to_contain_text("“销毁现场.jpg”打不开")
    expect(town.locator("#move-destroy [name=note]")).to_have_value("变质食品当场销毁")
    step(town, "destroy", photo=SHOT)
    expect(town.locator(".ask img")).to_be_visible()
    confirm(county, case)
    town.goto(f"/cases/{case}")
    step(town, "report", note="处置完毕，恢复供餐", file=SHOT)
    expect(town.locator(".case-head .chips")).to_contain_text("待复核")
    expect(town.locator("#move-approve")).to_have_count(0)
    town.locator(".barred summary").click()
    expect(town.locator(".barred")).to_contain_text("经办人以外的人员办理")
    county.goto(f"/cases/{case}")
    step(county, "approve")
    expect(county.locator(".case-head .chips")).to_contain_text("已复核")
    told = {"outcome": "minor", "happened_at": "2026-03-12T10:40", "note": "通报批评"}
    step(county, "close", document=PAPER, **told)
    expect(county.locator("#move-publish")).to_be_attached()
    public.goto(PUBLIC)
    expect(public.locator("#cases")).to_have_count(0)
    county.locator("#move-publish summary").click()
    expect(county.locator("#move-publish .preview")).to_contain_text("公众将看到")
    step(county, "publish")
    expect(county.locator("#publication")).to_contain_text("公众可见")
    public.reload()
    expect(public.locator("#cases")).to_contain_text("通报批评")
    told = {"happened_at": "2026-03-12T10:45", "note": "复议撤销", "document": PAPER}
    step(county, "annul", **told)
    expect(county.locator("#publication")).to_contain_text("已不公示")
    public.reload()
    expect(public.locator("#cases")).to_have_count(0)
    step(county, "withdraw", note="决定已撤销")
    expect(county.locator(".case-head .chips")).to_contain_text("已撤下公示")


def test_a_step_works_without_script_and_says_what_is_missing(
    visit: Visit, case_ids: dict[str, str]
) -> None:
    page = visit("baisha", script=False)
    page.goto(f"/cases/{case_ids['inhand']}")
    told = {"happened_at": "2026-03-12T10:50", "note": "摊主当场提出"}
    step(page, "object", **told)
    expect(page.locator("#move-object [role=alert]")).to_contain_text("时间不能晚于现在")
    expect(page.locator("#move-object [name=note]")).to_have_value("摊主当场提出")
    step(page, "object", happened_at="2026-03-12T10:00")
    expect(page.locator("#steps")).to_contain_text("快检异议")
