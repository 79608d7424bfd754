"""What the pipeline remembers between its steps: groups of alerts, their members, and its timers.

A group is told of together. A row of another kind than ``group`` is a timer: a storm's digest, the
day's digest, the notices of silences. One process works at a time: whoever holds `turn`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, Integer, bindparam, delete, func, select, update

from ledger.alert_types import AlertRow
from ledger.journal import SILENCE
from ledger.schema import alert_timeline, alerts, cursors, journal, notify_alerts, notify_groups
from ledger.sql import among, insert_into, plain, replacing, typed

REASON_MOST = 512
"""Characters of a member's reason; the timeline has all of it."""

GroupKind = Literal["group", "storm", "daily", "silences"]
MemberState = Literal["waiting", "told", "stopped", "over"]


class Group(msgspec.Struct, frozen=True):
    """Alerts of one rule at one site, or a timer. `next_at`: when it is to be looked at."""

    key: str
    kind: GroupKind
    opened_at: datetime
    next_at: datetime | None
    region: str = ""
    site: str = ""
    rule: str = ""
    severity: int = 0
    flushed_at: datetime | None = None
    """When something was last told of it."""
    flushes: int = 0
    told_to: tuple[str, ...] = ()
    """Who was told of its alerts by themselves: officer ids, and routes as ``route:name``."""


class Member(msgspec.Struct, frozen=True):
    """What is remembered of one open alert."""

    alert_id: str
    group_key: str
    joined_at: datetime
    """When it began to wait to be told."""
    state: MemberState = "waiting"
    """``stopped``: somebody took it on; ``over``: it is resolved, and that was told."""
    level: int = -1
    """The highest level that was told; -1 for none."""
    acknowledgements: int = 0
    """How often somebody had done something about it when this was written."""
    told_at: datetime | None = None
    reason: str = ""
    """Why nobody is told of it at present."""


TAKEN_ON = ("acknowledged", "disposing", "reviewed")
"""What somebody does who takes an alert on, in words of its timeline."""


class Past(msgspec.Struct, frozen=True):
    """What an alert's timeline says that its row does not."""

    acknowledgements: int = 0
    """How often somebody has done something about it."""
    escalated_since: bool = False
    """Whether it was escalated after that."""


class Change(msgspec.Struct, frozen=True):
    """One row of the journal, without its body."""

    id: int
    kind: str
    ref: str
    at: datetime


class TimelineNote(msgspec.Struct, frozen=True):
    """What is to be noted in an alert's timeline; the journal does not tell it."""

    alert_id: str
    kind: str
    note: str
    body: dict[str, object] = {}


_POSITION = select(cursors.c.position).where(cursors.c.name == bindparam("cursor"))
_TURN = _POSITION.with_for_update(skip_locked=True)


def turn(conn: Connection, name: str) -> int | None:
    """The cursor `name`, locked until the transaction's end; None while somebody else has it."""
    given = {"cursor": name}
    if conn.dialect.name == "postgresql" and conn.scalar(_POSITION, given) is None:
        first = insert_into(conn, cursors).values(name=name, position=0)
        conn.execute(first.on_conflict_do_nothing())
    position: int | None = conn.scalar(_TURN, given)
    if position is None and conn.dialect.name == "sqlite":
        return 0
    return position


_NEWEST = select(func.max(journal.c.id))
_CHANGES = (
    select(journal.c.id, journal.c.kind, journal.c.ref, journal.c.at)
    .where(
        journal.c.id > bindparam("cursor"),
        journal.c.id <= bindparam("newest"),
        journal.c.kind.startswith("alert.") | (journal.c.kind == SILENCE),
    )
    .order_by(journal.c.id)
    .limit(bindparam("most", type_=Integer()))
)


