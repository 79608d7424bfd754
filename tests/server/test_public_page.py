"""The public page: light, cached, honest when stores are away, without persons; its codes."""

import csv
import io
import itertools
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import alert_steps
import msgspec
import pytest
from console_app import NOW, Clock, TestClient, csrf_of
from console_facts import new_result, put_observation
from console_places import CANTEEN, MARKET
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import update

from contracts.words import AlertVerdict, Phase, Severity, Verdict
from ledger import alerts, audit, camera_meals, contacts, officers, results, verdicts
from ledger.alerts import NewAlert
from ledger.camera_meals import Meal
from ledger.contacts import Contact
from ledger.engine import Engine, LedgerDown, reading, writing
from ledger.ids import new_public_code
from ledger.officers import Officer, Role
from ledger.schema import establishments as table
from server import public_file

Enter = Callable[[str], TestClient]
SCHOOL, SHOP = "/p/code-tangxia-school", "/p/code-baisha-market"


def shown(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_it_is_light_anonymous_and_cacheable(stranger: TestClient, clock: Clock) -> None:
    answer = stranger.get(SHOP)
    text = answer.text
    assert answer.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=120"
    assert "set-cookie" not in answer.headers and "vary" not in answer.headers
    assert "<script" not in text and "/evidence/" not in text and "style=" not in text
    for person in ("伍国权", "黄嘉敏", "officer-"):
        assert person not in text
    style = re.search(r'href="(/static/vendor/[^"]+\.css)"', text)
    weight = len(answer.content) + (len(stranger.get(style[1]).content) if style else 0)
    assert weight < 50_000
    english = stranger.get(f"{SHOP}?lang=en")
    assert "Quick tests, last 30 days" in english.text and 'href="tel:12315"' in english.text
    assert english.headers["etag"] != answer.headers["etag"]
    clock.forward(14)
    for known in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}'):
        again = stranger.get(SHOP, headers={"if-none-match": known})
        assert again.status_code == 304 and not again.content
        assert again.headers["cache-control"] == answer.headers["cache-control"]
    assert stranger.get(SHOP, headers={"if-none-match": '"x"'}).status_code == 200
    clock.forward(60)
    known = answer.headers["etag"]
    assert stranger.get(SHOP, headers={"if-none-match": known}).status_code == 200


def tell_meals(engine: Engine, *told: tuple[str, datetime, float, float]) -> None:
    """What cameras tell at a meal's end: camera, end, minutes live, minutes of the meal."""
    with writing(engine) as conn:
        camera_meals.add(
            conn, [Meal(CANTEEN.sibling(camera), at, *span, at) for camera, at, *span in told]
        )


def test_the_day_is_told_meal_by_meal(stranger: TestClient, engine: Engine, clock: Clock) -> None:
    assert "今天还没有收到供餐时段的记录" in shown(stranger.get(SCHOOL).text)
    breakfast, lunch, dinner = (NOW + timedelta(hours=hours) for hours in (-1, 3, 9))
    tell_meals(
        engine,
        ("cam-1", breakfast, 90, 90), ("cam-2", breakfast, 88, 90),
        ("cam-1", lunch, 150, 150),  # the other one told nothing
        ("cam-1", dinner, 0, 120), ("cam-2", dinner, 0, 120),
    )  # fmt: skip
    clock.at = dinner + timedelta(minutes=5)
    text = shown(stranger.get(SCHOOL).text)
    assert "09:45 结束的供餐，90 分钟 全程看得见" in text
    assert "13:45 结束的供餐，150 分钟 看见 75 分钟" in text
    assert "19:45 结束的供餐，120 分钟 没有看见" in text
    assert "看不见的时段不算没有问题" in text
    clock.at += timedelta(days=1)
    assert "今天还没有收到供餐时段的记录" in shown(stranger.get(SCHOOL).text)


def test_hygiene_is_told_only_when_an_officer_has_confirmed_it(
    stranger: TestClient, engine: Engine, alert_ids: dict[str, str]
) -> None:
    assert "今天没有经人工核实的卫生问题" in shown(stranger.get(SCHOOL).text)
    blind = alert_ids["blind"]
    with writing(engine) as conn:
        for alert in (alert_ids["hat"], blind):
            verdicts.give(conn, alert, "officer-tangxia", AlertVerdict.TRUE, NOW)
    text = shown(stranger.get(SCHOOL).text)
    assert "今天有 1 个经人工核实的卫生问题" in text, "a camera that is blind is no hygiene"
    with writing(engine) as conn:
        verdicts.give(conn, alert_ids["hat"], "officer-tangxia", AlertVerdict.FALSE, NOW)
    assert "今天没有经人工核实的卫生问题" in shown(stranger.get(SCHOOL).text)


