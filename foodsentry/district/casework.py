"""Cases of the made-up district, from leads of this morning to what was published a week ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.casework import FileRef, Given
from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.workdays import Calendar
from foodsentry.demo.cases import made_file
from foodsentry.district.lives import Life
from ledger import attachments, cases, officers
from ledger.attachments import Kind, NewAttachment
from ledger.cases import CaseRow
from ledger.engine import Connection

COUNT = 60
SCENES = ("cold_store_warm", "freezer_warm", "no_hat", "no_mask", "phone_use", "rodent")
"""Rules whose alerts officers go and look at."""
TESTS = ("pesticide_positive", "pesticide_suspect")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FOUND = ("冷藏柜内食品中心温度 11 °C，已转移。", "现场两人未按规定着装。", "操作台下发现鼠粪。")
_DONE = ("变质食品 8 kg 当场销毁。", "当班人员已离岗培训。", "已封堵墙洞，布设粘鼠板。")


def open_cases(conn: Connection, made: Sequence[Life], now: datetime) -> None:
    """Open so many from acknowledged alerts; the older one is, the further it has come."""
    young = [one for one in made if one.state == "acknowledged" and one.kind.rule in SCENES + TESTS]
    road = Road(conn, Casework(read_casework(FOLDER), Calendar.read(FOLDER.parent / "calendars")))
    for number, one in enumerate(young[-COUNT:]):
        begun_at = min(one.changed_at + timedelta(minutes=5), now)
        days = (now - begun_at) / _DAY
        if days > 4 and (one.kind.rule in TESTS or number % 5 == 3):
            continue
        row = road.open(one, begun_at)
        if number % 5 == 3 or days < 0.2:
            continue  # nobody has gone on with it
        row = road.verify(one, row, begun_at + _HOUR)
        if days > 0.5:
            row = road.dispatch(one, row, begun_at + 2 * _HOUR)
        if days > 1.5 and one.kind.rule in SCENES:
            road.through(one, row, begun_at, days, number)


@dataclass(frozen=True, slots=True)
class Road:
    """The steps that officers of the district make."""

    conn: Connection
    work: Casework

    def open(self, one: Life, at: datetime) -> CaseRow:
        """A lead of that alert."""
        officer = officers.get(self.conn, one.town)
        assert officer is not None
        row, _ = cases.open_from_alert(self.conn, self.work, one.alert_id, officer, at)
        return row

    def verify(self, one: Life, row: CaseRow, at: datetime) -> CaseRow:
        """Two officers find it true."""
        return self._step(
            row, "verify", one.town, at, note="现场核实，情况属实。", second=one.county
        )

    def dispatch(self, one: Life, row: CaseRow, at: datetime) -> CaseRow:
        """The district gives it to the town's officer, who takes it on."""
        row = self._step(row, "dispatch", one.county, at, assignee=one.town)
        return self._step(row, "accept", one.town, at + _HOUR)

    def through(self, one: Life, row: CaseRow, begun_at: datetime, days: float, n: int) -> None:
        """Inspected; then, as far as its days go: reported, reviewed, closed, published."""
        at = begun_at + 5 * _HOUR
        row = self._step(row, "inspect", one.town, at, "document", second=one.county,
                         verdict="fails", happened_at=at - _HOUR, note=_FOUND[n % 3])  # fmt: skip
        if n % 4 == 1:
            self._step(row, "order_rectification", one.town, at + _HOUR, "document",
                       note="三日内整改并报告。", deadline=at + 6 * _DAY)  # fmt: skip
            return
        row = self._step(row, "destroy", one.town, at + _HOUR, "photo", second=one.county,
                         note=_DONE[n % 3])  # fmt: skip
        if days > 2.5:
            row = self._step(row, "report", one.town, begun_at + 2 * _DAY, "photo",
                             note="处置完毕，已复查。")  # fmt: skip
        if days > 4:
            row = self._step(row, "approve", one.county, begun_at + 3 * _DAY)
        if days > 6:
            at = begun_at + 4 * _DAY
            row = self._step(row, "close", one.county, at, "document", happened_at=at,
                             outcome=("warning", "minor")[n % 2], note="依法处理。")  # fmt: skip
        if days > 8 and n % 2:
            self._step(row, "publish", one.county, begun_at + 6 * _DAY)

    def _step(
        self, row: CaseRow, move: str, by: str, at: datetime, *files: Kind, **given: object
    ) -> CaseRow:
        officer = officers.get(self.conn, by)
        assert officer is not None
        kept = [attachments.add(self.conn, row.case_id, _FILES[kind], by, at) for kind in files]
        told = Given(files=tuple(FileRef(one.id) for one in kept), **given)  # type: ignore[arg-type]
        return cases.move(
            self.conn, self.work, row.case_id, move, told, officer, at,
            version=row.version, files_of=attachments.of_case,
        )  # fmt: skip


_FILES: dict[Kind, NewAttachment] = {kind: made_file(kind) for kind in ("photo", "document")}
