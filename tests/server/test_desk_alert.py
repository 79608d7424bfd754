"""An alert's page: whose turn it is, its device's days, alerts like it, what it may not show."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, TestClient
from console_facts import simple_alert
from console_places import CANTEEN, MARKET
from test_desk_filter import counted
from test_pages import shown

from contracts.words import AlertVerdict, Severity
from ledger import alerts, verdicts
from ledger.engine import Engine, writing
from ledger.schema import alerts as table

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]


def part(text: str, which: str) -> str:
    """A card of the page, as a reader sees it."""
    found = re.search(rf'id="{which}">(.*?)</section>', text, re.S)
    return re.sub(r"<[^>]+>", " ", found[1]) if found else ""


def owed(engine: Engine, alert_id: str, **values: object) -> None:
    with writing(engine) as conn:
        conn.execute(table.update().where(table.c.alert_id == alert_id).values(**values))


def test_the_deadline_says_what_until_when_who_and_who_is_next(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    key = alert_ids["cold"]
    assert 'class="deadline' not in as_officer("tangxia").get(f"/alerts/{key}").text
    owed(engine, key, due_kind="acknowledge", due_at=NOW + timedelta(minutes=75))
    text = shown(as_officer("tangxia").get(f"/alerts/{key}").text)
    assert "须在 12:00 前签收" in text and "还剩 75 分钟" in text
    assert re.search(r"现由\s+区健华（您）", text)
    assert re.search(r"超时转县（市、区）：\s*陈志强", text)
    owed(engine, key, level=2, overdue_since=NOW - timedelta(hours=3), due_at=None)
    text = shown(as_officer("shiju").get(f"/alerts/{key}").text)
    assert "已逾期" in text and "已超 3 小时" in text and "已到最高一级" in text
    assert re.search(r"现由\s+梁伟明（您）", text)
    owed(engine, key, paused_since=NOW)
    assert 'class="deadline' not in as_officer("tangxia").get(f"/alerts/{key}").text


def test_a_reader_shows_its_tests_around_the_moment_and_a_chart(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    client, key = as_officer("baisha"), alert_ids["positive"]
    text = client.get(f"/alerts/{key}").text
    days = part(text, "device-days")
    assert "67.31 %" in days and "阳性" in days and days.count("合格") >= 6
    assert "农药残留快检可疑" in days, "other alerts of the device"
    drawn = client.get(f"/alerts/{key}/chart").json()
    assert drawn["kind"] == "inhibition" and drawn["limit"]["value"] == 50
    positive = next(one for one in drawn["groups"] if one["verdict"] == "positive")
    assert any(point[1] == 67.31 for point in positive["points"])
    assert drawn["start"] < drawn["moment"] <= drawn["end"]


def test_a_probe_shows_its_curve_around_the_moment_not_of_today(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    client = as_officer("tangxia")
    drawn = client.get(f"/alerts/{alert_ids['cold']}/chart").json()
    at = drawn["moment"]
    assert drawn["kind"] == "readings" and drawn["series"][0]["limit"]["value"] == 8
    assert at - 18 * 3_600_000 <= drawn["start"] < at < drawn["end"] <= at + 6 * 3_600_000
    # The wrong device is no probe, and whoever is beside sees nothing of it.
    assert client.get(f"/alerts/{alert_ids['blind']}/chart").json()["filled"] is False
    assert as_officer("xinhui").get(f"/alerts/{alert_ids['cold']}/chart").status_code == 404


def test_alerts_like_it_say_what_they_turned_out_to_be(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    made = []
    with writing(engine) as conn:
        for n in range(7):
            at = NOW - timedelta(days=2 * n + 1)
            new = simple_alert(
                f"cold_store_warm|old-{n}", CANTEEN.sibling("cold-1"), Severity.DEADLINE, at,
                f"冷库温度超限：第 {n} 次", "Cold store too warm", "说明",
            )  # fmt: skip
            made.append(alerts.raise_alert(conn, new)[0])
        old = simple_alert(
            "cold_store_warm|long", CANTEEN.sibling("cold-1"), Severity.DEADLINE,
            NOW - timedelta(days=91), "很久以前", "Long ago", "说明",
        )  # fmt: skip
        alerts.raise_alert(conn, old)
        beside = simple_alert(
            "cold_store_warm|near", MARKET, Severity.DEADLINE, NOW, "隔壁也热", "Warm", "说明"
        )
        alerts.raise_alert(conn, beside)
        for key, said in zip(made, ("true", "true", "false"), strict=False):
            cause = "instrument_fault" if said == "false" else ""
            verdicts.give(conn, key, "officer-tangxia", AlertVerdict(said), NOW, cause=cause)
    text = part(as_officer("shiju").get(f"/alerts/{alert_ids['cold']}").text, "like")
    here, rest = text.split("周边点位、同一规则")
    near, place = rest.split("同一主体、其他规则")
    assert "7 条" in here and "属实 2" in here and "误报 1" in here and "4 条未核实" in here
    assert here.count("冷库温度超限：第") == 5, "the newest five of them"
    assert "很久以前" not in text
    assert "1 条" in near and "隔壁也热" in near and "白沙农贸市场" in near
    assert "后厨人员未戴厨师帽" in place and "摄像头看不见" in place
    # The town sees nothing of the neighbours; an establishment nothing but itself.
    town = part(as_officer("tangxia").get(f"/alerts/{alert_ids['cold']}").text, "like")
    assert "白沙农贸市场" not in town
    own = part(as_officer("shichang").get(f"/alerts/{alert_ids['positive']}").text, "like")
    assert "周边" not in own and "同一点位" in own


def test_states_of_the_device_and_a_rule_without_a_basis(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    text = as_officer("shiju").get(f"/alerts/{alert_ids['blind']}").text
    assert "离线" in part(text, "device-days") and "RTSP 连接被拒绝" in part(text, "device-days")
    assert "该规则未列明法律依据" in text
    basis = as_officer("shiju").get(f"/alerts/{alert_ids['cold']}").text
    assert "GB 31654-2021" in basis and "该规则未列明法律依据" not in basis


def test_pictures_stand_in_a_strip_each_with_its_step(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    text = as_officer("tangxia").get(f"/alerts/{alert_ids['hat']}").text
    frames = re.findall(r'<figure class="(\w+)" id="(frame-\d)"', text)
    assert frames == [("before", "frame-1"), ("best", "frame-2"), ("after", "frame-3")]
    steps = re.findall(r'<a href="#(frame-\d)" data-frame="\d"( aria-current="true")?>', text)
    assert steps == [("frame-1", ""), ("frame-2", ' aria-current="true"'), ("frame-3", "")]


def test_the_same_statements_however_much_there_is_around(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("shiju")

    def add(numbers: range) -> None:
        with writing(engine) as conn:
            for n in numbers:
                who = (CANTEEN, MARKET, CANTEEN)[n % 3].sibling("cold-1" if n % 3 == 0 else "agent")
                at = NOW - timedelta(hours=n)
                new = simple_alert(
                    f"cold_store_warm|{n}" if n % 3 < 2 else f"other|{n}",
                    who, Severity.DEADLINE, at, "冷库", "Cold", "",
                )  # fmt: skip
                alerts.raise_alert(conn, new)

    add(range(15))
    with counted(engine) as few:
        client.get(f"/alerts/{alert_ids['cold']}")
    add(range(15, 75))
    with counted(engine) as many:
        client.get(f"/alerts/{alert_ids['cold']}")
    assert len(many) == len(few)
