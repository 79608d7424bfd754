"""An alert's life on its page and by the API: only legal moves are shown, others are refused."""

import re
from collections.abc import Callable

import pytest
from console_app import NOW, Clock, TestClient, csrf_of
from test_pages import shown

from contracts.words import AlertVerdict, Severity
from ledger import audit, notifications, verdicts
from ledger.engine import Engine, reading, writing
from ledger.notifications import NewNotification

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]


def buttons(client: TestClient, alert_id: str) -> set[str]:
    """The moves that the page offers."""
    text = client.get(f"/alerts/{alert_id}").text
    told = set(re.findall(rf'hx-post="/alerts/{alert_id}/([a-z]+)"', text))
    return told - {"verdict"}


def post(client: TestClient, alert_id: str, move: str, **body: str) -> int:
    """Press a button as a browser with script does."""
    head = {"x-csrf-token": csrf_of(client), "hx-request": "true"}
    return client.post(f"/alerts/{alert_id}/{move}", headers=head, data=body).status_code


def test_a_whole_life_through_two_officers_hands(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine, clock: Clock
) -> None:
    town, county, key = as_officer("tangxia"), as_officer("pengjiang"), alert_ids["cold"]
    assert "dispose" not in buttons(town, key) and "acknowledge" in buttons(town, key)
    assert post(town, key, "dispose", note="已换门封") == 409, "nobody has acknowledged it"
    clock.forward(60)
    assert post(town, key, "acknowledge") == 200
    assert {"dispose", "pause"} <= buttons(town, key)
    assert "review" not in buttons(town, key) | buttons(county, key)
    assert post(town, key, "dispose", note=" ") == 422
    clock.forward(540)
    assert post(town, key, "dispose", note="已换门封，8 °C 以下") == 200
    clock.forward(60)
    # Whoever disposed of it does not review it.
    assert "review" not in buttons(town, key)
    assert "复核须由另一名监管员进行" in town.get(f"/alerts/{key}").text
    assert post(town, key, "review", note="可以", accepted="yes") == 409
    assert "review" in buttons(county, key)
    assert post(county, key, "review", note="照片不清", accepted="no") == 200
    assert "dispose" in buttons(town, key)
    assert post(town, key, "dispose", note="补拍照片") == 200
    assert post(county, key, "review", note="可以", accepted="yes") == 200
    assert post(county, key, "close", note="办结") == 200
    assert buttons(county, key) == set()
    assert post(county, key, "dispose", note="再来") == 409
    with reading(engine) as conn:
        done = [one.action for one in audit.entries(conn, 40) if one.subject == f"alert/{key}"]
        assert audit.verify(conn).broken_id is None
    moves = [one for one in reversed(done) if one != "evidence_viewed"]
    assert moves == [
        "alert_acknowledged", "alert_disposed", "alert_returned", "alert_disposed",
        "alert_reviewed", "alert_closed",
    ]  # fmt: skip
    # Times count from the booking (38 minutes before); what was done again is measured once.
    figures = town.get("/metrics").text
    name = "foodsentry_server_alert"
    assert f'{name}_acknowledge_seconds_sum{{severity="2"}} 2340.0' in figures
    assert f'{name}_dispose_seconds_count{{severity="2"}} 1.0' in figures
    assert f'{name}_dispose_seconds_sum{{severity="2"}} 2880.0' in figures


def test_who_acknowledges_too_late_sees_the_alert_as_it_stands(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    client, key = as_officer("shiju"), alert_ids["older"]
    head = {"x-csrf-token": csrf_of(client), "hx-request": "true"}
    for shown_on, part in (("page", 'id="state"'), ("desk", f'id="alert-{key}"')):
        path, body = f"/alerts/{key}/acknowledge", {"shown_on": shown_on}
        answer = client.post(path, headers=head, data=body)
        assert answer.status_code == 409 and part in answer.text
        assert "<html" not in answer.text, "a part of the page, not a page"


def test_an_appeal_stops_the_clock(as_officer: Enter, alert_ids: dict[str, str]) -> None:
    client, key = as_officer("tangxia"), alert_ids["cold"]
    assert post(client, key, "pause", note="") == 422
    assert post(client, key, "pause", note="对温度计有异议") == 200
    text = shown(client.get(f"/alerts/{key}").text)
    assert "申诉期间暂停计时" in text and "对温度计有异议" in text
    assert "pause" not in buttons(client, key)
    assert post(client, key, "resume") == 200
    assert "resume" not in buttons(client, key)


def test_a_verdict_is_one_tap_and_the_one_before_it_stays(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client, key = as_officer("tangxia"), alert_ids["hat"]
    page = client.get(f"/alerts/{key}").text
    assert 'value="false:cat"' in page and "还没有人核实" in page
    assert 'value="false:cat"' not in client.get(f"/alerts/{alert_ids['cold']}").text
    assert post(client, key, "verdict", said="false:cat", note="这句只属于其他") == 200
    assert post(as_officer("pengjiang"), key, "verdict", said="true") == 200
    text = shown(client.get(f"/alerts/{key}").text)
    assert "历次结论（2）" in text and "区健华：误报 · 猫狗等动物" in text
    with reading(engine) as conn:
        told = verdicts.history(conn, key)
        newest = audit.entries(conn, 1)[0]
    assert [(one.verdict, one.cause, one.note) for one in told] == [
        (AlertVerdict.FALSE, "cat", ""),
        (AlertVerdict.TRUE, "", ""),
    ]
    assert newest.action == "evidence_viewed"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("false", 422),
        ("false:dragon", 422),
        ("maybe", 422),
        ("false:other", 422),
        ("true:cat", 422),
    ],
)
def test_what_is_no_verdict(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine, said: str, status: int
) -> None:
    client, key = as_officer("tangxia"), alert_ids["hat"]
    assert post(client, key, "verdict", said=said) == status
    with reading(engine) as conn:
        assert verdicts.history(conn, key) == []


