"""Files of cases: by their hash, once, for ever; the list by what is due; second officers."""

import hashlib
from datetime import timedelta

import case_steps
import pytest
from case_steps import HOUR
from ledger_town import AT, OFFICER, READER, result

from contracts.casework import Given
from ledger import attachments, case_confirmations, case_desk, officers, results
from ledger.attachments import NewAttachment
from ledger.case_desk import Wanted
from ledger.cases import CaseRow
from ledger.engine import Connection, Engine, LedgerRefused, reading, writing
from ledger.officers import Officer, Role
from ledger.schema import attachment_contents
from ledger.schema import attachments as table

REGION = READER.region
NOW = AT + timedelta(days=1)
PHOTO = NewAttachment("photo", "现场.jpg", "image/jpeg", b"as it came", b"drawn anew", 64, 48)


def make_case(conn: Connection, number: int) -> CaseRow:
    new = result(number)
    results.add(conn, [new])
    return case_steps.of_result(conn, new.result_id, OFFICER, NOW + number * HOUR)


@pytest.fixture
def office(town: Engine) -> Engine:
    with writing(town) as conn:
        other = Officer(login="wang", name="王", role=Role.COUNTY, region="440703", id="wang")
        officers.add(conn, other)
    return town


def test_a_file_is_kept_as_it_came_and_equal_bytes_once(office: Engine) -> None:
    with writing(office) as conn:
        one, two = make_case(conn, 1), make_case(conn, 2)
        kept = attachments.add(conn, one.case_id, PHOTO, OFFICER, NOW)
        assert attachments.add(conn, one.case_id, PHOTO, OFFICER, NOW + HOUR) == kept
        by_other = attachments.add(conn, one.case_id, PHOTO, "wang", NOW)
        elsewhere = attachments.add(conn, two.case_id, PHOTO, OFFICER, NOW + HOUR)
    assert kept.sha256 == hashlib.sha256(b"as it came").hexdigest()
    assert (kept.size, kept.width, kept.height, kept.kind) == (10, 64, 48, "photo")
    with reading(office) as conn:
        assert attachments.content(conn, kept.sha256) == b"as it came"
        assert attachments.content(conn, kept.shown_sha256 or "") == b"drawn anew"
        assert {one.id for one in attachments.of_case(conn, one.case_id)} == {kept.id, by_other.id}
        assert attachments.of_case(conn, two.case_id) == [elsewhere]
        assert attachments.get(conn, kept.id) == kept and attachments.get(conn, "none") is None
        assert len(conn.execute(attachment_contents.select()).all()) == 2
        with pytest.raises(KeyError):
            attachments.content(conn, "0" * 64)


def test_the_database_refuses_to_change_or_remove_a_file(office: Engine) -> None:
    with writing(office) as conn:
        row = make_case(conn, 1)
        attachments.add(conn, row.case_id, PHOTO, OFFICER, NOW)
    for change in (
        table.delete(),
        table.update().values(name="anders"),
        attachment_contents.delete(),
        attachment_contents.update().values(content=b""),
    ):
        with (
            pytest.raises(LedgerRefused, match="never changed or removed"),
            writing(office) as conn,
        ):
            conn.execute(change)


def test_there_is_no_file_without_a_case(office: Engine) -> None:
    with pytest.raises(LedgerRefused, match="no case"), writing(office) as conn:
        attachments.add(conn, "none", PHOTO, OFFICER, NOW)


def test_the_list_goes_by_what_is_due_and_pages_join_to_the_whole(office: Engine) -> None:
    wanted = Wanted(regions=[REGION])
    with writing(office) as conn:
        made = [make_case(conn, number) for number in range(1, 8)]
        # Two owe nothing any more, one is held up by an appeal.
        for row in made[:2]:
            case_steps.step(conn, row, "dismiss", OFFICER, NOW + 9 * HOUR, note="无", second="wang")
        case_steps.step(conn, made[2], "appeal", OFFICER, NOW + 9 * HOUR, note="复议")
    with reading(office) as conn:
        whole = case_desk.find(conn, wanted, 50)
        due = [row.due_at for row in whole]
        told = [at for at in due if at]
        assert len(told) == 4 and told == sorted(told) and due[4:] == [None] * 3
        assert [row.number for row in whole[4:]] == sorted(
            (row.number for row in made[:3]), reverse=True
        )
        for size in (1, 2, 3):
            found: list[CaseRow] = []
            while page := case_desk.find(
                conn, wanted, size, case_desk.place(found[-1]) if found else None
            ):
                found += page
            assert found == whole
        late = Wanted(regions=[REGION], overdue_at=told[2])
        assert [row.due_at for row in case_desk.find(conn, late, 9)] == told[:2]
        assert case_desk.find(conn, Wanted(regions=["440705"]), 9) == []
        assert case_desk.find(conn, Wanted(regions=[REGION], kind="scene"), 9) == []
        assert case_desk.find(conn, Wanted(regions=[REGION], assignee="wang"), 9) == []
        counted = {one.state: one for one in case_desk.tally(conn, wanted, told[2], "wang")}
    assert {name: one.count for name, one in counted.items()} == {"lead": 5, "not_founded": 2}
    assert (counted["lead"].overdue, counted["lead"].mine) == (2, 0)


def test_a_step_waits_for_its_second_officer_until_the_case_moves_on(office: Engine) -> None:
    given = Given(note="核实", second="wang")
    with writing(office) as conn:
        row = make_case(conn, 1)
        first = case_confirmations.ask(conn, row.case_id, 1, "verify", given, OFFICER, NOW)
        again = case_confirmations.ask(conn, row.case_id, 1, "verify", given, OFFICER, NOW + HOUR)
    with writing(office) as conn:
        (waiting,) = case_confirmations.waiting_for(conn, "wang", [REGION])
        assert waiting == again and waiting.given == given
        told = case_confirmations.get(conn, first.id)
        assert told is not None and told.answer == "withdrawn", "asked anew, the older is void"
        assert case_confirmations.waiting_for(conn, "wang", ["440705"]) == []
        assert case_confirmations.waiting_for(conn, OFFICER, [REGION]) == []
        case_steps.step(conn, row, "appeal", OFFICER, NOW + 2 * HOUR, note="复议")
        assert case_confirmations.waiting_for(conn, "wang", [REGION]) == [], "it has moved on"
        assert case_confirmations.answer(conn, again.id, "declined", NOW + 3 * HOUR, "不在场")
        assert not case_confirmations.answer(conn, again.id, "confirmed", NOW + 3 * HOUR)
        kept = case_confirmations.of_case(conn, row.case_id)
    assert [(one.answer, one.note) for one in kept] == [("withdrawn", ""), ("declined", "不在场")]
