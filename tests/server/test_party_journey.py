"""A canteen manager proves a rectification on the phone; an officer reviews it and closes."""

import re
from datetime import timedelta

import pytest
from axe import AXE
from case_steps import HOUR, WORK, dispose, of_alert
from case_steps import step as book
from console_app import Clock
from playwright.sync_api import expect
from test_case_journey import Visit, chromium, console, step, visit
from upload_files import photo, picture

from gateway.casework import CaseBooking
from gateway.health import Health
from gateway.metrics import Metrics
from ledger import cases, officers
from ledger.engine import Engine, writing
from ledger.officers import Officer, Role

__all__ = ["chromium", "console", "visit"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOWN, COUNTY = "officer-tangxia", "officer-pengjiang"
BAD = {"name": "门封.jpg", "mimeType": "image/jpeg", "buffer": b"this is no picture"}
GOOD = [
    {"name": "新门封.jpg", "mimeType": "image/jpeg", "buffer": photo()},
    {"name": "温度.png", "mimeType": "image/png", "buffer": picture("PNG", size=(64, 48))},
]


def test_a_canteen_manager_proves_a_rectification(
    visit: Visit, engine: Engine, clock: Clock, alert_ids: dict[str, str]
) -> None:
    with writing(engine) as conn:
        known = officers.get(conn, "officer-shichang")
        assert known is not None
        lin = Officer(
            login="lin", name="林校长", role=Role.OPERATOR, region="440703-tangxia",
            id="officer-lin", establishment_id="tangxia-school", password_hash=known.password_hash,
        )  # fmt: skip
        officers.add(conn, lin)
        row = of_alert(conn, alert_ids["cold"], TOWN, clock.at)
        row = dispose(conn, row, TOWN, COUNTY, clock.at)
        clock.at += 4 * HOUR
        row = book(
            conn, row, "order_rectification", TOWN, clock.at, "document",
            note="更换冷藏库 1 破损门封，恢复到 8 °C 以下。", deadline=clock.at + timedelta(days=2),
        )  # fmt: skip
    told = CaseBooking(engine, WORK, metrics=Metrics(), health=Health(), clock=lambda: clock.at)
    told.tell_once()

    canteen = visit("lin", phone=True)
    canteen.goto("/notifications")
    canteen.get_by_role("link", name=re.compile("【送达】责令改正")).click()
    expect(canteen).to_have_url(re.compile(row.case_id))
    expect(canteen.locator("#order")).to_contain_text("更换冷藏库 1 破损门封")
    expect(canteen.locator('[data-clock="rectification"]')).to_contain_text("还剩")
    expect(canteen.locator("body")).not_to_contain_text("区健华")
    step(canteen, "prove_rectification", note="门封已更换，见照片。", file=BAD)
    expect(canteen.locator("#move-prove_rectification [role=alert]")).to_contain_text("门封.jpg")
    assert canteen.evaluate("document.documentElement.scrollWidth") == 390
    canteen.evaluate(AXE.read_text("utf-8"))
    found = canteen.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    canteen.locator("#move-prove_rectification [name=file]").set_input_files(GOOD)
    canteen.locator("#move-prove_rectification button.primary").click()
    expect(canteen.locator("#asked")).to_contain_text("“提交整改证明”已收到")
    expect(canteen.locator("#steps .attached img")).to_have_count(2)

    county = visit("pengjiang")
    county.goto(f"/cases/{row.case_id}")
    expect(county.locator("#steps")).to_contain_text("门封已更换，见照片。")
    step(county, "accept_proof", note="照片清楚，温度已恢复。")
    expect(county.locator("#steps")).to_contain_text("认可整改证明")
    with writing(engine) as conn:
        now = cases.get(conn, row.case_id)
        assert now is not None
        book(conn, now, "report", TOWN, clock.at, "photo", note="已整改。")
    county.reload()
    step(county, "approve")
    expect(county.locator(".case-head .chips")).to_contain_text("已复核")
    at = (clock.at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    step(county, "close", outcome="no_penalty", note="已整改，不予处罚。", happened_at=at)
    expect(county.locator(".case-head .chips")).to_contain_text("已办结")

    canteen.reload()
    expect(canteen.locator("#steps")).to_contain_text("照片清楚，温度已恢复。")
    expect(canteen.locator("#steps")).not_to_contain_text("已整改，不予处罚。")
    expect(canteen.locator(".case-head .chips")).to_contain_text("已办结")
