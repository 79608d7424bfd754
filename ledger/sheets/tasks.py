"""The sheet of tasks 快检任务. What was asked is not changed afterwards: it is withdrawn."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Select, or_, select

from contracts.topics import TopicError, checked_segment
from ledger import tasks as given_tasks
from ledger.schema import establishments, officers, sites, tasks
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, moment, needed, tried, written
from ledger.sql import among_these

GROUPS = (
    ("vegetable", "蔬菜"),
    ("fruit", "水果"),
    ("meat", "畜禽肉"),
    ("fish", "水产"),
    ("egg", "蛋类"),
    ("bean", "豆制品"),
    ("staple", "粮食制品"),
    ("oil", "食用油"),
)
"""Food groups: the kinds of the food dictionary."""
MOST_WANTED = 100_000
LONGEST = timedelta(days=400)
_SPLIT = str.maketrans("，；;、|", ",,,,,")


class Tasks(Sheet):
    """Who tests what, where, how many, by when. The same row again is the same task."""

    name = "tasks"
    one = "task"
    table = tasks
    numbered = ""
    order = ("due_at", "id")
    searched = ("title", "note")
    defaults: ClassVar[Row] = {}
    columns = (
        Column("title", "任务名称", needed=True, most=100),
        Column("region", "行政区划", needed=True, most=64),
        Column("establishment", "主体", most=64),
        Column("site", "点位", most=64),
        Column("officer", "负责人", most=128),
        Column("food_group", "食品类别", options=GROUPS),
        Column("items", "检测项目", most=500),
        Column("wanted", "批次数", needed=True, most=8),
        Column("starts_at", "开始时间", most=40),
        Column("due_at", "截止时间", needed=True, most=40),
        Column("note", "说明", most=500),
    )

    def listing(self) -> Select[Any]:
        joined = tasks.outerjoin(officers, officers.c.id == tasks.c.officer_id)
        return select(tasks, officers.c.login).select_from(joined)

    def standing(self, row: Any) -> Standing:
        cells = {
            "title": row.title,
            "region": row.region,
            "establishment": row.establishment_id or "",
            "site": row.site or "",
            "officer": row.login or "",
            "food_group": row.food_group,
            "items": ",".join(row.items),
            "wanted": str(row.wanted),
            "starts_at": written(row.starts_at),
            "due_at": written(row.due_at),
            "note": row.note,
        }
        return Standing(row.id, row.region, cells, row.withdrawn_at)

    def in_use(self) -> Any:
        return tasks.c.withdrawn_at.is_(None)

    def look_up(self, rows: Sequence[Row]) -> None:
        self.look_up_people(row.get("officer", "") for row in rows)
        titles = {row["title"] for row in rows if row.get("title")}
        found = self.listing().where(
            among_these(tasks.c.title, titles), tasks.c.withdrawn_at.is_(None), self.within()
        )
        self._known = {_key(one.cells): one for one in map(self.standing, self.conn.execute(found))}
        self._look_up_places(rows)

    def look_up_written(self, rows: Sequence[Row]) -> None:
        self.look_up_people(row.get("officer", "") for row in rows)

    def _look_up_places(self, rows: Sequence[Row]) -> None:
        names = {row["establishment"] for row in rows if row.get("establishment")}
        known = or_(
            among_these(establishments.c.id, names),
            among_these(establishments.c.credit_code, names),
        )
        owners = self.conn.execute(select(establishments).where(known)).all()
        self._owners = {row.credit_code: row for row in owners if row.credit_code}
        self._owners |= {row.id: row for row in owners}
        ids = {row["site"] for row in rows if row.get("site")}
        found = self.conn.execute(select(sites).where(among_these(sites.c.id, ids)))
        self._sites = {row.id: row for row in found}

    def find(self, row: Row) -> Standing | None:
        put_right = dict(row)
        for _ in tried(moment, put_right, "due_at"):
            return None
        owner = self._owners.get(row.get("establishment", ""))
        put_right["establishment"] = owner.id if owner is not None else ""
        found = self._known.get(_key(put_right))
        if found is None:
            return None
        if found.cells["starts_at"] and not row.get("starts_at"):
            row["starts_at"] = found.cells["starts_at"]
        return found

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["region"]:
            yield from tried(self.known_region, row)
        yield from tried(self._place, row)
        if row["officer"]:
            yield from tried(self.person, row["officer"], "officer")
        yield from tried(_counted, row)
        yield from tried(_listed, row)
        for column in ("starts_at", "due_at"):
            if row[column]:
                yield from tried(moment, row, column)
        yield from tried(_span, row)
        if before is not None:
            for name, cell in row.items():
                if before.cells.get(name, "") != cell:
                    yield Wrong("given", name, value=cell, before=before.cells.get(name, ""))

    def _place(self, row: Row) -> None:
        """What is named lies in the region and in sight."""
        region = row["region"]
        if row["establishment"]:
            owner = self._owners.get(row["establishment"])
            if owner is None or owner.retired_at or not self.bounds.covers(owner.region):
                raise Wrong("unknown", "establishment", value=row["establishment"])
            row["establishment"] = owner.id
            self._lies(owner.region, region, "establishment", owner.id)
        if row["site"]:
            try:
                site = self._sites.get(checked_segment("site", row["site"]))
            except TopicError:
                site = None
            if site is None or site.retired_at or not self.bounds.covers(site.region):
                raise Wrong("unknown", "site", value=row["site"])
            self._lies(site.region, region, "site", site.id)
            if row["establishment"] and site.establishment_id != row["establishment"]:
                raise Wrong("not_of", "site", value=site.id, of=row["establishment"])

    def _lies(self, found: str, region: str, column: str, named: str) -> None:
        if region in self.parents and region not in self.above(found):
            raise Wrong("not_in", column, value=named, region=region)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("title", " ".join(_key(row)))]

    def values(self, row: Row) -> dict[str, Any]:
        officer = self._people.get(row["officer"])
        return {
            "title": row["title"],
            "region": row["region"],
            "establishment_id": row["establishment"] or None,
            "site": row["site"] or None,
            "officer_id": officer.id if officer is not None else None,
            "food_group": row["food_group"],
            "items": [one for one in row["items"].split(",") if one],
            "wanted": int(row["wanted"]),
            "starts_at": moment(row, "starts_at") if row["starts_at"] else None,
            "due_at": moment(row, "due_at"),
            "note": row["note"],
        }

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        made = self.values(change.after) | {"id": change.id, "created_at": at}
        return made | {"starts_at": made["starts_at"] or at}

    def write(self, changes: Iterable[Change], at: datetime) -> None:
        told = list(changes)
        super().write(told, at)
        for one in told:
            made = given_tasks.get(self.conn, one.id)
            if made is not None:
                given_tasks.note_given(self.conn, made)


def _key(row: Row) -> tuple[str, ...]:
    named = ("title", "region", "establishment", "site", "food_group", "due_at")
    return tuple(row.get(name, "") for name in named)


def _counted(row: Row) -> None:
    try:
        wanted = int(row["wanted"])
    except ValueError:
        wanted = 0
    if row["wanted"] and not 1 <= wanted <= MOST_WANTED:
        raise Wrong("number", "wanted", value=row["wanted"], least=1, most=MOST_WANTED)


def _listed(row: Row) -> None:
    """Items as they may be written in a cell: apart by any of the usual marks."""
    found = (one.strip() for one in row["items"].translate(_SPLIT).split(","))
    row["items"] = ",".join(dict.fromkeys(one for one in found if one))


def _span(row: Row) -> None:
    if not row["due_at"] or not row["starts_at"]:
        return
    try:
        starts, due = moment(row, "starts_at"), moment(row, "due_at")
    except Wrong:
        return
    if due <= starts or due - starts > LONGEST:
        raise Wrong("not_after", "due_at", value=row["due_at"], start=row["starts_at"])
