"""Notifications: what is told to whom, of which alerts, and how it went; the journal of telling.

A row is made once for its `dedupe` key, in the transaction that decided on it. A sender takes rows
that are due under a lease of its own, and says how it went. What is `held` waits for a digest.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    Connection,
    Integer,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from contracts.notices import Part, compose
from contracts.words import Severity
from ledger.schema import notification_alerts, notifications
from ledger.sql import among_these, chunks, insert_in, plain, typed, typed_or_none

Kind = Literal["alert", "resolved", "escalated", "digest", "notice", "case"]
State = Literal["queued", "sending", "sent", "failed", "held", "cancelled"]
Hold = Literal["", "storm", "day"]
"""Which digest takes a held one: the next after a storm, or the day's."""

TITLE_MOST = 512
"""Characters of a title; what is beyond is cut: it must not hold up everybody's messages."""

LEASE_S = 60.0
"""How long a taken row is its sender's; longer than any channel takes."""


class NewNotification(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told to one recipient, or on one route (`recipient` empty)."""

    dedupe: str
    """Same key, same notification; it travels along, so that a receiver can tell copies."""
    kind: Kind
    severity: Severity
    recipient: str = ""
    """Officer id."""
    route: str = ""
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    alert_ids: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    """One for each alert, if title and body were composed of them."""
    group_key: str = ""
    level: int = 0
    region: str = ""
    site: str = ""
    hold: Hold = ""
    """Not empty: held for that digest, for `reason`."""
    reason: str = ""


class NotificationRow(msgspec.Struct, frozen=True):
    """A notification as it stands."""

    id: int
    dedupe: str
    kind: Kind
    alert_ids: tuple[str, ...]
    parts: tuple[Part, ...]
    group_key: str
    severity: Severity
    level: int
    recipient: str
    route: str
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    region: str
    site: str
    state: State
    reason: str
    """Why it is held, cancelled, failed, or tried again."""
    stop: str
    """Not empty: its last alert was acknowledged while it was being sent; no second try."""
    hold: Hold
    channel: str
    """By which channel it went."""
    attempts: int
    created_at: datetime
    due_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    owner: str
    lease_until: datetime | None
    digest_id: int | None
    """The digest that told it, if it was held."""


class NotificationCount(msgspec.Struct, frozen=True):
    """How many there are in one state, by channel."""

    state: State
    channel: str
    count: int


@cache
def _enqueuing(dialect: str) -> ReturningInsert[Any]:
    """The statement of `enqueue`, built once."""
    statement = insert_in(dialect, notifications).on_conflict_do_nothing(index_elements=["dedupe"])
    return statement.returning(notifications.c.dedupe, notifications.c.id)


_LINK = notification_alerts.insert()


def enqueue(
    conn: Connection, new: Iterable[NewNotification], at: datetime, due_at: datetime | None = None
) -> dict[str, int]:
    """Make rows, queued or held; those whose key is taken are left as they are.

    Returns the ids of the rows that were made, by their key.
    """
    rows = {one.dedupe: one for one in new}
    made: dict[str, int] = {}
    for some in chunks(rows.values(), 500):
        found = conn.execute(
            _enqueuing(conn.dialect.name), [_row(one, at, due_at or at) for one in some]
        )
        made |= {row.dedupe: row.id for row in found}
    links = [
        {"alert_id": alert_id, "notification_id": number}
        for dedupe, number in made.items()
        for alert_id in sorted(set(rows[dedupe].alert_ids))
    ]
    if links:
        conn.execute(_LINK, links)
    return made


_LEFT = and_(notifications.c.state == "sending", notifications.c.lease_until <= bindparam("now"))
"""Its sender let its lease run out."""
_DUE = or_(
    and_(notifications.c.state == "queued", notifications.c.due_at <= bindparam("now")), _LEFT
)
"""It is to be taken: its time has come, or its sender is gone."""
_STOP_LEFT = (
    update(notifications)
    .where(_LEFT, notifications.c.stop != "")
    .values(
        state="cancelled",
        reason=notifications.c.stop,
        owner="",
        lease_until=None,
        changed_at=bindparam("now"),
    )
)
_FIRST_DUE = (
    select(notifications.c.id)
    .where(_DUE)
    .order_by(notifications.c.severity, notifications.c.due_at, notifications.c.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(notifications)
    .where(notifications.c.id.in_(bindparam("numbers", expanding=True)))
    .values(
        state="sending",
        owner=bindparam("sender"),
        lease_until=bindparam("until"),
        attempts=notifications.c.attempts + 1,
        changed_at=bindparam("now"),
    )
    .returning(*notifications.c)
)


def take_due(
    conn: Connection, owner: str, limit: int, at: datetime, lease_s: float = LEASE_S
) -> Sequence[NotificationRow]:
    """Take up to `limit` rows that are due, the gravest first; they are `owner`'s for `lease_s`.

    Also those whose sender let its lease run out: it may have sent them or not.
    """
    conn.execute(_STOP_LEFT, {"now": at})
    ids = [*conn.scalars(_FIRST_DUE, {"now": at, "most": limit})]
    until = at + timedelta(seconds=lease_s)
    given = {"numbers": ids, "sender": owner, "until": until, "now": at}
    taken = conn.execute(_TAKE, given) if ids else ()
    place = {number: index for index, number in enumerate(ids)}
    return sorted((typed(row, NotificationRow) for row in taken), key=lambda row: place[row.id])


_ANY_DUE = select(notifications.c.id).where(_DUE).limit(1)


def is_due(conn: Connection, at: datetime) -> bool:
    """Whether `take_due` would find something; takes no lock."""
    return conn.scalar(_ANY_DUE, {"now": at}) is not None


_NEXT_DUE = (
    select(notifications.c.due_at)
    .where(notifications.c.state == "queued")
    .order_by(notifications.c.due_at)
    .limit(1)
)


def next_due(conn: Connection) -> datetime | None:
    """When the next queued row is due; None if none is queued."""
    due_at: datetime | None = conn.scalar(_NEXT_DUE)
    return due_at


_MINE = (
    update(notifications)
    .where(
        notifications.c.id == bindparam("number"),
        notifications.c.state == "sending",
        notifications.c.owner == bindparam("sender"),
    )
    .values(owner="", lease_until=None, changed_at=bindparam("now"))
)
"""A row that its sender has done with; what becomes of it is added."""
_SENT = _MINE.values(
    state="sent", channel=bindparam("by"), sent_at=bindparam("now"), reason=bindparam("why")
)
_STOPPED = _MINE.where(notifications.c.stop != "").values(
    state="cancelled", reason=notifications.c.stop
)
_RETRY = _MINE.values(state="queued", due_at=bindparam("later"), reason=bindparam("why"))
_FAILED = _MINE.values(state="failed", reason=bindparam("why"))
_HELD = _MINE.values(state="held", hold="day", reason=bindparam("why"))


def sent(
    conn: Connection, number: int, owner: str, at: datetime, channel: str, reason: str = ""
) -> bool:
    """A channel has taken it; False if the row is `owner`'s no longer.

    `reason` says why it was not the recipient's first channel, if it was not.
    """
    given = {"number": number, "sender": owner, "now": at, "by": channel, "why": reason}
    return conn.execute(_SENT, given).rowcount == 1


def retry_at(
    conn: Connection, number: int, owner: str, at: datetime, due_at: datetime, reason: str
) -> bool:
    """It is to be tried again at `due_at`; cancelled instead if it was stopped meanwhile."""
    given = {"number": number, "sender": owner, "now": at}
    if conn.execute(_STOPPED, given).rowcount == 1:
        return True
    return conn.execute(_RETRY, given | {"later": due_at, "why": reason}).rowcount == 1


def failed(conn: Connection, number: int, owner: str, at: datetime, reason: str) -> bool:
    """No channel will ever take it."""
    given = {"number": number, "sender": owner, "now": at, "why": reason}
    return conn.execute(_FAILED, given).rowcount == 1


def held(conn: Connection, number: int, owner: str, at: datetime, reason: str) -> bool:
    """It is not sent by itself, but told in the day's digest."""
    given = {"number": number, "sender": owner, "now": at}
    if conn.execute(_STOPPED, given).rowcount == 1:
        return True
    return conn.execute(_HELD, given | {"why": reason}).rowcount == 1


_PENDING = (
    select(notifications)
    .join(notification_alerts, notification_alerts.c.notification_id == notifications.c.id)
    .where(
        notification_alerts.c.alert_id == bindparam("alert_id"),
        notifications.c.state.in_(["queued", "sending", "held"]),
        notifications.c.digest_id.is_(None),
        notifications.c.kind != "notice",
    )
    .order_by(notifications.c.id)
    .with_for_update(of=notifications)
)


def cancel_for_alert(conn: Connection, alert_id: str, at: datetime, reason: str) -> int:
    """Nothing more is told of this alert: rows of it alone are cancelled, others lose its part.

    What is being sent at this moment can't be called back, but is not tried again. Reports on other
    matters (`notice`) stay. Returns how many rows were changed.
    """
    found = conn.execute(_PENDING, {"alert_id": alert_id})
    rows = [typed(row, NotificationRow) for row in found]
    for row in rows:
        changed = _without(row, alert_id, reason) | {"changed_at": at}
        conn.execute(update(notifications).where(notifications.c.id == row.id).values(changed))
    return len(rows)


def waiting(
    conn: Connection, hold: Hold, recipient: str | None = None, route: str = ""
) -> Sequence[NotificationRow]:
    """What is held for that digest (of one recipient), locked until the transaction's end."""
    table = notifications.c
    query = select(notifications).where(
        table.state == "held", table.hold == hold, table.digest_id.is_(None)
    )
    if recipient is not None:
        query = query.where(table.recipient == recipient, table.route == route)
    locked = conn.execute(query.order_by(table.id).with_for_update())
    return [typed(row, NotificationRow) for row in locked]


def told_in(conn: Connection, numbers: Iterable[int], digest: int, at: datetime) -> None:
    """These held ones are told in that digest."""
    for some in chunks(numbers):
        gathered = update(notifications).where(notifications.c.id.in_(some))
        conn.execute(gathered.values(digest_id=digest, changed_at=at))


_GET = select(notifications).where(notifications.c.id == bindparam("number"))


def get(conn: Connection, number: int) -> NotificationRow | None:
    """The notification of that id."""
    return typed_or_none(conn.execute(_GET, {"number": number}).one_or_none(), NotificationRow)


def list(
    conn: Connection,
    *,
    alert_id: str | None = None,
    recipient: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    states: Sequence[State] | None = None,
    regions: Sequence[str] | None = None,
    limit: int = 50,
    before: int | None = None,
) -> Sequence[NotificationRow]:
    """Notifications, newest first: of an alert, to an officer, of a span of time.

    `regions` leaves out what is about other places. `before`: the last id seen.
    """
    query = select(notifications)
    if alert_id is not None:
        linked = select(notification_alerts.c.notification_id)
        linked = linked.where(notification_alerts.c.alert_id == alert_id)
        query = query.where(notifications.c.id.in_(linked))
    if recipient is not None:
        query = query.where(notifications.c.recipient == recipient)
    if since is not None:
        query = query.where(notifications.c.created_at >= since)
    if until is not None:
        query = query.where(notifications.c.created_at < until)
    if states is not None:
        query = query.where(notifications.c.state.in_(states))
    if regions is not None:
        query = query.where(notifications.c.region.in_(regions))
    if before is not None:
        query = query.where(notifications.c.id < before)
    rows = conn.execute(query.order_by(notifications.c.id.desc()).limit(limit))
    return [typed(row, NotificationRow) for row in rows]


def reached(
    conn: Connection, alert_ids: Collection[str], recipient: str | None = None
) -> dict[str, Sequence[str]]:
    """Whom messages of these alerts have reached, by alert: officers' ids, the last one first."""
    if not alert_ids:
        return {}
    alert = notification_alerts.c.alert_id
    query = (
        select(alert, notifications.c.recipient)
        .join(notifications, notifications.c.id == notification_alerts.c.notification_id)
        .where(
            among_these(alert, alert_ids),
            notifications.c.state == "sent",
            notifications.c.recipient != "",
        )
        .order_by(notifications.c.id.desc())
    )
    if recipient is not None:
        query = query.where(notifications.c.recipient == recipient)
    found: dict[str, dict[str, None]] = {}
    for alert_id, officer in conn.execute(query):
        found.setdefault(alert_id, {})[officer] = None
    return {alert_id: [*officers] for alert_id, officers in found.items()}


def counts(conn: Connection, since: datetime) -> Sequence[NotificationCount]:
    """How many were made since then, by state and channel."""
    by = (notifications.c.state, notifications.c.channel)
    query = select(*by, func.count().label("count")).where(notifications.c.created_at >= since)
    rows = conn.execute(query.group_by(*by).order_by(*by))
    return [typed(row, NotificationCount) for row in rows]


def _row(one: NewNotification, at: datetime, due_at: datetime) -> dict[str, object]:
    return plain(one) | {
        "severity": int(one.severity),
        "title_zh": one.title_zh[:TITLE_MOST],
        "title_en": one.title_en[:TITLE_MOST],
        "alert_ids": [*one.alert_ids],
        "parts": msgspec.to_builtins(one.parts),
        "state": "held" if one.hold else "queued",
        "stop": "",
        "channel": "",
        "attempts": 0,
        "created_at": at,
        "due_at": due_at,
        "changed_at": at,
        "owner": "",
    }


def _without(row: NotificationRow, alert_id: str, reason: str) -> dict[str, object]:
    """What changes in a row that shall say nothing of `alert_id` any more."""
    left = [one for one in row.alert_ids if one != alert_id]
    if not left:
        if row.state == "sending":
            return {"stop": reason}
        return {"state": "cancelled", "reason": reason}
    changed: dict[str, object] = {"alert_ids": left}
    parts = [part for part in row.parts if part.alert_id != alert_id]
    if parts:
        changed |= plain(compose(parts)) | {"parts": msgspec.to_builtins(parts)}
    return changed
