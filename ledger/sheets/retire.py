"""Taking what was in use out of use, and bringing it back: nothing is ever deleted."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from ledger import audit, device_gaps, duties, establishment_events, stall_events
from ledger.establishment_events import EventKind, NewEvent
from ledger.schema import devices, establishments, officers, regions, sites
from ledger.schema import duties as duties_table
from ledger.sheets.faults import Wrong
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import get_row
from ledger.sheets.sheet import Bounds


class Retired(msgspec.Struct, frozen=True):
    """What was taken out of use together."""

    sites: list[str] = []
    devices: list[str] = []


def hanging(conn: Connection, kind: str, row_id: str) -> Retired:
    """What is in use and would go with an establishment or a site."""
    places = [row_id] if kind == "sites" else []
    if kind == "establishments":
        own = select(sites.c.id).where(
            sites.c.establishment_id == row_id, sites.c.retired_at.is_(None)
        )
        places = sorted(conn.scalars(own))
    speaking = select(devices.c.site, devices.c.device).where(
        devices.c.site.in_(places), devices.c.retired_at.is_(None)
    )
    found = sorted(f"{site}/{device}" for site, device in conn.execute(speaking))
    return Retired(places if kind == "establishments" else [], found)


def retire(conn: Connection, kind: str, row_id: str, actor: str, at: datetime) -> Retired:
    """Take something out of use, with the sites and devices that hang on it.

    A duty ends now, or is taken off the roster if it has not begun. Raises Wrong for a region in
    which something is still in use.
    """
    if kind == "duties":
        _end_duty(conn, row_id, actor, at)
        return Retired()
    if kind == "regions":
        count = _inhabitants(conn, row_id)
        if count:
            raise Wrong("inhabited", "code", value=row_id, count=count)
    also = hanging(conn, kind, row_id)
    for name, ids in (("devices", also.devices), ("sites", also.sites), (kind, [row_id])):
        for one in ids:
            _mark(conn, name, one, at)
            _note(conn, name, one, "retired", at)
            audit.append(conn, actor, f"{name}.retired", SHEETS[name].one + f"/{one}", {}, at)
    return also


def bring_back(conn: Connection, kind: str, row_id: str, actor: str, at: datetime) -> None:
    """Use something again. Raises Wrong if what it belongs to is not in use."""
    parent = _parent(conn, kind, row_id)
    if parent:
        raise Wrong("parent_retired", value=parent)
    if kind == "devices":
        site, _, device = row_id.partition("/")
        device_gaps.note(conn, site, device, at)
    _mark(conn, kind, row_id, None)
    _note(conn, kind, row_id, "brought_back", at)
    audit.append(conn, actor, f"{kind}.brought_back", SHEETS[kind].one + f"/{row_id}", {}, at)


def _mark(conn: Connection, kind: str, row_id: str, at: datetime | None) -> None:
    table = SHEETS[kind].table
    if kind == "devices":
        site, _, device = row_id.partition("/")
        of = [table.c.site == site, table.c.device == device]
    else:
        of = [(table.c.code if kind == "regions" else table.c.id) == row_id]
    conn.execute(update(table).where(*of).values(retired_at=at))


def _note(conn: Connection, kind: str, row_id: str, what: EventKind, at: datetime) -> None:
    if kind == "establishments":
        establishment_events.note(conn, [NewEvent(row_id, what)], at)
    elif kind == "stalls" and what != "code_renewed":
        stall_events.note(conn, [stall_events.NewEvent(row_id, what)], at)


def _parent(conn: Connection, kind: str, row_id: str) -> str:
    """What it belongs to, if that is retired."""
    row = get_row(conn, kind, Bounds(), row_id)
    if row is None:
        return ""
    cells = row.standing.cells
    above = [("regions", cells.get("parent") or cells.get("region", ""))]
    if kind in ("devices", "stalls"):
        above = [("sites", cells["site"])]
    elif kind == "sites":
        above.append(("establishments", cells["establishment"]))
    for name, one in above:
        found = get_row(conn, name, Bounds(), one) if one else None
        if found is not None and found.standing.retired_at is not None:
            return one
    return ""


def _inhabitants(conn: Connection, code: str) -> int:
    places = (
        (table, table.c.parent if table is regions else table.c.region)
        for table in (regions, establishments, sites)
    )
    counted = [
        select(func.count()).select_from(table).where(place == code, table.c.retired_at.is_(None))
        for table, place in places
    ]
    people = select(func.count()).where(officers.c.region == code, officers.c.active)
    return sum(conn.scalar(one) or 0 for one in (*counted, people))


def _end_duty(conn: Connection, duty_id: str, actor: str, at: datetime) -> None:
    table = duties_table
    row = conn.execute(select(table).where(table.c.id == duty_id).with_for_update()).one()
    if row.starts_at >= at:
        duties.remove(conn, duty_id)
    elif row.ends_at > at:
        conn.execute(update(table).where(table.c.id == duty_id).values(ends_at=at))
    before = {"ends_at": row.ends_at.isoformat()}
    detail = {"before": before, "after": {"ends_at": at.isoformat()}}
    audit.append(conn, actor, "duties.ended", f"duty/{duty_id}", detail, at)
