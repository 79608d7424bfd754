"""The establishment in its own case: what it sees, what it may do, and nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from case_steps import of_alert, step
from console_app import Clock, TestClient
from test_cases import JPEG, PDF, Desk
from upload_files import picture

from contracts.casework_file import read_casework
from ledger import attachments, audit, cases, officers
from ledger.cases import CaseRow
from ledger.engine import Engine, reading, writing
from ledger.officers import Officer, Role

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]
BAISHA, PENGJIANG = "officer-baisha", "officer-pengjiang"
SECRET = "内部研判：疑似多次违规"


@pytest.fixture
def ordered(engine: Engine, case_ids: dict[str, str], clock: Clock) -> CaseRow:
    """The market's case, with a rectification order and a note among officers."""
    with writing(engine) as conn:
        row = cases.get(conn, case_ids["inhand"])
        assert row is not None and row.establishment_id == "baisha-market"
        row = step(
            conn, row, "add_evidence", BAISHA, clock.at, "photo", note=SECRET, second=PENGJIANG,
            content=b"inner photo",
        )  # fmt: skip
        return step(
            conn, row, "order_rectification", BAISHA, clock.at, "document",
            note="三日内更换破损冷柜", deadline=clock.at + timedelta(days=3),
        )  # fmt: skip


@pytest.fixture
def party(as_officer: Enter, engine: Engine) -> Desk:
    return Desk(as_officer("shichang"), engine)


@pytest.fixture
def town_desk(as_officer: Enter, engine: Engine) -> Desk:
    return Desk(as_officer("baisha"), engine)


def api(desk: Desk, path: str, **body: object) -> tuple[int, dict[str, object]]:
    head = {"x-csrf-token": desk.csrf}
    answer = desk.client.post(f"/api/v1{path}", json=body, headers=head)
    return answer.status_code, answer.json()


def test_it_sees_what_is_asked_and_no_word_of_the_office(
    party: Desk, ordered: CaseRow, engine: Engine
) -> None:
    page = party.text(f"/cases/{ordered.case_id}")
    assert "三日内更换破损冷柜" in page and "须在" in page and "责令改正期限" in page
    assert "未核实" in page  # the law behind the order is marked
    whole = party.client.get(f"/api/v1/cases/{ordered.case_id}").json()
    told = party.client.get("/api/v1/cases").json()
    text = party.client.get(f"/cases/{ordered.case_id}").text + str(whole) + str(told)
    with reading(engine) as conn:
        known = officers.list_in(conn, ["440703", "440703-baisha", "440700"])
        files = attachments.of_case(conn, ordered.case_id)
    for officer in known:
        if officer.login != "shichang":
            assert officer.name not in text and officer.id not in text
    for word in (SECRET, "处置并提交证明", "核查成案"):
        assert word not in text
    inner = next(one for one in files if one.size == len(b"inner photo"))
    assert inner.id not in text
    for path in ("", "/shown"):
        assert (
            party.client.get(f"/cases/{ordered.case_id}/files/{inner.id}{path}").status_code == 404
        )
    assert party.client.get(f"/api/v1/cases/{ordered.case_id}/files/{inner.id}").status_code == 404
    order = next(
        one for one in files if one.kind == "document" and one.id in text and one.id != inner.id
    )
    served = party.client.get(f"/cases/{ordered.case_id}/files/{order.id}")
    assert served.status_code == 200
    assert [one["id"] for one in whole["moves"]] == [
        one.id for one in read_casework().moves.values()
        if "operator" in one.by and one.is_of(ordered.kind)
    ]  # fmt: skip
    assert {one["role"] for one in whole["clocks"]} <= {"right", "duty"}
    assert whole["due_clock"] in ("rectification", "objection") and whole["assignee"] == ""


def test_it_proves_a_rectification_and_officers_answer(
    party: Desk, town_desk: Desk, ordered: CaseRow, engine: Engine, clock: Clock
) -> None:
    key = ordered.case_id
    assert party.move(key, "prove_rectification", note="已更换冷柜")[0] == 422  # without a picture
    bad = {"file": ("坏.jpg", b"not a picture", "image/jpeg")}
    status, said = party.move(key, "prove_rectification", bad, note="已更换冷柜")
    assert status == 422 and "坏.jpg" in said
    good = [("file", ("一.jpg", picture(size=(8, 6)), "image/jpeg")), ("file", JPEG)]
    assert party.move(key, "prove_rectification", good, note="已更换冷柜", key="k1")[0] == 204
    assert (
        party.move(key, "prove_rectification", good, note="已更换冷柜", key="k1", version="9")[0]
        == 204
    )
    page = party.text(f"/cases/{key}")
    assert "等待监管人员处理" in page and "move-prove_rectification" not in page
    assert "伍国权" in page  # its own people it does see
    assert party.move(key, "prove_rectification", good, note="再交")[0] == 409
    later = (clock.at + timedelta(days=2, hours=8)).strftime("%Y-%m-%dT%H:%M")
    assert town_desk.move(key, "return_proof", note="看不清型号", deadline=later)[0] == 204
    assert "看不清型号" in party.text(f"/cases/{key}")
    assert party.move(key, "prove_rectification", {"file": JPEG}, note="补拍铭牌")[0] == 204
    shown = town_desk.text(f"/cases/{key}")
    assert "补拍铭牌" in shown and "认可整改证明" in shown
    assert town_desk.move(key, "accept_proof", note="已整改到位")[0] == 204
    assert "已整改到位" in party.text(f"/cases/{key}")
    with reading(engine) as conn:
        row = cases.get(conn, key)
        proofs = [one for one in cases.events_of(conn, key) if one.move == "prove_rectification"]
        booked = [one for one in audit.entries(conn, limit=400) if one.subject == f"case/{key}"]
    assert row is not None and [len(one.given.files) for one in proofs] == [2, 1]
    assert all(one.counts_at == one.at for one in proofs)
    assert {"case_moved", "case_file_added", "evidence_viewed"} <= {
        one.action for one in booked if one.actor == "officer-shichang"}  # fmt: skip


