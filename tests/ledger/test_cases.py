"""Cases in the ledger: opened once, moved by who saw them as they are, never lost."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ledger_town import AT, MARKET, OFFICER, after, alert, result

import foodsentry
from contracts.casework import CaseKind, FileRef, Finding, Given
from contracts.casework_clocks import Casework
from contracts.casework_file import read_casework
from contracts.casework_moves import refs
from contracts.words import AlertState
from contracts.workdays import Calendar
from ledger import alerts, audit, case_proof, cases, journal, officers, results
from ledger.cases import CaseRefused, CaseRow
from ledger.engine import Connection, Engine, writing
from ledger.officers import Officer, Role

CONFIGS = Path(foodsentry.__file__).parents[1] / "firmware_configs"
WORK = Casework(read_casework(), Calendar.read(CONFIGS / "calendars"))
FILES = (
    FileRef("f-photo", "photo", "a" * 64),
    FileRef("f-document", "document", "b" * 64),
    FileRef("f-report", "report", "c" * 64),
)
PEOPLE = {
    "wang": Officer(id="wang", login="wang", name="王", role=Role.COUNTY, region="440703"),
    "chen": Officer(id="chen", login="chen", name="陈", role=Role.TOWN, region="440703-tangxia"),
    "far": Officer(id="far", login="far", name="远", role=Role.TOWN, region="440705"),
    "gone": Officer(
        id="gone", login="gone", name="离", role=Role.TOWN, region="440703-tangxia", active=False
    ),
    "stall": Officer(
        id="stall",
        login="stall",
        name="摊",
        role=Role.OPERATOR,
        region="440703-tangxia",
        establishment_id=MARKET,
    ),
}


def files_of(_conn: Connection, _case_id: str) -> tuple[FileRef, ...]:
    return FILES


class Story:
    """One case, moved along; each move a minute after the one before."""

    def __init__(self, conn: Connection, row: CaseRow, at: datetime = AT) -> None:
        self.conn, self.row, self.at = conn, row, at

    def go(self, move: str, who: str = OFFICER, **given: Any) -> CaseRow:
        self.at += timedelta(minutes=1)
        officer = officers.get(self.conn, who)
        assert officer is not None
        files = refs(given.pop("files", ()))
        self.row = cases.move(
            self.conn, WORK, self.row.case_id, move, Given(files=files, **given), officer, self.at,
            version=self.row.version, files_of=files_of,
        )  # fmt: skip
        return self.row

    def refused(self, move: str, who: str = OFFICER, **given: Any) -> set[str]:
        before = self.at
        with pytest.raises(CaseRefused) as caught:
            self.go(move, who, **given)
        self.at = before
        return {reason.code for reason in caught.value.refusal.reasons}


@pytest.fixture
def office(town: Engine) -> Engine:
    with writing(town) as conn:
        for officer in PEOPLE.values():
            officers.add(conn, officer)
        results.add(conn, [result()])
    return town


def li(conn: Connection) -> Officer:
    found = officers.get(conn, OFFICER)
    assert found is not None
    return found


def open_result(conn: Connection, at: datetime = AT + timedelta(minutes=5)) -> Story:
    row, new = cases.open_from_result(conn, WORK, result().result_id, li(conn), at)
    assert new
    return Story(conn, row, at)


def test_from_the_alert_to_the_publication(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(result_id=result().result_id), AT)
        row, new = cases.open_from_alert(conn, WORK, alert_id, li(conn), after(60))
        assert new and row.case_number == "440703-2026-0001"
        assert (row.kind, row.state, row.finding) == (CaseKind.PRODUCE_TEST, "lead", "suspect")
        assert row.due_at == row.known_at + timedelta(hours=72)
        one = Story(conn, row, after(60))
        one.go("verify", note="现场核对", second="chen")
        one.go("serve_result", files=["f-document"], happened_at=one.at)
        one.go("order_confirmation", lab="江门市检验中心", method="statutory")
        one.go("dispatch", "wang", assignee=OFFICER)
        one.go("accept")
        one.go("stop_sale", note="停止销售该批次")
        one.go("destroy", note="销毁 12 kg", second="chen", files=["f-photo"])
        assert one.refused("report", note="已销毁") == {"missing"}
        one.go("report", note="已销毁", files=["f-photo"])
        assert alerts.get(conn, alert_id).state is AlertState.DISPOSING
        assert one.refused("approve") == {"four_eyes"}
        one.go("approve", "wang")
        assert alerts.get(conn, alert_id).state is AlertState.REVIEWED
        with pytest.raises(alerts.AlertConflict, match=row.case_number):
            alerts.close(conn, alert_id, "wang", one.at)
        fined: dict[str, Any] = {"outcome": "minor", "note": "罚款", "files": ["f-document"]}
        early = one.refused("close", "wang", happened_at=one.at, **fined)
        assert early == {"finding", "unsettled", "right_running"}
        one.at += timedelta(hours=6)
        one.go("record_confirmation", happened_at=one.at, files=["f-report"], method="statutory",
               verdict="fails")  # fmt: skip
        assert one.row.finding is Finding.ESTABLISHED
        one.go("serve_report", files=["f-document"], happened_at=one.at)
        one.at += timedelta(days=12)
        one.go("close", "wang", happened_at=one.at, **fined)
        assert alerts.get(conn, alert_id).state is AlertState.CLOSED
        assert one.row.due_clock == "publication"
        assert cases.publications(conn, MARKET, one.at) == []
        assert one.refused("publish") == {"role"}
        one.go("publish", "wang")
        (shown,) = cases.publications(conn, MARKET, one.at)
        assert shown.case_number == row.case_number
        assert cases.publications(conn, MARKET, shown.expires_at - timedelta(seconds=1)) == [shown]
        assert cases.publications(conn, MARKET, shown.expires_at) == []
        assert cases.expire_due(conn, WORK, shown.expires_at - timedelta(seconds=1)) == []
        assert cases.expire_due(conn, WORK, shown.expires_at) == [row.case_id]
        assert cases.expire_due(conn, WORK, shown.expires_at) == []
        assert cases.get(conn, row.case_id).state == "expired"
        assert case_proof.verify(conn) == (15, [])
        assert audit.verify(conn).broken_id is None
        kinds = [r.body["event"] for r in journal.after(conn, 0) if r.kind == journal.CASE]
        assert kinds[:2] == ["opened", "verify"] and kinds[-1] == "expire"
