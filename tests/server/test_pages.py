"""What the pages say: evidence, bytes, honesty on what is unknown; headers, audit, public page."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import alert_steps
import pytest
from console_app import NOW, Clock, TestClient, csrf_of
from console_facts import key_of
from console_places import CANTEEN

from contracts.events import Status
from contracts.statement import spoken
from contracts.words import DeviceState
from ledger import alerts, audit, cards, devices, evidence_keys
from ledger.engine import Engine, reading, writing
from ledger.evidence_keys import Standing
from ledger.schema import evidence as pictures
from server.formats import duration, hex_lines, moment
from timeseries.port import SeriesDown, SeriesStore

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]


def shown(text: str) -> str:
    """A page's text without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_every_answer_has_the_security_headers(as_officer: Enter, stranger: TestClient) -> None:
    city = as_officer("shiju")
    for client, path in (
        (city, "/alerts"),
        (city, "/api/v1/alerts"),
        (city, "/nothing"),
        (stranger, "/signin"),
        (stranger, "/p/code-baisha-market"),
        (stranger, "/healthz"),
        (stranger, "/static/seal.svg"),
    ):
        headers = client.get(path).headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"]
    assert city.get("/alerts").headers["cache-control"] == "no-store"


def test_no_page_has_inline_script_or_style_or_a_foreign_address(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    client = as_officer("shiju")
    paths = ["/signin", "/alerts", "/establishments", "/devices", "/devices/missing"]
    paths += ["/notifications", "/silences", "/worth", "/worth/alerts?rule=no_hat"]
    paths += ["/p/code-tangxia-school"]
    paths += [f"/alerts/{one}" for one in alert_ids.values()]
    paths += ["/establishments/tangxia-school", "/establishments/baisha-market"]
    for path in paths:
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), path


