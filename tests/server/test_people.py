"""Keeping officers: one-time links, roles and places, dismissal at once, an officer's own page."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, Clock, TestClient, csrf_of, sign_in
from console_places import PASSWORD
from fastapi import FastAPI

from ledger import audit, duties, officers, password_links, sessions
from ledger.engine import Engine, reading, writing
from ledger.officers import Role
from server.password_rules import COMMON, common, derived, weakness
from server.settings import SignInSettings
from server.signing import token_hash

pytestmark = pytest.mark.slow
Enter = Callable[[str], TestClient]
NEW = {"login": "Chen.Jian", "name": "陈健", "role": "town", "region": "440703-baisha"}
CHOSEN = "wind over the harbour"


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/welcome/[\w-]+)", text)
    assert found is not None
    return found[1]


def add(client: TestClient, **more: str) -> tuple[int, str]:
    answer = client.post("/admin/people", data=NEW | more | {"csrf": csrf_of(client)})
    return answer.status_code, answer.text


def use(client: TestClient, link: str, password: str, again: str = "") -> int:
    page = client.get(link)
    if page.status_code != 200:
        return page.status_code
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    body = {"form": form[1], "new": password, "again": again or password}
    return client.post(link, data=body, follow_redirects=False).status_code


def move(client: TestClient, officer_id: str, name: str) -> int:
    path = f"/admin/people/{officer_id}/{name}"
    return client.post(path, data={"csrf": csrf_of(client)}, follow_redirects=False).status_code


def newest(engine: Engine, count: int = 1) -> list[str]:
    with reading(engine) as conn:
        return [one.action for one in audit.entries(conn, count)]


def test_a_new_officer_sets_a_password_by_a_link_that_works_once(
    as_officer: Enter, stranger: TestClient, engine: Engine, app: FastAPI
) -> None:
    status, text = add(as_officer("admin"))
    assert status == 200
    link = link_in(text)
    token = link.rpartition("/")[2]
    with reading(engine) as conn:
        one = officers.by_login(conn, "chen.jian")
        assert one is not None and one.role is Role.TOWN and one.password_hash == ""
        assert password_links.find(conn, token, NOW) is None, "the ledger knows its hash only"
        told = [entry.detail for entry in audit.entries(conn, 5)]
    assert not any(token in detail for detail in told)
    assert sign_in(TestClient(app), "chen.jian", "") in (401, 422)
    assert use(stranger, link, "short") == 422
    assert use(stranger, link, CHOSEN, CHOSEN + "x") == 422
    assert use(stranger, link, CHOSEN) == 303
    assert newest(engine) == ["password_set"]
    assert use(stranger, link, CHOSEN) == 404
    assert sign_in(stranger, "chen.jian", CHOSEN) == 303


def test_a_link_ends_by_time_by_a_newer_one_and_with_its_officer(
    as_officer: Enter, stranger: TestClient, clock: Clock, engine: Engine
) -> None:
    admin = as_officer("admin")
    first = link_in(add(admin)[1])
    with reading(engine) as conn:
        one = officers.by_login(conn, "chen.jian")
    assert one is not None
    path = f"/admin/people/{one.id}/link"
    second = link_in(admin.post(path, data={"csrf": csrf_of(admin)}).text)
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    clock.forward(SignInSettings().link_s + 1)
    assert stranger.get(second).status_code == 404
    admin = as_officer("admin")
    third = link_in(admin.post(path, data={"csrf": csrf_of(admin)}).text)
    assert move(admin, one.id, "dismiss") == 303
    assert stranger.get(third).status_code == 404


def test_a_link_cannot_be_used_from_another_sites_page(
    as_officer: Enter, stranger: TestClient
) -> None:
    link = link_in(add(as_officer("admin"))[1])
    body = {"form": "made-up", "new": CHOSEN, "again": CHOSEN}
    assert stranger.post(link, data=body).status_code == 403
    evil = {"origin": "https://evil.example"}
    assert stranger.post(link, data=body, headers=evil).status_code == 403
    # Stricter, browsers would call our own form's origin "null"; others never see the address.
    assert stranger.get(link).headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"login": "baisha"}, "已被使用"),
        ({"login": "黄"}, "账号只能"),
        ({"name": " "}, "请填写姓名"),
        ({"role": "mayor"}, "不能授予该角色"),
        ({"region": "440705"}, "不在您的管辖范围"),
        ({"region": "nowhere"}, "不在您的管辖范围"),
        ({"role": "operator"}, "须指定本辖区内的一家主体"),
        ({"role": "operator", "establishment": "tangxia-school"}, "须指定本辖区内的一家主体"),
        ({"establishment": "baisha-market"}, "其他角色不得指定"),
    ],
)
def test_what_may_not_be_given_is_refused_in_words(
    engine: Engine, as_officer: Enter, wish: dict[str, str], said: str
) -> None:
    with writing(engine) as conn:
        officers_region(engine, conn, "440703")
    status, text = add(as_officer("admin"), **wish)
    assert status == 422
    assert said in text


def officers_region(engine: Engine, conn: object, region: str) -> None:
    """Make the administrator one of a county, and another one of the whole tree."""
    from sqlalchemy import update

    from ledger.schema import officers as table

    changed = update(table).where(table.c.login == "admin").values(region=region)
    conn.execute(changed)  # type: ignore[attr-defined]


def test_whose_rights_change_is_signed_out_and_comes_back_with_the_new_ones(
    as_officer: Enter, engine: Engine
) -> None:
    admin, town = as_officer("admin"), as_officer("baisha")
    body = {"name": "黄嘉敏", "role": "grid", "region": "440703-baisha", "csrf": csrf_of(admin)}
    path = "/admin/people/officer-baisha"
    assert admin.post(path, data=body, follow_redirects=False).status_code == 303
    assert town.get("/alerts", follow_redirects=False).status_code == 303, "signed out"
    again = as_officer("baisha")
    assert again.get("/api/v1/me").json()["role"] == "grid"
    with reading(engine) as conn:
        entry = audit.entries(conn, 1, None, audit.Filter(action="officer_changed"))[0]
    assert '"role":"town"' in entry.detail and '"role":"grid"' in entry.detail
    assert entry.region == "440703-baisha"


def test_a_new_name_ends_no_session(as_officer: Enter) -> None:
    admin, town = as_officer("admin"), as_officer("baisha")
    body = {"name": "黄嘉敏二", "role": "town", "region": "440703-baisha", "csrf": csrf_of(admin)}
    admin.post("/admin/people/officer-baisha", data=body)
    assert "黄嘉敏二" in town.get("/me").text


def test_dismissal_is_at_once_and_shows_what_is_left_behind(
    as_officer: Enter, engine: Engine, app: FastAPI
) -> None:
    with writing(engine) as conn:
        span = (NOW + timedelta(days=1), NOW + timedelta(days=2))
        duties.add(conn, duties.Duty("440703-baisha", "officer-baisha", *span))
    admin, town = as_officer("admin"), as_officer("baisha")
    page = admin.get("/admin/people/officer-baisha").text
    assert "值班" in page and "白沙农贸市场" in page and "已签收未办结" in page
    assert move(admin, "officer-baisha", "dismiss") == 303
    assert town.get("/alerts", follow_redirects=False).status_code == 303
    assert sign_in(TestClient(app), "baisha") == 401
    assert move(admin, "officer-baisha", "restore") == 303
    assert sign_in(TestClient(app), "baisha") == 303


def test_nobody_dismisses_themselves_and_the_last_administrator_stays(
    as_officer: Enter, engine: Engine
) -> None:
    admin = as_officer("admin")
    assert move(admin, "officer-admin", "dismiss") == 422
    link = link_in(add(admin, login="second", role="admin", region="440700")[1])
    other = TestClient(admin.app)
    assert use(other, link, CHOSEN) == 303
    assert sign_in(other, "second", CHOSEN) == 303
    assert move(other, "officer-admin", "dismiss") == 303
    with reading(engine) as conn:
        second = officers.by_login(conn, "second")
    assert second is not None
    assert move(other, "officer-admin", "restore") == 303
    admin = as_officer("admin")
    body = NEW | {"role": "town", "csrf": csrf_of(admin)}
    assert admin.post(f"/admin/people/{second.id}", data=body).status_code == 200
    with writing(engine) as conn:
        officers.set_active(conn, second.id, True)
    text = admin.get("/admin/people").text
    assert "陈健" in text


def test_a_county_administrator_cannot_take_the_whole_trees_last_one(
    as_officer: Enter, engine: Engine
) -> None:
    county = link_in(add(as_officer("admin"), login="second", role="admin", region="440703")[1])
    other = TestClient(as_officer("admin").app)
    use(other, county, CHOSEN)
    sign_in(other, "second", CHOSEN)
    assert move(other, "officer-admin", "dismiss") == 404, "lies above"
    assert move(other, "officer-baisha", "dismiss") == 303


def test_a_locked_login_is_unlocked(as_officer: Enter, stranger: TestClient) -> None:
    for _ in range(SignInSettings().per_login):
        assert sign_in(stranger, "tangxia", "wrong-wrong") == 401
    assert sign_in(stranger, "tangxia") == 429
    admin = as_officer("admin")
    assert "登录已锁定" in admin.get("/admin/people/officer-tangxia").text
    assert move(admin, "officer-tangxia", "unlock") == 303
    assert sign_in(stranger, "tangxia") == 303


def test_who_must_change_the_password_can_do_nothing_else_first(
    as_officer: Enter, alert_ids: dict[str, str]
) -> None:
    admin, town = as_officer("admin"), as_officer("baisha")
    assert move(admin, "officer-baisha", "renew") == 303
    assert town.get("/alerts", follow_redirects=False).headers["location"] == "/me"
    refused = town.get("/api/v1/alerts")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("password-change-needed")
    page = town.get("/me").text
    assert "请先更改密码" in page
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    body = {"csrf": csrf[1], "old": PASSWORD, "new": PASSWORD, "again": PASSWORD}
    assert town.post("/me/password", data=body).status_code == 422, "the same again"
    body |= {"new": CHOSEN, "again": CHOSEN}
    assert town.post("/me/password", data=body, follow_redirects=False).status_code == 303
    assert town.get("/alerts").status_code == 200


def test_a_new_password_ends_every_other_session(as_officer: Enter, app: FastAPI) -> None:
    here, there = as_officer("baisha"), as_officer("baisha")
    body = {"csrf": csrf_of(here), "old": PASSWORD, "new": CHOSEN, "again": CHOSEN}
    assert here.post("/me/password", data=body, follow_redirects=False).status_code == 303
    assert here.get("/alerts", follow_redirects=False).status_code == 200
    assert there.get("/alerts", follow_redirects=False).status_code == 303
    assert sign_in(TestClient(app), "baisha") == 401
    assert sign_in(TestClient(app), "baisha", CHOSEN) == 303


def test_a_wrong_current_password_is_charged_like_a_wrong_sign_in(as_officer: Enter) -> None:
    client = as_officer("baisha")
    body = {"csrf": csrf_of(client), "old": "wrong-wrong", "new": CHOSEN, "again": CHOSEN}
    answers = [
        client.post("/me/password", data=body).status_code
        for _ in range(SignInSettings().per_login + 1)
    ]
    assert answers == [422] * SignInSettings().per_login + [429]


def test_one_sees_and_ends_ones_own_sessions_only(
    as_officer: Enter, engine: Engine, app: FastAPI
) -> None:
    here, there, other = as_officer("baisha"), as_officer("baisha"), as_officer("tangxia")
    with reading(engine) as conn:
        mine = sessions.of_officer(conn, "officer-baisha", NOW)
        theirs = sessions.of_officer(conn, "officer-tangxia", NOW)
    assert len(mine) == 2
    assert mine[0].address == "testclient"
    page = here.get("/me").text
    assert "本机" in page and "testclient" in page
    assert theirs[0].name not in page and theirs[0].token_hash not in page
    csrf = csrf_of(here)
    ended = here.post(f"/me/sessions/{theirs[0].name}/end", data={"csrf": csrf})
    assert ended.status_code == 404
    assert other.get("/alerts", follow_redirects=False).status_code == 200
    kept = token_hash(here.cookies["fs_session"])
    for one in mine:
        if one.token_hash == kept:
            continue
        here.post(f"/me/sessions/{one.name}/end", data={"csrf": csrf})
    assert there.get("/alerts", follow_redirects=False).status_code == 303
    assert here.get("/alerts", follow_redirects=False).status_code == 200


def test_signing_in_anew_ends_the_session_that_the_browser_had(
    as_officer: Enter, app: FastAPI
) -> None:
    client = as_officer("baisha")
    old = client.cookies["fs_session"]
    assert sign_in(client, "tangxia") == 303
    thief = TestClient(app, cookies={"fs_session": old})
    assert thief.get("/alerts", follow_redirects=False).status_code == 303


def test_the_language_is_kept_with_the_officer(as_officer: Enter, engine: Engine) -> None:
    client = as_officer("baisha")
    body = {"csrf": csrf_of(client), "language": "en"}
    assert "My account" not in client.get("/me").text
    client.post("/me/language", data=body)
    assert "Sign out" in client.get("/me").text
    with reading(engine) as conn:
        one = officers.get(conn, "officer-baisha")
    assert one is not None and one.language == "en"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("x" * 257, "long"),
        ("aaaaaaaaaaaaaa", "simple"),
        ("abcdefghijklmn", "simple"),
        ("9876543210987"[:10] + "abc", None),
        ("wxyzwxyzwxyz", "simple"),
        ("PassWord1234", "common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "common"),
        ("baisha-2026!", "own"),
        ("黄嘉敏黄嘉敏黄嘉敏黄嘉敏", "simple"),
        ("four words of rain", None),
        ("一碗云吞面配蚝油生菜最好吃", None),
    ],
)
def test_passwords_are_long_and_not_the_first_that_anybody_tries(
    password: str, why: str | None
) -> None:
    assert weakness(password, login="baisha", name="黄嘉敏") == why


def test_the_list_of_common_passwords_is_the_one_that_is_derived() -> None:
    assert COMMON.read_text("utf-8").split() == derived()
    assert len(common()) > 1000
    assert "foodsentry123" in common()
