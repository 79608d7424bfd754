"""The sheet of stalls 摊位: who sells where in a market that a testing room works for.

A stall's code is what samples name it by, so it is set once; a stall that gets another number is
closed, and a new one opened. A closed one stays, with all that became of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, true

from contracts.names import name_key
from ledger import stall_events
from ledger.schema import sites, stalls
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, needed, tried
from ledger.sites import ROOM_KINDS
from ledger.sql import among_these
from ledger.stall_events import EventKind, NewEvent


class Stalls(Sheet):
    """A row is known again by its site and code, however wide or spaced it is written."""

    name = "stalls"
    one = "stall"
    table = stalls
    numbered = ""
    order = ("site", "label")
    searched = ("label", "name", "keeper", "site")
    columns = (
        Column("site", "点位编号", needed=True, most=64),
        Column("code", "摊位号", needed=True, most=64),
        Column("name", "摊位名称", most=100),
        Column("keeper", "经营者", most=100),
        Column("supplier", "常用供货商"),
    )

    def listing(self) -> Select[Any]:
        joined = stalls.join(sites, sites.c.id == stalls.c.site)
        return select(stalls, sites.c.region).select_from(joined)

    def within(self) -> Any:
        if not self.bounds.root:
            return true()
        return among_these(sites.c.region, self.bounds.regions)

    def standing(self, row: Any) -> Standing:
        cells = {
            "site": row.site,
            "code": row.label,
            "name": row.name,
            "keeper": row.keeper,
            "supplier": row.supplier,
        }
        return Standing(row.id, row.region, cells, row.retired_at)

    def look_up(self, rows: Sequence[Row]) -> None:
        wanted = {row["site"] for row in rows if row.get("site")}
        found = self.conn.execute(self.listing().where(among_these(stalls.c.site, wanted)))
        self._known = {(row.site, name_key(row.label)): self.standing(row) for row in found}
        places = self.conn.execute(select(sites).where(among_these(sites.c.id, wanted)))
        self._sites = {row.id: row for row in places}

    def find(self, row: Row) -> Standing | None:
        self._site(row)
        found = self._known.get((row["site"], name_key(row["code"])))
        if found is not None and found.retired_at is not None:
            raise Wrong("retired", "code", value=found.cells["code"])
        return found

    def _site(self, row: Row) -> None:
        site = self._sites.get(row["site"])
        if site is None or not self.bounds.covers(site.region):
            raise Wrong("unknown", "site", value=row["site"])
        if site.retired_at is not None:
            raise Wrong("retired", "site", value=row["site"])
        if site.kind not in ROOM_KINDS:
            raise Wrong("no_room", "site", value=row["site"])

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["code"] and not name_key(row["code"]):
            yield Wrong("needed", "code")
        yield from tried(self._site, row)
        if before is not None:
            row["code"] = before.cells["code"]

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("code", f"{row['site']}/{name_key(row['code'])}")]

    def values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = dict(row)
        made["label"] = made.pop("code")
        return made

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after) | {"id": change.id}

    def write(self, changes: Iterable[Change], at: datetime) -> None:
        made = list(changes)
        super().write(made, at)
        stall_events.note(self.conn, [_event(one) for one in made], at)


def _event(change: Change) -> NewEvent:
    kind: EventKind = "changed" if change.before is not None else "registered"
    return NewEvent(change.id, kind, change.cells(change.fields))