def test_a_ledger_that_is_away_makes_nothing_look_fine(
    stranger: TestClient, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = shown(stranger.get(SCHOOL).text)
    assert "切配间摄像头 看得见" in fresh

    def down(*_: object, **__: object) -> None:
        raise LedgerDown("away")

    monkeypatch.setattr("server.routes.public.reading", down)
    clock.forward(1800)
    answer = stranger.get(SCHOOL)
    text = shown(answer.text)
    assert answer.status_code == 503 and answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "30" and "etag" not in answer.headers
    assert "现在查不到最新情况" in text and "10:45 的情况（30 分钟前）" in text
    assert "看得见" not in text.replace("看不见", "") and "在限值内" not in text
    assert "目前有 4 项看不见" in text and "没有经人工核实" not in text
    never = stranger.get(SHOP)
    assert never.status_code == 503 and "现在查不到" in never.text
    assert "不表示一切正常" in never.text and "白沙农贸市场" not in never.text
    clock.forward(7 * 3600)
    assert "棠下中学食堂" not in stranger.get(SCHOOL).text, "too old to be told"


def test_what_was_published_ends_by_law_though_the_ledger_is_away(
    stranger: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.public_file.LONGEST", timedelta(days=9999))
    assert 'id="cases"' in stranger.get(SHOP).text

    def down(*_: object, **__: object) -> None:
        raise LedgerDown("away")

    monkeypatch.setattr("server.routes.public.reading", down)
    assert 'id="cases"' in stranger.get(SHOP).text
    clock.at += timedelta(days=3 * 366)
    text = stranger.get(SHOP).text
    assert "白沙农贸市场" in text and 'id="cases"' not in text


def renewed(client: TestClient, place: str, **said: object) -> int:
    body = {"note": "贴纸被覆盖", "csrf": csrf_of(client)} | said
    answer = client.post(f"/establishments/{place}/code", data=body, follow_redirects=False)
    return answer.status_code


def code_of(engine: Engine, place: str) -> str:
    with reading(engine) as conn:
        found: str = conn.execute(
            table.select().with_only_columns(table.c.public_code).where(table.c.id == place)
        ).scalar_one()
    return found


def test_an_old_code_says_that_it_was_renewed(
    stranger: TestClient, as_officer: Enter, engine: Engine
) -> None:
    county = as_officer("pengjiang")
    assert "更换公众码" in county.get("/establishments/baisha-market").text
    assert renewed(county, "baisha-market", note=" ") == 422
    assert renewed(county, "huicheng-market") == 404
    town = as_officer("baisha")
    assert renewed(town, "baisha-market") == 403
    assert "更换公众码" not in town.get("/establishments/baisha-market").text
    assert stranger.get(SHOP).status_code == 200
    assert renewed(county, "baisha-market") == 303
    old = stranger.get(SHOP)
    assert old.status_code == 410 and "此码已更换" in old.text and "2026-03-12" in old.text
    assert "白沙农贸市场" not in old.text and old.headers["cache-control"] == "no-store"
    assert "This code was renewed" in stranger.get(f"{SHOP}?lang=en").text
    new = code_of(engine, "baisha-market")
    assert len(new) >= 12 and "白沙农贸市场" in stranger.get(f"/p/{new}").text
    with reading(engine) as conn:
        entry = audit.entries(conn, 1)[0]
    assert entry.action == "public_code_renewed" and "贴纸被覆盖" in entry.detail
    assert entry.region == "440703-baisha"


def test_an_old_code_works_for_its_days_of_grace(
    stranger: TestClient, as_officer: Enter, clock: Clock
) -> None:
    assert renewed(as_officer("pengjiang"), "baisha-market", grace_days=7) == 303
    text = shown(stranger.get(SHOP).text)
    assert "白沙农贸市场" in text and "此码已换新" in text
    clock.forward(7 * 86_400 - 1)
    assert stranger.get(SHOP).status_code == 200
    clock.forward(1)
    assert stranger.get(SHOP).status_code == 410
    assert renewed(as_officer("pengjiang"), "baisha-market", grace_days=31) == 422


def test_a_region_is_renewed_at_once_and_comes_as_a_file(
    stranger: TestClient, as_officer: Enter, engine: Engine
) -> None:
    county = as_officer("pengjiang")
    said = {"region": "440703", "note": "统一换发", "csrf": csrf_of(county)}
    answer = county.post("/admin/codes", data=said)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted(row["id"] for row in rows) == [
        "baisha-market", "baisha-primary", "tangxia-school",
    ]  # fmt: skip
    for row in rows:
        assert row["address"] == f"http://testserver/p/{code_of(engine, row['id'])}"
        assert stranger.get(f"/p/code-{row['id']}").status_code == 410
        assert stranger.get(row["address"]).status_code == 200
    assert stranger.get("/p/code-huicheng-market").status_code == 200
    assert county.post("/admin/codes", data=said | {"region": "440705"}).status_code == 404
    sheets = county.get("/admin/codes/sheets?region=440703").text
    assert sheets.count('class="card code-sheet"') == 3 and "12315" in sheets
    token = {"x-csrf-token": csrf_of(county)}
    body = {"note": "换", "region": "440703-tangxia"}
    made = county.post("/api/v1/admin/codes", json=body, headers=token).json()["items"]
    assert [one["public_code"] for one in made] == [code_of(engine, "tangxia-school")]
    one = county.post(
        "/api/v1/establishments/baisha-market/code", json={"note": "换"}, headers=token
    )
    assert one.json()["address"].endswith(code_of(engine, "baisha-market"))


def test_guessing_codes_is_hopeless(stranger: TestClient, clock: Clock) -> None:
    codes = {new_public_code() for _ in range(2000)}
    assert len(codes) == 2000 and all(re.fullmatch(r"[\w-]{12}", one) for one in codes)
    statuses = [stranger.get(f"/p/{new_public_code()}").status_code for _ in range(33)]
    assert statuses == [404] * 30 + [429] * 3
    often = stranger.get("/p/x")
    assert int(often.headers["retry-after"]) >= 1 and "查询过于频繁" in often.text
    assert stranger.get(SHOP).status_code == 200, "who has a code is not kept out"
    clock.forward(6.1)
    assert stranger.get(f"/p/{'x' * 5000}").status_code == 404
    assert stranger.get("/p/%E7%A0%81").status_code == 429


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        (None, None, "有效期未登记"),
        (date(2023, 1, 1), date(2026, 3, 12), "有效期至 2026-03-12，即将到期"),
        (date(2023, 1, 1), date(2026, 3, 11), "已于 2026-03-11 到期"),
        (date(2026, 3, 13), date(2031, 3, 12), "自 2026-03-13 起有效"),
        (date(2023, 1, 1), date(2028, 1, 1), "有效期至 2028-01-01"),
    ],
)
def test_a_licence_that_is_over_is_said_so(
    stranger: TestClient,
    as_officer: Enter,
    engine: Engine,
    begin: date | None,
    end: date | None,
    said: str,
) -> None:
    with writing(engine) as conn:
        conn.execute(
            update(table)
            .where(table.c.id == "baisha-market")
            .values(licence_from=begin, licence_until=end)
        )
    assert said in shown(stranger.get(SHOP).text)
    own = as_officer("baisha").get("/establishments/baisha-market").text
    assert ("已过期" in own) == ("到期" in said and "即将" not in said)


