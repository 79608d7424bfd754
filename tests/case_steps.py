"""Cases as officers would have made them: short roads to a state, for towns and tests."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from case_parts import WORK

from contracts.casework import FileRef, Given
from ledger import attachments, cases, officers
from ledger.attachments import Kind, NewAttachment
from ledger.cases import CaseRow
from ledger.engine import Connection
from ledger.officers import Officer

__all__ = ["WORK"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def officer(conn: Connection, officer_id: str) -> Officer:
    found = officers.get(conn, officer_id)
    assert found is not None
    return found


def add_file(
    conn: Connection, row: CaseRow, kind: Kind, by: str, at: datetime, content: bytes = b""
) -> FileRef:
    """A file as the console's check would have left it."""
    photo = kind == "photo"
    content = content or f"{row.case_id} {kind} {at}".encode()
    new = NewAttachment(
        kind=kind,
        name={"photo": "现场照片.jpg", "document": "文书.pdf", "report": "检验报告.pdf"}[kind],
        media_type="image/jpeg" if photo else "application/pdf",
        content=content,
        shown=content if photo else b"",
        width=640 if photo else 0,
        height=480 if photo else 0,
    )
    kept = attachments.add(conn, row.case_id, new, by, at)
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    return FileRef(kept.id)


def step(
    conn: Connection,
    row: CaseRow,
    move: str,
    by: str,
    at: datetime,
    *files: Kind,
    content: bytes = b"",
    **given: Any,
) -> CaseRow:
    """Make a step with new files of these kinds."""
    refs = tuple(add_file(conn, row, kind, by, at, content) for kind in files)
    return cases.move(
        conn, WORK, row.case_id, move, Given(files=refs, **given), officer(conn, by), at,
        version=row.version, files_of=attachments.of_case,
    )  # fmt: skip


def of_alert(conn: Connection, alert_id: str, by: str, at: datetime) -> CaseRow:
    """A new case of an alert."""
    row, new = cases.open_from_alert(conn, WORK, alert_id, officer(conn, by), at)
    assert new
    return row


def of_result(conn: Connection, result_id: str, by: str, at: datetime) -> CaseRow:
    """A new case of a result."""
    row, new = cases.open_from_result(conn, WORK, result_id, officer(conn, by), at)
    assert new
    return row


def dispose(conn: Connection, row: CaseRow, first: str, second: str, at: datetime) -> CaseRow:
    """Verified by two, dispatched to the first and accepted; an hour each."""
    row = step(conn, row, "verify", first, at + HOUR, note="现场核实，情况属实。", second=second)
    row = step(conn, row, "dispatch", second, at + 2 * HOUR, assignee=first)
    return step(conn, row, "accept", first, at + 3 * HOUR)


def establish(
    conn: Connection, row: CaseRow, first: str, second: str, at: datetime, photo: bytes = b""
) -> CaseRow:
    """Of a test: served, confirmed by a laboratory, destroyed, reported, reviewed."""
    row = step(
        conn, row, "serve_result", first, at, "document", happened_at=at, note="送达摊主本人。"
    )
    row = step(
        conn, row, "order_confirmation", first, at + HOUR,
        lab="江门市食品检验所", method="statutory",
    )  # fmt: skip
    row = step(
        conn, row, "destroy", first, at + 2 * HOUR, "photo",
        content=photo, note="同批次 12 kg 当场销毁。", second=second,
    )  # fmt: skip
    row = step(
        conn, row, "record_confirmation", first, at + DAY, "report",
        method="statutory", verdict="fails", happened_at=at + DAY,
    )  # fmt: skip
    row = step(
        conn, row, "serve_report", first, at + DAY + HOUR, "document", happened_at=at + DAY + HOUR
    )
    row = step(conn, row, "report", first, at + 2 * DAY, "photo", content=photo, note="处置完毕。")
    return step(conn, row, "approve", second, at + 2 * DAY + HOUR)


def close(conn: Connection, row: CaseRow, by: str, at: datetime, outcome: str = "minor") -> CaseRow:
    """Closed with an outcome."""
    return step(
        conn, row, "close", by, at, "document",
        note="依法处理。", outcome=outcome, happened_at=at,
    )  # fmt: skip