def test_whoever_only_looks_sees_what_was_said_and_no_buttons(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    key = alert_ids["hat"]
    assert post(as_officer("tangxia"), key, "verdict", said="unsure") == 200
    auditor = as_officer("shenji")
    page = auditor.get(f"/alerts/{key}").text
    assert buttons(auditor, key) == set() and 'name="said"' not in page
    assert "无法判断" in page
    assert post(auditor, key, "verdict", said="true") == 403


def test_the_api_does_the_same(as_officer: Enter, alert_ids: dict[str, str]) -> None:
    town, county = as_officer("tangxia"), as_officer("pengjiang")
    path = f"/api/v1/alerts/{alert_ids['cold']}"

    def call(client: TestClient, move: str, **body: object) -> tuple[int, dict[str, object]]:
        head = {"x-csrf-token": csrf_of(client)}
        answer = client.post(f"{path}/{move}", headers=head, json=body)
        return answer.status_code, answer.json()

    assert call(town, "dispose", note="太早")[1]["type"] == "urn:foodsentry:problem:alert-unready"
    assert call(town, "acknowledge")[0] == 200
    status, row = call(town, "dispose", note="已整改")
    assert (status, row["state"], row["disposed_by"]) == (200, "disposing", "officer-tangxia")
    assert call(town, "review", note="自己", accepted=True)[0] == 409
    status, row = call(county, "review", note="可以", accepted=True)
    assert (status, row["state"]) == (200, "reviewed")
    assert call(county, "pause", note="申诉")[1]["paused_since"]
    assert call(county, "resume", note="完")[1]["paused_since"] is None
    status, told = call(county, "verdict", verdict="false", cause="wrong_limit")
    assert (status, told["cause"], told["counts"]) == (200, "wrong_limit", True)
    assert call(county, "verdict", verdict="false", cause="test")[1]["counts"] is False
    assert call(county, "verdict", verdict="true", cause="test")[0] == 422
    history = county.get(f"{path}/verdicts").json()["items"]
    assert [one["superseded_at"] is None for one in history] == [False, True]
    assert call(county, "close", note="办结")[0] == 200
    assert call(county, "pause", note="晚")[1]["type"] == "urn:foodsentry:problem:alert-closed"


def test_the_page_says_who_was_told_and_why_not(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    key = alert_ids["positive"]

    def tell(recipient: str, **more: str) -> None:
        new = NewNotification(
            dedupe=recipient, kind="alert", severity=Severity.AT_ONCE, recipient=recipient,
            title_zh="农残", title_en="Residue", body_zh="", body_en="", alert_ids=(key,), **more,
        )  # fmt: skip
        notifications.enqueue(conn, [new], NOW)

    with writing(engine) as conn:
        tell("officer-baisha")
        (row,) = notifications.take_due(conn, "s", 5, NOW)
        notifications.sent(conn, row.id, "s", NOW, "sms")
        tell("officer-shichang")
        tell("officer-pengjiang", hold="day", reason="今天已满额 / budget of the day is used up")
    text = shown(as_officer("shiju").get(f"/alerts/{key}").text)
    assert "黄嘉敏 短信 已发" in text
    assert "陈志强 转入汇总" in text and "今天已满额" in text and "budget" not in text
    assert "伍国权 待发" in text
    # The establishment's people see whether they themselves were told.
    text = shown(as_officer("shichang").get(f"/alerts/{key}").text)
    assert "伍国权 待发" in text and "黄嘉敏 短信" not in text
    told = as_officer("baisha").get(f"/api/v1/alerts/{key}/notifications").json()["items"]
    assert {one["state"] for one in told} == {"sent", "queued", "held"}
    # Acknowledging takes back what is queued, and the page says so.
    assert post(as_officer("baisha"), key, "acknowledge") == 200
    text = shown(as_officer("shiju").get(f"/alerts/{key}").text)
    assert "已取消" in text and "已有人签收，不再推送" in text
