"""What the pipeline remembers between its steps: groups of alerts, their members, and its timers.

A group is told of together. A row of another kind than ``group`` is a timer: a storm's digest, the
day's digest, the notices of silences. One process works at a time: whoever holds `turn`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from ledger.alert_types import AlertRow
from ledger.journal import SILENCE
from ledger.schema import alert_timeline, alerts, cursors, journal, notify_alerts, notify_groups
from ledger.sql import among, insert_into, plain, typed

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


def turn(conn: Connection, name: str) -> int | None:
    """The cursor `name`, locked until the transaction's end; None while somebody else has it."""
    found = select(cursors.c.position).where(cursors.c.name == name)
    if conn.dialect.name == "postgresql":
        first = insert_into(conn, cursors).values(name=name, position=0)
        if conn.scalar(found) is None:
            conn.execute(first.on_conflict_do_nothing())
    position: int | None = conn.scalar(found.with_for_update(skip_locked=True))
    if position is None and conn.dialect.name == "sqlite":
        return 0
    return position


def changes(conn: Connection, cursor: int, limit: int) -> tuple[list[Change], int]:
    """Changes of alerts and silences after `cursor`, in order, and how far that reaches.

    The journal's other rows are passed over by the database: an old one has very many.
    """
    if not limit:
        return [], cursor
    newest = conn.scalar(select(func.max(journal.c.id))) or 0
    columns = (journal.c.id, journal.c.kind, journal.c.ref, journal.c.at)
    concerns = journal.c.kind.startswith("alert.") | (journal.c.kind == SILENCE)
    found = select(*columns).where(journal.c.id > cursor, journal.c.id <= newest, concerns)
    rows = [Change(*row) for row in conn.execute(found.order_by(journal.c.id).limit(limit))]
    return rows, rows[-1].id if len(rows) == limit else max(newest, cursor)


def anything(conn: Connection, cursor_name: str, at: datetime) -> tuple[bool, bool]:
    """Whether there are rows after the cursor or groups that are due, and whether timers are."""
    position = select(cursors.c.position).where(cursors.c.name == cursor_name).scalar_subquery()
    newest = select(func.max(journal.c.id)).scalar_subquery()
    seen = conn.execute(select(newest, position)).one()
    due = select(notify_groups.c.kind).where(notify_groups.c.next_at <= at).distinct()
    kinds = set(conn.scalars(due))
    return (seen[0] or 0) > (seen[1] or 0) or "group" in kinds, bool(kinds - {"group"})


def due(conn: Connection, at: datetime, kind: GroupKind, limit: int) -> list[Group]:
    """Groups or timers to be looked at by now: the gravest and longest due first."""
    found = select(notify_groups).where(notify_groups.c.next_at <= at, notify_groups.c.kind == kind)
    order = (notify_groups.c.severity, notify_groups.c.next_at, notify_groups.c.key)
    return [typed(row, Group) for row in conn.execute(found.order_by(*order).limit(limit))]


def by_key(conn: Connection, keys: Collection[str]) -> dict[str, Group]:
    """Groups by their keys."""
    if not keys:
        return {}
    found = select(notify_groups).where(among(conn, notify_groups.c.key, keys))
    return {row.key: typed(row, Group) for row in conn.execute(found)}


def members(conn: Connection, group_keys: Iterable[str]) -> list[Member]:
    """The members of these groups, in the order in which they joined."""
    found = select(notify_alerts).where(among(conn, notify_alerts.c.group_key, group_keys))
    order = (notify_alerts.c.joined_at, notify_alerts.c.alert_id)
    return [typed(row, Member) for row in conn.execute(found.order_by(*order))]


def members_of(conn: Connection, alert_ids: Collection[str]) -> dict[str, Member]:
    """What is remembered of these alerts."""
    if not alert_ids:
        return {}
    found = select(notify_alerts).where(among(conn, notify_alerts.c.alert_id, alert_ids))
    return {row.alert_id: typed(row, Member) for row in conn.execute(found)}


