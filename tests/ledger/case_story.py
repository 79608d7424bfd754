"""A case in a town's ledger, moved along step by step; shared by the tests of cases."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from case_parts import WORK
from ledger_town import AT, MARKET, OFFICER, result

from contracts.casework import FileRef, Given
from contracts.casework_moves import refs
from ledger import cases, officers, results
from ledger.cases import CaseRefused, CaseRow
from ledger.engine import Connection
from ledger.officers import Officer, Role

FILES = (
    FileRef("f-photo", "photo", "a" * 64),
    FileRef("f-document", "document", "b" * 64),
    FileRef("f-report", "report", "c" * 64),
)
TOWN = "440703-tangxia"
PEOPLE = (
    Officer("wang", "王", Role.COUNTY, "440703", id="wang"),
    Officer("chen", "陈", Role.TOWN, TOWN, id="chen"),
    Officer("far", "远", Role.TOWN, "440705", id="far"),
    Officer("gone", "离", Role.TOWN, TOWN, id="gone", active=False),
    Officer("hu", "审", Role.AUDITOR, "440700", id="hu"),
    Officer("stall", "摊", Role.OPERATOR, TOWN, id="stall", establishment_id=MARKET),
    Officer("other", "他", Role.OPERATOR, TOWN, id="other", establishment_id=None),
)
OPENED = AT + timedelta(minutes=5)


def populate(conn: Connection, count: int = 1) -> None:
    """The people of the office, and results to open cases from."""
    for officer in PEOPLE:
        officers.add(conn, officer)
    results.add(conn, [result(n) for n in range(1, count + 1)])


def who(conn: Connection, officer_id: str = OFFICER) -> Officer:
    found = officers.get(conn, officer_id)
    assert found is not None
    return found


def files_of(_conn: Connection, _case_id: str) -> tuple[FileRef, ...]:
    return FILES


class Story:
    """One case; each move comes a minute after the one before."""

    def __init__(self, conn: Connection, row: CaseRow, at: datetime = OPENED) -> None:
        self.conn, self.row, self.at = conn, row, at

    @classmethod
    def of_result(cls, conn: Connection, number: int = 1, at: datetime = OPENED) -> "Story":
        row, new = cases.open_from_result(conn, WORK, result(number).result_id, who(conn), at)
        assert new
        return cls(conn, row, at)

    def move(self, move: str, officer: str, key: str, version: int, **given: Any) -> CaseRow:
        files = refs(given.pop("files", ()))
        return cases.move(
            self.conn, WORK, self.row.case_id, move, Given(files=files, **given),
            who(self.conn, officer), self.at, version=version, key=key, files_of=files_of,
        )  # fmt: skip

    def go(self, move: str, officer: str = OFFICER, key: str = "", **given: Any) -> CaseRow:
        self.at += timedelta(minutes=1)
        self.row = self.move(move, officer, key, self.row.version, **given)
        return self.row

    def refused(self, move: str, officer: str = OFFICER, **given: Any) -> set[str]:
        with pytest.raises(CaseRefused) as caught:
            self.move(move, officer, "", self.row.version, **given)
        return {reason.code for reason in caught.value.refusal.reasons}

    def report(self) -> CaseRow:
        """From the lead to the reported disposal."""
        self.go("verify", note="现场核对", second="chen")
        self.go("dispatch", "wang", assignee=OFFICER)
        self.go("accept")
        self.go("destroy", note="销毁 12 kg", second="chen", files=["f-photo"])
        return self.go("report", note="已销毁", files=["f-photo"])

    def close(self, outcome: str = "no_penalty", **given: Any) -> CaseRow:
        """From the report on; what is penalised was established and served in time."""
        if outcome != "no_penalty":
            lab = {"lab": "江门市检验中心", "method": "statutory"}
            self.go("order_confirmation", **lab)
            self.go("record_confirmation", happened_at=self.at, files=["f-report"],
                    method="statutory", verdict="fails")  # fmt: skip
            self.go("serve_report", happened_at=self.at, files=["f-document"])
            given["files"] = ["f-document"]
        self.report()
        self.go("approve", "wang")
        self.at += timedelta(days=12)
        return self.go(
            "close", "wang", outcome=outcome, note="处理完毕", happened_at=self.at, **given
        )
