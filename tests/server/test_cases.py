"""Cases in the console: their way through officers' hands, files, scope, clashes, publication."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, Clock, TestClient, csrf_of
from test_pages import shown
from upload_files import pdf, photo, picture

from ledger import alerts, attachments, audit, case_confirmations, case_lists, cases
from ledger.engine import Engine, reading, writing

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]
PDF = ("文书.pdf", pdf(), "application/pdf")
JPEG = ("现场.jpg", photo(), "image/jpeg")


def version_of(engine: Engine, case_id: str) -> str:
    with reading(engine) as conn:
        row = cases.get(conn, case_id)
    assert row is not None
    return str(row.version)


class Desk:
    """An officer at a browser with script."""

    def __init__(self, client: TestClient, engine: Engine) -> None:
        self.client, self.engine = client, engine
        self.csrf = csrf_of(client)

    def post(self, path: str, files: object = None, **fields: str) -> tuple[int, str]:
        head = {"x-csrf-token": self.csrf, "hx-request": "true"}
        answer = self.client.post(path, headers=head, data=fields, files=files)
        return answer.status_code, shown(answer.text)

    def move(self, case_id: str, move: str, files: object = None, **fields: str) -> tuple[int, str]:
        fields.setdefault("version", version_of(self.engine, case_id))
        return self.post(f"/cases/{case_id}/moves/{move}", files, **fields)

    def text(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return shown(answer.text)

    def confirm(self, case_id: str) -> tuple[int, str]:
        with reading(self.engine) as conn:
            waiting = [one for one in case_confirmations.of_case(conn, case_id) if not one.answer]
        return self.post(f"/cases/{case_id}/confirmations/{waiting[-1].id}/confirm")


@pytest.fixture
def town_desk(as_officer: Enter, engine: Engine) -> Desk:
    return Desk(as_officer("baisha"), engine)


@pytest.fixture
def county_desk(as_officer: Enter, engine: Engine) -> Desk:
    return Desk(as_officer("pengjiang"), engine)


def local(clock: Clock) -> str:
    """Now, as a form's field has it."""
    return (clock.at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


def opened(desk: Desk, alert_id: str) -> str:
    head = {"x-csrf-token": desk.csrf}
    answer = desk.client.post(f"/alerts/{alert_id}/case", headers=head, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"].removeprefix("/cases/")


def test_a_case_goes_through_two_officers_hands_from_alert_to_review(
    town_desk: Desk, county_desk: Desk, alert_ids: dict[str, str], engine: Engine, clock: Clock
) -> None:
    page = town_desk.text(f"/alerts/{alert_ids['positive']}")
    assert "立为处置单" in page
    case_id = opened(town_desk, alert_ids["positive"])
    assert opened(town_desk, alert_ids["positive"]) == case_id, "there is one already"
    assert "查看处置单" in town_desk.text(f"/alerts/{alert_ids['positive']}")
    text = town_desk.text(f"/cases/{case_id}")
    assert "67.31" in text and "7e 11 14 00" in text, "the value and the instrument's bytes"
    assert "还剩" in text and "考核" in text, "a clock with what it rests on"
    # A step that needs two waits for the second one, who signs in as themselves.
    clock.forward(60)
    status, said = town_desk.move(case_id, "verify", note="核实", second="officer-baisha")
    assert status == 422 and "两名人员不能是同一人" in said
    assert town_desk.move(case_id, "verify", note="核实", second="officer-pengjiang")[0] == 204
    assert version_of(engine, case_id) == "1", "not made yet"
    assert "等您以第二名执法人员身份确认" in county_desk.text("/cases")
    assert "等您以第二名" not in town_desk.text("/cases")
    assert "确认：本人在场" in county_desk.text(f"/cases/{case_id}")
    assert "确认：本人在场" not in town_desk.text(f"/cases/{case_id}")
    assert town_desk.confirm(case_id)[0] == 404, "nobody confirms for another"
    assert county_desk.confirm(case_id)[0] == 204
    assert version_of(engine, case_id) == "2"
    assert "核查成案 黄嘉敏、陈志强" in town_desk.text(f"/cases/{case_id}")
    assert county_desk.move(case_id, "dispatch", assignee="officer-baisha")[0] == 204
    assert town_desk.move(case_id, "accept")[0] == 204
    status, said = town_desk.move(case_id, "destroy", note="销毁 12 kg", second="officer-pengjiang")
    assert status == 422 and "缺少：照片" in said
    files = [("photo", JPEG), ("photo", ("b.png", picture("PNG"), "image/png"))]
    told = {"note": "销毁 12 kg", "second": "officer-pengjiang"}
    assert town_desk.move(case_id, "destroy", files, **told)[0] == 204
    assert county_desk.confirm(case_id)[0] == 204
    assert town_desk.move(case_id, "report", [("file", PDF)], note="处置完毕")[0] == 204
    status, said = town_desk.move(case_id, "approve")
    assert status == 409 and "经办人以外" in said
    assert county_desk.move(case_id, "approve")[0] == 204
    with reading(engine) as conn:
        row = cases.get(conn, case_id)
        assert row is not None and row.state == "reviewed"
        kept = attachments.of_case(conn, case_id)
        assert sorted(one.kind for one in kept) == ["document", "photo", "photo"]
        alert = alerts.get(conn, alert_ids["positive"])
        assert alert is not None and alert.state.value == "reviewed", "the alert goes along"
        actions = [one.action for one in audit.entries(conn, 60)]
        assert audit.verify(conn).broken_id is None
    assert {"case_moved", "case_file_added", "case_confirmed"} <= set(actions)


def test_what_is_wrong_with_each_file_is_said_and_nothing_is_kept(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    files = [
        ("photo", JPEG),
        ("photo", ("坏.jpg", photo()[:200], "image/jpeg")),
        ("photo", ("网页.jpg", b"<html><script>alert(1)</script>", "image/jpeg")),
        ("photo", PDF),
        ("file", ("脚本.pdf", pdf(b"<< /S /JavaScript /JS (1) >>"), "application/pdf")),
    ]
    with reading(engine) as conn:
        before = attachments.of_case(conn, key)
    status, said = town_desk.move(key, "stop_sale", files, note="暂停销售")
    assert status == 422
    for word in ("“坏.jpg”打不开", "“网页.jpg”不是", "“文书.pdf”不是照片", "（JavaScript）"):
        assert word in said
    assert "现场.jpg" not in said
    many = [("file", (f"{n}.jpg", photo(), "image/jpeg")) for n in range(7)]
    status, said = town_desk.move(key, "stop_sale", many, note="暂停销售")
    assert status == 422 and "最多 6 个" in said
    for fields in ({"happened_at": "yesterday"}, {"verdict": "perhaps"}, {"note": "长" * 2001}):
        assert town_desk.move(key, "stop_sale", **fields)[0] == 422
    with reading(engine) as conn:
        assert attachments.of_case(conn, key) == before


def test_without_script_the_page_comes_back_with_what_was_filled_in(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    fields = {
        "csrf": town_desk.csrf, "version": version_of(engine, key), "note": "样品已封存送检",
        "lab": "白沙快检室", "method": "statutory", "deadline": "2026-03-20T10:00",
    }  # fmt: skip
    answer = town_desk.client.post(f"/cases/{key}/moves/order_confirmation", data=fields)
    assert answer.status_code == 422
    assert re.search(r'<details class="step" id="move-order_confirmation" open>', answer.text)
    for value in ("样品已封存送检", 'value="白沙快检室"', "此步骤不需要：期限"):
        assert value in answer.text
    del fields["deadline"]
    post = town_desk.client.post
    answer = post(f"/cases/{key}/moves/order_confirmation", data=fields, follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == f"/cases/{key}"
    wrong = post(f"/cases/{key}/moves/appeal", data=fields | {"csrf": "x"}, files={"file": JPEG})
    assert wrong.status_code == 403


def test_files_are_handed_out_safely_and_every_look_is_audited(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    assert town_desk.move(key, "stop_sale", [("file", JPEG), ("file", PDF)], note="停")[0] == 204
    with reading(engine) as conn:
        one, two = attachments.of_case(conn, key)[-2:]
    jpeg, paper = sorted((one, two), key=lambda file: file.kind, reverse=True)
    page = town_desk.client.get(f"/cases/{key}").text
    assert f'src="/cases/{key}/files/{jpeg.id}/shown"' in page and "现场.jpg" in page
    picture_ = town_desk.client.get(f"/cases/{key}/files/{jpeg.id}/shown")
    assert picture_.headers["content-type"] == "image/jpeg"
    assert b"SecretPhoneMaker" not in picture_.content
    whole = town_desk.client.get(f"/cases/{key}/files/{jpeg.id}")
    assert whole.content == JPEG[1] and b"SecretPhoneMaker" in whole.content
    for answer in (picture_, whole):
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    told = whole.headers["content-disposition"]
    assert told == "attachment; filename=\"__.jpg\"; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.jpg"
    assert town_desk.client.get(f"/cases/{key}/files/{paper.id}/shown").status_code == 404
    paper_ = town_desk.client.get(f"/cases/{key}/files/{paper.id}")
    assert paper_.headers["content-disposition"].startswith("attachment; ")
    other = case_ids["published"]
    assert town_desk.client.get(f"/cases/{other}/files/{jpeg.id}").status_code == 404
    with reading(engine) as conn:
        seen = [(one.action, one.subject) for one in audit.entries(conn, 4)]
    assert seen[0] == ("case_file_downloaded", f"case/{key}")
    assert ("case_file_viewed", f"case/{key}") in seen


def test_of_two_who_move_at_once_one_wins_and_the_other_is_told(
    as_officer: Enter, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    desks = [Desk(as_officer(login), engine) for login in ("baisha", "pengjiang", "shiju")]
    version = version_of(engine, key)
    told: list[tuple[int, str]] = []
    start = threading.Barrier(len(desks))

    def go(desk: Desk) -> None:
        start.wait()
        told.append(desk.move(key, "stop_sale", [("file", JPEG)], version=version, note="停"))

    movers = [threading.Thread(target=go, args=(desk,)) for desk in desks]
    for one in movers:
        one.start()
    for one in movers:
        one.join()
    assert sorted(status for status, _ in told) == [204, 409, 409]
    assert all("已被他人更新" in said for status, said in told if status == 409)
    assert version_of(engine, key) == str(int(version) + 1)


def test_a_form_sent_twice_is_made_once(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key, version = case_ids["inhand"], version_of(engine, case_ids["inhand"])
    for _ in range(2):
        told = {"version": version, "key": "the-form's-own", "note": "停"}
        assert town_desk.move(key, "stop_sale", **told)[0] == 204
    assert version_of(engine, key) == str(int(version) + 1)


def test_a_confirmation_is_void_once_the_case_has_moved_on(
    town_desk: Desk, county_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    files = [("document", PDF)]
    assert town_desk.move(key, "seal", files, second="officer-pengjiang")[0] == 204
    assert county_desk.move(key, "stop_sale", note="停")[0] == 204
    assert "等您以第二名" not in county_desk.text("/cases")
    status, said = county_desk.confirm(key)
    assert status == 409 and "已被他人更新" in said
    assert "已失效" in county_desk.text(f"/cases/{key}")
    # Asked anew, declined with a reason, asked again, withdrawn.
    assert town_desk.move(key, "seal", files, second="officer-pengjiang")[0] == 204
    with reading(engine) as conn:
        asked = [one for one in case_confirmations.of_case(conn, key) if not one.answer][-1]
    head = {"x-csrf-token": county_desk.csrf}
    path = f"/cases/{key}/confirmations/{asked.id}/decline"
    assert county_desk.client.post(path, headers=head, data={"note": "不在场"}).status_code == 200
    assert county_desk.client.post(path, headers=head, data={"note": "不"}).status_code == 409
    assert town_desk.move(key, "seal", files, second="officer-pengjiang")[0] == 204
    with reading(engine) as conn:
        asked = [one for one in case_confirmations.of_case(conn, key) if not one.answer][-1]
    path = f"/cases/{key}/questions/{asked.id}/withdraw"
    assert county_desk.post(path)[0] == 404, "only whoever asked"
    assert town_desk.post(path)[0] == 200


def test_the_list_is_filtered_by_its_address_and_by_ones_region(
    town_desk: Desk, as_officer: Enter, case_ids: dict[str, str], alert_ids: dict[str, str]
) -> None:
    def listed(client: TestClient, query: str = "") -> set[str]:
        found = re.findall(r'data-case="([0-9a-f]+)"', client.get(f"/cases{query}").text)
        named = {one: name for name, one in case_ids.items()}
        return {named.get(one, one) for one in found}

    city, xinhui = as_officer("shiju"), as_officer("xinhui")
    assert listed(city) == {"inhand", "lead"}
    assert listed(city, "?state=all") == {"inhand", "lead", "published", "warned"}
    assert listed(city, "?state=published") == {"published"}
    assert listed(city, "?state=closed") == {"warned"}
    assert listed(city, "?state=all&region=440705") == {"lead"}
    assert listed(city, "?state=all&kind=scene") == set()
    assert listed(city, "?overdue=1&state=all") == {"inhand"}
    assert listed(city, "?mine=1") == set() and listed(town_desk.client, "?mine=1") == {"inhand"}
    assert listed(xinhui, "?state=all") == {"lead"}
    assert listed(xinhui, "?state=all&region=440703") == {"lead"}, "out of sight narrows nothing"
    assert city.get("/cases?state=perhaps").status_code == 422
    assert city.get("/cases?before=perhaps").status_code == 422
    assert xinhui.get(f"/cases/{case_ids['inhand']}").status_code == 404
    first = city.get("/cases?state=all").text
    assert first.index(case_ids["inhand"]) < first.index(case_ids["lead"]), "overdue comes first"


def test_why_not_is_said_for_what_cannot_be_done(town_desk: Desk, case_ids: dict[str, str]) -> None:
    text = town_desk.text(f"/cases/{case_ids['inhand']}")
    assert "现在不能办理的步骤及原因" in text
    assert "处置单现为“处置中”，不能进行此步骤" in text and "您的角色不能进行此步骤" in text
    looker = town_desk.text(f"/cases/{case_ids['warned']}")
    assert "依法不予公示" in looker


def test_only_what_the_law_publishes_is_public_and_no_longer_than_it_says(
    stranger: TestClient, county_desk: Desk, case_ids: dict[str, str], engine: Engine, clock: Clock
) -> None:
    def public(query: str = "") -> str:
        return shown(stranger.get(f"/p/code-baisha-market{query}").text)

    with reading(engine) as conn:
        row, warned = (cases.get(conn, case_ids[name]) for name in ("published", "warned"))
    assert row is not None and warned is not None
    assert row.case_number in public() and "通报批评、较低数额罚款" in public()
    assert "Published penalties" in public("?lang=en")
    assert warned.case_number not in public(), "a warning never"
    status, said = county_desk.move(warned.case_id, "publish")
    assert status == 409 and "依法不予公示" in said
    before = clock.at
    clock.at = NOW + timedelta(days=95)
    assert row.case_number not in public(), "three months are over"
    clock.at = before
    # Annulled, it is gone at once; withdrawing says why.
    told = {"note": "复议撤销", "happened_at": local(clock)}
    assert county_desk.move(row.case_id, "annul", [("document", PDF)], **told)[0] == 204
    assert row.case_number not in public()
    assert county_desk.move(row.case_id, "withdraw", note="决定已撤销")[0] == 204
    with reading(engine) as conn:
        assert case_lists.publications(conn, "baisha-market", clock.at) == []


def test_a_result_has_a_page_and_opens_a_case(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    place = town_desk.client.get("/establishments/baisha-market").text
    assert f'href="/cases/{case_ids["published"]}"' in place, "the file of the place names cases"
    found = re.search(r'href="(/results/[0-9a-f]+)"', place)
    assert found is not None
    text = town_desk.text(found[1])
    assert "SHA-256" in text and "立为处置单" in text
    head = {"x-csrf-token": town_desk.csrf}
    answer = town_desk.client.post(
        found[1] + "/case", headers=head, data={"kind": "food_test"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert "其他食品快检" in town_desk.text(answer.headers["location"])


def test_a_case_that_others_changed_says_so(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    page = town_desk.client.get(f"/cases/{key}").text
    assert f'data-live="/cases/{key}/live"' in page
    assert f'hx-get="/cases/{key}/changed" hx-trigger="changed from:body"' in page
    said = town_desk.text(f"/cases/{key}/changed")
    assert "此处置单刚刚有变动，现为“处置中”" in said


def test_an_auditor_looks_and_does_nothing(as_officer: Enter, case_ids: dict[str, str]) -> None:
    client = as_officer("shenji")
    text = client.get(f"/cases/{case_ids['inhand']}").text
    assert "您的角色只能查看" in text and "/moves/" not in text


def test_writing_is_whole_or_not_at_all(
    town_desk: Desk, case_ids: dict[str, str], engine: Engine
) -> None:
    with writing(engine) as conn:
        before = len(attachments.of_case(conn, case_ids["inhand"]))
    told = {"note": "x", "version": "1"}
    status, _ = town_desk.move(case_ids["inhand"], "stop_sale", [("file", JPEG)], **told)
    assert status == 409
    with reading(engine) as conn:
        assert len(attachments.of_case(conn, case_ids["inhand"])) == before
