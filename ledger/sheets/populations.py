"""The sheet of populations: how many people live in a region from a day on, and who says so."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select, true

from ledger.schema import populations
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, needed, tried
from ledger.sql import among_these

MOST_PEOPLE = 100_000_000


class Populations(Sheet):
    """A row is known again by its region and its day of effect."""

    name = "populations"
    one = "population"
    table = populations
    order = ("region", "id")
    searched = ("region", "source")
    columns = (
        Column("region", "行政区划", needed=True, most=64),
        Column("effective_from", "生效日期", needed=True, most=32),
        Column("people", "常住人口", needed=True, most=16),
        Column("source", "出处", needed=True),
        Column(
            "mark",
            "核实程度",
            needed=True,
            options=(("V", "见原文"), ("S", "见二手资料"), ("U", "未核实")),
        ),
    )

    def listing(self) -> Select[Any]:
        return select(populations)

    def standing(self, row: Any) -> Standing:
        cells = {column.name: str(getattr(row, column.name)) for column in self.columns}
        return Standing(row.id, row.region, cells)

    def in_use(self) -> Any:
        return true()

    def look_up(self, rows: Sequence[Row]) -> None:
        ids = {_id(row) for row in rows if row.get("region")}
        found = self.conn.execute(self.listing().where(among_these(populations.c.id, ids)))
        self._known = {row.id: self.standing(row) for row in found}

    def find(self, row: Row) -> Standing | None:
        self.known_region(row)
        return self._known.get(_id(row))

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        yield from tried(self.known_region, row)
        if row["effective_from"]:
            yield from tried(_day, row)
        if row["people"]:
            yield from tried(_count, row)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("effective_from", _id(row))]

    def values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = dict(row)
        return made | {"effective_from": _day(dict(row)), "people": int(row["people"])}

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": _id(change.after)}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after) | {"id": _id(change.after), "entered_at": at}


def _id(row: Row) -> str:
    """A region and a day, which a file may write with slashes or without noughts."""
    try:
        day = _day(dict(row)).isoformat()
    except Wrong:
        day = row.get("effective_from", "")
    return f"{row['region']}.{day}"


def _day(row: Row) -> date:
    """The day of effect. Puts the cell right. Raises Wrong."""
    cell = row.get("effective_from", "")
    try:
        year, month, day = (int(part) for part in cell.replace("/", "-").split("-"))
        found = date(year, month, day)
    except ValueError:
        raise Wrong("day", "effective_from", value=cell) from None
    row["effective_from"] = found.isoformat()
    return found


def _count(row: Row) -> None:
    cell = row["people"].replace(",", "").replace("，", "")
    if not (cell.isascii() and cell.isdigit() and 0 < int(cell) <= MOST_PEOPLE):
        raise Wrong("number", "people", value=row["people"], least=1, most=MOST_PEOPLE)
    row["people"] = str(int(cell))
