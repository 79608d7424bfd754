"""The sheets of people: duty rosters, and how officers are reached."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Select, select, true

from ledger.duties import LEVELS
from ledger.schema import contacts, duties, officers
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.places import YES_NO
from ledger.sheets.sheet import Change, Sheet, Standing, moment, needed, tried, written
from ledger.sql import among_these

_CHANNEL = re.compile(r"^[a-z0-9_-]{1,32}$")
_LOGIN = Column("login", "登录名", needed=True, most=128)


class Duties(Sheet):
    """Who is on duty where, when. A row is known again by region, person and beginning."""

    name = "duties"
    one = "duty"
    table = duties
    numbered = ""
    order = ("starts_at", "region", "id")
    searched = ("region",)
    columns = (
        Column("region", "行政区划", needed=True, most=64),
        _LOGIN,
        Column("starts_at", "开始时间", needed=True, most=40),
        Column("ends_at", "结束时间", needed=True, most=40),
    )

    def listing(self) -> Select[Any]:
        joined = duties.join(officers, officers.c.id == duties.c.officer_id)
        return select(duties, officers.c.login, officers.c.name).select_from(joined)

    def standing(self, row: Any) -> Standing:
        cells = {
            "region": row.region,
            "login": row.login,
            "starts_at": written(row.starts_at),
            "ends_at": written(row.ends_at),
        }
        return Standing(row.id, row.region, cells)

    def in_use(self) -> Any:
        return true()

    def look_up(self, rows: Sequence[Row]) -> None:
        self.look_up_people(row.get("login", "") for row in rows)
        people = {
            self._people[row["login"]].id: row["login"]
            for row in rows
            if self._people.get(row.get("login", "")) is not None
        }
        found = self.conn.execute(self.listing().where(among_these(duties.c.officer_id, people)))
        self._known = {(row.region, row.login, row.starts_at): self.standing(row) for row in found}

    def find(self, row: Row) -> Standing | None:
        return self._known.get((row["region"], row["login"], moment(row, "starts_at")))

    def _officer(self, row: Row) -> None:
        officer = self.person(row["login"], "login")
        if not self.bounds.covers(officer.region):
            raise Wrong("unknown", "login", value=row["login"])
        if officer.role not in {one.value for one in LEVELS}:
            raise Wrong("duty_role", "login", value=row["login"], role=officer.role)
        region = row["region"]
        if region in self.parents and officer.region not in self.above(region):
            told = {"value": row["login"], "own": officer.region, "region": region}
            raise Wrong("elsewhere", "region", **told)

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["login"]:
            yield from tried(self._officer, row)
        yield from tried(self.known_region, row)
        for column in ("starts_at", "ends_at"):
            yield from tried(moment, row, column)
        yield from tried(_check_span, row)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("", f"{row['region']} {row['login']} {row['starts_at']}")]

    def values(self, row: Row) -> dict[str, Any]:
        return {
            "region": row["region"],
            "officer_id": self._people[row["login"]].id,
            "starts_at": moment(row, "starts_at"),
            "ends_at": moment(row, "ends_at"),
        }

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after) | {"id": change.id}


class Contacts(Sheet):
    """How people are reached. A row is known again by person, channel and address."""

    name = "contacts"
    one = "contact"
    table = contacts
    numbered = ""
    order = ("officer_id", "position", "id")
    searched = ("channel", "address")
    columns = (
        _LOGIN,
        Column("channel", "渠道", needed=True, most=32),
        Column("address", "地址", most=512, headed=True),
        Column("position", "顺序", most=4),
        Column("active", "在用", options=YES_NO),
    )
    defaults: ClassVar[Row] = {"active": "yes"}

    def listing(self) -> Select[Any]:
        joined = contacts.join(officers, officers.c.id == contacts.c.officer_id)
        return select(contacts, officers.c.login, officers.c.name, officers.c.region).select_from(
            joined
        )

    def standing(self, row: Any) -> Standing:
        cells = {
            "login": row.login,
            "channel": row.channel,
            "address": row.address,
            "position": str(row.position),
            "active": "yes" if row.active else "no",
        }
        return Standing(row.id, row.region, cells)

    def within(self) -> Any:
        if not self.bounds.root:
            return true()
        return among_these(officers.c.region, self.bounds.regions)

    def in_use(self) -> Any:
        return true()

    def look_up(self, rows: Sequence[Row]) -> None:
        if not hasattr(self, "_seen"):
            self._seen: Counter[str] = Counter()
        self.look_up_people(row.get("login", "") for row in rows)
        people = [one.id for one in self._people.values() if one is not None]
        found = self.conn.execute(self.listing().where(among_these(contacts.c.officer_id, people)))
        self._known = {(row.login, row.channel, row.address): self.standing(row) for row in found}

    def merged(self, given: Row, before: Standing | None) -> Row:
        """Without a position, a row's place among that person's in the file is its position."""
        return super().merged({"position": "", **given}, before)

    def find(self, row: Row) -> Standing | None:
        return self._known.get((row["login"], row["channel"], row.get("address", "")))

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        if row["login"]:
            yield from tried(self._officer, row["login"])
        if row["channel"] and not _CHANNEL.match(row["channel"]):
            yield Wrong("channel", "channel", value=row["channel"])
        row["active"] = row["active"] or "yes"
        position = row["position"] or str(self._seen[row["login"]])
        self._seen[row["login"]] += 1
        if not position.isascii() or not position.isdigit() or len(position) > 4:
            yield Wrong("number", "position", value=position, least=0, most=9999)
        else:
            row["position"] = str(int(position))

    def _officer(self, login: str) -> None:
        officer = self.person(login, "login")
        if not self.bounds.covers(officer.region):
            raise Wrong("unknown", "login", value=login)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("", f"{row['login']} {row['channel']} {row['address']}")]

    def values(self, row: Row) -> dict[str, Any]:
        return {
            "officer_id": self._people[row["login"]].id,
            "channel": row["channel"],
            "address": row["address"],
            "position": int(row["position"]),
            "active": row["active"] == "yes",
        }

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"id": change.id}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        return self.values(change.after) | {"id": change.id}


def _check_span(row: Row) -> None:
    try:
        starts_at, ends_at = moment(dict(row), "starts_at"), moment(dict(row), "ends_at")
    except Wrong:
        return
    if ends_at <= starts_at:
        raise Wrong("not_after", "ends_at", value=row["ends_at"], start=row["starts_at"])