def test_an_alert_of_a_test_shows_value_bytes_rule_and_custody(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    text = shown(as_officer("baisha").get(f"/alerts/{alert_ids['positive']}").text)
    for word in ("67.31", "≥ 50 % 为阳性", "7e 11 14 00", "SHA-256", "dayuan_lz_4000t"):
        assert word in text
    for word in ("B07", "线索，待人工复核", "食品安全法 第112条", "还没有人签收"):
        assert word in text
    with reading(engine) as conn:
        newest = audit.entries(conn, 1)[0]
    assert newest.action == "evidence_viewed"
    assert newest.subject == f"alert/{alert_ids['positive']}"


def test_a_picture_comes_with_its_boxes_and_every_look_is_audited(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("tangxia")
    text = client.get(f"/alerts/{alert_ids['hat']}").text
    assert '<rect class="" x="251.25" y="58.0" width="93.75" height="114.0"/>' in text
    source = re.search(r'<img src="(/evidence/[^"]+)" width="640"', text)
    assert source
    picture = client.get(source[1])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["cache-control"] == "no-store"
    small = client.get(source[1] + "?size=small")
    assert small.headers["cache-control"] == "private, max-age=600"
    with reading(engine) as conn:
        actions = [entry.action for entry in audit.entries(conn, 3)]
    assert actions == ["picture_listed", "picture_viewed", "evidence_viewed"]


def test_three_moments_side_by_side_and_what_vouches_for_them(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("tangxia")
    path = f"/alerts/{alert_ids['hat']}"
    text = client.get(path).text
    assert re.findall(r'<figure class="(\w+)" id="frame-', text) == ["before", "best", "after"]
    said = shown(text)
    assert said.count("签名有效") == 3 and "首次使用时登记" in said
    assert "未模糊原图已在现场加密封存，须两名人员共同开启" in said
    assert spoken(key_of(CANTEEN).key_id) in said
    with writing(engine) as conn:
        (key,) = evidence_keys.list_in(conn, site=CANTEEN.site)
        evidence_keys.set_standing(conn, key, Standing.REVOKED, "console", NOW)
        of = pictures.c.evidence_id
        touch = pictures.update()
        conn.execute(touch.where(of == "o-1-0").values(signature_state="invalid"))
        conn.execute(touch.where(of == "o-1-2").values(signature_state="none", key_id=""))
    said = shown(client.get(path).text)
    for word in ("密钥已吊销", "签名无效", "未签名", "不得作为证据"):
        assert word in said


def test_closing_needs_a_note_and_keeps_it(
    as_officer: Enter, engine: Engine, alert_ids: dict[str, str]
) -> None:
    client = as_officer("tangxia")
    path = f"/alerts/{alert_ids['cold']}"
    token = {"x-csrf-token": csrf_of(client), "hx-request": "true"}
    empty = client.post(f"{path}/close", headers=token, data={"note": "  "})
    assert empty.status_code == 422 and "请先写明情况" in empty.text
    with writing(engine) as conn:
        alert_steps.review(conn, alert_ids["cold"], "officer-tangxia", NOW)
    note = "已转移食品并维修门封 <b>完成</b> / 8 °C 以下"
    done = client.post(f"{path}/close", headers=token, data={"note": note})
    assert done.status_code == 200
    page = client.get(path).text
    assert html.escape(note) in page and "<b>完成</b>" not in page
    assert "区健华 于" in shown(page)


def test_forms_work_without_script(as_officer: Enter, alert_ids: dict[str, str]) -> None:
    client = as_officer("baisha")
    path = f"/alerts/{alert_ids['positive']}"
    form = re.search(
        r'action="([^"]+/acknowledge)".*?name="csrf" value="([^"]+)"',
        client.get("/alerts").text,
        re.S,
    )
    assert form and form[1] == f"{path}/acknowledge"
    data = {"csrf": form[2], "shown_on": "desk"}
    answer = client.post(form[1], data=data, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "黄嘉敏" in client.get("/alerts").text


def test_an_auditor_sees_no_buttons(as_officer: Enter, alert_ids: dict[str, str]) -> None:
    client = as_officer("shenji")
    for path in ("/alerts", f"/alerts/{alert_ids['positive']}"):
        assert "/acknowledge" not in client.get(path).text
    assert "您的角色只能查看" in client.get(f"/alerts/{alert_ids['positive']}").text


def test_english_is_a_link_away(as_officer: Enter) -> None:
    client = as_officer("shiju")
    answer = client.get("/language/en?next=/devices", follow_redirects=False)
    assert answer.headers["location"] == "/devices"
    page = client.get("/devices")
    assert '<html lang="en">' in page.text and "No news is not good news." in page.text
    assert (
        client.get("/language/tlh?next=//evil.example", follow_redirects=False).headers["location"]
        == "/alerts"
    )


def test_filters_live_in_the_address(as_officer: Enter, alert_ids: dict[str, str]) -> None:
    client = as_officer("shiju")
    grave = client.get("/alerts?class=1").text
    assert f"alert-{alert_ids['positive']}" in grave
    assert f"alert-{alert_ids['hat']}" not in grave
    assert 'data-live="/alerts/live?class=1"' in grave
    assert 'href="/alerts?state=closed&amp;class=1"' in grave
    closed = client.get("/alerts?state=closed").text
    assert re.findall(r'id="alert-([0-9a-f]+)"', closed) == [alert_ids["older"]]
    strange = client.get("/alerts?state=strange")
    assert strange.status_code == 200 and "“strange”无效" in strange.text


def test_what_is_missing_is_told_with_place_number_and_time(as_officer: Enter) -> None:
    client = as_officer("shiju")
    for path in ("/devices", "/devices/missing"):
        text = shown(client.get(path).text)
        for words in (
            "白沙农贸市场快检室 白沙街道 · 白沙快检室边缘网关 agent 台账缺失",
            "1024",
            "编号 4097–5120",
            "批次 9f2c41d07be8a635",
            "棠下中学食堂后厨 棠下镇 · 棠下中学边缘网关 agent 待补传",
            "1 台摄像头离线",
            "新会区流动快检车 1 号 会城街道",
            "终端失联",
        ):
            assert words in text, f"{path}: {words}: {text}"
    (lost,) = [
        one
        for one in client.get("/api/v1/missing").json()["items"]
        if one["epoch"] == ("9f2c41d07be8a635")
    ]
    assert (lost["kind"], lost["events"], lost["ranges"]) == ("lost", 1024, [[4097, 5120]])
    client.get("/language/en?next=/devices/missing")
    assert "Receipted, but not in the ledger" in client.get("/devices/missing").text


def test_what_was_not_heard_of_is_unknown_not_online(as_officer: Enter, clock: Clock) -> None:
    client = as_officer("tangxia")
    before = client.get("/devices").text
    assert before.count('class="state" data-state="online"') > 3
    clock.forward(600)
    after = client.get("/devices").text
    rows = re.findall(
        r'<span class="state" data-state="(\w+)"><span class="dot[^"]*"></span>(?!.*say)', after
    )
    assert "online" not in rows[4:], "ten minutes of silence"
    assert rows.count("unknown") >= 4


def test_an_establishments_file_has_its_facts(as_officer: Enter) -> None:
    client = as_officer("shiju")
    text = shown(client.get("/establishments/baisha-market").text)
    for word in (
        "白沙农贸市场",
        "风险 B 级",
        "黄嘉敏",
        "主体自检",
        "120",
        "江门市 › 蓬江区 › 白沙街道",
    ):
        assert word in text, word
    orphan = shown(client.get("/establishments/huicheng-market").text)
    assert "无监管责任人" in orphan and "未接入设备" in orphan


def test_charts_have_limits_and_leave_gaps(as_officer: Enter) -> None:
    client = as_officer("shiju")
    drawn = client.get("/establishments/tangxia-school/charts/temperature").json()
    assert [line["limit"] and line["limit"]["label"] for line in drawn["series"]] == [
        "< 8 °C",
        "≤ -12 °C",
    ]
    cold = drawn["series"][0]["points"]
    assert [point[1] for point in cold].count(None) == 1, "the hour without readings is a gap"
    assert None not in [point[1] for point in drawn["series"][1]["points"]]
    tests = client.get("/establishments/baisha-market/charts/inhibition").json()
    assert tests["limit"]["value"] == 50 and tests["grey"] == [40, 50]
    assert sum(len(group["points"]) for group in tests["groups"]) == 120


def test_charts_of_a_dead_store_are_an_error_and_the_page_still_stands(
    as_officer: Enter, series: SeriesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise SeriesDown("away")

    client = as_officer("shiju")
    monkeypatch.setattr(series, "samples", down)
    monkeypatch.setattr(series, "latest", down)
    assert client.get("/establishments/tangxia-school/charts/temperature").status_code == 503
    assert client.get("/establishments/tangxia-school").status_code == 200
    public = shown(client.get("/p/code-tangxia-school").text)
    assert public.count("没有近期读数") == 2


def test_the_qr_code_opens_the_public_page(as_officer: Enter) -> None:
    answer = as_officer("baisha").get("/establishments/baisha-market/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<?xml") and "<path" in answer.text


def test_the_public_page_says_what_it_cannot_see(
    stranger: TestClient, engine: Engine, clock: Clock
) -> None:
    text = shown(stranger.get("/p/code-tangxia-school").text)
    assert "目前有 1 项看不见" in text
    assert re.search(r"备餐专间摄像头 看不见", text)
    assert re.search(r"切配间摄像头 看得见", text)
    assert re.search(r"冷藏库 1 1\d\.\d °C 超出限值", text)
    with writing(engine) as conn:
        status = Status(state=DeviceState.UNKNOWN, at=NOW)
        devices.set_status(conn, CANTEEN.sibling("cam-1"), status, NOW + timedelta(seconds=1))
    assert re.search(r"切配间摄像头 没有消息", shown(stranger.get("/p/code-tangxia-school").text))
    clock.forward(3600)
    later = shown(stranger.get("/p/code-tangxia-school").text)
    assert "目前有 4 项看不见" in later and later.count("没有近期读数") == 2
    nothing = shown(stranger.get("/p/code-huicheng-market").text)
    assert "目前没有可公示的监测数据" in nothing


def test_numbers_and_times_are_written_as_people_read_them() -> None:
    assert moment(NOW - timedelta(hours=2), NOW) == "08:45"
    assert moment(NOW - timedelta(days=2), NOW) == "03-10 10:45"
    assert moment(NOW - timedelta(days=100), NOW) == "2025-12-02 10:45"
    assert [duration(one) for one in (0, 59, 60, 119, 7200, 200_000)] == [
        ("s", 0),
        ("s", 59),
        ("min", 1),
        ("s", 119),
        ("h", 2),
        ("d", 2),
    ]
    assert list(hex_lines(b"\x7eAB", 2)) == [("0000", "7e 41", "~A"), ("0002", "42   ", "B")]


def test_an_establishments_cards_stand_in_its_file(
    as_officer: Enter, engine: Engine, alert_ids: dict[str, str]
) -> None:
    with writing(engine) as conn:
        alert = alerts.get(conn, alert_ids["positive"])
        assert alert is not None and alert.establishment_id
        reason = "1 类预警逾期未签收 <b> / class 1 alert not acknowledged in time"
        card = cards.give(conn, alert, reason, NOW, lasts=timedelta(days=365))
        assert card is not None
    client = as_officer("shiju")
    path = f"/establishments/{alert.establishment_id}"
    said = shown(client.get(path).text)
    assert "黄牌" in said and "1 类预警逾期未签收" in said and "class 1" not in said
    with writing(engine) as conn:
        cards.annul(conn, card.id, "officer-shiju", NOW, "误判：是猫")
    assert "撤销：误判：是猫" in shown(client.get(path).text)