def changes(conn: Connection, cursor: int, limit: int) -> tuple[list[Change], int]:
    """Changes of alerts and silences after `cursor`, in order, and how far that reaches.

    The journal's other rows are passed over by the database: an old one has very many.
    """
    if not limit:
        return [], cursor
    newest = conn.scalar(_NEWEST) or 0
    found = conn.execute(_CHANGES, {"cursor": cursor, "newest": newest, "most": limit})
    rows = [Change(*row) for row in found]
    return rows, rows[-1].id if len(rows) == limit else max(newest, cursor)


_HOW_FAR = select(_NEWEST.scalar_subquery(), _POSITION.scalar_subquery())
_IS_DUE = notify_groups.c.next_at <= bindparam("at")
_KINDS_DUE = select(notify_groups.c.kind).where(_IS_DUE).distinct()


def anything(conn: Connection, cursor_name: str, at: datetime) -> tuple[bool, bool]:
    """Whether there are rows after the cursor or groups that are due, and whether timers are."""
    newest, position = conn.execute(_HOW_FAR, {"cursor": cursor_name}).one()
    kinds = set(conn.scalars(_KINDS_DUE, {"at": at}))
    return (newest or 0) > (position or 0) or "group" in kinds, bool(kinds - {"group"})


_DUE = (
    select(notify_groups)
    .where(_IS_DUE, notify_groups.c.kind == bindparam("kind"))
    .order_by(notify_groups.c.severity, notify_groups.c.next_at, notify_groups.c.key)
    .limit(bindparam("most", type_=Integer()))
)


def due(conn: Connection, at: datetime, kind: GroupKind, limit: int) -> list[Group]:
    """Groups or timers to be looked at by now: the gravest and longest due first."""
    found = conn.execute(_DUE, {"at": at, "kind": kind, "most": limit})
    return [typed(row, Group) for row in found]


_BY_KEY = select(notify_groups).where(among(notify_groups.c.key, "keys"))


def by_key(conn: Connection, keys: Collection[str]) -> dict[str, Group]:
    """Groups by their keys."""
    if not keys:
        return {}
    return {row.key: typed(row, Group) for row in conn.execute(_BY_KEY, {"keys": keys})}


_MEMBERS = (
    select(notify_alerts)
    .where(among(notify_alerts.c.group_key, "keys"))
    .order_by(notify_alerts.c.joined_at, notify_alerts.c.alert_id)
)


def members(conn: Connection, group_keys: Collection[str]) -> list[Member]:
    """The members of these groups, in the order in which they joined."""
    if not group_keys:
        return []
    return [typed(row, Member) for row in conn.execute(_MEMBERS, {"keys": group_keys})]


_MEMBERS_OF = select(notify_alerts).where(among(notify_alerts.c.alert_id, "alert_ids"))


def members_of(conn: Connection, alert_ids: Collection[str]) -> dict[str, Member]:
    """What is remembered of these alerts."""
    if not alert_ids:
        return {}
    found = conn.execute(_MEMBERS_OF, {"alert_ids": alert_ids})
    return {row.alert_id: typed(row, Member) for row in found}


_STANDING = select(alerts).where(among(alerts.c.alert_id, "alert_ids"))
_HELD_STILL = _STANDING.with_for_update(read=True, skip_locked=True)


def standing(conn: Connection, alert_ids: Iterable[str]) -> tuple[dict[str, AlertRow], set[str]]:
    """These alerts as they stand, held still until the transaction's end; and those that can't be.

    Whoever acknowledges one meanwhile waits, and then takes back what this transaction tells. One
    that another transaction is changing at this moment is not waited for: its id is in the set.
    """
    wanted = set(alert_ids)
    if not wanted:
        return {}, set()
    locked = conn.execute(_HELD_STILL, {"alert_ids": wanted})
    found = {row.alert_id: typed(row, AlertRow) for row in locked}
    busy = wanted - found.keys()
    if busy:
        others = conn.execute(_STANDING, {"alert_ids": busy})
        found |= {row.alert_id: typed(row, AlertRow) for row in others}
    return found, busy & found.keys()