def standing(conn: Connection, alert_ids: Iterable[str]) -> tuple[dict[str, AlertRow], set[str]]:
    """These alerts as they stand, held still until the transaction's end; and those that can't be.

    Whoever acknowledges one meanwhile waits, and then takes back what this transaction tells. One
    that another transaction is changing at this moment is not waited for: its id is in the set.
    """
    wanted = set(alert_ids)
    if not wanted:
        return {}, set()
    query = select(alerts).where(among(conn, alerts.c.alert_id, wanted))
    locked = conn.execute(query.with_for_update(read=True, skip_locked=True))
    found = {row.alert_id: typed(row, AlertRow) for row in locked}
    busy = wanted - found.keys()
    if busy:
        others = conn.execute(select(alerts).where(among(conn, alerts.c.alert_id, busy)))
        found |= {row.alert_id: typed(row, AlertRow) for row in others}
    return found, busy & found.keys()


def sources(
    conn: Connection, sites: Iterable[str], rules: Iterable[str], since: datetime
) -> list[AlertRow]:
    """Alerts of these rules at these sites that fire, or were resolved after `since`."""
    found = select(alerts).where(
        among(conn, alerts.c.site, sites),
        among(conn, alerts.c.rule, rules),
        alerts.c.state != "closed",
        alerts.c.resolved_at.is_(None) | (alerts.c.changed_at >= since),
    )
    rows = conn.execute(found.order_by(alerts.c.severity, alerts.c.raised_at, alerts.c.alert_id))
    return [typed(row, AlertRow) for row in rows]


def pasts(conn: Connection, alert_ids: Iterable[str]) -> dict[str, Past]:
    """What the timelines of these alerts say; those that say nothing are left out."""
    told = alert_timeline.c.kind.in_([*TAKEN_ON, "escalated"])
    query = select(alert_timeline.c.alert_id, alert_timeline.c.kind)
    query = query.where(among(conn, alert_timeline.c.alert_id, alert_ids), told)
    found: dict[str, Past] = {}
    for alert_id, kind in conn.execute(query.order_by(alert_timeline.c.id)):
        before = found.get(alert_id, Past())
        if kind in TAKEN_ON:
            found[alert_id] = Past(before.acknowledgements + 1, False)
        else:
            found[alert_id] = Past(before.acknowledgements, True)
    return found


def put(conn: Connection, groups: Sequence[Group], changed: Sequence[Member]) -> None:
    """Keep these in place of what was known of them."""
    if groups:
        group_rows = [plain(one) | {"told_to": [*one.told_to]} for one in groups]
        statement = insert_into(conn, notify_groups)
        taken = {name: statement.excluded[name] for name in Group.__struct_fields__}
        conn.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=taken), group_rows
        )
    if changed:
        into = insert_into(conn, notify_alerts)
        kept = {name: into.excluded[name] for name in Member.__struct_fields__}
        conn.execute(
            into.on_conflict_do_update(index_elements=["alert_id"], set_=kept),
            [plain(one) | {"reason": one.reason[:REASON_MOST]} for one in changed],
        )


def forget(conn: Connection, alert_ids: Iterable[str], group_keys: Iterable[str]) -> None:
    """These alerts are closed; these groups are empty, these timers done."""
    gone, empty = list(alert_ids), list(group_keys)
    if gone:
        conn.execute(delete(notify_alerts).where(among(conn, notify_alerts.c.alert_id, gone)))
    if empty:
        conn.execute(delete(notify_groups).where(among(conn, notify_groups.c.key, empty)))


def look_at(
    conn: Connection, at: datetime, *, hidden_only: bool, sites: Iterable[str] | None = None
) -> None:
    """Groups (of these sites; with `hidden_only`, those with members that nobody is told of) are
    to be looked at.
    """
    changed = update(notify_groups).where(notify_groups.c.kind == "group")
    if sites is not None:
        changed = changed.where(among(conn, notify_groups.c.site, sites))
    if hidden_only:
        hidden = select(notify_alerts.c.group_key).where(notify_alerts.c.reason != "")
        changed = changed.where(notify_groups.c.key.in_(hidden))
    later = notify_groups.c.next_at.is_(None) | (notify_groups.c.next_at > at)
    conn.execute(changed.where(later).values(next_at=at))


def note(conn: Connection, notes: Sequence[TimelineNote], at: datetime) -> None:
    """Add to alerts' timelines."""
    rows = [plain(one) | {"at": at, "actor": ""} for one in notes]
    if rows:
        conn.execute(alert_timeline.insert(), rows)
