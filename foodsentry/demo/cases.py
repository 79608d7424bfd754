"""Cases of the demo town: one that was published last month, one in hand, one that waits."""

import io
from datetime import datetime, timedelta

from PIL import Image, ImageDraw

from contracts.casework import FileRef, Given
from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.topics import Identity
from contracts.words import Severity
from contracts.workdays import Calendar
from foodsentry.demo.town import AGENT, CANTEEN
from ledger import alerts, attachments, cases, officers
from ledger.alerts import NewAlert
from ledger.attachments import Kind, NewAttachment
from ledger.cases import CaseRow
from ledger.engine import Connection
from ledger.officers import Officer

REPORTED = "reported"
"""What people told the office of stands under no rule's name."""
CALENDARS = FOLDER.parent / "calendars"
WORK = Casework(read_casework(), Calendar.read(CALENDARS))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOWN, COUNTY = "huicheng", "xinhui"
"""Logins of those who handle them."""


def add_cases(conn: Connection, now: datetime) -> None:
    """Write them, as officers would have made them."""
    begun = now - 26 * DAY
    row = _disposing(conn, "冷藏柜温度 13.2 °C，持续 3 小时", Severity.DEADLINE, begun)
    at = begun + 5 * HOUR
    row = _step(conn, row, "inspect", TOWN, at, "document", second=_id(conn, COUNTY),
                verdict="fails", happened_at=at - HOUR)  # fmt: skip
    row = _step(conn, row, "destroy", TOWN, at + HOUR, "photo", second=_id(conn, COUNTY),
                note="变质食品 8 kg 当场销毁。")  # fmt: skip
    row = _step(conn, row, "report", TOWN, begun + DAY, "photo", note="冷藏柜已更换压缩机。")
    row = _step(conn, row, "approve", COUNTY, begun + DAY + HOUR)
    row = _step(conn, row, "close", COUNTY, begun + 2 * DAY, "document", outcome="minor",
                note="通报批评。", happened_at=begun + 2 * DAY)  # fmt: skip
    _step(conn, row, "publish", COUNTY, begun + 3 * DAY)
    row = _disposing(conn, "备餐间地面积水", Severity.GUIDANCE, now - 30 * HOUR)
    _step(conn, row, "order_rectification", TOWN, now - 20 * HOUR, "document",
          note="三日内疏通地漏。", deadline=now + 2 * DAY)  # fmt: skip
    _open(conn, "垃圾桶未加盖", Severity.GUIDANCE, now - 2 * HOUR)


def _open(conn: Connection, what: str, severity: Severity, at: datetime) -> CaseRow:
    new = NewAlert(
        fingerprint=f"demo-case|{what}", rule=REPORTED, rule_version="1", severity=severity,
        title_zh=what, title_en=what, summary_zh=what, summary_en=what, raised_at=at,
        who=Identity(CANTEEN.region, CANTEEN.site, AGENT.device),
    )  # fmt: skip
    alert_id, _ = alerts.raise_alert(conn, new)
    row, _ = cases.open_from_alert(conn, WORK, alert_id, _officer(conn, TOWN), at)
    return row


def _disposing(conn: Connection, what: str, severity: Severity, at: datetime) -> CaseRow:
    row = _open(conn, what, severity, at)
    row = _step(conn, row, "verify", TOWN, at + HOUR, second=_id(conn, COUNTY), note="属实。")
    row = _step(conn, row, "dispatch", COUNTY, at + 2 * HOUR, assignee=_id(conn, TOWN))
    return _step(conn, row, "accept", TOWN, at + 3 * HOUR)


def _step(
    conn: Connection,
    row: CaseRow,
    move: str,
    login: str,
    at: datetime,
    *files: Kind,
    **given: object,
) -> CaseRow:
    officer = _officer(conn, login)
    kept = [attachments.add(conn, row.case_id, made_file(kind), officer.id, at) for kind in files]
    told = Given(files=tuple(FileRef(one.id) for one in kept), **given)  # type: ignore[arg-type]
    return cases.move(
        conn, WORK, row.case_id, move, told, officer, at,
        version=row.version, files_of=attachments.of_case,
    )  # fmt: skip


def made_file(kind: Kind) -> NewAttachment:
    """A drawn page; as a photo, or as a document."""
    page = Image.new("RGB", (640, 480), (236, 240, 238))
    draw = ImageDraw.Draw(page)
    draw.rectangle((60, 60, 580, 420), outline=(12, 92, 76), width=6)
    for line in range(5):
        draw.line((110, 140 + line * 50, 530 - line * 40, 140 + line * 50), (90, 104, 98), 8)
    out = io.BytesIO()
    page.save(out, "JPEG" if kind == "photo" else "PDF")
    if kind == "photo":
        shown = out.getvalue()
        return NewAttachment(kind, "现场照片.jpg", "image/jpeg", shown, shown, 640, 480)
    return NewAttachment(kind, "文书.pdf", "application/pdf", out.getvalue())


def _officer(conn: Connection, login: str) -> Officer:
    found = officers.by_login(conn, login)
    assert found is not None, login
    return found


def _id(conn: Connection, login: str) -> str:
    return _officer(conn, login).id
