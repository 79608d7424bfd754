"""The sheets of places: establishments and sites."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Select, func, or_, select

from contracts.identifiers import (
    IdentifierError,
    checked_credit_code,
    checked_food_licence,
    credit_code_check,
)
from ledger import establishment_events
from ledger.duties import LEVELS
from ledger.establishment_events import EventKind, NewEvent
from ledger.ids import new_public_code
from ledger.schema import devices, establishments, officers, sites
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, needed, segment, tried
from ledger.sql import among_these

LICENCE_DAYS = ("licence_from", "licence_until")
YES_NO = (("yes", "是"), ("no", "否"))
GRADES = tuple((grade, grade) for grade in "ABCD")


class Establishments(Sheet):
    """Who is supervised. A row is known again by its id, else its credit code, else its licence."""

    name = "establishments"
    one = "establishment"
    table = establishments
    order = ("region", "name", "id")
    searched = ("name", "address", "credit_code", "licence_number", "id")
    columns = (
        Column("id", "编号", most=64),
        Column("name", "名称", needed=True),
        Column(
            "kind",
            "类型",
            needed=True,
            options=(
                ("market", "农贸市场"),
                ("canteen", "食堂"),
                ("van", "快检车"),
                ("supermarket", "超市"),
            ),
        ),
        Column("region", "行政区划", needed=True, most=64),
        Column("credit_code", "统一社会信用代码", most=32),
        Column("licence_number", "食品经营许可证号", most=32),
        Column("address", "地址"),
        Column("officer", "监管责任人", most=128),
        Column("risk_grade", "风险等级", options=GRADES),
        Column("licence_from", "许可证有效期起", most=32),
        Column("licence_until", "许可证有效期止", most=32),
    )

    def listing(self) -> Select[Any]:
        joined = establishments.outerjoin(officers, officers.c.id == establishments.c.officer_id)
        login = func.coalesce(officers.c.login, "").label("login")
        return select(establishments, login).select_from(joined)

    def standing(self, row: Any) -> Standing:
        cells = {
            "id": row.id,
            "name": row.name,
            "kind": row.kind,
            "region": row.region,
            "credit_code": row.credit_code or "",
            "licence_number": row.licence_number or "",
            "address": row.address,
            "officer": row.login,
            "risk_grade": row.risk_grade,
            "licence_from": row.licence_from.isoformat() if row.licence_from else "",
            "licence_until": row.licence_until.isoformat() if row.licence_until else "",
        }
        return Standing(row.id, row.region, cells, row.retired_at)

    def look_up(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for column in ("credit_code", "licence_number"):
                if column in row:
                    row[column] = row[column].upper()
        wanted = {
            column: {row[column] for row in rows if row.get(column)}
            for column in ("id", "credit_code", "licence_number")
        }
        known = (
            among_these(establishments.c[column], cells)
            for column, cells in wanted.items()
            if cells
        )
        conditions = list(known)
        found = self.conn.execute(self.listing().where(or_(*conditions))) if conditions else ()
        stand = [self.standing(row) for row in found]
        self._by = {
            column: {one.cells[column]: one for one in stand if one.cells[column]}
            for column in wanted
        }
        self.look_up_people(row.get("officer", "") for row in rows)

    def look_up_written(self, rows: Sequence[Row]) -> None:
        self.look_up_people(row["officer"] for row in rows)

    def find(self, row: Row) -> Standing | None:
        for column in ("id", "credit_code", "licence_number"):
            cell = row.get(column, "")
            found = self._by[column].get(cell) if cell else None
            if found is not None and not self.bounds.covers(found.region):
                raise Wrong("taken", column, value=cell)
            if found is not None:
                return found
            if column == "id" and cell:
                return None
        return None

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["id"]:
            yield from tried(segment, row, "id")
        elif not row["credit_code"] and not row["licence_number"]:
            yield Wrong("nameless", "credit_code")
        yield from tried(self.known_region, row)
        yield from tried(_check_credit_code, row["credit_code"])
        yield from tried(_check_licence, row["licence_number"])
        yield from _check_days(row)
        for column in ("credit_code", "licence_number"):
            other = self._by[column].get(row[column]) if row[column] else None
            if other is not None and (before is None or other.id != before.id):
                yield Wrong("taken", column, value=row[column])
        if row["officer"] and (before is None or row["officer"] != before.cells["officer"]):
            yield from tried(self._in_charge, row["officer"], row["region"])

    def _in_charge(self, login: str, region: str) -> None:
        officer = self.person(login, "officer")
        if officer.role not in {one.value for one in LEVELS}:
            raise Wrong("role", "officer", value=login, role=officer.role)
        if region in self.parents and officer.region not in self.above(region):
            raise Wrong("elsewhere", "officer", value=login, own=officer.region, region=region)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [(name, row[name]) for name in ("id", "credit_code", "licence_number") if row[name]]

    def values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = dict(row)
        officer = self._people.get(made.pop("officer"))
        made["officer_id"] = officer.id if officer is not None else None
        for name in ("credit_code", "licence_number"):
            made[name] = row[name] or None
        for name in LICENCE_DAYS:
            made[name] = date.fromisoformat(row[name]) if row[name] else None
        return made

    def touched(self, fields: Sequence[str]) -> list[str]:
        return ["officer_id" if name == "officer" else name for name in fields if name != "id"]

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        made = self.values(change.after)
        return made | {"public_code": new_public_code(), "registered_at": at}

    def write(self, changes: Iterable[Change], at: datetime) -> None:
        made = list(changes)
        super().write(made, at)
        establishment_events.note(self.conn, [_event(one) for one in made], at)


class Sites(Sheet):
    """Where devices stand. A row is known again by its id."""

    name = "sites"
    one = "site"
    table = sites
    order = ("region", "id")
    searched = ("name", "id", "establishment_id")
    defaults: ClassVar[Row] = {"self_test": "no"}
    columns = (
        Column("id", "点位编号", needed=True, most=64),
        Column("name", "名称", needed=True),
        Column(
            "kind",
            "类型",
            needed=True,
            options=(
                ("testing_room", "快检室"),
                ("quick_test_van", "快检车"),
                ("canteen", "食堂后厨"),
            ),
        ),
        Column("region", "行政区划", needed=True, most=64),
        Column("establishment", "所属主体", most=64),
        Column("self_test", "自检", options=YES_NO),
    )

    def listing(self) -> Select[Any]:
        return select(sites)

    def standing(self, row: Any) -> Standing:
        cells = {
            "id": row.id,
            "name": row.name,
            "kind": row.kind,
            "region": row.region,
            "establishment": row.establishment_id or "",
            "self_test": "yes" if row.self_test else "no",
        }
        return Standing(row.id, row.region, cells, row.retired_at)

    def look_up(self, rows: Sequence[Row]) -> None:
        ids = {row["id"] for row in rows if row.get("id")}
        found = self.conn.execute(select(sites).where(among_these(sites.c.id, ids)))
        self._known = {row.id: self.standing(row) for row in found}
        owners = {row["establishment"] for row in rows if row.get("establishment")}
        owners |= {one.cells["establishment"] for one in self._known.values()}
        known = or_(
            among_these(establishments.c.id, owners),
            among_these(establishments.c.credit_code, owners),
        )
        rows_of = self.conn.execute(select(establishments).where(known)).all()
        self._owners = {row.credit_code: row for row in rows_of if row.credit_code}
        self._owners |= {row.id: row for row in rows_of}
        speaking = (
            select(devices.c.site, func.count().label("told"))
            .where(among_these(devices.c.site, ids), devices.c.retired_at.is_(None))
            .group_by(devices.c.site)
        )
        self._speaking = {row.site: int(row.told) for row in self.conn.execute(speaking)}

    def find(self, row: Row) -> Standing | None:
        found = self._known.get(row["id"])
        if found is not None and not self.bounds.covers(found.region):
            raise Wrong("taken", "id", value=row["id"])
        return found

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["id"]:
            yield from tried(segment, row, "id")
        yield from tried(self.known_region, row)
        region = row["region"]
        row["self_test"] = row["self_test"] or "no"
        if row["establishment"]:
            yield from tried(self._owned, row, before)
        count = self._speaking.get(row["id"], 0)
        if before is not None and before.region != region and count:
            old = f"{before.region}/{row['id']}"
            yield Wrong("speaking", "region", value=region, count=count, old=old)

    def _owned(self, row: Row, before: Standing | None) -> None:
        owner = self._owners.get(row["establishment"])
        if owner is None or not self.bounds.covers(owner.region):
            raise Wrong("unknown", "establishment", value=row["establishment"])
        row["establishment"] = owner.id
        standing = before.cells["establishment"] if before is not None else ""
        if owner.id != standing and owner.retired_at is not None:
            raise Wrong("retired", "establishment", value=owner.id)
        if row["region"] in self.parents and owner.region not in self.above(row["region"]):
            raise Wrong("outside", "region", value=row["region"], region=owner.region)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("id", row["id"])]

    def values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = dict(row)
        made["establishment_id"] = made.pop("establishment") or None
        made["self_test"] = row["self_test"] == "yes"
        return made

    def touched(self, fields: Sequence[str]) -> list[str]:
        return ["establishment_id" if name == "establishment" else name for name in fields]

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after)


def _check_credit_code(code: str) -> None:
    try:
        if code:
            checked_credit_code(code)
    except IdentifierError:
        try:
            wanted = credit_code_check(code[:17]) if len(code) == 18 else ""
        except IdentifierError:
            wanted = ""
        if wanted:
            told = {"value": code, "wanted": wanted, "found": code[17]}
            raise Wrong("credit_check", "credit_code", **told) from None
        raise Wrong("credit_code", "credit_code", value=code) from None


def _check_licence(number: str) -> None:
    try:
        if number:
            checked_food_licence(number)
    except IdentifierError:
        raise Wrong("licence", "licence_number", value=number) from None


def _check_days(row: Row) -> Iterator[Wrong]:
    """What keeps the licence's days from standing; puts them right."""
    days = {}
    for name in LICENCE_DAYS:
        if row[name]:
            try:
                days[name] = date.fromisoformat(row[name].replace("/", "-"))
                row[name] = days[name].isoformat()
            except ValueError:
                yield Wrong("day", name, value=row[name])
    if len(days) == len(LICENCE_DAYS) and days["licence_until"] < days["licence_from"]:
        yield Wrong(
            "not_after", "licence_until", value=row["licence_until"], start=row["licence_from"]
        )


def _event(change: Change) -> NewEvent:
    """What the file tells of a change; who is in charge is no matter of it."""
    told = [name for name in change.fields if name not in ("id", "officer")]
    kind: EventKind = "changed" if change.before else "registered"
    return NewEvent(change.id or change.after["id"], kind, change.cells(told))
