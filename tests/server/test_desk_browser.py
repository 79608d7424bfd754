"""The desk in a browser: keys, thumb, several at once, groups, sound, the strip of pictures."""

import re
from datetime import timedelta

import pytest
from axe import AXE
from console_app import NOW
from console_district import add_district
from console_facts import simple_alert
from console_places import CANTEEN, MARKET
from playwright.sync_api import Page, expect
from test_browser import PHONE, Visit, chromium, console, raise_one, visit
from waiting import until

from contracts.words import AlertState, Severity
from ledger import alerts
from ledger.engine import Engine, reading, writing

__all__ = ["chromium", "console", "visit"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

STUB = """() => {
  window.tones = [];
  class Node { constructor() { this.gain = this; this.frequency = this; }
    setValueAtTime() {} exponentialRampToValueAtTime() {}
    connect(to) { return to; } stop() {} start() { window.tones.push(this.value); } }
  window.AudioContext = class { constructor() { this.state = "suspended"; this.currentTime = 0; }
    async resume() { this.state = "running"; }
    createOscillator() { return new Node(); } createGain() { return new Node(); } };
  window.badges = [];
  navigator.setAppBadge = async (n) => { window.badges.push(n); };
  navigator.clearAppBadge = async () => { window.badges.push(0); };
}"""


def focused(page: Page) -> str | None:
    """The id of the line that has the focus."""
    told = page.evaluate("document.activeElement.closest('.alert')?.id ?? null")
    return None if told is None else str(told)


def live(page: Page) -> None:
    expect(page.locator(".live")).to_have_attribute("data-state", "open")


def test_keys_move_take_on_select_search_and_help(
    visit: Visit, engine: Engine, alert_ids: dict[str, str]
) -> None:
    page = visit("shiju")
    live(page)
    rows = page.locator(".alerts > .alert")
    ids = [str(one.get_attribute("id")) for one in rows.all()]
    page.keyboard.press("j")
    assert focused(page) == ids[0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    assert focused(page) == ids[0]
    outline = rows.first.evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline == "solid", "where one is can be seen"
    page.keyboard.press("a")
    expect(rows.first).to_have_attribute("data-state", "acknowledged")
    page.wait_for_timeout(400)  # the stream brings the same line once more
    assert focused(page) == ids[0], "and the focus stays where it was"
    # A line that changes under the focus by another's hand keeps it, too.
    page.keyboard.press("j")
    with writing(engine) as conn:
        alerts.acknowledge(conn, ids[1].removeprefix("alert-"), "officer-pengjiang", NOW)
    expect(rows.nth(1)).to_have_attribute("data-state", "acknowledged")
    assert focused(page) == ids[1]
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("2")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    assert page.locator(".pick input:checked").count() == 0
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("ajx")
    expect(page.locator("#q")).to_have_value("ajx")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/alerts/[0-9a-f]+$"))


def test_everything_is_reached_by_tab_alone(visit: Visit) -> None:
    page = visit("shiju")
    page.keyboard.press("j")
    page.keyboard.press("x")
    wanted = page.locator(
        ".desk a:visible, .desk button:visible:enabled, .desk input:visible, .desk summary:visible"
    )
    reached = set()
    page.evaluate("document.querySelector('.skip').focus()")
    for _ in range(wanted.count() + 40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
    missing = [
        one.evaluate("one => one.outerHTML.slice(0, 90)")
        for one in wanted.all()
        if one.evaluate("one => [...document.querySelectorAll('*')].indexOf(one)") not in reached
        and one.get_attribute("type") != "date"
    ]
    assert missing == []


def test_several_are_taken_on_and_each_is_answered(visit: Visit, engine: Engine) -> None:
    page = visit("shiju")
    page.get_by_role("button", name="批量办理").click()
    rows = page.locator(".alerts > .alert")
    for n in (0, 1, 2):
        rows.nth(n).locator(".pick input").check()
    button = page.locator('#bulk button[formaction$="acknowledge"]')
    expect(button).to_contain_text("签收 3")
    button.click()
    expect(page.locator(".outcomes li")).to_have_count(3)
    expect(page.locator(".page-head")).to_contain_text("共 3 条")
    page.get_by_role("link", name="返回预警台").click()
    expect(page).to_have_url(re.compile(r"/alerts$"))
    assert page.locator('.alert[data-state="firing"]').count() < 3


def test_a_long_press_selects_and_a_tap_goes_on(visit: Visit) -> None:
    page = visit("tangxia", PHONE)
    row = page.locator(".alerts > .alert").first
    for name, wait in (("pointerdown", 700), ("pointerup", 0)):
        row.locator(".what").dispatch_event(
            name, {"pointerType": "touch", "bubbles": True, "clientX": 100, "clientY": 300}
        )
        page.wait_for_timeout(wait)
    row.locator(".title a").dispatch_event("click", {"bubbles": True, "cancelable": True})
    expect(page).to_have_url(re.compile(r"/alerts$"))
    expect(page.locator("[data-picked]")).to_have_text("1")
    page.locator(".alerts > .alert").nth(1).locator(".title a").click()
    expect(page.locator("[data-picked]")).to_have_text("2")
    box = page.locator('#bulk button[formaction$="acknowledge"]').bounding_box()
    assert box is not None and box["height"] >= 44 and box["y"] > PHONE[1] / 2, "at the thumb"
    page.evaluate(AXE.read_text("utf-8"))
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    grave = [one["id"] for one in told["violations"] if one["impact"] in ("serious", "critical")]
    assert grave == []


def test_taking_on_lies_at_the_thumb_on_an_alerts_page(
    visit: Visit, alert_ids: dict[str, str]
) -> None:
    page = visit("tangxia", PHONE)
    page.goto(f"/alerts/{alert_ids['hat']}")
    button = page.locator("form.take button")
    box = button.bounding_box()
    assert box is not None and box["y"] > PHONE[1] * 0.75 and box["height"] >= 48
    button.click()
    expect(page.locator("form.take")).to_have_count(0)
    expect(page.locator("#state")).to_contain_text("区健华 于")


def test_a_group_grows_live_opens_and_stays_open(visit: Visit, engine: Engine) -> None:
    page = visit("tangxia")
    live(page)

    def warm(n: int) -> str:
        new = simple_alert(
            f"fryer|{n}", CANTEEN.sibling("cold-1"), Severity.DEADLINE, NOW + timedelta(seconds=n),
            f"煎炸油变质 {n}", "Oil", "说明",
        )  # fmt: skip
        with writing(engine) as conn:
            return alerts.raise_alert(conn, new)[0]

    first = warm(1)
    expect(page.locator(f"#alert-{first}")).to_be_visible()
    second = warm(2)
    head = page.locator(f"#alert-{second}")
    expect(head.locator(".fold")).to_contain_text("同类 2 条")
    expect(page.locator(f"#alert-{first}")).to_have_count(0)
    head.locator(".fold").click()
    expect(page.locator(f".members #alert-{first}")).to_be_visible()
    third = warm(3)
    expect(page.locator(f"#alert-{third} .fold")).to_contain_text("同类 3 条")
    # What was open stays open under the new head.
    expect(page.locator(".members .alert")).to_have_count(2)
    page.locator(f"#alert-{third} .fold").click()
    expect(page.locator(".members")).to_have_count(0)
    page.get_by_role("button", name="全部签收（3）").click()
    expect(page.locator(".outcomes li")).to_have_count(3)
    with reading(engine) as conn:
        for key in (first, second, third):
            row = alerts.get(conn, key)
            assert row is not None and row.state is AlertState.ACKNOWLEDGED


def test_class_1_sounds_once_when_it_was_switched_on_and_never_late(
    visit: Visit, engine: Engine
) -> None:
    page = visit("baisha")
    page.add_init_script(f"({STUB})()")
    page.reload()
    live(page)
    page.mouse.click(5, 5)
    raise_one(engine, "还没有开声音")
    expect(page.locator(".alerts > .alert").first).to_contain_text("还没有开声音")
    assert page.evaluate("tones") == [], "nobody has switched it on"
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    assert page.evaluate("badges.at(-1)") == 2
    page.get_by_role("button", name="声音已关").click()
    expect(page.get_by_role("button", name="声音已开")).to_have_attribute("aria-pressed", "true")
    tried = len(page.evaluate("tones"))
    assert tried > 0, "one hears what it will be"
    raise_one(engine, "响一次")
    until(page, f"tones.length === {tried * 2}")
    with writing(engine) as conn:  # raised again: the same alert is not sounded for twice
        alerts.raise_alert(
            conn, simple_alert("b|响一次", MARKET, Severity.AT_ONCE, NOW, "响一次", "x", "说明")
        )
        second = simple_alert("b|二级", MARKET, Severity.DEADLINE, NOW, "二级不响", "x", "说明")
        alerts.raise_alert(conn, second)
    expect(page.locator(".alerts > .alert").first).to_contain_text("二级不响")
    assert len(page.evaluate("tones")) == tried * 2
    # What was raised while the page was away comes as a line and makes no noise.
    page.evaluate("Date.now = ((real) => () => real() + 60_000)(Date.now.bind(Date))")
    raise_one(engine, "睡着时来的")
    expect(page.locator(".alerts > .alert").first).to_contain_text("睡着时来的")
    assert len(page.evaluate("tones")) == tried * 2
    # On this device it stays switched on, and waits for a touch.
    page.reload()
    expect(page.locator("[data-sound]")).to_have_attribute("data-state", "wait")
    assert page.evaluate("tones") == []


def test_pictures_are_stepped_through_by_key_and_button(
    visit: Visit, alert_ids: dict[str, str]
) -> None:
    page = visit("tangxia")
    page.goto(f"/alerts/{alert_ids['hat']}")
    current = page.locator(".frame-steps a[aria-current]")
    expect(current).to_have_text("取证")
    expect(page.locator("figure.best")).to_be_in_viewport(ratio=0.5)
    page.keyboard.press("ArrowLeft")
    expect(current).to_have_text("之前")
    expect(page.locator("figure.before")).to_be_in_viewport(ratio=0.5)
    page.get_by_role("button", name="下一张").click()
    expect(current).to_have_text("取证")
    page.locator(".frame-steps a").last.click()
    expect(page.locator("figure.after")).to_be_in_viewport(ratio=0.5)
    page.keyboard.press("a")
    expect(page.locator("#state")).to_contain_text("区健华 于")


@pytest.mark.parametrize("size", [(1440, 900), PHONE], ids=["1440", "390"])
def test_a_district_in_a_storm_fits_and_axe_finds_nothing(
    visit: Visit, engine: Engine, size: tuple[int, int]
) -> None:
    add_district(engine, NOW)
    page = visit("pengjiang", size, "dark" if size == PHONE else "light")
    axe = AXE.read_text("utf-8")
    expect(page.locator('.tally [data-count="all"]')).to_have_text("2005")
    page.locator("#narrow-open").click()
    expect(page.locator(".narrowing")).to_be_visible()
    page.locator(".fold").first.click()
    expect(page.locator(".members .alert").first).to_be_visible()
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    page.evaluate(axe)
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [
        (one["id"], one["nodes"][0]["target"], one["nodes"][0]["failureSummary"][:200])
        for one in told["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert found == []
