"""Journeys in headless Chromium: a new officer's first day, and an auditor's."""

import re
from pathlib import Path

import pytest
from axe import AXE
from playwright.sync_api import expect
from test_browser import PHONE, Visit, chromium, console, visit

from ledger import audit
from ledger.engine import Engine, reading

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["chromium", "console", "visit"]
CHOSEN = "wind over the harbour"


def test_a_new_officer_gets_a_link_sets_a_password_and_signs_in(visit: Visit) -> None:
    admin = visit("admin")
    admin.get_by_role("link", name="人员权限").first.click()
    admin.get_by_role("link", name="新增人员").click()
    admin.fill("#login", "chenjian")
    admin.fill("#name", "陈健")
    admin.select_option("#role", "grid")
    admin.select_option("#region", "440703-baisha-01")
    admin.get_by_role("button", name="新增并生成链接").click()
    expect(admin.get_by_role("status")).to_contain_text("仅显示这一次")
    link = re.sub(r"^http://testserver", "", admin.input_value("#link"))

    phone = visit(size=PHONE)
    phone.goto(link)
    expect(phone.get_by_role("heading", name="陈健，您好")).to_be_visible()
    phone.fill("#new", "password1234")
    phone.fill("#again", "password1234")
    phone.get_by_role("button", name="设置密码").click()
    expect(phone.get_by_role("alert")).to_have_text("这是常见密码，请另选。")
    phone.fill("#new", CHOSEN)
    phone.fill("#again", CHOSEN)
    phone.get_by_role("button", name="设置密码").click()
    expect(phone.get_by_role("status")).to_have_text("密码已设置，请登录。")
    phone.fill("#login", "chenjian")
    phone.fill("#password", CHOSEN)
    phone.click("button.primary")
    expect(phone).to_have_url(re.compile(r"/alerts$"))
    phone.goto("/me")
    expect(phone.get_by_text("本机")).to_be_visible()

    admin.reload()
    admin.goto("/admin/people?q=chenjian")
    admin.get_by_role("link", name="陈健").click()
    expect(admin.locator("#link")).to_have_count(0)
    admin.get_by_role("button", name="离岗").click()
    expect(admin.get_by_text("已离岗", exact=True)).to_be_visible()
    phone.goto("/alerts")
    expect(phone).to_have_url(re.compile(r"/signin"))


def test_an_auditors_day(visit: Visit, engine: Engine, alert_ids: dict[str, str]) -> None:
    officer = visit("baisha")
    officer.goto(f"/alerts/{alert_ids['positive']}")
    auditor = visit("shenji")
    auditor.goto(f"/alerts/{alert_ids['positive']}")
    expect(auditor.locator("main form button")).to_have_count(0)
    auditor.get_by_role("link", name="审计记录").first.click()
    auditor.select_option("[name=action]", "evidence_viewed")
    auditor.fill("[name=who]", "baisha")
    auditor.get_by_role("button", name="查询").click()
    expect(auditor.locator(".trail tbody tr")).to_have_count(1)
    row = auditor.locator(".trail tbody tr")
    expect(row).to_contain_text("黄嘉敏")
    expect(row).to_contain_text("查看证据")
    with auditor.expect_download() as downloading:
        auditor.get_by_role("link", name="下载 CSV").click()
    text = Path(downloading.value.path()).read_text("utf-8-sig")
    assert text.count("evidence_viewed") == 1 and "alert_acknowledged" not in text
    auditor.get_by_role("button", name="核验整条链").click()
    expect(auditor.get_by_role("status")).to_contain_text("完整")
    with reading(engine) as conn:
        told = [one.action for one in audit.entries(conn, 4) if one.actor == "officer-shenji"]
    assert told[:2] == ["audit_verified", "audit_exported"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_these_pages(visit: Visit, scheme: str) -> None:
    page = visit("admin", scheme=scheme)
    for path in (
        "/admin/people", "/admin/people/new", "/admin/people/officer-baisha", "/me", "/audit",
    ):  # fmt: skip
        page.goto(path)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run()")
        worst = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        assert worst == [], f"{path}: {[(one['id'], one['nodes'][0]['html']) for one in worst]}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
