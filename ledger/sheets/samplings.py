"""The sheet of samplings 抽检: entered and imported as records of their own, never as quick tests.

What was said once stays: number, place, day, food, laboratory, a report and its conclusion. Only
what is still open may be added: the report, the disposal, the publication.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Select, or_, select, true

from ledger.schema import establishments, results, samples, samplings, sites
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, moment, needed, tried, written
from ledger.sql import among_these

TIMES = ("sampled_at", "reported_at", "disposed_at", "published_at")
LATER = (
    ("reported_at", "sampled_at"),
    ("disposed_at", "reported_at"),
    ("published_at", "reported_at"),
)
"""What cannot have been before what."""
QUICK = ("快检", "快速检测", "快筛", "胶体金", "quick test", "rapid test")
"""Words of a method or a room that no supervision sampling is made by."""


class Samplings(Sheet):
    """A row is known again by the number of its form."""

    name = "samplings"
    one = "sampling"
    table = samplings
    order = ("region", "id")
    defaults: ClassVar[Row] = {"verdict": "pending"}
    searched = ("id", "food", "sampled_from", "report_number", "lab")
    columns = (
        Column("id", "抽样单编号", needed=True, most=64),
        Column("region", "行政区划", needed=True, most=64),
        Column(
            "kind",
            "抽检类别",
            needed=True,
            options=(
                ("supervision", "监督抽检"),
                ("evaluation", "评价性抽检"),
                ("monitoring", "风险监测"),
            ),
        ),
        Column("sampled_at", "抽样时间", needed=True, most=40),
        Column("food", "食品名称", needed=True),
        Column("sampled_from", "被抽样单位", needed=True),
        Column("establishment", "经营主体编号", most=64),
        Column("lab", "检验机构", needed=True),
        Column("report_number", "检验报告编号", most=64),
        Column("reported_at", "报告时间", most=40),
        Column(
            "verdict",
            "检验结论",
            options=(("pending", "待检"), ("pass", "合格"), ("fail", "不合格")),
        ),
        Column("failed_items", "不合格项目"),
        Column("disposed_at", "核查处置完成时间", most=40),
        Column("disposal_document", "处置文书编号"),
        Column("published_at", "公示时间", most=40),
    )

    def listing(self) -> Select[Any]:
        return select(samplings)

    def standing(self, row: Any) -> Standing:
        cells = {column.name: getattr(row, column.name, None) or "" for column in self.columns}
        cells["establishment"] = row.establishment_id or ""
        for name in TIMES:
            at = getattr(row, name)
            cells[name] = written(at) if at else ""
        return Standing(row.id, row.region, cells)

    def in_use(self) -> Any:
        return true()

    def look_up(self, rows: Sequence[Row]) -> None:
        ids = {row["id"] for row in rows if row.get("id")}
        reports = {row["report_number"] for row in rows if row.get("report_number")}
        wanted = or_(
            among_these(samplings.c.id, ids), among_these(samplings.c.report_number, reports)
        )
        known = [self.standing(row) for row in self.conn.execute(self.listing().where(wanted))]
        self._known = {one.id: one for one in known}
        self._reports = {one.cells["report_number"]: one.id for one in known}
        places = {row["establishment"] for row in rows if row.get("establishment")}
        found = self.conn.execute(
            select(establishments.c.id, establishments.c.region).where(
                among_these(establishments.c.id, places)
            )
        )
        self._places = {row.id: row.region for row in found}
        self._rooms = set(self.conn.scalars(select(sites.c.name)))
        numbers = ids | reports
        tested = select(results.c.sample_number).where(
            among_these(results.c.sample_number, numbers)
        )
        registered = select(samples.c.number).where(among_these(samples.c.number, numbers))
        self._quick = set(self.conn.scalars(tested)) | set(self.conn.scalars(registered))

    def find(self, row: Row) -> Standing | None:
        found = self._known.get(row["id"])
        if found is not None and not self.bounds.covers(found.region):
            raise Wrong("taken", "id", value=row["id"])
        return found

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        yield from tried(self.known_region, row)
        for name in TIMES:
            if row[name]:
                yield from tried(moment, row, name)
        for later, earlier in LATER:
            yield from tried(_after, row, later, earlier)
        row["verdict"] = row["verdict"] or "pending"
        yield from self._no_quick_test(row)
        yield from tried(self._reported, row)
        if row["establishment"]:
            yield from tried(self._place, row)
        if before is not None:
            yield from _kept(before.cells, row)

    def _no_quick_test(self, row: Row) -> Iterator[Wrong]:
        for name in ("id", "report_number"):
            if row[name] and row[name] in self._quick:
                yield Wrong("quick_test", name, value=row[name])
        lab = row["lab"]
        if lab in self._rooms or any(word in lab.casefold() for word in QUICK):
            yield Wrong("quick_room", "lab", value=lab)

    def _reported(self, row: Row) -> None:
        number = row["report_number"]
        if row["verdict"] != "pending":
            for name in ("report_number", "reported_at"):
                if not row[name]:
                    raise Wrong("needed", name)
        if row["verdict"] == "fail" and not row["failed_items"]:
            raise Wrong("needed", "failed_items")
        for name in ("disposed_at", "published_at"):
            if row[name] and row["verdict"] != "fail":
                raise Wrong("not_failed", name, value=row[name])
        if row["disposed_at"] and not row["disposal_document"]:
            raise Wrong("needed", "disposal_document")
        if number and self._reports.get(number, row["id"]) != row["id"]:
            raise Wrong("taken", "report_number", value=number)

    def _place(self, row: Row) -> None:
        region = self._places.get(row["establishment"])
        if region is None or not self.bounds.covers(region):
            raise Wrong("unknown", "establishment", value=row["establishment"])

    def keys(self, row: Row) -> list[tuple[str, str]]:
        found = [("id", row["id"])]
        if row.get("report_number"):
            found.append(("report_number", row["report_number"]))
        return found

    def values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = dict(row)
        made["establishment_id"] = made.pop("establishment") or None
        made["report_number"] = row["report_number"] or None
        for name in TIMES:
            made[name] = moment(dict(row), name) if row[name] else None
        return made

    def touched(self, fields: Sequence[str]) -> list[str]:
        return ["establishment_id" if name == "establishment" else name for name in fields]

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after) | {"entered_at": at}


def _after(row: Row, later: str, earlier: str) -> None:
    if not row[later]:
        return
    if not row[earlier]:
        raise Wrong("needed", earlier)
    try:
        ends, starts = moment(dict(row), later), moment(dict(row), earlier)
    except Wrong:
        return
    if ends < starts:
        raise Wrong("not_after", later, value=row[later], start=row[earlier])


def _kept(before: Row, row: Row) -> Iterator[Wrong]:
    """What was said once stays; a conclusion is given once, and no failure becomes a pass."""
    for name, cell in row.items():
        said = before.get(name, "")
        if said and cell != said and not (name == "verdict" and said == "pending"):
            yield Wrong("said", name, value=said)