NUMBERS = itertools.count(500)
MARK = st.text("甲乙丙丁戊己庚辛壬癸", min_size=6, max_size=9)


@hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(MARK, min_size=9, max_size=9, unique=True), phone=st.integers(0, 10**8 - 1))
def test_nobody_and_no_lead_ever_reaches_the_page(
    stranger: TestClient, engine: Engine, names: list[str], phone: int
) -> None:
    """The ledger is filled with marked words wherever a person or a lead stands."""
    marks = [f"【{name}】" for name in names]
    officer, operator, title, summary, reason, note, stall, supplier, number = marks
    call = f"139{phone:08d}"
    one = next(NUMBERS)
    who = Officer(f"{officer}{one}", officer, Role.TOWN, "440703")
    camera = CANTEEN.sibling("cam-1")
    with writing(engine) as conn:
        officers.add(conn, who)
        contacts.put(conn, Contact(who.id, "sms", call))
        conn.execute(update(table).values(officer_id=who.id))
        tested = new_result(MARKET.sibling("lz4000t"), one, 1, 71.0, Verdict.POSITIVE, NOW)
        replace = msgspec.structs.replace
        sample = replace(
            tested.result.sample,
            number=number, stall=stall, supplier=supplier, origin=stall, lot=number,
            name=f"菜心 {call}",
        )  # fmt: skip
        result = replace(tested.result, sample=sample, operator=operator)
        tested = replace(tested, result=result)
        results.add(conn, [tested])
        put_observation(conn, camera, f"o-{one}x", "no_hat", NOW, phase=Phase.OPEN, zone=reason)
        lead = NewAlert(
            fingerprint=f"no_hat|x{one}", rule="no_hat", rule_version="1",
            severity=Severity.GUIDANCE, title_zh=title, title_en=title, summary_zh=summary,
            summary_en=summary, who=camera, raised_at=NOW, observation_id=f"o-{one}x",
            facts={"said": summary},
        )  # fmt: skip
        alert, _ = alerts.raise_alert(conn, lead)
        alerts.acknowledge(conn, alert, who.id, NOW)
        alert_steps.close(conn, alert, who.id, NOW, note)
        verdicts.give(conn, alert, who.id, AlertVerdict.TRUE, NOW, note=note)
    for path in (SCHOOL, SHOP):
        for language in ("", "?lang=en"):
            answer = stranger.get(path + language)
            assert answer.status_code == 200
            for said in (*marks, call, who.id, call[3:], alert):
                assert said not in answer.text, said


def test_digits_that_could_be_a_telephone_are_left_out() -> None:
    hide = public_file.without_numbers
    assert hide("菜心 13800138000 张") == "菜心 … 张"
    assert hide("138 0013 8000") == "…" and hide("１３８００１３８０００") == "…"
    assert hide("A12 韭菜 2 号") == "A12 韭菜 2 号" and hide("20260") == "20260"
