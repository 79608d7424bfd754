"""One move for many alerts: line by line, once, audited, within sight, bounded."""

import re
from collections.abc import Callable

import pytest
from console_app import NOW, TestClient, csrf_of
from console_district import add_district

from contracts.words import AlertState, AlertVerdict
from ledger import alerts, audit, verdicts
from ledger.engine import Engine, reading
from server import bulk

pytestmark = pytest.mark.slow
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)]

Enter = Callable[[str], TestClient]


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """What is asked of the ledger is SQL: it runs on either database."""
    told: str = request.param
    return told


def send(client: TestClient, move: str, **body: object) -> tuple[int, list[tuple[str, str]]]:
    """Press a button of the bar; returns the status, and (outcome, reason) of each line."""
    told = {"csrf": csrf_of(client)} | body
    answer = client.post(f"/alerts/bulk/{move}", data=told)
    lines = re.findall(
        r"<li[^>]*>\s*<span class=\"chip[^\"]*\">([^<]+)</span>(.*?)</li>", answer.text, re.S
    )
    reasons = [re.search(r'small why">([^<]+)<', rest) for _, rest in lines]
    return answer.status_code, [
        (outcome, why[1] if why else "") for (outcome, _), why in zip(lines, reasons, strict=True)
    ]


def audited(engine: Engine, action: str) -> list[str]:
    with reading(engine) as conn:
        assert audit.verify(conn).broken_id is None
        return [one.subject for one in audit.entries(conn, 1000) if one.action == action]


def test_what_moved_and_what_did_not_is_told_line_by_line(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    county, town = as_officer("pengjiang"), as_officer("tangxia")
    picked = [alert_ids[name] for name in ("positive", "cold", "suspect", "older", "van")]
    status, told = send(county, "acknowledge", alert=[*picked, "0000", picked[0]])
    assert status == 200
    assert told == [
        ("办成", ""), ("办成", ""), ("原已如此", ""), ("未动", "已经办结，不能再改动。"),
        ("不存在", "没有这条预警，或不在您的辖区。"), ("不存在", "没有这条预警，或不在您的辖区。"),
    ]  # fmt: skip
    with reading(engine) as conn:
        assert alerts.get(conn, alert_ids["van"]).state is AlertState.FIRING  # type: ignore[union-attr]
    # Sent again, nothing changes and nothing is audited twice.
    _, again = send(county, "acknowledge", alert=picked[:3])
    assert [outcome for outcome, _ in again] == ["原已如此"] * 3
    _, again = send(town, "acknowledge", alert=[alert_ids["cold"]])
    assert again == [("原已如此", "")]
    assert sorted(audited(engine, "alert_acknowledged")) == sorted(
        f"alert/{key}" for key in picked[:2]
    )


def test_one_note_disposes_of_many(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("tangxia")
    picked = [alert_ids[name] for name in ("cold", "hat", "blind")]
    assert send(client, "dispose", alert=picked, note="  ")[0] == 422
    send(client, "acknowledge", alert=picked[:2])
    status, told = send(client, "dispose", alert=picked, note="已到现场处置")
    assert status == 200
    assert told == [("办成", ""), ("办成", ""), ("未动", "还没有人签收，请先签收。")]
    with reading(engine) as conn:
        for key in picked[:2]:
            last = alerts.timeline(conn, key)[-1]
            assert (last.kind, last.note, last.actor) == (
                "disposing", "已到现场处置", "officer-tangxia",
            )  # fmt: skip
    assert [one for one, _ in send(client, "dispose", alert=picked[:2], note="再说")[1]] == [
        "原已如此"
    ] * 2
    assert len(audited(engine, "alert_disposed")) == 2


def test_one_verdict_on_many_where_the_cause_fits(
    as_officer: Enter, alert_ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("tangxia")
    picked = [alert_ids[name] for name in ("hat", "blind", "cold")]
    assert send(client, "verdict", alert=picked, said="perhaps")[0] == 422
    assert send(client, "verdict", alert=picked, said="false")[0] == 422, (
        "a wrong one needs a cause"
    )
    _, told = send(client, "verdict", alert=picked, said="false", cause="cat")
    assert [outcome for outcome, _ in told] == ["办成", "办成", "未动"]
    assert told[2][1] == "这个原因不适用于该类预警。"
    assert [
        one for one, _ in send(client, "verdict", alert=picked[:1], said="false", cause="cat")[1]
    ] == ["原已如此"]
    with reading(engine) as conn:
        found = verdicts.standing_on(conn, picked)
    assert {key: (one.verdict, one.cause) for key, one in found.items()} == dict.fromkeys(
        picked[:2], (AlertVerdict.FALSE, "cat")
    )
    assert len(audited(engine, "alert_judged")) == 2


def test_all_that_match_is_bounded_by_the_filter_the_number_and_the_moment(
    as_officer: Enter, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 30)
    ids = add_district(engine, NOW, places=40, open_alerts=200)
    client = as_officer("pengjiang")
    page = client.get("/alerts?state=firing&class=3").text
    assert f"取最新的 {bulk.MOST} 条" in page
    up_to = re.search(r'name="up_to" value="(\d+)"', page)
    assert up_to is not None
    with reading(engine) as conn:
        every = alerts.list_in(conn, None, None, 2000)
    rows = {row.alert_id: row for row in every if row.region.startswith("440703")}
    assert set(ids) < set(rows)
    late = max(row.number for row in rows.values()) - 40
    query = "?state=firing&class=3"
    status, told = send(client, "acknowledge", all="1", filter=query, up_to=str(late))
    assert status == 200 and told == [("办成", "")] * bulk.MOST
    with reading(engine) as conn:
        taken = [
            row for one in rows if (row := alerts.get(conn, one)) and row.acknowledged_at == NOW
        ]
    fit = [
        row
        for row in rows.values()
        if row.state is AlertState.FIRING and row.severity == 3 and row.number <= late
    ]
    fit.sort(key=lambda row: (row.raised_at, row.number))
    assert {row.alert_id for row in taken} == {row.alert_id for row in fit[-bulk.MOST :]}
    too_many = [row.alert_id for row in rows.values()][: bulk.MOST + 1]
    assert send(client, "acknowledge", alert=too_many)[0] == 422


def test_a_group_is_taken_on_with_one_press(as_officer: Enter, engine: Engine) -> None:
    add_district(engine, NOW, places=20, open_alerts=200)
    client = as_officer("pengjiang")
    page = client.get("/alerts?class=3&state=firing").text
    button = re.search(r'name="quick" value="(ds\d+\|no_\w+\|\d+)">全部签收（(\d+)）', page)
    assert button is not None
    query = "?class=3&state=firing"
    others = ["ds1|no_hat|99"]
    _, told = send(client, "acknowledge", quick=button[1], group=others, filter=query)
    assert told == [("办成", "")] * int(button[2]), "that group, and only that"
    assert send(client, "acknowledge", quick="ds1|no_hat")[0] == 422
    assert send(client, "acknowledge", group="ds1|x|9" + "9" * 40)[0] == 200


def test_who_may_only_look_moves_nothing_and_sees_no_boxes(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    auditor = as_officer("shenji")
    page = auditor.get("/alerts").text
    assert 'form="bulk"' not in page and 'id="bulk"' not in page
    assert send(auditor, "acknowledge", alert=[alert_ids["cold"]])[0] == 403
    city = as_officer("shiju")
    assert city.post("/alerts/bulk/acknowledge").status_code == 403, "no token"
    status, told = send(city, "acknowledge")
    assert (status, told) == (200, []), "nothing selected, nothing changed"