_SOURCES = (
    select(alerts)
    .where(
        among(alerts.c.site, "sites"),
        among(alerts.c.rule, "rules"),
        alerts.c.state != "closed",
        alerts.c.resolved_at.is_(None) | (alerts.c.changed_at >= bindparam("since")),
    )
    .order_by(alerts.c.severity, alerts.c.raised_at, alerts.c.alert_id)
)


def sources(
    conn: Connection, sites: Collection[str], rules: Collection[str], since: datetime
) -> list[AlertRow]:
    """Alerts of these rules at these sites that fire, or were resolved after `since`."""
    rows = conn.execute(_SOURCES, {"sites": sites, "rules": rules, "since": since})
    return [typed(row, AlertRow) for row in rows]


_PASTS = (
    select(alert_timeline.c.alert_id, alert_timeline.c.kind)
    .where(
        among(alert_timeline.c.alert_id, "alert_ids"),
        alert_timeline.c.kind.in_([*TAKEN_ON, "escalated"]),
    )
    .order_by(alert_timeline.c.id)
)


def pasts(conn: Connection, alert_ids: Collection[str]) -> dict[str, Past]:
    """What the timelines of these alerts say; those that say nothing are left out."""
    found: dict[str, Past] = {}
    for alert_id, kind in conn.execute(_PASTS, {"alert_ids": alert_ids}):
        before = found.get(alert_id, Past())
        if kind in TAKEN_ON:
            found[alert_id] = Past(before.acknowledgements + 1, False)
        else:
            found[alert_id] = Past(before.acknowledgements, True)
    return found


def put(conn: Connection, groups: Sequence[Group], changed: Sequence[Member]) -> None:
    """Keep these in place of what was known of them."""
    dialect = conn.dialect.name
    if groups:
        rows = [plain(one) | {"told_to": [*one.told_to]} for one in groups]
        conn.execute(replacing(dialect, notify_groups), rows)
    if changed:
        rows = [plain(one) | {"reason": one.reason[:REASON_MOST]} for one in changed]
        conn.execute(replacing(dialect, notify_alerts), rows)


_FORGET_MEMBERS = delete(notify_alerts).where(among(notify_alerts.c.alert_id, "alert_ids"))
_FORGET_GROUPS = delete(notify_groups).where(among(notify_groups.c.key, "keys"))


def forget(conn: Connection, alert_ids: Collection[str], group_keys: Collection[str]) -> None:
    """These alerts are closed; these groups are empty, these timers done."""
    if alert_ids:
        conn.execute(_FORGET_MEMBERS, {"alert_ids": alert_ids})
    if group_keys:
        conn.execute(_FORGET_GROUPS, {"keys": group_keys})


_LOOK_AT = (
    update(notify_groups)
    .where(
        notify_groups.c.kind == "group",
        notify_groups.c.next_at.is_(None) | (notify_groups.c.next_at > bindparam("at")),
    )
    .values(next_at=bindparam("at"))
)
_LOOK_AT_HIDDEN = _LOOK_AT.where(
    notify_groups.c.key.in_(select(notify_alerts.c.group_key).where(notify_alerts.c.reason != ""))
)


def look_at(
    conn: Connection, at: datetime, *, hidden_only: bool, sites: Collection[str] | None = None
) -> None:
    """Groups (of these sites; with `hidden_only`, those with members that nobody is told of) are
    to be looked at.
    """
    changed = _LOOK_AT_HIDDEN if hidden_only else _LOOK_AT
    if sites is None:
        conn.execute(changed, {"at": at})
    else:
        here = among(notify_groups.c.site, "sites")
        conn.execute(changed.where(here), {"at": at, "sites": sites})


_NOTE = alert_timeline.insert()


def note(conn: Connection, notes: Sequence[TimelineNote], at: datetime) -> None:
    """Add to alerts' timelines."""
    rows = [plain(one) | {"at": at, "actor": ""} for one in notes]
    if rows:
        conn.execute(_NOTE, rows)
