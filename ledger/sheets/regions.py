"""The sheet of regions: the tree, whose rows name each other."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, true

from ledger.schema import regions
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, needed, segment, tried
from ledger.sql import among_these


class Regions(Sheet):
    """City, districts, towns, grid cells. A parent may stand anywhere in the file."""

    name = "regions"
    one = "region"
    table = regions
    order = ("code",)
    searched = ("name_zh", "name_en", "code")
    whole = True
    columns = (
        Column("code", "区划代码", needed=True, most=64),
        Column("parent", "上级代码", most=64),
        Column("name_zh", "中文名称", needed=True),
        Column("name_en", "英文名称", needed=True),
        Column("source", "出处"),
    )

    def listing(self) -> Select[Any]:
        return select(regions, regions.c.code.label("region"))

    def standing(self, row: Any) -> Standing:
        cells = {
            "code": row.code,
            "parent": row.parent or "",
            "name_zh": row.name_zh,
            "name_en": row.name_en,
            "source": row.source,
        }
        return Standing(row.code, row.code, cells, row.retired_at)

    def within(self) -> Any:
        if not self.bounds.root:
            return true()
        return among_these(regions.c.code, self.bounds.regions)

    def look_up(self, rows: Sequence[Row]) -> None:
        found = self.conn.execute(self.listing())
        self._known = {row.code: self.standing(row) for row in found}
        tree = {code: one.cells["parent"] for code, one in self._known.items()}
        self._after = tree | {
            row["code"]: row["parent"] for row in rows if row.get("code") and "parent" in row
        }
        for row in rows:
            self._after.setdefault(row.get("code", ""), "")
        self._given = {row.get("code", "") for row in rows}
        self._inside: dict[str, bool] = {}

    def find(self, row: Row) -> Standing | None:
        found = self._known.get(row["code"])
        if found is not None and not self.bounds.covers(found.region):
            raise Wrong("taken", "code", value=row["code"])
        return found

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["code"]:
            yield from tried(segment, row, "code")
        yield from tried(self._hangs, row, before)

    def _hangs(self, row: Row, before: Standing | None) -> None:
        code, parent = row["code"], row["parent"]
        if before is not None and code == self.bounds.root:
            if before.cells["parent"] != parent:
                raise Wrong("fixed", "parent", value=parent)
            if not self.bounds.keeps_root and before.cells != row:
                raise Wrong("own", "code", value=code)
            return
        if not parent:
            if self.bounds.root:
                raise Wrong("top", "parent", value=parent)
            return
        known = self._known.get(parent)
        if known is None and parent not in self._given:
            raise Wrong("unknown", "parent", value=parent)
        if known is not None and known.retired_at is not None:
            raise Wrong("retired", "parent", value=parent)
        if self._is_circle(code):
            raise Wrong("circle", "parent", value=parent)
        if not self._leads_inside(parent):
            raise Wrong("unknown", "parent", value=parent)

    def _is_circle(self, code: str) -> bool:
        """Whether the way up from a region comes back to it."""
        at, seen = self._after.get(code, ""), set()
        while at and at not in seen:
            if at == code:
                return True
            seen.add(at)
            at = self._after.get(at, "")
        return False

    def _leads_inside(self, code: str) -> bool:
        """Whether a region lies within the bounds, as it would stand."""
        if not self.bounds.root:
            return True
        path: list[str] = []
        at = code
        while at and at not in self._inside and at not in path:
            if at == self.bounds.root:
                self._inside[at] = True
                break
            path.append(at)
            at = self._after.get(at, "")
        inside = self._inside.get(at, False)
        self._inside |= dict.fromkeys(path, inside)
        return inside

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("code", row["code"])]

    def values(self, row: Row) -> dict[str, Any]:
        return {**row, "parent": row["parent"] or None}

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"code": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after)

    def write(self, changes: Iterable[Change], at: datetime) -> None:
        listed = list(changes)
        waiting = {one.after["code"]: one for one in listed if one.before is None}
        ordered: dict[str, Change] = {}
        for code in waiting:
            path = []
            up = code
            while up in waiting and up not in ordered:
                path.append(up)
                up = waiting[up].after["parent"]
            ordered |= {one: waiting[one] for one in reversed(path)}
        super().write([*ordered.values(), *(one for one in listed if one.before is not None)], at)
