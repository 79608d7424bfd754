"""How many notifications there were, by recipient, channel and state: for budgets and charts."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from ledger.notifications import State
from ledger.schema import notifications
from ledger.sql import typed


class NoticeCount(msgspec.Struct, frozen=True):
    """How many notifications to one recipient went by one channel and are in one state."""

    recipient: str
    """Officer id; empty: a route."""
    channel: str
    state: State
    count: int


def between(
    conn: Connection,
    regions: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    recipient: str | None = None,
) -> list[NoticeCount]:
    """Those about `regions` that were made from `since` on and before `until`."""
    by = (notifications.c.recipient, notifications.c.channel, notifications.c.state)
    query = select(*by, func.count().label("count")).where(
        notifications.c.region.in_(regions),
        notifications.c.created_at >= since,
        notifications.c.created_at < until,
    )
    if recipient is not None:
        query = query.where(notifications.c.recipient == recipient)
    return [typed(row, NoticeCount) for row in conn.execute(query.group_by(*by).order_by(*by))]