def test_it_makes_no_step_of_the_office_and_names_no_officer(
    party: Desk, ordered: CaseRow, engine: Engine
) -> None:
    key = ordered.case_id
    moves = [one for one in read_casework().moves.values() if "operator" not in one.by]
    for move in moves:
        assert party.move(key, move.id, {"file": PDF}, note="x")[0] in (409, 422), move.id
    assert api(party, f"/cases/{key}/moves/close", version=ordered.version)[0] == 409
    for who in (BAISHA, PENGJIANG):
        status, _ = party.move(key, "lodge_appeal", note="不服", second=who)
        assert status == 422
    with reading(engine) as conn:
        row = cases.get(conn, key)
        inner = attachments.of_case(conn, key)
    assert row is not None and row.version == ordered.version
    # It cannot make an officer's file its own by handing it in.
    hidden = next(one for one in inner if one.size == len(b"inner photo"))
    status, said = party.move(key, "prove_rectification", note="x", staged=hidden.id)
    assert status == 422 and hidden.id in said
    status, _ = api(party, f"/cases/{key}/moves/prove_rectification", note="x",
                       files=[hidden.id], version=ordered.version)  # fmt: skip
    assert status == 422
    for path in ("/alerts/x/case", "/results/x/case"):
        assert party.post(path)[0] == 403
    assert api(party, "/cases", alert_id="x")[0] == 403


def test_it_objects_within_its_hours_and_appeals_without_holding_anything_up(
    party: Desk, town_desk: Desk, ordered: CaseRow, engine: Engine, clock: Clock
) -> None:
    key = ordered.case_id
    assert "快检异议" in party.text("/cases")  # served three hours ago
    clock.at += timedelta(minutes=30)
    assert party.move(key, "object", happened_at="2026-03-12T10:00")[0] == 422  # it counts from now
    status, _ = api(party, f"/cases/{key}/moves/object", version=ordered.version, note="要求复检")
    assert status == 200
    clock.at += timedelta(hours=2)
    assert party.move(key, "object")[0] == 409
    assert party.move(key, "lodge_appeal", note="申请行政复议")[0] == 204
    with reading(engine) as conn:
        row = cases.get(conn, key)
    assert row is not None and row.paused_since is None and row.due_at is not None
    assert town_desk.move(key, "appeal", note="已受理")[0] == 204
    with reading(engine) as conn:
        row = cases.get(conn, key)
    assert row is not None and row.paused_since == clock.at
    assert party.move(key, "lodge_appeal", note="补充理由")[0] == 204
    assert town_desk.move(key, "refuse_appeal", note="重复申请")[0] == 204


def test_another_establishment_sees_nothing_of_it(
    as_officer: Enter, ordered: CaseRow, engine: Engine, case_ids: dict[str, str]
) -> None:
    with writing(engine) as conn:
        found = officers.get(conn, "officer-shichang")
        assert found is not None
        officers.add(conn, Officer(
            login="lin", name="林", role=Role.OPERATOR, region="440703-tangxia",
            id="officer-lin", establishment_id="tangxia-school",
            password_hash=found.password_hash,
        ))  # fmt: skip
    other = Desk(as_officer("lin"), engine)
    assert ordered.case_number not in other.text("/cases?state=all")
    assert other.client.get("/api/v1/cases").json()["items"] == []
    for path in (f"/cases/{ordered.case_id}", f"/cases/{ordered.case_id}/changed",
                 f"/api/v1/cases/{ordered.case_id}"):  # fmt: skip
        assert other.client.get(path).status_code == 404
    assert other.move(ordered.case_id, "lodge_appeal", note="x")[0] == 404


def test_files_are_added_only_while_there_is_something_to_hand_in(
    party: Desk, ordered: CaseRow, engine: Engine, clock: Clock, alert_ids: dict[str, str]
) -> None:
    head = {"x-csrf-token": party.csrf}
    sent = {"photo": JPEG}
    path = f"/api/v1/cases/{ordered.case_id}/files"
    answer = party.client.post(path, files=sent, headers=head)
    assert answer.status_code == 201
    (item,) = answer.json()["items"]
    status, _ = api(party, f"/cases/{ordered.case_id}/moves/prove_rectification",
                    note="见照片", files=[item["id"]], version=ordered.version)  # fmt: skip
    assert status == 200
    with writing(engine) as conn:
        row = of_alert(conn, alert_ids["positive"], BAISHA, clock.at)
        row = step(conn, row, "cancel", PENGJIANG, clock.at, note="误建")
    answer = party.client.post(f"/api/v1/cases/{row.case_id}/files", files=sent, headers=head)
    assert answer.status_code == 409


def test_what_officers_write_in_a_case_does_not_come_out_by_its_alert(
    party: Desk, town_desk: Desk, ordered: CaseRow, engine: Engine
) -> None:
    assert town_desk.move(ordered.case_id, "report", {"file": JPEG}, note=SECRET)[0] == 204
    with reading(engine) as conn:
        (alert,) = cases.alerts_of(conn, ordered.case_id)
    for path in (f"/alerts/{alert.alert_id}", f"/api/v1/alerts/{alert.alert_id}"):
        told = party.client.get(path)
        assert told.status_code == 200 and SECRET not in told.text
